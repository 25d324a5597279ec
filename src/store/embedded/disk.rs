//! The file of an embedded store: a redb database with one table per kind of record. Everything
//! here blocks; the writer's thread and blocking tasks call it.

use std::fs::{self, DirBuilder, File};
use std::io::{
    self,
    ErrorKind::{InvalidData, UnexpectedEof},
    Write as _,
};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, TryLockError};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition, TableError,
};

use crate::domain::records::Context;
use crate::domain::session::Session;
use crate::store::memory::drawer::Packed;
use crate::store::raw::Raw;
use crate::store::record::Record;
use crate::store::{Key, StoreError};

/// Pages that redb keeps in memory; the records themselves are in memory anyway.
const CACHE: usize = 64 << 20;
/// The layout of the file. It rises when an older docent could not read it.
const FORMAT: u64 = 1;
/// Room that redb itself may need for a commit, beside what the records do.
const ROOM: usize = 1 << 20;
/// A file smaller than this is not worth compacting.
const WORTH_COMPACTING: u64 = 64 << 20;

/// The key up to which a page goes: product and id.
type Last = (Box<str>, Box<str>);
/// Bytes and records after which a page is full.
const MOST_OF_A_PAGE: usize = 1 << 20;
const MOST_RECORDS: usize = 1_024;

const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("docent");
type Records = TableDefinition<'static, (&'static str, &'static str), &'static [u8]>;

const fn table(kind: &'static str) -> Records {
    TableDefinition::new(kind)
}

/// Why the file did not do as asked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct DiskError(Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for DiskError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

/// The open file. It is closed for a moment when it is opened anew after a failure.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    database: RwLock<Option<Database>>,
}

impl Disk {
    /// Opens the store in a folder, which is made if need be, and checks every page of it.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let named = folder.display().to_string();
        let refused = |error: &io::Error| StoreError::Folder {
            folder: named.clone(),
            reason: error.to_string(),
        };
        make(folder).map_err(|error| refused(&error))?;
        let path = folder.join("docent.redb");
        let file = path.display().to_string();
        let hollow = fs::metadata(&path).is_ok_and(|found| found.len() == 0);
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(path.exists());
        let mut database = builder.create(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                StoreError::Locked { folder: named.clone() }
            }
            DatabaseError::Storage(StorageError::Io(error))
                if !matches!(error.kind(), InvalidData | UnexpectedEof) =>
            {
                refused(&error)
            }
            error => StoreError::Damaged { file: file.clone(), reason: error.to_string() },
        })?;
        // The first write may find the disk full.
        let trouble = |error: DiskError| match *error.0 {
            redb::Error::Io(error) if !matches!(error.kind(), InvalidData | UnexpectedEof) => {
                refused(&error)
            }
            error => StoreError::Damaged { file: file.clone(), reason: error.to_string() },
        };
        let found = format(&database).map_err(trouble)?;
        if found > FORMAT {
            return Err(StoreError::Newer { file, found, known: FORMAT });
        }
        tidy(&mut database, &path).map_err(trouble)?;
        if hollow {
            warn_of_hollow(&file);
        }
        // A new file is as lasting as its name in the folder.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| refused(&error))?;
        Ok(Self { path, database: RwLock::new(Some(database)) })
    }

    /// Opens the file anew: after a failure redb writes nothing until then.
    pub(crate) fn reopen(&self) -> Result<(), DiskError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *database = None;
        *database = Some(Builder::new().set_cache_size(CACHE).open(&self.path)?);
        Ok(())
    }

    /// Whether it makes sense to commit after a failure. Asked with a file beside it, because a
    /// commit that fails costs a look at the whole of this one.
    pub(crate) fn ready_for(&self, changes: &[Packed]) -> Result<(), DiskError> {
        let bytes: usize = changes.iter().flat_map(|change| &change.bytes).map(Vec::len).sum();
        let beside = self.path.with_file_name("docent.room");
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(&vec![0x5a; 2 * bytes + ROOM])?;
            file.sync_all()
        });
        let _gone = fs::remove_file(&beside);
        written?;
        let closed = self.database.read().unwrap_or_else(PoisonError::into_inner).is_none();
        if closed { self.reopen() } else { Ok(()) }
    }

    /// Writes these changes in one transaction, on disk when it returns.
    pub(crate) fn commit(&self, changes: &mut [Packed]) -> Result<(), DiskError> {
        self.with(|database| {
            changes.sort_by(|a, b| (a.kind, &a.product, &a.id).cmp(&(b.kind, &b.product, &b.id)));
            let transaction = database.begin_write()?;
            for changes in changes.chunk_by(|a, b| a.kind == b.kind) {
                let Some(Packed { kind, .. }) = changes.first() else { continue };
                let mut table = transaction.open_table(table(kind))?;
                for Packed { product, id, bytes, .. } in changes {
                    let key = (&**product, &**id);
                    match bytes {
                        Some(bytes) => drop(table.insert(key, &**bytes)?),
                        None => drop(table.remove(key)?),
                    }
                }
            }
            Ok(transaction.commit()?)
        })
    }

    /// The bytes of one record; `None` when there is none.
    pub(crate) fn read(
        &self,
        kind: &'static str,
        key: Key<'_>,
    ) -> Result<Option<Vec<u8>>, DiskError> {
        self.with(|database| {
            let table = match database.begin_read()?.open_table(table(kind)) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            let bytes = table.get((key.product, key.id))?;
            Ok(bytes.map(|bytes| bytes.value().to_vec()))
        })
    }

    /// Shows every record of a kind, one at a time.
    pub(crate) fn each(
        &self,
        kind: &'static str,
        mut show: impl FnMut(Key<'_>, &[u8]),
    ) -> Result<(), DiskError> {
        self.with(|database| {
            let table = match database.begin_read()?.open_table(table(kind)) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(()),
                table => table?,
            };
            for record in table.iter()? {
                let (key, bytes) = record?;
                let (product, id) = key.value();
                show(Key { product, id }, bytes.value());
            }
            Ok(())
        })
    }

    /// Some records of a kind, in the order of their keys, from behind a key on; and the key up to
    /// which it has looked, when more may follow. Of a session its context is read along, and of a
    /// context with a session nothing.
    pub(crate) fn page(
        &self,
        kind: &'static str,
        after: Option<(&str, &str)>,
    ) -> Result<(Vec<Raw>, Option<Last>), DiskError> {
        self.with(|database| {
            let transaction = database.begin_read()?;
            let open = |kind| match transaction.open_table(table(kind)) {
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                table => table.map(Some),
            };
            let Some(own) = open(kind)? else { return Ok((Vec::new(), None)) };
            let other = match kind {
                Session::KIND => open(Context::KIND)?,
                Context::KIND => open(Session::KIND)?,
                _ => None,
            };
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let (mut records, mut bytes) = (Vec::new(), 0);
            for (number, record) in own.range::<(&str, &str)>((from, Bound::Unbounded))?.enumerate()
            {
                let (key, value) = record?;
                let (product, id) = key.value();
                let mut add = |kind, value: &[u8]| {
                    bytes += value.len();
                    let (product, id) = (product.into(), id.into());
                    records.push(Raw { kind, product, id, bytes: value.to_vec() });
                };
                let half = other.as_ref().map(|other| other.get((product, id))).transpose()?;
                match half.flatten() {
                    Some(_) if kind == Context::KIND => {}
                    half => {
                        add(kind, value.value());
                        half.iter().for_each(|half| add(Context::KIND, half.value()));
                    }
                }
                if bytes >= MOST_OF_A_PAGE || number >= MOST_RECORDS {
                    return Ok((records, Some((product.into(), id.into()))));
                }
            }
            Ok((records, None))
        })
    }

    /// Closes the file, so that the next start has nothing to repair.
    pub(crate) fn close(&self) {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = database.map(Database::close) {
            tracing::warn!(error = %error, "The store's file was not closed well; the next start repairs it");
        }
    }

    fn with<T>(&self, ask: impl FnOnce(&Database) -> Result<T, DiskError>) -> Result<T, DiskError> {
        // While it is opened anew nobody waits for it, however long that takes.
        let database = match self.database.try_read() {
            Ok(database) => database,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(redb::Error::DatabaseClosed.into()),
        };
        ask(database.as_ref().ok_or(redb::Error::DatabaseClosed)?)
    }
}

