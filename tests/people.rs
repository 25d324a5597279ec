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

#[tokio::test]
async fn what_is_put_off_rests_in_the_other_sessions_of_the_person_too() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/once.yaml", ONCE)]);
    assert_eq!(arrive(&docent, "one", Some("ada")).await, "once");
    assert_eq!(arrive(&docent, "two", Some("ada")).await, "once");
    docent.event("two", "reset").await;
    let path = "/agent_state/acme/proactive:one";
    let later = json!({ "event": "proactive_snoozed", "for_s": 7_200 });
    assert_eq!(docent.post(path, later).await.0, 200);
    docent.advance(7_199.0).await;
    for session in ["one", "two", "three"] {
        assert_eq!(arrive(&docent, session, Some("ada")).await, "trigger_cooldown", "{session}");
    }
    let body = docent.poll("three").await;
    assert_eq!(body["next_poll_ms"], 1_000, "{body}");
    assert_eq!(arrive(&docent, "other", Some("grace")).await, "once", "somebody else");
    docent.advance(1.0).await;
    assert_eq!(docent.verdict("three").await, "once");
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

const EXPORTS: &str = r#"
version: 1
triggers:
  - id: exports
    when:
      - count: { type: export, scope: user, at_least: 3, within: 7d }
    offer: { body: "Shall we send it every week?", accept: "Yes", dismiss: "No thanks" }
"#;

/// Exports once, with an instant of the sender's that tells it from others.
async fn export(docent: &Docent, session: &str, user: Option<&str>, forwarded_at: f64) -> String {
    let batch = json!({ "type": "actions", "session_id": session, "user_id": user,
        "forwarded_at": forwarded_at, "actions": [{ "type": "export", "canonical_url": "/a" }] });
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
    docent.verdict(session).await
}

#[tokio::test]
async fn what_somebody_did_counts_in_all_their_sessions() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/exports.yaml", EXPORTS)]);
    assert_eq!(export(&docent, "one", Some("ada"), 1.0).await, "no_trigger");
    docent.advance(3_600.0).await;
    assert_eq!(export(&docent, "two", Some("ada"), 2.0).await, "no_trigger");
    assert_eq!(export(&docent, "two", Some("ada"), 2.0).await, "no_trigger", "the same once more");
    assert_eq!(export(&docent, "three", Some("grace"), 3.0).await, "no_trigger", "somebody else");
    assert_eq!(export(&docent, "four", None, 4.0).await, "no_trigger", "nobody knows who");
    assert_eq!(export(&docent, "four", None, 5.0).await, "no_trigger");
    assert_eq!(export(&docent, "four", Some("ada"), 6.0).await, "exports", "both become hers");
    docent.advance(8.0 * 86_400.0).await;
    assert_eq!(export(&docent, "five", Some("ada"), 7.0).await, "no_trigger", "a week is over");
}

const GOLD: &str = r#"
version: 1
triggers:
  - id: gold
    when:
      - trait: { of: account, name: tier, is: gold }
    offer: { body: 'Hello, {account.name|default("you")}', accept: "Hi", dismiss: "No thanks" }
"#;

#[tokio::test]
async fn what_is_known_of_an_account_counts_for_all_its_people() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/gold.yaml", GOLD)]);
    let arrive = async |session: &str, account: Option<&str>, traits: Value| {
        let batch = json!({ "type": "actions", "session_id": session, "user_id": session,
            "account_id": account, "account_traits": traits,
            "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
        assert_eq!(docent.post("/events/acme", batch).await.0, 200);
        docent.verdict(session).await
    };
    assert_eq!(arrive("ada", Some("acct_1"), Value::Null).await, "no_trigger", "unknown");
    assert_eq!(arrive("bob", Some("acct_1"), json!({ "tier": "gold" })).await, "gold");
    assert_eq!(docent.verdict("ada").await, "gold", "nothing happened in this session since");
    assert_eq!(arrive("eve", Some("acct_2"), Value::Null).await, "no_trigger", "another account");
    assert_eq!(arrive("joe", None, json!({ "tier": "gold" })).await, "no_trigger", "of no account");
    let request = docent.request("PUT", "/accounts/acme/acct_2/traits");
    let (status, known) = common::answer(request.json(&json!({ "tier": "gold" }))).await;
    let expected = json!({ "account_id": "acct_2", "traits": { "tier": "gold" } });
    assert_eq!((status, known), (200, expected));
    assert_eq!(docent.verdict("eve").await, "gold");
}
