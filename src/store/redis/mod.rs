//! The store that several instances share: records in Redis, each row in one hash. A step runs
//! here on what was read, and a script writes what it made of it if nobody else has written
//! meanwhile; otherwise the step runs again on what is there now.
//!
//! An answer may be lost after the write has happened. Every write leaves a token in its row, so
//! the row itself tells. Expiry is decided here, by the caller's clock, as everywhere; Redis' own
//! only tidies up.

mod confirmed;
mod entry;
mod failure;
mod group;
mod inspect;
mod link;
mod names;
mod open;
mod stored;
mod stream;
mod tidy;
mod turns;
mod walk;
mod wire;

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::{Script, Value, cmd};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::domain::records::Context;
use crate::domain::session::Session;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::address::Address;
use crate::rulebook::settings::Limits;
use crate::store::codec::Unreadable;
use crate::store::memory::marks::EVERY_SLOT;
use crate::store::memory::row::{Row, SessionRow};
use crate::store::record::Record;
use crate::store::redis::confirmed::Confirmed;
use crate::store::redis::failure::Failure;
use crate::store::redis::group::Group;
use crate::store::redis::link::Link;
use crate::store::redis::names::name;
use crate::store::redis::open::{Open, settled};
use crate::store::redis::stored::{Change, Field, Lifetimes, Stored, Token, Tokens, Version};
use crate::store::redis::stream::Stream;
use crate::store::redis::turns::Turns;
use crate::store::redis::wire::{ANSWER, PATIENCE};
use crate::store::{Key, Step, StoreError};

/// How long the first look at the server may take before docent starts without it.
const FIRST_LOOK: Duration = Duration::from_secs(4);
/// Before a row is read again that could not be.
const AGAIN: Duration = Duration::from_millis(50);
static WRITE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("script.lua")));

/// Records in Redis.
pub struct Redis {
    link: Arc<Link>,
    /// Set when replicas have to confirm what is written.
    group: Option<(Group, Confirmed)>,
    stream: Stream,
    tasks: Vec<AbortHandle>,
    lives: Lifetimes,
    tokens: Tokens,
    turns: Turns,
}

/// A row, and what of it a step concerns.
struct Asked {
    name: String,
    kinds: Vec<&'static str>,
    slots: Vec<usize>,
    lives: Lifetimes,
    stamp: Stamp,
}

/// When a row counts as written after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    /// At the write.
    Now,
    /// When the record was that is put into it, unless the row has a later time.
    Carried,
    /// When it was before.
    Unmoved,
}

impl Stamp {
    fn of(self, now: Timestamp, before: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::Carried => now.max(before),
            Self::Unmoved => before,
        }
    }
}

impl Asked {
    fn new<W: Row>(key: Key<'_>, slots: u8, lives: Lifetimes) -> Self {
        let kinds = W::kinds();
        let name = name(kinds.first().copied().unwrap_or_default(), key);
        let slots = (0..kinds.len()).filter(|slot| slots & (1 << slot) != 0).collect();
        Self { name, kinds, slots, lives, stamp: Stamp::Now }
    }

    fn is_whole(&self) -> bool {
        self.slots.len() == self.kinds.len()
    }
}

/// What became of a write.
enum Written {
    /// It is there.
    Done,
    /// Somebody else was faster; what is there now. Whether an earlier try of the same write
    /// was applied is told by its version, if the client itself may have repeated it.
    Moved { now: Stored, repeated: bool },
    /// No answer.
    Lost,
}

