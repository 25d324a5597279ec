//! A group of sessions that may bear on each other, lived through in time order: at every instant
//! the earliest session moves on by one step.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::AgentEvent;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::advance::Received;
use crate::engine::around::{Around, Scope, is_own, own_conversation};
use crate::engine::charge::Charge;
use crate::engine::decide::decide;
use crate::engine::fire::propose;
use crate::engine::ghosts;
use crate::engine::person::{recall, recall_account};
use crate::engine::replay::answers::is_answer;
use crate::engine::replay::recording::{Delivered, Recorded, What};
use crate::engine::replay::seat::{Next, Seat};
use crate::engine::replay::{Firing, Held, Play, Played};
use crate::engine::skip::skip_reason;
use crate::engine::tape::wire::Known;
use crate::engine::world::World;

/// A firing that is refused is decided again this often, as at run time.
const ATTEMPTS: usize = 8;

pub(super) struct Stage<'a> {
    play: Play<'a>,
    world: World,
    /// Whether nobody else's doing can matter.
    alone: bool,
    /// People and accounts whose life before the recording is known, or can no longer be told.
    people: HashSet<Arc<str>>,
    accounts: HashSet<Arc<str>>,
}

impl<'a> Stage<'a> {
    /// Lives through all of them; what each came to.
    pub(super) fn run(play: Play<'a>, group: &[&'a Recorded]) -> Vec<Played> {
        let mut seats: Vec<_> = group.iter().map(|recorded| Seat::new(recorded)).collect();
        let (people, accounts) = <_>::default();
        let alone = seats.len() == 1;
        let mut stage = Self { play, world: World::default(), alone, people, accounts };
        let mut queue: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
        let starts = seats.iter().enumerate();
        queue.extend(starts.filter_map(|(place, seat)| Some(Reverse((seat.when()?, place)))));
        while let Some(Reverse((now, place))) = queue.pop() {
            let Some(seat) = seats.get_mut(place) else { continue };
            stage.step(seat, now);
            match seat.when() {
                Some(next) => queue.push(Reverse((next, place))),
                None => seat.leave(),
            }
        }
        seats.into_iter().map(|seat| seat.played).collect()
    }

    fn step(&mut self, seat: &mut Seat<'a>, now: Timestamp) {
        seat.age(self.play.limits, now);
        match seat.take(now) {
            Next::Answer(event) => {
                let offer = seat.resident.session.offer.as_ref().filter(|offer| !is_own(offer));
                let conversation = offer.map(|offer| Arc::clone(&offer.conversation));
                self.report(seat, conversation.as_ref(), &event, now);
            }
            Next::Poll => self.poll(seat, None, now),
            Next::Heard(moment) => match &moment.what {
                What::Delivered(delivered) => self.deliver(seat, delivered, now),
                What::Polled(conversation) | What::Noted(conversation) => {
                    self.poll(seat, conversation.as_ref(), now);
                }
                What::Noticed => self.poll(seat, None, now),
                // What was answered to offers of then is for `assume` to say.
                What::Reported(_, event) if is_answer(event) => {}
                What::Reported(conversation, event) => {
                    self.report(seat, conversation.as_ref(), event, now);
                }
                What::Stands(state) => seat.stand(state),
                What::Erased => seat.forget(),
                What::Knew(known) => self.recall(seat, Some(known), now),
                // What is known of them from now on has this offer in it.
                What::Offered(_) => self.recall(seat, None, now),
                What::Born => {}
            },
        }
    }

    /// A recording begins in the middle of people's lives. What was known of them before its first
    /// offer to them is theirs from the first instant that tells of it.
    fn recall(&mut self, seat: &Seat<'_>, known: Option<&Known>, now: Timestamp) {
        let identity = &seat.resident.session.identity;
        let caps = &self.play.product.caps;
        if let Some(key) = identity.user_key() {
            let user = known.and_then(|known| known.user.as_ref());
            if let (Some(user), false) = (user, self.people.contains(key)) {
                let here = self.world.users.entry(Arc::clone(key)).or_default();
                recall(here, user, caps, now);
            }
            if known.is_none() || user.is_some() {
                self.people.insert(Arc::clone(key));
            }
        }
        if let Some(key) = &identity.account {
            let account = known.and_then(|known| known.account.as_ref());
            if let (Some(account), false) = (account, self.accounts.contains(key)) {
                let here = self.world.accounts.entry(Arc::clone(key)).or_default();
                recall_account(here, account, caps, now);
            }
            if known.is_none() || account.is_some() {
                self.accounts.insert(Arc::clone(key));
            }
        }
    }

    fn deliver(&mut self, seat: &mut Seat<'a>, delivered: &Delivered, now: Timestamp) {
        let received = Received {
            delivery: &delivered.delivery,
            identity: delivered.identity,
            trust: delivered.trust,
            voucher: delivered.voucher.as_deref(),
            most_actions: self.play.limits.actions_per_batch,
        };
        let advanced = self.world.deliver(self.play.product, &mut seat.resident, &received, now);
        if !advanced.duplicate {
            seat.wrote(now);
            seat.attend(&self.play, now);
        }
    }

    fn report(
        &mut self,
        seat: &mut Seat<'a>,
        conversation: Option<&Arc<str>>,
        event: &AgentEvent,
        now: Timestamp,
    ) {
        let (product, session) = (self.play.product, &mut seat.resident.session);
        let said = (event, None);
        let reaction = match conversation {
            None => self.world.report(product, session, said, now),
            Some(id) => self.world.report_foreign(product, id, Some(session), said, now),
        };
        if reaction.unheard.is_none() {
            seat.wrote(now);
            seat.changed(&self.play, now);
        }
    }

    fn poll(&mut self, seat: &mut Seat<'a>, conversation: Option<&Arc<str>>, now: Timestamp) {
        let product = self.play.product;
        self.world.settle(product, &mut seat.resident.session, now);
        let mut around = self.around(seat, conversation, now);
        let mut decision = None;
        for _ in 0..ATTEMPTS {
            let session = &mut seat.resident.session;
            // Hardly any poll changes a person's memory: it is lent and given back, not copied.
            let lent = self.lend(session, &mut around);
            let decided = decide(product, session, &around, now, &mut ());
            self.give_back(lent, &mut around, matches!(decided.verdict, Verdict::Fire(_)));
            decision = Some(decided);
            self.haunt(seat, &decided, now);
            let Verdict::Fire(place) = decided.verdict else {
                self.hold(seat, &decided);
                break;
            };
            if self.fire(seat, place, &mut around, now) {
                seat.last_held = None;
                break;
            }
        }
        if let Some(decision) = decision {
            seat.polled(&self.play, (&decision, self.alone), now);
        }
    }

    /// Puts the person's memory into what is known around, unless a refused claim has told of it;
    /// whose it is.
    fn lend(&mut self, session: &Session, around: &mut Around) -> Option<Arc<str>> {
        let asked = self.play.product.asks.of_person && around.user.is_none();
        let key = session.identity.user_key().filter(|_| asked)?;
        let user = self.world.users.get_mut(key)?;
        around.user = Some(std::mem::take(user));
        Some(Arc::clone(key))
    }

    /// Gives back what was lent; `around` goes on knowing it where an offer is going to be made.
    fn give_back(&mut self, lent: Option<Arc<str>>, around: &mut Around, knows: bool) {
        let Some(user) = lent.and_then(|key| self.world.users.get_mut(&key)) else { return };
        let known = if knows { around.user.clone() } else { around.user.take() };
        *user = known.unwrap_or_default();
    }

    /// What is known before the session is looked at, as at run time: what only a claim would tell is
    /// not.
    fn around(&self, seat: &Seat<'_>, conversation: Option<&Arc<str>>, now: Timestamp) -> Around {
        let (product, session) = (self.play.product, &seat.resident.session);
        let scope = conversation.map_or(Scope::Own, |id| {
            let known = self.world.conversations.get(id);
            let mut machine = known.map(|known| known.machine.clone()).unwrap_or_default();
            machine.settle(now);
            Scope::Foreign { conversation: Arc::clone(id), machine }
        });
        let account = session.identity.account.as_ref().filter(|_| product.asks.of_account);
        Around {
            scope,
            session: product.asks_of_session.then(|| Arc::clone(&seat.resident.id)),
            account: account.and_then(|key| self.world.accounts.get(key)).cloned(),
            ..Around::default()
        }
    }

    fn haunt(&mut self, seat: &mut Seat<'_>, decision: &Decision, now: Timestamp) {
        let product = self.play.product;
        let ghosts = ghosts::of(product, decision).map(|ghost| Arc::clone(&ghost.rule.id));
        let before = seat.played.ghosts.len();
        seat.played.ghosts.extend(ghosts);
        if before < seat.played.ghosts.len() {
            seat.wrote(now);
            self.world.haunt(product, &mut seat.resident.session, decision, now);
        }
    }

    /// A rule that matches is kept back; told when that begins.
    fn hold(&self, seat: &mut Seat<'_>, decision: &Decision) {
        let same = |last: &Decision| {
            (last.verdict, last.rule, last.cap) == (decision.verdict, decision.rule, decision.cap)
        };
        let goes_on = seat.last_held.as_ref().is_some_and(same);
        seat.last_held = Some(*decision);
        let product = self.play.product;
        let rule = decision.rule.and_then(|place| product.rules.get(place));
        if let (Some(rule), Some(reason), false) = (rule, skip_reason(product, decision), goes_on) {
            let (trigger, reason) = (Arc::clone(&rule.id), reason.into());
            seat.played.held.push(Held { trigger, reason });
        }
    }

    fn fire(
        &mut self,
        seat: &mut Seat<'_>,
        place: usize,
        around: &mut Around,
        now: Timestamp,
    ) -> bool {
        let product = self.play.product;
        let resident = &mut seat.resident;
        let conversation = match &around.scope {
            Scope::Foreign { conversation, .. } => Arc::clone(conversation),
            Scope::Own | Scope::Invalid => own_conversation(&resident.id),
        };
        let Some(rule) = product.rules.get(place) else { return true };
        let known = (&resident.session, &*around);
        let offer = propose(product, rule, known, &resident.id, &conversation, now);
        let Some(offer) = offer else { return true };
        let who = resident.session.identity.clone();
        let charge = Charge { product, rule, who: &who, offer: &offer, now };
        if self.world.fire(&charge, resident, around).is_err() {
            return false;
        }
        if !offer.tester {
            seat.played.firings.push(Firing::of(&offer));
        }
        let course = seat.answers.to(&offer, self.play.assume);
        seat.expect(course, now);
        seat.wrote(now);
        true
    }
}
