//! Actions and batches: what a person did, as one message delivers it and as rules read it.

use std::fmt::Write;
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

impl Batch {
    /// The text a chatbot reads (contract 2.2.4): a heading, then one line per action. Newlines
    /// inside descriptions stay as they are.
    pub fn chunk_text(&self) -> String {
        let session = self.session_id.as_deref().unwrap_or("unknown");
        let mut text = format!("Session {session} \u{2014} {} actions", self.actions.len());
        for action in &self.actions {
            let RawAction { index, kind, description, canonical_url, .. } = action;
            // Writing to a String cannot fail.
            let _ = write!(text, "\n[{index}] {kind}: {description} \u{2014} {canonical_url}");
        }
        text
    }

    /// One batch out of several of one session, in arrival order (contract 2.2.5): the first
    /// session, the first identity that says something, all actions numbered from 0, the newest
    /// trait of each name, the latest `forwarded_at`. `None` out of none.
    pub fn merge(batches: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut merged = batches.into_iter().reduce(Self::followed_by)?;
        for (index, action) in (0..).zip(&mut merged.actions) {
            action.index = index;
        }
        merged.conversation_id = said(merged.conversation_id);
        Some(merged)
    }

    fn followed_by(mut self, later: Self) -> Self {
        self.user_id = said(self.user_id).or(later.user_id);
        self.email = said(self.email).or(later.email);
        self.conversation_id = said(self.conversation_id).or(later.conversation_id);
        self.actions.extend(later.actions);
        self.traits.extend(later.traits);
        self.forwarded_at = self.forwarded_at.max(later.forwarded_at);
        self
    }
}

fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn action(index: i64, kind: &str, description: &str, url: &str) -> RawAction {
        RawAction {
            index,
            kind: kind.into(),
            description: description.into(),
            canonical_url: url.into(),
            ..RawAction::default()
        }
    }

    fn batch(session: &str, actions: Vec<RawAction>) -> Batch {
        Batch { session_id: Some(session.into()), actions, ..Batch::default() }
    }

    #[test]
    fn a_batch_reads_as_the_contract_prints_it() {
        let two = batch(
            "ps_7",
            vec![
                action(0, "pageview", "Opened the invoice list", "https://app.acme.test/invoices"),
                action(1, "click", "Pressed the filter control", "https://app.acme.test/invoices"),
            ],
        );
        let expected = "Session ps_7 \u{2014} 2 actions\n\
            [0] pageview: Opened the invoice list \u{2014} https://app.acme.test/invoices\n\
            [1] click: Pressed the filter control \u{2014} https://app.acme.test/invoices";
        assert_eq!(two.chunk_text(), expected);
    }

    #[test]
    fn missing_parts_leave_their_places_empty() {
        assert_eq!(Batch::default().chunk_text(), "Session unknown \u{2014} 0 actions");
        let one = batch("s", vec![action(3, "", "a\nb", "")]);
        assert_eq!(one.chunk_text(), "Session s \u{2014} 1 actions\n[3] : a\nb \u{2014} ");
    }

    #[test]
    fn merging_renumbers_and_takes_the_first_identity_that_says_something() {
        let first = Batch {
            conversation_id: Some(String::new()),
            forwarded_at: 20.0,
            ..batch("s", vec![action(7, "click", "a", "")])
        };
        let second = Batch {
            user_id: Some("u".into()),
            conversation_id: Some("c".into()),
            forwarded_at: 10.0,
            ..batch("s", vec![action(7, "click", "b", ""), action(9, "click", "c", "")])
        };
        let third = Batch { user_id: Some("other".into()), ..batch("s", Vec::new()) };
        let merged = Batch::merge([first, second, third]).unwrap();
        assert_eq!(merged.user_id.as_deref(), Some("u"));
        assert_eq!(merged.conversation_id.as_deref(), Some("c"));
        assert_eq!(merged.forwarded_at.to_bits(), 20.0_f64.to_bits());
        let lines: Vec<_> =
            merged.actions.iter().map(|a| (a.index, a.description.as_str())).collect();
        assert_eq!(lines, [(0, "a"), (1, "b"), (2, "c")]);
    }

    #[test]
    fn merging_nothing_is_nothing_and_merging_one_only_renumbers() {
        assert_eq!(Batch::merge([]), None);
        let alone = Batch::merge([batch("s", vec![action(5, "click", "a", "")])]).unwrap();
        assert_eq!(alone, batch("s", vec![action(0, "click", "a", "")]));
    }
}
