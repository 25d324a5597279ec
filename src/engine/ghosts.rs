//! Ghosts: what a decision would have offered and did not is noted, so that the next one knows of
//! it as it would of an offer. Caps count no ghosts; `cooldown`, `again_after` and `min_interval`
//! hold for them.

use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::ghosts::{Ghosts, Track};
use crate::domain::records::User;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::gates::{Facts, Refused};
use crate::engine::standing::Match;
use crate::rulebook::Product;
use crate::rulebook::rule::Rule;

/// An offer that was not made.
#[derive(Clone, Copy, Debug)]
pub struct Ghost<'p> {
    /// Whose.
    pub rule: &'p Rule,
    /// Which control group it was withheld from; `None` for a shadow's.
    pub withheld: Option<Hold>,
}

/// The ghosts of a decision: at most one of a shadow, and one withheld.
pub fn of<'p>(product: &'p Product, decision: &Decision) -> impl Iterator<Item = Ghost<'p>> {
    let rule = |place: Option<usize>| product.rules.get(place?);
    let shadow = rule(decision.shadow.would).map(|rule| Ghost { rule, withheld: None });
    let withheld = match decision.verdict {
        Verdict::Hold(hold @ (Hold::HoldoutTrigger | Hold::HoldoutGlobal)) => {
            rule(decision.rule).map(|rule| Ghost { rule, withheld: Some(hold) })
        }
        _ => None,
    };
    shadow.into_iter().chain(withheld)
}

/// Notes the ghosts of a decision in the session it was made for.
pub fn note(product: &Product, session: &mut Session, decision: &Decision, now: Timestamp) {
    for ghost in of(product, decision) {
        session.seq += 1;
        ghost.write(session.ghosts.get_or_insert_default(), now);
    }
}

/// Notes them with the person, for `again_after`.
pub fn note_person(product: &Product, user: &mut User, decision: &Decision, now: Timestamp) {
    for ghost in of(product, decision) {
        user.seq += 1;
        ghost.write(user.ghosts.get_or_insert_default(), now);
    }
}

impl Ghost<'_> {
    fn write(&self, ghosts: &mut Ghosts, now: Timestamp) {
        match self.withheld {
            None => ghosts.shadow.note(&self.rule.id, now),
            Some(hold) => {
                ghosts.withheld.note(&self.rule.id, now);
                ghosts.by_product = hold == Hold::HoldoutGlobal;
            }
        }
    }
}

/// What was withheld keeps everything else away for as long as an offer would have: the runner-up
/// is not offered instead.
pub(super) fn withheld(facts: &Facts<'_>) -> Result<(), Refused> {
    let Some(ghosts) = facts.session.ghosts.as_deref() else { return Ok(()) };
    let hold = if ghosts.by_product { Hold::HoldoutGlobal } else { Hold::HoldoutTrigger };
    let ready = ghosts.withheld.last.map(|last| last.plus(facts.settings.min_interval));
    match ready.filter(|ready| facts.now < *ready) {
        Some(until) => Err(Refused::new(hold, until)),
        None => Ok(()),
    }
}

/// What keeps a shadow back: the last ghost of any shadow, and its own.
pub(super) fn shadow_rests(asked: &Match<'_>) -> Result<(), Refused> {
    let Facts { session, settings, now, .. } = *asked.facts;
    let last = session.ghosts.as_deref().and_then(|ghosts| ghosts.shadow.last);
    let ready = last.map(|last| last.plus(settings.min_interval));
    if let Some(until) = ready.filter(|ready| now < *ready) {
        return Err(Refused::new(Hold::MinInterval, until));
    }
    match rests_until(asked, |ghosts| &ghosts.shadow) {
        Some(until) => Err(Refused::new(Hold::TriggerCooldown, until)),
        None => Ok(()),
    }
}

/// Until when a rule rests after what was withheld of it.
pub(super) fn withheld_rests_until(asked: &Match<'_>) -> Option<Timestamp> {
    rests_until(asked, |ghosts| &ghosts.withheld)
}

fn rests_until(asked: &Match<'_>, track: impl Fn(&Ghosts) -> &Track) -> Option<Timestamp> {
    let Facts { session, around, now, .. } = *asked.facts;
    let person = around.user.as_ref().and_then(|user| user.ghosts.as_deref());
    let (rule, here) = (asked.rule, session.ghosts.as_deref());
    let last = |ghosts: Option<&Ghosts>| track(ghosts?).triggers.get(&rule.id).copied();
    let cooldown = last(here).map(|at| at.plus(rule.offer.cooldown));
    let again = rule.again_after.and_then(|rest| Some(last(here).max(last(person))?.plus(rest)));
    cooldown.max(again).filter(|until| now < *until)
}
