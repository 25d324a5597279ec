//! What an answer leaves behind in the memory of a trigger, a session's or a person's alike, and
//! how long the trigger backs off because of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::action::Delivery;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::session::TriggerMemory;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::Product;
use crate::rulebook::pacing::SNOOZE;
use crate::rulebook::pacing::backoff::{Backoff, MOST_DISMISSALS};
use crate::rulebook::rule::Rule;

/// Writes down when an outcome last came.
pub fn latest(memory: &mut TriggerMemory, outcome: Outcome, at: Timestamp) {
    let last = memory.outcomes.entry(outcome).or_insert(at);
    *last = (*last).max(at);
}

/// Writes down what became of an offer. A snooze beyond those its rule allows is a dismissal too.
/// Twice is once.
pub fn note(memory: &mut TriggerMemory, offer: &Offer, outcome: Outcome, now: Timestamp) {
    if outcome == Outcome::Snoozed {
        if memory.snoozed.holds(&offer.id) {
            return;
        }
        let before = snoozes(memory);
        memory.snoozed.keep_newest(&offer.id, now, MOST_DISMISSALS);
        latest(memory, outcome, now);
        let most = offer.terms.most_snoozes.and_then(|most| usize::try_from(most).ok());
        if most.is_some_and(|most| before >= most) {
            note(memory, offer, Outcome::Dismissed, now);
        }
        return;
    }
    latest(memory, outcome, now);
    if outcome == Outcome::Dismissed {
        memory.dismissed.keep_newest(&offer.id, now, MOST_DISMISSALS);
    }
}

/// How long a snooze rests the trigger: as the front end said, else its rule, else an hour.
fn snooze(offer: &Offer, said: Option<Span>) -> Span {
    said.or(offer.terms.snooze).unwrap_or(SNOOZE)
}

/// Until when an event rests the trigger of its offer, if it is a snooze.
pub fn put_off(offer: &Offer, event: &AgentEvent, now: Timestamp) -> Option<Timestamp> {
    let AgentEvent::ProactiveSnoozed { rest } = event else { return None };
    Some(now.plus(snooze(offer, *rest)))
}

/// Snoozes in a row: since the last answer of another kind.
fn snoozes(memory: &TriggerMemory) -> usize {
    let answers = [Outcome::Accepted, Outcome::Dismissed];
    memory
        .snoozed
        .since(answers.iter().filter_map(|outcome| memory.outcomes.get(outcome)).max().copied())
}

/// Until when a trigger backs off from whoever this memory is of; `None` when it need not.
pub fn backs_off_until(
    backoff: &Backoff,
    memory: &TriggerMemory,
    now: Timestamp,
) -> Option<Timestamp> {
    let wiped = memory.reset;
    let stands = |at: &&Timestamp| wiped.is_none_or(|wiped| wiped < **at);
    let rests = backoff.rests.iter().filter_map(|(outcome, rest)| {
        memory.outcomes.get(outcome).filter(stands).map(|at| at.plus(*rest))
    });
    let dismissed = backoff.dismissed.as_ref().and_then(|growth| {
        let dismissals = memory.dismissed.since(wiped);
        let last = memory.dismissed.latest().filter(|_| dismissals > 0)?;
        Some(last.plus(growth.rest(dismissals)))
    });
    rests.chain(dismissed).max().filter(|until| now < *until)
}

/// The triggers whose rests a delivery makes void.
pub fn wiped<'p>(product: &'p Product, delivery: &Delivery) -> impl Iterator<Item = &'p Arc<str>> {
    let actions = match delivery {
        Delivery::Actions(batch) => batch.actions.as_slice(),
        Delivery::Summary(_) => &[],
    };
    let wipes = |rule: &&Rule| {
        let reset = rule.pacing.backoff.reset.as_deref();
        reset.is_some_and(|kind| actions.iter().any(|action| action.kind == kind))
    };
    product.rules.iter().filter(wipes).map(|rule| &rule.id)
}

/// Makes the rests of these triggers void; whether there were any.
pub fn wipe<'p>(
    memories: &mut BTreeMap<Arc<str>, TriggerMemory>,
    triggers: impl Iterator<Item = &'p Arc<str>>,
    now: Timestamp,
) -> bool {
    let mut any = false;
    for trigger in triggers {
        if let Some(memory) = memories.get_mut(trigger) {
            memory.reset = memory.reset.max(Some(now));
            any = true;
        }
    }
    any
}

/// Takes over what another memory of the same trigger knows. Twice is once, in any order.
pub fn merge(into: &mut TriggerMemory, from: &TriggerMemory) {
    into.fired = into.fired.max(from.fired);
    into.rests_until = into.rests_until.max(from.rests_until);
    into.reset = into.reset.max(from.reset);
    for (outcome, at) in &from.outcomes {
        latest(into, *outcome, *at);
    }
    for (at, offer) in from.dismissed.entries() {
        into.dismissed.keep_newest(offer, at, MOST_DISMISSALS);
    }
    for (at, offer) in from.snoozed.entries() {
        into.snoozed.keep_newest(offer, at, MOST_DISMISSALS);
    }
}
