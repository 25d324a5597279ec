//! The store on this machine's disk: the memory store, and behind it a file that holds all that
//! was written. Reads and polls are answered from memory; a step that changed something is posted
//! under its record's lock and answered when the commit that holds it is on disk.
//!
//! Memory knows every record, so that nobody has to look on disk for what is not there. Activity
//! that had to make room stays on disk and is read back when its session comes again.
//!
//! An answer never tells what could still be lost: a step that only looks at a record waits too,
//! while that record's last change is on its way. While commits fail, steps that look at anything
//! else go on, and those that would change something are refused.

mod disk;
mod recover;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::records::Context;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::settings::{Durability, Limits};
use crate::store::announce::Followers;
use crate::store::embedded::disk::{Disk, DiskError};
use crate::store::embedded::recover::{Recovered, recover};
use crate::store::embedded::writer::Writer;
use crate::store::figures::{StoreFigures, Swept};
use crate::store::memory::Memory;
use crate::store::memory::shelf::{Absent, Done};
use crate::store::outbox::Outbox;
use crate::store::raw::{Clash, KINDS, Page, Place, Put, Raw, rows};
use crate::store::record::Record;
use crate::store::{Key, Step, StoreError, codec};

/// How long reading a record back may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a record may be sent away again before its step has run.
const MOST_TRIES: usize = 8;

/// Records in this process and in a file.
pub struct Embedded {
    memory: Arc<Memory>,
    outbox: Arc<Outbox>,
    disk: Arc<Disk>,
    /// Whether memory knows every record; else all is read from the file, and nothing written.
    known: bool,
}

impl Embedded {
    /// Opens the store in a folder and reads back all that it holds, within the limits. Blocks.
    pub(crate) fn open(
        folder: &Path,
        durability: Durability,
        limits: &Limits,
    ) -> Result<Self, StoreError> {
        Self::open_with(folder, durability, limits, true)
    }

