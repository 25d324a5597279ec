//! The laws of the engine, on random sessions under a rulebook of every kind of rule.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::decision::{Hold, Verdict};
use docent::domain::machine::{AgentEvent, AgentState};
use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::advance::{Received, advance};
use docent::engine::around::{Around, own_conversation};
use docent::engine::charge::Charge;
use docent::engine::decide::decide;
use docent::engine::fire::{commit, propose};
use docent::engine::gates::GATES;
use docent::engine::ghosts;
use docent::engine::identity::identity;
use docent::engine::observe::Recording;
use docent::engine::react::react;
use docent::rulebook::compile::compile;
use docent::rulebook::rule::{Rule, When};
use docent::rulebook::{Product, Sources};
use proptest::prelude::*;

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const PAGES: [&str; 4] = ["/a", "/b", "/c/1", "/c/2"];
const KINDS: [&str; 4] = ["pageview", "click", "error", "submit"];

const SETTINGS: &str = r#"
version: 1
products:
  acme:
    proactive:
      min_interval: 60s
      quotas: { session_per_hour: 3 }
      conservative: { base: 90s, step: 30s, silent_after: 3 }
"#;

const RULES: &str = r#"
version: 1
triggers:
  - id: lingering
    priority: 80
    page: /a
    when: [{ dwell: 40s }]
    offer: &offer { body: Hello, accept: Yes please, dismiss: No thanks, timeout: 45s }
    cooldown: 100s
  - id: back-and-forth
    priority: 70
    when: [{ ping_pong: 1 }]
    offer: *offer
  - id: stuck
    page: "/c/:id"
    when: session.count("error", "2m") >= 2 && session.dwell_s >= 5
    offer: *offer
    again_after: 10m
  - id: idle-or-clicking
    when:
      - any: [{ idle: 50s }, { count: { type: click, at_least: 3, within: 30s } }]
      - not: [{ page: /b }]
    offer: *offer
  - id: sometimes-fails
    priority: 90
    when: 10 / session.count("submit", "1m") == 5
    offer: *offer
  - id: shadowed
    priority: 95
    mode: shadow
    offer: *offer
    when: [{ count: { type: pageview, at_least: 1 } }]
"#;

fn product() -> Arc<Product> {
    let text = |text: &str| text.as_bytes().to_vec();
    let files = BTreeMap::from([
        ("docent.yaml".to_owned(), text(SETTINGS)),
        ("rules/laws.yaml".to_owned(), text(RULES)),
    ]);
    let (rulebook, findings) = compile(&Sources { files }, &|_| None);
    let rulebook = rulebook.unwrap_or_else(|| panic!("{findings:#?}"));
    Arc::clone(&rulebook.products["acme"])
}

/// One thing that happens, after a pause.
#[derive(Clone, Debug)]
enum Step {
    Act { kind: usize, page: usize, count: usize },
    Poll,
    Event(AgentEvent),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let act = (0..4_usize, 0..4_usize, 1..4_usize).prop_map(|(kind, page, count)| Step::Act {
        kind,
        page,
        count,
    });
    let snooze = AgentEvent::ProactiveSnoozed { rest: Some(Span::from_seconds(200)) };
    let failed = AgentEvent::TourFailed { step: Some(1), reason: None };
    let events = prop::sample::select(vec![
        AgentEvent::UserSent,
        AgentEvent::BotResponseCompleted,
        AgentEvent::ProactiveShown,
        AgentEvent::ProactiveDismissed,
        snooze,
        AgentEvent::ProactiveAcceptedChat,
        AgentEvent::ProactiveAcceptedTour,
        AgentEvent::TourCompleted,
        AgentEvent::TourAbandoned,
        failed,
        AgentEvent::ProactiveOptedOut,
        AgentEvent::ProactiveOptedIn,
        AgentEvent::Reset,
    ])
    .prop_map(Step::Event);
    let step = prop_oneof![4 => act, 4 => Just(Step::Poll), 2 => events];
    prop::collection::vec((0..60_000_i64, step), 1..40)
}

fn batch(kind: usize, page: usize, count: usize) -> Batch {
    let action = RawAction {
        kind: KINDS[kind].into(),
        title: "Thing".into(),
        canonical_url: PAGES[page].into(),
        ..RawAction::default()
    };
    Batch { session_id: Some("s".into()), actions: vec![action; count], ..Batch::default() }
}

