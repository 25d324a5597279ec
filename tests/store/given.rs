//! Records to tell of, and short words for asking a store.

use std::sync::Arc;

use docent::domain::action::Action;
use docent::domain::machine::Machine;
use docent::domain::offer::{Offer, Outcome, Terms};
use docent::domain::records::{Chunk, Context, User};
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::compile::compile;
use docent::rulebook::{Product, Sources};
use docent::store::figures::Reason;
use docent::store::record::Record;
use docent::store::{Key, Step, Store};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
pub(crate) const DAY: Span = Span::from_seconds(24 * 3_600);

pub(crate) async fn get<R: Record + Clone>(
    store: &Store,
    key: Key<'_>,
    now: Timestamp,
) -> Option<R> {
    store.read(key, now, |record: Option<&R>| record.cloned()).await.unwrap()
}

pub(crate) async fn put<R: Record + Clone>(store: &Store, key: Key<'_>, now: Timestamp, record: R) {
    let step = |slot: &mut Option<R>| {
        *slot = Some(record.clone());
        Step::Write(())
    };
    store.update(key, now, step).await.unwrap();
}

/// A whole round of sweeping, wherever the last one stopped.
pub(crate) fn round(store: &Store, now: Timestamp) {
    while store.sweep(now).turns_left > 0 {}
    while store.sweep(now).turns_left > 0 {}
}

pub(crate) fn count(store: &Store, reason: Reason) -> u64 {
    store.figures().evicted.into_iter().find(|(known, _)| *known == reason).unwrap().1
}

pub(crate) fn action(page: &str) -> Action {
    Action {
        at: START,
        kind: "pageview".into(),
        title: "A page".into(),
        url: page.into(),
        page: page.into(),
        started: 0.0,
        ended: 0.0,
        forwarded: 0.0,
        properties: None,
    }
}

pub(crate) fn active(page: &str) -> Session {
    Session { seq: 1, actions: [action(page)].into(), ..Session::default() }
}

pub(crate) fn dismissed(dismissals: u32) -> Session {
    Session { machine: Machine { dismissals, ..Machine::default() }, ..Session::default() }
}

pub(crate) fn fired_once(offer: &str) -> User {
    let mut user = User::default();
    user.fired.charge(&offer.into(), START, DAY);
    user.triggers.entry("t".into()).or_default().outcomes.insert(Outcome::Shown, START);
    user
}

pub(crate) fn said(text: &str) -> Context {
    let chunk = Chunk { number: 0, at: START, text: text.into(), summary: false };
    Context { chunks: [chunk].into(), next: 1, ..Context::default() }
}

/// A product with one trigger and one offer a minute.
pub(crate) fn rules() -> Arc<Product> {
    let settings = "version: 1\nproducts:\n  acme:\n    \
         proactive: { quotas: { product_per_minute: 1 } }\n";
    let trigger = "version: 1\ntriggers:\n  - id: t\n    when: [{ dwell: 5s }]\n    \
         offer: { body: Hello, accept: Yes, dismiss: No }\n";
    let files = [("docent.yaml", settings), ("rules/t.yaml", trigger)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let (rulebook, findings) = compile(&Sources { files: files.into() }, &|_| None);
    let rulebook = rulebook.unwrap_or_else(|| panic!("{findings:#?}"));
    Arc::clone(&rulebook.products["acme"])
}

pub(crate) fn an_offer(id: &str) -> Offer {
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
        goal: None,
        locale: None,
        variant: None,
        tester: false,
        terms: Terms::default(),
    }
}
