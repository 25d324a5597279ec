//! A shelf: all rows of one kind in sharded tables. A key is hashed once; its shard's lock is held
//! for one step, or for one slice of a sweep. In a durable store what changes is posted to the
//! outbox under that lock, so that commits come in the order of the locks.

use std::collections::BinaryHeap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::hash_table::OccupiedEntry;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::domain::time::Timestamp;
use crate::store::figures::{Reason, Swept};
use crate::store::memory::entry::Entry;
use crate::store::memory::gauge::Gauge;
use crate::store::memory::marks::{Away, EVERY_SLOT};
use crate::store::memory::row::Row;
use crate::store::outbox::{Item, Outbox};
use crate::store::{Key, Step};

/// Places of a table that a sweep looks at before it lets others have the lock.
const SLICE: usize = 512;
/// Rows that go at once when something must, so that looking for the oldest pays; at most a
/// sixteenth of the shard.
const MOST_AT_ONCE: usize = 64;
/// The bits of a hash that choose the shard: the table itself uses the lowest and the top seven.
const SHARD_BITS: u32 = 40;

pub(crate) type Table<W> = HashTable<Entry<W>>;

/// What a shelf's rows are subject to.
#[derive(Clone)]
pub(crate) struct Terms {
    /// Rows with activity beyond this many lose it.
    pub(crate) most_active: u64,
    /// Whether rows without activity give way when all of them fill the memory.
    pub(crate) ledgers_may_go: bool,
    /// Whether time alone takes anything from a row.
    pub(crate) ages: bool,
    /// Where changes go, in a durable store.
    pub(crate) outbox: Option<Arc<Outbox>>,
}

/// What a step came to.
pub(crate) struct Done<T> {
    pub(crate) answer: T,
    /// The item of the outbox that must be on disk before anybody is told.
    pub(crate) due: Option<u64>,
}

/// The step has not run: the activity is on disk and must be read first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absent {
    pub(crate) shelf: u8,
    pub(crate) away: Away,
}

/// Rows of one kind.
pub struct Shelf<W> {
    shards: Box<[Mutex<Table<W>>]>,
    hasher: DefaultHashBuilder,
    /// Its number, in items of the outbox.
    pub(crate) number: u8,
    terms: Terms,
    rows: AtomicU64,
    active: AtomicU64,
}

impl<W: Row> Shelf<W> {
    pub(crate) fn new(number: u8, shards: usize, terms: Terms) -> Self {
        Self {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            hasher: DefaultHashBuilder::default(),
            number,
            terms,
            rows: AtomicU64::new(0),
            active: AtomicU64::new(0),
        }
    }