impl Redis {
    /// Sets out for the Redis at an address; needs a runtime. [`Redis::reached`] tells how it went.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with the store, which other tasks use until the very end"
    )]
    pub(crate) fn open(address: Address, limits: &Limits) -> Self {
        let link = Arc::new(Link::new(address));
        let kept = Arc::clone(&link);
        let keeper = tokio::spawn(async move { kept.keep().await }).abort_handle();
        let lives = Lifetimes::new(limits.session_ttl, limits.ledger_ttl);
        let (stream, adding) = Stream::new(Arc::clone(&link));
        let tasks = vec![keeper, tokio::spawn(adding).abort_handle()];
        let (group, tokens, turns) = (None, Tokens::default(), Turns::default());
        Self { link, group, stream, tasks, lives, tokens, turns }
    }

    /// From now on a write counts once so many replicas have it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with the store, which other tasks use until the very end"
    )]
    pub(crate) fn wait_for(&mut self, replicas: u32) {
        if replicas > 0 {
            let (group, work) = Group::new(Arc::clone(&self.link), replicas);
            self.group = Some((group, Confirmed::default()));
            self.tasks.push(tokio::spawn(work).abort_handle());
        }
    }

    /// Waits for the first look at the server. One that cannot be reached may come up later, so it
    /// is no error; one that refuses docent is.
    pub(crate) async fn reached(&self) -> Result<(), StoreError> {
        match timeout(FIRST_LOOK, self.link.up()).await {
            Ok(Err(Failure { reason, lasting: true, .. })) => Err(StoreError::Refused { reason }),
            _ => Ok(()),
        }
    }

    /// Applies a step to one record, see [`crate::store::Store::update`].
    pub(crate) async fn update<R: Record, T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<R>) -> Step<T>,
    ) -> Result<T, StoreError> {
        let asked = Asked::new::<R::Row>(key, R::SLOTS, self.lives.of(R::AGES));
        self.bounded(asked, now, |row, _| step(R::slot(row))).await
    }

    /// Applies a step to both records of a session.
    pub(crate) async fn update_session<T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<Session>, &mut Option<Context>) -> Step<T>,
    ) -> Result<T, StoreError> {
        let asked = Asked::new::<SessionRow>(key, EVERY_SLOT, self.lives);
        self.bounded(asked, now, |row: &mut SessionRow, _| step(&mut row.0, &mut row.1)).await
    }

    async fn bounded<W: Row, T>(
        &self,
        asked: Asked,
        now: Timestamp,
        step: impl Fn(&mut W, &Stored) -> Step<T>,
    ) -> Result<T, StoreError> {
        let changed = timeout(PATIENCE, self.change(asked, now, step)).await;
        changed.unwrap_or(Err(StoreError::Slow))
    }

    async fn change<W: Row, T>(
        &self,
        mut asked: Asked,
        now: Timestamp,
        step: impl Fn(&mut W, &Stored) -> Step<T>,
    ) -> Result<T, StoreError> {
        let mut stored = self.load(&asked).await?;
        let mut open: Vec<Open<T>> = Vec::new();
        let mut turn = None;
        loop {
            if let Some(answer) = settled(&mut open, &stored)? {
                // Of a row that is no more nothing can be said.
                let kept = self.confirm(&asked, &stored.version).await?;
                return if kept { Ok(answer) } else { Err(StoreError::Slow) };
            }
            let aged = stored.row::<W>(now, asked.lives).map_err(unreadable)?;
            let mut row = aged.row;
            let answer = match step(&mut row, &stored) {
                Step::Keep(answer) => {
                    if self.is_promised(&asked, &stored).await? {
                        return Ok(answer);
                    }
                    stored = self.load(&asked).await?;
                    continue;
                }
                Step::Write(answer) => answer,
            };
            // Those of one instance write one after the other, so that they do not outrun each other.
            if turn.is_none() {
                let (taken, waited) = self.turns.take(&asked.name).await;
                turn = Some(taken);
                if waited {
                    stored = self.load(&asked).await?;
                    continue;
                }
            }
            if aged.past && !asked.is_whole() {
                asked.slots = (0..asked.kinds.len()).collect();
                stored = self.load(&asked).await?;
                continue;
            }
            let written = asked.stamp.of(now, stored.written);
            let change = stored.change(row, (now, written), asked.lives, &asked.slots);
            let change = change.map_err(unreadable)?;
            if stored.version.is_absent() && change.empty {
                return Ok(answer);
            }
            let (token, from) = (self.tokens.draw(), stored.version.clone());
            let emptied = change.empty;
            match self.write(&asked, &from, token, change).await? {
                Written::Done => {
                    self.note(&asked, &from.after(token));
                    return Ok(answer);
                }
                Written::Moved { now, repeated } => {
                    stored = now;
                    if repeated {
                        open.push(Open { token, from, emptied: false, answer });
                    }
                }
                Written::Lost => {
                    open.push(Open { token, from, emptied, answer });
                    stored = self.read_back(&asked).await;
                }
            }
        }
    }

    /// What is stored of a row: one round trip.
    async fn load(&self, asked: &Asked) -> Result<Stored, StoreError> {
        let failed = |failure: Failure| StoreError::Unread { reason: failure.reason };
        let mut up = self.link.up().await.map_err(failed)?;
        let mut ask = cmd("HMGET");
        ask.arg(&asked.name).arg("version").arg("written");
        ask.arg(asked.slots.iter().filter_map(|slot| asked.kinds.get(*slot)).collect::<Vec<_>>());
        let told = timeout(ANSWER, ask.query_async::<Value>(&mut up.wire)).await;
        let failure = match told {
            Ok(Ok(answer)) => {
                return Stored::read(answer, &asked.slots).ok_or_else(|| StoreError::Unread {
                    reason: "a row in Redis is damaged".to_owned(),
                });
            }
            Ok(Err(error)) => Failure::of(&error),
            Err(_) => Failure::silent(),
        };
        self.link.failed(&up, &failure);
        Err(failed(failure))
    }

    /// What is stored, however often that has to be asked: the caller's patience is bounded.
    async fn read_back(&self, asked: &Asked) -> Stored {
        loop {
            match self.load(asked).await {
                Ok(stored) => return stored,
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    async fn write(
        &self,
        asked: &Asked,
        from: &Version,
        token: Token,
        change: Change,
    ) -> Result<Written, StoreError> {
        let unwritten = |failure: Failure| StoreError::Unwritten { reason: failure.reason };
        let mut up = self.link.up().await.map_err(unwritten)?;
        let lives = asked.lives.kept(change.activity_alone, change.age).unwrap_or(Span::ZERO);
        let mut call = WRITE.key(&asked.name);
        call.arg(from.as_bytes()).arg(from.after(token).as_bytes());
        call.arg(change.written.as_millis()).arg(lives.as_millis());
        for (kind, field) in &change.fields {
            match field {
                Field::Same => call.arg(kind).arg("same").arg(""),
                Field::Set(bytes) => call.arg(kind).arg("set").arg(bytes),
                Field::Gone => call.arg(kind).arg("gone").arg(""),
            };
        }
        let sent = async {
            match &self.group {
                Some((group, _)) => group.write(call).await,
                None => {
                    let sent = call.invoke_async::<Value>(&mut up.wire);
                    let sent = timeout(ANSWER, sent).await;
                    let failed = |error| Failure::of(&error);
                    sent.map_or_else(|_| Err(Failure::silent()), |answer| answer.map_err(failed))
                }
            }
        };
        let failure = match sent.await {
            Ok(Value::Int(_)) => {
                self.link.wrote(None);
                return Ok(Written::Done);
            }
            Ok(answer) => {
                let now = Stored::read(answer, &asked.slots);
                let now = now.ok_or_else(|| unwritten(Failure::passing("its row is damaged")))?;
                return Ok(Written::Moved { now, repeated: up.wire.repeats() });
            }
            Err(failure) => failure,
        };
        self.link.failed(&up, &failure);
        if !failure.refused {
            return Ok(Written::Lost);
        }
        // What replicas lack is the group's to tell.
        if self.group.is_none() || !failure.reason.contains("wait_replicas") {
            self.link.wrote(Some(&failure.reason));
        }
        Err(unwritten(failure))
    }

    /// Why nothing can be read or written at present.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.link.trouble().or_else(|| self.group.as_ref()?.0.trouble())
    }

    /// Whether nothing but writes is refused.
    pub(crate) fn is_readable(&self) -> bool {
        self.link.is_settled()
    }

    /// Hangs up. What was acknowledged is in Redis already.
    pub(crate) fn close(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.stream.close();
        self.link.close();
    }
}

fn unreadable(error: Unreadable) -> StoreError {
    StoreError::Unread { reason: format!("a record in Redis is no record: {error}") }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.stream.close();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("trouble", &self.trouble()).finish_non_exhaustive()
    }
}
