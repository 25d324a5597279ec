//! Reading a file back at start: one thread reads it in order, all cores make records of what it
//! reads.

use std::mem;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::store::embedded::disk::{Disk, DiskError};
use crate::store::memory::Memory;
use crate::store::memory::drawer::Drawer;
use crate::store::raw::Raw;

/// Records that go from hand to hand at once.
const HANDFUL: usize = 256;
/// Handfuls that may wait for each core.
const WAITING: usize = 4;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Recovered {
    pub(super) records: u64,
    /// Of these, records that this version cannot read.
    pub(super) unreadable: u64,
}

/// Records of one kind, and their slot in a row.
struct Handful<'m> {
    drawer: &'m dyn Drawer,
    slot: usize,
    records: Vec<Raw>,
}

/// Puts every record in its place.
pub(super) fn recover(disk: &Disk, memory: &Memory) -> Result<Recovered, DiskError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (read, waiting) = sync_channel(cores * WAITING);
    let (waiting, unreadable) = (Mutex::new(waiting), AtomicU64::new(0));
    let mut records = 0;
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| place(&waiting, memory, &unreadable));
        }
        // The workers end when this is gone, whatever happens here.
        let read = read;
        for drawer in (0..).map_while(|number| memory.drawer(number)) {
            for (slot, kind) in drawer.kinds().into_iter().enumerate() {
                let mut handful = Vec::new();
                let hand_over = |records| drop(read.send(Handful { drawer, slot, records }));
                disk.each(kind, |key, bytes| {
                    records += 1;
                    let (product, id, bytes) = (key.product.into(), key.id.into(), bytes.to_vec());
                    handful.push(Raw { kind, product, id, bytes });
                    if handful.len() == HANDFUL {
                        hand_over(mem::take(&mut handful));
                    }
                })?;
                hand_over(handful);
            }
        }
        Ok::<_, DiskError>(())
    })?;
    Ok(Recovered { records, unreadable: unreadable.into_inner() })
}

/// One worker's part: whatever comes next.
fn place(waiting: &Mutex<Receiver<Handful<'_>>>, memory: &Memory, unreadable: &AtomicU64) {
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    while let Some(Handful { drawer, slot, records }) = next() {
        for raw in &records {
            if memory.recover(drawer, raw.key(), slot, &raw.bytes).is_err() {
                unreadable.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
