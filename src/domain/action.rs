//! Actions and batches: what a person did, as one message delivers it and as rules read it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;

/// One action as it arrives, tolerant of everything (contract 2.2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RawAction {
    /// What a person would call it: `Page Load: Invoices`.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// URL or bare path, as sent.
    pub canonical_url: String,
    /// URL before canonicalisation, as sent.
    pub raw_url: String,
    /// Position; never an identity.
    pub index: i64,
    /// `pageview`, `click`, `submit`, `input`, …; an open set.
    #[serde(rename = "type")]
    pub kind: String,
    /// Unix seconds by the sender's clock; 0 when missing.
    pub timestamp_start: f64,
    /// Unix seconds by the sender's clock; 0 when missing.
    pub timestamp_end: f64,
}

/// What one `actions` message delivers for one session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// `None` for a null or empty session.
    pub session_id: Option<String>,
    /// The person, when known.
    pub user_id: Option<String>,
    /// The person's e-mail, when known.
    pub email: Option<String>,
    /// The chat thread, when known.
    pub conversation_id: Option<String>,
    /// In arrival order.
    pub actions: Vec<RawAction>,
    /// What is known of the person, by name; scalars only.
    pub traits: Map<String, Value>,
    /// Unix seconds by the sender's clock; 0 when missing.
    pub forwarded_at: f64,
}

/// A summary written upstream (contract 2.2.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// `None` for a null or empty session.
    pub session_id: Option<String>,
    /// The text.
    pub text: String,
    /// How many actions it stands for.
    pub replaces: i64,
    /// Unix seconds by the sender's clock; 0 when missing.
    pub forwarded_at: f64,
}

/// One message of a source.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// `type: actions`
    Actions(Batch),
    /// `type: summary`
    Summary(Summary),
}

/// How far a delivery is believed (DESIGN.md, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A signed push or an upstream of ours: identity, traits and summaries count.
    Trusted,
    /// A browser: actions alone; identity reaches neither e-mail index nor user memory.
    Browser,
}

/// An action reduced to what rules read. Equal texts of one session share memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Engine time: never before the previous action's.
    pub at: Timestamp,
    /// `pageview`, `click`, …
    pub kind: Arc<str>,
    /// What a person would call it.
    pub title: Arc<str>,
    /// The canonical URL exactly as sent; the builtins compare it to the letter.
    pub url: Arc<str>,
    /// The page, see [`crate::domain::page::page_of`]; empty when unknown.
    pub page: Arc<str>,
    /// `timestamp_start` as sent, for the builtins.
    pub started: f64,
    /// `timestamp_end` as sent, for the builtins.
    pub ended: f64,
    /// `forwarded_at` of its batch, else the receipt, for the builtins.
    pub forwarded: f64,
}
