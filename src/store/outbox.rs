//! The outbox: what is to be written to disk, in the order in which the records' locks were held,
//! and how far writing has come. Steps post into it under their record's lock and await afterwards.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::store::StoreError;

/// How long anybody waits for a commit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Changes that may wait in memory alone with `durability` as an interval; beyond, steps wait for
/// the disk as with `immediate`.
const BACKLOG: usize = 16_384;
/// Changes that may wait in any case; beyond, no more are taken until the disk has caught up. Some
/// ten megabytes, and more than any number of requests that wait at once.
const MOST: usize = 262_144;

/// One thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Rows of this shelf with this hash changed.
    Changed { shelf: u8, hash: u64 },
    /// A row is no more, unless it has been made anew.
    Gone { shelf: u8, product: Box<str>, id: Box<str> },
}

/// How far writing has come, in numbers of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    /// All up to here are on disk.
    saved: u64,
    /// All up to here have been tried.
    tried: u64,
    /// Nobody writes any more.
    closed: bool,
}

/// What is to be written, and who waits for it.
pub(crate) struct Outbox {
    /// Whether steps wait for the disk even when all is well.
    immediate: bool,
    open: Mutex<Open>,
    posted: Condvar,
    progress: watch::Sender<Progress>,
    trouble: Mutex<Option<String>>,
    /// Whether there is any, and how many items wait, to be looked at in passing.
    troubled: AtomicBool,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Open {
    items: VecDeque<Item>,
    /// The number of the last item ever posted.
    last: u64,
    stopping: bool,
    closed: bool,
}

/// What the writer takes at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) items: Vec<Item>,
    /// The number of the last item.
    pub(crate) upto: u64,
    /// No more will come, and nothing is left.
    pub(crate) stopping: bool,
}

impl Outbox {
    pub(crate) fn new(immediate: bool) -> Self {
        Self {
            immediate,
            open: Mutex::default(),
            posted: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
            trouble: Mutex::default(),
            troubled: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Puts an item at the end; its number.
    pub(crate) fn post(&self, item: Item) -> u64 {
        let mut open = lock(&self.open);
        open.items.push_back(item);
        open.last += 1;
        let last = open.last;
        self.waiting.store(open.items.len(), Ordering::Relaxed);
        drop(open);
        self.posted.notify_one();
        last
    }

    /// The number of the newest item.
    pub(crate) fn last(&self) -> u64 {
        lock(&self.open).last
    }

    /// Returns once all up to `number` is as safe as `durability` asks for.
    pub(crate) async fn settled(&self, number: u64) -> Result<(), StoreError> {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if !self.immediate && !self.is_troubled() && waiting < BACKLOG {
            return Ok(());
        }
        self.saved(number).await
    }

    /// Returns once all up to `number` is on disk, or a try at it has failed. While commits fail
    /// nobody waits for the next try.
    pub(crate) async fn saved(&self, number: u64) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        let tried = progress
            .wait_for(|progress| progress.tried >= number || progress.closed || self.is_troubled());
        match tokio::time::timeout(PATIENCE, tried).await {
            Ok(Ok(progress)) if progress.saved >= number => Ok(()),
            Err(_) => Err(StoreError::Slow),
            Ok(progress) => {
                let why = if progress.is_ok_and(|progress| progress.closed) {
                    "docent is shutting down"
                } else {
                    "the last commit failed"
                };
                let reason = self.trouble().unwrap_or_else(|| why.to_owned());
                Err(StoreError::Unwritten { reason })
            }
        }
    }

    /// Why nothing more may be posted: what cannot be written would only pile up.
    pub(crate) fn refuses(&self) -> Option<String> {
        if !self.is_troubled() && self.waiting.load(Ordering::Relaxed) < MOST {
            return None;
        }
        Some(self.trouble().unwrap_or_else(|| "the disk does not keep up".to_owned()))
    }

    fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed)
    }

    /// Why the last commit failed, while no later one has succeeded.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// Asks the writer to write what is there and end.
    pub(crate) fn stop(&self) {
        lock(&self.open).stopping = true;
        self.posted.notify_all();
    }

    /// For the writer: waits for items, `gather`s more for that long, takes at most `most`.
    pub(crate) fn take(&self, gather: Duration, most: usize) -> Taken {
        let open = lock(&self.open);
        let empty = |open: &mut Open| open.items.is_empty() && !open.stopping;
        let mut open = self.posted.wait_while(open, empty).unwrap_or_else(PoisonError::into_inner);
        if !gather.is_zero() {
            let few = |open: &mut Open| open.items.len() < most && !open.stopping;
            let waited = self.posted.wait_timeout_while(open, gather, few);
            open = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.taken(&mut open, most)
    }

    /// For the writer: takes all there is, at once.
    pub(crate) fn take_all(&self) -> Taken {
        self.taken(&mut lock(&self.open), usize::MAX)
    }

    fn taken(&self, open: &mut Open, most: usize) -> Taken {
        let taken = taken(open, most);
        self.waiting.store(open.items.len(), Ordering::Relaxed);
        taken
    }

    /// For the writer: waits before it tries again, less when it is asked to stop.
    pub(crate) fn pause(&self, length: Duration) -> bool {
        let running = |open: &mut Open| !open.stopping;
        let open = lock(&self.open);
        let waited = self.posted.wait_timeout_while(open, length, running);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    /// For the writer: all up to `number` was tried, with this result.
    pub(crate) fn tried(&self, number: u64, result: Result<(), String>) {
        let saved = result.is_ok();
        *lock(&self.trouble) = result.err();
        self.troubled.store(!saved, Ordering::Relaxed);
        self.progress.send_modify(|progress| {
            progress.tried = number;
            if saved {
                progress.saved = number;
            }
        });
    }

    /// For the writer: it ends here.
    pub(crate) fn close(&self) {
        lock(&self.open).closed = true;
        self.posted.notify_all();
        self.progress.send_modify(|progress| progress.closed = true);
    }

    /// Asks the writer to end and blocks until it has, but not forever.
    pub(crate) fn end(&self) {
        self.stop();
        let running = |open: &mut Open| !open.closed;
        drop(self.posted.wait_timeout_while(lock(&self.open), PATIENCE, running));
    }

    /// Waits until the writer has ended; whether everything posted is on disk.
    pub(crate) async fn closed(&self) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        let closed = progress.wait_for(|progress| progress.closed);
        match tokio::time::timeout(PATIENCE, closed).await {
            Ok(_) => self.saved(self.last()).await,
            Err(_) => Err(StoreError::Slow),
        }
    }
}

