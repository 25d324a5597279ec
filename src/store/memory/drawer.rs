//! Shelves as the writer of a durable store sees them: rows of whatever kind, as bytes.

use crate::domain::time::Timestamp;
use crate::store::Key;
use crate::store::codec::Unreadable;
use crate::store::memory::entry::Entry;
use crate::store::memory::gauge::Gauge;
use crate::store::memory::marks::{Away, EVERY_SLOT};
use crate::store::memory::row::Row;
use crate::store::memory::shelf::{Absent, Done, Shelf};
use crate::store::raw::{Clash, Put, Raw};

/// One slot of a row, as it is to be on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// The record's kind, which names its table.
    pub(crate) kind: &'static str,
    pub(crate) product: Box<str>,
    pub(crate) id: Box<str>,
    /// `None`: nothing is to be there.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// A shelf, whatever its rows are.
pub(crate) trait Drawer: Sync {
    /// Its number in items of the outbox.
    fn number(&self) -> u8;
    /// The kinds of its slots.
    fn kinds(&self) -> Vec<&'static str>;
    /// Packs what is not on disk yet of the rows with this hash; whether there are any such rows.
    fn pack(&self, hash: u64, packed: &mut Vec<Packed>) -> Result<bool, Unreadable>;
    /// What was packed of the rows with this hash is on disk.
    fn landed(&self, hash: u64);
    /// Packs a row that was removed: nothing is left of it, or all of what it is when it was made
    /// anew since.
    fn pack_removed(&self, key: Key<'_>, packed: &mut Vec<Packed>) -> Result<(), Unreadable>;
    /// At start: puts a slot's bytes in its place; past the limits, something gives way at once.
    fn recover(
        &self,
        gauge: &Gauge,
        key: Key<'_>,
        slot: usize,
        bytes: &[u8],
    ) -> Result<(), Unreadable>;
    /// Puts back what was read of a row whose activity was away, unless it is back already.
    fn restore(
        &self,
        gauge: &Gauge,
        key: Key<'_>,
        at: (Away, Timestamp),
        slots: &[Option<Vec<u8>>],
    ) -> Result<(), Unreadable>;
    /// All rows of a shard, slot by slot, as they are; `None` when there is no such shard.
    fn shard(&self, shard: usize) -> Result<Option<Vec<Raw>>, Unreadable>;
    /// Puts the slots of one row as another store had them.
    fn place(&self, gauge: &Gauge, row: &[Raw], clash: Clash) -> Result<Done<Put>, Absent>;
}

impl<W: Row> Drawer for Shelf<W> {
    fn number(&self) -> u8 {
        self.number
    }

    fn kinds(&self) -> Vec<&'static str> {
        W::kinds()
    }

    fn pack(&self, hash: u64, packed: &mut Vec<Packed>) -> Result<bool, Unreadable> {
        let Some(mut table) = self.lock_of(hash) else { return Ok(false) };
        let mut any = false;
        for entry in table.iter_hash_mut(hash).filter(|entry| entry.hash == hash) {
            any = true;
            let slots = entry.marks.take_off();
            for (slot, kind) in W::kinds().into_iter().enumerate() {
                if slots & (1 << slot) != 0 {
                    let bytes = entry.pack(slot)?;
                    let Key { product, id } = entry.key();
                    let (product, id) = (product.into(), id.into());
                    packed.push(Packed { kind, product, id, bytes });
                }
            }
        }
        Ok(any)
    }

    fn landed(&self, hash: u64) {
        let Some(mut table) = self.lock_of(hash) else { return };
        let entries = table.iter_hash_mut(hash).filter(|entry| entry.hash == hash);
        entries.for_each(|entry| entry.marks.land());
    }

    fn pack_removed(&self, key: Key<'_>, packed: &mut Vec<Packed>) -> Result<(), Unreadable> {
        let hash = self.hash(key);
        let Some(table) = self.lock_of(hash) else { return Ok(()) };
        let anew = table.find(hash, |entry| entry.is(key));
        // Then the disk has been told of it since, and has more of it than memory.
        if anew.is_some_and(|entry| entry.away.is_away()) {
            return Ok(());
        }
        for (slot, kind) in W::kinds().into_iter().enumerate() {
            let bytes = anew.map_or(Ok(None), |entry| entry.pack(slot))?;
            packed.push(Packed { kind, product: key.product.into(), id: key.id.into(), bytes });
        }
        Ok(())
    }

    fn recover(
        &self,
        gauge: &Gauge,
        key: Key<'_>,
        slot: usize,
        bytes: &[u8],
    ) -> Result<(), Unreadable> {
        let hash = self.hash(key);
        let Some(mut table) = self.lock_of(hash) else { return Ok(()) };
        let written = match table.find_mut(hash, |entry| entry.is(key)) {
            // All of it is on disk, this slot too, and what outlives activity is in the first one.
            Some(entry) if entry.away.is_away() && slot > 0 => return Ok(()),
            Some(entry) => {
                let written = entry.row().unpack(slot, bytes)?.max(entry.written);
                entry.row().share();
                if entry.away.is_away() {
                    entry.row().strip(written);
                }
                self.take(gauge, entry);
                entry.written(written);
                self.put(gauge, entry);
                written
            }
            None => {
                let mut row = W::default();
                let written = row.unpack(slot, bytes)?;
                row.share();
                self.insert(gauge, &mut table, Entry::new(hash, key, row, written));
                written
            }
        };
        self.relieve(gauge, &mut table, None, written);
        Ok(())
    }

