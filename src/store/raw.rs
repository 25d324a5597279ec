//! Records as bytes, out of a store and into one, for backups and copies. The bytes are the codec's,
//! the same in every store.

use crate::domain::bulletin::Bulletin;
use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::record::Record;
use crate::store::{Key, codec};

/// Every kind of record, in the order in which they are read out. A firing commits to its session
/// last, so what is read after the sessions has at least their claims: what is put back somewhere
/// may have counted an offer that nobody saw, and never forgets one that somebody did.
pub const KINDS: [&str; 8] = [
    Session::KIND,
    Context::KIND,
    User::KIND,
    Account::KIND,
    Product::KIND,
    Conversation::KIND,
    EmailIndex::KIND,
    Bulletin::KIND,
];

/// One record as its store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// Its product.
    pub product: Box<str>,
    /// Its id.
    pub id: Box<str>,
    /// When it was written, then its fields by name.
    pub bytes: Vec<u8>,
}

impl Raw {
    /// What it is kept under.
    pub fn key(&self) -> Key<'_> {
        Key { product: &self.product, id: &self.id }
    }

    /// The record itself; `None` for another kind, and for what is no record.
    pub fn read<R: Record>(&self) -> Option<R> {
        let record = (self.kind == R::KIND).then(|| codec::unpack::<R>(&self.bytes))?;
        record.ok().map(|(_, record)| record)
    }

    /// When it was written; `None` for what is no record.
    pub fn written(&self) -> Option<Timestamp> {
        let (written, _) = self.bytes.split_first_chunk()?;
        Some(Timestamp::from_millis(i64::from_le_bytes(*written)))
    }
}

/// The kind of this name.
pub fn kind_named(name: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| *kind == name)
}

/// Where a walk through all records goes on; the default is its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The kind, shelf or node that is being read.
    pub(crate) part: usize,
    /// How far it has been read, where a number says so.
    pub(crate) number: u64,
    /// The last key that was read, where a key says so.
    pub(crate) after: Option<(Box<str>, Box<str>)>,
    /// What the number means something to, where that may be replaced meanwhile.
    pub(crate) of: Option<Sight>,
}

/// The servers that a walk goes through, as it knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Stands for which they are and what each has.
    pub(crate) servers: u64,
    /// Stands for the process that is being read.
    pub(crate) process: u64,
}

/// Some records of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// A session and its context come one after the other.
    pub records: Vec<Raw>,
    /// Where the next page begins; `None` when this was the last one.
    pub next: Option<Place>,
}

/// What becomes of a record that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// The one that was written later stays.
    NewerStays,
    /// It is replaced.
    Replace,
}

/// What putting records came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// These are in the store now.
    pub written: u64,
    /// The store has the same, or something newer.
    pub kept: u64,
    /// No version of docent that is known here wrote these.
    pub unreadable: u64,
    /// Of people who were erased after these were written; left out.
    pub erased: u64,
}

impl Put {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.written += other.written;
        self.kept += other.kept;
        self.unreadable += other.unreadable;
        self.erased += other.erased;
    }
}

/// Records one after the other that belong into one row: a session and its context.
pub(crate) fn rows(records: &[Raw]) -> impl Iterator<Item = &[Raw]> {
    let halves = [Session::KIND, Context::KIND];
    records.chunk_by(move |a, b| {
        a.key() == b.key() && halves.contains(&a.kind) && halves.contains(&b.kind)
    })
}
