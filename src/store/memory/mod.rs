//! The store in this process: one shelf of sharded tables per kind of record, a step runs under
//! its shard's lock. Sharded mutexes, because a step takes less time than any cleverer map needs
//! to find its key; what a step must not do, wait, the types rule out.

pub(crate) mod drawer;
mod entry;
mod gauge;
pub(crate) mod marks;
pub(crate) mod row;
pub(crate) mod shelf;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::bulletin::Bulletin;
use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::settings::Limits;
use crate::store::announce::Followers;
use crate::store::codec::Unreadable;
use crate::store::figures::{StoreFigures, Swept};
use crate::store::memory::drawer::Drawer;
use crate::store::memory::gauge::Gauge;
use crate::store::memory::marks::EVERY_SLOT;
pub use crate::store::memory::row::Housed;
use crate::store::memory::row::SessionRow;
use crate::store::memory::shelf::{Absent, Done, Shelf, Terms};
use crate::store::outbox::Outbox;
use crate::store::raw::{Clash, Page, Place, Put, Raw};
use crate::store::record::Record;
use crate::store::{Key, Step};

/// Shards of a shelf, where the limits allow that many: so few that each can be swept in one go,
/// so many that two cores hardly ever meet in one.
const MOST_SHARDS: u64 = 64;
/// Below this share of `max_sessions`, "least recently active in its shard" would mean little.
const SESSIONS_A_SHARD: u64 = 256;
/// Below this share of `max_memory`, neither would it.
const BYTES_A_SHARD: u64 = 1 << 20;

/// Records in this process.
pub struct Memory {
    sessions: Shelf<SessionRow>,
    users: Shelf<Option<User>>,
    accounts: Shelf<Option<Account>>,
    products: Shelf<Option<Product>>,
    conversations: Shelf<Option<Conversation>>,
    emails: Shelf<Option<EmailIndex>>,
    bulletins: Shelf<Option<Bulletin>>,
    gauge: Gauge,
    turn: AtomicUsize,
    /// Who follows what changes.
    pub(crate) followers: Followers,
}

impl Memory {
    /// An empty store that keeps within these limits.
    pub fn new(limits: &Limits) -> Self {
        Self::posting(limits, None)
    }

    /// An empty store that posts what changes to an outbox.
    pub(crate) fn posting(limits: &Limits, outbox: Option<Arc<Outbox>>) -> Self {
        let shards = shards(limits);
        let activity = || Terms {
            most_active: u64::MAX,
            ledgers_may_go: true,
            ages: true,
            outbox: outbox.clone(),
        };
        let sessions = Terms { most_active: limits.max_sessions, ..activity() };
        // There are no more of them than products, and each counts for a whole product.
        let products = Terms { ledgers_may_go: false, ..activity() };
        let bulletins = Terms { ages: Bulletin::AGES, ..products.clone() };
        Self {
            sessions: Shelf::new(0, shards, sessions),
            users: Shelf::new(1, shards, activity()),
            accounts: Shelf::new(2, shards, activity()),
            products: Shelf::new(3, shards, products),
            conversations: Shelf::new(4, shards, activity()),
            emails: Shelf::new(5, shards, activity()),
            bulletins: Shelf::new(6, shards, bulletins),
            gauge: Gauge::new(limits),
            turn: AtomicUsize::new(0),
            followers: Followers::default(),
        }
    }

