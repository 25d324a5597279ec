//! Goals: what an offer hopes that the person will do, and the offers that still hope.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::offer::Offer;
use crate::domain::time::{Span, Timestamp};

/// Open goals kept of a session; the oldest go.
pub const GOALS_KEPT: usize = 8;

/// What an offer hopes for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The type of the action.
    pub event: Arc<str>,
    /// Counted from when the offer was on the screen, else from when it was made.
    pub within: Span,
}

/// The goal of one offer, not reached yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGoal {
    /// The offer.
    pub offer: Arc<str>,
    /// Its rule.
    pub trigger: Arc<str>,
    /// What it hopes for.
    pub goal: Goal,
    /// From when on.
    pub since: Timestamp,
    /// Whether the offer was a tester's, and stays out of every figure.
    #[serde(default)]
    pub tester: bool,
}

impl OpenGoal {
    /// The goal of an offer that has just been made, if it has one.
    pub fn of(offer: &Offer) -> Option<Self> {
        let goal = offer.goal.clone()?;
        let (trigger, since) = (Arc::clone(&offer.trigger), offer.made_at);
        let (id, tester) = (Arc::clone(&offer.id), offer.tester);
        Some(Self { offer: id, trigger, goal, since, tester })
    }

    /// Whether an action of this type at `at` is what was hoped for: later than the offer, and in time.
    pub fn is_reached(&self, kind: &str, at: Timestamp) -> bool {
        *self.goal.event == *kind && self.since < at && !self.is_over(at)
    }

    /// Whether it is too late.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.since.plus(self.goal.within) < now
    }
}
