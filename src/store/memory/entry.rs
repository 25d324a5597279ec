//! Entries: one key of a shelf with its row, and what ageing and eviction need to know of it
//! without following the pointer.

use std::mem::size_of;

use crate::domain::time::{Span, Timestamp};
use crate::store::Key;
use crate::store::codec::Unreadable;
use crate::store::memory::marks::{Away, Marks};
use crate::store::memory::row::Row;
use crate::store::record::block;

/// Boxed rows keep a table's empty places small and its growth quick; the hash is kept so that
/// growing reads no row at all.
pub(crate) struct Entry<W> {
    pub(crate) hash: u64,
    /// When it was last written, by the writer's `now`.
    pub(crate) written: Timestamp,
    /// Estimated at the last write.
    pub(crate) bytes: u32,
    pub(crate) active: bool,
    /// Past `session_ttl` since its last write, and stripped.
    pub(crate) settled: bool,
    /// What of it a durable store has yet to write.
    pub(crate) marks: Marks,
    /// Whether its activity is on disk alone.
    pub(crate) away: Away,
    held: Box<Held<W>>,
}

struct Held<W> {
    /// Product and id in one block, one after the other.
    key: Box<str>,
    product: usize,
    row: W,
}

impl<W: Row> Entry<W> {
    pub(crate) fn new(hash: u64, key: Key<'_>, row: W, now: Timestamp) -> Self {
        let text = [key.product, key.id].concat().into();
        let held = Box::new(Held { key: text, product: key.product.len(), row });
        let (bytes, active, settled) = (0, false, false);
        let (marks, away) = <_>::default();
        let mut entry = Self { hash, written: now, bytes, active, settled, marks, away, held };
        entry.written(now);
        entry
    }

    /// Its row was written.
    pub(crate) fn written(&mut self, now: Timestamp) {
        self.written = now;
        self.settled = false;
        self.held.row.compact();
        self.weigh();
    }

    /// Whether this is the entry of that key.
    pub(crate) fn is(&self, key: Key<'_>) -> bool {
        let Held { key: text, product, .. } = &*self.held;
        *product == key.product.len()
            && text.len() == key.product.len() + key.id.len()
            && text.starts_with(key.product)
            && text.ends_with(key.id)
    }

    /// The key, for a store that must write it down.
    pub(crate) fn key(&self) -> Key<'_> {
        let Held { key, product, .. } = &*self.held;
        let (product, id) = key.split_at_checked(*product).unwrap_or_default();
        Key { product, id }
    }

    pub(crate) fn row(&mut self) -> &mut W {
        &mut self.held.row
    }

    /// A slot's record as bytes.
    pub(crate) fn pack(&self, slot: usize) -> Result<Option<Vec<u8>>, Unreadable> {
        self.held.row.pack(slot, self.written)
    }

    /// Time since the last write; none when that lies in the future.
    pub(crate) fn age(&self, now: Timestamp) -> Span {
        now.since(self.written)
    }

    /// Estimates anew what it holds.
    pub(crate) fn weigh(&mut self) {
        let Held { key, row, .. } = &*self.held;
        let fixed = size_of::<Self>() + block(size_of::<Held<W>>()) + block(key.len());
        self.bytes = u32::try_from(fixed + row.weigh()).unwrap_or(u32::MAX);
        self.active = row.has_activity();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::records::User;

    #[test]
    fn a_key_is_its_two_parts_and_not_their_text() {
        let key = |product, id| Key { product, id };
        let entry = Entry::<Option<User>>::new(0, key("ab", "c"), None, Timestamp::default());
        assert!(entry.is(key("ab", "c")));
        assert_eq!(entry.key(), key("ab", "c"));
        for other in
            [key("a", "bc"), key("abc", ""), key("", "abc"), key("ab", "cc"), key("ab", "d")]
        {
            assert!(!entry.is(other), "{other:?}");
        }
    }
}