    fn restore(
        &self,
        gauge: &Gauge,
        key: Key<'_>,
        (away, now): (Away, Timestamp),
        slots: &[Option<Vec<u8>>],
    ) -> Result<(), Unreadable> {
        let hash = self.hash(key);
        let Some(mut table) = self.lock_of(hash) else { return Ok(()) };
        let Ok(mut found) = table.find_entry(hash, |entry| entry.is(key)) else { return Ok(()) };
        let entry = found.get_mut();
        if entry.away != away {
            return Ok(());
        }
        entry.away.come_back();
        self.take(gauge, entry);
        let mut result = Ok(());
        for (slot, bytes) in slots.iter().enumerate() {
            if let Some(Err(error)) = bytes.as_ref().map(|bytes| entry.row().unpack(slot, bytes)) {
                result = Err(error);
            }
        }
        entry.row().share();
        entry.weigh();
        self.put(gauge, entry);
        if entry.row().is_empty() {
            self.remove(gauge, found);
        }
        self.relieve(gauge, &mut table, Some(hash), now);
        result
    }

    fn shard(&self, shard: usize) -> Result<Option<Vec<Raw>>, Unreadable> {
        let Some(hashes) = self.hashes(shard) else { return Ok(None) };
        let mut records = Vec::new();
        // Others have the lock between two rows.
        for hash in hashes {
            let Some(mut table) = self.lock_of(hash) else { continue };
            for entry in table.iter_hash_mut(hash).filter(|entry| entry.hash == hash) {
                for (slot, kind) in W::kinds().into_iter().enumerate() {
                    let Some(bytes) = entry.pack(slot)? else { continue };
                    let Key { product, id } = entry.key();
                    records.push(Raw { kind, product: product.into(), id: id.into(), bytes });
                }
            }
        }
        Ok(Some(records))
    }

    fn place(&self, gauge: &Gauge, row: &[Raw], clash: Clash) -> Result<Done<Put>, Absent> {
        let count = row.len() as u64;
        let done = |put, due| Ok(Done { answer: put, due });
        let unreadable = Put { unreadable: count, ..Put::default() };
        let kept = Put { kept: count, ..Put::default() };
        let (Some(first), Some((incoming, written))) = (row.first(), unpacked::<W>(row)) else {
            return done(unreadable, None);
        };
        let (key, slots) = (first.key(), self.slots(row));
        let hash = self.hash(key);
        let Some(mut table) = self.lock_of(hash) else { return done(unreadable, None) };
        let due = match table.find_mut(hash, |entry| entry.is(key)) {
            Some(entry) if entry.away.is_away() => {
                return Err(Absent { shelf: self.number, away: entry.away });
            }
            Some(entry) => {
                let newer = entry.written > written;
                let same = entry.written == written && is_same(entry, row, &W::kinds());
                if clash == Clash::NewerStays && (newer || same) {
                    return done(kept, None);
                }
                self.take(gauge, entry);
                for (slot, raw) in slots {
                    // It was readable a moment ago.
                    drop(entry.row().unpack(slot, &raw.bytes));
                }
                entry.row().share();
                entry.written(if newer { entry.written } else { written });
                self.put(gauge, entry);
                self.post(entry, EVERY_SLOT, true)
            }
            None => {
                let mut entry = Entry::new(hash, key, incoming, written);
                let due = self.post(&mut entry, EVERY_SLOT, true);
                self.insert(gauge, &mut table, entry);
                due
            }
        };
        self.relieve(gauge, &mut table, Some(hash), written);
        done(Put { written: count, ..Put::default() }, due)
    }
}

impl<W: Row> Shelf<W> {
    /// The slot of each record.
    fn slots<'r>(&self, row: &'r [Raw]) -> Vec<(usize, &'r Raw)> {
        let kinds = W::kinds();
        let slot = |raw: &'r Raw| Some((kinds.iter().position(|kind| *kind == raw.kind)?, raw));
        row.iter().filter_map(slot).collect()
    }
}

/// A row of these records and when the last of them was written; `None` when one is no record.
fn unpacked<W: Row>(row: &[Raw]) -> Option<(W, Timestamp)> {
    let (mut whole, mut last, kinds) = (W::default(), Timestamp::from_millis(i64::MIN), W::kinds());
    for raw in row {
        let slot = kinds.iter().position(|kind| *kind == raw.kind)?;
        last = last.max(whole.unpack(slot, &raw.bytes).ok()?);
    }
    whole.share();
    Some((whole, last))
}

/// Whether an entry holds exactly these records, whenever they were written.
fn is_same<W: Row>(entry: &Entry<W>, row: &[Raw], kinds: &[&str]) -> bool {
    const WRITTEN: usize = size_of::<i64>();
    row.iter().all(|raw| {
        let slot = kinds.iter().position(|kind| *kind == raw.kind);
        let held = slot.and_then(|slot| entry.pack(slot).ok().flatten());
        held.is_some_and(|held| held.get(WRITTEN..) == raw.bytes.get(WRITTEN..))
    })
}