    /// Opens the store in a folder to read out of its file, and for nothing else. Blocks.
    pub(crate) fn open_to_read(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, Durability::Immediate, &Limits::default(), false)
    }

    fn open_with(
        folder: &Path,
        durability: Durability,
        limits: &Limits,
        known: bool,
    ) -> Result<Self, StoreError> {
        let (immediate, gather) = match durability {
            Durability::Immediate => (true, Duration::ZERO),
            Durability::Interval(span) => {
                (false, Duration::from_millis(span.as_millis().unsigned_abs()))
            }
        };
        let outbox = Arc::new(Outbox::new(immediate));
        let memory = Arc::new(Memory::posting(limits, Some(Arc::clone(&outbox))));
        let (opened, open) = mpsc::channel();
        let (folder, held, posted) = (folder.to_owned(), Arc::clone(&memory), Arc::clone(&outbox));
        let work = move || {
            let disk = if known { recovered(&folder, &held) } else { Disk::open(&folder) };
            let disk = disk.map(Arc::new);
            if opened.send(disk.clone()).is_ok()
                && let Ok(disk) = disk
            {
                Writer { memory: held, outbox: posted, disk, gather }.run();
            }
        };
        let thread = thread::Builder::new().name("docent-store".to_owned()).spawn(work);
        thread.map_err(|error| StoreError::Unwritten { reason: error.to_string() })?;
        // The thread ends without a word only when the file made it panic.
        let disk = open.recv().map_err(|_| StoreError::Damaged {
            file: "docent.redb".to_owned(),
            reason: "it cannot be read".to_owned(),
        })??;
        Ok(Self { memory, outbox, disk, known })
    }

    /// Who follows what changes.
    pub(crate) fn followers(&self) -> &Followers {
        &self.memory.followers
    }

    /// Applies a step to one record, see [`crate::store::Store::update`].
    pub(crate) async fn update<R: Record, T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<R>) -> Step<T>,
    ) -> Result<T, StoreError> {
        if !self.known {
            return self.look(key, step).await;
        }
        for _ in 0..MOST_TRIES {
            let refused = self.outbox.refuses();
            let step = |slot: &mut Option<R>| match &refused {
                None => step(slot).map(Some),
                Some(_) => only_kept(step(&mut slot.clone())),
            };
            match self.memory.update(key, now, step) {
                Ok(done) => return self.answer(done).await?.ok_or_else(|| unwritten(refused)),
                // Boxed like all that is rare, so that the usual poll is small to move about.
                Err(absent) => Box::pin(self.fetch(key, absent, now)).await?,
            }
        }
        Err(StoreError::Slow)
    }

    /// Applies a step to both records of a session.
    pub(crate) async fn update_session<T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<Session>, &mut Option<Context>) -> Step<T>,
    ) -> Result<T, StoreError> {
        self.writable()?;
        for _ in 0..MOST_TRIES {
            let refused = self.outbox.refuses();
            let step = |state: &mut Option<Session>, context: &mut Option<Context>| match &refused {
                None => step(state, context).map(Some),
                Some(_) => only_kept(step(&mut state.clone(), &mut context.clone())),
            };
            match self.memory.update_session(key, now, step) {
                Ok(done) => return self.answer(done).await?.ok_or_else(|| unwritten(refused)),
                // Boxed like all that is rare, so that the usual poll is small to move about.
                Err(absent) => Box::pin(self.fetch(key, absent, now)).await?,
            }
        }
        Err(StoreError::Slow)
    }

    /// Applies a step to what the file holds of a record.
    async fn look<R: Record, T>(
        &self,
        key: Key<'_>,
        step: impl Fn(&mut Option<R>) -> Step<T>,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        let (product, id) = (key.product.to_owned(), key.id.to_owned());
        let read = move || disk.read(R::KIND, Key { product: &product, id: &id });
        let bytes = self.read_aside(read).await?;
        let record = bytes.map(|bytes| codec::unpack::<R>(&bytes)).transpose()?;
        match step(&mut record.map(|(_, record)| record)) {
            Step::Keep(answer) => Ok(answer),
            Step::Write(_) => Err(to_be_read()),
        }
    }

    fn writable(&self) -> Result<(), StoreError> {
        if self.known { Ok(()) } else { Err(to_be_read()) }
    }

    async fn answer<T>(&self, done: Done<T>) -> Result<T, StoreError> {
        if let Some(number) = done.due {
            Box::pin(self.outbox.settled(number)).await?;
        }
        Ok(done.answer)
    }

    /// Reads back what of a record is on disk alone.
    async fn fetch(&self, key: Key<'_>, absent: Absent, now: Timestamp) -> Result<(), StoreError> {
        let Some(drawer) = self.memory.drawer(absent.shelf) else { return Ok(()) };
        let (kinds, disk) = (drawer.kinds(), Arc::clone(&self.disk));
        let (product, id) = (key.product.to_owned(), key.id.to_owned());
        let read = move || {
            let key = Key { product: &product, id: &id };
            kinds.into_iter().map(|kind| disk.read(kind, key)).collect::<Result<Vec<_>, _>>()
        };
        let slots = self.read_aside(read).await?;
        if let Err(error) = self.memory.restore(key, absent, now, &slots) {
            tracing::warn!(error = %error, "A record cannot be read; it goes on without its activity");
        }
        Ok(())
    }

    async fn read_aside<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(read)).await {
            Ok(Ok(Ok(found))) => Ok(found),
            Ok(Ok(Err(error))) => Err(StoreError::Unread { reason: error.to_string() }),
            // It panicked: the file is not what was written.
            Ok(Err(_)) => Err(StoreError::Unread { reason: "it is damaged".to_owned() }),
            Err(_) => Err(StoreError::Slow),
        }
    }

    /// Some records from disk, see [`crate::store::Store::page`]. A walk begins with all that was
    /// acknowledged before it.
    pub(crate) async fn page(&self, from: &Place) -> Result<Page, StoreError> {
        if *from == Place::default() {
            self.outbox.saved(self.outbox.last()).await?;
        }
        let Some(kind) = KINDS.get(from.part).copied() else { return Ok(Page::default()) };
        let (disk, after) = (Arc::clone(&self.disk), from.after.clone());
        let read = move || {
            let after = after.as_ref().map(|(product, id)| (&**product, &**id));
            disk.page(kind, after)
        };
        let (records, after) = self.read_aside(read).await?;
        let part = if after.is_some() { from.part } else { from.part + 1 };
        let next = (part < KINDS.len()).then_some(Place { part, after, ..Place::default() });
        Ok(Page { records, next })
    }

    /// Puts records, see [`crate::store::Store::put`].
    pub(crate) async fn put(&self, records: &[Raw], clash: Clash) -> Result<Put, StoreError> {
        self.writable()?;
        let (mut put, mut due) = (Put::default(), None);
        for row in rows(records) {
            let done = self.place(row, clash).await?;
            put.add(done.answer);
            due = due.max(done.due);
        }
        self.answer(Done { answer: put, due }).await
    }

    async fn place(&self, row: &[Raw], clash: Clash) -> Result<Done<Put>, StoreError> {
        for _ in 0..MOST_TRIES {
            if let Some(reason) = self.outbox.refuses() {
                return Err(StoreError::Unwritten { reason });
            }
            match (self.memory.place(row, clash), row.first()) {
                (Ok(done), _) => return Ok(done),
                (Err(absent), Some(raw)) => {
                    let now = raw.written().unwrap_or_default();
                    self.fetch(raw.key(), absent, now).await?;
                }
                (Err(_), None) => {}
            }
        }
        Err(StoreError::Slow)
    }

    /// Drops what is past its time, see [`crate::store::Store::sweep`].
    pub(crate) fn sweep(&self, now: Timestamp) -> Swept {
        self.memory.sweep(now)
    }

    /// What is held in memory.
    pub(crate) fn figures(&self) -> StoreFigures {
        self.memory.figures()
    }

    /// Why the last commit failed, while none has succeeded since.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.outbox.trouble()
    }

    /// Writes what is left and closes the file.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.outbox.stop();
        self.outbox.closed().await
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Who opens the folder next finds it free.
        self.outbox.end();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Embedded").field(&self.figures()).finish()
    }
}

