//! Floor 3: the journal. What happens is put into a bounded queue and written by a thread of its
//! own: into segments that are rotated, compressed and let go in time. Nothing waits for the disk;
//! when it cannot keep up or is full, lines are dropped and counted, and docent goes on and says so.
//! `docs/journal.md` is the format.

mod queue;
pub mod read;
mod segment;
mod shelf;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::domain::bucket::{Share, sample};
use crate::domain::time::{Span, Timestamp};
use crate::engine::tape::{Entry, Line};
pub use crate::journal::queue::Figures;
use crate::journal::queue::{Item, Queue};
use crate::journal::shelf::Known;
pub use crate::journal::shelf::Place;
use crate::journal::writer::Writer;

/// How a journal is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its folder.
    pub folder: PathBuf,
    /// How long a segment is kept.
    pub keep: Span,
    /// Bytes of all segments together; the oldest go.
    pub max_size: u64,
    /// The share of sessions whose silent polls are kept, too.
    pub sample: Share,
}

/// Why no journal can be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot keep a journal in `{folder}`: {reason}; docent must be able to write there, or write \
     `journal: off`"
)]
pub struct JournalError {
    /// The folder as given.
    folder: String,
    /// What the system said.
    reason: String,
}

/// What is being written down. Closing it, or dropping it, writes what is left.
#[derive(Debug)]
pub struct Journal {
    queue: Arc<Queue>,
    known: Arc<Known>,
    sample: Share,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Begins a journal in its folder. `now` is the engine's clock.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn start(
        terms: Terms,
        now: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<Self, JournalError> {
        let failed = |reason: std::io::Error| JournalError {
            folder: terms.folder.display().to_string(),
            reason: reason.to_string(),
        };
        std::fs::create_dir_all(&terms.folder).map_err(failed)?;
        let (queue, known) = (Arc::new(Queue::default()), Arc::new(Known::default()));
        let sample = terms.sample;
        let writer = Writer::new(terms.clone(), Arc::clone(&queue), Arc::clone(&known));
        let thread = std::thread::Builder::new().name("journal".to_owned());
        let thread = thread.spawn(move || writer.run(now)).map_err(failed)?;
        Ok(Self { queue, known, sample, thread: Mutex::new(Some(thread)) })
    }

    /// Whether every poll of this session is kept: a session is all in or all out, in every
    /// instance.
    pub fn is_sampled(&self, product: &str, session: &str) -> bool {
        self.sample == Share::EVERYBODY
            || (self.sample != Share::NOBODY && self.sample.holds(sample(product, session)))
    }

    /// Where a session's lines go at present, under rules of this digest.
    pub fn place(&self, product: &str, session: &str, rules: &str) -> Place {
        self.known.place(product, session, rules)
    }

    /// Whether the segment there leaves the session with this sequence number.
    pub fn knows(&self, place: Place, seq: u64) -> bool {
        self.known.knows(place, seq)
    }

    /// Puts the lines of one step of a session into the queue, in order. `asked` are the parameters
    /// of URLs that may be told.
    pub fn post(&self, place: Place, lines: Vec<Line>, asked: &Arc<[Arc<str>]>) {
        let begins = lines.iter().any(|line| matches!(line.entry, Entry::State(_)));
        let left = lines.last().map(|line| (line.left, matches!(line.entry, Entry::Erase)));
        let item = Item { epoch: place.epoch, lines, asked: Arc::clone(asked) };
        if !self.queue.post(item) {
            return;
        }
        match left {
            Some((_, true)) => self.known.forget(place),
            Some((left, false)) => self.known.learn(place, left, begins),
            None => {}
        }
    }

    /// Puts a line that concerns no session into the queue.
    pub fn post_aside(&self, line: Line) {
        let epoch = self.known.epoch();
        let _taken = self.queue.post(Item { epoch, lines: vec![line], asked: Arc::default() });
    }

    /// Why lines are being lost; `None` while all is well.
    pub fn trouble(&self) -> Option<String> {
        self.queue.trouble()
    }

    /// What was written and what had to go.
    pub fn figures(&self) -> Figures {
        self.queue.figures()
    }

    /// Writes what is left and closes the segment. What comes later is lost.
    pub fn close(&self) {
        self.queue.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _panicked = thread.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}
