//! Segments on disk: `INSTANCE-START-NUMBER.jsonl`, and `.jsonl.zst` once they are closed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::domain::time::Timestamp;
use crate::engine::tape::sieve::Sieve;
use crate::journal::sweep::{partial, pass};

/// The ending of a segment that is being written, or was when docent ended.
pub(super) const OPEN: &str = ".jsonl";
/// The ending of a closed one.
pub(super) const CLOSED: &str = ".jsonl.zst";
/// What a file that is not whole yet is called, after its name.
pub(super) const PARTIAL: &str = ".part";
/// Fast, and a tenth of the size.
pub(super) const LEVEL: i32 = 3;

/// A segment that is being written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) start: Timestamp,
    pub(super) path: PathBuf,
    /// Bytes of whole lines.
    pub(super) bytes: u64,
    file: File,
}

impl Segment {
    /// Makes a new file.
    pub(super) fn create(
        folder: &Path,
        instance: &str,
        start: Timestamp,
        epoch: u64,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let seconds = start.as_millis().div_euclid(1_000);
        let path = folder.join(format!("{instance}-{seconds}-{epoch:06}{OPEN}"));
        let file = File::options().create_new(true).append(true).open(&path)?;
        // Whoever sweeps can tell that it is being written to. A file system without locks has
        // no other docent on it, either.
        let _held = file.try_lock();
        Ok(Self { start, path, bytes: 0, file })
    }

    /// Appends whole lines; after a failure the file ends where it did.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(lines);
        if written.is_err() {
            // What is left of a line would be passed over by readers, too.
            let _cut = self.file.set_len(self.bytes);
        } else {
            self.bytes += lines.len() as u64;
        }
        written
    }
}

impl Segment {
    /// Takes the lines out that a sieve holds back; how many. After a failure it is as it was.
    pub(super) fn sift(&mut self, sieve: &mut Sieve) -> io::Result<u64> {
        let part = partial(&self.path);
        let sifted = (|| {
            let target = File::options().create(true).append(true).open(&part)?;
            target.set_len(0)?;
            let _held = target.try_lock();
            let mut out = BufWriter::new(target);
            let parted = pass(&self.path, &mut out, sieve, &AtomicBool::new(false))?;
            let target = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            if parted.lines == 0 {
                fs::remove_file(&part)?;
                return Ok(0);
            }
            target.sync_all()?;
            fs::rename(&part, &self.path)?;
            (self.file, self.bytes) = (target, parted.left);
            Ok(parted.lines)
        })();
        if sifted.is_err() {
            let _gone = fs::remove_file(&part);
        }
        sifted
    }
}

/// A segment as its name tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    /// When it began.
    pub(super) start: Timestamp,
    /// Its number in its instance.
    pub(super) number: u64,
    pub(super) path: PathBuf,
}

/// The segments of a folder, oldest first; other files are none of them.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Named>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.extend(named(entry?.path()));
    }
    // Of one that was being compressed when docent ended, the compressed one is whole.
    found.sort();
    found.dedup_by(|next, one| closed(&one.path) == closed(&next.path));
    Ok(found)
}

/// The path of a segment once it is closed.
pub(super) fn closed(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.strip_suffix(CLOSED).or_else(|| name.strip_suffix(OPEN)).unwrap_or(name);
    path.with_file_name(format!("{stem}{CLOSED}"))
}

fn named(path: PathBuf) -> Option<Named> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(CLOSED).or_else(|| name.strip_suffix(OPEN))?;
    let mut parts = stem.rsplitn(3, '-');
    let (number, start) = (parts.next()?.parse().ok()?, parts.next()?.parse::<i64>().ok()?);
    let start = Timestamp::from_millis(start.checked_mul(1_000)?);
    parts.next()?;
    Some(Named { start, number, path })
}

/// Puts a compressed segment in the place of this one.
pub(super) fn compress(path: &Path) -> io::Result<()> {
    let closed = closed(path);
    let part = partial(&closed);
    let squeeze = || {
        let target = File::create(&part)?;
        let mut encoder = zstd::stream::Encoder::new(target, LEVEL)?;
        io::copy(&mut File::open(path)?, &mut encoder)?;
        encoder.finish()?.sync_all()?;
        fs::rename(&part, &closed)?;
        fs::remove_file(path)
    };
    let squeezed = squeeze();
    if squeezed.is_err() {
        let _gone = fs::remove_file(&part);
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_says_when_it_began_and_a_stranger_is_none() {
        for (name, expected) in [
            ("a1b2-1760000000-000007.jsonl", Some((1_760_000_000_000, 7))),
            ("web-1-1760000000-000007.jsonl.zst", Some((1_760_000_000_000, 7))),
            ("notes.jsonl", None),
            ("a1b2-1760000000-000007.jsonl.part", None),
            ("a1b2-soon-000007.jsonl", None),
        ] {
            let found = named(PathBuf::from("/j").join(name));
            let found = found.map(|named| (named.start.as_millis(), named.number));
            assert_eq!(found, expected, "{name}");
        }
    }
}
