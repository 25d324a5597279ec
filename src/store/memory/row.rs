//! Rows: what one shelf keeps under one key, and which slot of it a record lives in.

use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::memory::Memory;
use crate::store::memory::shelf::Shelf;
use crate::store::record::Record;

/// What a shelf keeps under one key.
pub trait Row: Default {
    /// Whether nothing is there.
    fn is_empty(&self) -> bool;
    /// Bytes on the heap, estimated.
    fn weigh(&self) -> usize;
    /// Gives back room that growing left over.
    fn compact(&mut self);
    /// Whether any record in it has activity.
    fn has_activity(&self) -> bool;
    /// Drops the activity, and every record of which nothing would be missed.
    fn strip(&mut self, now: Timestamp);
}

impl<R: Record> Row for Option<R> {
    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn weigh(&self) -> usize {
        self.as_ref().map_or(0, R::weigh)
    }

    fn compact(&mut self) {
        self.iter_mut().for_each(R::compact);
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
    /// The shelf of such rows.
    fn shelf(memory: &Memory) -> &Shelf<Self::Row>;
    /// Its slot in a row.
    fn slot(row: &mut Self::Row) -> &mut Option<Self>;
}

macro_rules! housed {
    ($($record:ty => $row:ty, $shelf:ident, |$name:ident| $slot:expr;)*) => {$(
        impl Housed for $record {
            type Row = $row;

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
    Session => SessionRow, sessions, |row| &mut row.0;
    Context => SessionRow, sessions, |row| &mut row.1;
    User => Option<User>, users, |row| row;
    Account => Option<Account>, accounts, |row| row;
    Product => Option<Product>, products, |row| row;
    Conversation => Option<Conversation>, conversations, |row| row;
    EmailIndex => Option<EmailIndex>, emails, |row| row;
}
