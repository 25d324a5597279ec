//! Consent: a person's word on whether they want to be offered anything at all.

use serde::{Deserialize, Serialize};

use crate::domain::machine::AgentEvent;
use crate::domain::time::Timestamp;

/// A person's word. Of two the later is the greater, and of one instant the one that denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Consent {
    /// When they said so.
    pub at: Timestamp,
    /// Whether it was "don't show me help again".
    pub denied: bool,
}

impl Consent {
    /// What an event says of it, if it is about that.
    pub const fn said(event: &AgentEvent, now: Timestamp) -> Option<Self> {
        match event {
            AgentEvent::ProactiveOptedOut => Some(Self { at: now, denied: true }),
            AgentEvent::ProactiveOptedIn => Some(Self { at: now, denied: false }),
            _ => None,
        }
    }

    /// Whether nothing may be offered, by the word given in a session and the person's own. The
    /// session's counts where it is later, and only to deny: what it allows is the person's word, too.
    pub fn is_denied(session: Option<Self>, person: Option<Self>) -> bool {
        let denies = |word: Option<Self>| word.is_some_and(|word| word.denied);
        denies(person) || denies(session.max(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_word_counts_and_a_session_never_allows_what_its_person_denied() {
        let word = |at, denied| Some(Consent { at: Timestamp::from_millis(at), denied });
        for (session, person, denied) in [
            (None, None, false),
            (word(1, true), None, true),
            (None, word(1, true), true),
            (word(1, true), word(2, false), false),
            (word(2, true), word(1, false), true),
            (word(2, false), word(1, true), true),
            (word(1, false), word(1, true), true),
            (word(1, true), word(1, false), true),
            (word(1, false), word(2, false), false),
        ] {
            assert_eq!(Consent::is_denied(session, person), denied, "{session:?} {person:?}");
        }
    }
}
