//! One story that every store runs, one about tight limits, and a model beside random operations.
#![cfg(test)]

use std::collections::HashMap;
use std::sync::Arc;

use docent::domain::action::Action;
use docent::domain::machine::{AgentState, Machine};
use docent::domain::offer::{Offer, Outcome};
use docent::domain::records::{Chunk, Context, Conversation, EmailIndex, Product, User};
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::claims::{
    claim_conversation, claim_product, release_conversation, release_product,
};
use docent::engine::fire::commit;
use docent::rulebook::settings::{Limits, Quotas};
use docent::store::figures::Reason;
use docent::store::record::Record;
use docent::store::{Key, Step, Store};
use proptest::prelude::*;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const DAY: Span = Span::from_seconds(24 * 3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_tells_the_story() {
    story(Arc::new(Store::open("memory", &Limits::default()).unwrap())).await;
}

#[tokio::test]
async fn memory_keeps_within_its_limits() {
    let few = Limits { max_sessions: 3, ..Limits::default() };
    crowded(&Store::open("memory", &few).unwrap()).await;
    let little = Limits { max_memory: 64 << 10, ..Limits::default() };
    tight(&Store::open("memory", &little).unwrap()).await;
    flooded(&Store::open("memory", &little).unwrap()).await;
}

/// What any store must do, chapter by chapter; each keeps to a product of its own.
async fn story(store: Arc<Store>) {
    records_come_and_change_and_go(&store).await;
    keep_makes_nothing(&store).await;
    both_records_of_a_session_change_as_one(&store).await;
    products_and_kinds_do_not_meet(&store).await;
    any_text_is_a_key(&store).await;
    claims_are_idempotent_and_can_be_taken_back(&store).await;
    a_conversation_is_claimed_once(&store).await;
    of_two_firings_one_wins(&store).await;
    no_update_is_lost(&store).await;
    activity_ages_before_ledgers(&store).await;
    what_nobody_would_miss_goes_with_the_activity(&store).await;
    a_clock_that_goes_back_ages_nothing(&store).await;
}

async fn records_come_and_change_and_go(store: &Store) {
    let key = Key { product: "life", id: "u_1" };
    assert_eq!(get::<User>(store, key, START).await, None);
    put(store, key, START, fired_once("of_1")).await;
    assert_eq!(get(store, key, START).await, Some(fired_once("of_1")));
    let answer = store.update(key, START, |slot: &mut Option<User>| {
        let user = slot.as_mut().unwrap();
        user.fired.charge(&"of_2".into(), START, DAY);
        Step::Write(user.fired.offers().count())
    });
    assert_eq!(answer.await.unwrap(), 2);
    let gone = store.update(key, START, |slot: &mut Option<User>| {
        *slot = None;
        Step::Write(())
    });
    gone.await.unwrap();
    assert_eq!(get::<User>(store, key, START).await, None);
}

async fn keep_makes_nothing(store: &Store) {
    let key = Key { product: "keep", id: "ps_1" };
    let before = store.figures();
    let poll = |slot: &mut Option<Session>| {
        assert!(slot.is_none());
        slot.get_or_insert_default().seq = 7;
        Step::Keep(slot.as_ref().map(|session| session.seq))
    };
    for _ in 0..2 {
        assert_eq!(store.update(key, START, poll).await.unwrap(), Some(7));
    }
    let batch = |_: &mut Option<Session>, context: &mut Option<Context>| {
        context.get_or_insert_default();
        Step::Keep(())
    };
    store.update_session(key, START, batch).await.unwrap();
    assert_eq!(get::<Session>(store, key, START).await, None);
    assert_eq!(get::<Context>(store, key, START).await, None);
    assert_eq!(store.figures(), before);
}

async fn both_records_of_a_session_change_as_one(store: &Store) {
    let key = Key { product: "both", id: "ps_1" };
    put(store, key, START, active("/a")).await;
    let step = |state: &mut Option<Session>, context: &mut Option<Context>| {
        state.as_mut().unwrap().seq += 1;
        *context = Some(said("hello"));
        Step::Write(state.as_ref().unwrap().seq)
    };
    let seq = store.update_session(key, START, step).await.unwrap();
    assert_eq!(get(store, key, START).await, Some(Session { seq, ..active("/a") }));
    assert_eq!(get(store, key, START).await, Some(said("hello")));
    put(store, key, START, active("/b")).await;
    assert_eq!(get(store, key, START).await, Some(said("hello")), "each can change alone");
}

async fn products_and_kinds_do_not_meet(store: &Store) {
    let (acme, rival) = (Key { product: "acme", id: "x" }, Key { product: "rival", id: "x" });
    put(store, acme, START, active("/acme")).await;
    put(store, rival, START, active("/rival")).await;
    put(store, acme, START, fired_once("of_acme")).await;
    assert_eq!(get(store, acme, START).await, Some(active("/acme")));
    assert_eq!(get(store, rival, START).await, Some(active("/rival")));
    assert_eq!(get(store, acme, START).await, Some(fired_once("of_acme")));
    assert_eq!(get::<User>(store, rival, START).await, None);
    assert_eq!(get::<Conversation>(store, acme, START).await, None);
}

async fn any_text_is_a_key(store: &Store) {
    let long = "x".repeat(512);
    let ids = [
        "",
        " ",
        "a",
        "A",
        "a/b",
        "a%2Fb",
        "a:b",
        "a\0b",
        "\0",
        "ü",
        "u\u{308}",
        "😀",
        "\r\n",
        "{a}",
        "*",
        "'; --",
        "proactive:ps_1",
        "%3A",
        &long,
    ];
    let keys = ids
        .into_iter()
        .flat_map(|id| ["odd", "odd:", "odd\0", "od", ""].map(|product| Key { product, id }));
    let keys: Vec<_> = keys.chain([Key { product: "o", id: "dd" }]).collect();
    for (seq, key) in (1..).zip(&keys) {
        put(store, *key, START, Session { seq, ..dismissed(1) }).await;
    }
    for (seq, key) in (1..).zip(&keys) {
        let found = get::<Session>(store, *key, START).await.unwrap();
        assert_eq!(found.seq, seq, "{key:?}");
    }
}

async fn claims_are_idempotent_and_can_be_taken_back(store: &Store) {
    let key = Key { product: "claims", id: "" };
    let quotas = Quotas { product_per_minute: 1, ..Quotas::default() };
    let claim = async |offer: &str, now| {
        let step = |slot: &mut Option<Product>| match claim_product(
            slot.get_or_insert_default(),
            quotas,
            &an_offer(offer),
            now,
        ) {
            Ok(()) => Step::Write(true),
            Err(_) => Step::Keep(false),
        };
        store.update(key, now, step).await.unwrap()
    };
    assert!(claim("of_1", START).await);
    assert!(claim("of_1", START).await, "the same claim again is the same claim");
    assert!(!claim("of_2", START).await);
    for _ in 0..2 {
        let release = |slot: &mut Option<Product>| {
            slot.iter_mut().for_each(|record| release_product(record, &an_offer("of_1")));
            Step::Write(())
        };
        store.update(key, START, release).await.unwrap();
    }
    assert!(claim("of_2", START).await);
    assert!(!claim("of_3", START.plus(Span::from_millis(59_999))).await);
    assert!(claim("of_3", START.plus(Span::from_seconds(60))).await);
}

async fn a_conversation_is_claimed_once(store: &Store) {
    let key = Key { product: "claims", id: "dify-7" };
    let claim = async |session: &str, offer: &str| {
        let step = |slot: &mut Option<Conversation>| {
            let record = slot.get_or_insert_default();
            match claim_conversation(record, &session.into(), &an_offer(offer), START) {
                Ok(()) => Step::Write(true),
                Err(_) => Step::Keep(false),
            }
        };
        store.update(key, START, step).await.unwrap()
    };
    assert!(claim("ps_1", "of_1").await);
    assert!(!claim("ps_2", "of_2").await);
    let release = |slot: &mut Option<Conversation>| {
        slot.iter_mut().for_each(|record| release_conversation(record, &an_offer("of_1"), START));
        Step::Write(())
    };
    store.update(key, START, release).await.unwrap();
    assert!(claim("ps_2", "of_2").await);
}

async fn of_two_firings_one_wins(store: &Arc<Store>) {
    for round in 0..50 {
        let id = format!("ps_{round}");
        put(store, Key { product: "race", id: &id }, START, active("/a")).await;
        let ready = Arc::new(Barrier::new(2));
        let mut firings = JoinSet::new();
        for offer in ["of_1", "of_2"] {
            firings.spawn(fire(Arc::clone(store), id.clone(), offer, Arc::clone(&ready)));
        }
        let fired = firings.join_all().await;
        assert_eq!(fired.into_iter().filter(|fired| *fired).count(), 1);
        let session = get::<Session>(store, Key { product: "race", id: &id }, START).await.unwrap();
        assert_eq!((session.fired.offers().count(), session.seq), (1, 2));
    }
}

/// Decides on the session as it is, waits for the other, then commits if nothing has moved.
async fn fire(store: Arc<Store>, id: String, offer: &str, ready: Arc<Barrier>) -> bool {
    let key = Key { product: "race", id: &id };
    let seq = get::<Session>(&store, key, START).await.unwrap().seq;
    ready.wait().await;
    let step = |slot: &mut Option<Session>| match slot {
        Some(session) if session.seq == seq => {
            commit(session, &an_offer(offer), true, START);
            Step::Write(true)
        }
        _ => Step::Keep(false),
    };
    store.update(key, START, step).await.unwrap()
}

async fn no_update_is_lost(store: &Arc<Store>) {
    let key = Key { product: "busy", id: "ps_1" };
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for _ in 0..100 {
                let count = |slot: &mut Option<Session>| {
                    slot.get_or_insert_with(|| dismissed(1)).action_count += 1;
                    Step::Write(())
                };
                store.update(key, START, count).await.unwrap();
                let id = format!("ps_own_{task}");
                store.update(Key { id: &id, ..key }, START, count).await.unwrap();
                store.sweep(START);
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(get::<Session>(store, key, START).await.unwrap().action_count, 1_600);
}

async fn activity_ages_before_ledgers(store: &Store) {
    let key = Key { product: "ages", id: "ps_1" };
    let Limits { session_ttl, ledger_ttl, .. } = Limits::default();
    let tick = Span::from_millis(1);
    put(store, key, START, Session { machine: dismissed(2).machine, ..active("/a") }).await;
    put(store, key, START, said("hello")).await;
    put(store, key, START, EmailIndex { session: Some("ps_1".into()), as_of: 1.0 }).await;
    put(store, key, START, fired_once("of_1")).await;

    let last = START.plus(session_ttl).minus(tick);
    assert!(get::<Session>(store, key, last).await.unwrap().has_activity());
    assert!(get::<Context>(store, key, last).await.is_some());
    assert!(get::<EmailIndex>(store, key, last).await.is_some());

    let stripped = START.plus(session_ttl);
    let ledger = get::<Session>(store, key, stripped).await.unwrap();
    assert!(!ledger.has_activity());
    assert_eq!(ledger.machine, dismissed(2).machine);
    assert_eq!(get::<Context>(store, key, stripped).await, None);
    assert_eq!(get::<EmailIndex>(store, key, stripped).await, None);

    let last = START.plus(ledger_ttl).minus(tick);
    assert_eq!(get::<Session>(store, key, last).await, Some(ledger));
    assert_eq!(get(store, key, last).await, Some(fired_once("of_1")));
    let gone = START.plus(ledger_ttl);
    assert_eq!(get::<Session>(store, key, gone).await, None);
    assert_eq!(get::<User>(store, key, gone).await, None);
}

async fn what_nobody_would_miss_goes_with_the_activity(store: &Store) {
    let key = Key { product: "spent", id: "x" };
    let chatting = Machine {
        state: AgentState::ReactiveAssistance,
        until: Some(START.plus(Span::from_seconds(300))),
        ..Machine::default()
    };
    put(store, key, START, active("/a")).await;
    put(store, key, START, Conversation { machine: chatting, ..Conversation::default() }).await;
    let soon = START.plus(Span::from_seconds(301));
    assert!(get::<Conversation>(store, key, soon).await.is_some());
    let later = START.plus(Limits::default().session_ttl);
    assert_eq!(get::<Session>(store, key, later).await, None);
    assert_eq!(get::<Conversation>(store, key, later).await, None);
}

async fn a_clock_that_goes_back_ages_nothing(store: &Store) {
    let key = Key { product: "future", id: "ps_1" };
    let ahead = START.plus(DAY.times(1_000));
    put(store, key, ahead, active("/a")).await;
    round(store, START);
    assert_eq!(get(store, key, START).await, Some(active("/a")));
    put(store, key, START, active("/b")).await;
    let later = START.plus(DAY.times(2));
    assert_eq!(
        get::<Session>(store, key, later).await,
        None,
        "the last write counts, not the latest"
    );
    put(store, key, Timestamp::FOREVER, active("/c")).await;
    assert_eq!(get(store, key, Timestamp::from_millis(i64::MIN)).await, Some(active("/c")));
}

/// Three sessions at most: the least recent loses its activity, never its ledger.
async fn crowded(store: &Store) {
    let ids = ["ps_0", "ps_1", "ps_2", "ps_3", "ps_4"];
    let at = |place: i64| START.plus(Span::from_seconds(place));
    for (second, id) in (0..).zip(ids) {
        let session = Session { machine: dismissed(1).machine, ..active("/a") };
        put(store, Key { product: "acme", id }, at(second), session).await;
        put(store, Key { product: "acme", id }, at(second), said("hello")).await;
        if second == 2 {
            let now = at(second).plus(Span::from_millis(500));
            put(store, Key { product: "acme", id: "ps_0" }, now, said("again")).await;
        }
    }
    for (id, expected) in ids.into_iter().zip([true, false, false, true, true]) {
        let key = Key { product: "acme", id };
        let session = get::<Session>(store, key, at(5)).await.unwrap();
        assert_eq!(session.has_activity(), expected, "{id}");
        assert_eq!(get::<Context>(store, key, at(5)).await.is_some(), expected, "{id}");
        assert_eq!(session.machine.dismissals, 1, "{id}");
    }
    assert_eq!(store.figures().sessions, 3);
    assert_eq!(count(store, Reason::MaxSessions), 2);
}

/// 64 KiB at most: contexts give way to newer ones, the ledgers beside them stay.
async fn tight(store: &Store) {
    let ids: Vec<_> = (0..40).map(|place| format!("ps_{place}")).collect();
    for (second, id) in (0..).zip(&ids) {
        let (key, now) = (Key { product: "acme", id }, START.plus(Span::from_seconds(second)));
        put(store, key, now, dismissed(1)).await;
        put(store, key, now, said(&"x".repeat(8 << 10))).await;
        assert!(store.figures().bytes <= 64 << 10);
    }
    let now = START.plus(Span::from_seconds(40));
    let mut kept = Vec::new();
    for id in &ids {
        let key = Key { product: "acme", id };
        assert_eq!(get(store, key, now).await, Some(dismissed(1)), "{id}");
        kept.push(get::<Context>(store, key, now).await.is_some());
    }
    let newest = kept.iter().rev().take_while(|kept| **kept).count();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), newest, "the oldest went first");
    assert!((2..8).contains(&newest), "{newest}");
    assert_eq!(count(store, Reason::MaxMemory), 40 - newest as u64);
}

