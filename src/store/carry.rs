//! Carrying all records: out of a store into a backup, back out of one, and from store to store.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;

use crate::domain::bulletin::{Bulletin, Erasure};
use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::settings::{Durability, Limits};
use crate::store::backup::{BackupError, Counts, Reader, Writer};
use crate::store::bulletin::{INSTANCES, LEASES};
use crate::store::buried::{self, Buried};
use crate::store::embedded::Embedded;
use crate::store::erasures::{self, Joined, join, nth};
use crate::store::raw::{Clash, Place, Put, Raw};
use crate::store::record::Record;
use crate::store::{Step, Store, StoreError};

/// Walks through a copied store again until nothing is left to copy, at most this often: a source
/// that is in use never comes to rest. One whose server moves is walked through anew as often.
const ROUNDS: usize = 3;

/// Why records could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// A store has no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is no backup that can be used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Compressing failed.
    #[error("cannot compress: {0}")]
    Zstd(#[from] io::Error),
}

/// A store that is opened to carry records and not to serve: it drops nothing, however much there
/// is. Times to live are those that a serving one has.
pub fn everything(limits: &Limits) -> Limits {
    Limits { max_sessions: u64::MAX, max_memory: u64::MAX, ..limits.clone() }
}

/// Opens a store to read out of it, and for nothing else: of a file no more is read than is asked for.
///
/// # Errors
/// When it cannot be opened.
pub fn open_to_read(workspace: &Path, setting: &str) -> Result<Store, StoreError> {
    match setting.strip_prefix("embedded:").filter(|path| !path.is_empty()) {
        Some(path) => Embedded::open_to_read(&workspace.join(path)).map(Store::Embedded),
        None => Store::open_in(workspace, setting, Durability::Immediate, &Limits::default()),
    }
}

/// Whether a record means something in another store: what instances say of themselves and agree
/// on among each other does not.
fn travels(record: &Raw) -> bool {
    record.kind != Bulletin::KIND || ![INSTANCES, LEASES].contains(&record.key())
}

/// Whether a store holds nothing of any person or product yet.
///
/// # Errors
/// When the store does not answer.
pub async fn is_empty(store: &Store) -> Result<bool, StoreError> {
    let mut place = Some(Place::default());
    while let Some(from) = place {
        let page = store.page(&from).await?;
        if page.records.iter().any(|record| record.kind != Bulletin::KIND) {
            return Ok(false);
        }
        place = page.next;
    }
    Ok(true)
}

/// A backup that is being made.
pub struct Saving {
    writer: Option<Writer>,
    place: Option<Place>,
}

impl Saving {
    /// Begins one.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn begin(now: Timestamp) -> Result<Self, CarryError> {
        Ok(Self { writer: Some(Writer::begin(now)?), place: Some(Place::default()) })
    }

    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// When the store does not answer; the backup is then not to be used.
    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<u8>>, CarryError> {
        loop {
            let Some(from) = self.place.take() else {
                return Ok(self.writer.take().map(Writer::finish).transpose()?);
            };
            let page = store.page(&from).await?;
            self.place = page.next;
            let Some(writer) = &mut self.writer else { return Ok(None) };
            for record in page.records.iter().filter(|record| travels(record)) {
                writer.add(record)?;
            }
            let piece = writer.ready();
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }
}

/// A backup that is being put back. Nobody who was erased after it was made comes back.
pub struct Restoring {
    reader: Reader,
    putting: Putting,
}

/// Records on their way from one store into another.
struct Putting {
    clash: Clash,
    put: Put,
    /// Who was erased, as the store that they go to knows it.
    buried: Buried,
    known: Vec<Erasure>,
    /// Of these, what was not known yet while the first records were put.
    news: Vec<Erasure>,
    /// What the store that they come from knows of it, in its order.
    theirs: BTreeMap<u64, Erasure>,
}

impl Putting {
    async fn begin(to: &Store, clash: Clash) -> Result<Self, StoreError> {
        let known = erasures::all(to).await?;
        let (put, news, theirs) = <_>::default();
        Ok(Self { clash, put, buried: Buried::new(known.iter().cloned()), known, news, theirs })
    }

    /// Learns who was erased meanwhile: a docent may be serving the store that records go to.
    async fn learn(&mut self, to: &Store) -> Result<(), StoreError> {
        let number = |known: &[Erasure]| known.len() as u64 + 1;
        while let Some(next) = nth(to, number(&self.known), Timestamp::default()).await? {
            self.buried.add(&next);
            self.news.push(next.clone());
            self.known.push(next);
        }
        Ok(())
    }

    async fn take(&mut self, to: &Store, records: &[Raw]) -> Result<(), StoreError> {
        if !records.is_empty() {
            self.learn(to).await?;
        }
        let mut plain = Vec::with_capacity(records.len());
        for raw in records {
            match Joined::of(raw) {
                Some(Joined::Erasure(number, erasure)) => drop(self.theirs.insert(number, erasure)),
                Some(joined) => self.put.add(join(to, raw, joined).await?),
                None if self.buried.holds(raw) => self.put.erased += 1,
                None => plain.push(raw.clone()),
            }
        }
        self.put.add(to.put(&plain, self.clash).await?);
        Ok(())
    }

