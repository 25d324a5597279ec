//! Exclusive groups: which offers are live, so that a person sees one of a group at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// The live offer of a group, or the tour behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Live {
    /// When it is over, unless it is answered before.
    pub until: Timestamp,
    /// Its id.
    pub offer: Arc<str>,
}

/// The live offers by group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Groups(BTreeMap<Arc<str>, Live>);

impl Groups {
    /// Until when a group is busy at the latest; `None` when it is free.
    pub fn busy_until(&self, group: &str, now: Timestamp) -> Option<Timestamp> {
        self.0.get(group).map(|live| live.until).filter(|until| now < *until)
    }

    /// Whether another offer than this one is live.
    pub fn is_busy(&self, group: &str, offer: &str, now: Timestamp) -> bool {
        self.0.get(group).is_some_and(|live| now < live.until && *live.offer != *offer)
    }

    /// Whether this offer is live, in whichever group.
    pub fn holds(&self, offer: &str) -> bool {
        self.0.values().any(|live| *live.offer == *offer)
    }

    /// An offer of the group is made; it lapses at `until`, or later if it was to before.
    pub fn enter(&mut self, group: &Arc<str>, offer: &Arc<str>, until: Timestamp, now: Timestamp) {
        self.0.retain(|_, live| now < live.until);
        let before = self.0.get(group).filter(|live| live.offer == *offer);
        let until = before.map_or(until, |live| live.until.max(until));
        self.0.insert(Arc::clone(group), Live { until, offer: Arc::clone(offer) });
    }

    /// The offer goes on until then: its tour runs.
    pub fn go_on(&mut self, offer: &str, until: Timestamp) {
        let own = self.0.values_mut().filter(|live| *live.offer == *offer);
        own.for_each(|live| live.until = until);
    }

    /// The offer is over.
    pub fn leave(&mut self, offer: &str) {
        self.0.retain(|_, live| *live.offer != *offer);
    }

    /// Takes over what is live elsewhere; of two in one group, the one that lasts longer.
    pub fn absorb(&mut self, other: &Self, now: Timestamp) {
        for (group, live) in other.0.iter().filter(|(_, live)| now < live.until) {
            let here = self.0.entry(Arc::clone(group)).or_insert_with(|| live.clone());
            if *here < *live {
                *here = live.clone();
            }
        }
    }

    /// Whether nothing is live.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each group with its live offer.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Live)> {
        self.0.iter()
    }

    /// How many groups are noted.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
