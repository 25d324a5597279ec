//! Claims: what a firing charges outside its session. Each is atomic in its own record and charges
//! an offer once, however many attempts to make it there are; a refused attempt lets go of the
//! earlier ones, and what nobody holds any more is taken back.
//!
//! Whatever an attempt that holds its claims may still make is counted, at no earlier a time than
//! its own: a crash in between leaves one counted that was not made, never the other way round.

use std::sync::Arc;

use crate::domain::holders::{Attempt, Left};
use crate::domain::machine::{AgentState, Machine};
use crate::domain::offer::Offer;
use crate::domain::records::{Account, Conversation, Product as ProductRecord, User};
use crate::domain::session::{Session, TriggerMemory};
use crate::domain::tally::Per;
use crate::domain::time::Timestamp;
use crate::engine::charge::Charge;
use crate::engine::gates::{DAY, MINUTE};
use crate::engine::memory::backs_off_until;
use crate::rulebook::rule::Rule;

/// Until when a trigger rests: its cooldown after firing, a snooze and `again_after` (the person's
/// where known, the session's in any case). `None` when it may fire.
pub fn rests_until(
    rule: &Rule,
    session: &Session,
    user: Option<&User>,
    now: Timestamp,
) -> Option<Timestamp> {
    let here = session.triggers.get(&rule.id);
    let anywhere = user.and_then(|user| user.triggers.get(&rule.id));
    let cooldown = here.and_then(|memory| memory.fired).map(|at| at.plus(rule.offer.cooldown));
    let put_off = |memory: Option<&TriggerMemory>| memory.and_then(|memory| memory.rests_until);
    let snooze = put_off(here).max(put_off(anywhere));
    let again = again_at(rule, here).max(again_at(rule, anywhere));
    cooldown.max(snooze).max(again).filter(|until| now < *until)
}

fn again_at(rule: &Rule, memory: Option<&TriggerMemory>) -> Option<Timestamp> {
    Some(memory?.fired?.plus(rule.again_after?))
}

/// A claim was refused: the record says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Takes the foreign conversation's machine for the offer.
pub fn claim_conversation(
    record: &mut Conversation,
    session: &Arc<str>,
    (offer, attempt): (&Offer, Attempt),
    now: Timestamp,
) -> Result<(), Refused> {
    record.machine.settle(now);
    let is_shown = record.offer.as_ref() == Some(&offer.id)
        && record.machine.state == AgentState::ProactiveAssistance;
    match record.machine.state {
        _ if is_shown => {
            record.machine.until = record.machine.until.max(Some(offer.expires_at));
        }
        AgentState::Thinking => begin(record, offer, now),
        AgentState::ConservativeAssistance if offer.tester => begin(record, offer, now),
        _ => return Err(Refused),
    }
    record.session = Some(Arc::clone(session));
    record.holders.hold(&offer.id, attempt, is_shown, now);
    Ok(())
}

/// A turn of its own, even if this offer has had one: who held that holds nothing any more.
fn begin(record: &mut Conversation, offer: &Offer, now: Timestamp) {
    record.machine.offer(offer.expires_at, now);
    record.offer = Some(Arc::clone(&offer.id));
    record.holders.clear();
}

/// Gives the conversation's machine back, unless another attempt at the same offer holds it;
/// whether anything changed.
pub fn release_conversation(
    record: &mut Conversation,
    (offer, attempt): (&Offer, Attempt),
    now: Timestamp,
) -> bool {
    let left = record.holders.let_go(&offer.id, attempt);
    let shown = record.offer.as_ref() == Some(&offer.id);
    if left == Left::Nobody && shown && record.machine.state == AgentState::ProactiveAssistance {
        record.offer = None;
        let dismissals = record.machine.dismissals;
        record.machine = Machine { since: now, dismissals, ..Machine::default() };
    }
    left != Left::Unknown
}

/// Charges the person's daily quota and caps, and notes the trigger's firing for `again_after` and
/// its group's live offer. A tester only enters the group.
pub fn claim_user(record: &mut User, charge: &Charge<'_>, attempt: Attempt) -> Result<(), Refused> {
    let Charge { rule, offer, now, .. } = *charge;
    if record.consent.is_some_and(|word| word.denied) {
        return Err(Refused);
    }
    let group = rule.pacing.group.as_ref();
    if group.is_some_and(|group| record.groups.is_busy(group, &offer.id, now)) {
        return Err(Refused);
    }
    let charged = record.fired.at(&offer.id);
    let held = charged.is_some() || record.groups.holds(&offer.id);
    if !offer.tester {
        if is_refused(record, charge, charged) {
            return Err(Refused);
        }
        record.seq += 1;
        record.fired.renew(&offer.id, now, DAY);
        charge.take(Per::User, &mut record.tallies);
        let memory = record.triggers.entry(Arc::clone(&rule.id)).or_default();
        memory.fired = memory.fired.max(Some(now));
    }
    enter(record, charge);
    record.holders.hold(&offer.id, attempt, held, now);
    Ok(())
}

