//! What lives outside the session and still bears on a decision, as plain values.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::consent::Consent;
use crate::domain::health::Unhealthy;
use crate::domain::machine::Machine;
use crate::domain::offer::Offer;
use crate::domain::records::{Account, User};
use crate::domain::session::Session;
use crate::domain::tally::Tallies;
use crate::domain::text::strip;
use crate::domain::time::Timestamp;

/// The prefix of a toast's own conversation.
const OWN: &str = "proactive:";

/// The world around one session at one poll. Records other than the session are as last seen;
/// after a refused claim they are as that claim saw them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Around {
    /// Which machine is asked about.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: Scope,
    /// Until when the product offers nothing because an operator said so, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// Until when the product's circuit is open, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_until: Option<Timestamp>,
    /// Until when the product's quota is spent, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_full_until: Option<Timestamp>,
    /// The session's id, where it bears on the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Arc<str>>,
    /// What the product's caps counted, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tallies: Option<Tallies>,
    /// The product's tours that keep failing, where that was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unhealthy: Vec<Unhealthy>,
    /// How buckets are drawn.
    #[serde(skip_serializing_if = "is_default")]
    pub lot: Lot,
    /// The person's memory, where it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// The person's word on being offered anything, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Their account's, where it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// What the judge said; `None` when no model is configured, and judged rules fire at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<Vec<Opinion>>,
}

/// How buckets are drawn: by chance only in life, never in a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lot {
    /// By hash.
    #[default]
    Drawn,
    /// In every rollout that is not empty, in no control group, and the first variant.
    Included,
    /// This one, every time.
    Pinned(u16),
}

/// Which conversation a poll is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The toast's own, `proactive:{session}`; its machine lives in the session.
    #[default]
    Own,
    /// Another thread with its own machine.
    Foreign {
        /// Its id.
        conversation: Arc<str>,
        /// Its machine.
        machine: Machine,
    },
    /// A blank id, or another session's toast.
    Invalid,
}

/// What goes without saying is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Scope {
    /// The session's offer, where this conversation is the one that shows it.
    pub fn offer<'s>(&self, session: &'s Session, now: Timestamp) -> Option<&'s Offer> {
        let shown = |offer: &&Offer| match self {
            Self::Own => is_own(offer),
            Self::Foreign { conversation, .. } => offer.conversation == *conversation,
            Self::Invalid => false,
        };
        session.offer.as_deref().filter(shown).filter(|offer| now < offer.expires_at)
    }
}

impl Around {
    /// Whether nothing but the session and what is remembered of the person and their account bears
    /// on the decision.
    pub fn is_plain(&self) -> bool {
        let Self {
            scope, circuit_until, product_full_until, session: _, tallies, unhealthy, ..
        } = self;
        let Self { lot, user: _, account: _, consent, judge, paused_until, .. } = self;
        let product = circuit_until.is_some() || product_full_until.is_some() || tallies.is_some();
        let known = product || judge.is_some() || !unhealthy.is_empty();
        let said = paused_until.is_some() || consent.is_some();
        *scope == Scope::Own && !known && !said && *lot == Lot::Drawn
    }
}

/// A judge's word on one trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// The trigger.
    pub trigger: Arc<str>,
    /// Whether to offer it.
    pub send: bool,
    /// How long the word stands.
    pub until: Timestamp,
}

/// What the ids of a poll say about its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// `proactive:{session}`, or none given.
    Own,
    /// Some other thread.
    Foreign,
    /// Blank, or another session's toast.
    Invalid,
}

/// Reads session and conversation ids. A missing or blank conversation is the toast's own.
pub fn named(session: &str, conversation: &str) -> Named {
    if strip(session).is_empty() {
        return Named::Invalid;
    }
    match conversation.strip_prefix(OWN) {
        _ if strip(conversation).is_empty() => Named::Own,
        Some(owner) if owner == session => Named::Own,
        Some(_) => Named::Invalid,
        None => Named::Foreign,
    }
}

/// The id of a session's own conversation.
pub fn own_conversation(session: &str) -> Arc<str> {
    format!("{OWN}{session}").into()
}

/// The session whose own conversation this is.
pub fn session_of(conversation: &str) -> Option<&str> {
    conversation.strip_prefix(OWN)
}

/// Whether an offer moved its session's own machine.
pub fn is_own(offer: &Offer) -> bool {
    session_of(&offer.conversation).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toast_belongs_to_its_session_alone() {
        for (session, conversation, expected) in [
            ("ps_1", "proactive:ps_1", Named::Own),
            ("ps_1", "", Named::Own),
            ("ps_1", " ", Named::Own),
            ("ps_1", "proactive:ps_2", Named::Invalid),
            ("ps_1", "dify-7", Named::Foreign),
            (" ", "proactive: ", Named::Invalid),
            ("", "", Named::Invalid),
        ] {
            assert_eq!(named(session, conversation), expected, "{session} {conversation}");
        }
    }
}
