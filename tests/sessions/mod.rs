//! Generated sessions, for properties of conditions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use docent::domain::action::Action;
use docent::domain::happened::Happened;
use docent::domain::offer::Outcome;
use docent::domain::page::page_of;
use docent::domain::properties::Properties;
use docent::domain::records::{Account, User};
use docent::domain::session::{Identity, Place, Session, TriggerMemory};
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::settings::Activity;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) const LIMITS: Activity = Activity { keep: Span::from_seconds(1_800), max_actions: 200 };

const START: i64 = 1_760_000_000_000;

/// A session and an instant: mostly after its newest action, sometimes before it.
pub(crate) fn session() -> impl Strategy<Value = (Session, Timestamp)> {
    let person = (
        prop::option::of(prop::sample::select(vec!["u-1", "ada@Example.COM", "nobody"])),
        prop::collection::btree_map(trait_name(), trait_value(), 0..3),
        prop::option::of(outcome()),
    );
    let waits = prop_oneof![9 => 0_i64..300_000, 1 => -3_000_i64..0];
    let lost = prop_oneof![3 => Just(0_u64), 1 => Just(5)];
    let steps = prop_oneof![
        2 => prop::collection::vec(action(), 0..24),
        1 => prop::collection::vec(sign(), 0..24),
    ];
    (steps, person, waits, lost).prop_map(|(steps, person, wait, lost)| {
        let mut session = with_person(with_actions(steps), person);
        session.action_count += lost;
        let newest = session.last_action.unwrap_or(Timestamp::from_millis(START));
        let now = Timestamp::from_millis(newest.as_millis() + wait);
        (session, now)
    })
}

/// What is remembered beyond the session: of the person, and of their account.
pub(crate) fn beyond() -> impl Strategy<Value = (User, Account)> {
    let instants = || prop::collection::vec((0_i64..400_000, 0_u32..3), 0..5);
    let tier = prop::option::of(prop::sample::select(vec![json!("gold"), json!(5), json!(true)]));
    let outcomes = prop::collection::btree_map(outcome(), 0_i64..400_000, 0..3);
    (instants(), instants(), tier, outcomes).prop_map(|(clicks, arrivals, tier, outcomes)| {
        let at = |millis: i64| Timestamp::from_millis(START + millis);
        let kept = |instants: Vec<(i64, u32)>| {
            let mut kept: Vec<_> =
                instants.into_iter().map(|(ms, mark)| Happened { at: at(ms), mark }).collect();
            kept.sort();
            kept
        };
        let outcomes = outcomes.into_iter().map(|(outcome, ms)| (outcome, at(ms)));
        let memory = TriggerMemory { outcomes: outcomes.collect(), ..TriggerMemory::default() };
        let happened = [("click".into(), kept(clicks)), ("/a".into(), kept(arrivals))].into();
        let triggers = [("hello".into(), memory)].into();
        let traits = tier.map(|tier| (Arc::from("tier"), tier)).into_iter().collect();
        (
            User { happened, triggers, ..User::default() },
            Account { seq: 1, traits, ..Account::default() },
        )
    })
}

type Step = (i64, &'static str, &'static str, &'static str);

fn action() -> impl Strategy<Value = Step> {
    let gaps = vec![0, 200, 999, 1_000, 5_000, 30_000, 61_000, 200_000];
    let kinds = vec!["pageview", "click", "click", "click", "error", "$exception", "form_error"];
    let signs = vec!["focus", "dead_click", "$exit_intent", "no_results", "scroll", "saved"];
    let kinds = prop_oneof![
        30 => prop::sample::select(kinds),
        1 => Just("rage_click"),
        8 => prop::sample::select(signs),
    ];
    let titles = vec!["Save", "Save", "save draft", "ÄNDERUNG speichern", "", "to 62.5 %", "80%"];
    let pages = vec!["/a", "/a?x=1", "/b", "https://app.test/b/?x=a%20b&y", "/c/7", ""];
    (prop::sample::select(gaps), kinds, prop::sample::select(titles), prop::sample::select(pages))
}

/// Actions close together, of few types and places, so that detectors have much to see.
fn sign() -> impl Strategy<Value = Step> {
    let gaps = vec![0, 1, 999, 1_000, 1_001, 4_000, 5_000, 7_000, 30_000];
    let kinds = vec!["focus", "focus", "form_error", "click", "exit_intent", "saved", "scroll"];
    let titles = vec!["VAT", "VAT", "VAT", "", "80%"];
    let pages = vec!["/a", "/a", "/b", "/c/7", ""];
    (
        prop::sample::select(gaps),
        prop::sample::select(kinds),
        prop::sample::select(titles),
        prop::sample::select(pages),
    )
}

/// What an action tells besides: nothing, one thing or several, as its title and gap have it.
fn told(title: &str, gap: i64) -> Option<Arc<Properties>> {
    let told = match (title, gap % 7) {
        ("Save", 0..3) => json!({ "form": "import", "rows": gap }),
        ("Save" | "VAT", _) => json!({ "form": "Export", "ok": true, "rows": 2.5 }),
        ("save draft", _) => json!({ "rows": "many" }),
        _ => json!({}),
    };
    Properties::of(told.as_object().unwrap()).map(Arc::new)
}

fn trait_name() -> impl Strategy<Value = Arc<str>> {
    prop::sample::select(vec!["plan", "seats", "beta"]).prop_map(Arc::from)
}

fn trait_value() -> impl Strategy<Value = Value> {
    let values = vec![json!("pro"), json!("free"), json!(5), json!(2.5), json!(true), json!(false)];
    prop::sample::select(values)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(Outcome::ALL.to_vec())
}

fn with_actions(steps: Vec<Step>) -> Session {
    let mut session = Session::default();
    let mut at = START;
    for (gap, kind, title, url) in steps {
        at += gap;
        let now = Timestamp::from_millis(at);
        let page = page_of(url);
        if !page.is_empty() {
            let stays = session.place.as_ref().filter(|place| &*place.page == page);
            let since = stays.map_or(now, |place| place.since);
            session.place =
                Some(Place { page: page.into(), url: url.into(), title: title.into(), since });
        }
        session.actions.push_back(Action {
            at: now,
            kind: kind.into(),
            title: title.into(),
            url: url.into(),
            page: page.into(),
            started: now.as_seconds(),
            ended: now.as_seconds(),
            forwarded: now.as_seconds(),
            properties: told(title, gap),
        });
        session.last_action = Some(now);
        session.action_count += 1;
    }
    session.first_seen = session.actions.front().map(|action| action.at).unwrap_or_default();
    session
}

type Person = (Option<&'static str>, BTreeMap<Arc<str>, Value>, Option<Outcome>);

fn with_person(session: Session, (id, traits, outcome): Person) -> Session {
    let fired = Timestamp::from_millis(START);
    let outcomes = outcome.map(|outcome| (outcome, fired)).into_iter().collect();
    let memory = TriggerMemory { fired: Some(fired), outcomes, ..TriggerMemory::default() };
    Session {
        identity: Identity {
            user_id: id.map(Arc::from),
            email: id.map(Arc::from),
            account: id.map(Arc::from),
            vouched: true,
            bound: false,
        },
        traits,
        triggers: outcome.map(|_| (Arc::from("hello"), memory)).into_iter().collect(),
        summary: id.map(Arc::from),
        batches: VecDeque::new(),
        ..session
    }
}
