//! The thread that writes: lines into the segment they belong to, a new segment every hour or when
//! one is large, closed ones compressed, old ones let go. After a failure it tries again with a new
//! segment, in which every session begins with its state.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::time::{Span, Timestamp};
use crate::engine::tape::redact::told;
use crate::engine::tape::sieve::{Head, Sieve};
use crate::engine::tape::{Entry, Line};
use crate::journal::Terms;
use crate::journal::queue::{Chore, Done, Item, Queue, Taken};
use crate::journal::segment::{Named, OPEN, Segment, compress, list};
use crate::journal::shelf::Known;
use crate::journal::sweep::{found_in, locked, remaining};

/// The largest segment, in bytes; less where the journal as a whole may not be large.
const LARGEST: u64 = 64 << 20;
/// So many segments fit into the journal at least.
const FIT: u64 = 16;
/// The longest segment.
const LONGEST: Span = Span::from_seconds(3_600);
/// Lines of requests that were under way at a turn may still come so long.
const STRAGGLERS: Duration = Duration::from_secs(5);
/// How often old segments are looked for, and how long a pause between two tries is.
const TIDY: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);
/// A segment nobody has written to for so long was left by a docent that is no more.
const LEFT_BEHIND: Duration = Duration::from_secs(2 * 3_600);

pub(super) struct Writer {
    terms: Terms,
    queue: Arc<Queue>,
    known: Arc<Known>,
    /// Held by whoever changes segments that are not being written to.
    hands: Arc<Mutex<()>>,
    instance: String,
    open: BTreeMap<u64, Segment>,
    /// Closed, and not compressed yet.
    closing: Vec<(Instant, PathBuf)>,
    tidied: Option<Instant>,
    failed: Option<Instant>,
    /// Lines lost since the last that was written.
    missing: u64,
    /// Sessions that were erased a moment ago: lines of them may still be under way.
    sieve: Option<(Instant, Sieve)>,
}

impl Writer {
    pub(super) fn new(
        terms: Terms,
        queue: Arc<Queue>,
        known: Arc<Known>,
        hands: Arc<Mutex<()>>,
    ) -> Self {
        let instance = RandomState::new().hash_one(std::process::id());
        let instance = format!("{:08x}", instance >> 32);
        let (open, closing, tidied, failed, missing, sieve) = <_>::default();
        Self { terms, queue, known, hands, instance, open, closing, tidied, failed, missing, sieve }
    }

    pub(super) fn run(mut self, now: impl Fn() -> Timestamp) {
        loop {
            let Taken { items, missing, chore, is_over } = self.queue.take(PAUSE);
            self.missing += missing;
            self.write(items, now());
            if let Some(chore) = chore {
                self.sift(&chore);
            }
            self.turn(now());
            self.tidy(now());
            if is_over {
                return self.end();
            }
        }
    }