/// Ledgers alone would fill the memory: the oldest go, and what is active has room.
async fn flooded(store: &Store) {
    let product = Key { product: "acme", id: "" };
    let charged = |offer: &str| {
        let mut product = Product::default();
        product.fired.charge(&offer.into(), START, DAY);
        product
    };
    put(store, product, START, charged("of_1")).await;
    for second in 0..2_000 {
        let (id, now) = (format!("chat_{second}"), START.plus(Span::from_seconds(second)));
        let record = Conversation { machine: dismissed(1).machine, ..Conversation::default() };
        put(store, Key { product: "acme", id: &id }, now, record).await;
        assert!(store.figures().ledger_bytes <= 48 << 10);
    }
    let now = START.plus(Span::from_seconds(2_000));
    let known = async |id: &str| {
        get::<Conversation>(store, Key { product: "acme", id }, now).await.is_some()
    };
    assert!(!known("chat_0").await);
    assert!(known("chat_1999").await);
    assert_eq!(get(store, product, now).await, Some(charged("of_1")));
    put(store, Key { product: "acme", id: "ps_1" }, now, active("/a")).await;
    assert_eq!(get(store, Key { product: "acme", id: "ps_1" }, now).await, Some(active("/a")));
    assert!(count(store, Reason::Ledgers) > 1_000);
}

