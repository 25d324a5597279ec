//! Figures of a store, for metrics: what it holds and what had to go.

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
