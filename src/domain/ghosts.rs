//! Ghosts: offers that would have been made and were not, because their trigger is a shadow or the
//! person is in a control group. They rest and are spaced out like offers, in ledgers of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::tally::Tallies;
use crate::domain::time::Timestamp;

/// A session's ghosts, or a person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ghosts {
    /// Of triggers that are shadows; nothing live looks at them.
    pub shadow: Track,
    /// Withheld from a control group; they stand in for the offers that others got.
    pub withheld: Track,
    /// Whether the last one withheld was so by the product's own control group.
    pub by_product: bool,
}

/// When what would have been offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// The last of any trigger, for the spacing.
    pub last: Option<Timestamp>,
    /// The last of each trigger, for its rest.
    pub triggers: BTreeMap<Arc<str>, Timestamp>,
    /// What caps would have counted here.
    #[serde(default)]
    pub tallies: Tallies,
}

impl Track {
    /// One more.
    pub fn note(&mut self, trigger: &Arc<str>, now: Timestamp) {
        self.last = Some(now);
        self.triggers.insert(Arc::clone(trigger), now);
    }

    /// Takes the later of both. What caps counted is taken cap by cap, see
    /// [`Tallies::absorb`].
    pub fn absorb(&mut self, other: &Self) {
        self.last = self.last.max(other.last);
        for (trigger, at) in &other.triggers {
            let known = self.triggers.entry(Arc::clone(trigger)).or_insert(*at);
            *known = (*known).max(*at);
        }
    }
}
