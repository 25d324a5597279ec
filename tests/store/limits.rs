//! What gives way when a store is full, and what does not.

use docent::domain::records::{Context, Conversation, Product};
use docent::domain::session::Session;
use docent::domain::time::Span;
use docent::rulebook::settings::Limits;
use docent::store::figures::{Reason, Swept};
use docent::store::{Key, Store};

use crate::given::{DAY, START, active, count, dismissed, get, put, said};

/// Three sessions at most: the least recent loses its activity, never its ledger.
pub(crate) async fn crowded(store: &Store) {
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
pub(crate) async fn tight(store: &Store) {
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
pub(crate) async fn flooded(store: &Store) {
    let product = Key { product: "acme", id: "" };
    let charged = |offers: u32| {
        let mut product = Product::default();
        for offer in 0..offers {
            product.fired.charge(&format!("of_{offer}").into(), START, DAY);
        }
        product
    };
    put(store, product, START, charged(1)).await;
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
    put(store, Key { product: "rival", id: "" }, now, charged(1_000)).await;
    assert_eq!(get(store, product, now).await, Some(charged(1)), "products are few");
    put(store, Key { product: "acme", id: "ps_1" }, now, active("/a")).await;
    assert_eq!(get(store, Key { product: "acme", id: "ps_1" }, now).await, Some(active("/a")));
    assert!(count(store, Reason::Ledgers) > 1_000);
}

/// Limits that one record breaks: the one just written is spared, whatever the clock says.
pub(crate) async fn narrow(store: &Store) {
    let (one, two) = (Key { product: "acme", id: "1" }, Key { product: "acme", id: "2" });
    put(store, one, START, said("first")).await;
    assert_eq!(get(store, one, START).await, Some(said("first")));
    let earlier = START.minus(DAY);
    put(store, two, earlier, said("second")).await;
    assert_eq!(get(store, two, earlier).await, Some(said("second")));
    assert_eq!(get::<Context>(store, one, earlier).await, None);
}

/// A round of sweeping looks at every record, and drops every one that is past its time.
pub(crate) async fn swept(store: &Store) {
    for place in 0..2_000 {
        let now = START.plus(Span::from_seconds(place % 2));
        put(store, Key { product: "acme", id: &place.to_string() }, now, dismissed(1)).await;
    }
    let gone = START.plus(Limits::default().ledger_ttl);
    let mut total = Swept { turns_left: 1, ..Swept::default() };
    while total.turns_left > 0 {
        let Swept { examined, removed, turns_left } = store.sweep(gone);
        total.examined += examined;
        total.removed += removed;
        total.turns_left = turns_left;
    }
    assert_eq!((total.examined, total.removed), (2_000, 1_000));
    assert_eq!(count(store, Reason::LedgerTtl), 1_000);
}
