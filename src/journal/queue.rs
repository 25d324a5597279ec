//! The queue between the requests, which never wait, and the thread that writes.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::action::{Batch, Delivery, RawAction, Summary};
use crate::domain::time::Timestamp;
use crate::engine::erasure::Erasures;
use crate::engine::tape::sieve::{Gone, Whose};
use crate::engine::tape::{Batched, Entry, Line};

/// Lines that may wait; a state counts for several, and so does much activity. What a burst of some
/// seconds leaves.
const MOST: usize = 32_768;
/// What a session's state weighs, in lines.
const STATE: usize = 8;
/// Bytes of activity that weigh as much as a line: 128 MiB of it may wait.
const BYTES: usize = 4_096;
/// What a member or an action weighs beside its texts, in bytes.
const MEMBER: usize = 64;
/// Items written at once.
const AT_ONCE: usize = 1_024;

/// Lines of one step.
#[derive(Debug)]
pub(super) struct Item {
    /// The segment that they belong to.
    pub(super) epoch: u64,
    pub(super) lines: Vec<Line>,
    pub(super) asked: Arc<[Arc<str>]>,
}

/// What was written and what had to go, in lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// On disk, or on the way there.
    pub written: u64,
    /// Lost: the disk was too slow, full or failed.
    pub dropped: u64,
}

/// Lines that have to leave the segments which are being written.
#[derive(Debug)]
pub(super) struct Chore {
    /// Whose they are, by what the segments on disk told.
    pub(super) gone: Arc<Gone>,
    /// Whose they may be besides: of lines that were in the queue, or are still under way.
    pub(super) erasures: Arc<Erasures>,
    pub(super) answer: SyncSender<io::Result<Done>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Lines that are gone.
    pub(super) lines: u64,
    /// The segments that were looked at.
    pub(super) paths: Vec<PathBuf>,
    /// The sessions that had to leave them.
    pub(super) gone: Arc<Gone>,
    /// Those that are known by a name in these alone, with when that was erased.
    pub(super) named: Vec<(Whose, Timestamp)>,
}

/// What the writer is given.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) items: Vec<Item>,
    /// Lines lost since it last looked, where the queue has room again.
    pub(super) missing: u64,
    /// To be done once the items are written.
    pub(super) chore: Option<Chore>,
    /// Nothing is left and nothing will come.
    pub(super) is_over: bool,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    open: Mutex<Open>,
    posted: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    items: VecDeque<Item>,
    weight: usize,
    /// Items taken so far.
    taken: u64,
    /// Each after so many items were taken.
    chores: VecDeque<(u64, Chore)>,
    missing: u64,
    figures: Figures,
    /// Why the disk takes nothing.
    trouble: Option<String>,
    stopping: bool,
}

impl Item {
    fn weight(&self) -> usize {
        let weigh = |line: &Line| match &line.entry {
            Entry::State(_) => STATE,
            Entry::Batch(batched) => 1 + bytes(batched) / BYTES,
            _ => 1,
        };
        self.lines.iter().map(weigh).sum()
    }
}

/// Bytes of what a message told, more or less.
fn bytes(batched: &Batched) -> usize {
    match &batched.delivery {
        None => 0,
        Some(Delivery::Summary(Summary { text, .. })) => text.len(),
        Some(Delivery::Actions(Batch { actions, traits, account_traits, .. })) => {
            let told = actions.iter().map(|action| {
                let RawAction { title, description, canonical_url, raw_url, kind, .. } = action;
                let texts = [title, description, canonical_url, raw_url, kind].map(String::len);
                4 * MEMBER + texts.iter().sum::<usize>() + members(&action.properties)
            });
            told.sum::<usize>() + members(traits) + members(account_traits)
        }
    }
}