    /// The hashes of a shard's rows, each once; `None` when there is no such shard.
    pub(crate) fn hashes(&self, shard: usize) -> Option<Vec<u64>> {
        let mut hashes: Vec<u64> = lock(self.shards.get(shard)?).iter().map(|e| e.hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Some(hashes)
    }

    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Rows held.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Rows with activity.
    pub(crate) fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    /// Applies a step to the row of a key, or to an empty one that is kept only if written.
    pub(crate) fn apply<T>(
        &self,
        gauge: &Gauge,
        key: Key<'_>,
        now: Timestamp,
        slots: u8,
        step: impl FnOnce(&mut W) -> Step<T>,
    ) -> Result<Done<T>, Absent> {
        let hash = self.hash(key);
        let Some(mut table) = self.lock_of(hash) else {
            return Ok(Done { answer: step(&mut W::default()).into_answer(), due: None });
        };
        let found = table.find_entry(hash, |entry| entry.is(key)).ok();
        let (stepped, due) = match found.and_then(|found| self.aged(gauge, found, now)) {
            Some(found) if found.get().away.is_away() => {
                return Err(Absent { shelf: self.number, away: found.get().away });
            }
            Some(found) => self.change(gauge, found, now, slots, step),
            None => self.create(gauge, &mut table, (hash, key), now, step),
        };
        if matches!(stepped, Step::Write(_)) {
            self.relieve(gauge, &mut table, Some(hash), now);
        }
        Ok(Done { answer: stepped.into_answer(), due })
    }

    /// One shard, slice by slice; others get in between.
    pub(crate) fn sweep(&self, gauge: &Gauge, turn: usize, now: Timestamp, swept: &mut Swept) {
        let Some(shard) = self.shards.get(turn) else { return };
        let mut from = 0;
        loop {
            let mut table = lock(shard);
            for place in from..table.num_buckets().min(from + SLICE) {
                let Ok(found) = table.get_bucket_entry(place) else { continue };
                swept.examined += 1;
                swept.removed += u64::from(self.aged(gauge, found, now).is_none());
            }
            from += SLICE;
            if from >= table.num_buckets() {
                self.relieve(gauge, &mut table, None, now);
                return shrink(&mut table);
            }
        }
    }

    fn change<T>(
        &self,
        gauge: &Gauge,
        mut found: OccupiedEntry<'_, Entry<W>>,
        now: Timestamp,
        slots: u8,
        step: impl FnOnce(&mut W) -> Step<T>,
    ) -> (Step<T>, Option<u64>) {
        let entry = found.get_mut();
        let stepped = step(entry.row());
        let (gone, wrote) = (entry.row().is_empty(), matches!(stepped, Step::Write(_)));
        let promised = entry.marks.is_promised();
        if gone || wrote {
            self.take(gauge, entry);
            entry.written(now);
            self.put(gauge, entry);
        }
        let due = if gone {
            let posted = self.remove(gauge, found);
            posted.filter(|_| wrote || promised)
        } else if wrote {
            self.post(entry, slots, true)
        } else if promised {
            self.terms.outbox.as_ref().map(|outbox| outbox.last())
        } else {
            None
        };
        (stepped, due)
    }

    /// These slots of an entry are to be written.
    pub(crate) fn post(&self, entry: &mut Entry<W>, slots: u8, promised: bool) -> Option<u64> {
        let outbox = self.terms.outbox.as_ref()?;
        entry.marks.queue(slots, promised);
        Some(outbox.post(Item::Changed { shelf: self.number, hash: entry.hash }))
    }

    fn create<T>(
        &self,
        gauge: &Gauge,
        table: &mut Table<W>,
        (hash, key): (u64, Key<'_>),
        now: Timestamp,
        step: impl FnOnce(&mut W) -> Step<T>,
    ) -> (Step<T>, Option<u64>) {
        let mut row = W::default();
        let stepped = step(&mut row);
        if matches!(stepped, Step::Keep(_)) || row.is_empty() {
            return (stepped, None);
        }
        let mut entry = Entry::new(hash, key, row, now);
        // Every slot, because one that was removed a moment ago may still be on disk.
        let due = self.post(&mut entry, EVERY_SLOT, true);
        self.insert(gauge, table, entry);
        (stepped, due)
    }

    pub(crate) fn insert(&self, gauge: &Gauge, table: &mut Table<W>, entry: Entry<W>) {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.put(gauge, &entry);
        table.insert_unique(entry.hash, entry, |entry| entry.hash);
    }

    /// The entry as it is at `now`: stripped after `session_ttl`, gone after `ledger_ttl`.
    fn aged<'a>(
        &self,
        gauge: &Gauge,
        mut found: OccupiedEntry<'a, Entry<W>>,
        now: Timestamp,
    ) -> Option<OccupiedEntry<'a, Entry<W>>> {
        if !self.terms.ages {
            return Some(found);
        }
        let entry = found.get_mut();
        let age = entry.age(now);
        if age >= gauge.ledger_ttl {
            gauge.dropped(Reason::LedgerTtl);
            self.remove(gauge, found);
            return None;
        }
        if age < gauge.session_ttl || entry.settled {
            return Some(found);
        }
        entry.settled = true;
        let told = entry.active || entry.away.is_away();
        entry.away.come_back();
        if self.strip(gauge, entry, Reason::SessionTtl, now) {
            if told {
                self.post(entry, EVERY_SLOT, false);
            }
            return Some(found);
        }
        self.remove(gauge, found);
        None
    }

    /// Drops the activity; whether anything is left.
    fn strip(&self, gauge: &Gauge, entry: &mut Entry<W>, reason: Reason, now: Timestamp) -> bool {
        if entry.active {
            gauge.dropped(reason);
        }
        self.take(gauge, entry);
        entry.row().strip(now);
        entry.weigh();
        self.put(gauge, entry);
        !entry.row().is_empty()
    }

