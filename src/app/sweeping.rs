//! Erasures reach what is not in the store: each is kept in a row that every instance reads, and each
//! sweeps its own journal. One that was down does so when it starts.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::app::App;
use crate::domain::bulletin::Erasure;
use crate::domain::time::Timestamp;
use crate::engine::erasure::{Erasures, erasure, with_addresses};
use crate::engine::tape::sieve::Whose;
use crate::journal::sweep::Swept;
use crate::journal::{Journal, Mark};
use crate::rulebook::Product;
use crate::runtime::clock::Clock;
use crate::store::StoreError;
use crate::store::erasures::{append, nth};

/// For journals to be swept, before an erasure is answered; what takes longer goes on and is told of.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// Sweeps remembered, for whoever waits for one.
const REMEMBERED: usize = 64;
/// Bytes of a journal that are shown at most.
const SHOWN: usize = 32 << 20;

/// Up to which erasure the journal of this instance is swept.
#[derive(Debug, Default)]
pub(crate) struct Sweeping {
    swept: AtomicU64,
    /// The erasure that this was; `None` until it is known where to begin.
    last: Mutex<Option<Mark>>,
    /// Somebody was erased here.
    wake: Notify,
    /// The highest number seen in the row.
    seen: AtomicU64,
    /// Each sweep's last erasure, and how many lines went.
    done: Mutex<VecDeque<(u64, u64)>>,
}

/// Why a journal is not swept yet; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Unswept {
    /// The store does not tell who was erased.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A segment cannot be read or written.
    #[error("a segment cannot be swept: {0}")]
    Disk(#[from] std::io::Error),
    /// The process is ending.
    #[error("docent is winding down")]
    Ending,
}

/// An instance with a journal, and whether somebody's lines have left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalOf {
    /// Its name.
    pub instance: Arc<str>,
    /// Whether they have; if not, they will when it runs.
    pub swept: bool,
}

/// What journals had of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Lines of the journal of this instance, as they stand there.
    pub lines: Vec<String>,
    /// Whether there are more than are shown.
    pub more: bool,
    /// Other instances that keep a journal of their own.
    pub elsewhere: Vec<Arc<str>>,
}

impl Sweeping {
    fn last(&self) -> MutexGuard<'_, Option<Mark>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Notes for every journal, backup and copy that these are erased; the erasure's number. Of the
    /// names some are addresses that others may have, too.
    pub(crate) async fn note_erasure(
        &self,
        product: &Product,
        (names, addresses): (&BTreeSet<Arc<str>>, &BTreeSet<Arc<str>>),
        sessions: &BTreeSet<Arc<str>>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let salt = self.salt(now).await?;
        let erasure = erasure(&salt, &product.id, names, sessions, now);
        let erasure = with_addresses(erasure, &product.id, addresses);
        let after = self.sweeping.seen.load(Ordering::Acquire);
        let number = append(&self.store, &erasure, after).await?;
        self.sweeping.seen.fetch_max(number, Ordering::AcqRel);
        Ok(number)
    }

    /// Up to which erasure the journal here is swept; `None` without one.
    pub(crate) fn swept(&self) -> Option<u64> {
        self.journal().map(|_| self.sweeping.swept.load(Ordering::Acquire))
    }

    /// Waits until somebody is erased through this instance.
    pub async fn somebody_is_erased(&self) {
        self.sweeping.wake.notified().await;
    }

    /// Sweeps the journal of this instance of whoever was erased since the last time; whether there
    /// was anybody. One task calls it, again and again; two would do the work twice.
    ///
    /// # Errors
    /// When it cannot be done now; the next call begins where this one did.
    pub async fn sweep_journal(self: &Arc<Self>) -> Result<bool, Unswept> {
        let Some(journal) = self.journal() else { return Ok(false) };
        let from = self.swept_before(journal).await?;
        let (mut number, mut erasures, mut last) = (from, Erasures::default(), None);
        while let Some(next) = nth(&self.store, number + 1, self.clock.now()).await? {
            number += 1;
            erasures.add(&next);
            last = Some(next);
        }
        self.sweeping.seen.fetch_max(number, Ordering::AcqRel);
        if let Some(last) = &last {
            let Swept { lines, segments, held, named } = self.swept_now(erasures).await?;
            self.tell_others(named, number).await?;
            let mark = Mark { number, stamp: stamp(last) };
            if held.is_empty() {
                journal.set_mark(&mark)?;
            }
            *self.sweeping.last() = Some(mark);
            tracing::info!(lines, segments, "Swept the journal of people who were erased");
            let mut done = self.sweeping.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push_back((number, lines));
            while done.len() > REMEMBERED {
                done.pop_front();
            }
        }
        self.sweeping.swept.store(number, Ordering::Release);
        Ok(last.is_some())
    }

