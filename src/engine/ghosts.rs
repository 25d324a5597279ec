//! Ghosts: what a decision would have offered and did not is noted, so that the next one knows of
//! it as it would of an offer. `cooldown`, `again_after` and `min_interval` hold for them, and caps
//! per session and per person count them: what was withheld beside what was offered, and for a
//! shadow what shadows would have offered, too. Caps per account and product, which many people
//! share, count offers alone.

use std::sync::Arc;

use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::ghosts::{Ghosts, Track};
use crate::domain::records::User;
use crate::domain::session::{Identity, Session};
use crate::domain::tally::{Per, Tallies};
use crate::domain::time::Timestamp;
use crate::engine::charge::counted;
use crate::engine::gates::{Facts, Refused};
use crate::engine::standing::Match;
use crate::rulebook::Product;
use crate::rulebook::pacing::caps::Cap;
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
        ghost.haunt(product, session, now);
    }
}

/// Notes one by its rule's name, whatever became of the rule; caps count it while they are there.
pub fn note_named(
    product: &Product,
    session: &mut Session,
    (name, withheld): (&Arc<str>, Option<Hold>),
    now: Timestamp,
) {
    match product.rules.iter().find(|rule| rule.id == *name) {
        Some(rule) => Ghost { rule, withheld }.haunt(product, session, now),
        None => {
            session.seq += 1;
            track(session.ghosts.get_or_insert_default(), withheld).note(name, now);
        }
    }
}

/// Notes them with the person, for `again_after` and caps.
pub fn note_person(
    product: &Product,
    (user, who): (&mut User, &Identity),
    decision: &Decision,
    now: Timestamp,
) {
    for ghost in of(product, decision) {
        user.seq += 1;
        let caps = ghost.caps(product, who, Per::User);
        ghost.write(user.ghosts.get_or_insert_default(), caps, now);
    }
}

/// The ledger a ghost goes to.
fn track(ghosts: &mut Ghosts, withheld: Option<Hold>) -> &mut Track {
    match withheld {
        None => &mut ghosts.shadow,
        Some(hold) => {
            ghosts.by_product = hold == Hold::HoldoutGlobal;
            &mut ghosts.withheld
        }
    }
}

impl<'p> Ghost<'p> {
    fn haunt(&self, product: &'p Product, session: &mut Session, now: Timestamp) {
        session.seq += 1;
        let caps = self.caps(product, &session.identity, Per::Session);
        self.write(session.ghosts.get_or_insert_default(), caps, now);
    }

    /// The caps of its rule that count in a record of this kind.
    fn caps(
        &self,
        product: &'p Product,
        who: &Identity,
        kind: Per,
    ) -> impl Iterator<Item = &'p Cap> + use<'p> {
        let who = who.clone();
        let caps = self.rule.pacing.caps.iter().filter_map(|place| product.caps.get(*place));
        caps.filter(move |cap| counted(cap.per, &who) == kind)
    }

    fn write(&self, ghosts: &mut Ghosts, caps: impl Iterator<Item = &'p Cap>, now: Timestamp) {
        let track = track(ghosts, self.withheld);
        track.note(&self.rule.id, now);
        // No offer was made: the ghost's name is its trigger's and its instant.
        let name = format!("{}@{}", self.rule.id, now.as_millis()).into();
        caps.for_each(|cap| track.tallies.charge(cap.bound(), &name, now));
    }
}

/// What caps count beside offers, in a record of this kind.
pub(super) fn counts<'a>(
    asked: &Match<'a>,
    kind: Per,
) -> impl Iterator<Item = &'a Tallies> + use<'a> {
    let Facts { session, around, .. } = *asked.facts;
    let ghosts = match kind {
        Per::Session => session.ghosts.as_deref(),
        Per::User => around.user.as_ref().and_then(|user| user.ghosts.as_deref()),
        Per::Account | Per::Product => None,
    };
    let shadow = ghosts.filter(|_| asked.is_shadow()).map(|ghosts| &ghosts.shadow);
    let tracks = ghosts.map(|ghosts| &ghosts.withheld).into_iter().chain(shadow);
    tracks.map(|track| &track.tallies).filter(|tallies| !tallies.is_empty())
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