/// A file without a byte is what a first start leaves that is killed at once, and a file that lost
/// all it had.
fn warn_of_hollow(file: &str) {
    tracing::warn!(
        file,
        "The store's file was empty, so docent starts without any record. That is how a first start \
         is found that was killed at once; if there were records, the file was cut short (a full \
         disk, a copy that broke off): stop docent and put a backup back with `docent restore`"
    );
}

/// Makes the folder, for nobody else's eyes and no repository: the records tell what people did.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_file() {
        return Err(io::Error::other("it is a file, and a store is a folder with a file in it"));
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    let ignored = folder.join(".gitignore");
    if ignored.exists() { Ok(()) } else { fs::write(ignored, "*\n") }
}

/// The layout of the file; one that holds nothing gets ours.
fn format(database: &Database) -> Result<u64, DiskError> {
    let transaction = database.begin_write()?;
    let mut about = transaction.open_table(ABOUT)?;
    let found = about.get("format")?.map(|format| format.value());
    if let Some(found) = found {
        drop(about);
        transaction.abort()?;
        return Ok(found);
    }
    about.insert("format", FORMAT)?;
    drop(about);
    transaction.commit()?;
    Ok(FORMAT)
}

/// Gives room back to the system when most of the file is empty. Between starts the room that
/// records leave behind is used again.
fn tidy(database: &mut Database, path: &Path) -> Result<(), DiskError> {
    let length = fs::metadata(path).map_or(0, |file| file.len());
    if length < WORTH_COMPACTING {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    let used = stats.allocated_pages().saturating_mul(stats.page_size() as u64);
    transaction.abort()?;
    if used < length / 2 {
        database.compact()?;
    }
    Ok(())
}