    /// Sessions that only their lines say whose they were: other journals may not know of them.
    async fn tell_others(
        &self,
        named: Vec<(Whose, Timestamp)>,
        after: u64,
    ) -> Result<(), StoreError> {
        for ((product, session), at) in named {
            let salt = self.salt(at).await?;
            let (names, sessions) = (BTreeSet::new(), BTreeSet::from([session]));
            let theirs = erasure(&salt, &product, &names, &sessions, at);
            append(&self.store, &theirs, after).await?;
        }
        Ok(())
    }

    async fn swept_now(self: &Arc<Self>, erasures: Erasures) -> Result<Swept, Unswept> {
        let app = Arc::clone(self);
        let work = move || match app.journal() {
            Some(journal) => journal.sweep(&erasures),
            None => Ok(Swept::default()),
        };
        let swept = tokio::task::spawn_blocking(work).await;
        Ok(swept.map_err(|_| Unswept::Ending)??)
    }

    /// Where the last sweep ended, of this docent or of one before, if the store still has that
    /// erasure. One that was set back has lost it, and others get its number: all is swept anew.
    async fn swept_before(&self, journal: &Journal) -> Result<u64, StoreError> {
        let last = self.sweeping.last().clone();
        let begun = last.is_some();
        let mark = last.or_else(|| journal.mark()).unwrap_or_default();
        let same = mark.number == 0
            || nth(&self.store, mark.number, self.clock.now())
                .await?
                .is_some_and(|known| stamp(&known) == mark.stamp);
        if !(begun && same) {
            let mark = if same { mark.clone() } else { Mark::default() };
            self.sweeping.swept.store(mark.number, Ordering::Release);
            self.sweeping.done.lock().unwrap_or_else(PoisonError::into_inner).clear();
            *self.sweeping.last() = Some(mark);
        }
        Ok(if same { mark.number } else { 0 })
    }

    /// Waits, not for long, until every journal is swept of an erasure; which are, and how many
    /// lines left the one of this instance.
    pub(crate) async fn swept_of(&self, number: u64) -> Result<(Vec<JournalOf>, u64), StoreError> {
        let deadline = Instant::now() + PATIENCE;
        self.sweeping.wake.notify_one();
        let mut journals = self.journals(number).await?;
        while journals.iter().any(|journal| !journal.swept) && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            journals = self.journals(number).await?;
        }
        let done = self.sweeping.done.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = done.iter().find(|(through, _)| *through >= number).map_or(0, |(_, n)| *n);
        Ok((journals, lines))
    }

    /// Every running instance that keeps a journal.
    async fn journals(&self, number: u64) -> Result<Vec<JournalOf>, StoreError> {
        let fleet = self.fleet(Clock::wall().now()).await?;
        let peers = fleet.peers.into_iter().filter(|peer| !peer.silent);
        let journal =
            |(instance, swept): (Arc<str>, u64)| JournalOf { instance, swept: swept >= number };
        Ok(peers.filter_map(|peer| Some((peer.name, peer.said.swept?))).map(journal).collect())
    }

    /// What journals tell of these: lines of this instance's, and who has others.
    pub(crate) async fn recorded(
        self: &Arc<Self>,
        product: &Product,
        (names, addresses): (&BTreeSet<Arc<str>>, &BTreeSet<Arc<str>>),
        sessions: &BTreeSet<Arc<str>>,
    ) -> Result<Recorded, Unswept> {
        let journals = self.journals(0).await?.into_iter().map(|journal| journal.instance);
        let own = self.fleet(Clock::wall().now()).await?.own;
        let elsewhere = journals.filter(|instance| *instance != own).collect();
        let (salt, always) = (Arc::from(""), Timestamp::FOREVER);
        let whom = erasure(&salt, &product.id, names, sessions, always);
        let whom = Erasures::from_iter([with_addresses(whom, &product.id, addresses)]);
        let app = Arc::clone(self);
        let work = move || match app.journal() {
            Some(journal) => journal.lines_of(&whom, SHOWN),
            None => Ok((Vec::new(), false)),
        };
        let read = tokio::task::spawn_blocking(work).await;
        let (lines, more) = read.map_err(|_| Unswept::Ending)??;
        Ok(Recorded { lines, more, elsewhere })
    }
}

/// What tells an erasure from the one of its number in another store.
fn stamp(erasure: &Erasure) -> String {
    let first = erasure.traces.first().map_or("", |trace| trace);
    format!("{}-{first}", erasure.at.as_millis())
}
