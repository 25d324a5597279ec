//! Segments: conditions with a name, asked for by rules and by each other, worked out or told.
#![cfg(test)]

mod common;

use std::collections::BTreeMap;

use common::{Docent, PLAIN};
use docent::domain::session::Session;
use docent::domain::time::Timestamp;
use docent::engine::suite::run;
use docent::rulebook::compile::compile;
use docent::rulebook::condition::{Condition, Truth, View};
use docent::rulebook::finding::Finding;
use docent::rulebook::lint::lint;
use docent::rulebook::rule::When;
use docent::rulebook::{Rulebook, Sources};
use serde_json::{Value, json};

const PEOPLE: &str = "version: 1
segments:
  - id: lingering
    when: [dwell: 20s, segment: on-billing]
  - id: on-billing
    when: [page: /billing]
  - id: beta
    given: true
";

fn sources(files: &[(&str, &str)]) -> Sources {
    let bytes = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    Sources { files: files.iter().map(bytes).collect() }
}

fn read(files: &[(&str, &str)]) -> (Option<Rulebook>, Vec<Finding>) {
    compile(&sources(files), &|_| None)
}

fn rule(when: &str, tests: &str) -> String {
    format!(
        "version: 1\ntriggers:\n  - id: a\n    when: {when}\n    offer: {{ body: B, accept: A, dismiss: D }}\n    tests:\n{tests}"
    )
}

fn condition(when: &str) -> Condition {
    let rules = rule(when, "      []\n");
    let files = [("docent.yaml", PLAIN), ("segments/p.yaml", PEOPLE), ("rules/a.yaml", &*rules)];
    let (book, found) = read(&files);
    let book = book.unwrap_or_else(|| panic!("{when}: {found:#?}"));
    match &book.products["acme"].rules[0].when {
        When::Condition(condition) => condition.clone(),
        When::Builtin(_) => panic!("no condition"),
    }
}

#[test]
fn a_test_meets_a_segment_and_a_silence_names_the_clause_inside_it() {
    let tests = "
      - name: after a while on the page
        timeline:
          - { at: 0s, page: /billing }
          - { at: 19s, silent: no_trigger, clause: 'segment lingering: dwell 20s' }
          - { at: 20s, fires: a }
      - name: not elsewhere
        timeline:
          - { at: 0s, page: /start }
          - { at: 20s, silent: no_trigger, clause: 'segment lingering: segment on-billing: page /billing' }
      - name: put there by somebody else
        given: { user: u_1, segments: beta }
        timeline:
          - { at: 0s, page: /start }
          - { at: 1s, fires: a }
";
    for when in [
        "[segment: [lingering, beta]]",
        "session.in_segment(\"lingering\") || session.in_segment(\"beta\")",
    ] {
        let rules = rule(when, tests);
        let files =
            [("docent.yaml", PLAIN), ("segments/p.yaml", PEOPLE), ("rules/a.yaml", &*rules)];
        let (book, found) = read(&files);
        let report = run(&book.unwrap_or_else(|| panic!("{found:#?}")), &|_| true);
        let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
        assert!(report.tests.len() == 3 && failed.is_empty(), "{when}: {failed:#?}");
    }
}

#[test]
fn a_failure_shows_every_clause_of_a_segment() {
    let tests = "
      - name: too early
        timeline: [{ at: 0s, page: /billing }, { at: 9s, fires: a }]
";
    let rules = rule("[segment: lingering, errors: 1]", tests);
    let files = [("docent.yaml", PLAIN), ("segments/p.yaml", PEOPLE), ("rules/a.yaml", &*rules)];
    let report = run(&read(&files).0.unwrap(), &|_| true);
    let picture = report.tests[0].failure.as_ref().unwrap().ladders[0].picture.join("\n");
    let expected = "segment: lingering
| no: segment lingering: dwell 20s, required at least 20s, found 9s
| yes: segment lingering: segment on-billing: page /billing, required /billing, found /billing
errors: 1
| no: required at least 1, found 0";
    assert_eq!(picture, expected);
}

/// Whatever a segment stands for stands in its place, horizon and all; where nothing is known, a
/// list is unknown and an expression says no.
#[test]
fn a_segment_is_what_it_stands_for() {
    let session = Session { last_action: Some(Timestamp::from_millis(0)), ..Session::default() };
    let view =
        View { session: &session, user: None, account: None, now: Timestamp::from_millis(1) };
    let truth = |when: &str| condition(when).answer(&view).unwrap().truth;
    assert_eq!(truth("[segment: beta]"), Truth::Unknown);
    assert_eq!(truth("[not: { segment: beta }]"), Truth::Unknown);
    assert_eq!(truth("session.in_segment(\"beta\")"), Truth::False);
    assert_eq!(truth("'!session.in_segment(\"beta\")'"), Truth::True);
    let (named, written) =
        (condition("[segment: lingering]"), condition("[dwell: 20s, page: /billing]"));
    assert_eq!(named.answer(&view), written.answer(&view));
    let told = Session {
        traits: BTreeMap::from([("segments".into(), json!(["beta"]))]),
        ..session.clone()
    };
    let view = View { session: &told, ..view };
    assert_eq!(condition("[segment: beta]").answer(&view).unwrap().truth, Truth::True);
    let other =
        Session { traits: BTreeMap::from([("segments".into(), json!([]))]), ..session.clone() };
    let view = View { session: &other, ..view };
    assert_eq!(condition("[not: { segment: beta }]").answer(&view).unwrap().truth, Truth::True);
}

