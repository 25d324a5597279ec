//! The last decisions, for the page at `/`: a small ring in memory, nothing more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::time::Timestamp;

/// Decisions kept.
const KEPT: usize = 50;

/// One decision in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// The product.
    pub product: Arc<str>,
    /// The browser session.
    pub session: String,
    /// A trigger's id, or why there was silence.
    pub verdict: String,
    /// Whether something was offered.
    pub fired: bool,
}

/// The last decisions, newest last.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<VecDeque<Note>>);

impl Notes {
    /// Notes a decision; the same silence of the same session again only moves its time.
    pub(crate) fn add(
        &self,
        at: Timestamp,
        product: &Arc<str>,
        session: &str,
        verdict: &str,
        fired: bool,
    ) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |note: &&mut Note| {
            !fired
                && !note.fired
                && note.session == session
                && note.product == *product
                && note.verdict == verdict
        };
        if let Some(note) = notes.iter_mut().rev().find(same) {
            note.at = at;
            return;
        }
        if notes.len() == KEPT {
            notes.pop_front();
        }
        let (session, verdict) = (session.to_owned(), verdict.to_owned());
        notes.push_back(Note { at, product: Arc::clone(product), session, verdict, fired });
    }

    /// Newest first.
    pub(crate) fn latest(&self) -> Vec<Note> {
        let mut notes: Vec<Note> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        notes.sort_by_key(|note| std::cmp::Reverse(note.at));
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_session_takes_one_line() {
        let (notes, product) = (Notes::default(), Arc::from("acme"));
        for second in 0..200 {
            notes.add(Timestamp::from_millis(second), &product, "ps_1", "no_trigger", false);
        }
        notes.add(Timestamp::from_millis(9), &product, "ps_1", "hesitation", true);
        let latest = notes.latest();
        assert_eq!(latest.len(), 2);
        assert_eq!(
            (latest[0].at, &*latest[0].verdict),
            (Timestamp::from_millis(199), "no_trigger")
        );
    }
}