    /// Over a limit, the least recently written rows of this shard pay, `spare` excepted:
    /// activity first, ledgers only when they alone are too much.
    pub(crate) fn relieve(
        &self,
        gauge: &Gauge,
        table: &mut Table<W>,
        spare: Option<u64>,
        now: Timestamp,
    ) {
        if let Some(reason) = self.too_much_activity(gauge) {
            let durable = self.terms.outbox.is_some();
            let may_go = |entry: &Entry<W>| {
                entry.active && entry.marks.is_clean() && Some(entry.hash) != spare
            };
            evict(table, may_go, |entry| {
                let stays = self.strip(gauge, entry, reason, now);
                if durable {
                    entry.away.leave();
                } else if !stays {
                    self.forget(gauge, entry);
                }
                stays || durable
            });
        }
        if self.terms.ledgers_may_go && gauge.is_over_ledgers() {
            let may_go = |entry: &Entry<W>| {
                !entry.active && entry.marks.is_clean() && Some(entry.hash) != spare
            };
            evict(table, may_go, |entry| {
                gauge.dropped(Reason::Ledgers);
                self.forget(gauge, entry);
                false
            });
        }
    }

    fn too_much_activity(&self, gauge: &Gauge) -> Option<Reason> {
        if self.active() > self.terms.most_active {
            return Some(Reason::MaxSessions);
        }
        gauge.is_over_memory().then_some(Reason::MaxMemory)
    }

    pub(crate) fn remove(&self, gauge: &Gauge, found: OccupiedEntry<'_, Entry<W>>) -> Option<u64> {
        let posted = self.forget(gauge, found.get());
        found.remove();
        posted
    }

    /// Counts an entry out, on disk too.
    fn forget(&self, gauge: &Gauge, entry: &Entry<W>) -> Option<u64> {
        self.rows.fetch_sub(1, Ordering::Relaxed);
        self.take(gauge, entry);
        let outbox = self.terms.outbox.as_ref()?;
        let Key { product, id } = entry.key();
        let (shelf, product, id) = (self.number, product.into(), id.into());
        Some(outbox.post(Item::Gone { shelf, product, id }))
    }

    pub(crate) fn put(&self, gauge: &Gauge, entry: &Entry<W>) {
        gauge.put(entry.active, entry.bytes.into());
        self.active.fetch_add(entry.active.into(), Ordering::Relaxed);
    }

    pub(crate) fn take(&self, gauge: &Gauge, entry: &Entry<W>) {
        gauge.take(entry.active, entry.bytes.into());
        self.active.fetch_sub(entry.active.into(), Ordering::Relaxed);
    }

    pub(crate) fn hash(&self, key: Key<'_>) -> u64 {
        self.hasher.hash_one(key)
    }

    /// `None` only on a shelf without shards, which nobody builds.
    pub(crate) fn lock_of(&self, hash: u64) -> Option<MutexGuard<'_, Table<W>>> {
        let place = (hash >> SHARD_BITS) as usize % self.shards.len().max(1);
        self.shards.get(place).map(lock)
    }
}

/// A step that panicked has hurt one record at most; the others are served as before.
fn lock<W>(shard: &Mutex<Table<W>>) -> MutexGuard<'_, Table<W>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the oldest of those that may go to `pay`, which says whether an entry stays.
fn evict<W>(
    table: &mut Table<W>,
    may_go: impl Fn(&Entry<W>) -> bool,
    mut pay: impl FnMut(&mut Entry<W>) -> bool,
) {
    let mut left = (table.len() / 16).clamp(1, MOST_AT_ONCE);
    let mut oldest = BinaryHeap::with_capacity(left + 1);
    for entry in table.iter().filter(|entry| may_go(entry)) {
        oldest.push(entry.written);
        if oldest.len() > left {
            oldest.pop();
        }
    }
    let Some(newest) = oldest.peek().copied() else { return };
    table.retain(|entry| {
        if left == 0 || entry.written > newest || !may_go(entry) {
            return true;
        }
        left -= 1;
        pay(entry)
    });
}

/// Gives a table's room back once seven eighths of it are empty.
fn shrink<W>(table: &mut Table<W>) {
    if table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2, |entry| entry.hash);
    }
}