fn members(map: &Map<String, Value>) -> usize {
    map.iter().map(|(name, value)| MEMBER + name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| MEMBER + value_bytes(item)).sum(),
        Value::Object(map) => members(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

impl Queue {
    /// Puts an item in; `false` when there is no room, and it is lost.
    pub(super) fn post(&self, item: Item) -> bool {
        let weight = item.weight();
        let mut open = self.lock();
        if open.stopping || open.weight + weight > MOST {
            let lost = item.lines.len() as u64;
            let first = open.missing == 0 && !open.stopping;
            open.missing += lost;
            open.figures.dropped += lost;
            drop(open);
            if first {
                tracing::warn!("The journal's disk is too slow: lines are being dropped");
            }
            return false;
        }
        open.weight += weight;
        open.items.push_back(item);
        drop(open);
        self.posted.notify_one();
        true
    }

    /// Waits at most so long for items.
    pub(super) fn take(&self, patience: Duration) -> Taken {
        let empty =
            |open: &mut Open| open.items.is_empty() && open.chores.is_empty() && !open.stopping;
        let waited = self.posted.wait_timeout_while(self.lock(), patience, empty);
        let mut open = waited.unwrap_or_else(PoisonError::into_inner).0;
        let some = open.items.len().min(AT_ONCE);
        let items: Vec<Item> = open.items.drain(..some).collect();
        open.weight -= items.iter().map(Item::weight).sum::<usize>().min(open.weight);
        open.taken += some as u64;
        let taken = open.taken;
        let chore = open.chores.pop_front_if(|(after, _)| *after <= taken);
        let caught_up = open.items.is_empty();
        let missing = if caught_up { mem::take(&mut open.missing) } else { 0 };
        let chore = chore.map(|(_, chore)| chore);
        Taken { is_over: items.is_empty() && open.stopping, items, missing, chore }
    }

    /// Asks for something to be done once everything that is in the queue is written.
    pub(super) fn ask(&self, chore: Chore) {
        let mut open = self.lock();
        if open.stopping {
            return;
        }
        let after = open.taken + open.items.len() as u64;
        open.chores.push_back((after, chore));
        drop(open);
        self.posted.notify_one();
    }

    pub(super) fn wrote(&self, lines: u64) {
        self.lock().figures.written += lines;
    }

    pub(super) fn lost(&self, lines: u64) {
        self.lock().figures.dropped += lines;
    }

    /// Says why the disk takes nothing, or that it does.
    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        self.lock().trouble = trouble;
    }

    pub(super) fn trouble(&self) -> Option<String> {
        let open = self.lock();
        let slow = || format!("the disk is too slow, {} lines are lost", open.missing);
        open.trouble.clone().or_else(|| (open.missing > 0).then(slow))
    }

    pub(super) fn figures(&self) -> Figures {
        self.lock().figures
    }

    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.posted.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::Trust;

    fn line(entry: Entry) -> Line {
        Line {
            at: Timestamp::default(),
            product: "acme".into(),
            session: "ps_1".into(),
            seq: 1,
            left: 1,
            digest: Arc::default(),
            entry,
        }
    }

    fn item(lines: usize) -> Item {
        Item { epoch: 1, lines: vec![line(Entry::Erase); lines], asked: Arc::default() }
    }

    #[test]
    fn large_batches_weigh_what_they_hold() {
        let text = "x".repeat(1 << 20);
        let long = RawAction { title: text.clone(), ..RawAction::default() };
        let properties = Map::from_iter([("list".to_owned(), Value::from(vec![text.as_str()]))]);
        let told = RawAction { properties, ..RawAction::default() };
        for (action, fit) in [(RawAction::default(), MOST), (long, 127), (told, 127)] {
            let batch = Batch { actions: vec![action], ..Batch::default() };
            let delivery = Some(Delivery::Actions(batch));
            let (identity, trust, voucher) = (None, Trust::Trusted, None);
            let batched = Batched { delivery, identity, trust, voucher };
            let lines = vec![line(Entry::Batch(Box::new(batched)))];
            let weight = Item { epoch: 1, lines, asked: Arc::default() }.weight();
            assert_eq!(MOST / weight, fit);
        }
    }

    #[test]
    fn what_has_no_room_is_lost_counted_and_told_until_the_rest_is_written() {
        let queue = Queue::default();
        assert!(queue.post(item(MOST)) && !queue.post(item(3)));
        assert_eq!(queue.figures().dropped, 3);
        assert_eq!(queue.trouble(), Some("the disk is too slow, 3 lines are lost".into()));
        let taken = queue.take(Duration::ZERO);
        assert_eq!((taken.items.len(), taken.missing, taken.is_over), (1, 3, false));
        assert_eq!(queue.trouble(), None);
        assert!(queue.post(item(3)));
        queue.stop();
        assert!(!queue.post(item(1)), "nothing comes after the end");
        assert!(!queue.take(Duration::ZERO).is_over && queue.take(Duration::ZERO).is_over);
    }
}