/// Whether the person's quota, a cap or the trigger's rest refuses; what this very offer was
/// `charged` by an earlier attempt is no reason against it.
fn is_refused(record: &User, charge: &Charge<'_>, charged: Option<Timestamp>) -> bool {
    let Charge { rule, offer, now, .. } = *charge;
    let limit = charge.product.settings.proactive.quotas.user_per_day;
    let memory = record.triggers.get(&rule.id);
    let again = again_at(rule, memory.filter(|memory| charged.is_none() || memory.fired > charged));
    let rests = memory.and_then(|memory| memory.rests_until).max(again);
    rests.is_some_and(|until| now < until)
        || memory.is_some_and(|m| backs_off_until(&rule.pacing.backoff, m, now).is_some())
        || record.fired.full_until_beside(&offer.id, limit, DAY, now).is_some()
        || charge.is_refused(Per::User, &record.tallies)
}

/// The person's other sessions see that the rule's group is busy.
fn enter(record: &mut User, charge: &Charge<'_>) {
    let Charge { rule, offer, now, .. } = *charge;
    if let Some(group) = &rule.pacing.group {
        record.seq += 1;
        record.groups.enter(group, &offer.id, offer.expires_at, now);
    }
}

/// Takes the charges back, unless another attempt at the same offer relies on them, and the
/// trigger's rest where this offer began it; whether anything changed. An earlier rest had run out,
/// or the claim would have been refused.
pub fn release_user(record: &mut User, offer: &Offer, attempt: Attempt) -> bool {
    let left = record.holders.let_go(&offer.id, attempt);
    record.seq += u64::from(left != Left::Unknown);
    if left == Left::Nobody {
        let charged = record.fired.at(&offer.id);
        record.fired.release(&offer.id);
        record.tallies.release(&offer.id);
        record.groups.leave(&offer.id);
        if let Some(memory) = record.triggers.get_mut(&offer.trigger)
            && charged.is_some()
            && memory.fired == charged
        {
            memory.fired = None;
        }
    }
    left != Left::Unknown
}

/// Charges the caps per account.
pub fn claim_account(
    record: &mut Account,
    charge: &Charge<'_>,
    attempt: Attempt,
) -> Result<(), Refused> {
    if charge.is_refused(Per::Account, &record.tallies) {
        return Err(Refused);
    }
    let held = record.tallies.holds(&charge.offer.id);
    record.seq += 1;
    charge.take(Per::Account, &mut record.tallies);
    record.holders.hold(&charge.offer.id, attempt, held, charge.now);
    Ok(())
}

/// Takes the charges back, unless another attempt at the same offer relies on them; whether
/// anything changed.
pub fn release_account(record: &mut Account, offer: &Offer, attempt: Attempt) -> bool {
    let left = record.holders.let_go(&offer.id, attempt);
    record.seq += u64::from(left != Left::Unknown);
    if left == Left::Nobody {
        record.tallies.release(&offer.id);
    }
    left != Left::Unknown
}

/// Charges the product's quota per minute and its caps, but not for a tester; an open circuit
/// refuses too. Whether anything was charged: where nothing counts, not all that is offered need go
/// through one record.
pub fn claim_product(
    record: &mut ProductRecord,
    charge: &Charge<'_>,
    attempt: Attempt,
) -> Result<bool, Refused> {
    let Charge { offer, now, .. } = *charge;
    if record.circuit.open_until(now).is_some() {
        return Err(Refused);
    }
    let limit = charge.product.settings.proactive.quotas.product_per_minute;
    if offer.tester || (limit == 0 && charge.caps(Per::Product).next().is_none()) {
        return Ok(false);
    }
    let full = record.fired.full_until_beside(&offer.id, limit, MINUTE, now).is_some()
        || charge.is_refused(Per::Product, &record.tallies);
    if full {
        return Err(Refused);
    }
    let held = record.fired.holds(&offer.id) || record.tallies.holds(&offer.id);
    record.fired.renew(&offer.id, now, MINUTE);
    charge.take(Per::Product, &mut record.tallies);
    record.holders.hold(&offer.id, attempt, held, now);
    Ok(true)
}

/// Takes the charges back, unless another attempt at the same offer relies on them; whether
/// anything changed.
pub fn release_product(record: &mut ProductRecord, offer: &Offer, attempt: Attempt) -> bool {
    let left = record.holders.let_go(&offer.id, attempt);
    if left == Left::Nobody {
        record.fired.release(&offer.id);
        record.tallies.release(&offer.id);
    }
    left != Left::Unknown
}

#[cfg(test)]
mod tests;