    /// Applies a step to one record, see [`crate::store::Store::update`].
    pub(crate) fn update<R: Record, T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<R>) -> Step<T>,
    ) -> Result<Done<T>, Absent> {
        R::shelf(self).apply(&self.gauge, key, now, R::SLOTS, |row| step(R::slot(row)))
    }

    /// Applies a step to both records of a session, under one lock.
    pub(crate) fn update_session<T>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<Session>, &mut Option<Context>) -> Step<T>,
    ) -> Result<Done<T>, Absent> {
        let step = |row: &mut SessionRow| step(&mut row.0, &mut row.1);
        self.sessions.apply(&self.gauge, key, now, EVERY_SLOT, step)
    }

    /// The shelf of that number, for a writer.
    pub(crate) fn drawer(&self, number: u8) -> Option<&dyn Drawer> {
        let drawers: [&dyn Drawer; 7] = [
            &self.sessions,
            &self.users,
            &self.accounts,
            &self.products,
            &self.conversations,
            &self.emails,
            &self.bulletins,
        ];
        drawers.into_iter().find(|drawer| drawer.number() == number)
    }

    /// Puts a record back in its place at start, see [`Drawer::recover`].
    pub(crate) fn recover(
        &self,
        drawer: &dyn Drawer,
        key: Key<'_>,
        slot: usize,
        bytes: &[u8],
    ) -> Result<(), Unreadable> {
        drawer.recover(&self.gauge, key, slot, bytes)
    }

    /// Puts back what was read of a row, see [`Drawer::restore`].
    pub(crate) fn restore(
        &self,
        key: Key<'_>,
        absent: Absent,
        now: Timestamp,
        slots: &[Option<Vec<u8>>],
    ) -> Result<(), Unreadable> {
        let Some(drawer) = self.drawer(absent.shelf) else { return Ok(()) };
        drawer.restore(&self.gauge, key, (absent.away, now), slots)
    }

    /// All rows of one shard, see [`crate::store::Store::page`].
    pub(crate) fn page(&self, from: &Place) -> Result<Page, Unreadable> {
        let mut part = from.part;
        let mut shard = usize::try_from(from.number).unwrap_or(usize::MAX);
        while let Some(drawer) = u8::try_from(part).ok().and_then(|number| self.drawer(number)) {
            if let Some(records) = drawer.shard(shard)? {
                let number = shard as u64 + 1;
                return Ok(Page {
                    records,
                    next: Some(Place { part, number, ..Place::default() }),
                });
            }
            (part, shard) = (part + 1, 0);
        }
        Ok(Page::default())
    }

    /// Puts the records of one row, see [`Drawer::place`].
    pub(crate) fn place(&self, row: &[Raw], clash: Clash) -> Result<Done<Put>, Absent> {
        let kind = row.first().map(|raw| raw.kind);
        let mut drawers = (0..).map_while(|number| self.drawer(number));
        match drawers.find(|drawer| drawer.kinds().iter().any(|known| Some(*known) == kind)) {
            Some(drawer) => drawer.place(&self.gauge, row, clash),
            None => Ok(Done { answer: Put::default(), due: None }),
        }
    }

    /// Gives one shard of every shelf its turn.
    pub(crate) fn sweep(&self, now: Timestamp) -> Swept {
        let shards = self.sessions.shards().max(1);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % shards;
        let mut swept = Swept { turns_left: shards - 1 - turn, ..Swept::default() };
        self.sessions.sweep(&self.gauge, turn, now, &mut swept);
        self.users.sweep(&self.gauge, turn, now, &mut swept);
        self.accounts.sweep(&self.gauge, turn, now, &mut swept);
        self.products.sweep(&self.gauge, turn, now, &mut swept);
        self.conversations.sweep(&self.gauge, turn, now, &mut swept);
        self.emails.sweep(&self.gauge, turn, now, &mut swept);
        self.bulletins.sweep(&self.gauge, turn, now, &mut swept);
        swept
    }

    /// What is held and what had to go.
    pub(crate) fn figures(&self) -> StoreFigures {
        StoreFigures {
            sessions: self.sessions.active(),
            records: [
                (Session::KIND, self.sessions.rows()),
                (User::KIND, self.users.rows()),
                (Account::KIND, self.accounts.rows()),
                (Product::KIND, self.products.rows()),
                (Conversation::KIND, self.conversations.rows()),
                (EmailIndex::KIND, self.emails.rows()),
                (Bulletin::KIND, self.bulletins.rows()),
            ],
            bytes: self.gauge.bytes(),
            ledger_bytes: self.gauge.ledger_bytes(),
            evicted: self.gauge.evicted(),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memory").field(&self.figures()).finish()
    }
}

/// As many shards as the tighter limit can be shared among, a power of two.
fn shards(limits: &Limits) -> usize {
    let sessions = limits.max_sessions / SESSIONS_A_SHARD;
    let memory = limits.max_memory / BYTES_A_SHARD;
    let most = sessions.min(memory).clamp(1, MOST_SHARDS);
    1 << most.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::codec;

    #[test]
    fn every_shelf_is_found_by_its_number() {
        let memory = Memory::new(&Limits::default());
        let shelves = (0..).map_while(|number| memory.drawer(number));
        let kinds: Vec<_> = shelves.flat_map(Drawer::kinds).collect();
        let counted = memory.figures().records.map(|(kind, _)| kind);
        assert!(counted.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
        assert_eq!(kinds.len(), counted.len() + 1, "a session's context is not counted apart");
    }

    /// Two threads read a session's two records back, and whichever is first may have to make room.
    #[test]
    fn what_outlives_activity_is_known_whichever_record_is_read_back_first() {
        let limits = Limits { max_sessions: 0, ..Limits::default() };
        let at = Timestamp::from_millis(0);
        let key = Key { product: "acme", id: "ps_1" };
        let session = Session { last_fired: Some(at), ..Session::default() };
        let slots = [codec::pack(&session, at), codec::pack(&Context::default(), at)];
        let slots = slots.map(Result::unwrap);
        for order in [[0, 1], [1, 0]] {
            let memory = Memory::posting(&limits, Some(Arc::new(Outbox::new(true))));
            let drawer = memory.drawer(0).unwrap();
            for slot in order {
                memory.recover(drawer, key, slot, &slots[slot]).unwrap();
            }
            let later = at.plus(limits.session_ttl);
            memory.sweep(later);
            let look = |slot: &mut Option<Session>| Step::Keep(slot.clone());
            let done = memory.update(key, later, look).ok().unwrap();
            assert_eq!(done.answer, Some(session.clone()), "{order:?}");
        }
    }

    #[test]
    fn small_limits_are_not_split_among_many_shards() {
        for (max_sessions, max_memory, expected) in [
            (1_000_000, 4 << 30, 64),
            (1_000_000, 4 << 20, 4),
            (1_000, 4 << 30, 2),
            (3, 4 << 30, 1),
            (0, 0, 1),
        ] {
            let limits = Limits { max_sessions, max_memory, ..Limits::default() };
            assert_eq!(shards(&limits), expected, "{max_sessions} {max_memory}");
        }
    }
}
