//! The writer: a thread that commits what was posted, everything that came during one commit
//! together in the next. After a failure it tries again until it succeeds; nothing is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::Key;
use crate::store::embedded::disk::Disk;
use crate::store::memory::Memory;
use crate::store::memory::drawer::Packed;
use crate::store::outbox::{Item, Outbox, Taken};

/// Items of one commit at most, so that none waits long for the others.
const MOST: usize = 1_024;
/// Between two tries while commits fail, at least and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// Nor does trying take more than this part of the time: after a failed commit the whole file is
/// looked through, however large it is.
const PART_OF_THE_TIME: u32 = 10;

/// Writes until the outbox is stopped and empty.
pub(crate) struct Writer {
    pub(crate) memory: Arc<Memory>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) disk: Arc<Disk>,
    /// How long changes gather before a commit.
    pub(crate) gather: Duration,
}

impl Writer {
    /// Runs on a thread of its own.
    pub(crate) fn run(self) {
        loop {
            let Taken { mut items, mut upto, stopping } = self.outbox.take(self.gather, MOST);
            if stopping {
                break;
            }
            if !self.write_until_saved(&mut items, &mut upto) {
                break;
            }
        }
        self.disk.close();
        self.outbox.close();
    }

    /// Tries until it is on disk; `false` when docent has to stop before.
    fn write_until_saved(&self, items: &mut Vec<Item>, upto: &mut u64) -> bool {
        let mut failed = false;
        loop {
            let begun = Instant::now();
            match self.write(items, upto, failed) {
                Ok(()) => {
                    self.outbox.tried(*upto, Ok(()));
                    if failed {
                        tracing::info!("The store writes again");
                    }
                    return true;
                }
                Err(reason) => {
                    if !failed {
                        tracing::error!(error = %reason, "The store cannot write; requests are refused until it can");
                    }
                    failed = true;
                    self.outbox.tried(self.outbox.last(), Err(reason));
                }
            }
            let pause = (begun.elapsed() * PART_OF_THE_TIME).clamp(AGAIN.0, AGAIN.1);
            if self.outbox.pause(pause) {
                return false;
            }
        }
    }

    fn write(&self, items: &mut Vec<Item>, upto: &mut u64, again: bool) -> Result<(), String> {
        let mut changes = self.pack(items, upto)?;
        if again {
            self.disk.ready_for(&changes).map_err(|error| error.to_string())?;
        }
        let committed = catch_unwind(AssertUnwindSafe(|| self.disk.commit(&mut changes)));
        let reason = match committed {
            Ok(Ok(())) => {
                self.landed(items);
                return Ok(());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the store's file is damaged".to_owned(),
        };
        let reopened = catch_unwind(AssertUnwindSafe(|| self.disk.reopen()));
        if !matches!(reopened, Ok(Ok(()))) {
            tracing::debug!(?reopened, "Cannot open the store's file anew");
        }
        Err(reason)
    }

    /// What is to change on disk, as memory has it now.
    fn pack(&self, items: &mut Vec<Item>, upto: &mut u64) -> Result<Vec<Packed>, String> {
        let mut changes = Vec::new();
        let mut from = 0;
        while from < items.len() {
            let mut missing = false;
            for item in items.iter().skip(from) {
                if let Item::Changed { shelf, hash } = item
                    && let Some(drawer) = self.memory.drawer(*shelf)
                {
                    let found = drawer.pack(*hash, &mut changes);
                    missing |= !found.map_err(|error| error.to_string())?;
                }
            }
            from = items.len();
            // A row that is no more was removed by an item that is posted already. Both belong
            // into one commit, or else this one would promise what it does not hold.
            if missing {
                let more = self.outbox.take_all();
                items.extend(more.items);
                *upto = more.upto;
            }
        }
        self.removals(items, &mut changes)?;
        Ok(changes)
    }

    /// Behind what was packed of a row before it was removed, so that nothing of that stays. A row
    /// that was made anew since may be on disk already, by an earlier commit.
    fn removals(&self, items: &[Item], changes: &mut Vec<Packed>) -> Result<(), String> {
        for item in items {
            let Item::Gone { shelf, product, id } = item else { continue };
            let Some(drawer) = self.memory.drawer(*shelf) else { continue };
            let packed = drawer.pack_removed(Key { product, id }, changes);
            packed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn landed(&self, items: &[Item]) {
        for item in items {
            if let Item::Changed { shelf, hash } = item
                && let Some(drawer) = self.memory.drawer(*shelf)
            {
                drawer.landed(*hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::records::User;
    use crate::domain::time::Timestamp;
    use crate::rulebook::settings::Limits;
    use crate::store::{Step, codec};

    const KEY: Key<'static> = Key { product: "acme", id: "u_1" };

    /// Whoever waits for the removal is told once its own commit is on disk, and that must not hold
    /// what was removed, although the row is there again.
    #[test]
    fn what_was_removed_is_gone_with_its_own_commit_even_when_it_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Arc::new(Outbox::new(true));
        let memory = Memory::posting(&Limits::default(), Some(Arc::clone(&outbox)));
        let (memory, disk) = (Arc::new(memory), Arc::new(Disk::open(folder.path()).unwrap()));
        let writer = Writer {
            memory: Arc::clone(&memory),
            outbox: Arc::clone(&outbox),
            disk: Arc::clone(&disk),
            gather: Duration::ZERO,
        };
        let is_now = |seq: Option<u64>| {
            let step = |slot: &mut Option<User>| {
                *slot = seq.map(|seq| User { seq, ..User::default() });
                Step::Write(())
            };
            memory.update(KEY, Timestamp::from_millis(0), step).ok().unwrap();
        };
        let written = |taken: Taken| {
            let Taken { mut items, mut upto, .. } = taken;
            writer.write(&mut items, &mut upto, false).unwrap();
            let bytes = disk.read("user", KEY).unwrap();
            bytes.map(|bytes| codec::unpack::<User>(&bytes).unwrap().1.seq)
        };
        is_now(Some(1));
        assert_eq!(written(outbox.take_all()), Some(1));
        is_now(None);
        let removal = outbox.take_all();
        is_now(Some(2));
        assert_eq!(written(removal), Some(2));
        is_now(None);
        assert_eq!(written(outbox.take_all()), None);

        is_now(Some(3));
        let change = outbox.take_all();
        is_now(None);
        is_now(Some(4));
        // This commit has what the row is by then, and the next has its removal.
        assert_eq!(written(change), Some(4));
        assert_eq!(written(outbox.take_all()), Some(4));
    }
}