/// While nothing can be written a step runs on a copy, and what it would have changed is refused:
/// in memory alone it would only pile up.
fn only_kept<T>(step: Step<T>) -> Step<Option<T>> {
    match step {
        Step::Keep(answer) => Step::Keep(Some(answer)),
        Step::Write(_) => Step::Keep(None),
    }
}

fn to_be_read() -> StoreError {
    StoreError::Unwritten { reason: "it was opened to be read".to_owned() }
}

fn unwritten(refused: Option<String>) -> StoreError {
    StoreError::Unwritten { reason: refused.unwrap_or_default() }
}

/// The file, with all its records in memory.
fn recovered(folder: &Path, memory: &Memory) -> Result<Disk, StoreError> {
    let begun = Instant::now();
    let disk = Disk::open(folder)?;
    let read = recover(&disk, memory);
    let Recovered { records, unreadable } = read.map_err(|error| StoreError::Damaged {
        file: folder.display().to_string(),
        reason: error.to_string(),
    })?;
    if unreadable > 0 {
        tracing::warn!(unreadable, "Passed over records that this version cannot read");
    }
    if records > 0 {
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!(records, seconds, "Read the store back");
    }
    Ok(disk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::records::User;

    const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    #[tokio::test]
    async fn while_nothing_can_be_written_reads_go_on_and_nothing_piles_up() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        let store = Embedded::open(folder.path(), Durability::Immediate, &limits).unwrap();
        let count = |slot: &mut Option<User>| {
            slot.get_or_insert_default().seq += 1;
            Step::Write(())
        };
        let seen = |slot: &mut Option<User>| Step::Keep(slot.as_ref().map_or(0, |user| user.seq));
        let key = |id| Key { product: "acme", id };
        store.update(key("u_1"), NOW, count).await.unwrap();
        let last = store.outbox.last();
        store.outbox.tried(last, Err("the disk is full".to_owned()));
        let refused = Err(StoreError::Unwritten { reason: "the disk is full".to_owned() });
        for id in ["u_1", "u_2"] {
            assert_eq!(store.update(key(id), NOW, count).await, refused);
        }
        assert_eq!(store.update(key("u_1"), NOW, seen).await, Ok(1));
        assert_eq!(store.update(key("u_2"), NOW, seen).await, Ok(0));
        assert_eq!(store.outbox.last(), last, "nothing more waits for the disk");
        store.outbox.tried(last, Ok(()));
        store.update(key("u_1"), NOW, count).await.unwrap();
        assert_eq!(store.update(key("u_1"), NOW, seen).await, Ok(2));
    }
}
