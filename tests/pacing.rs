//! How often somebody is asked, against the real server: many polls at once never exceed a cap, and
//! an answer counts in every session of the person.
#![cfg(test)]

mod common;

use common::Docent;
use futures_util::future::join_all;
use serde_json::{Value, json};

const EAGER: &str = "version: 1
triggers:
  - id: eager
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks, timeout: 30s }
    cooldown: 0s
    PACING
";

fn docent(settings: &str, pacing: &str) -> Docent {
    let workspace = format!(
        "version: 1\nproducts:\n  acme:\n    proactive: {{ min_interval: 0s }}\n    {settings}\n"
    );
    let rules = EAGER.replace("PACING", pacing);
    Docent::timed(&[("docent.yaml", &workspace), ("rules/eager.yaml", &rules)])
}

async fn arrive(docent: &Docent, session: &str, who: Value) {
    let mut batch = json!({ "type": "actions", "session_id": session,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    for (key, value) in who.as_object().unwrap() {
        batch[key] = value.clone();
    }
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
}

/// Four polls of each session, all at once; what each came to.
async fn all_at_once(docent: &Docent, sessions: &[String]) -> Vec<String> {
    let polls = sessions.iter().cycle().take(sessions.len() * 4);
    join_all(polls.map(|session| docent.verdict(session))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_is_spent_exactly_whoever_asks_at_once() {
    for (settings, pacing, reason) in [
        ("frequency: [{ id: three, per: user, limit: 3, window: 1d }]", "", "frequency:three"),
        ("frequency: [{ id: three, per: account, limit: 3, window: 1d }]", "", "frequency:three"),
        ("frequency: [{ id: three, per: product, limit: 3, window: 1d }]", "", "frequency:three"),
        ("", "frequency: [{ per: user, limit: 3, window: 7d }]", "frequency:eager/user/7d"),
    ] {
        let docent = docent(settings, pacing);
        let sessions: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
        for session in &sessions {
            arrive(&docent, session, json!({ "user_id": "ann", "account_id": "initech" })).await;
        }
        let verdicts = all_at_once(&docent, &sessions).await;
        let offers = verdicts.iter().filter(|verdict| *verdict == "eager").count();
        assert_eq!(offers, 3, "{reason}: {verdicts:?}");
        docent.advance(30.0).await;
        let later = all_at_once(&docent, &sessions).await;
        assert!(later.iter().all(|verdict| verdict == reason), "{reason}: {later:?}");
    }
}

#[tokio::test]
async fn somebody_unknown_is_counted_by_their_session_until_they_are_known() {
    let docent = docent("frequency: [{ id: one, per: user, limit: 1, window: 1d }]", "");
    arrive(&docent, "monday", json!({})).await;
    assert_eq!(docent.verdict("monday").await, "eager");
    docent.advance(30.0).await;
    assert_eq!(docent.verdict("monday").await, "frequency:one");
    let (_, told) = docent.get("/context/acme/monday?explain=1").await;
    let gates = told["rules"][0]["gates"].as_array().unwrap();
    let capped = gates.iter().find(|gate| gate["gate"] == "frequency").unwrap();
    assert_eq!(
        (&capped["hold"], &capped["counted_per"]),
        (&json!("frequency:one"), &json!("session"))
    );
    arrive(&docent, "monday", json!({ "user_id": "ann" })).await;
    arrive(&docent, "tuesday", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("tuesday").await, "frequency:one", "it is the same person");
    arrive(&docent, "other", json!({ "user_id": "bob" })).await;
    assert_eq!(docent.verdict("other").await, "eager");
    docent.advance(86_400.0 - 30.0).await;
    arrive(&docent, "tuesday", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("tuesday").await, "eager", "a day later");
}

#[tokio::test]
async fn what_people_were_offered_is_their_accounts_once_that_is_known() {
    let docent = docent("frequency: [{ id: two, per: account, limit: 2, window: 1d }]", "");
    for user in ["ann", "bob"] {
        arrive(&docent, user, json!({ "user_id": user })).await;
        assert_eq!(docent.verdict(user).await, "eager");
        arrive(&docent, user, json!({ "user_id": user, "account_id": "initech" })).await;
    }
    arrive(&docent, "cid", json!({ "user_id": "cid", "account_id": "initech" })).await;
    assert_eq!(docent.verdict("cid").await, "frequency:two");
    arrive(&docent, "dan", json!({ "user_id": "dan", "account_id": "initrode" })).await;
    assert_eq!(docent.verdict("dan").await, "eager");
}

#[tokio::test]
async fn a_no_thanks_lasts_longer_each_time_in_every_session() {
    let rest = "on_dismiss: { cooldown: 1h, factor: 3, stop_after: 3 }";
    let docent = docent("", rest);
    let mut day = 0;
    for hours in [1.0, 3.0] {
        day += 1;
        let session = format!("day{day}");
        arrive(&docent, &session, json!({ "user_id": "ann" })).await;
        assert_eq!(docent.verdict(&session).await, "eager");
        docent.event(&session, "proactive_dismissed").await;
        docent.advance(hours * 3_600.0 - 1.0).await;
        arrive(&docent, "elsewhere", json!({ "user_id": "ann" })).await;
        assert_eq!(docent.verdict("elsewhere").await, "backoff", "after {day}");
        docent.advance(1.0).await;
    }
    arrive(&docent, "third", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("third").await, "eager");
    docent.event("third", "proactive_dismissed").await;
    docent.advance(20.0 * 86_400.0).await;
    arrive(&docent, "later", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("later").await, "backoff", "three times is enough");
}

#[tokio::test]
async fn what_somebody_does_makes_their_no_thanks_void() {
    let docent = docent("", "on_dismiss: never\n    reset: { on: saved }");
    arrive(&docent, "one", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("one").await, "eager");
    docent.event("one", "proactive_dismissed").await;
    docent.advance(3_600.0).await;
    arrive(&docent, "two", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("two").await, "backoff");
    let batch = json!({ "type": "actions", "session_id": "two",
        "actions": [{ "type": "saved", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    arrive(&docent, "three", json!({ "user_id": "ann" })).await;
    assert_eq!(docent.verdict("three").await, "eager");
}

#[tokio::test]
async fn one_of_a_group_at_a_time_whatever_the_session() {
    let docent = docent("", "group: welcome");
    for session in ["one", "two"] {
        arrive(&docent, session, json!({ "user_id": "ann" })).await;
    }
    assert_eq!(docent.verdict("one").await, "eager");
    assert_eq!(docent.verdict("two").await, "group:busy");
    let thread = "/context/acme/one?conversation_id=dify-7";
    let (_, body) = docent.get(thread).await;
    assert_eq!(body["proactive_skip_reason"], "group:busy", "nor in a thread of the same session");
    docent.event("one", "proactive_accepted_tour").await;
    docent.advance(60.0).await;
    assert_eq!(docent.verdict("two").await, "group:busy", "the tour runs");
    docent.event("one", "tour_completed").await;
    assert_eq!(docent.verdict("two").await, "eager");
    docent.advance(30.0).await;
    assert_eq!(docent.verdict("one").await, "eager", "nobody answered in time");
    docent.event("one", "reset").await;
    assert_eq!(docent.verdict("two").await, "eager", "taken back without an answer");
}

#[tokio::test]
async fn who_says_later_too_often_says_no() {
    let docent =
        docent("", "snooze: { default: 10m, max_times: 1 }\n    on_dismiss: { cooldown: 1d }");
    for (round, minutes) in [(0, 10.0), (1, 1_440.0)] {
        arrive(&docent, "one", json!({ "user_id": "ann" })).await;
        assert_eq!(docent.verdict("one").await, "eager", "{round}");
        docent.event("one", "proactive_snoozed").await;
        docent.advance(minutes * 60.0 - 1.0).await;
        arrive(&docent, "one", json!({})).await;
        let held = if round == 0 { "trigger_cooldown" } else { "backoff" };
        assert_eq!(docent.verdict("one").await, held, "{round}");
        docent.advance(1.0).await;
    }
    arrive(&docent, "one", json!({})).await;
    assert_eq!(docent.verdict("one").await, "eager");
}
