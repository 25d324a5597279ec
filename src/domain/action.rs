//! Actions and batches: what a person did, as one message delivers it and as rules read it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::page::without_query;
use crate::domain::properties::Properties;
use crate::domain::text::Shared;
use crate::domain::time::Timestamp;

/// One action as it arrives, tolerant of everything (contract 2.2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// What else the sender tells of it, by name; see [`crate::domain::properties::admit`].
    pub properties: Map<String, Value>,
}

/// What one `actions` message delivers for one session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// The company or workspace the person belongs to, when known.
    pub account_id: Option<String>,
    /// What is known of the account, by name; scalars only.
    pub account_traits: Map<String, Value>,
    /// The browser's language, as BCP 47, when told.
    pub locale: Option<String>,
    /// The browser's time zone, as IANA names it, when told.
    pub timezone: Option<String>,
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
    pub kind: Shared,
    /// What a person would call it.
    pub title: Shared,
    /// The canonical URL exactly as sent; the builtins compare it to the letter.
    pub url: Shared,
    /// The page, see [`crate::domain::page::page_of`]; empty when unknown.
    pub page: Shared,
    /// `timestamp_start` as sent, for the builtins.
    pub started: f64,
    /// `timestamp_end` as sent, for the builtins.
    pub ended: f64,
    /// `forwarded_at` of its batch, else the receipt, for the builtins.
    pub forwarded: f64,
    /// What else the sender told of it.
    #[serde(default)]
    pub properties: Option<Arc<Properties>>,
}

impl Delivery {
    /// The session it belongs to; `None` for a null or empty one.
    pub fn session(&self) -> Option<&str> {
        let session = match self {
            Self::Actions(batch) => &batch.session_id,
            Self::Summary(summary) => &summary.session_id,
        };
        session.as_deref().filter(|session| !session.is_empty())
    }
}

impl Batch {
    /// The text a chatbot reads (contract 2.2.4), without what a URL's query says of a person.
    pub fn chunk_text(&self) -> String {
        let session = self.session_id.as_deref().unwrap_or("unknown");
        let mut text = format!("Session {session} — {} actions", self.actions.len());
        for action in &self.actions {
            let RawAction { index, kind, description, canonical_url, .. } = action;
            let url = without_query(canonical_url);
            text.push_str(&format!("\n[{index}] {kind}: {description} — {url}"));
        }
        text
    }

    /// Bytes of [`Batch::chunk_text`], give or take its numbers; never less.
    pub fn text_bytes(&self) -> usize {
        let head = 64 + self.session_id.as_ref().map_or(0, String::len);
        let line = |a: &RawAction| a.kind.len() + a.description.len() + a.canonical_url.len() + 32;
        head + self.actions.iter().map(line).sum::<usize>()
    }

    /// Two batches of one session as one, in arrival order (contract 2.2.5): indices restart,
    /// the first known identity and the newest trait of each name count, the later
    /// `forwarded_at` stands.
    pub fn merge(mut first: Self, second: &Self) -> Self {
        let or = |known: Option<String>, said: &Option<String>| {
            known.filter(|known| !known.is_empty()).or_else(|| said.clone())
        };
        first.user_id = or(first.user_id, &second.user_id);
        first.email = or(first.email, &second.email);
        first.conversation_id = or(first.conversation_id, &second.conversation_id);
        first.account_id = or(first.account_id, &second.account_id);
        first.locale = or(first.locale, &second.locale);
        first.timezone = or(first.timezone, &second.timezone);
        first.actions.extend(second.actions.iter().cloned());
        for (index, action) in (0..).zip(&mut first.actions) {
            action.index = index;
        }
        first.traits.extend(second.traits.clone());
        first.account_traits.extend(second.account_traits.clone());
        first.forwarded_at = first.forwarded_at.max(second.forwarded_at);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_reads_as_the_published_sdk_writes_it() {
        let action = |index, kind: &str, description: &str| RawAction {
            index,
            kind: kind.into(),
            description: description.into(),
            canonical_url: "https://app.acme.test/invoices".into(),
            ..RawAction::default()
        };
        let batch = Batch {
            session_id: Some("ps_7".into()),
            actions: vec![
                action(0, "pageview", "Opened the invoice list"),
                action(1, "click", "Pressed the filter control"),
            ],
            ..Batch::default()
        };
        assert_eq!(
            batch.chunk_text(),
            "Session ps_7 — 2 actions\n\
             [0] pageview: Opened the invoice list — https://app.acme.test/invoices\n\
             [1] click: Pressed the filter control — https://app.acme.test/invoices"
        );
        assert_eq!(Batch::default().chunk_text(), "Session unknown — 0 actions");
    }

    #[test]
    fn a_chunk_tells_no_query() {
        for secret in ["?token=s3cret&email=ann@acme.test", "#access_token=s3cret", "?a#s3cret"] {
            let canonical_url = format!("https://app.acme.test/invoices{secret}");
            let action = RawAction { canonical_url, ..RawAction::default() };
            let text = Batch { actions: vec![action], ..Batch::default() }.chunk_text();
            assert!(text.ends_with(" — https://app.acme.test/invoices"), "{text}");
        }
    }

    #[test]
    fn merging_renumbers_and_keeps_the_first_identity() {
        let one =
            Batch { actions: vec![RawAction::default(); 2], forwarded_at: 9.0, ..Batch::default() };
        let two = Batch { user_id: Some("u_1".into()), forwarded_at: 5.0, ..one.clone() };
        let merged = Batch::merge(one, &two);
        assert_eq!(merged.actions.iter().map(|a| a.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!((merged.user_id.as_deref(), merged.forwarded_at), (Some("u_1"), 9.0));
    }

    #[test]
    fn merging_passes_over_an_identity_that_says_nothing_and_keeps_the_newest_trait() {
        let trait_of = |plan: &str| Map::from_iter([("plan".into(), Value::from(plan))]);
        let said = |conversation: &str, plan| Batch {
            conversation_id: Some(conversation.into()),
            traits: trait_of(plan),
            ..Batch::default()
        };
        let merged = Batch::merge(said("", "free"), &said("c_1", "pro"));
        assert_eq!(merged, said("c_1", "pro"));
    }

    #[test]
    fn a_chunk_leaves_the_places_of_missing_parts_empty() {
        let action = RawAction { description: "a\nb".into(), ..RawAction::default() };
        let batch = Batch { actions: vec![action], ..Batch::default() };
        assert_eq!(batch.chunk_text(), "Session unknown — 1 actions\n[0] : a\nb — ");
    }
}
