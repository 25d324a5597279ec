//! Sweeping: lines of people who were erased leave the segments that were already written. A segment
//! is written anew beside itself without them and takes its own place, so that a crash in between
//! loses none of the other lines. Segments that a docent is writing to are its own to sweep.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::domain::time::{Span, Timestamp};
use crate::engine::erasure::Erasures;
use crate::engine::tape::sieve::{Gone, Head, Search, Sieve, Whose};
use crate::journal::segment::{CLOSED, LEVEL, OPEN, PARTIAL, closed, list};

/// Whoever changes files that are not being written to holds this one.
const LOCK: &str = ".sweep.lock";
/// The longest line; a longer one is taken as several, none of which is anybody's.
const LONGEST: u64 = 64 << 20;
/// A segment that began so long after an erasure has nothing from before it.
const AFTER: Span = Span::from_seconds(3_600);
/// What a docent that is no more left half written is younger than this at first.
const LEFT: Duration = Duration::from_secs(60);

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Lines that are gone.
    pub lines: u64,
    /// Segments that had some.
    pub segments: u64,
    /// Segments that other docents are writing to, and sweep themselves.
    pub held: Vec<PathBuf>,
    /// Sessions that were known by a name in their lines alone, with when that was erased: other
    /// journals may have lines of them that bear none.
    pub named: Vec<(Whose, Timestamp)>,
}

/// Whose lines have to go, and where there may be some.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) gone: Arc<Gone>,
    pub(super) named: Vec<(Whose, Timestamp)>,
    touched: BTreeSet<PathBuf>,
}

/// The lock of a folder, if nobody has it; it is let go when this is dropped.
pub(super) fn locked(folder: &Path) -> io::Result<Option<File>> {
    let file = File::options().create(true).write(true).truncate(false).open(folder.join(LOCK))?;
    Ok(file.try_lock().is_ok().then_some(file))
}

/// Sweeps a folder that nobody may be writing to; what somebody is is passed over and told.
///
/// # Errors
/// When a file cannot be read or written, or another sweep is under way.
pub fn sweep(folder: &Path, erasures: &Erasures) -> io::Result<Swept> {
    let _lock = lock_of(folder)?;
    remaining(folder)?;
    let go_on = AtomicBool::new(false);
    let found = found(folder, erasures, &go_on)?;
    let swept = rewrite_all(&found, &go_on)?;
    File::open(folder)?.sync_all()?;
    Ok(swept)
}

pub(super) fn lock_of(folder: &Path) -> io::Result<File> {
    let busy = || io::Error::new(io::ErrorKind::WouldBlock, "another sweep is under way");
    locked(folder)?.ok_or_else(busy)
}

/// Looks through all segments for lines of people who were erased.
pub(super) fn found(folder: &Path, erasures: &Erasures, stop: &AtomicBool) -> io::Result<Found> {
    let Some(newest) = erasures.newest() else { return Ok(Found::default()) };
    let early = list(folder)?.into_iter().filter(|found| found.start <= newest.plus(AFTER));
    found_in(early.map(|segment| segment.path).collect(), erasures, stop)
}

/// Looks through these segments.
pub(super) fn found_in(
    all: BTreeSet<PathBuf>,
    erasures: &Erasures,
    stop: &AtomicBool,
) -> io::Result<Found> {
    let (mut search, mut touched) = (Search::new(erasures), BTreeSet::new());
    for path in &all {
        let mut theirs = false;
        let whole = each(path, stop, |line| {
            theirs |= head(line).is_some_and(|head| search.look(&head));
            Ok(())
        })?;
        // What is torn nobody reads, and nobody can tell whose it is.
        if theirs || !whole {
            touched.insert(path.clone());
        }
    }
    if search.doubts() {
        for path in &all {
            each(path, stop, |line| {
                head(line).iter().for_each(|head| search.look_again(head));
                Ok(())
            })?;
        }
    }
    search.decide();
    let by_name = |whose: &Whose| Some((whose.clone(), *search.gone.get(whose)?));
    let named = search.by_name.iter().filter_map(by_name).collect();
    // A session that is known by its name alone may have lines before the one that says it.
    let touched = if search.by_name.is_empty() { touched } else { all };
    Ok(Found { gone: Arc::new(search.gone), named, touched })
}

/// Writes every segment anew that has lines which have to go.
pub(super) fn rewrite_all(found: &Found, stop: &AtomicBool) -> io::Result<Swept> {
    let mut swept = Swept { named: found.named.clone(), ..Swept::default() };
    for path in &found.touched {
        let lock = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if ends(path, OPEN) && lock.try_lock().is_err() {
            swept.held.push(path.clone());
            continue;
        }
        let lines = rewrite(path, &found.gone, stop)?;
        swept.lines += lines;
        swept.segments += u64::from(lines > 0);
    }
    Ok(swept)
}

