//! What any store must do, chapter by chapter; each keeps to a product of its own.

use std::sync::Arc;

use docent::domain::holders::Attempt;
use docent::domain::machine::{AgentState, Machine};
use docent::domain::records::{Context, Conversation, EmailIndex, Product, User};
use docent::domain::session::{Identity, Session};
use docent::domain::time::{Span, Timestamp};
use docent::engine::charge::Charge;
use docent::engine::claims::{
    claim_conversation, claim_product, release_conversation, release_product,
};
use docent::rulebook::settings::Limits;
use docent::store::{Key, Step, Store};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::given::{
    DAY, START, active, an_offer, dismissed, fired_once, get, put, round, rules, said,
};

pub(crate) async fn story(store: Arc<Store>) {
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
    let rules = rules();
    let (rule, who) = (&rules.rules[0], Identity::default());
    let claim = async |offer: &str, now| {
        let offer = an_offer(offer);
        let charge = Charge { product: &rules, rule, who: &who, offer: &offer, now };
        let step = |slot: &mut Option<Product>| match claim_product(
            slot.get_or_insert_default(),
            &charge,
            Attempt::ONLY,
        ) {
            Ok(_) => Step::Write(true),
            Err(_) => Step::Keep(false),
        };
        store.update(key, now, step).await.unwrap()
    };
    assert!(claim("of_1", START).await);
    assert!(claim("of_1", START).await, "the same claim again is the same claim");
    assert!(!claim("of_2", START).await);
    for _ in 0..2 {
        let release = |slot: &mut Option<Product>| {
            slot.iter_mut().for_each(|record| {
                release_product(record, &an_offer("of_1"), Attempt::ONLY);
            });
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
            match claim_conversation(
                record,
                &session.into(),
                (&an_offer(offer), Attempt::ONLY),
                START,
            ) {
                Ok(()) => Step::Write(true),
                Err(_) => Step::Keep(false),
            }
        };
        store.update(key, START, step).await.unwrap()
    };
    assert!(claim("ps_1", "of_1").await);
    assert!(!claim("ps_2", "of_2").await);
    let release = |slot: &mut Option<Conversation>| {
        let made = an_offer("of_1");
        slot.iter_mut().for_each(|record| {
            release_conversation(record, (&made, Attempt::ONLY), START);
        });
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
            session.fired.charge(&offer.into(), START, DAY);
            session.offer = Some(an_offer(offer).into());
            session.seq += 1;
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
