//! One timeline: what it proves, how a broken promise is told, and that it lives through exactly
//! what a person would.
#![cfg(test)]

mod timelines;

use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::decision::Verdict;
use docent::domain::machine::AgentEvent;
use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::domain::time::Span;
use docent::engine::advance::{Received, advance};
use docent::engine::around::{Around, own_conversation};
use docent::engine::case::{Failure, START, play};
use docent::engine::charge::Charge;
use docent::engine::decide::decide;
use docent::engine::fire::{commit, propose};
use docent::engine::react::react;
use docent::engine::suite::run;
use docent::rulebook::Product;
use docent::rulebook::case::{Case, Given, Moment, Offered, Quiet, What};
use docent::rulebook::condition::Truth;
use proptest::prelude::*;

use timelines::{LINGER, LOOKS, PLAIN, TWO, rulebook};

/// Runs one test of the rule `linger` that starts with this.
fn given_linger(given: &str, entries: &str) -> Option<Failure> {
    under(PLAIN, &format!("        given: {{ {given} }}\n"), entries)
}

/// Runs one test of the rule `linger`, an entry a line.
fn linger(settings: &str, entries: &str) -> Option<Failure> {
    under(settings, "", entries)
}

fn under(settings: &str, keys: &str, entries: &str) -> Option<Failure> {
    let entries: String = entries.lines().map(|line| format!("          - {line}\n")).collect();
    let rules = format!(
        "version: 1\ntriggers:\n{LINGER}    tests:\n      - name: it\n{keys}        timeline:\n{entries}"
    );
    let report = run(&rulebook(&[("docent.yaml", settings), ("rules/a.yaml", &rules)]), &|_| true);
    assert_eq!(report.tests.len(), 1);
    report.tests.into_iter().next().unwrap().failure
}

/// The line of the first entry in [`linger`].
const FIRST: usize = 12;

#[test]
fn a_timeline_that_holds_passes() {
    for entries in [
        "{ at: 19s, silent: no_trigger, next: 1s, clause: dwell 20s }\n{ at: 20s, fires: linger }",
        "{ at: 20s, fires: linger, body: \"Need a hand?\", labels: [Yes please, No thanks] }",
        "{ at: 20s, fires: linger }\n{ at: 21s, silent: true }\n{ at: 21s, silent: \"fsm:wrong_state\", next: 59s }",
        "{ at: 20s, fires: linger }\n{ at: 90s, silent: \"resilience:min_interval\" }",
        "{ at: 20s, fires: linger }\n{ at: 25s, event: proactive_snoozed, for: 2d }\n\
         { at: 25h, action: click, repeat: 2 }\n{ at: 25h, silent: trigger_cooldown }\n\
         { at: 49h, action: click, repeat: 2 }\n{ at: 49h, fires: linger }",
        "{ at: 20s, fires: linger }\n{ at: 21s, event: proactive_accepted_tour }\n\
         { at: 22s, event: tour_failed, step: 1, reason: gone }\n{ at: 23s, event: tour_completed, counts: false }\n\
         { at: 24s, silent: \"resilience:min_interval\" }",
        "{ at: 2s, page: /projects }\n{ at: 60s, silent: no_trigger, next: never }",
        "{ at: 2s, user: u_1 }\n{ at: 20s, fires: linger }\n{ at: 20s, event: reset }\n\
         { at: 10m, action: click, repeat: 2 }\n{ at: 10m, silent: trigger_cooldown }",
    ] {
        let failure = linger(PLAIN, &format!("{LOOKS}{entries}"));
        assert_eq!(failure, None, "{entries}");
    }
}

