//! Claims: what a firing charges outside its session. Each is atomic in its own record and
//! idempotent by offer id; a refused firing takes the earlier ones back.

use std::sync::Arc;

use crate::domain::machine::{AgentState, Machine};
use crate::domain::offer::Offer;
use crate::domain::records::{Conversation, Product as ProductRecord, User};
use crate::domain::session::{Session, TriggerMemory};
use crate::domain::time::Timestamp;
use crate::engine::gates::{DAY, MINUTE};
use crate::rulebook::rule::Rule;
use crate::rulebook::settings::Quotas;

/// Until when a trigger rests: its cooldown after firing, a snooze, and `again_after` (the
/// person's where known, the session's in any case). `None` when it may fire.
pub fn rests_until(
    rule: &Rule,
    session: &Session,
    user: Option<&User>,
    now: Timestamp,
) -> Option<Timestamp> {
    let here = session.triggers.get(&rule.id);
    let cooldown = here.and_then(|memory| memory.fired).map(|at| at.plus(rule.offer.cooldown));
    let snooze = here.and_then(|memory| memory.rests_until);
    let again =
        again_at(rule, here).max(again_at(rule, user.and_then(|u| u.triggers.get(&rule.id))));
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

/// Charges the person's daily quota and notes the trigger's firing for `again_after`; neither for
/// a tester.
pub fn claim_user(
    record: &mut User,
    rule: &Rule,
    quotas: Quotas,
    offer: &Offer,
    now: Timestamp,
) -> Result<(), Refused> {
    if offer.tester || record.fired.holds(&offer.id) {
        return Ok(());
    }
    let resting = again_at(rule, record.triggers.get(&rule.id)).is_some_and(|until| now < until);
    if resting || record.fired.full_until(quotas.user_per_day, DAY, now).is_some() {
        return Err(Refused);
    }
    record.seq += 1;
    record.fired.charge(&offer.id, now, DAY);
    record.triggers.entry(Arc::clone(&rule.id)).or_default().fired = Some(now);
    Ok(())
}

/// Takes the charge back, and the trigger's rest where this firing began it. An earlier rest had
/// run out, or the claim would have been refused.
pub fn release_user(record: &mut User, offer: &Offer) {
    record.seq += 1;
    record.fired.release(&offer.id);
    if let Some(memory) = record.triggers.get_mut(&offer.trigger)
        && memory.fired == Some(offer.made_at)
    {
        memory.fired = None;
    }
}

/// Charges the product's quota per minute, but not for a tester; an open circuit refuses too.
pub fn claim_product(
    record: &mut ProductRecord,
    quotas: Quotas,
    offer: &Offer,
    now: Timestamp,
) -> Result<(), Refused> {
    if record.fired.holds(&offer.id) {
        return Ok(());
    }
    let full = record.fired.full_until(quotas.product_per_minute, MINUTE, now);
    if (full.is_some() && !offer.tester) || record.circuit.open_until(now).is_some() {
        return Err(Refused);
    }
    if !offer.tester {
        record.fired.charge(&offer.id, now, MINUTE);
    }
    Ok(())
}

/// Takes the charge back.
pub fn release_product(record: &mut ProductRecord, offer: &Offer) {
    record.fired.release(&offer.id);
}