    fn write(&mut self, items: Vec<Item>, now: Timestamp) {
        let lines = items.iter().map(|item| item.lines.len() as u64).sum();
        if lines == 0 {
            return;
        }
        if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            self.missing += lines;
            // What was lost is not known to any segment.
            self.known.turn();
            return self.queue.lost(lines);
        }
        match self.append(items, now) {
            Ok(lost) => {
                self.queue.wrote(lines - lost);
                self.queue.lost(lost);
                if self.failed.take().is_some() {
                    tracing::info!("The journal can be written again");
                    self.queue.set_trouble(None);
                }
            }
            Err(error) => self.fail(&error, lines),
        }
    }

    /// Appends items to their segments; how many lines had none any more.
    fn append(&mut self, items: Vec<Item>, now: Timestamp) -> io::Result<u64> {
        let (mut texts, mut lost) = (BTreeMap::<u64, Vec<u8>>::new(), 0);
        let current = self.known.epoch();
        if self.missing > 0 {
            let gap = gap(self.missing, now);
            put(texts.entry(current).or_default(), &told(&gap, &[])?);
        }
        for Item { epoch, lines, asked } in &items {
            if *epoch != current && !self.open.contains_key(epoch) {
                lost += lines.len() as u64;
                continue;
            }
            let text = texts.entry(*epoch).or_default();
            for line in lines {
                let line = told(line, asked)?;
                if let Some((_, sieve)) = &mut self.sieve
                    && Head::read(&line).is_some_and(|head| !sieve.keeps(&head))
                {
                    continue;
                }
                put(text, &line);
            }
        }
        for (epoch, text) in texts {
            let segment = match self.open.remove(&epoch) {
                Some(segment) => segment,
                None => Segment::create(&self.terms.folder, &self.instance, now, epoch)?,
            };
            self.open.entry(epoch).or_insert(segment).append(&text)?;
        }
        self.missing = lost;
        Ok(lost)
    }

    /// Takes lines of people who were erased out of what is being written.
    fn sift(&mut self, chore: &Chore) {
        let sifted = self.sifted(chore);
        self.sieve = Some((Instant::now(), Sieve::of(Arc::clone(&chore.erasures))));
        // Whoever asked may have gone.
        let _heard = chore.answer.try_send(sifted);
    }

    fn sifted(&mut self, chore: &Chore) -> io::Result<Done> {
        let mut done = Done::default();
        // Lines that were in the queue when segments were looked through are here by now.
        let paths = self.open.values().map(|segment| segment.path.clone()).collect();
        let found = found_in(paths, &chore.erasures, &AtomicBool::new(false))?;
        let mut gone = Arc::unwrap_or_clone(found.gone);
        for (whose, erased) in &*chore.gone {
            let at = gone.entry(whose.clone()).or_insert(*erased);
            *at = (*at).max(*erased);
        }
        (done.gone, done.named) = (Arc::new(gone), found.named);
        for segment in self.open.values_mut() {
            done.lines += segment.sift(&mut Sieve::new(Arc::clone(&done.gone)))?;
            done.paths.push(segment.path.clone());
        }
        Ok(done)
    }

    /// The disk takes nothing. What comes next goes to a new segment, with states first.
    fn fail(&mut self, error: &io::Error, lines: u64) {
        if self.failed.is_none() {
            tracing::error!(%error, "The journal cannot be written; docent goes on without it");
        }
        self.failed = Some(Instant::now());
        self.queue.set_trouble(Some(error.to_string()));
        self.queue.lost(lines);
        self.missing += lines;
        self.known.turn();
        for (_, segment) in std::mem::take(&mut self.open) {
            if segment.bytes == 0 {
                let _gone = fs::remove_file(&segment.path);
            } else {
                self.closing.push((Instant::now(), segment.path));
            }
        }
    }

    /// Begins a new segment when the present one is large or old; closes those that are over.
    fn turn(&mut self, now: Timestamp) {
        let largest = (self.terms.max_size / FIT).clamp(1, LARGEST);
        let current = self.known.epoch();
        let is_full =
            |segment: &Segment| segment.bytes >= largest || now.since(segment.start) >= LONGEST;
        if self.open.get(&current).is_some_and(is_full) {
            self.known.turn();
            self.closing.extend(
                self.open.get(&current).map(|segment| (Instant::now(), segment.path.clone())),
            );
        }
        self.sieve.take_if(|(since, _)| since.elapsed() >= STRAGGLERS * 2);
        let hands = Arc::clone(&self.hands);
        let Some(_held) = free(&hands) else { return };
        let over = |(at, _): &(Instant, PathBuf)| at.elapsed() >= STRAGGLERS;
        let due: Vec<_> = self.closing.extract_if(.., |closing| over(closing)).collect();
        for (_, path) in due {
            self.close(path);
        }
    }

    fn close(&mut self, path: PathBuf) {
        let mut over = self.open.extract_if(.., |_, segment| segment.path == path);
        // It is held until it is compressed, or somebody else might sweep it meanwhile.
        let _held = over.next();
        if let Err(error) = compress(&path) {
            // It stays as it is, and is read as well; the next tidying tries again.
            tracing::warn!(%error, "A segment of the journal could not be compressed");
        }
    }

    /// Lets go of what is too old or too much, and compresses what was left behind.
    fn tidy(&mut self, now: Timestamp) {
        let recently = |at: Instant| at.elapsed() < TIDY;
        if self.tidied.is_some_and(recently) && !self.is_over(now) {
            return;
        }
        let hands = Arc::clone(&self.hands);
        let Some(_held) = free(&hands) else { return };
        self.tidied = Some(Instant::now());
        if let Err(error) = self.let_go(now) {
            tracing::warn!(%error, "Old segments of the journal could not be removed");
        }
    }

    /// Whether the clock was moved on by more than a segment may last.
    fn is_over(&self, now: Timestamp) -> bool {
        self.open.values().any(|segment| now.since(segment.start) >= LONGEST.times(2))
    }

    fn let_go(&self, now: Timestamp) -> io::Result<()> {
        let mut rest = Vec::new();
        // Another docent in the same folder may be sweeping it.
        let lock = locked(&self.terms.folder)?;
        if lock.is_some() {
            remaining(&self.terms.folder)?;
        }
        for segment in list(&self.terms.folder)? {
            let is_ours = self.open.values().any(|open| open.path == segment.path)
                || self.closing.iter().any(|(_, path)| *path == segment.path);
            if is_ours {
                continue;
            }
            if now.since(segment.start) >= self.terms.keep.plus(LONGEST) {
                fs::remove_file(&segment.path)?;
                continue;
            }
            if lock.is_some() && is_left_behind(&segment) && compress(&segment.path).is_err() {
                continue;
            }
            rest.push(segment);
        }
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |found| found.len());
        let open: u64 = self.open.values().map(|segment| segment.bytes).sum();
        let mut total = open + rest.iter().map(|segment| size(&segment.path)).sum::<u64>();
        for segment in rest {
            if total <= self.terms.max_size {
                break;
            }
            total = total.saturating_sub(size(&segment.path));
            fs::remove_file(&segment.path)?;
        }
        Ok(())
    }

    fn end(mut self) {
        let hands = Arc::clone(&self.hands);
        // They are read as they are, and compressed by whoever comes next.
        let Some(_held) = free(&hands) else { return };
        let paths: Vec<_> = self.open.values().map(|segment| segment.path.clone()).collect();
        let closing = std::mem::take(&mut self.closing).into_iter().map(|(_, path)| path);
        let mut all: Vec<_> = closing.chain(paths).collect();
        all.sort();
        all.dedup();
        for path in all {
            self.close(path);
        }
    }
}

fn put(text: &mut Vec<u8>, line: &str) {
    text.extend_from_slice(line.as_bytes());
    text.push(b'\n');
}

/// The lock, unless somebody has it.
fn free(hands: &Mutex<()>) -> Option<MutexGuard<'_, ()>> {
    match hands.try_lock() {
        Ok(held) => Some(held),
        Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn gap(lines: u64, at: Timestamp) -> Line {
    let (product, session, digest) = <_>::default();
    Line { at, product, session, seq: 0, left: 0, digest, entry: Entry::Gap { lines } }
}

/// Another docent may still be writing to it.
fn is_left_behind(segment: &Named) -> bool {
    let is_open = segment.path.to_str().is_some_and(|path| path.ends_with(OPEN));
    let modified = fs::metadata(&segment.path).and_then(|found| found.modified());
    let age = modified.ok().and_then(|modified| modified.elapsed().ok());
    is_open && age.is_some_and(|age| age >= LEFT_BEHIND)
}
