//! Journals back from disk, segment by segment. What a crash tore off is passed over.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::engine::tape::Line;
use crate::journal::segment::{CLOSED, closed, list};

/// The longest line that is read; a longer one is none of ours.
const LONGEST: u64 = 64 << 20;

/// What a compressed text begins with.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What reading a segment came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Lines read.
    pub lines: u64,
    /// Lines that only a later version knows.
    pub unknown: u64,
    /// Whether the last line was torn, as a crash leaves it.
    pub torn: bool,
    /// Lines that are none, by their numbers from one, with what is wrong; the first few.
    pub broken: Vec<(u64, String)>,
    /// How many there are of these.
    pub broken_in_all: u64,
}

/// Broken lines that are told one by one.
const TOLD: usize = 5;

/// The segments of a journal, oldest first: those of a folder, or the one file named.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    Ok(list(path)?.into_iter().map(|segment| segment.path).collect())
}

/// The whole text of a segment, compressed or not. One that has been compressed since it was listed
/// is found as well.
///
/// # Errors
/// As [`read`].
pub fn text(path: &Path) -> io::Result<Vec<u8>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::read(closed(path))?,
        read => read?,
    };
    plain(text)
}

/// A text, compressed by Zstandard or not.
///
/// # Errors
/// When it is compressed and damaged.
pub fn plain(text: Vec<u8>) -> io::Result<Vec<u8>> {
    match text.starts_with(&ZSTD) {
        true => zstd::stream::decode_all(&*text),
        false => Ok(text),
    }
}

/// Reads a segment, compressed or not, and gives each line away.
///
/// # Errors
/// When the file cannot be opened or read, or is no compressed file though it is called one.
pub fn read(path: &Path, each: &mut dyn FnMut(Line)) -> io::Result<Reading> {
    let file = File::open(path)?;
    let is_closed = path.to_str().is_some_and(|path| path.ends_with(CLOSED));
    if is_closed {
        return lines(BufReader::new(zstd::stream::Decoder::new(file)?), each);
    }
    lines(BufReader::new(file), each)
}

fn lines(mut source: impl BufRead, each: &mut dyn FnMut(Line)) -> io::Result<Reading> {
    let (mut reading, mut text, mut number) = (Reading::default(), Vec::new(), 0);
    loop {
        text.clear();
        if source.by_ref().take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            return Ok(reading);
        }
        number += 1;
        let is_whole = text.last() == Some(&b'\n');
        let line = std::str::from_utf8(&text).map_err(|error| error.to_string());
        match line.and_then(|line| Line::read(line.trim_end()).map_err(|error| error.to_string())) {
            Ok(Some(line)) => {
                reading.lines += 1;
                each(line);
            }
            Ok(None) => reading.unknown += 1,
            Err(_) if !is_whole => reading.torn = true,
            Err(error) => {
                reading.broken_in_all += 1;
                if reading.broken.len() < TOLD {
                    reading.broken.push((number, error));
                }
            }
        }
    }
}