#[test]
fn a_segment_that_nothing_asks_for_is_a_warning_and_one_that_another_asks_for_is_not() {
    let rules = rule("[segment: lingering]", "      []\n");
    let files = [("docent.yaml", PLAIN), ("segments/p.yaml", PEOPLE), ("rules/a.yaml", &*rules)];
    let found = lint(&read(&files).0.unwrap(), &sources(&files));
    let unused: Vec<_> = found.iter().filter(|found| found.code == "unused-segment").collect();
    assert_eq!(unused.len(), 1, "{found:#?}");
    assert_eq!(
        (&*unused[0].file, unused[0].line, &*unused[0].message),
        ("segments/p.yaml", 7, "nothing asks for the segment `beta`")
    );
}

#[test]
fn segments_that_get_out_of_hand_are_findings_and_not_a_crash() {
    let chain = |from: usize, step: i64| -> String {
        let one =
            |at: usize| format!("  - {{ id: s{at}, when: [segment: s{}] }}\n", at as i64 + step);
        format!(
            "version: 1\nsegments:\n{}  - {{ id: s{from}, when: [dwell: 1s] }}\n",
            (0..3_000).filter(|at| *at != from).map(one).collect::<String>()
        )
    };
    // Each asks for the one before it ten times over.
    let laughs = |at: usize| {
        format!(
            "  - {{ id: s{at}, when: [{}] }}\n",
            vec![format!("segment: s{}", at - 1); 10].join(", ")
        )
    };
    let laughs: String = (1..12).map(laughs).collect();
    let laughs = format!("version: 1\nsegments:\n  - {{ id: s0, when: [dwell: 1s] }}\n{laughs}");
    let many = format!(
        "version: 1\nsegments:\n  - {{ id: a, when: [{}] }}\n",
        vec!["dwell: 1s"; 900].join(", ")
    );
    for (people, when, code) in [
        (chain(2_999, 1), "[segment: s0]", "too-deep"),
        (chain(0, -1), "[segment: s2999]", "too-deep"),
        (laughs, "[segment: s11]", "too-many"),
        (many, "[segment: a, any: [segment: a]]", "too-many"),
    ] {
        let rules = rule(when, "      []\n");
        let files =
            [("docent.yaml", PLAIN), ("segments/p.yaml", &*people), ("rules/a.yaml", &*rules)];
        let (book, found) = read(&files);
        assert!(
            book.is_none() && found.iter().all(|found| found.code == code),
            "{code}: {found:#?}"
        );
    }
}

const BETA: &str = "version: 1
triggers:
  - id: beta
    when: [segment: beta]
    offer: { body: B, accept: A, dismiss: D }
";

async fn arrive(docent: &Docent, session: &str, member: &str, value: Value) -> String {
    let mut batch = json!({ "type": "actions", "session_id": session, "user_id": "ada",
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    batch[member] = value;
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
    docent.verdict(session).await
}

#[tokio::test]
async fn who_is_in_a_given_segment_comes_with_batches_and_from_back_ends() {
    let docent = Docent::timed(&[
        ("docent.yaml", PLAIN),
        ("segments/people.yaml", PEOPLE),
        ("rules/beta.yaml", BETA),
    ]);
    assert_eq!(arrive(&docent, "one", "segments", json!(null)).await, "no_trigger");
    assert_eq!(arrive(&docent, "one", "segments", json!(["other", "beta"])).await, "beta");
    docent.event("one", "proactive_dismissed").await;
    docent.advance(86_400.0).await;
    assert_eq!(arrive(&docent, "two", "segments", json!(null)).await, "beta", "it is the person's");
    docent.event("two", "proactive_dismissed").await;
    docent.advance(86_400.0).await;
    assert_eq!(arrive(&docent, "three", "segments", json!([])).await, "no_trigger", "taken out");
    let put =
        docent.request("PUT", "/users/acme/ada/traits").json(&json!({ "segments": ["beta"] }));
    let (status, known) = common::answer(put).await;
    assert_eq!((status, &known["traits"]["segments"]), (200, &json!(["beta"])));
    assert_eq!(docent.verdict("three").await, "beta");
}

#[tokio::test]
async fn a_segment_that_is_edited_counts_at_once() {
    let docent = Docent::timed(&[
        ("docent.yaml", PLAIN),
        ("segments/people.yaml", "version: 1\nsegments: [{ id: beta, when: [dwell: 1h] }]\n"),
        ("rules/beta.yaml", BETA),
    ]);
    assert_eq!(arrive(&docent, "one", "segments", json!(null)).await, "no_trigger");
    let edited = "version: 1\nsegments: [{ id: beta, when: [dwell: 0s] }]\n";
    docent.write("segments/people.yaml", edited);
    let offered = |_, body: &Value| body["proactive_trigger"]["trigger_id"] == "beta";
    docent.until("/context/acme/one", offered).await;
}
