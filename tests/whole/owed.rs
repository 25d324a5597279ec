//! What a step of a session owes to its person, on random lives: applied twice it is applied once,
//! and where it was lost, the session itself tells it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::machine::AgentEvent;
use docent::domain::records::User;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::advance::{Received, take};
use docent::engine::aftermath::{Aftermath, owner};
use docent::engine::around::{Around, own_conversation};
use docent::engine::fire::{accept, propose};
use docent::engine::identity::identity;
use docent::engine::react::{Hearing, hear};
use docent::rulebook::compile::compile;
use docent::rulebook::{Product, Sources};
use proptest::prelude::*;
use serde_json::json;

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const KINDS: [&str; 3] = ["pageview", "export", "saved"];

const RULES: &str = r#"
version: 1
triggers:
  - id: eager
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks, timeout: 45s }
    snooze: { default: 5m, max_times: 1 }
    on_dismiss: { cooldown: 1h }
    reset: { on: saved }
    goal: { event: saved, within: 5m }
    group: help
  - id: exports
    mode: draft
    when: [{ count: { type: export, at_least: 3, within: 1d, scope: user } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks }
"#;

fn product() -> Arc<Product> {
    let files = BTreeMap::from([
        ("docent.yaml".to_owned(), b"version: 1\nproducts: { acme: {} }\n".to_vec()),
        ("rules/r.yaml".to_owned(), RULES.as_bytes().to_vec()),
    ]);
    let (rulebook, findings) = compile(&Sources { files }, &|_| None);
    let rulebook = rulebook.unwrap_or_else(|| panic!("{findings:#?}"));
    Arc::clone(&rulebook.products["acme"])
}

#[derive(Clone, Debug)]
enum Step {
    Act { kinds: Vec<usize>, known: bool, plan: usize },
    Offer,
    Event(AgentEvent),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let act = (prop::collection::vec(0..3_usize, 1..4), prop::bool::weighted(0.8), 0..3_usize);
    let act = act.prop_map(|(kinds, known, plan)| Step::Act { kinds, known, plan });
    let events = prop::sample::select(vec![
        AgentEvent::ProactiveShown,
        AgentEvent::ProactiveDismissed,
        AgentEvent::ProactiveSnoozed { rest: None },
        AgentEvent::ProactiveSnoozed { rest: Some(Span::from_seconds(9)) },
        AgentEvent::ProactiveAcceptedChat,
        AgentEvent::ProactiveAcceptedTour,
        AgentEvent::TourCompleted,
        AgentEvent::ProactiveOptedOut,
        AgentEvent::BotResponseCompleted,
    ]);
    let step = prop_oneof![3 => act, 3 => Just(Step::Offer), 3 => events.prop_map(Step::Event)];
    prop::collection::vec((0..60_000_i64, step), 1..40)
}

/// One session, and what is remembered of its person.
struct Life {
    product: Arc<Product>,
    session: Session,
    user: Option<User>,
}

impl Life {
    /// Applies what a step owes, and again; what was remembered before.
    fn settle(&mut self, owed: &Aftermath) -> Option<User> {
        let before = self.user.clone();
        if owed.concerns_person() {
            owed.settle_user(&self.product, &mut self.user);
            let once = self.user.clone();
            assert!(!owed.settle_user(&self.product, &mut self.user), "news twice: {owed:#?}");
            assert_eq!(self.user, once);
        }
        before
    }

    fn act(&mut self, batch: Batch, now: Timestamp) {
        let delivery = Delivery::Actions(batch);
        let received = Received {
            delivery: &delivery,
            identity: identity("acme", &delivery),
            trust: Trust::Trusted,
            voucher: None,
            most_actions: 1_000,
        };
        let Self { product, session, .. } = self;
        let before = owner(session);
        let advanced = take(product, session, &received, now);
        let told = ("s", &*session);
        let owed = Aftermath::of_delivery(product, &before, told, &received, &advanced, now);
        let mut mended = self.settle(&owed);
        let again = Aftermath::again(&self.product, ("s", &self.session), &received, now);
        if again.concerns_person() {
            again.settle_user(&self.product, &mut mended);
        }
        let (Some(mended), Some(user)) = (&mended, &self.user) else {
            assert_eq!(mended, self.user);
            return;
        };
        assert_eq!(mended.traits, user.traits);
        for (trigger, memory) in &user.triggers {
            let told = mended.triggers[trigger].outcomes.keys();
            assert!(told.eq(memory.outcomes.keys()), "{mended:#?} {user:#?}");
            assert_eq!(mended.triggers[trigger].reset, memory.reset);
        }
        // Who was unknown before is told of what they did then only if the process lived on.
        if before.0 == again.person {
            assert_eq!(mended.happened, user.happened);
        }
    }

    fn hear(&mut self, event: &AgentEvent, now: Timestamp) {
        let policy = &self.product.settings.proactive.machine;
        let Hearing { reaction, subject, lapsed } =
            hear(&mut self.session, event, None, policy, now);
        let mut owed = Aftermath::of(&self.session, now);
        lapsed.into_iter().for_each(|offer| owed.lapsed(offer));
        if let (None, Some(offer)) = (reaction.unheard, subject) {
            owed.heard(offer, event, reaction.goes_on);
        }
        let mut mended = self.settle(&owed);
        let whole = Aftermath::whole(&self.product, &self.session, now);
        if whole.concerns_person() {
            whole.settle_user(&self.product, &mut mended);
            let [mended, user] = [&mended, &self.user].map(|user| user.clone().unwrap_or_default());
            let told = |user: &User| {
                let outcomes = |memory: &docent::domain::session::TriggerMemory| {
                    (memory.outcomes.keys().copied().collect::<Vec<_>>(), memory.rests_until)
                };
                let memories = user.triggers.values();
                memories.map(outcomes).collect::<Vec<_>>()
            };
            assert_eq!(told(&mended), told(&user));
            let lives = |user: &User| user.groups.busy_until("help", now);
            assert_eq!(lives(&mended), lives(&user));
        }
    }

    /// An offer is made, and charged to the person where they are known.
    fn offer(&mut self, now: Timestamp) {
        if self.session.machine.until.is_some() {
            return;
        }
        let (rule, around) = (&self.product.rules[0], Around::default());
        let (known, conversation) = ((&self.session, &around), own_conversation("s"));
        let offer = propose(&self.product, rule, known, "s", &conversation, now).unwrap();
        accept(&mut self.session, &offer, true, now);
        if self.session.identity.user_key().is_some() {
            let user = self.user.get_or_insert_default();
            user.seq += 1;
            user.fired.charge(&offer.id, now, Span::from_seconds(86_400));
            user.groups.enter(&"help".into(), &offer.id, offer.expires_at, now);
            user.triggers.entry(Arc::clone(&offer.trigger)).or_default().fired = Some(now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn twice_is_once_and_what_was_lost_is_told_again(steps in steps()) {
        let mut life = Life { product: product(), session: Session::default(), user: None };
        let mut now = START;
        for (number, (pause, step)) in steps.iter().enumerate() {
            now = now.plus(Span::from_millis(*pause));
            match step {
                Step::Act { kinds, known, plan } => {
                    let action = |kind: &usize| RawAction {
                        kind: KINDS[*kind].into(),
                        canonical_url: "/a".into(),
                        ..RawAction::default()
                    };
                    let traits = json!({ "plan": plan, "gone": null });
                    life.act(Batch {
                        session_id: Some("s".into()),
                        user_id: known.then(|| "ann".into()),
                        traits: traits.as_object().cloned().unwrap(),
                        actions: kinds.iter().map(action).collect(),
                        forwarded_at: 1.0 + number as f64,
                        ..Batch::default()
                    }, now);
                }
                Step::Offer => life.offer(now),
                Step::Event(event) => life.hear(event, now),
            }
        }
    }
}
