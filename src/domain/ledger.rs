//! Ledgers: who was charged when, inside a sliding window. Claims are idempotent by offer id.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// At most this many entries are kept; the oldest go first.
const MOST: usize = 4_096;
/// How much longer than its window a charge is kept: instances that share a record have clocks of
/// their own, and what is over by one still counts by another.
const SKEW: Span = Span::from_seconds(10);
/// An attempt to charge that comes so long after its own time may miss charges that were dropped
/// meanwhile; half of what is kept longer, so that clocks may differ by as much.
pub const LATE: Span = Span::from_seconds(5);

/// Charges, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// When, and for which offer, by its id.
    entries: VecDeque<(Timestamp, Arc<str>)>,
}

impl Ledger {
    /// Notes a charge for this offer, once; drops what is older than `keep`, but for what clocks may
    /// differ by. Charges of one instant lie by their ids, so that it does not matter which was told first.
    pub fn charge(&mut self, offer: &Arc<str>, now: Timestamp, keep: Span) {
        self.prune(now, keep);
        if !self.holds(offer) {
            self.insert(offer, now);
        }
    }

    /// As [`Ledger::charge`]; one that was charged before counts at the later of both times.
    pub fn renew(&mut self, offer: &Arc<str>, now: Timestamp, keep: Span) {
        self.prune(now, keep);
        let at = self.at(offer).map_or(now, |at| at.max(now));
        self.release(offer);
        self.insert(offer, at);
    }

    fn insert(&mut self, offer: &Arc<str>, at: Timestamp) {
        let place = self.entries.partition_point(|(time, id)| (*time, id) <= (at, offer));
        self.entries.insert(place, (at, Arc::clone(offer)));
        if self.entries.len() > MOST {
            self.entries.pop_front();
        }
    }

    /// When this offer was charged, if it was.
    pub fn at(&self, offer: &str) -> Option<Timestamp> {
        self.entries.iter().find(|(_, id)| &**id == offer).map(|(at, _)| *at)
    }

    /// As [`Ledger::charge`], for good: of more than `most` charges the newest are kept.
    pub fn keep_newest(&mut self, offer: &Arc<str>, now: Timestamp, most: usize) {
        self.charge(offer, now, Span::FOREVER);
        let over = self.entries.len().saturating_sub(most);
        self.entries.drain(..over);
    }

    /// How many charges are later than this instant; all of them without one.
    pub fn since(&self, instant: Option<Timestamp>) -> usize {
        let before =
            instant.map_or(0, |instant| self.entries.partition_point(|(time, _)| *time <= instant));
        self.entries.len() - before
    }

    /// When the newest charge was made.
    pub fn latest(&self) -> Option<Timestamp> {
        self.entries.back().map(|(time, _)| *time)
    }

