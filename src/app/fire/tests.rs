//! Two attempts at one offer, step by step.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::app::Question;
use crate::domain::action::{Batch, Delivery, RawAction, Trust};
use crate::domain::machine::AgentState;
use crate::domain::offer::Offer;
use crate::domain::time::Span;
use crate::engine::fire::propose;
use crate::library::live::Live;
use crate::rulebook::{Product, Sources};
use crate::runtime::clock::Clock;
use crate::runtime::metrics::Metrics;
use crate::store::Store;

const SETTINGS: &str = "version: 1\nproducts:\n  acme:\n    \
     proactive: { quotas: { product_per_minute: 2, user_per_day: 1 } }\n";
const RULES: &str = "version: 1\ntriggers:\n  - id: eager\n    again_after: 1d\n    \
     when: [{ count: { type: pageview, at_least: 1, within: 5m } }]\n    \
     offer: { body: Hello, accept: Yes please, dismiss: No thanks }\n";
const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);

fn at(seconds: i64) -> Timestamp {
    START.plus(Span::from_seconds(seconds))
}

/// One instance, and a product with sessions.
struct Scene {
    app: App,
    product: Arc<Product>,
}

/// An attempt to offer something to a session, in a conversation.
struct Try {
    session: Session,
    id: &'static str,
    offer: Offer,
    around: Around,
    number: u64,
}

impl Scene {
    /// People with a session each, who have looked at a page.
    async fn with(sessions: &[&str]) -> Self {
        let files = [("docent.yaml", SETTINGS), ("rules/r.yaml", RULES)];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let live = Live::start(Sources { files: files.into() }, |_| None, START).unwrap();
        let store = Store::open("memory", &live.current().settings.limits).unwrap();
        let clock = Clock::standing_at(START);
        let app = App::new(Arc::new(live), Arc::new(store), clock, Arc::new(Metrics::new()));
        let product = Arc::clone(&app.live.current().products["acme"]);
        for session in sessions {
            let view = RawAction { kind: "pageview".into(), ..RawAction::default() };
            let delivery = Delivery::Actions(Batch {
                session_id: Some((*session).to_owned()),
                user_id: Some(format!("u_{session}")),
                actions: vec![view],
                ..Batch::default()
            });
            app.deliver(&product, &delivery, Trust::Trusted, None, START).await.unwrap();
        }
        Self { app, product }
    }

    /// Looks at a session, as a poll for this conversation does before it fires.
    async fn look(&self, id: &'static str, conversation: &str, now: Timestamp) -> Try {
        let read = |session: Option<&Session>| session.cloned();
        let session = self.app.store.read(key(id), now, read).await.unwrap().unwrap();
        let question = Question { session: id, conversation, voucher: None };
        let around = self.app.around(&self.product, question, now).await.unwrap();
        let (rule, thread) = (&self.product.rules[0], conversation.into());
        let offer = propose(&self.product, rule, (&session, &around), id, &thread, now).unwrap();
        static DRAWN: AtomicU64 = AtomicU64::new(1);
        let number = DRAWN.fetch_add(1, Ordering::Relaxed);
        Try { session, id, offer, around, number }
    }

    fn firing<'a>(&'a self, one: &'a Try) -> Firing<'a> {
        let (product, offer, who) = (&*self.product, &one.offer, &one.session.identity);
        let charge = Charge { product, rule: &product.rules[0], who, offer, now: offer.made_at };
        let attempt = Attempt::drawn(one.number);
        Firing { charge, session: one.id, seq: one.session.seq, attempt }
    }

    async fn fire(&self, one: &Try) -> Outcome {
        let mut around = one.around.clone();
        self.app.fire(&self.firing(one), &mut around).await.unwrap()
    }

    /// Claims with the person and the product, as far as these let it.
    async fn claim(&self, one: &Try, upto: Claimed) -> bool {
        let (firing, mut around) = (self.firing(one), one.around.clone());
        let app = &self.app;
        app.claim_conversation(&firing, &mut around).await.unwrap()
            && app.claim_user(&firing, &mut around).await.unwrap()
            && (upto < Claimed::Product || app.claim_product(&firing, &mut around).await.unwrap())
    }

    /// Whether the offer is counted by the person and by the product.
    async fn counts(&self, one: &Try) -> (bool, bool) {
        let (offer, person) = (&one.offer.id, format!("u_{}", one.id));
        let user = |user: Option<&User>| user.is_some_and(|user| user.fired.holds(offer));
        let all = |record: Option<&ProductRecord>| record.is_some_and(|r| r.fired.holds(offer));
        let store = &self.app.store;
        let user = store.read(key(&person), START, user).await.unwrap();
        (user, store.read(key(""), START, all).await.unwrap())
    }

    async fn machine(&self, conversation: &str) -> AgentState {
        let state = |record: Option<&Conversation>| record.map(|record| record.machine.state);
        let state = self.app.store.read(key(conversation), START, state).await.unwrap();
        state.unwrap_or_default()
    }
}

