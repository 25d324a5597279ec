//! A session's state: all that one poll reads, and nothing that grows without bound.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::action::Action;
use crate::domain::answer::LastAnswer;
use crate::domain::consent::Consent;
use crate::domain::ghosts::Ghosts;
use crate::domain::goal::OpenGoal;
use crate::domain::group::Groups;
use crate::domain::ledger::Ledger;
use crate::domain::machine::Machine;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::tally::Tallies;
use crate::domain::text::Shared;
use crate::domain::time::Timestamp;
use crate::domain::traits::Traits;

/// Batch identities kept for de-duplication.
pub const BATCHES_KEPT: usize = 32;

/// Everything docent decides from, for one browser session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Rises with every change that is kept.
    pub seq: u64,
    /// When the first action arrived.
    pub first_seen: Timestamp,
    /// When the newest action happened (engine time); absent before the first.
    pub last_action: Option<Timestamp>,
    /// The machine of `proactive:{session}`.
    pub machine: Machine,
    /// The offer on the screen, or the one whose tour runs; boxed, because few sessions have one.
    pub offer: Option<Box<Offer>>,
    /// When the last offer was made, for the minimum interval.
    pub last_fired: Option<Timestamp>,
    /// Firings, for the hourly quota.
    pub fired: Ledger,
    /// What happened per trigger; state hangs on trigger ids and survives reloads.
    pub triggers: BTreeMap<Arc<str>, TriggerMemory>,
    /// What caps per session count, and those per person or account while these are not known.
    #[serde(default)]
    pub tallies: Tallies,
    /// Live offers of exclusive groups.
    #[serde(default)]
    pub groups: Groups,
    /// Goals of offers made, oldest first.
    #[serde(default)]
    pub goals: VecDeque<OpenGoal>,
    /// What was not offered and would have been, where there is anything of the kind.
    #[serde(default)]
    pub ghosts: Option<Box<Ghosts>>,
    /// The person's word on being offered anything, where it was given in this session.
    #[serde(default)]
    pub consent: Option<Consent>,
    /// Identities of recent batches with their receipt, oldest first.
    pub batches: VecDeque<(u64, Timestamp)>,
    /// Who this is.
    pub identity: Identity,
    /// What is known of the person, by name.
    pub traits: Traits,
    /// The browser's language, as BCP 47 (`nb-NO`), where it was told.
    #[serde(default)]
    pub locale: Option<Arc<str>>,
    /// The browser's time zone, as IANA names it (`Europe/Oslo`), where it was told.
    #[serde(default)]
    pub timezone: Option<Arc<str>>,
    /// Where the person is; does not fall out of a window while they stare.
    pub place: Option<Place>,
    /// Recent actions, oldest first, bounded by the product's `activity` settings.
    pub actions: VecDeque<Action>,
    /// The newest summary, at most 2 KiB, for rules.
    pub summary: Option<Arc<str>>,
    /// Actions received over the session's whole life.
    pub action_count: u64,
    /// What the last poll came to; no part of the state.
    #[serde(skip)]
    pub last_answer: LastAnswer,
}

/// Who a session belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The product's own id of the person.
    pub user_id: Option<Arc<str>>,
    /// E-mail address, trimmed and in lower case.
    pub email: Option<Arc<str>>,
    /// The company or workspace the person belongs to; `None` unless a trusted source said so.
    #[serde(default)]
    pub account: Option<Arc<str>>,
    /// Whether a trusted source or a session token said so.
    pub vouched: bool,
    /// Whether a session token said so: then no source can say otherwise.
    pub bound: bool,
}

impl Identity {
    /// The key of the user's memory: user id, else e-mail; `None` unless vouched for.
    pub fn user_key(&self) -> Option<&Arc<str>> {
        if !self.vouched {
            return None;
        }
        self.user_id.as_ref().or(self.email.as_ref())
    }

    /// The address beside the user id, where somebody vouched for both: the person's other name.
    pub fn other_name(&self) -> Option<&Arc<str>> {
        self.user_id.as_ref().filter(|_| self.vouched).and(self.email.as_ref())
    }

    /// Whether a session token for this user may speak: a session bound to one user is no other
    /// user's.
    pub fn admits(&self, voucher: Option<&str>) -> bool {
        voucher.is_none() || !self.bound || self.user_id.as_deref() == voucher
    }

    /// Binds the session to the user whom a token vouches for; whether that is news.
    pub fn bind(&mut self, voucher: Option<&str>) -> bool {
        let Some(user) = voucher.filter(|_| !self.bound) else { return false };
        (self.user_id, self.vouched, self.bound) = (Some(user.into()), true, true);
        true
    }
}