fn taken(open: &mut Open, most: usize) -> Taken {
    let items = if open.items.len() <= most {
        Vec::from(mem::take(&mut open.items))
    } else {
        open.items.drain(..most).collect()
    };
    let upto = open.last - open.items.len() as u64;
    Taken { stopping: items.is_empty() && open.stopping, items, upto }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(hash: u64) -> Item {
        Item::Changed { shelf: 0, hash }
    }

    #[test]
    fn items_leave_in_the_order_in_which_they_came() {
        let outbox = Outbox::new(true);
        let numbers: Vec<_> = (0..5).map(|hash| outbox.post(item(hash))).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        let taken = outbox.take(Duration::ZERO, 3);
        assert_eq!((taken.items, taken.upto), (vec![item(0), item(1), item(2)], 3));
        let taken = outbox.take_all();
        assert_eq!((taken.items, taken.upto, taken.stopping), (vec![item(3), item(4)], 5, false));
        outbox.stop();
        assert!(outbox.take(Duration::from_secs(60), 3).stopping);
    }

    #[tokio::test]
    async fn who_waits_hears_of_their_own_commit_and_no_other() {
        let outbox = Outbox::new(true);
        let (one, two) = (outbox.post(item(1)), outbox.post(item(2)));
        outbox.tried(one, Ok(()));
        assert_eq!(outbox.settled(one).await, Ok(()));
        outbox.tried(two, Err("the disk is full".into()));
        assert_eq!(outbox.settled(one).await, Ok(()));
        let failed = StoreError::Unwritten { reason: "the disk is full".into() };
        assert_eq!(outbox.settled(two).await, Err(failed));
        outbox.tried(two, Ok(()));
        assert_eq!((outbox.settled(two).await, outbox.trouble()), (Ok(()), None));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_forever() {
        let outbox = Outbox::new(true);
        let number = outbox.post(item(1));
        assert_eq!(outbox.settled(number).await, Err(StoreError::Slow));
        outbox.close();
        assert!(matches!(outbox.settled(number).await, Err(StoreError::Unwritten { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn with_an_interval_nobody_waits_while_all_is_well() {
        let outbox = Outbox::new(false);
        let number = outbox.post(item(1));
        assert_eq!(outbox.settled(number).await, Ok(()));
        outbox.tried(number, Err("the disk is full".into()));
        let number = outbox.post(item(2));
        let failed = StoreError::Unwritten { reason: "the disk is full".into() };
        assert_eq!(outbox.settled(number).await, Err(failed), "nobody waits for the next try");
        outbox.tried(number, Ok(()));
        for hash in 0..BACKLOG as u64 {
            outbox.post(item(hash));
        }
        assert_eq!(outbox.settled(outbox.last()).await, Err(StoreError::Slow));
    }

    #[test]
    fn what_cannot_be_written_does_not_pile_up() {
        let outbox = Outbox::new(true);
        outbox.tried(outbox.post(item(1)), Err("the disk is full".into()));
        assert_eq!(outbox.refuses().as_deref(), Some("the disk is full"));
        outbox.tried(1, Ok(()));
        assert_eq!(outbox.refuses(), None);
        let numbers: Vec<_> = (0..MOST as u64).map(|hash| outbox.post(item(hash))).collect();
        assert_eq!(numbers.len(), MOST);
        assert_eq!(outbox.refuses().as_deref(), Some("the disk does not keep up"));
        outbox.take(Duration::ZERO, 1_024);
        assert_eq!(outbox.refuses(), None);
    }
}
