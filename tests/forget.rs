//! Starting over: what a running docent knows of a session is removed, over HTTP and by command.
#![cfg(test)]

mod common;

use std::process::{Command, Stdio};

use common::{Docent, EAGER, PLAIN};
use serde_json::{Value, json};

const KEYED: &str = "version: 1
admin: { tokens: [op_token] }
products:
  acme: { keys: { secret: sk_acme, publishable: pk_acme } }
  other: { rules: other/, keys: { secret: sk_other } }
";

fn eager(settings: &str) -> Docent {
    Docent::timed(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)])
}

async fn forget(docent: &Docent, session: &str, body: Value) -> (u16, Value) {
    docent.post(&format!("/admin/sessions/acme/{session}/forget"), body).await
}

/// Somebody known by e-mail comes.
async fn arrive(docent: &Docent, session: &str) {
    let batch = json!({ "type": "actions", "session_id": session, "email": "ada@b.example",
        "actions": [{ "type": "pageview", "description": "Opened billing", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
}

async fn known_by_email(docent: &Docent) -> usize {
    let ask = json!({ "knowledge_id": "ada@b.example", "query": "", "retrieval_setting": {} });
    docent.post("/retrieval", ask).await.1["records"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_session_starts_over() {
    let docent = eager(PLAIN);
    docent.visit("s/1", &["/a"]).await;
    assert_eq!(docent.verdict("s%2F1").await, "eager");
    docent.event("s%2F1", "proactive_dismissed").await;
    assert_eq!(docent.verdict("s%2F1").await, "fsm:conservative_cooldown");
    let (status, answer) = forget(&docent, "s%2F1", json!({})).await;
    let removed = json!({ "session_id": "s/1", "removed": ["session", "context"],
        "conversations": [], "user": null });
    assert_eq!((status, answer), (200, removed));
    assert_eq!(docent.verdict("s%2F1").await, "no_trigger", "what was done is gone, too");
    let (status, answer) = forget(&docent, "s%2F1", json!({})).await;
    assert_eq!((status, &answer["detail"]), (404, &json!("nothing is known of this session")));
    docent.visit("s/1", &["/a"]).await;
    assert_eq!(docent.verdict("s%2F1").await, "eager");
}

#[tokio::test]
async fn an_address_and_threads_that_lead_to_it_go_and_others_stay() {
    let docent = eager(PLAIN);
    arrive(&docent, "one").await;
    arrive(&docent, "two").await;
    let (_, answer) = forget(&docent, "one", json!({})).await;
    assert_eq!(answer["removed"], json!(["session", "context"]), "the address leads elsewhere");
    assert_eq!(answer["user"], "ada@b.example");
    assert_eq!(known_by_email(&docent).await, 1);
    // An offer in a thread of its own binds the thread to the session.
    let polled = docent.get("/context/acme/two?conversation_id=chat").await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "eager", "{polled}");
    let (_, answer) = forget(&docent, "two", json!({ "conversation_id": "unknown" })).await;
    assert_eq!(answer["removed"], json!(["session", "context", "email", "conversation"]));
    assert_eq!(answer["conversations"], json!(["chat"]));
    assert_eq!(known_by_email(&docent).await, 0);
    arrive(&docent, "three").await;
    let polled = docent.get("/context/acme/three?conversation_id=chat").await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "eager", "the thread is nobody's now");
}

#[tokio::test]
async fn operators_alone_forget_and_say_so_as_json() {
    let docent = eager(KEYED);
    let ask = |path: &str, key: &str, kind: &str| {
        let request = docent.request("POST", path).bearer_auth(key).header("content-type", kind);
        common::answer(request)
    };
    let (route, json) = ("/admin/sessions/acme/s/forget", "application/json");
    for (path, key, kind, status) in [
        (route, "op_token", json, 404),
        (route, "sk_acme", json, 404),
        (route, "pk_acme", json, 403),
        (route, "sk_other", json, 403),
        (route, "wrong", json, 401),
        (route, "op_token", "text/plain", 415),
        ("/admin/sessions/nobody/s/forget", "op_token", json, 404),
    ] {
        assert_eq!(ask(path, key, kind).await.0, status, "{path} {key} {kind}");
    }
    assert_eq!(docent.get(route).await.0, 405);
    let interface = docent.get("/openapi.json").await.1;
    let path = "/admin/sessions/{product_id}/{session_id}/forget";
    assert!(interface["paths"][path]["post"].is_object());
}

#[tokio::test]
async fn the_command_says_what_was_removed() {
    let docent = eager(PLAIN);
    arrive(&docent, "s 1").await;
    let run = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_docent"))
            .args(["forget", "--session", "s 1", "--url", &docent.base])
            .args(more)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let told = "forgot `s 1`: session, context, email
what is remembered of `ada@b.example` across sessions stays
";
    assert_eq!(run(&[]), (Some(0), told.to_owned()));
    let (code, said) = run(&[]);
    assert!(code == Some(1) && said.contains("nothing is known of this session"), "{said}");
    arrive(&docent, "s 1").await;
    let (code, said) = run(&["--format", "json"]);
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &answer["removed"]), (Some(0), &json!(["session", "context", "email"])));
    let (code, said) = run(&["--product", "nobody"]);
    assert!(code == Some(1) && said.contains("Unknown product"), "{said}");
}
