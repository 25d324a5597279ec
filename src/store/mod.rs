//! Floor 3: where records live. A store applies a repeatable step to one record atomically; the
//! step sees the record or its absence, changes it in place and says whether that is worth
//! keeping. It is a closure over values and cannot wait, so memory needs neither a boxed future
//! nor a suspension point, and a networked store may simply run it again.

pub mod figures;
pub mod memory;
pub mod record;

use crate::domain::records::Context;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::settings::Limits;
use crate::store::figures::{StoreFigures, Swept};
use crate::store::memory::Memory;
use crate::store::record::Record;

/// The records of one instance.
#[derive(Debug)]
pub enum Store {
    /// In this process; gone when it ends.
    Memory(Memory),
}

/// Names one record of a kind. Any text will do: the two parts never run into each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// The product; equal ids of two products are two records.
    pub product: &'a str,
    /// The session, user, conversation or e-mail; empty for what a product has once.
    pub id: &'a str,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Nothing worth keeping changed: no record is made, and none counts as written. What the
    /// step did in place may or may not last, so it must be repeatable.
    Keep(T),
    /// What is now in the slot is kept; an empty slot means that the record goes.
    Write(T),
}

impl<T> Step<T> {
    /// The answer alone.
    pub(crate) fn into_answer(self) -> T {
        match self {
            Self::Keep(answer) | Self::Write(answer) => answer,
        }
    }
}

/// Why a store has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A store this version does not have. Only the scheme is told, a URL may hold a password.
    #[error("the `{scheme}:` store is not available in this version; use `memory`")]
    Unavailable {
        /// `embedded`, `redis`, …
        scheme: String,
    },
    /// Not the name of a store.
    #[error("`{name}` names no store; use `memory`")]
    Unknown {
        /// The setting up to its first colon.
        name: String,
    },
}

/// The schemes of stores that a workspace may already name.
const FORESEEN: [&str; 5] = ["embedded", "redis", "rediss", "redis+cluster", "redis+sentinel"];

impl Store {
    /// Opens the store that `docent.yaml` names.
    pub fn open(setting: &str, limits: &Limits) -> Result<Self, StoreError> {
        match setting.split_once(':') {
            None if setting == "memory" => Ok(Self::Memory(Memory::new(limits))),
            Some((scheme, _)) if FORESEEN.contains(&scheme) => {
                Err(StoreError::Unavailable { scheme: scheme.to_owned() })
            }
            Some((name, _)) => Err(StoreError::Unknown { name: name.to_owned() }),
            None => Err(StoreError::Unknown { name: setting.to_owned() }),
        }
    }

    /// Applies a step to one record. `now` ages it first: activity past `session_ttl` and records
    /// past `ledger_ttl` are not seen, swept or not.
    pub async fn update<R: Record, T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<R>) -> Step<T>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.update(key, now, step)),
        }
    }

    /// Looks at one record, aged like in [`Store::update`].
    pub async fn read<R: Record, T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        look: impl Fn(Option<&R>) -> T,
    ) -> Result<T, StoreError> {
        self.update(key, now, |slot: &mut Option<R>| Step::Keep(look(slot.as_ref()))).await
    }

    /// Applies a step to a session's state and context as one.
    pub async fn update_session<T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<Session>, &mut Option<Context>) -> Step<T>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.update_session(key, now, step)),
        }
    }

    /// Drops what is past its time and what is over the limits, one shard a call, so that no poll
    /// waits for it. Nothing depends on how often it runs but memory.
    pub fn sweep(&self, now: Timestamp) -> Swept {
        match self {
            Self::Memory(memory) => memory.sweep(now),
        }
    }

    /// What is held and what had to go, for metrics.
    pub fn figures(&self) -> StoreFigures {
        match self {
            Self::Memory(memory) => memory.figures(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_not_memory_is_a_clear_error_without_its_password() {
        let unavailable = "store is not available in this version; use `memory`";
        for (setting, message) in [
            ("embedded:./data", format!("the `embedded:` {unavailable}")),
            ("redis://:hunter2@db/0", format!("the `redis:` {unavailable}")),
            ("rediss://db", format!("the `rediss:` {unavailable}")),
            ("redis+cluster://a,b", format!("the `redis+cluster:` {unavailable}")),
            ("redis+sentinel://a,b/main", format!("the `redis+sentinel:` {unavailable}")),
            ("postgres://me:hunter2@db", "`postgres` names no store; use `memory`".to_owned()),
            ("Memory", "`Memory` names no store; use `memory`".to_owned()),
            ("memory:", "`memory` names no store; use `memory`".to_owned()),
            ("", "`` names no store; use `memory`".to_owned()),
        ] {
            let error = Store::open(setting, &Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), message, "{setting}");
        }
        assert!(Store::open("memory", &Limits::default()).is_ok());
    }
}
