//! The last decisions, for the page at `/`: a few in memory, nothing more. Silence is noted at
//! every poll, so each session has a place of its own and nobody waits for anybody.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::decision::Hold;
use crate::domain::time::Timestamp;

/// Offers kept.
const OFFERS: usize = 50;
/// Places for silent sessions; two that meet in one show the later.
const PLACES: usize = 64;

/// One decision in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// The product.
    pub product: Arc<str>,
    /// The browser session.
    pub session: String,
    /// What it came to.
    pub verdict: NotedVerdict,
}

/// What a noted decision came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotedVerdict {
    /// This trigger was offered.
    Offered(Arc<str>),
    /// This trigger would have been, were it no shadow, or the person in no control group.
    Ghost(Arc<str>, Option<Hold>),
    /// Nothing was, because of this hold, or of the cap with this skip reason.
    Held(Hold, Option<Arc<str>>),
    /// Another instance took this event of the session, or a batch; what it came to there is not
    /// known here.
    Elsewhere(Option<Arc<str>>),
}

/// The last decisions.
#[derive(Debug)]
pub(crate) struct Notes {
    offers: Mutex<VecDeque<Note>>,
    silent: [Mutex<Option<Note>>; PLACES],
    hasher: RandomState,
}

impl Default for Notes {
    fn default() -> Self {
        let silent = [const { Mutex::new(None) }; PLACES];
        Self { offers: Mutex::default(), silent, hasher: RandomState::new() }
    }
}

impl Notes {
    /// Notes an offer.
    pub(crate) fn offered(
        &self,
        at: Timestamp,
        product: &Arc<str>,
        session: &str,
        trigger: &Arc<str>,
    ) {
        self.keep(at, product, session, NotedVerdict::Offered(Arc::clone(trigger)));
    }

    /// Notes what was not offered: a shadow's, or withheld from a control group.
    pub(crate) fn ghost(
        &self,
        at: Timestamp,
        product: &Arc<str>,
        session: &str,
        trigger: &Arc<str>,
        withheld: Option<Hold>,
    ) {
        self.keep(at, product, session, NotedVerdict::Ghost(Arc::clone(trigger), withheld));
    }

    fn keep(&self, at: Timestamp, product: &Arc<str>, session: &str, verdict: NotedVerdict) {
        let note = Note { at, product: Arc::clone(product), session: session.to_owned(), verdict };
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        if offers.len() == OFFERS {
            offers.pop_front();
        }
        offers.push_back(note);
    }

    /// Notes a silence in its session's place.
    pub(crate) fn held(
        &self,
        at: Timestamp,
        product: &Arc<str>,
        session: &str,
        (hold, cap): (Hold, Option<&Arc<str>>),
    ) {
        self.hint(at, product, session, NotedVerdict::Held(hold, cap.cloned()));
    }

    /// Notes in its session's place that another instance took something.
    pub(crate) fn elsewhere(
        &self,
        at: Timestamp,
        product: &Arc<str>,
        session: &str,
        event: Option<&Arc<str>>,
    ) {
        self.hint(at, product, session, NotedVerdict::Elsewhere(event.cloned()));
    }

    fn hint(&self, at: Timestamp, product: &Arc<str>, session: &str, verdict: NotedVerdict) {
        let hash = self.hasher.hash_one(session) % PLACES as u64;
        let Some(place) = usize::try_from(hash).ok().and_then(|place| self.silent.get(place))
        else {
            return;
        };
        let Ok(mut place) = place.try_lock() else { return };
        match &mut *place {
            Some(note) if note.session == session && note.product == *product => {
                (note.at, note.verdict) = (at, verdict);
            }
            other => {
                let session = session.to_owned();
                *other = Some(Note { at, product: Arc::clone(product), session, verdict });
            }
        }
    }

    /// Drops what is noted of a session.
    pub(crate) fn forget(&self, product: &str, session: &str) {
        let is_its = |note: &Note| *note.product == *product && note.session == session;
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        offers.retain(|note| !is_its(note));
        for place in &self.silent {
            let _its =
                place.lock().unwrap_or_else(PoisonError::into_inner).take_if(|note| is_its(note));
        }
    }

    /// Newest first.
    pub(crate) fn latest(&self) -> Vec<Note> {
        let offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = self.silent.iter();
        let silent = silent.filter_map(|place| place.lock().ok().and_then(|note| note.clone()));
        let mut notes: Vec<Note> = offers.iter().cloned().chain(silent).collect();
        notes.sort_by_key(|note| std::cmp::Reverse(note.at));
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_session_takes_one_line_and_an_offer_stays() {
        let (notes, product): (_, Arc<str>) = (Notes::default(), "acme".into());
        notes.offered(Timestamp::from_millis(7), &product, "ps_1", &"hesitation".into());
        for millis in 8..200 {
            notes.held(Timestamp::from_millis(millis), &product, "ps_1", (Hold::WrongState, None));
        }
        let latest = notes.latest();
        assert_eq!(latest.len(), 2);
        assert_eq!(
            (latest[0].at.as_millis(), &latest[0].verdict),
            (199, &NotedVerdict::Held(Hold::WrongState, None))
        );
        assert_eq!(latest[1].verdict, NotedVerdict::Offered("hesitation".into()));
        notes.forget("other", "ps_1");
        notes.forget("acme", "ps_2");
        assert_eq!(notes.latest(), latest, "somebody else's");
        notes.forget("acme", "ps_1");
        assert_eq!(notes.latest(), []);
    }
}