#[test]
fn a_timeline_that_does_not_hold_says_what_came_and_why() {
    for (entry, expected, found, decided) in [
        ("{ at: 19s, fires: linger }", "fires linger", "no_trigger", "no rule matches"),
        (
            "{ at: 20s, silent: no_trigger }",
            "silent, no_trigger",
            "fires linger",
            "the rule `linger`",
        ),
        ("{ at: 20s, silent: true }", "silent", "fires linger", "the rule `linger`"),
        (
            "{ at: 19s, silent: \"resilience:min_interval\" }",
            "silent, resilience:min_interval",
            "no_trigger",
            "no rule matches",
        ),
        ("{ at: 19s, silent: true, next: 2s }", "no change for 2s", "1s", "no rule matches"),
        ("{ at: 19s, silent: true, next: never }", "no change for never", "1s", "no rule matches"),
        (
            "{ at: 19s, silent: true, clause: count }",
            "`count` not to hold",
            "it holds",
            "no rule matches",
        ),
        (
            "{ at: 20s, fires: linger, body: Hello }",
            "the body `Hello`",
            "`Need a hand?`",
            "the rule `linger`",
        ),
        (
            "{ at: 20s, fires: linger, labels: [Yes please] }",
            "the labels `Yes please`",
            "`Yes please`, `No thanks`",
            "the rule `linger`",
        ),
        (
            "{ at: 20s, fires: linger, tour: start }",
            "the tour `start`",
            "no tour",
            "the rule `linger`",
        ),
    ] {
        let last = "{ at: 1h, silent: true }";
        let failure = linger(PLAIN, &format!("{LOOKS}{entry}\n{last}"));
        let failure = failure.unwrap_or_else(|| panic!("it passes: {entry}"));
        let told = (&*failure.expected, &*failure.found, &*failure.decided);
        assert_eq!(told, (expected, found, decided), "{entry}");
        assert_eq!(failure.line, FIRST + 2, "{entry}");
    }
}

#[test]
fn an_event_that_does_not_count_is_a_broken_promise() {
    let state = "the agent state was `thinking`";
    for (entry, expected, found) in [
        (
            "{ at: 20s, event: proactive_dismissed }",
            "proactive_dismissed counts",
            "invalid_transition",
        ),
        ("{ at: 20s, event: user_sent, counts: false }", "user_sent does not count", "it counts"),
    ] {
        let failure =
            linger(PLAIN, &format!("{LOOKS}{entry}\n{{ at: 1h, silent: true }}")).unwrap();
        let told = (&*failure.expected, &*failure.found, &*failure.decided, failure.line);
        assert_eq!(told, (expected, found, state, FIRST + 2));
    }
}

#[test]
fn what_stands_in_the_way_is_named_gate_by_gate() {
    let after = |seconds: u32| {
        format!("{LOOKS}{{ at: 20s, fires: linger }}\n{{ at: {seconds}s, fires: linger }}")
    };
    let redelivers = "version: 1\nproducts:\n  acme: { proactive: { redeliver: true } }\n";
    let spaced = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 1s } }\n";
    for (settings, entries, found, decided) in [
        (PLAIN, after(21), "fsm:wrong_state", "the gate `state` refuses until 80s"),
        (PLAIN, after(90), "resilience:min_interval", "the gate `min_interval` refuses until 320s"),
        (redelivers, after(21), "the open offer, said again", "the gate `state` refuses until 80s"),
        (spaced, after(100), "trigger_cooldown", "the rule `linger` is held until 301s"),
    ] {
        let failure = linger(settings, &entries).unwrap();
        assert_eq!((&*failure.found, &*failure.decided), (found, decided));
    }
    let off = "settings: { proactive: { enabled: false } }";
    let failure = given_linger(off, &format!("{LOOKS}{{ at: 20s, silent: no_trigger }}")).unwrap();
    let told = (&*failure.found, &*failure.decided);
    assert_eq!(told, ("not_enabled", "the gate `enabled` refuses for good"));
}

#[test]
fn an_unmet_condition_is_told_clause_by_clause() {
    let failure = linger(PLAIN, "{ at: 0s, page: /billing }\n{ at: 12s, fires: linger }").unwrap();
    let ladder = &failure.ladders[0];
    assert_eq!(
        (&*ladder.trigger, &*ladder.came_to, failure.ladders.len()),
        ("linger", "silent", 1)
    );
    let rungs: Vec<_> = ladder
        .rungs
        .iter()
        .map(|rung| (&*rung.required, &*rung.found, rung.truth, rung.changes))
        .collect();
    let dwell = ("at least 20s", "12s", Truth::False, Some(Span::from_seconds(20)));
    assert_eq!(rungs, [dwell, ("at least 2", "0", Truth::False, None)]);
}