fn deliver(product: &Product, session: &mut Session, batch: Batch, now: Timestamp) -> bool {
    let delivery = Delivery::Actions(batch);
    let identity = identity(&product.id, &delivery);
    let received = Received {
        delivery: &delivery,
        identity,
        trust: Trust::Trusted,
        voucher: None,
        most_actions: 1_000,
    };
    advance(&product.settings, session, &mut Context::default(), &received, now).duplicate
}

/// Lives through the steps; `each` sees the session before every poll, without what it was told
/// before.
fn live(
    product: &Product,
    steps: &[(i64, Step)],
    mut each: impl FnMut(&Session, Timestamp),
) -> Session {
    let (mut session, mut now) = (Session::default(), START);
    for (pause, step) in steps {
        now = now.plus(Span::from_millis(*pause));
        match step {
            Step::Act { kind, page, count } => {
                deliver(product, &mut session, batch(*kind, *page, *count), now);
            }
            Step::Event(event) => {
                react(&mut session, event, None, &product.settings.proactive.machine, now);
            }
            Step::Poll => {
                each(&Session { last_answer: <_>::default(), ..session.clone() }, now);
                poll(product, &mut session, now);
            }
        }
    }
    session
}

fn poll(product: &Product, session: &mut Session, now: Timestamp) -> Verdict {
    let around = Around::default();
    let decision = decide(product, session, &around, now, &mut ());
    ghosts::note(product, session, &decision, now);
    if let Verdict::Fire(place) = decision.verdict {
        let conversation = own_conversation("s");
        let (rule, known) = (&product.rules[place], (&*session, &around));
        let offer = propose(product, rule, known, "s", &conversation, now).unwrap();
        let who = session.identity.clone();
        commit(session, &Charge { product, rule, who: &who, offer: &offer, now }, true);
    }
    decision.verdict
}

