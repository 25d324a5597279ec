//! Archives: activity that was written down, in a journal, as JSON lines of batches or as PostHog's
//! export, for replays. What cannot be read is counted and named by its line, and never a reason to stop.

mod journal;
mod lines;
mod unfit;

use std::sync::Arc;

use crate::domain::action::{Delivery, Trust};
use crate::domain::time::Timestamp;
use crate::engine::replay::recording::{Delivered, Entry, Moment, What};
use crate::engine::tape::lives::Number;

pub use journal::{is_journal, journal};
pub use lines::{batches, events, parts};
pub use unfit::LATEST;

/// Lines named of those that cannot be read.
pub const NAMED: usize = 5;

/// What was read of an archive, or of a part of one.
#[derive(Debug, Default)]
pub struct Taken {
    /// What it tells, in its order.
    pub entries: Vec<Entry>,
    /// Lines, rows or events that it holds.
    pub lines: usize,
    /// What cannot be read.
    pub refused: Refused,
    /// What says nothing of what a person did, or belongs to no session.
    pub passed: usize,
    /// Of these, what tells of a person's deeds in no session.
    pub sessionless: usize,
    /// Lines that a journal says it could not write in time.
    pub missing: u64,
}

/// What cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many lines.
    pub count: usize,
    /// The first of them, with the line from one and why.
    pub first: Vec<(usize, String)>,
}

impl Refused {
    /// One more.
    pub fn note(&mut self, line: usize, why: impl ToString) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((line, why.to_string()));
        }
    }
}

impl Taken {
    /// The part of an archive that comes next.
    pub fn append(&mut self, mut next: Self) {
        self.entries.append(&mut next.entries);
        for (line, why) in next.refused.first {
            if self.refused.first.len() < NAMED {
                self.refused.first.push((line + self.lines, why));
            }
        }
        self.refused.count += next.refused.count;
        self.lines += next.lines;
        self.passed += next.passed;
        self.sessionless += next.sessionless;
        self.missing += next.missing;
    }
}

/// A delivery as it was received; `None` for one without a session.
pub fn delivered(
    product: Option<Arc<str>>,
    delivery: Delivery,
    identity: Option<u64>,
    at: Timestamp,
) -> Option<Entry> {
    let session = delivery.session()?.into();
    let delivered = Delivered { delivery, identity, trust: Trust::Trusted, voucher: None };
    let what = What::Delivered(Box::new(delivered));
    Some(Entry { product, session, moment: Moment { at, number: Number::default(), what } })
}
