//! Shelves as the writer of a durable store sees them: rows of whatever kind, as bytes.

use crate::domain::time::Timestamp;
use crate::store::Key;
use crate::store::codec::Unreadable;
use crate::store::memory::entry::Entry;
use crate::store::memory::gauge::Gauge;
use crate::store::memory::marks::Away;
use crate::store::memory::row::Row;
use crate::store::memory::shelf::Shelf;

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
pub(crate) trait Drawer {
    /// Its number in items of the outbox.
    fn number(&self) -> u8;
    /// The kinds of its slots.
    fn kinds(&self) -> Vec<&'static str>;
    /// Packs what is not on disk yet of the rows with this hash; whether there are any such rows.
    fn pack(&self, hash: u64, packed: &mut Vec<Packed>) -> Result<bool, Unreadable>;
    /// What was packed of the rows with this hash is on disk.
    fn landed(&self, hash: u64);
    /// Whether there is a row with this key.
    fn holds(&self, key: Key<'_>) -> bool;
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

    fn holds(&self, key: Key<'_>) -> bool {
        let hash = self.hash(key);
        self.lock_of(hash).is_some_and(|table| table.find(hash, |entry| entry.is(key)).is_some())
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
            // All of it is on disk, this slot too.
            Some(entry) if entry.away.is_away() => return Ok(()),
            Some(entry) => {
                let written = entry.row().unpack(slot, bytes)?.max(entry.written);
                self.take(gauge, entry);
                entry.written(written);
                self.put(gauge, entry);
                written
            }
            None => {
                let mut row = W::default();
                let written = row.unpack(slot, bytes)?;
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
        entry.weigh();
        self.put(gauge, entry);
        if entry.row().is_empty() {
            self.remove(gauge, found);
        }
        self.relieve(gauge, &mut table, Some(hash), now);
        result
    }
}