fn matches(product: &Product, rule: &Rule, session: &Session, now: Timestamp) -> bool {
    use docent::rulebook::condition::{Truth, View};
    let view = View { session, user: None, account: None, now };
    match &rule.when {
        When::Condition(condition) => condition.answer(&view).is_ok_and(|a| a.truth == Truth::True),
        When::Builtin(builtin) => {
            builtin.answer(&view, &product.settings.builtins).truth == Truth::True
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_same_inputs_give_the_same_bytes(steps in steps()) {
        let product = product();
        let once = serde_json::to_string(&live(&product, &steps, |_, _| {})).unwrap();
        let again = serde_json::to_string(&live(&product, &steps, |_, _| {})).unwrap();
        prop_assert_eq!(once, again);
    }

    #[test]
    fn watching_a_decision_does_not_change_it(steps in steps()) {
        let product = product();
        live(&product, &steps, |session, now| {
            let plain = decide(&product, &mut session.clone(), &Around::default(), now, &mut ());
            let mut recording = Recording::default();
            let watched =
                decide(&product, &mut session.clone(), &Around::default(), now, &mut recording);
            assert_eq!(plain.verdict, watched.verdict);
            assert_eq!(recording.gates.len(), GATES.len(), "every gate is looked at");
        });
    }

    #[test]
    fn a_verdict_stands_until_it_says(steps in steps(), fractions in prop::collection::vec(0.0..1.0_f64, 6)) {
        let product = product();
        live(&product, &steps, |session, now| {
            let first = decide(&product, &mut session.clone(), &Around::default(), now, &mut ());
            if matches!(first.verdict, Verdict::Fire(_)) {
                return;
            }
            let room = first.until.as_millis().min(now.as_millis() + 3_600_000) - now.as_millis();
            for fraction in &fractions {
                let later = now.plus(Span::from_millis((room as f64 * fraction) as i64));
                if later < first.until {
                    let then = decide(&product, &mut session.clone(), &Around::default(), later, &mut ());
                    assert_eq!(then.verdict, first.verdict, "at {later:?}, until {:?}", first.until);
                }
            }
        });
    }

    #[test]
    fn a_remembered_answer_equals_a_fresh_one(steps in steps(), ticks in prop::collection::vec(0..90_000_i64, 1..12)) {
        let product = product();
        live(&product, &steps, |session, now| {
            let (mut asked, mut now) = (session.clone(), now);
            for tick in &ticks {
                let known = decide(&product, &mut asked, &Around::default(), now, &mut ());
                let mut forgetful = Session { last_answer: <_>::default(), ..asked.clone() };
                let fresh = decide(&product, &mut forgetful, &Around::default(), now, &mut ());
                assert_eq!(known.verdict, fresh.verdict);
                now = now.plus(Span::from_millis(*tick));
            }
        });
    }

    #[test]
    fn a_gate_that_holds_until_t_lifts_exactly_at_t(steps in steps()) {
        let product = product();
        live(&product, &steps, |session, now| {
            let held = decide(&product, &mut session.clone(), &Around::default(), now, &mut ());
            let Verdict::Hold(hold) = held.verdict else { return };
            let gate = hold < Hold::NoTrigger;
            if !gate || held.until == Timestamp::FOREVER {
                return;
            }
            let at = |time| decide(&product, &mut session.clone(), &Around::default(), time, &mut ()).verdict;
            assert_eq!(at(Timestamp::from_millis(held.until.as_millis() - 1)), held.verdict);
            assert_ne!(at(held.until), held.verdict);
        });
    }

    #[test]
    fn the_highest_matching_rule_that_is_not_resting_wins_alone(steps in steps()) {
        let product = product();
        live(&product, &steps, |session, now| {
            let mut settled = session.clone();
            let decision = decide(&product, &mut settled, &Around::default(), now, &mut ());
            let Verdict::Fire(winner) = decision.verdict else { return };
            let before = &product.rules[..winner];
            let beaten = before.iter().filter(|rule| {
                rule.mode == docent::rulebook::rule::Mode::Live
                    && rule.is_for(settled.page())
                    && matches(&product, rule, &settled, now)
            });
            for rule in beaten {
                let resting = docent::engine::claims::rests_until(rule, &settled, None, now);
                assert!(resting.is_some(), "{} should have won", rule.id);
            }
            assert!(matches(&product, &product.rules[winner], &settled, now));
        });
    }

    #[test]
    fn no_rule_of_the_product_is_broken_by_any_session(steps in steps()) {
        let product = product();
        let (mut fired, mut offered_at) = (Vec::new(), None::<Timestamp>);
        live(&product, &steps, |session, _| {
            if session.last_fired != offered_at {
                offered_at = session.last_fired;
                fired.extend(offered_at);
            }
        });
        for pair in fired.windows(2) {
            assert!(pair[1].since(pair[0]) >= Span::from_seconds(60), "the minimum interval");
        }
        for window in fired.windows(4) {
            assert!(window[3].since(window[0]) >= Span::from_seconds(3_600), "three an hour");
        }
    }

    #[test]
    fn a_batch_applied_twice_equals_once(steps in steps(), kind in 0..4_usize, page in 0..4_usize) {
        let product = product();
        let mut session = live(&product, &steps, |_, _| {});
        let now = session.last_action.unwrap_or(START).plus(Span::from_seconds(3_600));
        let news = Batch { forwarded_at: 77.0, ..batch(kind, page, 2) };
        prop_assert!(!deliver(&product, &mut session, news.clone(), now));
        let once = session.clone();
        prop_assert!(deliver(&product, &mut session, news, now.plus(Span::from_seconds(9))));
        prop_assert_eq!(once, session);
    }

    #[test]
    fn looking_often_or_once_leads_to_the_same_state(steps in steps(), looks in 1..50_i64) {
        let product = product();
        let lived = live(&product, &steps, |_, _| {});
        let start = lived.machine.since.max(lived.last_action.unwrap_or(START));
        let end = start.plus(Span::from_seconds(4_000));
        let mut often = lived.clone();
        for look in 1..=looks {
            let now = start.plus(Span::from_millis(4_000_000 * look / looks));
            docent::engine::settle::settle(&mut often, now);
        }
        let mut once = lived;
        docent::engine::settle::settle(&mut once, end);
        prop_assert_eq!(often, once);
    }
}

#[test]
fn an_unanswered_offer_is_remembered_as_ignored() {
    let product = product();
    let mut session = Session::default();
    deliver(&product, &mut session, batch(0, 0, 1), START);
    let fired = START.plus(Span::from_seconds(40));
    assert!(matches!(poll(&product, &mut session, fired), Verdict::Fire(_)));
    assert_eq!(session.machine.state, AgentState::ProactiveAssistance);
    poll(&product, &mut session, fired.plus(Span::from_seconds(45)));
    let memory = &session.triggers["lingering"];
    let ignored = memory.outcomes[&docent::domain::offer::Outcome::Ignored];
    assert_eq!(ignored, fired.plus(Span::from_seconds(45)));
}
