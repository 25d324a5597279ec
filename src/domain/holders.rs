//! Holders: which attempts to make an offer rely on what was charged for it. Two instances that
//! look at one session at once attempt one and the same offer; what was charged stands while any of
//! them may still make it, and the one that gives up takes nothing from the other.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// How long holders are remembered: longer than an attempt takes. Who is forgotten can only leave a
/// charge behind, never take one away.
const KEPT: Span = Span::from_seconds(60);
/// Offers whose holders are remembered in one record; the oldest go first.
const MOST: usize = 256;

/// One attempt to make an offer. No two that may meet are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(u64);

impl Attempt {
    /// Where one is made at a time: in tests of rules and in replays.
    pub const ONLY: Self = Self(0);
    /// Whoever charged and was not written down, or is forgotten. Never lets go.
    const SOMEBODY: Self = Self(u64::MAX);

    /// The attempt of this number.
    pub fn drawn(number: u64) -> Self {
        Self(number.clamp(1, u64::MAX - 1))
    }
}

/// What is left after an attempt let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It did not hold the offer, or is forgotten: nothing has changed.
    Unknown,
    /// Others rely on the charge.
    Others,
    /// Nobody does.
    Nobody,
}

/// When the offer was last claimed, the offer, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hold(Timestamp, Arc<str>, Vec<Attempt>);

/// The holders of the offers that were claimed last, by offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Holders(VecDeque<Hold>);

impl Holders {
    /// An attempt relies on an offer from now on; `charged` says that somebody had charged it
    /// before, known or not.
    pub fn hold(&mut self, offer: &Arc<str>, attempt: Attempt, charged: bool, now: Timestamp) {
        self.0.retain(|Hold(at, ..)| now.minus(KEPT) < *at);
        let known = self.place(offer).and_then(|place| self.0.remove(place));
        let somebody = if charged { vec![Attempt::SOMEBODY] } else { Vec::new() };
        let Hold(at, _, mut attempts) = known.unwrap_or(Hold(now, Arc::clone(offer), somebody));
        if !attempts.contains(&attempt) {
            attempts.push(attempt);
        }
        self.0.push_back(Hold(at.max(now), Arc::clone(offer), attempts));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// An attempt does not rely on an offer any more.
    pub fn let_go(&mut self, offer: &str, attempt: Attempt) -> Left {
        let Some(place) = self.place(offer) else { return Left::Unknown };
        let Some(Hold(_, _, attempts)) = self.0.get_mut(place) else { return Left::Unknown };
        let before = attempts.len();
        attempts.retain(|known| *known != attempt);
        if attempts.len() == before {
            return Left::Unknown;
        }
        if !attempts.is_empty() {
            return Left::Others;
        }
        self.0.remove(place);
        Left::Nobody
    }

    /// Whatever was held is over.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether nothing is held, as far as is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, offer: &str) -> Option<usize> {
        self.0.iter().position(|Hold(_, id, _)| **id == *offer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn an_offer_is_held_until_its_last_holder_lets_go() {
        let (a, b, offer) = (Attempt::drawn(1), Attempt::drawn(2), "of_1".into());
        let mut holders = Holders::default();
        holders.hold(&offer, a, false, at(0));
        holders.hold(&offer, b, true, at(1));
        holders.hold(&offer, b, true, at(1));
        assert_eq!(holders.let_go("of_1", b), Left::Others);
        assert_eq!(holders.let_go("of_1", b), Left::Unknown);
        assert_eq!(holders.let_go("of_2", a), Left::Unknown);
        assert_eq!(holders.let_go("of_1", a), Left::Nobody);
        assert!(holders.is_empty());
    }

    #[test]
    fn who_charged_and_is_not_known_is_never_let_go() {
        let (a, offer) = (Attempt::drawn(1), "of_1".into());
        let mut holders = Holders::default();
        holders.hold(&offer, a, true, at(0));
        assert_eq!(holders.let_go("of_1", a), Left::Others, "an older docent may hold it");
        holders.hold(&offer, a, false, at(0));
        holders.hold(&"of_2".into(), a, false, at(61));
        assert_eq!(holders.let_go("of_1", a), Left::Unknown, "it is forgotten");
    }

    #[test]
    fn few_are_remembered_and_nobody_of_them_in_part() {
        let (a, b) = (Attempt::drawn(1), Attempt::drawn(2));
        let mut holders = Holders::default();
        for number in 0..=MOST {
            holders.hold(&format!("of_{number}").into(), a, false, at(0));
            holders.hold(&format!("of_{number}").into(), b, true, at(0));
        }
        assert_eq!(holders.let_go("of_0", b), Left::Unknown);
        assert_eq!(holders.let_go("of_1", b), Left::Others);
    }
}
