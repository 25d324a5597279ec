//! Caps, groups and rests after answers as laws, over random lives of several people at once.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "every test file uses its own part of this")]
mod timelines;

use std::collections::BTreeMap;
use std::sync::Arc;

use docent::domain::decision::{Decision, Hold, Verdict};
use docent::domain::holders::Attempt;
use docent::domain::machine::AgentEvent;
use docent::domain::offer::Outcome;
use docent::domain::records::{Account, Product as Record, User};
use docent::domain::session::{Identity, Session};
use docent::domain::tally::Per;
use docent::domain::time::{Span, Timestamp};
use docent::engine::around::{Around, own_conversation};
use docent::engine::charge::{Charge, counted};
use docent::engine::claims::{claim_account, claim_product, claim_user};
use docent::engine::claims::{release_account, release_user};
use docent::engine::decide::decide;
use docent::engine::fire::{commit, propose};
use docent::engine::memory::put_off;
use docent::engine::person::{Became, adopt, answered};
use docent::engine::react::react;
use docent::rulebook::Product;
use docent::rulebook::pacing::caps::Cap;
use proptest::prelude::*;
use timelines::rulebook;

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);

const SETTINGS: &str = r#"
version: 1
products:
  acme:
    proactive: { min_interval: 0s, conservative: { base: 1s, step: 0s, silent_after: 0 } }
    frequency:
      - { id: visit, per: session, limit: 6 }
      - { id: person, per: user, limit: 5, window: 1h }
      - { id: company, per: account, limit: 7, window: 30m, exempt_tags: [critical] }
      - { id: all, per: product, limit: 12, window: 20m }
      - { id: tips, per: user, of: "tag:tip", limit: 2, window: 40m }
      - { id: tours, per: account, of: "group:tours", limit: 3, window: 50m }
"#;

const RULES: &str = r#"
version: 1
triggers:
  - id: alarm
    priority: 90
    tags: critical
    when: [{ not: { page: /nowhere } }]
    offer: &offer { body: Hello, accept: Yes please, dismiss: No thanks, timeout: 45s }
    cooldown: 0s
    frequency: [{ per: user, limit: 1, window: 10m }]
    on_ignore: { cooldown: 3m }
  - id: tip
    priority: 80
    tags: [tip, small]
    when: [{ not: { page: /nowhere } }]
    offer: *offer
    cooldown: 0s
    on_dismiss: { cooldown: 2m, factor: 2, max: 7m, stop_after: 4 }
    on_accept: { cooldown: 5m }
  - id: tour
    priority: 70
    group: tours
    when: [{ not: { page: /nowhere } }]
    offer: *offer
    cooldown: 0s
    on_complete: never
  - id: other-tour
    group: tours
    when: [{ not: { page: /nowhere } }]
    offer: *offer
    cooldown: 0s
    snooze: { default: 4m, max_times: 1 }
"#;

fn product() -> Arc<Product> {
    let rulebook = rulebook(&[("docent.yaml", SETTINGS), ("rules/r.yaml", RULES)]);
    Arc::clone(&rulebook.products["acme"])
}

/// What happens to one of six sessions, after a pause.
#[derive(Clone, Debug)]
enum Step {
    Poll,
    Event(AgentEvent),
}

fn steps() -> impl Strategy<Value = Vec<(i64, usize, Step)>> {
    let events = vec![
        AgentEvent::ProactiveDismissed,
        AgentEvent::ProactiveSnoozed { rest: None },
        AgentEvent::ProactiveAcceptedTour,
        AgentEvent::TourCompleted,
        AgentEvent::TourAbandoned,
        AgentEvent::Reset,
    ];
    let event = prop::sample::select(events).prop_map(Step::Event);
    let step = prop_oneof![3 => Just(Step::Poll), 2 => event];
    prop::collection::vec((0..90_000_i64, 0..6_usize, step), 1..120)
}

/// Two people with two sessions each, in one account, and two strangers.
fn who(place: usize) -> Identity {
    let user = ["ann", "ann", "bob", "bob"].get(place).map(|user| Arc::from(*user));
    let account = user.as_ref().map(|_| Arc::from("initech"));
    Identity { vouched: user.is_some(), user_id: user, account, ..Identity::default() }
}

/// An offer that was made, and to whom.
struct Made {
    at: Timestamp,
    trigger: Arc<str>,
    session: usize,
}

struct World {
    product: Arc<Product>,
    sessions: Vec<Session>,
    users: BTreeMap<Arc<str>, User>,
    account: Account,
    record: Record,
    made: Vec<Made>,
}