#[test]
fn a_step_that_panics_takes_nobody_else_down() {
    let store = Store::open("memory", &Limits { max_sessions: 1, ..Limits::default() }).unwrap();
    let (one, two) = (Key { product: "acme", id: "1" }, Key { product: "acme", id: "2" });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(put(&store, one, START, dismissed(1)));
    let fall = std::panic::AssertUnwindSafe(|| {
        runtime.block_on(store.update(two, START, |_: &mut Option<Session>| -> Step<()> {
            panic!("as no step of docent does")
        }))
    });
    assert!(std::panic::catch_unwind(fall).is_err());
    runtime.block_on(put(&store, two, START, dismissed(2)));
    assert_eq!(runtime.block_on(get(&store, one, START)), Some(dismissed(1)));
    assert_eq!(runtime.block_on(get(&store, two, START)), Some(dismissed(2)));
}

#[derive(Clone, Debug)]
enum Operation {
    /// A batch: activity, and a chunk.
    Act {
        key: usize,
    },
    /// A dismissal: a ledger.
    Dismiss {
        key: usize,
    },
    /// A poll: looks, and leaves traces that are not kept.
    Poll {
        key: usize,
    },
    Forget {
        key: usize,
    },
    Wait {
        hours: i64,
    },
    Sweep,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let key = 0..KEYS.len();
    let operation = prop_oneof![
        4 => key.clone().prop_map(|key| Operation::Act { key }),
        2 => key.clone().prop_map(|key| Operation::Dismiss { key }),
        4 => key.clone().prop_map(|key| Operation::Poll { key }),
        1 => key.prop_map(|key| Operation::Forget { key }),
        2 => (0_i64..30).prop_map(|hours| Operation::Wait { hours }),
        1 => (0_i64..800).prop_map(|hours| Operation::Wait { hours }),
        1 => Just(Operation::Sweep),
    ];
    prop::collection::vec(operation, 1..120)
}

