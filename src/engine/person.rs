//! What one session tells of a person, and of their account, becomes part of the memory of these.

mod history;

pub use history::{History, history, remember};

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::consent::Consent;
use crate::domain::happened;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::{Account, User};
use crate::domain::session::Session;
use crate::domain::tally::{Per, Tallies};
use crate::domain::time::Timestamp;
use crate::domain::traits::learn;
use crate::engine::gates::DAY;
use crate::engine::memory::{merge, note};
use crate::rulebook::pacing::caps::Cap;

/// A session turned out to be this person's: its firings and outcomes are theirs, and what is over
/// there is over for them. Twice is once.
pub fn adopt(user: &mut User, session: &Session, caps: &[Cap], now: Timestamp) {
    user.seq += 1;
    user.fired.absorb(&session.fired, now, DAY);
    for offer in session.fired.offers().filter(|offer| !session.groups.holds(offer)) {
        user.groups.leave(offer);
    }
    user.groups.absorb(&session.groups, now);
    user.consent = user.consent.max(session.consent);
    if let Some(ghosts) = session.ghosts.as_deref() {
        let known = user.ghosts.get_or_insert_default();
        known.shadow.absorb(&ghosts.shadow);
        known.withheld.absorb(&ghosts.withheld);
    }
    for cap in caps.iter().filter(|cap| matches!(cap.per, Per::User | Per::Account)) {
        user.tallies.absorb(cap.bound(), &session.tallies, now);
        if let (Some(known), Some(ghosts)) = (&mut user.ghosts, &session.ghosts) {
            known.shadow.tallies.absorb(cap.bound(), &ghosts.shadow.tallies, now);
            known.withheld.tallies.absorb(cap.bound(), &ghosts.withheld.tallies, now);
        }
    }
    for (trigger, memory) in &session.triggers {
        merge(user.triggers.entry(Arc::clone(trigger)).or_default(), memory);
    }
}

/// What was known of this person elsewhere becomes part of it. Twice is once.
pub fn recall(user: &mut User, known: &User, caps: &[Cap], now: Timestamp) {
    let User {
        seq: _, traits, fired, triggers, tallies, groups, happened, ghosts, consent, ..
    } = known.clone();
    let told = Session { fired, triggers, tallies, groups, ghosts, consent, ..Session::default() };
    adopt(user, &told, caps, now);
    for (name, value) in traits {
        user.traits.entry(name).or_insert(value);
    }
    for (step, instants) in happened {
        let here = user.happened.entry(step).or_default();
        for one in instants {
            let _news = happened::remember(here, one);
        }
    }
}

/// The same of an account.
pub fn recall_account(account: &mut Account, known: &Account, caps: &[Cap], now: Timestamp) {
    join(account, &known.tallies, caps, now);
    for (name, value) in &known.traits {
        account.traits.entry(Arc::clone(name)).or_insert_with(|| value.clone());
    }
}

/// They said whether they want to be offered anything. Twice is once, in any order.
pub fn told(user: &mut User, word: Consent) {
    user.seq += 1;
    user.consent = user.consent.max(Some(word));
}

/// Takes what was said of an account; whether that is news.
pub fn learn_account(account: &mut Account, said: &Map<String, Value>) -> bool {
    let news = learn(&mut account.traits, said);
    account.seq += u64::from(news);
    news
}

/// A session turned out to be of this account: what its caps counted elsewhere meanwhile is
/// theirs. Twice is once.
pub fn join(account: &mut Account, tallies: &Tallies, caps: &[Cap], now: Timestamp) {
    account.seq += 1;
    for cap in caps.iter().filter(|cap| cap.per == Per::Account) {
        account.tallies.absorb(cap.bound(), tallies, now);
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Became {
    /// By which name, if that is told.
    pub outcome: Option<Outcome>,
    /// Until when it stays live all the same.
    pub goes_on: Option<Timestamp>,
    /// Until when its trigger was put off.
    pub rests_until: Option<Timestamp>,
}

/// Something became of an offer to this person: their other sessions know, too. Twice is once.
pub fn answered(user: &mut User, offer: &Offer, became: Became, now: Timestamp) {
    user.seq += 1;
    match became.goes_on {
        Some(until) => user.groups.go_on(&offer.id, until),
        None => user.groups.leave(&offer.id),
    }
    if let Some(outcome) = became.outcome {
        let memory = user.triggers.entry(Arc::clone(&offer.trigger)).or_default();
        note(memory, offer, outcome, now);
        memory.rests_until = memory.rests_until.max(became.rests_until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_did_counts_once_they_are_known() {
        let at = Timestamp::from_millis;
        let mut session = Session::default();
        session.fired.charge(&"of_1".into(), at(5), DAY);
        let memory = session.memory(&"once".into());
        memory.fired = Some(at(5));
        memory.outcomes.insert(Outcome::Dismissed, at(9));
        let mut user = User::default();
        adopt(&mut user, &session, &[], at(20));
        let once = user.clone();
        adopt(&mut user, &session, &[], at(20));
        assert_eq!((&user.fired, &user.triggers), (&once.fired, &once.triggers), "twice is once");
        assert_eq!(user.triggers["once"].outcomes[&Outcome::Dismissed], at(9));
        assert!(user.fired.full_until(1, DAY, at(20)).is_some());
    }
}