#[test]
fn a_rule_off_its_page_says_so() {
    let entries = "{ at: 0s, page: /projects }\n{ at: 60s, fires: linger }";
    assert_eq!(linger(PLAIN, entries).unwrap().ladders[0].came_to, "not on this page");
}

#[test]
fn a_test_starts_with_what_is_given() {
    let quick = "settings: { proactive: { min_interval: 1s } }";
    let answered = "{ at: 20s, fires: linger }\n{ at: 21s, event: proactive_accepted_chat }\n\
                    { at: 22s, event: bot_response_completed }\n";
    for (given, entries) in [
        (
            "state: conservative_assistance",
            "{ at: 599s, silent: \"fsm:conservative_cooldown\", next: 1s }",
        ),
        (
            "state: conservative_assistance, dismissals: 2",
            "{ at: 899s, silent: \"fsm:conservative_cooldown\", next: 1s }",
        ),
        (
            "state: conservative_assistance, dismissals: 3",
            "{ at: 9h, silent: \"fsm:conservative_cooldown\", next: never }",
        ),
        (
            "state: reactive_assistance",
            "{ at: 20s, silent: \"fsm:wrong_state\", next: 280s }\n\
          { at: 21s, event: bot_response_completed }\n{ at: 21s, fires: linger }",
        ),
        (
            "state: guidance_execution",
            "{ at: 2s, event: tour_completed }\n{ at: 20s, fires: linger }",
        ),
        (
            "dismissals: 1",
            "{ at: 20s, fires: linger }\n{ at: 20s, event: proactive_dismissed }\n\
          { at: 20s, silent: \"fsm:conservative_cooldown\", next: 15m }",
        ),
        (
            "user: u_1",
            "{ at: 20s, fires: linger }\n{ at: 20s, event: reset }\n\
          { at: 10m, action: click, repeat: 2 }\n{ at: 10m, silent: trigger_cooldown }",
        ),
        (quick, &format!("{answered}{{ at: 30s, silent: trigger_cooldown }}")),
        ("dismissals: 0", &format!("{answered}{{ at: 30s, silent: \"resilience:min_interval\" }}")),
        ("settings: { proactive: { enabled: false } }", "{ at: 20s, silent: not_enabled }"),
        (
            "settings: { proactive: { quotas: {} } }",
            &format!("{answered}{{ at: 30s, silent: \"resilience:min_interval\" }}"),
        ),
    ] {
        let failure = given_linger(given, &format!("{LOOKS}{entries}"));
        assert_eq!(failure, None, "{given}");
    }
}

// ---- by hand

/// What a person does between two polls.
#[derive(Clone, Debug)]
enum Step {
    Page(&'static str),
    Click(u32),
    Event(AgentEvent),
    Wait(i64),
    Poll,
}

fn step() -> impl Strategy<Value = Step> {
    let events = vec![
        AgentEvent::ProactiveDismissed,
        AgentEvent::ProactiveAcceptedChat,
        AgentEvent::ProactiveSnoozed { rest: Some(Span::from_seconds(90)) },
        AgentEvent::UserSent,
        AgentEvent::BotResponseCompleted,
        AgentEvent::Reset,
    ];
    prop_oneof![
        2 => prop::sample::select(vec!["/a", "/billing", "/c"]).prop_map(Step::Page),
        1 => (1..4_u32).prop_map(Step::Click),
        1 => prop::sample::select(events).prop_map(Step::Event),
        3 => prop::sample::select(vec![1_i64, 7, 20, 61, 400]).prop_map(Step::Wait),
        3 => Just(Step::Poll),
    ]
}

fn product() -> Product {
    let rules = format!("{}{}", TWO.replace("OUTCOME", "ignored"), LINGER.replace("draft", "live"));
    let settings = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 30s, quotas: { session_per_hour: 2 } } }\n";
    let book = rulebook(&[("docent.yaml", settings), ("rules/a.yaml", &rules)]);
    (*book.products["acme"]).clone()
}

