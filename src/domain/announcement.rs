//! Announcements: what has just changed, told to whoever follows. They name records and hold nothing
//! that is in them, so whoever needs more reads the record.

use std::sync::Arc;

use crate::domain::decision::Hold;
use crate::domain::time::Timestamp;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// When, by the clock of the instance that made it.
    pub at: Timestamp,
    /// Of which product; empty for what concerns all of them.
    pub product: Arc<str>,
    /// What.
    pub news: News,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A session's record.
    Session {
        /// The session.
        id: Arc<str>,
        /// The record's sequence number since; one that was read with it or a later one has it all.
        seq: u64,
        /// What changed it.
        by: Cause,
    },
    /// A session's records are no more.
    Forgotten {
        /// The session.
        id: Arc<str>,
    },
    /// A product was paused or resumed.
    Pauses,
    /// A workspace came into force and was kept.
    Rulebook {
        /// The digest of its rulebook.
        digest: Arc<str>,
    },
}

/// What changed a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something the person did, or a summary of it.
    Batch,
    /// What became of an offer, or that a chat began or ended: the event's name.
    Event(Arc<str>),
    /// This trigger was offered.
    Offer(Arc<str>),
    /// This trigger would have been, were it no shadow, or the person in no control group.
    Ghost(Arc<str>, Option<Hold>),
}