fn key(id: &str) -> Key<'_> {
    Key { product: "acme", id }
}

/// Two polls look at the session before either fires; the later must not take back what the
/// earlier has claimed.
#[tokio::test]
async fn the_loser_of_two_simultaneous_polls_leaves_the_winners_claims_alone() {
    let scene = Scene::with(&["s"]).await;
    let tries = [scene.look("s", "dify-7", at(0)).await, scene.look("s", "dify-7", at(3)).await];
    assert!(matches!(scene.fire(&tries[0]).await, Outcome::Fired));
    assert!(matches!(scene.fire(&tries[1]).await, Outcome::Moved));
    assert_eq!(scene.counts(&tries[0]).await, (true, true));
    assert_eq!(scene.machine("dify-7").await, AgentState::ProactiveAssistance);
}

/// The same, asked by two chat threads: the one that lost shows no offer.
#[tokio::test]
async fn a_thread_whose_poll_lost_is_free_again() {
    let scene = Scene::with(&["s"]).await;
    let tries = [scene.look("s", "dify-7", at(0)).await, scene.look("s", "dify-8", at(0)).await];
    assert!(scene.claim(&tries[1], Claimed::Product).await);
    assert!(matches!(scene.fire(&tries[0]).await, Outcome::Fired));
    assert!(matches!(scene.fire(&tries[1]).await, Outcome::Moved));
    assert_eq!(scene.machine("dify-7").await, AgentState::ProactiveAssistance);
    assert_eq!(scene.machine("dify-8").await, AgentState::Thinking);
}

/// Both have claimed when one is refused further on: the other makes the offer, and it is counted.
#[tokio::test]
async fn who_is_refused_takes_no_claim_from_who_goes_on() {
    for both_give_up in [false, true] {
        let scene = Scene::with(&["s"]).await;
        let tries =
            [scene.look("s", "dify-7", at(0)).await, scene.look("s", "dify-7", at(1)).await];
        for one in &tries {
            assert!(scene.claim(one, Claimed::Product).await);
        }
        let release = async |one: &Try| {
            let firing = scene.firing(one);
            scene.app.release(&firing, &one.around, Claimed::Product).await.unwrap();
        };
        release(&tries[1]).await;
        assert_eq!(scene.counts(&tries[0]).await, (true, true));
        assert_eq!(scene.machine("dify-7").await, AgentState::ProactiveAssistance);
        if both_give_up {
            release(&tries[0]).await;
            assert_eq!(scene.counts(&tries[0]).await, (false, false));
            assert_eq!(scene.machine("dify-7").await, AgentState::Thinking);
            let again = scene.look("s", "dify-7", at(2)).await;
            assert!(matches!(scene.fire(&again).await, Outcome::Fired), "and nobody rests");
        } else {
            assert!(matches!(scene.fire(&tries[0]).await, Outcome::Fired));
            assert_eq!(scene.counts(&tries[0]).await, (true, true));
        }
    }
}

/// A commit is lost with the connection; the same offer is made when the store answers again, and
/// counts as of then.
#[tokio::test]
async fn an_offer_that_is_made_at_the_second_try_counts_from_then_on() {
    let scene = Scene::with(&["a", "b", "c", "d"]).await;
    let lost = scene.look("a", "proactive:a", at(0)).await;
    assert!(scene.claim(&lost, Claimed::Product).await);
    let again = scene.look("a", "proactive:a", at(50)).await;
    assert_eq!(again.offer.id, lost.offer.id);
    assert!(matches!(scene.fire(&again).await, Outcome::Fired));
    let next = scene.look("b", "proactive:b", at(61)).await;
    assert!(matches!(scene.fire(&next).await, Outcome::Fired), "two in a minute");
    let third = scene.look("c", "proactive:c", at(109)).await;
    assert!(matches!(scene.fire(&third).await, Outcome::Refused), "three in a minute");
    let third = scene.look("c", "proactive:c", at(110)).await;
    assert!(matches!(scene.fire(&third).await, Outcome::Fired));
}

/// The window has filled meanwhile: a claim of before is no right to go on.
#[tokio::test]
async fn a_claim_of_before_is_refused_where_its_window_has_filled() {
    let scene = Scene::with(&["a", "b", "c"]).await;
    let lost = scene.look("a", "proactive:a", at(0)).await;
    assert!(scene.claim(&lost, Claimed::Product).await);
    for session in ["b", "c"] {
        let one = scene.look(session, &format!("proactive:{session}"), at(61)).await;
        assert!(matches!(scene.fire(&one).await, Outcome::Fired));
    }
    let again = scene.look("a", "proactive:a", at(65)).await;
    assert!(matches!(scene.fire(&again).await, Outcome::Refused), "three in four seconds");
    let again = scene.look("a", "proactive:a", at(121)).await;
    assert!(matches!(scene.fire(&again).await, Outcome::Fired));
}
