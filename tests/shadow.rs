//! A shadow rule shows what it would do, and changes nothing.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "every test file uses its own part of this")]
mod timelines;

use common::{Docent, PLAIN};
use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::decision::Verdict;
use docent::domain::machine::AgentEvent;
use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::advance::{Received, advance};
use docent::engine::around::{Around, own_conversation};
use docent::engine::case::START;
use docent::engine::charge::Charge;
use docent::engine::decide::decide;
use docent::engine::fire::{commit, propose};
use docent::engine::ghosts;
use docent::engine::react::react;
use docent::engine::suite::run;
use docent::rulebook::Product;
use proptest::prelude::*;
use serde_json::json;
use timelines::rulebook;

const RULES: &str = r#"version: 1
triggers:
  - id: tried
    mode: shadow
    priority: 60
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: Hello, accept: "Yes", dismiss: "No" }
    again_after: 1d
  - id: live
    page: /b
    when: [{ dwell: 10s }]
    offer: { body: Hello, accept: "Yes", dismiss: "No" }
"#;

async fn shadows(docent: &Docent) -> Option<u32> {
    let (_, figures) = docent.get("/metrics").await;
    let line = "docent_shadow_total{product=\"acme\",trigger=\"tried\"} ";
    let figures = figures.as_str().unwrap();
    figures.lines().find_map(|found| found.strip_prefix(line)?.parse().ok())
}

