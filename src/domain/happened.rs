//! What a person did of the kinds that rules count across sessions: instants, and nothing more.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// Instants kept of one kind; the newest.
pub const KEPT: usize = 64;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Happened {
    /// Engine time.
    pub at: Timestamp,
    /// Tells it from others of the same instant, so that the same one twice counts once.
    pub mark: u32,
}

/// Takes what happened, in order; whether that is news.
pub fn remember(known: &mut Vec<Happened>, happened: Happened) -> bool {
    let Err(place) = known.binary_search(&happened) else { return false };
    let is_full = known.len() >= KEPT;
    if is_full && place == 0 {
        return false;
    }
    known.insert(place, happened);
    if is_full {
        known.remove(0);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_in_order_and_each_once() {
        let happened = |at: i64, mark| Happened { at: Timestamp::from_millis(at), mark };
        let mut known = Vec::new();
        for (at, mark, news) in [(5, 1, true), (3, 1, true), (5, 1, false), (5, 2, true)] {
            assert_eq!(remember(&mut known, happened(at, mark)), news, "{at} {mark}");
        }
        assert_eq!(known, [happened(3, 1), happened(5, 1), happened(5, 2)]);
        let later = (10..100).filter(|at| remember(&mut known, happened(*at, 0)));
        assert_eq!(later.count(), 90);
        assert_eq!((known.len(), known[0]), (KEPT, happened(36, 0)));
        assert!(!remember(&mut known, happened(1, 0)), "too old to be kept");
        assert_eq!(known.len(), KEPT);
    }
}
