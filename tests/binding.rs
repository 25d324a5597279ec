//! Session tokens against the real server: the first use binds a session to its user, and neither
//! another token nor a source of activity unbinds it.
#![cfg(test)]

mod common;

use common::{Docent, EAGER, answer};
use docent::http::token::mint;
use docent::rulebook::settings::Secret;
use docent::runtime::clock::Clock;
use serde_json::json;

const SIGNING: &str = "version: 1\nproducts:\n  acme:\n    keys: { session_signing: [ss_acme] }\n";

fn docent() -> Docent {
    Docent::serve(&[("docent.yaml", SIGNING), ("rules/eager.yaml", EAGER)])
}

fn token(user: &str) -> String {
    let expires = Clock::wall().now().as_millis() / 1_000 + 3_600;
    mint(&Secret("ss_acme".into()), "acme", "s", user, expires).unwrap()
}

async fn poll(docent: &Docent, user: &str) -> u16 {
    let poll = docent.request("GET", "/context/acme/s").header("x-docent-session", token(user));
    answer(poll).await.0
}

async fn report(docent: &Docent, user: &str) -> u16 {
    let report = docent.request("POST", "/agent_state/acme/proactive%3As");
    let report = report.header("x-docent-session", token(user));
    answer(report.json(&json!({ "event": "user_sent" }))).await.0
}

/// A server's own push, which need not know people by the ids that the product's tokens use.
async fn pushed(docent: &Docent, user: &str) {
    let batch = json!({ "type": "actions", "session_id": "s", "user_id": user,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
}

#[tokio::test]
async fn the_first_poll_with_a_token_binds_a_session_that_is_known() {
    let docent = docent();
    pushed(&docent, "anonymous-1").await;
    assert_eq!(poll(&docent, "ann").await, 200, "a source's word binds nobody");
    assert_eq!(poll(&docent, "bob").await, 403);
    assert_eq!(report(&docent, "bob").await, 403);
    pushed(&docent, "anonymous-1").await;
    assert_eq!(poll(&docent, "ann").await, 200, "and unbinds nobody");
    assert_eq!(poll(&docent, "bob").await, 403);
}

#[tokio::test]
async fn the_first_event_with_a_token_binds_its_session() {
    let docent = docent();
    assert_eq!(report(&docent, "ann").await, 200);
    assert_eq!(report(&docent, "bob").await, 403);
    assert_eq!(poll(&docent, "bob").await, 403);
    assert_eq!(poll(&docent, "ann").await, 200);
}
