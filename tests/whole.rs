//! What is acknowledged is whole: a retry after a refusal finishes what the first try began, in
//! every record that it concerns, and a client that hangs up cuts nothing in two.
#![cfg(test)]

mod common;
#[path = "whole/hangup.rs"]
mod hangup;
#[path = "whole/owed.rs"]
mod owed;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "redis/server.rs"]
mod server;
#[path = "whole/shared.rs"]
mod shared;

use std::process::Command;

use common::{Docent, workspace};
use serde_json::{Value, json};

const SETTINGS: &str = "
version: 1
store: embedded:./data
limits: { per_session: 10000/s, per_client: 100000/s }
products:
  acme: { retrieval: { by_email: true } }
";
const RULES: &str = r#"
version: 1
triggers:
  - id: eager
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
  - id: brief
    page: /brief
    priority: 60
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: "Stuck here?", accept: "Show me how", dismiss: "No thanks", timeout: 20s }
  - id: exports
    mode: draft
    when: [{ count: { type: export, at_least: 3, within: 1d, scope: user } }]
    offer: { body: "Many exports?", accept: "Yes", dismiss: "No" }
"#;

fn files() -> [(&'static str, &'static str); 2] {
    [("docent.yaml", SETTINGS), ("rules/eager.yaml", RULES)]
}

/// One page view of a person.
fn view(session: &str, user: Option<&str>, number: u64) -> Value {
    json!({ "type": "actions", "session_id": session, "user_id": user,
        "forwarded_at": 1_760_000_000 + number,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] })
}

/// A batch that concerns every record there is beside its session's.
fn rich(session: &str, user: &str) -> Value {
    json!({ "type": "actions", "session_id": session, "user_id": user, "forwarded_at": 1_760_000_000,
        "email": format!("{user}@acme.test"), "traits": { "plan": "pro" },
        "account_id": format!("of_{user}"), "account_traits": { "seats": 5 },
        "actions": [{ "type": "pageview", "canonical_url": "/a" },
            { "type": "export", "canonical_url": "/a" }] })
}

async fn arrive(docent: &Docent, session: &str, user: Option<&str>) -> String {
    assert_eq!(docent.post("/events/acme", view(session, user, 0)).await.0, 200);
    docent.verdict(session).await
}

async fn report(docent: &Docent, session: &str, body: Value) -> (u16, Value) {
    docent.post(&format!("/agent_state/acme/proactive%3A{session}"), body).await
}

/// What is remembered of a person.
async fn person(docent: &Docent, user: &str) -> Value {
    let (status, all) = docent.get(&format!("/admin/users/acme/{user}/export")).await;
    assert_eq!(status, 200, "{all}");
    all["users"][0]["record"].clone()
}

/// All of a rich batch is where it belongs.
async fn assert_rich(docent: &Docent, session: &str, user: &str) {
    let known = person(docent, user).await;
    assert_eq!(known["traits"]["plan"], "pro", "{known}");
    assert_eq!(known["happened"]["export"].as_array().map(Vec::len), Some(1), "{known}");
    let said = docent.request("PUT", &format!("/accounts/acme/of_{user}/traits")).json(&json!({}));
    let (_, account) = common::answer(said).await;
    assert_eq!(account["traits"]["seats"], 5, "{account}");
    let (_, all) = docent.get(&format!("/admin/sessions/acme/{session}/export")).await;
    assert_eq!(all["emails"][0]["record"]["session"], session, "{all}");
}

/// Sends batches until nothing more can be written.
async fn fill(docent: &Docent) {
    for number in 0..4_000 {
        let batch = json!({ "type": "actions", "session_id": format!("fill_{number}"),
            "actions": [{ "type": "pageview", "canonical_url": "/f",
                "description": "words ".repeat(2_000) }] });
        if docent.post("/events/acme", batch).await.0 == 503 {
            return;
        }
    }
    panic!("it never fills");
}

/// The file may not grow any more, as on a full disk: what is refused then is whole once it was
/// acknowledged to a second try.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_retry_finishes_what_the_first_try_began() {
    let full = "trap '' XFSZ; ulimit -S -f 8192;";
    let arguments = ["--virtual-clock", "--listen", "127.0.0.1:0"];
    let docent = Docent::start_under(full, workspace(&files()), &arguments);
    for (session, user) in [("put_off", "ann"), ("turned_down", "dot")] {
        assert_eq!(arrive(&docent, session, Some(user)).await, "eager");
    }
    let mut brief = view("lapsing", Some("bob"), 0);
    brief["actions"][0]["canonical_url"] = json!("/brief");
    assert_eq!(docent.post("/events/acme", brief).await.0, 200);
    assert_eq!(docent.verdict("lapsing").await, "brief");
    assert_eq!(arrive(&docent, "stranger", None).await, "eager");
    let (status, _) = report(&docent, "stranger", json!({ "event": "proactive_dismissed" })).await;
    assert_eq!(status, 200);
    fill(&docent).await;
    let snoozed = json!({ "event": "proactive_snoozed", "for_s": 86_400 });
    let dismissed = json!({ "event": "proactive_dismissed" });
    assert_eq!(report(&docent, "put_off", snoozed.clone()).await.0, 503);
    assert_eq!(report(&docent, "turned_down", dismissed.clone()).await.0, 503);
    assert_eq!(docent.post("/events/acme", rich("rich", "carl")).await.0, 503);
    assert_eq!(docent.post("/events/acme", view("stranger", Some("eve"), 7)).await.0, 503);
    docent.advance(21.0).await;
    let poll = "/context/acme/lapsing?conversation_id=proactive%3Alapsing";
    assert_eq!(docent.get(poll).await.0, 503);

    let pid = docent.pid().to_string();
    let room = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(room.unwrap().success());
    docent.until("/readyz", |status, _| status == 200).await;
    // Whether the first try left something to go on from, nobody outside needs to know.
    assert_eq!(report(&docent, "put_off", snoozed).await.0, 200);
    assert_eq!(report(&docent, "turned_down", dismissed).await.0, 200);
    for batch in [rich("rich", "carl"), view("stranger", Some("eve"), 7)] {
        let (status, body) = docent.post("/events/acme", batch).await;
        assert_eq!((status, &body["duplicate"]), (200, &json!(false)), "{body}");
    }
    assert_eq!(docent.get(poll).await.0, 200);

    assert_eq!(arrive(&docent, "elsewhere", Some("ann")).await, "trigger_cooldown");
    let dot = person(&docent, "dot").await;
    assert!(dot["triggers"]["eager"]["outcomes"]["dismissed"].is_number(), "{dot}");
    let eve = person(&docent, "eve").await;
    assert!(eve["triggers"]["eager"]["outcomes"]["dismissed"].is_number(), "{eve}");
    assert_rich(&docent, "rich", "carl").await;
    let bob = "/admin/users/acme/bob/export";
    let ignored = "/users/0/record/triggers/brief/outcomes/ignored";
    docent.until(bob, |_, all| all.pointer(ignored).is_some()).await;
    let metrics = docent.get("/metrics").await.1;
    let counted = |outcome: &str| {
        let line = format!("outcome=\"{outcome}\"");
        let line = metrics.as_str().unwrap().lines().find(|it| it.contains(&line));
        line.unwrap_or_default().rsplit(' ').next().unwrap().to_owned()
    };
    for (outcome, times) in [("snoozed", "1"), ("dismissed", "2")] {
        assert_eq!(counted(outcome), times, "{metrics}");
    }
}
