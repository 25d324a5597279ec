//! Testers see what is being written, as often as they like, and leave no trace in the figures.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "every test file uses its own part of this")]
mod timelines;

use common::Docent;
use docent::engine::suite::run;
use serde_json::json;
use timelines::rulebook;

const SETTINGS: &str = "version: 1
products:
  acme:
    testers: [Ann@acme.test, u_17, ps_demo]
    proactive: { quotas: { product_per_minute: 1, session_per_hour: 1, user_per_day: 1 } }
";
const RULES: &str = r#"version: 1
triggers:
  - id: new
    mode: MODE
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: Hello, accept: "Yes", dismiss: "No", timeout: 30s }
    again_after: 7d
"#;

fn rules(mode: &str) -> String {
    RULES.replace("MODE", mode)
}

fn files(mode: &str) -> Docent {
    Docent::timed(&[("docent.yaml", SETTINGS), ("rules/new.yaml", &rules(mode))])
}

async fn arrive(docent: &Docent, session: &str, who: serde_json::Value) -> String {
    let mut batch = json!({ "type": "actions", "session_id": session,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    for (key, value) in who.as_object().unwrap() {
        batch[key] = value.clone();
    }
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
    docent.verdict(session).await
}

#[tokio::test]
async fn drafts_and_shadows_are_for_testers_and_paused_rules_for_nobody() {
    for (mode, theirs, others) in [
        ("draft", "new", "no_trigger"),
        ("shadow", "new", "no_trigger"),
        ("paused", "no_trigger", "no_trigger"),
    ] {
        let docent = files(mode);
        let arrive = |session, who| arrive(&docent, session, who);
        assert_eq!(arrive("one", json!({ "email": "ann@ACME.test" })).await, theirs, "{mode}");
        assert_eq!(arrive("two", json!({ "user_id": "u_17" })).await, theirs, "{mode}");
        assert_eq!(arrive("ps_demo", json!({})).await, theirs, "{mode}");
        assert_eq!(arrive("three", json!({ "user_id": "u_18" })).await, others, "{mode}");
        assert_eq!(
            arrive("u_17", json!({ "email": "bob@acme.test" })).await,
            theirs,
            "an id is an id"
        );
    }
}

#[tokio::test]
async fn nothing_that_spaces_offers_out_keeps_a_tester_waiting() {
    let docent = files("live");
    assert_eq!(arrive(&docent, "one", json!({ "user_id": "u_17" })).await, "new");
    for event in
        ["proactive_dismissed", "proactive_snoozed", "proactive_dismissed", "proactive_dismissed"]
    {
        assert_eq!(docent.verdict("one").await, "fsm:wrong_state", "one offer at a time");
        let path = "/agent_state/acme/proactive%3Aone";
        docent.post(path, json!({ "event": event, "for_s": 600 })).await;
        assert_eq!(docent.verdict("one").await, "new", "after {event}");
    }
    docent.advance(31.0).await;
    assert_eq!(docent.verdict("one").await, "new", "the last was ignored");
    docent.event("one", "proactive_accepted_chat").await;
    assert_eq!(docent.verdict("one").await, "fsm:wrong_state", "a chat is a chat");
}

#[tokio::test]
async fn a_testers_offers_are_in_no_figure_and_in_nobodys_quota() {
    let docent = files("live");
    assert_eq!(arrive(&docent, "one", json!({ "user_id": "u_17" })).await, "new");
    docent.event("one", "proactive_dismissed").await;
    assert_eq!(docent.verdict("one").await, "new");
    docent.advance(30.0).await;
    assert_eq!(docent.verdict("one").await, "new");
    let (_, figures) = docent.get("/metrics").await;
    let figures = figures.as_str().unwrap();
    assert!(!figures.contains("docent_offers_total{"), "{figures}");
    assert!(!figures.contains("docent_outcomes_total{"), "{figures}");
    assert_eq!(
        arrive(&docent, "two", json!({ "user_id": "u_18" })).await,
        "new",
        "the minute is free"
    );
    assert_eq!(arrive(&docent, "three", json!({})).await, "quota:product_per_minute");
    let (_, figures) = docent.get("/metrics").await;
    assert!(
        figures
            .as_str()
            .unwrap()
            .contains("docent_offers_total{product=\"acme\",trigger=\"new\"} 1")
    );
}

#[tokio::test]
async fn an_explanation_says_that_it_is_about_a_tester() {
    let docent = files("draft");
    assert_eq!(arrive(&docent, "ps_demo", json!({})).await, "new");
    assert_eq!(arrive(&docent, "one", json!({})).await, "no_trigger");
    let explain = |session| docent.get(session);
    let (_, told) = explain("/context/acme/ps_demo?explain=1").await;
    assert_eq!(told["tester"], true, "{told}");
    let (_, text) = explain("/context/acme/ps_demo?explain=text").await;
    assert!(text.as_str().unwrap().contains("a tester"), "{text}");
    let (_, told) = explain("/context/acme/one?explain=1").await;
    assert!(told["tester"].is_null(), "{told}");
    assert_eq!(told["rules"][0]["came_to"], "not live");
}

#[test]
fn a_timeline_is_a_testers_by_identity_or_outright() {
    let tests = "version: 1
tests:
  - name: by e-mail
    given: { email: ann@acme.test }
    timeline: [{ at: 0s, page: /a }, { at: 1s, fires: new }]
  - name: by user id, from then on
    timeline:
      - { at: 0s, page: /a }
      - { at: 1s, silent: no_trigger }
      - { at: 2s, user: u_17 }
      - { at: 2s, fires: new }
      - { at: 3s, event: proactive_dismissed }
      - { at: 4s, fires: new }
  - name: outright
    given: { tester: true }
    timeline: [{ at: 0s, page: /a }, { at: 1s, fires: new }]
  - name: nobody
    given: { user: u_18 }
    timeline: [{ at: 0s, page: /a }, { at: 1s, silent: no_trigger }]
";
    let rules = rules("draft");
    let files =
        [("docent.yaml", SETTINGS), ("rules/new.yaml", &*rules), ("rules/all.test.yaml", tests)];
    let report = run(&rulebook(&files), &|_| true);
    let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
    assert!(failed.is_empty() && report.tests.len() == 4, "{failed:#?}");
}

/// The session of a test may be a tester's by the product's own list: nothing says that a draft
/// cannot fire there.
#[test]
fn a_test_whose_session_is_listed_sees_drafts() {
    let settings = "version: 1\nproducts: { acme: { testers: [ps_1] } }\n";
    let rules = "version: 1\ntriggers:\n  - { id: d, mode: draft, when: [{ dwell: 1s }], offer: { body: B, accept: A, dismiss: D } }\n";
    let tests = "version: 1\ntests:\n  - name: n\n    timeline: [{ at: 0s, page: / }, { at: 1s, fires: d }]\n";
    for (settings, expected) in [(settings, vec![]), (timelines::PLAIN, vec!["never-met"])] {
        let files =
            [("docent.yaml", settings), ("rules/a.yaml", rules), ("rules/a.test.yaml", tests)];
        let bytes = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let sources = docent::rulebook::Sources { files: bytes.into() };
        let (book, found) = docent::rulebook::compile::compile(&sources, &|_| None);
        assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), expected);
        let failed = book.map(|book| docent::engine::suite::run(&book, &|_| true).tests);
        assert!(failed.into_iter().flatten().all(|test| test.failure.is_none()));
    }
}