impl World {
    fn new() -> Self {
        let session = |place| {
            let place_of = docent::domain::session::Place {
                page: "/a".into(),
                url: "/a".into(),
                title: "A".into(),
                since: START,
            };
            Session {
                seq: 1,
                last_action: Some(START),
                identity: who(place),
                place: Some(place_of),
                ..Session::default()
            }
        };
        let (users, account, record, made) = <_>::default();
        Self {
            product: product(),
            sessions: (0..6).map(session).collect(),
            users,
            account,
            record,
            made,
        }
    }

    /// A poll as the server makes it: what refuses a claim is known at the next look.
    fn poll(&mut self, place: usize, now: Timestamp) -> Decision {
        let (product, mut around) = (Arc::clone(&self.product), Around::default());
        for _ in 0..8 {
            let session = &mut self.sessions[place];
            let decision = decide(&product, session, &around, now, &mut ());
            let Verdict::Fire(winner) = decision.verdict else { return decision };
            let (rule, id) = (&product.rules[winner], format!("s{place}"));
            let known = (&*session, &Around::default());
            let offer = propose(&product, rule, known, &id, &own_conversation(&id), now).unwrap();
            let who = session.identity.clone();
            let charge = Charge { product: &product, rule, who: &who, offer: &offer, now };
            if self.claim(&charge, &mut around) {
                commit(&mut self.sessions[place], &charge, true);
                self.made.push(Made { at: now, trigger: Arc::clone(&rule.id), session: place });
                return decision;
            }
        }
        panic!("a claim is refused that the gates let pass");
    }

    fn claim(&mut self, charge: &Charge<'_>, around: &mut Around) -> bool {
        let person = charge.who.user_key().cloned();
        if let Some(key) = &person {
            let user = self.users.entry(Arc::clone(key)).or_default();
            if claim_user(user, charge, Attempt::ONLY).is_err() {
                around.user = Some(user.clone());
                return false;
            }
        }
        let account = charge.who.account.is_some().then_some(&mut self.account);
        let refused =
            account.is_some_and(|account| claim_account(account, charge, Attempt::ONLY).is_err());
        if refused || claim_product(&mut self.record, charge, Attempt::ONLY).is_err() {
            if let Some(user) = person.and_then(|key| self.users.get_mut(&key)) {
                release_user(user, charge.offer, Attempt::ONLY);
            }
            if !refused {
                release_account(&mut self.account, charge.offer, Attempt::ONLY);
            }
            around.account = Some(self.account.clone());
            around.tallies = Some(self.record.tallies.clone());
            return false;
        }
        true
    }

    fn event(&mut self, place: usize, event: &AgentEvent, now: Timestamp) {
        let session = &mut self.sessions[place];
        docent::engine::settle::settle(session, now);
        let offer = session.offer.clone();
        let policy = &self.product.settings.proactive.machine;
        let reaction = react(session, event, None, policy, now);
        let Some(offer) = offer.filter(|_| reaction.unheard.is_none()) else { return };
        if let Some(user) = session.identity.user_key().and_then(|key| self.users.get_mut(key)) {
            let (outcome, rests_until) =
                (Outcome::of(event, reaction.goes_on.is_some()), put_off(&offer, event, now));
            let became = Became { outcome, goes_on: reaction.goes_on, rests_until };
            answered(user, &offer, became, now);
        }
    }

    fn live(
        &mut self,
        steps: &[(i64, usize, Step)],
        mut each: impl FnMut(&mut Self, usize, Timestamp),
    ) {
        let mut now = START;
        for (pause, place, step) in steps {
            now = now.plus(Span::from_millis(*pause));
            match step {
                Step::Event(event) => self.event(*place, event, now),
                Step::Poll => each(self, *place, now),
            }
        }
    }

