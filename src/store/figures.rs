//! Figures of a store, for metrics: what it holds and what had to go; and its trouble.

use crate::store::Store;

/// What a store holds at one moment, and what it has dropped since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Sessions with activity; this is what `max_sessions` limits.
    pub sessions: u64,
    /// Records by kind, with or without activity.
    pub records: [(&'static str, u64); 7],
    /// Estimated bytes of all records.
    pub bytes: u64,
    /// The part of `bytes` in records that have no activity (left).
    pub ledger_bytes: u64,
    /// Records that lost their activity or went altogether, by reason.
    pub evicted: [(Reason, u64); Reason::ALL.len()],
}

/// Why a store dropped something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Activity, `session_ttl` after the last write.
    #[default]
    SessionTtl,
    /// A whole record, `ledger_ttl` after the last write.
    LedgerTtl,
    /// Activity, least recent first: more sessions than `max_sessions`.
    MaxSessions,
    /// Activity, least recent first: more bytes than `max_memory`.
    MaxMemory,
    /// A ledger, least recent first: ledgers alone threatened to fill `max_memory`.
    Ledgers,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::SessionTtl, Self::LedgerTtl, Self::MaxSessions, Self::MaxMemory, Self::Ledgers];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionTtl => "session_ttl",
            Self::LedgerTtl => "ledger_ttl",
            Self::MaxSessions => "max_sessions",
            Self::MaxMemory => "max_memory",
            Self::Ledgers => "ledgers",
        }
    }
}

/// What one call of a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Records that were looked at.
    pub examined: u64,
    /// Records that went altogether.
    pub removed: u64,
    /// Calls until every record has had its turn in this round; 0 ends the round.
    pub turns_left: usize,
}

impl Store {
    /// What is held and what had to go, for metrics. What Redis holds is its own to tell.
    pub fn figures(&self) -> StoreFigures {
        match self {
            Self::Memory(memory) => memory.figures(),
            Self::Embedded(embedded) => embedded.figures(),
            Self::Redis(_) => StoreFigures::default(),
        }
    }

    /// Why nothing can be read or written at present; `None` while all is well.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Memory(_) => None,
            Self::Embedded(embedded) => embedded.trouble(),
            Self::Redis(redis) => redis.trouble(),
        }
    }

    /// Whether what is kept can be read, while there is trouble.
    pub fn is_readable(&self) -> bool {
        match self {
            Self::Memory(_) | Self::Embedded(_) => true,
            Self::Redis(redis) => redis.is_readable(),
        }
    }
}
