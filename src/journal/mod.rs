//! Floor 3: the journal. What happens is put into a bounded queue and written by a thread of its
//! own: into segments that are rotated, compressed and let go in time. Nothing waits for the disk;
//! when it cannot keep up or is full, lines are dropped and counted, and docent goes on and says so.
//! `docs/journal.md` is the format.

mod mark;
mod queue;
pub mod read;
mod segment;
mod shelf;
pub mod sweep;
mod writer;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::bucket::{Share, sample};
use crate::domain::time::{Span, Timestamp};
use crate::engine::erasure::Erasures;
use crate::engine::tape::sieve::{Gone, Whose};
use crate::engine::tape::{Entry, Line};
pub use crate::journal::mark::Mark;
pub use crate::journal::queue::Figures;
use crate::journal::queue::{Chore, Item, Queue};
use crate::journal::shelf::Known;
pub use crate::journal::shelf::Place;
use crate::journal::sweep::{Swept, found, lines_of, lock_of, remaining, rewrite_all};
use crate::journal::writer::Writer;

/// Until the writer has taken lines out of what it writes.
const PATIENCE: Duration = Duration::from_secs(30);

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
    folder: PathBuf,
    sample: Share,
    hands: Arc<Mutex<()>>,
    /// Whether long work has to end.
    stop: AtomicBool,
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
        let (folder, sample, hands) = (terms.folder.clone(), terms.sample, Arc::default());
        let parts = (Arc::clone(&queue), Arc::clone(&known), Arc::clone(&hands));
        let writer = Writer::new(terms.clone(), parts.0, parts.1, parts.2);
        let thread = std::thread::Builder::new().name("journal".to_owned());
        let thread = thread.spawn(move || writer.run(now)).map_err(failed)?;
        let (stop, thread) = (AtomicBool::new(false), Mutex::new(Some(thread)));
        Ok(Self { queue, known, folder, sample, hands, stop, thread })
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

    /// The session was erased: what comes later begins with a state of its own.
    pub fn forget(&self, product: &str, session: &str) {
        self.known.forget(self.known.place(product, session, ""));
    }

    /// Lines of a person in every segment, as they stand there, at most so many bytes; whether there
    /// are more. What was posted a moment ago may not be there yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn lines_of(&self, whom: &Erasures, most: usize) -> io::Result<(Vec<String>, bool)> {
        lines_of(&self.folder, whom, most, &self.stop)
    }

    /// How far it was swept, by this docent or one before.
    pub fn mark(&self) -> Option<Mark> {
        Mark::read(&self.folder)
    }

    /// Notes how far it is swept.
    ///
    /// # Errors
    /// When the disk does not take it; then more is swept again than has to be.
    pub fn set_mark(&self, mark: &Mark) -> io::Result<()> {
        mark.write(&self.folder)
    }

    /// Takes lines of people who were erased out of every segment, also of those being written, and
    /// answers when that is on disk. It may take long; requests and the writer go on meanwhile.
    ///
    /// # Errors
    /// When a file cannot be read or written, or another docent is sweeping the same folder.
    pub fn sweep(&self, erasures: &Erasures) -> io::Result<Swept> {
        let _held = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = lock_of(&self.folder)?;
        remaining(&self.folder)?;
        let found = found(&self.folder, erasures, &self.stop)?;
        let mut swept = rewrite_all(&found, &self.stop)?;
        let forget = |gone: &Gone| gone.keys().for_each(|(product, id)| self.forget(product, id));
        forget(&found.gone);
        let (answer, answered) = sync_channel(1);
        let (gone, erasures) = (found.gone, Arc::new(erasures.clone()));
        self.queue.ask(Chore { gone, erasures, answer });
        let done = answered.recv_timeout(PATIENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => io::Error::from(io::ErrorKind::TimedOut),
            RecvTimeoutError::Disconnected => io::Error::other("the journal is closing"),
        })??;
        forget(&done.gone);
        let is_news = |news: &(Whose, Timestamp)| !found.named.contains(news);
        swept.named.extend(done.named.into_iter().filter(is_news));
        swept.lines += done.lines;
        swept.segments += u64::from(done.lines > 0);
        swept.held.retain(|path| !done.paths.contains(path));
        File::open(&self.folder)?.sync_all()?;
        Ok(swept)
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
        self.stop.store(true, Ordering::Relaxed);
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