    /// The offers that a cap counts together with this one, itself included.
    fn beside(&self, cap: &Cap, made: &Made) -> usize {
        let scope = |made: &Made| {
            let who = who(made.session);
            match counted(cap.per, &who) {
                Per::Session => format!("s{}", made.session),
                Per::User => who.user_key().unwrap().to_string(),
                Per::Account | Per::Product => String::new(),
            }
        };
        let concerned = |other: &&Made| {
            let rule = self.product.rules.iter().find(|rule| rule.id == other.trigger).unwrap();
            let inside = made.at.minus(cap.window) < other.at && other.at <= made.at;
            // Strangers are in no account, and counted by their session.
            let same =
                counted(cap.per, &who(other.session)) == counted(cap.per, &who(made.session));
            inside && same && cap.concerns(rule) && scope(other) == scope(made)
        };
        self.made.iter().filter(concerned).count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_cap_is_ever_exceeded(steps in steps()) {
        let mut world = World::new();
        world.live(&steps, |world, place, now| {
            world.poll(place, now);
        });
        for made in &world.made {
            for cap in &world.product.caps {
                let count = world.beside(cap, made);
                prop_assert!(count <= cap.limit as usize, "{}: {count} at {:?}", cap.id, made.at);
            }
        }
    }

    #[test]
    fn one_offer_of_a_group_is_live_at_a_time(steps in steps()) {
        let mut world = World::new();
        world.live(&steps, |world, place, now| {
            world.poll(place, now);
            let tours = world.sessions.iter_mut().filter_map(|session| {
                docent::engine::settle::settle(session, now);
                let offer = session.offer.as_ref()?;
                offer.terms.group.as_ref()?;
                session.identity.user_key().cloned()
            });
            let mut people: Vec<_> = tours.collect();
            let live = people.len();
            people.dedup();
            assert_eq!(live, people.len(), "two tours of one person at {now:?}");
        });
    }

    #[test]
    fn a_hold_of_a_rule_lifts_when_it_says(steps in steps()) {
        let mut world = World::new();
        world.live(&steps, |world, place, now| {
            let decision = world.poll(place, now);
            let paced = [Hold::Frequency, Hold::Backoff, Hold::GroupBusy, Hold::TriggerCooldown];
            let Verdict::Hold(hold) = decision.verdict else { return };
            if !paced.contains(&hold) || decision.until == Timestamp::FOREVER {
                return;
            }
            let at = |time: Timestamp| {
                let copy = world.sessions[place].clone();
                let user = copy.identity.user_key().and_then(|key| world.users.get(key)).cloned();
                let around = Around {
                    user,
                    account: Some(world.account.clone()),
                    tallies: Some(world.record.tallies.clone()),
                    ..Around::default()
                };
                decide(&world.product, &mut copy.clone(), &around, time, &mut ())
            };
            let before = at(Timestamp::from_millis(decision.until.as_millis() - 1));
            assert!(matches!(before.verdict, Verdict::Hold(_)), "{before:?} is early");
            let then = at(decision.until);
            let lifted = matches!(then.verdict, Verdict::Fire(_)) || decision.until < then.until;
            assert!(lifted, "{decision:?} did not lift: {then:?}");
        });
    }

    #[test]
    fn a_remembered_answer_knows_what_its_person_and_account_have_done_since(steps in steps()) {
        let mut world = World::new();
        world.live(&steps, |world, place, now| {
            let session = &mut world.sessions[place];
            let user = session.identity.user_key().and_then(|key| world.users.get(key)).cloned();
            let account = session.identity.account.is_some().then(|| world.account.clone());
            let around = Around { user, account, ..Around::default() };
            let known = decide(&world.product, session, &around, now, &mut ());
            let mut forgetful = Session { last_answer: <_>::default(), ..session.clone() };
            let fresh = decide(&world.product, &mut forgetful, &around, now, &mut ());
            assert_eq!(known.verdict, fresh.verdict);
            world.poll(place, now);
        });
    }

    #[test]
    fn whose_session_it_was_is_told_once_and_in_any_order(steps in steps(), order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle()) {
        let mut world = World::new();
        for session in &mut world.sessions {
            session.identity = Identity::default();
        }
        let mut end = START;
        world.live(&steps, |world, place, now| {
            world.poll(place, now);
            end = now;
        });
        let told = |places: &[usize]| {
            let mut user = User::default();
            for place in places {
                adopt(&mut user, &world.sessions[*place], &world.product.caps, end);
            }
            User { seq: 0, ..user }
        };
        let once = told(&[0, 1, 2, 3, 4, 5]);
        prop_assert_eq!(&told(&order), &once);
        let twice: Vec<usize> = order.iter().chain(&order).copied().collect();
        prop_assert_eq!(&told(&twice), &once);
    }
}

#[test]
fn a_dismissal_counts_once_however_often_it_is_told() {
    let mut world = World::new();
    world.poll(4, START);
    world.poll(4, START.plus(Span::from_seconds(60)));
    world.event(4, &AgentEvent::ProactiveDismissed, START.plus(Span::from_seconds(61)));
    let mut user = User::default();
    for _ in 0..3 {
        adopt(
            &mut user,
            &world.sessions[4],
            &world.product.caps,
            START.plus(Span::from_seconds(70)),
        );
    }
    let dismissed: usize = user.triggers.values().map(|memory| memory.dismissed.since(None)).sum();
    assert_eq!(dismissed, 1);
}
