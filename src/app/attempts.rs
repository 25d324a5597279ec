//! Attempts: each try to make an offer gets a number that no other gets, here or in another
//! instance, so that what was charged knows who relies on it.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::holders::Attempt;

/// Draws them.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    random: RandomState,
    drawn: AtomicU64,
}

impl Attempts {
    /// The next.
    pub(crate) fn draw(&self) -> Attempt {
        Attempt::drawn(self.random.hash_one(self.drawn.fetch_add(1, Ordering::Relaxed)))
    }
}
