//! The gauge: what all shelves hold together against the limits, and what had to go. Moved only
//! when something is written or dropped; a step that keeps touches none of it.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::time::Span;
use crate::rulebook::settings::Limits;
use crate::store::figures::Reason;

/// Ledgers may fill this part of `max_memory` before the oldest go: else a flood of them would
/// leave activity no room, and in the end the process none.
const LEDGERS_MAY_FILL: (u64, u64) = (3, 4);

/// Bytes held, the limits, and counters of what went.
pub(crate) struct Gauge {
    pub(crate) session_ttl: Span,
    pub(crate) ledger_ttl: Span,
    max_memory: u64,
    max_ledgers: u64,
    active: AtomicU64,
    ledgers: AtomicU64,
    evicted: [AtomicU64; Reason::ALL.len()],
}

impl Gauge {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (part, whole) = LEDGERS_MAY_FILL;
        Self {
            session_ttl: limits.session_ttl,
            ledger_ttl: limits.ledger_ttl,
            max_memory: limits.max_memory,
            max_ledgers: (limits.max_memory / whole).saturating_mul(part),
            active: AtomicU64::new(0),
            ledgers: AtomicU64::new(0),
            evicted: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts bytes that came to be held, in a row with activity or without.
    pub(crate) fn put(&self, active: bool, bytes: u64) {
        self.side(active).fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are no longer held.
    pub(crate) fn take(&self, active: bool, bytes: u64) {
        self.side(active).fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self, reason: Reason) {
        let counter = Reason::ALL.iter().position(|known| *known == reason);
        if let Some(counter) = counter.and_then(|place| self.evicted.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_over_memory(&self) -> bool {
        self.bytes() > self.max_memory
    }

    pub(crate) fn is_over_ledgers(&self) -> bool {
        self.ledger_bytes() > self.max_ledgers
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.active.load(Ordering::Relaxed).saturating_add(self.ledger_bytes())
    }

    pub(crate) fn ledger_bytes(&self) -> u64 {
        self.ledgers.load(Ordering::Relaxed)
    }

    pub(crate) fn evicted(&self) -> [(Reason, u64); Reason::ALL.len()] {
        let mut counters = self.evicted.iter();
        let mut next = || counters.next().map_or(0, |counter| counter.load(Ordering::Relaxed));
        Reason::ALL.map(|reason| (reason, next()))
    }

    const fn side(&self, active: bool) -> &AtomicU64 {
        if active { &self.active } else { &self.ledgers }
    }
}
