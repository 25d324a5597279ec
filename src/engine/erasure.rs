//! Who was erased, to be held against what lies outside the records: lines of a journal, records of
//! a backup or of another store. All there is of somebody erased is hashes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::bulletin::Erasure;
use crate::domain::text::address;
use crate::domain::time::Timestamp;
use crate::engine::grave::{Trace, trace};
use crate::engine::pseudonym::{in_text, of_email};

/// Erasures by their traces.
#[derive(Clone, Debug, Default)]
pub struct Erasures {
    /// By salt and trace. Most stores know one salt.
    known: BTreeMap<Arc<str>, HashMap<Arc<str>, Named>>,
}

/// When a name was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// For whoever bore it and no other user id.
    pub at: Timestamp,
    /// For everybody who bore it; `None` for an address that was only said beside an erased user id.
    pub by_all: Option<Timestamp>,
}

impl Erasures {
    /// One more.
    pub fn add(&mut self, erasure: &Erasure) {
        let known = self.known.entry(Arc::clone(&erasure.salt)).or_default();
        for trace in &erasure.traces {
            let by_all = Some(erasure.at).filter(|_| !erasure.addresses.contains(trace));
            let named = known.entry(Arc::clone(trace)).or_default();
            *named = named.or(Named { at: erasure.at, by_all });
        }
    }

    /// Whether nobody was erased.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// When the last of them was.
    pub fn newest(&self) -> Option<Timestamp> {
        self.known.values().flat_map(HashMap::values).map(|named| named.at).max()
    }

    /// When a session was erased, if it was; its id as it is or as a journal tells it.
    pub fn session(&self, product: &str, session: &str) -> Option<Timestamp> {
        self.known_as(product, Trace::Session, session).map(|named| named.at)
    }

    /// When a person was erased, if they were, by a user id or address of theirs as it is or as a
    /// journal tells it.
    pub fn name(&self, product: &str, name: &str) -> Option<Timestamp> {
        self.named(product, name).map(|named| named.at)
    }

    /// The same, and whether of whoever bore it.
    pub fn named(&self, product: &str, name: &str) -> Option<Named> {
        let known = |name: &str| self.known_as(product, Trace::Name, name);
        // Whoever wrote it down may have spelt an address in another case.
        let spelt = address(name);
        let other = if *spelt == *name { None } else { known(&spelt) };
        known(name).into_iter().chain(other).reduce(Named::or)
    }

    fn known_as(&self, product: &str, kind: Trace, id: &str) -> Option<Named> {
        let of = |(salt, known): (&Arc<str>, &HashMap<Arc<str>, Named>)| {
            known.get(&*trace(salt, product, kind, id)).copied()
        };
        self.known.iter().filter_map(of).reduce(Named::or)
    }
}

impl Named {
    fn or(self, other: Self) -> Self {
        Self { at: self.at.max(other.at), by_all: self.by_all.max(other.by_all) }
    }
}

impl FromIterator<Erasure> for Erasures {
    fn from_iter<I: IntoIterator<Item = Erasure>>(erasures: I) -> Self {
        let mut known = Self::default();
        erasures.into_iter().for_each(|erasure| known.add(&erasure));
        known
    }
}

/// What an erasure leaves of these names and sessions: each as it is and as a journal tells it.
pub fn erasure(
    salt: &Arc<str>,
    product: &str,
    names: &BTreeSet<Arc<str>>,
    sessions: &BTreeSet<Arc<str>>,
    at: Timestamp,
) -> Erasure {
    let mut traces = of_names(salt, product, names);
    for session in sessions {
        for form in [&**session, &in_text(session)] {
            traces.insert(trace(salt, product, Trace::Session, form));
        }
    }
    let traces = traces.into_iter().map(Arc::from).collect();
    Erasure { at, salt: Arc::clone(salt), traces, addresses: Vec::new() }
}

/// The same erasure, where these of its names are addresses said beside a user id that was erased.
pub fn with_addresses(erasure: Erasure, product: &str, addresses: &BTreeSet<Arc<str>>) -> Erasure {
    let traces = of_names(&erasure.salt, product, addresses);
    Erasure { addresses: traces.into_iter().map(Arc::from).collect(), ..erasure }
}

fn of_names(salt: &str, product: &str, names: &BTreeSet<Arc<str>>) -> BTreeSet<String> {
    let forms = |name: &Arc<str>| {
        [&**name, &in_text(name), &of_email(name)]
            .map(|form| trace(salt, product, Trace::Name, form))
    };
    names.iter().flat_map(forms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_every_form_and_only_in_its_product() {
        let at = Timestamp::from_millis;
        let names = BTreeSet::from([Arc::from("Ada@b.example")]);
        let sessions = BTreeSet::from([Arc::from("ps_1")]);
        let made = |salt: &str, time| erasure(&salt.into(), "acme", &names, &sessions, at(time));
        let known: Erasures = [made("s", 5), made("t", 9), made("s", 3)].into_iter().collect();
        for form in ["Ada@b.example", &of_email("Ada@b.example")] {
            assert_eq!(known.name("acme", form), Some(at(9)), "{form}");
            assert_eq!(known.name("other", form), None);
        }
        let known_by = BTreeSet::from([Arc::from("ada@b.example")]);
        let made = erasure(&"s".into(), "acme", &known_by, &BTreeSet::new(), at(4));
        let spelt = Erasures::from_iter([made]);
        for form in ["Ada@B.example", &in_text("Ada@B.example")] {
            assert_eq!(spelt.name("acme", form), Some(at(4)), "{form}");
        }
        assert_eq!((known.session("acme", "ps_1"), known.newest()), (Some(at(9)), Some(at(9))));
        assert_eq!((known.name("acme", "ps_1"), known.session("acme", "ps_2")), (None, None));
    }
}
