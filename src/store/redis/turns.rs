//! Turns: within one instance, writes to one row come one after the other. Without, they would
//! outrun each other at the server again and again; other instances still may.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Rows that may be written at the same time, at most.
const TURNS: usize = 1_024;

/// One turn for many rows: two that share one wait for a round trip, once in a thousand.
pub(super) struct Turns {
    turns: Box<[Semaphore]>,
    random: RandomState,
}

impl Turns {
    /// Waits for the turn to write to a row; whether there was anything to wait for.
    pub(super) async fn take(&self, name: &str) -> (Option<SemaphorePermit<'_>>, bool) {
        let place = usize::try_from(self.random.hash_one(name)).unwrap_or_default() % TURNS;
        let Some(turn) = self.turns.get(place) else { return (None, false) };
        match turn.try_acquire() {
            Ok(taken) => (Some(taken), false),
            Err(_) => (turn.acquire().await.ok(), true),
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        let turns = (0..TURNS).map(|_| Semaphore::new(1)).collect();
        Self { turns, random: RandomState::new() }
    }
}