    /// Takes in whom the other store knows to be erased, and removes what was put of them, and of
    /// whoever was erased meanwhile, before that was read.
    async fn finish(&mut self, to: &Store) -> Result<(), StoreError> {
        self.learn(to).await?;
        for erasure in std::mem::take(&mut self.theirs).into_values() {
            if self.known.contains(&erasure) {
                self.put.kept += 1;
                continue;
            }
            erasures::append(to, &erasure, self.known.len() as u64).await?;
            self.put.written += 1;
            self.known.push(erasure.clone());
            self.news.push(erasure);
        }
        self.put.erased += buried::remove(to, std::mem::take(&mut self.news)).await?;
        Ok(())
    }
}

/// What putting a backup back came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup holds, by kind.
    pub counts: Counts,
    /// What became of it.
    pub put: Put,
}

impl Restoring {
    /// Expects the first piece of the file.
    ///
    /// # Errors
    /// When there is no memory for it, or the store does not answer.
    pub async fn begin(store: &Store, clash: Clash) -> Result<Self, CarryError> {
        let reader = Reader::begin().map_err(CarryError::Zstd)?;
        Ok(Self { reader, putting: Putting::begin(store, clash).await? })
    }

    /// Puts what is whole with the next piece.
    ///
    /// # Errors
    /// When the file is not what was written, or the store does not take it.
    pub async fn take(&mut self, store: &Store, piece: &[u8]) -> Result<(), CarryError> {
        let mut records = self.reader.take(piece)?;
        // Older versions saved them all.
        records.retain(travels);
        Ok(self.putting.take(store, &records).await?)
    }

    /// What was put so far.
    pub fn so_far(&self) -> Put {
        self.putting.put
    }

    /// After the last piece.
    ///
    /// # Errors
    /// When the file is not whole, or the store does not answer.
    pub async fn finish(mut self, store: &Store) -> Result<Restored, CarryError> {
        self.putting.finish(store).await?;
        let mut put = self.putting.put;
        put.unreadable += self.reader.unknown();
        Ok(Restored { put, counts: self.reader.finish()? })
    }
}

/// What a copy came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// What the first store holds, by kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// What became of it in the second.
    pub put: Put,
    /// Whether all of it that this version can read was found there afterwards.
    pub verified: bool,
}

/// Copies every record that is not there yet, or is older there, and then walks through all of them
/// again to see that none is missing. What was interrupted goes on when it is called again.
///
/// # Errors
/// When a store does not answer.
pub async fn copy(
    from: &Store,
    to: &Store,
    mut progress: impl FnMut(u64),
) -> Result<Copied, StoreError> {
    let mut copied = Copied::default();
    for round in 0..=ROUNDS {
        let mut moves = 0;
        let (put, counts) = loop {
            match walked(from, to, &mut progress).await {
                Err(StoreError::Moved) if moves < ROUNDS => moves += 1,
                walked => break walked?,
            }
        };
        let written = put.written;
        if round == 0 {
            copied.put = put;
        } else {
            copied.put.written += written;
            copied.verified = written == 0;
        }
        copied.counts = counts;
        if round > 0 && written == 0 {
            break;
        }
    }
    Ok(copied)
}

/// Copies what there is once; what became of it, and how many records of each kind there are.
async fn walked(
    from: &Store,
    to: &Store,
    progress: &mut impl FnMut(u64),
) -> Result<(Put, BTreeMap<&'static str, u64>), StoreError> {
    let (mut place, mut counts) = (Some(Place::default()), BTreeMap::new());
    let mut putting = Putting::begin(to, Clash::NewerStays).await?;
    while let Some(at) = place {
        let mut page = from.page(&at).await?;
        page.records.retain(travels);
        for record in &page.records {
            *counts.entry(record.kind).or_default() += 1;
        }
        putting.take(to, &page.records).await?;
        let Put { written, kept, unreadable, erased } = putting.put;
        progress(written + kept + unreadable + erased);
        place = page.next;
    }
    putting.finish(to).await?;
    Ok((putting.put, counts))
}

/// Removes from the second store what the first does not have; how many records.
///
/// # Errors
/// When a store does not answer.
pub async fn remove_others(from: &Store, to: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let (random, mut known, mut others) = (RandomState::new(), HashSet::new(), Vec::new());
    let hash = |raw: &Raw| random.hash_one((raw.kind, &raw.product, &raw.id));
    let mut place = Some(Place::default());
    while let Some(at) = place {
        let page = from.page(&at).await?;
        known.extend(page.records.iter().map(hash));
        place = page.next;
    }
    let mut place = Some(Place::default());
    while let Some(at) = place {
        let page = to.page(&at).await?;
        // Who was erased or wants no offers stays known, whichever store says so.
        let unknown =
            |raw: &Raw| travels(raw) && Joined::of(raw).is_none() && !known.contains(&hash(raw));
        others.extend(page.records.into_iter().filter(unknown));
        place = page.next;
    }
    for other in &others {
        match other.kind {
            Session::KIND => remove::<Session>(to, other, now).await?,
            Context::KIND => remove::<Context>(to, other, now).await?,
            User::KIND => remove::<User>(to, other, now).await?,
            Account::KIND => remove::<Account>(to, other, now).await?,
            Product::KIND => remove::<Product>(to, other, now).await?,
            Conversation::KIND => remove::<Conversation>(to, other, now).await?,
            EmailIndex::KIND => remove::<EmailIndex>(to, other, now).await?,
            _ => remove::<Bulletin>(to, other, now).await?,
        }
    }
    Ok(others.len() as u64)
}

async fn remove<R: Record>(store: &Store, raw: &Raw, now: Timestamp) -> Result<(), StoreError> {
    let gone = |slot: &mut Option<R>| {
        *slot = None;
        Step::Write(())
    };
    store.update(raw.key(), now, gone).await
}