async fn arrive(docent: &Docent, session: &str, user: Option<&str>) {
    let batch = json!({ "type": "actions", "session_id": session, "user_id": user,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_shadow_is_counted_and_told_of_and_never_delivered() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/a.yaml", RULES)]);
    arrive(&docent, "one", Some("ada")).await;
    let (_, told) = docent.get("/context/acme/one?explain=1").await;
    assert_eq!((&told["shadow"], &told["verdict"]), (&json!("tried"), &json!("no_trigger")));
    let (_, text) = docent.get("/context/acme/one?explain=text").await;
    assert!(text.as_str().unwrap().contains("`tried` would have been offered (shadow)"), "{text}");
    assert_eq!(shadows(&docent).await, None, "an explanation leaves no trace");
    let body = docent.poll("one").await;
    assert_eq!(
        (&body["proactive_trigger"], &body["agent_state"]),
        (&json!(null), &json!("thinking"))
    );
    assert_eq!(body["proactive_skip_reason"], "no_trigger");
    assert_eq!(docent.verdict("one").await, "no_trigger");
    assert_eq!(shadows(&docent).await, Some(1), "it rests as it would had it been offered");
    let (_, page) = docent.get("/").await;
    assert!(page.as_str().unwrap().contains("tried (shadow)"), "{page}");
    docent.advance(301.0).await;
    arrive(&docent, "two", Some("ada")).await;
    assert_eq!(docent.verdict("two").await, "no_trigger");
    assert_eq!(shadows(&docent).await, Some(1), "not to the same person within a day");
    arrive(&docent, "three", Some("grace")).await;
    assert_eq!(docent.verdict("three").await, "no_trigger");
    assert_eq!(shadows(&docent).await, Some(2));
    let (_, figures) = docent.get("/metrics").await;
    assert!(!figures.as_str().unwrap().contains("docent_offers_total{"), "{figures}");
}

#[test]
fn a_timeline_can_expect_a_shadow() {
    let tests = "version: 1
tests:
  - name: once a day, beside what is live
    timeline:
      - { at: 0s, page: /a }
      - { at: 1s, shadows: tried }
      - { at: 2s, silent: no_trigger }
      - { at: 3s, page: /b }
      - { at: 13s, fires: live }
  - name: before the live rule of a lower priority
    timeline:
      - { at: 0s, page: /b }
      - { at: 10s, shadows: tried }
      - { at: 11s, silent: \"fsm:wrong_state\" }
";
    let files = [("docent.yaml", PLAIN), ("rules/a.yaml", RULES), ("rules/all.test.yaml", tests)];
    let report = run(&rulebook(&files), &|_| true);
    let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
    assert!(failed.is_empty() && report.tests.len() == 2, "{failed:#?}");
    assert!(report.rules.iter().all(|rule| rule.fired), "a shadow that was seen is covered");
    let wrong = tests.replace("{ at: 2s, silent: no_trigger }", "{ at: 2s, shadows: tried }");
    let files = [("docent.yaml", PLAIN), ("rules/a.yaml", RULES), ("rules/all.test.yaml", &*wrong)];
    let report = run(&rulebook(&files), &|_| true);
    let failure = report.tests[0].failure.as_ref().unwrap();
    assert_eq!((&*failure.expected, &*failure.found), ("shadows tried", "no shadow; no_trigger"));
}

const LIVE: &str = r#"version: 1
triggers:
  - { id: a, page: /a, when: [{ dwell: 20s }], offer: &o { body: B, accept: A, dismiss: D }, again_after: 5m }
  - { id: b, priority: 40, when: [{ idle: 30s }], offer: *o, cooldown: 200s }
  - { id: c, priority: 70, when: [{ seen: { trigger: b, outcome: dismissed } }], offer: *o, again_after: 10m }
"#;
const TRIED: &str = r#"
  - { id: x, mode: shadow, priority: 90, when: [{ idle: 0s }], offer: *o }
  - { id: y, mode: shadow, priority: 45, page: /a, when: [{ dwell: 5s }], offer: *o, again_after: 3m }
  - { id: z, mode: shadow, priority: 95, when: '1 / session.count("click", "1m") == 1', offer: *o }
"#;

#[derive(Clone, Debug)]
enum Step {
    Act(&'static str, &'static str),
    Poll,
    Event(AgentEvent),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let act =
        (prop::sample::select(vec!["pageview", "click"]), prop::sample::select(vec!["/a", "/b"]));
    let events = vec![
        AgentEvent::ProactiveDismissed,
        AgentEvent::ProactiveAcceptedChat,
        AgentEvent::BotResponseCompleted,
        AgentEvent::Reset,
    ];
    let step = prop_oneof![
        3 => act.prop_map(|(kind, page)| Step::Act(kind, page)),
        4 => Just(Step::Poll),
        1 => prop::sample::select(events).prop_map(Step::Event),
    ];
    prop::collection::vec((0..60_000_i64, step), 1..40)
}

/// What every poll of a life came to, as people and front ends see it.
fn lived(product: &Product, steps: &[(i64, Step)]) -> Vec<String> {
    let (mut session, mut now, mut said) = (Session::default(), START, Vec::new());
    for (pause, step) in steps {
        now = now.plus(Span::from_millis(*pause));
        match step {
            Step::Act(kind, page) => act(product, &mut session, kind, page, now),
            Step::Event(event) => {
                react(&mut session, event, None, &product.settings.proactive.machine, now);
            }
            Step::Poll => {
                let around = Around::default();
                let decision = decide(product, &mut session, &around, now, &mut ());
                ghosts::note(product, &mut session, &decision, now);
                said.push(match decision.verdict {
                    Verdict::Fire(place) => {
                        let (rule, thread) = (&product.rules[place], own_conversation("s"));
                        let known = (&session, &around);
                        let offer = propose(product, rule, known, "s", &thread, now).unwrap();
                        let who = session.identity.clone();
                        let charge = Charge { product, rule, who: &who, offer: &offer, now };
                        commit(&mut session, &charge, true);
                        rule.id.to_string()
                    }
                    other => format!("{other:?} until {}", decision.until.as_millis()),
                });
            }
        }
    }
    said
}

fn act(product: &Product, session: &mut Session, kind: &str, page: &str, now: Timestamp) {
    let action =
        RawAction { kind: kind.into(), canonical_url: page.into(), ..RawAction::default() };
    let batch = Batch { actions: vec![action], ..Batch::default() };
    let received = Received {
        delivery: &Delivery::Actions(batch),
        identity: None,
        trust: Trust::Trusted,
        voucher: None,
        most_actions: 1_000,
    };
    advance(&product.settings, session, &mut Context::default(), &received, now);
}

proptest! {
    #[test]
    fn nothing_live_changes_for_a_shadow(steps in steps()) {
        let with = format!("{LIVE}{TRIED}");
        let product = |rules: &str| rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", rules)]);
        let (with, without) = (product(&with), product(LIVE));
        let with = lived(&with.products["acme"], &steps);
        prop_assert_eq!(with, lived(&without.products["acme"], &steps));
    }
}

const CAPPED: &str = "version: 1
triggers:
  - id: twice
    MODE
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: Hello, accept: A, dismiss: D, timeout: 10s }
    cooldown: 0s
    frequency: [{ per: user, limit: 2, window: 1d }]
";
const UNSPACED: &str = "version: 1\nproducts: { acme: { proactive: { min_interval: 0s } } }\n";

/// How often a person was offered the trigger, or would have been, in the sessions of a day.
async fn offered(mode: &str) -> usize {
    let rules = CAPPED.replace("MODE", mode);
    let docent = Docent::timed(&[("docent.yaml", UNSPACED), ("rules/a.yaml", &rules)]);
    let mut told = 0;
    for session in ["one", "two", "three", "four", "five"] {
        arrive(&docent, session, Some("ada")).await;
        let (_, explained) = docent.get(&format!("/context/acme/{session}?explain=1")).await;
        let verdict = docent.verdict(session).await;
        told += usize::from(explained["shadow"] == "twice" || verdict == "twice");
        docent.advance(3_600.0).await;
    }
    told
}

#[tokio::test]
async fn a_shadow_is_capped_like_a_live_trigger() {
    for mode in ["mode: live", "mode: shadow"] {
        assert_eq!(offered(mode).await, 2, "{mode}");
    }
}

#[test]
fn caps_count_what_a_shadow_would_have_offered_and_what_was_withheld() {
    let settings = "version: 1\nproducts: { acme: { proactive: { min_interval: 0s }, frequency: [{ id: day, per: PER, limit: 1, window: 1d }] } }\n";
    let rules = "version: 1
triggers:
  - { id: tried, mode: shadow, priority: 60, page: /a, when: [{ dwell: 0s }], offer: &o { body: B, accept: A, dismiss: D, timeout: 10s }, cooldown: 0s }
  - { id: live, page: /b, holdout: 10%, when: [{ dwell: 0s }], offer: *o, cooldown: 0s }
";
    let tests = "version: 1
tests:
  - name: a shadow counts its own, and nothing live does
    given: { user: ann, bucket: 9999 }
    timeline:
      - { at: 0s, page: /a }
      - { at: 1s, shadows: tried }
      - { at: 1h, page: /b }
      - { at: 1h, fires: live }
      - { at: 2h, page: /b }
      - { at: 2h, silent: \"frequency:day\" }
  - name: what was withheld is what others were offered
    given: { user: ann, bucket: 0 }
    timeline:
      - { at: 0s, page: /b }
      - { at: 1s, silent: \"holdout:trigger\" }
      - { at: 1h, silent: \"frequency:day\", next: 23h1s }
      - { at: 1h, page: /a }
      - { at: 1d1s, shadows: tried }
";
    for per in ["user", "session"] {
        let settings = settings.replace("PER", per);
        let files =
            [("docent.yaml", &*settings), ("rules/a.yaml", rules), ("rules/all.test.yaml", tests)];
        let report = run(&rulebook(&files), &|_| true);
        let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
        assert!(failed.is_empty() && report.tests.len() == 2, "{per}: {failed:#?}");
    }
    let early = tests.replace("{ at: 1d1s, shadows: tried }", "{ at: 1d, shadows: tried }");
    let files = [
        ("docent.yaml", &*settings.replace("PER", "user")),
        ("rules/a.yaml", rules),
        ("rules/all.test.yaml", &*early),
    ];
    let report = run(&rulebook(&files), &|_| true);
    assert!(report.tests.iter().any(|test| test.failure.is_some()), "the shadow rests by the cap");
}
