//! Bulletins: what operators decide and instances tell each other, kept beside the records of people
//! and never too old.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::consent::Consent;
use crate::domain::time::Timestamp;

/// One board of the store; which part of it is used, its key says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bulletin {
    /// Products that offer nothing for the time being, by id.
    pub pauses: BTreeMap<Arc<str>, Pause>,
    /// The last workspace without a mistake.
    pub rulebook: Option<Kept>,
    /// Those that share the store, by name.
    pub instances: BTreeMap<Arc<str>, Instance>,
    /// Who does what one of them does for all, by the name of the work.
    pub leases: BTreeMap<Arc<str>, Lease>,
    /// What makes the hashes under which graves lie this store's own.
    pub salt: Option<Arc<str>>,
    /// Salts of stores whose graves were carried into this one.
    #[serde(default)]
    pub salts: Vec<Arc<str>>,
    /// What stays of one person when nothing else does.
    pub grave: Option<Grave>,
    /// That somebody was erased, for whatever holds copies.
    #[serde(default)]
    pub erasure: Option<Erasure>,
}

/// That somebody was erased, for what lies outside the records: journals, backups, other stores.
/// It names nobody; whoever comes across a name or a session can tell whether it is one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Erasure {
    /// When; what came later under the same names is no part of it.
    pub at: Timestamp,
    /// What makes its hashes its store's own.
    pub salt: Arc<str>,
    /// Hashes of their names and sessions.
    pub traces: Vec<Arc<str>>,
    /// Those of addresses said beside their user id: where another user id is known, that one says
    /// who it is.
    pub addresses: Vec<Arc<str>>,
}

/// What stays of a person when nothing else does. It lies under a hash, and names nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grave {
    /// Their newest word on being offered anything.
    pub consent: Option<Consent>,
    /// When everything else of them was last removed.
    pub erased: Option<Timestamp>,
}

/// Work that one of several instances does for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// The instance that does it.
    pub holder: Arc<str>,
    /// Rises while the holder lives.
    pub beat: u64,
    /// Whether the holder has really begun.
    pub at_work: bool,
    /// Whether the holder is going, and waits for somebody to take over.
    pub leaving: bool,
}

/// A workspace that came into force, to start from when the one on disk is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its files as they are written, by path: variables are not replaced in them.
    pub files: BTreeMap<Arc<str>, Arc<str>>,
    /// The files' digest.
    pub sources: Arc<str>,
    /// The rulebook's.
    pub digest: Arc<str>,
    /// Its number in the process that kept it.
    pub revision: u64,
    /// When it came into force.
    pub at: Timestamp,
}

/// What an instance says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    /// Where it listens.
    pub address: Arc<str>,
    /// Of docent.
    pub version: Arc<str>,
    /// The number of the rulebook in force, counted by itself.
    pub revision: u64,
    /// That rulebook's digest.
    pub digest: Arc<str>,
    /// Since when it is in force.
    pub since: Timestamp,
    /// Whether it was started from a kept rulebook, and the disk is still broken.
    pub stale: bool,
    /// Whether what is on its disk was refused.
    pub refused: bool,
    /// When it said so, by its own clock.
    pub seen: Timestamp,
    /// Up to which erasure its journal is swept; `None` where it keeps none.
    #[serde(default)]
    pub swept: Option<u64>,
}

/// An operator's word that a product offers nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it was said.
    pub since: Timestamp,
    /// When it ends by itself; `None` when somebody must end it.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Why, in the operator's words.
    #[serde(default)]
    pub reason: Option<Arc<str>>,
}

impl Lease {
    /// What reading one upstream of a product is called: the same on every instance, wherever in its
    /// settings the upstream stands, and without the URL, which may hold a password.
    pub fn of_source(product: &str, url: &str) -> Arc<str> {
        format!("source/{product}/{:016x}", xxh3_64(url.as_bytes())).into()
    }
}

impl Pause {
    /// When it ends, if it still stands.
    pub fn stands_until(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.until.unwrap_or(Timestamp::FOREVER)).filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_exactly_when_it_was_said_to() {
        let at = Timestamp::from_millis;
        let pause = |until| Pause { since: at(1), until, reason: None };
        assert_eq!(pause(Some(at(9))).stands_until(at(8)), Some(at(9)));
        assert_eq!(pause(Some(at(9))).stands_until(at(9)), None);
        assert_eq!(pause(None).stands_until(at(9)), Some(Timestamp::FOREVER));
    }
}
