//! What an operator is told: the rulebook in force, the candidate that was refused, the watcher.

use std::fmt;
use std::sync::Arc;

use crate::domain::time::Timestamp;
use crate::rulebook::finding::Finding;

/// The library at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// What decides.
    pub active: Active,
    /// What lies on disk instead, and was refused; `None` while disk and rulebook agree.
    pub candidate: Option<Candidate>,
    /// It was started from a kept rulebook, and the disk has not agreed since.
    pub stale: Option<Stale>,
    /// Candidates refused since the start.
    pub refused: u64,
    /// How changes are noticed.
    pub watcher: Watching,
}

/// Of what was kept for a start without a sound workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Its number in the process that kept it.
    pub revision: u64,
    /// When it came into force there.
    pub kept_at: Timestamp,
}

/// The rulebook in force.
#[derive(Clone, Debug)]
pub struct Active {
    /// Rises by one with each swap, from one.
    pub revision: u64,
    /// The rulebook's, as decisions carry it.
    pub digest: Arc<str>,
    /// SHA-256 of the files it was made of, in hex; compare with [`Candidate::digest`].
    pub sources: Arc<str>,
    /// When it came into force.
    pub loaded_at: Timestamp,
    /// How many there are, over all products.
    pub rules: usize,
    /// How many there are, over all products.
    pub tours: usize,
    /// How many there are.
    pub prompts: usize,
    /// How many there are.
    pub products: usize,
    /// Rules paused while serving, as product and rule. A reload that changes anything starts
    /// them again.
    pub paused: Vec<(Arc<str>, Arc<str>)>,
    /// Warnings, among them settings that changed and wait for a restart.
    pub findings: Vec<Finding>,
}

/// A workspace that was refused.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// SHA-256 of its files, in hex; `None` when they could not be read.
    pub digest: Option<Arc<str>>,
    /// When.
    pub rejected_at: Timestamp,
    /// Different candidates refused since disk and rulebook last agreed, this one included.
    pub attempts: u32,
    /// Why, with its warnings.
    pub findings: Vec<Finding>,
}

/// The watcher, as it is doing.
#[derive(Clone, Debug, Default)]
pub struct Watching {
    /// How it notices changes.
    pub mode: Mode,
    /// When the system last told of a change.
    pub last_event_at: Option<Timestamp>,
    /// When the files were last read.
    pub last_check_at: Option<Timestamp>,
    /// How often listening for events had to be taken up again.
    pub restarts: u32,
}

/// How changes are noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nobody watches (yet).
    #[default]
    Off,
    /// By the system's events, and by content every 30 seconds.
    Events,
    /// By content alone, every five seconds, for this reason.
    Polling(String),
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Events => f.write_str("inotify+hash"),
            Self::Polling(reason) => write!(f, "polling ({reason})"),
        }
    }
}
