//! Floor 3: where records live. A store applies a repeatable step to one record atomically; the
//! step sees the record or its absence, changes it in place and says whether that is worth
//! keeping. It is a closure over values and cannot wait, so memory needs neither a boxed future
//! nor a suspension point, and a networked store may simply run it again. `memory` keeps records in
//! this process; `embedded` also in a file, through the `outbox`; `redis` on a server for several.

pub mod announce;
pub mod backup;
pub mod bulletin;
mod buried;
pub mod carry;
pub mod codec;
pub mod embedded;
pub mod erasures;
pub mod figures;
pub mod memory;
mod outbox;
pub mod raw;
pub mod record;
pub mod redis;

use std::path::Path;

use crate::domain::records::Context;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::address::{Address, SCHEMES};
use crate::rulebook::settings::{Durability, Limits};
use crate::store::codec::Unreadable;
use crate::store::embedded::Embedded;
use crate::store::figures::Swept;
use crate::store::memory::Memory;
use crate::store::memory::shelf::Absent;
use crate::store::raw::{Clash, Page, Place, Put, Raw, rows};
use crate::store::record::Record;
use crate::store::redis::Redis;

/// The records of one instance.
#[derive(Debug)]
pub enum Store {
    /// In this process; gone when it ends.
    Memory(Box<Memory>),
    /// In this process and in a file; all that was acknowledged outlives it.
    Embedded(Embedded),
    /// On a server, with other instances.
    Redis(Box<Redis>),
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
    /// The same with another answer.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Keep(answer) => Step::Keep(change(answer)),
            Self::Write(answer) => Step::Write(change(answer)),
        }
    }

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
    /// Not the name of a store.
    #[error("`{name}` names no store; use `embedded:PATH`, `redis://HOST:PORT` or `memory`")]
    Unknown {
        /// The setting up to its first colon.
        name: String,
    },
    /// Not the address of a Redis. The address itself is not told, it may hold a password.
    #[error("the address of the store `{scheme}` cannot be used: {reason}")]
    Address {
        /// `redis`, `rediss`, …
        scheme: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server answers, but not for this docent as it is set up.
    #[error("the store refuses docent: {reason}")]
    Refused {
        /// What has to change.
        reason: String,
    },
    /// The folder cannot be made, read or written.
    #[error("cannot keep records in `{folder}`: {reason}; docent must be able to write there")]
    Folder {
        /// The folder as given.
        folder: String,
        /// What the system said.
        reason: String,
    },
    /// Two processes would overwrite each other's records.
    #[error(
        "the records in `{folder}` are in use by another docent; stop it, or give this one a \
         folder of its own: `store: embedded:PATH`"
    )]
    Locked {
        /// The folder as given.
        folder: String,
    },
    /// Written by a version whose file this one cannot read.
    #[error(
        "`{file}` was written by a newer docent (format {found}; this version knows {known}); \
         run that version, or start with a folder of its own"
    )]
    Newer {
        /// The file.
        file: String,
        /// Its format.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// The file is not what was written.
    #[error(
        "`{file}` is damaged: {reason}; put a copy of it back, or move it away to start without \
         the cooldowns, dismissals and sessions in it"
    )]
    Damaged {
        /// The file.
        file: String,
        /// What was found.
        reason: String,
    },
    /// The disk did not take it. Whether the change lasts is open; asking again tells.
    #[error("the store cannot write: {reason}")]
    Unwritten {
        /// What the system said.
        reason: String,
    },
    /// A record is on disk alone and cannot be read from there.
    #[error("the store cannot read: {reason}")]
    Unread {
        /// What the system said.
        reason: String,
    },
    /// The server that was being read is another now, and no walk goes on there.
    #[error("the store's server was restarted or replaced while records were read; start again")]
    Moved,
    /// No answer in time.
    #[error("the store did not answer in time")]
    Slow,
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        Self::Unread { reason: error.to_string() }
    }
}

impl From<Absent> for StoreError {
    fn from(_: Absent) -> Self {
        Self::Unread { reason: "nothing is kept on disk".to_owned() }
    }
}

impl Store {
    /// Opens a store as `docent.yaml` may name it; paths count from the current folder.
    pub fn open(setting: &str, limits: &Limits) -> Result<Self, StoreError> {
        Self::open_in(Path::new(""), setting, Durability::Immediate, limits)
    }

    /// Opens the store that the `docent.yaml` of a workspace names. Blocks until all that a file
    /// holds is read back; a Redis is only set out for, see [`Store::reached`], and needs a runtime.
    pub fn open_in(
        workspace: &Path,
        setting: &str,
        durability: Durability,
        limits: &Limits,
    ) -> Result<Self, StoreError> {
        match setting.split_once(':') {
            None if setting == "memory" => Ok(Self::Memory(Memory::new(limits).into())),
            Some(("embedded", path)) if !path.is_empty() => {
                let folder = workspace.join(path);
                Embedded::open(&folder, durability, limits).map(Self::Embedded)
            }
            Some((scheme, _)) if SCHEMES.contains(&scheme) => match Address::parse(setting) {
                Ok(address) => Ok(Self::Redis(Redis::open(address, limits).into())),
                Err(error) => {
                    let (scheme, reason) = (scheme.to_owned(), error.to_string());
                    Err(StoreError::Address { scheme, reason })
                }
            },
            Some((name, _)) => Err(StoreError::Unknown { name: name.to_owned() }),
            None => Err(StoreError::Unknown { name: setting.to_owned() }),
        }
    }

