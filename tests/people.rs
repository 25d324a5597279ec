//! What docent remembers of a person outlives their browser session.
#![cfg(test)]

mod common;

use common::{Docent, PLAIN};
use serde_json::{Value, json};

const ONCE: &str = r#"
version: 1
triggers:
  - id: once
    when:
      - count: { type: pageview, at_least: 1, within: 30m }
      - not: { seen: { trigger: once, outcome: dismissed } }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
"#;

const WEEKLY: &str = r#"
version: 1
triggers:
  - id: weekly
    when:
      - count: { type: pageview, at_least: 1, within: 30m }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
    again_after: 7d
"#;

async fn arrive(docent: &Docent, session: &str, user: Option<&str>) -> String {
    let batch = json!({ "type": "actions", "session_id": session, "user_id": user,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
    docent.verdict(session).await
}

#[tokio::test]
async fn who_said_no_once_is_not_asked_in_their_next_session() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/once.yaml", ONCE)]);
    assert_eq!(arrive(&docent, "monday", Some("ada")).await, "once");
    docent.event("monday", "proactive_dismissed").await;
    docent.advance(86_400.0).await;
    assert_eq!(arrive(&docent, "tuesday", Some("ada")).await, "no_trigger");
    assert_eq!(arrive(&docent, "other", Some("grace")).await, "once", "somebody else");
    assert_eq!(arrive(&docent, "nobody", None).await, "once", "somebody unknown");
}

#[tokio::test]
async fn an_answer_in_another_tab_is_known_at_the_next_poll() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/once.yaml", ONCE)]);
    assert_eq!(arrive(&docent, "one", Some("ada")).await, "once");
    assert_eq!(arrive(&docent, "two", Some("ada")).await, "once");
    docent.event("one", "proactive_dismissed").await;
    docent.advance(300.0).await;
    assert_eq!(docent.verdict("two").await, "no_trigger", "nothing happened in this session since");
}

const PRO: &str = r#"
version: 1
triggers:
  - id: pro
    when:
      - trait: { name: plan, is: pro }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
"#;

async fn put(docent: &Docent, user: &str, traits: Value) -> (u16, Value) {
    let path = format!("/users/acme/{user}/traits");
    common::answer(docent.request("PUT", &path).json(&traits)).await
}

#[tokio::test]
async fn what_a_back_end_says_of_a_person_counts_at_once_in_every_session() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/pro.yaml", PRO)]);
    assert_eq!(arrive(&docent, "one", Some("ada")).await, "no_trigger", "unknown never fires");
    let (status, known) = put(&docent, "ada", json!({ "plan": "pro", "seats": 3 })).await;
    assert_eq!((status, &known["traits"]), (200, &json!({ "plan": "pro", "seats": 3 })));
    assert_eq!(docent.verdict("one").await, "pro");
    put(&docent, "ada", json!({ "plan": null })).await;
    assert_eq!(arrive(&docent, "two", Some("ada")).await, "no_trigger");
    assert_eq!(arrive(&docent, "three", Some("grace")).await, "no_trigger", "somebody else");
    assert_eq!(put(&docent, "ada", json!({ "plan": ["pro"] })).await.0, 422);
    assert_eq!(put(&docent, "%20", json!({})).await.0, 422);
}

#[tokio::test]
async fn what_a_stranger_said_is_theirs_once_they_are_known() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/once.yaml", ONCE)]);
    assert_eq!(arrive(&docent, "before", None).await, "once");
    docent.event("before", "proactive_dismissed").await;
    arrive(&docent, "before", Some("ada")).await;
    assert_eq!(arrive(&docent, "after", Some("ada")).await, "no_trigger");
}

#[tokio::test]
async fn a_weekly_offer_counts_the_week_of_the_person() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/weekly.yaml", WEEKLY)]);
    assert_eq!(arrive(&docent, "monday", Some("ada")).await, "weekly");
    docent.advance(7.0 * 86_400.0 - 1.0).await;
    assert_eq!(arrive(&docent, "sunday", Some("ada")).await, "trigger_cooldown");
    docent.advance(1.0).await;
    assert_eq!(arrive(&docent, "next", Some("ada")).await, "weekly");
}