fn rewrite(path: &Path, gone: &Arc<Gone>, stop: &AtomicBool) -> io::Result<u64> {
    let part = partial(path);
    let written = (|| {
        let target = File::create(&part)?;
        let mut sieve = Sieve::new(Arc::clone(gone));
        if ends(path, CLOSED) {
            let mut out = zstd::stream::Encoder::new(target, LEVEL)?;
            let parted = pass(path, &mut out, &mut sieve, stop)?;
            out.finish()?.sync_all()?;
            Ok(parted)
        } else {
            let mut out = BufWriter::new(target);
            let parted = pass(path, &mut out, &mut sieve, stop)?;
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            Ok(parted)
        }
    })();
    let placed = written.and_then(|parted: Parted| {
        match parted {
            Parted { changed: false, .. } => fs::remove_file(&part)?,
            Parted { left: 0, .. } => {
                fs::remove_file(path)?;
                fs::remove_file(&part)?;
            }
            Parted { .. } => fs::rename(&part, path)?,
        }
        Ok(parted.lines)
    });
    if placed.is_err() {
        let _gone = fs::remove_file(&part);
    }
    placed
}

/// What passing a segment through a sieve came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parted {
    /// Lines that stay behind.
    pub(super) lines: u64,
    /// Bytes that went through.
    pub(super) left: u64,
    changed: bool,
}

/// Passes a segment through a sieve, line by line; what is torn stays behind.
pub(super) fn pass(
    path: &Path,
    out: &mut impl Write,
    sieve: &mut Sieve,
    stop: &AtomicBool,
) -> io::Result<Parted> {
    let mut parted = Parted::default();
    let whole = each(path, stop, |line| {
        if head(line).is_some_and(|head| !sieve.keeps(&head)) {
            parted.lines += 1;
        } else {
            out.write_all(line)?;
            parted.left += line.len() as u64;
        }
        Ok(())
    })?;
    parted.changed = parted.lines > 0 || !whole;
    Ok(parted)
}

/// Lines of a person in every segment, as they stand there, at most so many bytes; whether there are
/// more.
pub(super) fn lines_of(
    folder: &Path,
    whom: &Erasures,
    most: usize,
    stop: &AtomicBool,
) -> io::Result<(Vec<String>, bool)> {
    let found = found(folder, whom, stop)?;
    let (mut lines, mut bytes, mut more) = (Vec::new(), 0, false);
    for path in &found.touched {
        each(path, stop, |line| {
            let mut sieve = Sieve::new(Arc::clone(&found.gone));
            let Some(text) = std::str::from_utf8(line).ok().map(str::trim_end) else {
                return Ok(());
            };
            if Head::read(text).is_some_and(|head| !sieve.keeps(&head)) {
                bytes += text.len();
                more |= bytes > most;
                if !more {
                    lines.push(text.to_owned());
                }
            }
            Ok(())
        })?;
    }
    Ok((lines, more))
}

fn head(line: &[u8]) -> Option<Head<'_>> {
    Head::read(std::str::from_utf8(line).ok()?)
}

/// Gives every whole line away, with its end; whether the last one is whole. A file that is gone by
/// now has none.
fn each(
    path: &Path,
    stop: &AtomicBool,
    mut give: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let mut source: Box<dyn BufRead> = if ends(path, CLOSED) {
        Box::new(BufReader::new(zstd::stream::Decoder::new(file)?))
    } else {
        Box::new(BufReader::new(file))
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        if source.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 != LONGEST {
            return Ok(false);
        }
        if stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("docent is winding down"));
        }
        give(&line)?;
    }
}

/// Removes what a docent that is no more left half written, or left beside its compressed twin.
pub(super) fn remaining(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let age = entry.metadata().and_then(|found| found.modified()).ok();
        let is_old = age.and_then(|at| at.elapsed().ok()).is_some_and(|age| age >= LEFT);
        let half = ends(&path, PARTIAL) && is_old;
        if half || ends(&path, OPEN) && closed(&path).exists() && !is_held(&path)? {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether a docent is writing to it, or compressing it.
fn is_held(path: &Path) -> io::Result<bool> {
    Ok(File::open(path)?.try_lock().is_err())
}

/// What a segment is written under until it is whole.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PARTIAL);
    name.into()
}

fn ends(path: &Path, ending: &str) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(ending))
}