const KEYS: [Key<'static>; 5] = [
    Key { product: "acme", id: "1" },
    Key { product: "acme", id: "2" },
    Key { product: "acm", id: "e1" },
    Key { product: "rival", id: "1" },
    Key { product: "rival", id: "" },
];

/// What a session is known to hold: actions, dismissals, last write.
type Known = (usize, u32, Timestamp);

/// The model's whole idea of time.
fn aged((actions, dismissals, written): Known, now: Timestamp) -> Option<Known> {
    let age = now.since(written);
    let actions = if age >= DAY { 0 } else { actions };
    let remains = age < DAY || dismissals > 0;
    (remains && age < DAY.times(30)).then_some((actions, dismissals, written))
}

proptest! {
    #[test]
    fn a_store_is_a_map_that_forgets(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = Store::open("memory", &Limits::default()).unwrap();
        let (mut model, mut now) = (HashMap::<Key<'_>, Known>::new(), START);
        for operation in operations {
            runtime.block_on(perform(&store, &mut model, &mut now, operation))?;
        }
        round(&store, now);
        model = model.into_iter().filter_map(|(key, known)| Some((key, aged(known, now)?))).collect();
        let figures = store.figures();
        prop_assert_eq!(figures.records[0], ("session", model.len() as u64));
        let active = model.values().filter(|(actions, ..)| *actions > 0).count();
        prop_assert_eq!(figures.sessions, active as u64);
        round(&store, Timestamp::FOREVER);
        let figures = store.figures();
        prop_assert_eq!((figures.sessions, figures.bytes, figures.ledger_bytes), (0, 0, 0));
    }
}

async fn perform(
    store: &Store,
    model: &mut HashMap<Key<'static>, Known>,
    now: &mut Timestamp,
    operation: Operation,
) -> Result<(), TestCaseError> {
    let at = *now;
    match operation {
        Operation::Wait { hours } => *now = at.plus(Span::from_seconds(hours * 3_600)),
        Operation::Sweep => drop(store.sweep(at)),
        Operation::Act { key } => {
            let known = model.get(&KEYS[key]).and_then(|known| aged(*known, at));
            let (actions, dismissals, _) = known.unwrap_or((0, 0, at));
            let act = |state: &mut Option<Session>, context: &mut Option<Context>| {
                state.get_or_insert_default().actions.push_back(action("/a"));
                context.get_or_insert_default().chunks.extend(said("hello").chunks);
                Step::Write(())
            };
            store.update_session(KEYS[key], at, act).await.unwrap();
            model.insert(KEYS[key], (actions + 1, dismissals, at));
        }
        Operation::Dismiss { key } => {
            let known = model.get(&KEYS[key]).and_then(|known| aged(*known, at));
            let (actions, dismissals, _) = known.unwrap_or((0, 0, at));
            let dismiss = |state: &mut Option<Session>| {
                state.get_or_insert_default().machine.dismissals += 1;
                Step::Write(())
            };
            store.update(KEYS[key], at, dismiss).await.unwrap();
            model.insert(KEYS[key], (actions, dismissals + 1, at));
        }
        Operation::Poll { key } => {
            let known = model.get(&KEYS[key]).and_then(|known| aged(*known, at));
            let look = |state: &mut Option<Session>, context: &mut Option<Context>| {
                let chunks = context.as_ref().map_or(0, |context| context.chunks.len());
                let seen = state.as_ref().map(|s| (s.actions.len(), s.machine.dismissals, chunks));
                state.get_or_insert_default();
                Step::Keep(seen)
            };
            let seen = store.update_session(KEYS[key], at, look).await.unwrap();
            let expected = known.map(|(actions, dismissals, _)| (actions, dismissals, actions));
            prop_assert_eq!(seen, expected, "{:?}", KEYS[key]);
        }
        Operation::Forget { key } => {
            let forget = |state: &mut Option<Session>, context: &mut Option<Context>| {
                (*state, *context) = (None, None);
                Step::Write(())
            };
            store.update_session(KEYS[key], at, forget).await.unwrap();
            model.remove(&KEYS[key]);
        }
    }
    Ok(())
}

async fn get<R: Record + Clone>(store: &Store, key: Key<'_>, now: Timestamp) -> Option<R> {
    store.read(key, now, |record: Option<&R>| record.cloned()).await.unwrap()
}

async fn put<R: Record + Clone>(store: &Store, key: Key<'_>, now: Timestamp, record: R) {
    let step = |slot: &mut Option<R>| {
        *slot = Some(record.clone());
        Step::Write(())
    };
    store.update(key, now, step).await.unwrap();
}

/// A whole round of sweeping, wherever the last one stopped.
fn round(store: &Store, now: Timestamp) {
    while store.sweep(now).turns_left > 0 {}
    while store.sweep(now).turns_left > 0 {}
}

fn count(store: &Store, reason: Reason) -> u64 {
    store.figures().evicted.into_iter().find(|(known, _)| *known == reason).unwrap().1
}

fn action(page: &str) -> Action {
    Action {
        at: START,
        kind: "pageview".into(),
        title: "A page".into(),
        url: page.into(),
        page: page.into(),
        started: 0.0,
        ended: 0.0,
        forwarded: 0.0,
    }
}

fn active(page: &str) -> Session {
    Session { seq: 1, actions: [action(page)].into(), ..Session::default() }
}

fn dismissed(dismissals: u32) -> Session {
    Session { machine: Machine { dismissals, ..Machine::default() }, ..Session::default() }
}

fn fired_once(offer: &str) -> User {
    let mut user = User::default();
    user.fired.charge(&offer.into(), START, DAY);
    user.triggers.entry("t".into()).or_default().outcomes.insert(Outcome::Shown, START);
    user
}

fn said(text: &str) -> Context {
    let chunk = Chunk { number: 0, at: START, text: text.into(), summary: false };
    Context { chunks: [chunk].into(), next: 1, ..Context::default() }
}

fn an_offer(id: &str) -> Offer {
    Offer {
        id: id.into(),
        trigger: "t".into(),
        body: "Need a hand?".into(),
        labels: vec!["Yes".into(), "No".into()],
        tour: None,
        conversation: "proactive:ps_1".into(),
        made_at: START,
        expires_at: START.plus(Span::from_seconds(60)),
        cooldown: Span::from_seconds(30),
        metadata: serde_json::Map::new(),
    }
}