/// The page a person is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The page, see [`crate::domain::page::page_of`].
    pub page: Shared,
    /// The URL it was read from, without query and fragment.
    pub url: Shared,
    /// Title of the newest action there.
    pub title: Shared,
    /// Since when.
    pub since: Timestamp,
}

/// What one trigger has done in a session (or, in [`crate::domain::records::User`], for a user).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TriggerMemory {
    /// When it last fired.
    pub fired: Option<Timestamp>,
    /// Until when a snooze rests it.
    pub rests_until: Option<Timestamp>,
    /// When each outcome last came.
    pub outcomes: BTreeMap<Outcome, Timestamp>,
    /// The newest offers that were dismissed, for `on_dismiss`.
    #[serde(default)]
    pub dismissed: Ledger,
    /// The newest offers that were snoozed, for `snooze.max_times`.
    #[serde(default)]
    pub snoozed: Ledger,
    /// When an action last wiped what keeps it back (`reset`).
    #[serde(default)]
    pub reset: Option<Timestamp>,
}

impl Session {
    /// The page the person is on; empty when unknown.
    pub fn page(&self) -> &str {
        self.place.as_ref().map_or("", |place| &place.page)
    }

    /// The open offer, where it is the one that is meant.
    pub fn offer_where(&self, is_meant: impl Fn(&Offer) -> bool) -> Option<Offer> {
        self.offer.as_deref().filter(|offer| is_meant(offer)).cloned()
    }

    /// What is remembered of a trigger, to be written to.
    pub fn memory(&mut self, trigger: &Arc<str>) -> &mut TriggerMemory {
        self.triggers.entry(Arc::clone(trigger)).or_default()
    }

    /// Whether what is remembered of a person would take anything over from here.
    pub fn has_something_to_tell(&self) -> bool {
        !self.triggers.is_empty() || self.ghosts.is_some() || self.consent.is_some()
    }

    /// Whether anything here tells what the person did, rather than what docent did.
    pub fn has_activity(&self) -> bool {
        let told = self.place.is_some() || self.summary.is_some();
        told || !(self.actions.is_empty() && self.traits.is_empty() && self.batches.is_empty())
    }

    /// Forgets what the person did and gives its memory back. What stays: the machine with its
    /// dismissals, the offer, what was fired when, counters, and whose session it is.
    pub fn strip_activity(&mut self) {
        if !self.has_activity() {
            return;
        }
        self.seq += 1;
        self.actions = VecDeque::new();
        self.batches = VecDeque::new();
        self.traits = Traits::new();
        self.place = None;
        self.summary = None;
    }

    /// Visits by `now`, newest first: each is a run of consecutive actions on one page; actions
    /// without a page do not break a run, and those later than `now` are not seen.
    pub fn visits(&self, now: Timestamp) -> impl Iterator<Item = Visit<'_>> {
        let seen = self.actions.iter().rev().skip_while(move |action| action.at > now);
        Visits { actions: seen.peekable() }
    }
}

/// A run of consecutive actions on one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit<'a> {
    /// The page.
    pub page: &'a str,
    /// Engine time of its first kept action.
    pub start: Timestamp,
    /// Engine time of its last action.
    pub end: Timestamp,
}

struct Visits<'a, I: Iterator<Item = &'a Action>> {
    actions: std::iter::Peekable<I>,
}

impl<'a, I: Iterator<Item = &'a Action>> Iterator for Visits<'a, I> {
    type Item = Visit<'a>;

    fn next(&mut self) -> Option<Visit<'a>> {
        let newest = self.actions.by_ref().find(|action| !action.page.is_empty())?;
        let mut visit = Visit { page: &newest.page, start: newest.at, end: newest.at };
        while let Some(older) =
            self.actions.next_if(|action| action.page.is_empty() || *action.page == *visit.page)
        {
            if !older.page.is_empty() {
                visit.start = older.at;
            }
        }
        Some(visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_person_did_goes_and_what_docent_did_stays() {
        let ledgers = Session {
            seq: 4,
            machine: Machine { dismissals: 2, ..Machine::default() },
            last_fired: Some(Timestamp::from_millis(5)),
            triggers: [("t".into(), TriggerMemory::default())].into(),
            identity: Identity { user_id: Some("u_1".into()), ..Identity::default() },
            action_count: 9,
            ..Session::default()
        };
        let mut session = Session {
            batches: [(1, Timestamp::default())].into(),
            traits: [("plan".into(), serde_json::Value::from("free"))].into(),
            summary: Some("Looked at invoices".into()),
            ..ledgers.clone()
        };
        assert!(session.has_activity() && !ledgers.has_activity());
        for _ in 0..2 {
            session.strip_activity();
            assert_eq!(session, Session { seq: 5, ..ledgers.clone() });
        }
    }
}
