//! What became of offers: of a trigger's, or of all that offer a tour.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::domain::offer::Outcome;
use crate::domain::session::TriggerMemory;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::{Condition, View};

/// What is asked of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose offers.
    pub of: Subject,
    /// The outcome; absent means it was offered at all.
    pub outcome: Option<Outcome>,
    /// How long ago at most; absent means ever.
    pub within: Option<Span>,
}

/// Whose offers are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A trigger's.
    Trigger(Arc<str>),
    /// A tour's: those of every trigger that offers it now.
    Tour(Arc<str>, Vec<Arc<str>>),
}

/// The triggers that offer each tour.
pub(in crate::rulebook) type Offering = BTreeMap<Arc<str>, Vec<Arc<str>>>;

impl Seen {
    /// An offer of this trigger, whatever became of it.
    pub fn trigger(id: &str) -> Self {
        Self { of: Subject::Trigger(id.into()), outcome: None, within: None }
    }

    fn triggers(&self) -> &[Arc<str>] {
        match &self.of {
            Subject::Trigger(id) => std::slice::from_ref(id),
            Subject::Tour(_, triggers) => triggers,
        }
    }

    /// Whether it came, and until when that stands.
    pub(in crate::rulebook::condition) fn stands(&self, view: &View<'_>) -> (bool, Timestamp) {
        let when = |memory: &TriggerMemory| match self.outcome {
            Some(outcome) => memory.outcomes.get(&outcome).copied(),
            None => memory.fired,
        };
        let newest = self.memories(view).filter_map(when).max();
        let leaves = newest.map(|at| self.within.map_or(Timestamp::FOREVER, |w| at.plus(w)));
        if let Some(leaves) = leaves.filter(|leaves| *leaves > view.now) {
            return (true, leaves);
        }
        // A pending offer lapses, and so becomes `ignored`, by time alone.
        let offer = view.session.offer.as_ref();
        let pending = offer.filter(|offer| self.triggers().contains(&offer.trigger));
        let lapses = pending.filter(|_| self.outcome == Some(Outcome::Ignored));
        let lapses = lapses.map(|offer| offer.expires_at).filter(|at| *at > view.now);
        (false, lapses.unwrap_or(Timestamp::FOREVER))
    }

    fn memories<'a>(&'a self, view: &View<'a>) -> impl Iterator<Item = &'a TriggerMemory> {
        let (session, user) = (view.session, view.user);
        self.triggers().iter().flat_map(move |id| {
            let remembered = user.and_then(|user| user.triggers.get(id));
            session.triggers.get(id).into_iter().chain(remembered)
        })
    }

    /// What is required, in words.
    pub(in crate::rulebook::condition) fn required(&self) -> String {
        let what = self.outcome.map_or("offered", Outcome::as_str);
        let within = self.within.map(|within| format!(" within {within}"));
        format!("{what}{}", within.unwrap_or_default())
    }

    /// What there is of it.
    pub(in crate::rulebook::condition) fn found(&self, view: &View<'_>) -> String {
        let outcomes = self.memories(view).flat_map(|memory| memory.outcomes.keys());
        let mut names: Vec<_> = outcomes.map(|outcome| outcome.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        match (names.is_empty(), self.memories(view).any(|memory| memory.fired.is_some())) {
            (false, _) => names.join(", "),
            (true, true) => "offered".into(),
            (true, false) => "never offered".into(),
        }
    }
}

impl Condition {
    /// Tells every question about a tour which triggers offer it.
    pub(in crate::rulebook) fn resolve_tours(&mut self, offering: &Offering) {
        self.each_mut(&mut |part| {
            if let Self::Seen(seen) = part
                && let Subject::Tour(id, triggers) = &mut seen.of
            {
                *triggers = offering.get(id).cloned().unwrap_or_default();
            }
        });
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Subject::Trigger(id) => write!(f, "seen {id} {}", self.required()),
            Subject::Tour(id, _) => write!(f, "seen tour {id} {}", self.required()),
        }
    }
}
