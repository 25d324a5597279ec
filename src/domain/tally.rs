//! Tallies: what was charged against caps, kept by each cap's id in the record it counts in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::ledger::Ledger;
use crate::domain::time::{Span, Timestamp};

/// A tally that nothing has charged for so long, and that no cap asks for, is forgotten; as long as
/// ledgers live by default.
const FORGOTTEN: Span = Span::from_seconds(30 * 86_400);

/// Whose offers a cap counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Per {
    /// One browser session's.
    Session,
    /// One person's, over all their sessions.
    User,
    /// One account's, over all its people.
    Account,
    /// The product's.
    Product,
}

impl Per {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Session, Self::User, Self::Account, Self::Product];

    /// The name in rules and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Account => "account",
            Self::Product => "product",
        }
    }
}

/// The cap that refused, and where it counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped {
    /// Its place among the product's caps.
    pub place: usize,
    /// Narrower than the cap says where the person or their account is not known.
    pub counted: Per,
}

/// A cap as a tally sees it.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'c> {
    /// The cap's id.
    pub id: &'c Arc<str>,
    /// So many offers …
    pub limit: u32,
    /// … in this time; [`Span::FOREVER`] as long as the record lives.
    pub window: Span,
}

/// Charges by the id of their cap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tallies(BTreeMap<Arc<str>, Ledger>);

impl Tallies {
    /// When the cap stops refusing; `None` when it does not refuse.
    pub fn full_until(&self, bound: Bound<'_>, now: Timestamp) -> Option<Timestamp> {
        self.0.get(bound.id)?.full_until(bound.limit, bound.window, now)
    }

    /// The same of several tallies as if they were one.
    pub fn full_until_together(
        tallies: &[&Self],
        bound: Bound<'_>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let ledgers: Vec<_> =
            tallies.iter().filter_map(|tallies| tallies.0.get(bound.id)).collect();
        Ledger::full_until_together(&ledgers, bound.limit, bound.window, now)
    }

    /// Notes an offer against a cap, once.
    pub fn charge(&mut self, bound: Bound<'_>, offer: &Arc<str>, now: Timestamp) {
        let ledger = self.0.entry(Arc::clone(bound.id)).or_default();
        ledger.charge(offer, now, bound.window);
    }

    /// As [`Tallies::charge`]; one that was charged before counts at the later of both times.
    pub fn renew(&mut self, bound: Bound<'_>, offer: &Arc<str>, now: Timestamp) {
        let ledger = self.0.entry(Arc::clone(bound.id)).or_default();
        ledger.renew(offer, now, bound.window);
    }

    /// When the cap stops refusing this offer, whatever it was charged itself.
    pub fn full_until_beside(
        &self,
        bound: Bound<'_>,
        offer: &str,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.0.get(bound.id)?.full_until_beside(offer, bound.limit, bound.window, now)
    }

    /// Whether this offer was charged against any cap.
    pub fn holds(&self, offer: &str) -> bool {
        self.0.values().any(|ledger| ledger.holds(offer))
    }

    /// Takes back what this offer was charged.
    pub fn release(&mut self, offer: &str) {
        self.0.values_mut().for_each(|ledger| ledger.release(offer));
        self.0.retain(|_, ledger| !ledger.is_empty());
    }

    /// Notes every charge of another's tally of this cap that is still inside its window.
    pub fn absorb(&mut self, bound: Bound<'_>, other: &Self, now: Timestamp) {
        let Some(theirs) = other.0.get(bound.id) else { return };
        let ledger = self.0.entry(Arc::clone(bound.id)).or_default();
        ledger.absorb(theirs, now, bound.window);
        if ledger.is_empty() {
            self.0.remove(bound.id);
        }
    }

    /// Forgets the tallies of caps that are no more, a while after their last charge: another
    /// instance may still know them, and an edit may bring them back.
    pub fn forget(&mut self, known: impl Fn(&str) -> bool, now: Timestamp) {
        let recent = |ledger: &Ledger| ledger.latest().is_some_and(|at| now.since(at) < FORGOTTEN);
        self.0.retain(|id, ledger| known(id) || recent(ledger));
    }

    /// Whether nothing is charged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each tally with its cap's id.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Ledger)> {
        self.0.iter()
    }

    /// How many caps are counted.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Span = Span::from_seconds(86_400);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * 3_600_000)
    }

    #[test]
    fn a_cap_that_is_gone_is_forgotten_in_time() {
        let (day, gone): (Arc<str>, Arc<str>) = ("day".into(), "gone".into());
        let mut tallies = Tallies::default();
        for id in [&day, &gone] {
            tallies.charge(Bound { id, limit: 1, window: DAY }, &"of_1".into(), at(0));
        }
        for (hours, left) in [(29 * 24, 2), (30 * 24, 1)] {
            tallies.forget(|id| id == "day", at(hours));
            assert_eq!(tallies.len(), left, "{hours}");
        }
        tallies.release("of_1");
        assert!(tallies.is_empty());
    }

    #[test]
    fn without_a_window_a_charge_counts_for_good() {
        let id = "once".into();
        let bound = Bound { id: &id, limit: 1, window: Span::FOREVER };
        let mut tallies = Tallies::default();
        assert_eq!(tallies.full_until(bound, at(0)), None);
        tallies.charge(bound, &"of_1".into(), at(0));
        assert_eq!(tallies.full_until(bound, at(1_000_000)), Some(Timestamp::FOREVER));
    }
}
