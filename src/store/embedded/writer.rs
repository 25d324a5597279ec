//! The writer: a thread that commits what was posted, everything that came during one commit
//! together in the next. After a failure it tries again until it succeeds; nothing is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::store::Key;
use crate::store::embedded::disk::Disk;
use crate::store::memory::Memory;
use crate::store::memory::drawer::Packed;
use crate::store::outbox::{Item, Outbox, Taken};

/// Items of one commit at most, so that none waits long for the others.
const MOST: usize = 1_024;
/// Between two tries while commits fail.
const AGAIN: Duration = Duration::from_millis(500);

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
            match self.write(items, upto) {
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
            if self.outbox.pause(AGAIN) {
                return false;
            }
        }
    }

    fn write(&self, items: &mut Vec<Item>, upto: &mut u64) -> Result<(), String> {
        let mut changes = self.pack(items, upto)?;
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
        self.removals(items, &mut changes);
        Ok(changes)
    }

    /// Behind what is to be there, so that of a row that was packed and then removed nothing stays.
    fn removals(&self, items: &[Item], changes: &mut Vec<Packed>) {
        for item in items {
            let Item::Gone { shelf, product, id } = item else { continue };
            let Some(drawer) = self.memory.drawer(*shelf) else { continue };
            // Made anew since: then that was posted, too.
            if drawer.holds(Key { product, id }) {
                continue;
            }
            for kind in drawer.kinds() {
                let (product, id) = (product.clone(), id.clone());
                changes.push(Packed { kind, product, id, bytes: None });
            }
        }
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