/// The same steps by the engine's verbs, with nothing of the runner; what each poll came to.
fn by_hand(product: &Product, steps: &[Step]) -> Vec<Moment> {
    let (mut session, mut page, mut at, mut moments) =
        (Session::default(), "", Span::ZERO, Vec::new());
    for (line, step) in steps.iter().enumerate() {
        let now = START.plus(at);
        let act = |kind: &str, url: &str, times: u32, session: &mut Session| {
            let (kind, canonical_url) = (kind.to_owned(), url.to_owned());
            let action = RawAction { kind, canonical_url, ..RawAction::default() };
            let batch = Batch { actions: vec![action; times as usize], ..Batch::default() };
            let delivery = &Delivery::Actions(batch);
            let trust = Trust::Trusted;
            let received =
                Received { delivery, identity: None, trust, voucher: None, most_actions: 9 };
            advance(&product.settings, session, &mut Context::default(), &received, now);
        };
        let what = match step {
            Step::Page(next) => {
                page = next;
                act("pageview", page, 1, &mut session);
                What::Page(page.to_owned())
            }
            Step::Click(times) => {
                act("click", page, *times, &mut session);
                What::Act {
                    kind: "click".into(),
                    title: String::new(),
                    properties: serde_json::Map::new(),
                    page: None,
                    repeat: *times,
                }
            }
            Step::Event(event) => {
                let policy = &product.settings.proactive.machine;
                let counts = react(&mut session, event, None, policy, now).unheard.is_none();
                What::Event { event: event.clone(), counts }
            }
            Step::Wait(seconds) => {
                at = at.plus(Span::from_seconds(*seconds));
                continue;
            }
            Step::Poll => polled(product, &mut session, at),
        };
        moments.push(Moment { at, what, line });
    }
    moments
}

fn polled(product: &Product, session: &mut Session, at: Span) -> What {
    let now = START.plus(at);
    let decision = decide(product, session, &Around::default(), now, &mut ());
    match decision.verdict {
        Verdict::Fire(place) => {
            let rule = &product.rules[place];
            let (known, conversation) = ((&*session, &Around::default()), own_conversation("x"));
            let offer = propose(product, rule, known, "by hand", &conversation, now).unwrap();
            let who = session.identity.clone();
            commit(session, &Charge { product, rule, who: &who, offer: &offer, now }, true);
            What::Fires(Offered { trigger: rule.id.to_string(), ..Offered::default() })
        }
        Verdict::Hold(hold) => What::Silent(Quiet { hold: Some(hold), ..Quiet::default() }),
        Verdict::Redeliver => unreachable!("the product does not redeliver"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_case_comes_to_what_the_same_steps_come_to_by_hand(
        steps in prop::collection::vec(step(), 1..40),
        which in any::<prop::sample::Index>(),
    ) {
        let product = product();
        let timeline = by_hand(&product, &steps);
        let case = Case { name: "it".into(), line: 0, given: Given::default(), timeline };
        prop_assert_eq!(play(&product, &case).failure, None);
        let polls: Vec<_> = (0..case.timeline.len())
            .filter(|place| matches!(case.timeline[*place].what, What::Fires(_) | What::Silent(_)))
            .collect();
        prop_assume!(!polls.is_empty());
        let mut broken = case;
        let moment = &mut broken.timeline[polls[which.index(polls.len())]];
        moment.what = match &moment.what {
            What::Fires(_) => What::Silent(Quiet::default()),
            _ => What::Fires(Offered { trigger: "hello".into(), ..Offered::default() }),
        };
        let line = moment.line;
        prop_assert_eq!(play(&product, &broken).failure.map(|failure| failure.line), Some(line));
    }
}

/// An operator who switches a product off breaks no test of its rules.
#[test]
fn tests_hold_while_the_product_is_switched_off() {
    let off = PLAIN.replace("acme: {}", "acme: { proactive: { enabled: false } }");
    assert_ne!(off, PLAIN);
    assert_eq!(linger(&off, &format!("{LOOKS}{{ at: 20s, fires: linger }}")), None);
}
