//! Claims: what a firing charges outside its session. Each is atomic in its own record and
//! idempotent by offer id; a refused firing takes the earlier ones back.

use std::sync::Arc;

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
    offer: &Offer,
    now: Timestamp,
) -> Result<(), Refused> {
    if record.offer.as_ref() == Some(&offer.id) {
        return Ok(());
    }
    record.machine.settle(now);
    let spared = offer.tester && record.machine.state == AgentState::ConservativeAssistance;
    if record.machine.state != AgentState::Thinking && !spared {
        return Err(Refused);
    }
    record.machine.offer(offer.expires_at, now);
    record.offer = Some(Arc::clone(&offer.id));
    record.session = Some(Arc::clone(session));
    Ok(())
}

/// Gives the conversation's machine back.
pub fn release_conversation(record: &mut Conversation, offer: &Offer, now: Timestamp) {
    if record.offer.as_ref() == Some(&offer.id) {
        record.offer = None;
        let dismissals = record.machine.dismissals;
        record.machine = Machine { since: now, dismissals, ..Machine::default() };
    }
}

/// Charges the person's daily quota and caps, and notes the trigger's firing for `again_after` and
/// its group's live offer. A tester only enters the group.
pub fn claim_user(record: &mut User, charge: &Charge<'_>) -> Result<(), Refused> {
    let Charge { rule, offer, now, .. } = *charge;
    if record.fired.holds(&offer.id) {
        return Ok(());
    }
    if record.consent.is_some_and(|word| word.denied) {
        return Err(Refused);
    }
    let group = rule.pacing.group.as_ref();
    if group.is_some_and(|group| record.groups.is_busy(group, &offer.id, now)) {
        return Err(Refused);
    }
    if offer.tester {
        enter(record, charge);
        return Ok(());
    }
    let quotas = charge.product.settings.proactive.quotas;
    let memory = record.triggers.get(&rule.id);
    let put_off = memory.and_then(|memory| memory.rests_until);
    let rests = put_off.max(again_at(rule, memory)).is_some_and(|until| now < until);
    let backs_off = memory.and_then(|m| backs_off_until(&rule.pacing.backoff, m, now)).is_some();
    let full = record.fired.full_until(quotas.user_per_day, DAY, now).is_some()
        || charge.is_refused(Per::User, &record.tallies);
    if rests || backs_off || full {
        return Err(Refused);
    }
    record.seq += 1;
    record.fired.charge(&offer.id, now, DAY);
    charge.take(Per::User, &mut record.tallies);
    enter(record, charge);
    record.triggers.entry(Arc::clone(&rule.id)).or_default().fired = Some(now);
    Ok(())
}

/// The person's other sessions see that the rule's group is busy.
fn enter(record: &mut User, charge: &Charge<'_>) {
    let Charge { rule, offer, now, .. } = *charge;
    if let Some(group) = &rule.pacing.group {
        record.seq += 1;
        record.groups.enter(group, &offer.id, offer.expires_at, now);
    }
}

/// Takes the charges back, and the trigger's rest where this firing began it. An earlier rest had
/// run out, or the claim would have been refused.
pub fn release_user(record: &mut User, offer: &Offer) {
    record.seq += 1;
    record.fired.release(&offer.id);
    record.tallies.release(&offer.id);
    record.groups.leave(&offer.id);
    if let Some(memory) = record.triggers.get_mut(&offer.trigger)
        && memory.fired == Some(offer.made_at)
    {
        memory.fired = None;
    }
}

/// Charges the caps per account.
pub fn claim_account(record: &mut Account, charge: &Charge<'_>) -> Result<(), Refused> {
    let before = record.tallies.holds(&charge.offer.id);
    if !before && charge.is_refused(Per::Account, &record.tallies) {
        return Err(Refused);
    }
    if !before {
        record.seq += 1;
        charge.take(Per::Account, &mut record.tallies);
    }
    Ok(())
}

/// Takes the charges back.
pub fn release_account(record: &mut Account, offer: &Offer) {
    record.seq += 1;
    record.tallies.release(&offer.id);
}

/// Charges the product's quota per minute and its caps, but not for a tester; an open circuit
/// refuses too.
pub fn claim_product(record: &mut ProductRecord, charge: &Charge<'_>) -> Result<(), Refused> {
    let Charge { offer, now, .. } = *charge;
    if record.fired.holds(&offer.id) {
        return Ok(());
    }
    let quotas = charge.product.settings.proactive.quotas;
    let full = record.fired.full_until(quotas.product_per_minute, MINUTE, now).is_some()
        || charge.is_refused(Per::Product, &record.tallies);
    if (full && !offer.tester) || record.circuit.open_until(now).is_some() {
        return Err(Refused);
    }
    if !offer.tester {
        record.fired.charge(&offer.id, now, MINUTE);
        charge.take(Per::Product, &mut record.tallies);
    }
    Ok(())
}

/// Takes the charges back.
pub fn release_product(record: &mut ProductRecord, offer: &Offer) {
    record.fired.release(&offer.id);
    record.tallies.release(&offer.id);
}
