//! The small records beside a session: its context, and what is kept per user, product,
//! conversation and e-mail.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::action::Batch;
use crate::domain::circuit::Circuit;
use crate::domain::consent::Consent;
use crate::domain::ghosts::Ghosts;
use crate::domain::group::Groups;
use crate::domain::happened::Happened;
use crate::domain::health::Attempts;
use crate::domain::holders::Holders;
use crate::domain::ledger::Ledger;
use crate::domain::machine::Machine;
use crate::domain::session::TriggerMemory;
use crate::domain::tally::Tallies;
use crate::domain::time::Timestamp;
use crate::domain::traits::Traits;

/// What a chatbot may read of a session. Appended to; never read by a poll.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// Oldest first.
    pub chunks: VecDeque<Chunk>,
    /// The number of the next chunk.
    pub next: u64,
    /// A burst of batches that is not a chunk yet; boxed, because hardly any session has one.
    pub pending: Option<Box<Pending>>,
}

/// Batches that came within one debounce, merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Their actions, in arrival order.
    pub batch: Batch,
    /// When the last one came.
    pub last: Timestamp,
}

/// One text served by `/retrieval`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its number within the session, rising.
    pub number: u64,
    /// The receipt of what it tells.
    pub at: Timestamp,
    /// At most 16 KiB.
    pub text: Arc<str>,
    /// Whether it is a summary of what came before.
    pub summary: bool,
}

/// What is remembered of a person across sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Rises with every change that is kept.
    pub seq: u64,
    /// What is known of them, by name.
    pub traits: Traits,
    /// Firings, for the daily quota.
    pub fired: Ledger,
    /// Per trigger: last firing and outcomes, for `again_after` and `seen`.
    pub triggers: BTreeMap<Arc<str>, TriggerMemory>,
    /// What caps per person count.
    #[serde(default)]
    pub tallies: Tallies,
    /// Live offers of exclusive groups.
    #[serde(default)]
    pub groups: Groups,
    /// By type of action or page: what some rule counts across their sessions, oldest first.
    #[serde(default)]
    pub happened: BTreeMap<Arc<str>, Vec<Happened>>,
    /// What was not offered and would have been, where there is anything of the kind.
    #[serde(default)]
    pub ghosts: Option<Box<Ghosts>>,
    /// Their word on being offered anything, where they gave one.
    #[serde(default)]
    pub consent: Option<Consent>,
    /// Attempts to offer that rely on what was charged last, by number.
    #[serde(default)]
    pub holders: Holders,
}

/// What is remembered of an account (a company, a workspace) across its people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Rises with every change that is kept.
    pub seq: u64,
    /// What is known of it, by name.
    pub traits: Traits,
    /// What caps per account count.
    #[serde(default)]
    pub tallies: Tallies,
    /// Attempts to offer that rely on what was charged last, by number.
    #[serde(default)]
    pub holders: Holders,
}

/// What is kept per product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Product {
    /// Delivery and judge failures.
    pub circuit: Circuit,
    /// Firings, for the quota per minute.
    pub fired: Ledger,
    /// What caps per product count.
    #[serde(default)]
    pub tallies: Tallies,
    /// How often each tour was started and failed.
    #[serde(default)]
    pub tours: BTreeMap<Arc<str>, Attempts>,
    /// Attempts to offer that rely on what was charged last, by number.
    #[serde(default)]
    pub holders: Holders,
}

/// A chat thread other than the toast's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// Its machine.
    pub machine: Machine,
    /// The session it belongs to, once known.
    pub session: Option<Arc<str>>,
    /// The offer that moved the machine, so that a claim is idempotent.
    pub offer: Option<Arc<str>>,
    /// Attempts to offer that rely on the machine's being moved, by number.
    #[serde(default)]
    pub holders: Holders,
}

/// E-mail to session; the newest batch wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmailIndex {
    /// The session last seen with this e-mail.
    pub session: Option<Arc<str>>,
    /// `forwarded_at` (else receipt) of the batch that said so, Unix seconds.
    pub as_of: f64,
}
