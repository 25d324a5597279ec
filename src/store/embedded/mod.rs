//! The store on this machine's disk: the memory store, and behind it a file that holds all that
//! was written. Reads and polls are answered from memory; a step that changed something is posted
//! under its record's lock and answered when the commit that holds it is on disk.
//!
//! Memory knows every record, so that nobody has to look on disk for what is not there. Activity
//! that had to make room stays on disk and is read back when its session comes again.
//!
//! An answer never tells what could still be lost: a step that only looks at a record waits too,
//! while that record's last change is on its way.

mod disk;
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
use crate::store::embedded::disk::{Disk, DiskError};
use crate::store::embedded::writer::Writer;
use crate::store::figures::{StoreFigures, Swept};
use crate::store::memory::Memory;
use crate::store::memory::shelf::{Absent, Done};
use crate::store::outbox::Outbox;
use crate::store::raw::{Clash, KINDS, Page, Place, Put, Raw, rows};
use crate::store::record::Record;
use crate::store::{Key, Step, StoreError};

/// How long reading a record back may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a record may be sent away again before its step has run.
const MOST_TRIES: usize = 8;

/// Records in this process and in a file.
pub struct Embedded {
    memory: Arc<Memory>,
    outbox: Arc<Outbox>,
    disk: Arc<Disk>,
}

impl Embedded {
    /// Opens the store in a folder and reads back all that it holds, within the limits. Blocks.
    pub(crate) fn open(
        folder: &Path,
        durability: Durability,
        limits: &Limits,
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
        let (folder, known, posted) = (folder.to_owned(), Arc::clone(&memory), Arc::clone(&outbox));
        let work = move || {
            let disk = recovered(&folder, &known).map(Arc::new);
            if opened.send(disk.clone()).is_ok()
                && let Ok(disk) = disk
            {
                Writer { memory: known, outbox: posted, disk, gather }.run();
            }
        };
        let thread = thread::Builder::new().name("docent-store".to_owned()).spawn(work);
        thread.map_err(|error| StoreError::Unwritten { reason: error.to_string() })?;
        // The thread ends without a word only when the file made it panic.
        let disk = open.recv().map_err(|_| StoreError::Damaged {
            file: "docent.redb".to_owned(),
            reason: "it cannot be read".to_owned(),
        })??;
        Ok(Self { memory, outbox, disk })
    }

    /// Applies a step to one record, see [`crate::store::Store::update`].
    pub(crate) async fn update<R: Record, T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<R>) -> Step<T>,
    ) -> Result<T, StoreError> {
        for _ in 0..MOST_TRIES {
            self.admits()?;
            match self.memory.update(key, now, &step) {
                Ok(done) => return self.answer(done).await,
                Err(absent) => self.fetch(key, absent, now).await?,
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
        for _ in 0..MOST_TRIES {
            self.admits()?;
            match self.memory.update_session(key, now, &step) {
                Ok(done) => return self.answer(done).await,
                Err(absent) => self.fetch(key, absent, now).await?,
            }
        }
        Err(StoreError::Slow)
    }

    /// While nothing can be written, nothing can make room either.
    fn admits(&self) -> Result<(), StoreError> {
        if !self.memory.is_full() {
            return Ok(());
        }
        self.outbox.trouble().map_or(Ok(()), |reason| Err(StoreError::Unwritten { reason }))
    }

    async fn answer<T>(&self, done: Done<T>) -> Result<T, StoreError> {
        if let Some(number) = done.due {
            self.outbox.settled(number).await?;
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
        let next = (part < KINDS.len()).then_some(Place { part, number: 0, after });
        Ok(Page { records, next })
    }

    /// Puts records, see [`crate::store::Store::put`].
    pub(crate) async fn put(&self, records: &[Raw], clash: Clash) -> Result<Put, StoreError> {
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
            self.admits()?;
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

/// The file, with all its records in memory.
fn recovered(folder: &Path, memory: &Memory) -> Result<Disk, StoreError> {
    let begun = Instant::now();
    let disk = Disk::open(folder)?;
    let (mut records, mut unreadable) = (0_u64, 0_u64);
    for drawer in (0..).map_while(|number| memory.drawer(number)) {
        for (slot, kind) in drawer.kinds().into_iter().enumerate() {
            let read = disk.each(kind, |key, bytes| {
                records += 1;
                unreadable += u64::from(memory.recover(drawer, key, slot, bytes).is_err());
            });
            read.map_err(|error| StoreError::Damaged {
                file: folder.display().to_string(),
                reason: error.to_string(),
            })?;
        }
    }
    if unreadable > 0 {
        tracing::warn!(unreadable, "Passed over records that this version cannot read");
    }
    if records > 0 {
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!(records, seconds, "Read the store back");
    }
    Ok(disk)
}
