//! Rows: what one shelf keeps under one key, and which slot of it a record lives in. A durable
//! store writes each slot by itself, under its record's kind.

use crate::domain::bulletin::Bulletin;
use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::codec::{self, Unreadable};
use crate::store::memory::Memory;
use crate::store::memory::marks::EVERY_SLOT;
use crate::store::memory::shelf::Shelf;
use crate::store::record::Record;

/// What a shelf keeps under one key.
pub trait Row: Default + Send {
    /// The kind of each slot.
    fn kinds() -> Vec<&'static str>;
    /// A slot's record as bytes, `None` when there is none.
    fn pack(&self, slot: usize, written: Timestamp) -> Result<Option<Vec<u8>>, Unreadable>;
    /// Puts into a slot what was packed; when that was written.
    fn unpack(&mut self, slot: usize, bytes: &[u8]) -> Result<Timestamp, Unreadable>;
    /// Whether nothing is there.
    fn is_empty(&self) -> bool;
    /// Bytes on the heap, estimated.
    fn weigh(&self) -> usize;
    /// Gives back room that growing left over.
    fn compact(&mut self);
    /// Makes equal texts one again after it was unpacked to stay.
    fn share(&mut self);
    /// Whether any record in it has activity.
    fn has_activity(&self) -> bool;
    /// Drops the activity, and every record of which nothing would be missed.
    fn strip(&mut self, now: Timestamp);
}

impl<R: Record> Row for Option<R> {
    fn kinds() -> Vec<&'static str> {
        vec![R::KIND]
    }

    fn pack(&self, _slot: usize, written: Timestamp) -> Result<Option<Vec<u8>>, Unreadable> {
        self.as_ref().map(|record| codec::pack(record, written)).transpose()
    }

    fn unpack(&mut self, _slot: usize, bytes: &[u8]) -> Result<Timestamp, Unreadable> {
        let (written, record) = codec::unpack::<R>(bytes)?;
        *self = Some(record);
        Ok(written)
    }

    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn weigh(&self) -> usize {
        self.as_ref().map_or(0, R::weigh)
    }

    fn compact(&mut self) {
        self.iter_mut().for_each(R::compact);
    }

    fn share(&mut self) {
        self.iter_mut().for_each(R::share);
    }

    fn has_activity(&self) -> bool {
        self.as_ref().is_some_and(R::has_activity)
    }

    fn strip(&mut self, now: Timestamp) {
        if let Some(record) = self {
            record.strip_activity();
        }
        self.take_if(|record| record.is_spent(now));
    }
}

/// Two records that are changed as one.
impl<A: Row, B: Row> Row for (A, B) {
    fn kinds() -> Vec<&'static str> {
        [A::kinds(), B::kinds()].concat()
    }

    fn pack(&self, slot: usize, written: Timestamp) -> Result<Option<Vec<u8>>, Unreadable> {
        if slot == 0 { self.0.pack(0, written) } else { self.1.pack(slot - 1, written) }
    }

    fn unpack(&mut self, slot: usize, bytes: &[u8]) -> Result<Timestamp, Unreadable> {
        if slot == 0 { self.0.unpack(0, bytes) } else { self.1.unpack(slot - 1, bytes) }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    fn weigh(&self) -> usize {
        self.0.weigh() + self.1.weigh()
    }

    fn compact(&mut self) {
        self.0.compact();
        self.1.compact();
    }

    fn share(&mut self) {
        self.0.share();
        self.1.share();
    }

    fn has_activity(&self) -> bool {
        self.0.has_activity() || self.1.has_activity()
    }

    fn strip(&mut self, now: Timestamp) {
        self.0.strip(now);
        self.1.strip(now);
    }
}

/// A session's state and context, in one row so that one lock covers both.
pub(crate) type SessionRow = (Option<Session>, Option<Context>);

/// A record that has its place in the memory store.
pub trait Housed: Sized {
    /// The row it is part of.
    type Row: Row;
    /// The slots that are its own, one bit each.
    const SLOTS: u8;
    /// The shelf of such rows.
    fn shelf(memory: &Memory) -> &Shelf<Self::Row>;
    /// Its slot in a row.
    fn slot(row: &mut Self::Row) -> &mut Option<Self>;
}

macro_rules! housed {
    ($($record:ty => $row:ty, $shelf:ident, $slots:expr, |$name:ident| $slot:expr;)*) => {$(
        impl Housed for $record {
            type Row = $row;
            const SLOTS: u8 = $slots;

            fn shelf(memory: &Memory) -> &Shelf<Self::Row> {
                &memory.$shelf
            }

            fn slot($name: &mut Self::Row) -> &mut Option<Self> {
                $slot
            }
        }
    )*};
}

housed! {
    Session => SessionRow, sessions, 1, |row| &mut row.0;
    Context => SessionRow, sessions, 2, |row| &mut row.1;
    User => Option<User>, users, EVERY_SLOT, |row| row;
    Account => Option<Account>, accounts, EVERY_SLOT, |row| row;
    Product => Option<Product>, products, EVERY_SLOT, |row| row;
    Conversation => Option<Conversation>, conversations, EVERY_SLOT, |row| row;
    EmailIndex => Option<EmailIndex>, emails, EVERY_SLOT, |row| row;
    Bulletin => Option<Bulletin>, bulletins, EVERY_SLOT, |row| row;
}