    /// Each charge with its time, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = (Timestamp, &Arc<str>)> {
        self.entries.iter().map(|(at, offer)| (*at, offer))
    }

    /// Takes a charge back; nothing happens when there is none.
    pub fn release(&mut self, offer: &str) {
        self.entries.retain(|(_, id)| &**id != offer);
    }

    /// Whether this offer was charged.
    pub fn holds(&self, offer: &str) -> bool {
        self.entries.iter().any(|(_, id)| &**id == offer)
    }

    /// When the limit stops refusing: `None` when there is room in `(now − window, now]`.
    /// Entries in the future count. A limit of zero means no limit; one beyond what a ledger keeps
    /// counts as that.
    pub fn full_until(&self, limit: u32, window: Span, now: Timestamp) -> Option<Timestamp> {
        let limit = usize::try_from(limit).unwrap_or(MOST).min(MOST);
        if limit == 0 {
            return None;
        }
        let start = self.entries.partition_point(|(time, _)| *time <= now.minus(window));
        let inside = self.entries.len().saturating_sub(start);
        let leaves = start + inside.checked_sub(limit)?;
        self.entries.get(leaves).map(|(time, _)| time.plus(window))
    }

    /// The same beside what this offer itself was charged.
    pub fn full_until_beside(
        &self,
        offer: &str,
        limit: u32,
        window: Span,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let before = usize::try_from(limit).unwrap_or(MOST).min(MOST).checked_sub(1)?;
        let mut others = self.entries.iter().rev().filter(|(_, id)| &**id != offer);
        let (leaves, _) = others.nth(before)?;
        (now.minus(window) < *leaves).then(|| leaves.plus(window))
    }

    /// The same of several ledgers as if they were one.
    pub fn full_until_together(
        ledgers: &[&Self],
        limit: u32,
        window: Span,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if let [only] = ledgers {
            return only.full_until(limit, window, now);
        }
        let entries = ledgers.iter().flat_map(|ledger| ledger.entries.iter().cloned());
        let mut together = Self { entries: entries.collect() };
        together.entries.make_contiguous().sort_unstable();
        together.full_until(limit, window, now)
    }

    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes every charge of another ledger that is still inside `keep`, at its own time.
    pub fn absorb(&mut self, other: &Self, now: Timestamp, keep: Span) {
        for (at, offer) in &other.entries {
            if now.minus(keep.plus(SKEW)) < *at {
                self.charge(offer, *at, keep);
            }
        }
        self.prune(now, keep);
    }

    /// The offers noted, oldest charge first.
    pub fn offers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.iter().map(|(_, offer)| offer)
    }

    fn prune(&mut self, now: Timestamp, keep: Span) {
        let gone = self.entries.partition_point(|(time, _)| *time <= now.minus(keep.plus(SKEW)));
        self.entries.drain(..gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_says_when_it_opens_again() {
        let minute = Span::from_seconds(60);
        let at = |s: i64| Timestamp::from_millis(s * 1_000);
        let mut ledger = Ledger::default();
        for second in [0, 10, 20] {
            ledger.charge(&Arc::from(format!("o{second}")), at(second), Span::from_seconds(3_600));
        }
        assert_eq!(ledger.full_until(3, minute, at(30)), Some(at(60)));
        assert_eq!(ledger.full_until(2, minute, at(30)), Some(at(70)));
        assert_eq!(ledger.full_until(3, minute, at(60)), None);
        assert_eq!(ledger.full_until(0, minute, at(30)), None);
        assert_eq!(ledger.full_until(4, minute, at(30)), None);
    }

    #[test]
    fn a_clock_that_is_ahead_takes_nothing_from_the_window_of_another() {
        let minute = Span::from_seconds(60);
        let at = |s: i64| Timestamp::from_millis(s * 1_000);
        let mut ledger = Ledger::default();
        ledger.charge(&"of_1".into(), at(0), minute);
        ledger.charge(&"of_2".into(), at(63), minute);
        assert_eq!(ledger.full_until(2, minute, at(59)), Some(at(60)));
        assert_eq!(ledger.full_until(2, minute, at(60)), None);
    }

    #[test]
    fn a_charge_counts_once_and_can_be_taken_back() {
        let (now, day) = (Timestamp::from_millis(5_000), Span::from_seconds(86_400));
        let mut ledger = Ledger::default();
        let offer: Arc<str> = "of_1".into();
        ledger.charge(&offer, now, day);
        ledger.charge(&offer, now, day);
        assert_eq!(ledger.full_until(2, day, now), None);
        ledger.release("of_1");
        assert!(ledger.is_empty());
    }

    #[test]
    fn a_charge_that_is_renewed_counts_once_and_never_earlier() {
        let (minute, at) = (Span::from_seconds(60), |s: i64| Timestamp::from_millis(s * 1_000));
        let mut ledger = Ledger::default();
        ledger.renew(&"of_1".into(), at(3), minute);
        ledger.renew(&"of_2".into(), at(1), minute);
        ledger.renew(&"of_1".into(), at(0), minute);
        assert_eq!((ledger.at("of_1"), ledger.at("of_3")), (Some(at(3)), None));
        ledger.renew(&"of_2".into(), at(5), minute);
        assert_eq!(ledger.entries().map(|(at, _)| at).collect::<Vec<_>>(), [at(3), at(5)]);
        for (offer, limit, now, full) in [
            ("of_3", 2, 6, Some(at(63))),
            ("of_3", 2, 63, None),
            ("of_2", 2, 6, None),
            ("of_2", 1, 6, Some(at(63))),
            ("of_1", 1, 64, Some(at(65))),
            ("of_1", 0, 6, None),
        ] {
            assert_eq!(ledger.full_until_beside(offer, limit, minute, at(now)), full, "{offer}");
        }
    }

    #[test]
    fn a_limit_beyond_what_is_kept_still_limits() {
        let (now, minute) = (Timestamp::from_millis(5_000), Span::from_seconds(60));
        let mut ledger = Ledger::default();
        for offer in 0..=MOST {
            ledger.charge(&format!("of_{offer}").into(), now, minute);
        }
        assert_eq!(ledger.full_until(10_000, minute, now), Some(now.plus(minute)));
    }

    #[test]
    fn an_entry_in_the_future_counts() {
        let mut ledger = Ledger::default();
        ledger.charge(&"of_1".into(), Timestamp::from_millis(90_000), Span::from_seconds(3_600));
        let until = ledger.full_until(1, Span::from_seconds(60), Timestamp::from_millis(1_000));
        assert_eq!(until, Some(Timestamp::from_millis(150_000)));
    }
}
