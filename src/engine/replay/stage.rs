//! A group of sessions that may bear on each other, lived through in time order: at every instant
//! the earliest session moves on by one step.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::AgentEvent;
use crate::domain::time::Timestamp;
use crate::engine::advance::Received;
use crate::engine::around::{Around, Scope, is_own, own_conversation};
use crate::engine::charge::Charge;
use crate::engine::decide::decide;
use crate::engine::fire::propose;
use crate::engine::ghosts;
use crate::engine::replay::answers::is_answer;
use crate::engine::replay::recording::{Delivered, Recorded, What};
use crate::engine::replay::seat::{Next, Seat};
use crate::engine::replay::{Firing, Held, Play, Played};
use crate::engine::skip::skip_reason;
use crate::engine::world::World;

/// A firing that is refused is decided again this often, as at run time.
const ATTEMPTS: usize = 8;

pub(super) struct Stage<'a> {
    play: Play<'a>,
    world: World,
    /// Whether nobody else's doing can matter.
    alone: bool,
}

impl<'a> Stage<'a> {
    /// Lives through all of them; what each came to.
    pub(super) fn run(play: Play<'a>, group: &[&'a Recorded]) -> Vec<Played> {
        let mut seats: Vec<_> = group.iter().map(|recorded| Seat::new(recorded)).collect();
        let mut stage = Self { play, world: World::default(), alone: seats.len() == 1 };
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
                What::Offered(_) | What::Born => {}
            },
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
            let decided = decide(product, session, &around, now, &mut ());
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
        let person = session.identity.user_key().filter(|_| product.asks.of_person);
        let account = session.identity.account.as_ref().filter(|_| product.asks.of_account);
        Around {
            scope,
            session: product.asks_of_session.then(|| Arc::clone(&seat.resident.id)),
            user: person.and_then(|key| self.world.users.get(key)).cloned(),
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
