//! What the segment being written knows: of each session in it, the sequence number that its lines
//! leave, and under which rules. A step that finds another one must begin with the session's state:
//! what other rules made of it does not follow from the rules of the step.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts that are locked apart, so that requests hardly ever meet.
const SHARDS: usize = 32;

/// Where a session's lines go: a segment, and the session's place in what that knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The segment's number.
    pub(super) epoch: u64,
    key: u64,
    rules: u64,
}

/// By session, the number that its lines leave.
#[derive(Debug)]
pub(super) struct Known {
    epoch: AtomicU64,
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Shard {
    epoch: u64,
    left: HashMap<u64, Left>,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    seq: u64,
    rules: u64,
}

impl Default for Known {
    fn default() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { epoch: AtomicU64::new(1), shards, hasher: RandomState::new() }
    }
}

impl Known {
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// A new segment begins; it knows nothing.
    pub(super) fn turn(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) fn place(&self, product: &str, session: &str, rules: &str) -> Place {
        let key = self.hasher.hash_one((product, session));
        Place { epoch: self.epoch(), key, rules: self.hasher.hash_one(rules) }
    }

    pub(super) fn knows(&self, place: Place, seq: u64) -> bool {
        let shard = self.shard(place);
        let left = shard.and_then(|shard| shard.left.get(&place.key).copied());
        left.is_some_and(|left| left.seq == seq && left.rules == place.rules)
    }

    /// Lines were posted that leave this number. Of two steps that were posted the wrong way round,
    /// the later counts, unless one began anew.
    pub(super) fn learn(&self, place: Place, left: u64, begins: bool) {
        let Some(mut shard) = self.shard(place) else { return };
        let new = Left { seq: left, rules: place.rules };
        let known = shard.left.entry(place.key).or_insert(new);
        if begins || new.seq >= known.seq {
            *known = new;
        }
    }

    pub(super) fn forget(&self, place: Place) {
        if let Some(mut shard) = self.shard(place) {
            shard.left.remove(&place.key);
        }
    }

    /// The session's shard as the place's segment has it; `None` once that is over.
    fn shard(&self, place: Place) -> Option<MutexGuard<'_, Shard>> {
        let number = usize::try_from(place.key % SHARDS as u64).ok()?;
        let mut shard = self.shards.get(number)?.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.epoch < place.epoch {
            *shard = Shard { epoch: place.epoch, left: HashMap::new() };
        }
        Some(shard).filter(|shard| shard.epoch == place.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_knows_what_it_was_told_and_the_next_one_nothing() {
        let known = Known::default();
        let place = known.place("acme", "ps_1", "a");
        assert!(!known.knows(place, 3));
        known.learn(place, 3, true);
        assert!(known.knows(place, 3) && !known.knows(known.place("acme", "ps_2", "a"), 3));
        assert!(!known.knows(known.place("acme", "ps_1", "b"), 3), "other rules");
        known.learn(place, 5, false);
        known.learn(place, 4, false);
        assert!(known.knows(place, 5), "posted the wrong way round");
        known.learn(place, 1, true);
        assert!(known.knows(place, 1), "begun anew");
        known.turn();
        let next = known.place("acme", "ps_1", "a");
        assert!(!known.knows(next, 1));
        known.learn(place, 2, false);
        assert!(!known.knows(next, 2) && !known.knows(place, 2), "a straggler");
    }
}
