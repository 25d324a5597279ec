//! Pausing a product while docent runs: polls, explanations, restarts, and the command.
#![cfg(test)]

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Docent, EAGER, PLAIN};
use serde_json::{Value, json};

const ROUTE: &str = "/admin/products/acme/proactive";
const KEYED: &str = "version: 1
admin: { tokens: [op_token] }
products:
  acme: { keys: { secret: sk_acme, publishable: pk_acme } }
  other: { rules: other/, keys: { secret: sk_other } }
";

fn eager(settings: &str) -> Docent {
    Docent::timed(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)])
}

async fn put(docent: &Docent, body: Value) -> (u16, Value) {
    common::answer(docent.request("PUT", ROUTE).json(&body)).await
}

fn docent(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn a_paused_product_is_silent_until_exactly_then() {
    let docent = eager(PLAIN);
    // A verdict that is remembered must not outlive the pause, nor the pause itself.
    assert_eq!(docent.verdict("s").await, "no_trigger");
    docent.visit("s", &["/a"]).await;
    let (status, told) = put(&docent, json!({ "enabled": false, "for": "100s" })).await;
    assert_eq!((status, &told["enabled"], &told["configured"]), (200, &json!(false), &json!(true)));
    let lasts =
        told["paused"]["until"].as_f64().unwrap() - told["paused"]["since"].as_f64().unwrap();
    assert_eq!(lasts, 100.0);
    for (second, next) in [(0.0, 100_000), (60.0, 40_000), (39.0, 1_000), (0.999, 1_000)] {
        docent.advance(second).await;
        let body = docent.poll("s").await;
        assert_eq!(body["proactive_skip_reason"], "not_enabled");
        assert_eq!(body["next_poll_ms"], next, "{second}");
    }
    docent.advance(0.001).await;
    assert_eq!(docent.verdict("s").await, "eager");
    assert_eq!(docent.get(ROUTE).await.1["paused"], Value::Null);
}

#[tokio::test]
async fn what_was_decided_before_a_pause_is_not_said_during_it_and_the_reverse() {
    let docent = eager(PLAIN);
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
    docent.event("s", "proactive_dismissed").await;
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    for _ in 0..2 {
        put(&docent, json!({ "enabled": false })).await;
        assert_eq!(docent.verdict("s").await, "not_enabled");
        assert_eq!(docent.verdict("s").await, "not_enabled");
        assert_eq!(put(&docent, json!({ "enabled": true })).await.1["enabled"], true);
        assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    }
    // An offer that is open stays answerable.
    docent.visit("t", &["/a"]).await;
    assert_eq!(docent.verdict("t").await, "eager");
    put(&docent, json!({ "enabled": false })).await;
    assert_eq!(docent.poll("t").await["pending_offer"]["trigger_id"], "eager");
    assert_eq!(docent.event("t", "proactive_accepted_chat").await.0, None);
}

#[tokio::test]
async fn an_explanation_says_who_paused_it_and_why() {
    let docent = eager(PLAIN);
    docent.visit("s", &["/a"]).await;
    let body = json!({ "enabled": false, "for": "2h", "reason": "the import is down" });
    put(&docent, body).await;
    let (_, told) = docent.get("/context/acme/s?explain=1").await;
    assert_eq!(told["verdict"], "not_enabled");
    let gate = &told["gates"][1];
    assert_eq!((&gate["gate"], &gate["hold"]), (&json!("enabled"), &json!("not_enabled")));
    assert_eq!(gate["note"], "paused by an operator: the import is down");
    assert!(gate["until"].as_f64().is_some(), "{gate}");
    let (code, said) = self::docent(&["explain", "s", "--url", &docent.base, "--rule", "eager"]);
    let expected = "`eager` is not looked at while the gate `enabled` holds: not_enabled, may \
                    change in 2h; paused by an operator: the import is down\n";
    assert_eq!((code, &*said), (Some(0), expected));
}

#[tokio::test]
async fn a_pause_outlives_a_restart_and_every_time_to_live() {
    let settings = format!("{PLAIN}limits: {{ session_ttl: 60s, ledger_ttl: 60s }}\n");
    let mut docent = eager(&settings);
    put(&docent, json!({ "enabled": false, "reason": "legal asked" })).await;
    docent.advance(10.0 * 86_400.0).await;
    docent.visit("a", &["/a"]).await;
    assert_eq!(docent.verdict("a").await, "not_enabled");
    docent = docent.again(&["--virtual-clock", "--listen", "127.0.0.1:0"]);
    docent.visit("b", &["/a"]).await;
    assert_eq!(docent.verdict("b").await, "not_enabled");
    assert_eq!(docent.get(ROUTE).await.1["paused"]["reason"], "legal asked");
    put(&docent, json!({ "enabled": true })).await;
    docent = docent.again(&["--virtual-clock", "--listen", "127.0.0.1:0"]);
    docent.visit("c", &["/a"]).await;
    assert_eq!(docent.verdict("c").await, "eager");
}

#[tokio::test]
async fn one_product_is_paused_and_not_the_other() {
    let settings = "version: 1\nproducts: { acme: {}, other: {} }\n";
    let docent = eager(settings);
    put(&docent, json!({ "enabled": false })).await;
    let told = docent.get("/admin/products/other/proactive").await.1;
    assert_eq!((&told["enabled"], &told["paused"]), (&json!(true), &Value::Null));
    // One that is off in its settings stays off, and says so.
    docent.write(
        "docent.yaml",
        "version: 1\nproducts: { acme: { proactive: { enabled: false } } }\n",
    );
    docent.until("/admin/rules", |_, rules| rules["active"]["revision"] == 2).await;
    let (_, told) = put(&docent, json!({ "enabled": true })).await;
    assert_eq!((&told["enabled"], &told["configured"]), (&json!(false), &json!(false)));
    let (_, said) = self::docent(&["resume", "acme", "--url", &docent.base]);
    assert_eq!(said, "resumed `acme`\nit is off in docent.yaml: `proactive: { enabled: false }`\n");
}

#[tokio::test]
async fn operators_alone_pause_and_say_so_as_json() {
    let docent = eager(KEYED);
    let ask = |method: &str, path: &str, key: &str, kind: &str| {
        let request = docent.request(method, path).bearer_auth(key).header("content-type", kind);
        common::answer(request.body(r#"{"enabled":false}"#))
    };
    let json = "application/json";
    for (method, path, key, kind, status) in [
        ("PUT", ROUTE, "op_token", json, 200),
        ("GET", ROUTE, "sk_acme", json, 200),
        ("PUT", ROUTE, "sk_acme", json, 200),
        ("PUT", ROUTE, "pk_acme", json, 403),
        ("GET", ROUTE, "pk_acme", json, 403),
        ("PUT", ROUTE, "sk_other", json, 403),
        ("PUT", ROUTE, "wrong", json, 401),
        ("PUT", ROUTE, "op_token", "text/plain", 415),
        ("PUT", "/admin/products/nobody/proactive", "op_token", json, 404),
        ("POST", ROUTE, "op_token", json, 405),
    ] {
        assert_eq!(ask(method, path, key, kind).await.0, status, "{method} {path} {key} {kind}");
    }
    let interface = docent.get("/openapi.json").await.1;
    let path = &interface["paths"]["/admin/products/{product_id}/proactive"];
    assert!(path["get"].is_object() && path["put"].is_object());
}

#[tokio::test]
async fn the_commands_say_what_they_did() {
    let docent = eager(PLAIN);
    let run = |arguments: &[&str]| self::docent(&[arguments, &["--url", &docent.base]].concat());
    let told = "paused `acme` for 2h0m: every poll is told `not_enabled`\n";
    assert_eq!(run(&["pause", "acme", "--for", "2h"]), (Some(0), told.to_owned()));
    let told = "paused `acme` until `docent resume`: every poll is told `not_enabled`\n";
    assert_eq!(run(&["pause", "acme"]), (Some(0), told.to_owned()));
    assert_eq!(run(&["resume", "acme"]), (Some(0), "resumed `acme`\n".to_owned()));
    assert_eq!(run(&["resume", "acme"]).0, Some(0), "once more is no mistake");
    let (code, said) = run(&["pause", "acme", "--until", "2001-01-01", "--format", "json"]);
    assert!(code == Some(1) && said.contains("over already"), "{said}");
    let (code, said) = run(&["pause", "nobody"]);
    let told = "error: Unknown product; docent serves `acme`\n";
    assert_eq!((code, &*said), (Some(1), told));
    let (code, said) = run(&["pause", "acme", "--until", "2190-01-01"]);
    assert!(code == Some(1) && said.contains("ten years at most"), "{said}");
    let now = docent.post("/__clock", json!({ "advance_s": 0 })).await.1["now"].as_f64().unwrap();
    let tomorrow = (now + 86_400.0).ceil();
    let until = format!("{tomorrow}");
    let (code, said) = run(&["pause", "acme", "--until", &until, "--format", "json"]);
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &answer["paused"]["until"]), (Some(0), &json!(tomorrow)));
    let (code, said) = run(&["pause", "acme", "--until", &until]);
    let (head, tail) =
        ("paused `acme` until ", "+00:00, for 24h0m: every poll is told `not_enabled`\n");
    assert!(code == Some(0) && said.starts_with(head) && said.ends_with(tail), "{said}");
    assert!(fs::exists(docent.workspace.path().join("data")).unwrap());
}