    /// From now on a write to Redis is answered once so many replicas have it; none by default.
    /// The other stores have no replicas.
    #[must_use]
    pub fn waiting_for(mut self, replicas: u32) -> Self {
        if let Self::Redis(redis) = &mut self {
            redis.wait_for(replicas);
        }
        self
    }

    /// Waits, not for long, until a server has been looked at; in this process there is none.
    ///
    /// # Errors
    /// When the server answers but refuses this docent. One that does not answer is no error: it
    /// may come up later, and until then [`Store::trouble`] tells of it.
    pub async fn reached(&self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) | Self::Embedded(_) => Ok(()),
            Self::Redis(redis) => redis.reached().await,
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
            Self::Memory(memory) => Ok(memory.update(key, now, step)?.answer),
            Self::Embedded(embedded) => embedded.update(key, now, step).await,
            // Boxed, so that the other stores' polls need not carry it.
            Self::Redis(redis) => Box::pin(redis.update(key, now, step)).await,
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
            Self::Memory(memory) => Ok(memory.update_session(key, now, step)?.answer),
            Self::Embedded(embedded) => embedded.update_session(key, now, step).await,
            Self::Redis(redis) => Box::pin(redis.update_session(key, now, step)).await,
        }
    }

    /// The kind of store, as its setting begins.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Embedded(_) => "embedded",
            Self::Redis(_) => "redis",
        }
    }

    /// Whether other instances may use it, too.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Redis(_))
    }

    /// Some records as they are, from a place of a walk on; the walk does not hold anybody up. Each
    /// record is whole; what changes during a walk is read before or after its change.
    pub async fn page(&self, from: &Place) -> Result<Page, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.page(from)?),
            Self::Embedded(embedded) => embedded.page(from).await,
            Self::Redis(redis) => redis.page(from).await,
        }
    }

    /// Puts records as another store had them, and answers once they are kept.
    pub async fn put(&self, records: &[Raw], clash: Clash) -> Result<Put, StoreError> {
        match self {
            Self::Memory(memory) => {
                let mut put = Put::default();
                for row in rows(records) {
                    put.add(memory.place(row, clash)?.answer);
                }
                Ok(put)
            }
            Self::Embedded(embedded) => embedded.put(records, clash).await,
            Self::Redis(redis) => redis.put(records, clash).await,
        }
    }

    /// Drops what is past its time and what is over the limits, one shard a call, so that no poll
    /// waits for it. Nothing depends on how often it runs but memory. For Redis, see
    /// [`Store::tidy`].
    pub fn sweep(&self, now: Timestamp) -> Swept {
        match self {
            Self::Memory(memory) => memory.sweep(now),
            Self::Embedded(embedded) => embedded.sweep(now),
            Self::Redis(_) => Swept::default(),
        }
    }

    /// Drops activity past its time from some rows of a Redis, from a place of a walk on; where the
    /// next call goes on, `None` after the last. Whole rows go there by themselves. The other stores
    /// have [`Store::sweep`].
    ///
    /// # Errors
    /// When the store does not answer, or the walk has to start again.
    pub async fn tidy(&self, from: &Place, now: Timestamp) -> Result<Option<Place>, StoreError> {
        match self {
            Self::Memory(_) | Self::Embedded(_) => Ok(None),
            Self::Redis(redis) => redis.tidy(from, now).await,
        }
    }

    /// Writes what is left and lets go of the files. What comes later is refused.
    ///
    /// # Errors
    /// When something acknowledged with `durability` as an interval could not be written.
    pub async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Embedded(embedded) => embedded.close().await,
            Self::Redis(redis) => {
                redis.close();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::address::AddressError;

    #[test]
    fn a_setting_that_is_not_memory_is_a_clear_error_without_its_password() {
        let use_one = "use `embedded:PATH`, `redis://HOST:PORT` or `memory`";
        let unusable = |scheme, why: &str| {
            format!("the address of the store `{scheme}` cannot be used: {why}")
        };
        for (setting, message) in [
            ("embedded:", format!("`embedded` names no store; {use_one}")),
            ("redis:db", unusable("redis", &AddressError::Scheme.to_string())),
            ("rediss://:hunter2@", unusable("rediss", &AddressError::Host.to_string())),
            (
                "redis+sentinel://:hunter2@a,b",
                unusable("redis+sentinel", &AddressError::Master.to_string()),
            ),
            ("postgres://me:hunter2@db", format!("`postgres` names no store; {use_one}")),
            ("Memory", format!("`Memory` names no store; {use_one}")),
            ("memory:", format!("`memory` names no store; {use_one}")),
            ("", format!("`` names no store; {use_one}")),
        ] {
            let error = Store::open(setting, &Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), message, "{setting}");
        }
        assert!(Store::open("memory", &Limits::default()).is_ok());
    }
}
