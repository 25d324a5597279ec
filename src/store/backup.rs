//! A backup: every record of a store as one file. Inside zstd, a line of JSON that says what it is,
//! records each with its length, and a line of JSON with their counts and a checksum of all before
//! it, so that a file that is not whole is known as such.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::mem;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::time::Timestamp;
use crate::store::raw::{Raw, kind_named};

/// The layout of the file. It rises when an older docent could not read it.
const FORMAT: u64 = 1;
/// The effort that zstd makes: its own default.
const LEVEL: i32 = 3;
/// No record is longer; a longer one is damage.
const LONGEST: usize = 256 << 20;
/// The longest first or last line.
const LONGEST_LINE: usize = 4_096;

/// How many records of each kind.
pub type Counts = BTreeMap<String, u64>;

/// Why a file is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something else.
    #[error("this is no backup of docent")]
    Foreign,
    /// Of a version whose layout this one does not know.
    #[error("the backup was made by a newer docent (format {0}; this version knows {FORMAT})")]
    Newer(u64),
    /// The end is missing.
    #[error("the backup is not whole: it ends after {0} records; make it again, or take another")]
    Torn(u64),
    /// Not what was written.
    #[error("the backup is damaged: {0}; take another")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Head {
    docent: String,
    format: u64,
    version: String,
    made_at: f64,
}

#[derive(Serialize, Deserialize)]
struct Tail {
    records: Counts,
    sha256: String,
}

/// Writes a backup.
pub struct Writer {
    out: zstd::stream::write::Encoder<'static, Vec<u8>>,
    hash: Sha256,
    counts: Counts,
}

impl Writer {
    /// Begins one.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub fn begin(now: Timestamp) -> io::Result<Self> {
        let out = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
        let mut writer = Self { out, hash: Sha256::new(), counts: Counts::new() };
        let head = Head {
            docent: "backup".to_owned(),
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: now.as_seconds(),
        };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        writer.put(&line)?;
        Ok(writer)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When zstd fails.
    pub fn add(&mut self, record: &Raw) -> io::Result<()> {
        let mut frame = vec![0; 4];
        for part in [record.kind.as_bytes(), record.product.as_bytes(), record.id.as_bytes()] {
            frame.extend(length(part)?);
            frame.extend_from_slice(part);
        }
        frame.extend_from_slice(&record.bytes);
        let whole = length(&frame)?;
        if let Some(first) = frame.first_chunk_mut() {
            *first = whole;
        }
        *self.counts.entry(record.kind.to_owned()).or_default() += 1;
        self.put(&frame)
    }

    /// What can be sent by now.
    pub fn ready(&mut self) -> Vec<u8> {
        mem::take(self.out.get_mut())
    }

    /// The rest.
    ///
    /// # Errors
    /// When zstd fails.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        self.put(&[0; 4])?;
        let sha256 = hex(self.hash.clone());
        let tail = Tail { records: mem::take(&mut self.counts), sha256 };
        let mut line = serde_json::to_vec(&tail)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.finish()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }
}

fn length(part: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(part.len()).map(u32::to_le_bytes).map_err(io::Error::other)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a backup as it comes, in pieces of any length.
pub struct Reader {
    zstd: zstd::stream::write::Decoder<'static, Vec<u8>>,
    hash: Sha256,
    rest: Vec<u8>,
    part: Part,
    /// Whether anything has come that zstd could read.
    begun: bool,
    counts: Counts,
    /// Records of kinds that this version does not know.
    unknown: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Records,
    Tail,
    Done,
}

impl Reader {
    /// Expects the first byte.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub fn begin() -> io::Result<Self> {
        let zstd = zstd::stream::write::Decoder::new(Vec::new())?;
        let (hash, rest, part, counts) = (Sha256::new(), Vec::new(), Part::Head, Counts::new());
        Ok(Self { zstd, hash, rest, part, begun: false, counts, unknown: 0 })
    }

    /// Takes the next piece; the records that became whole with it.
    ///
    /// # Errors
    /// When this is no backup, or not what was written.
    pub fn take(&mut self, piece: &[u8]) -> Result<Vec<Raw>, BackupError> {
        let unpacked = self.zstd.write_all(piece).and_then(|()| self.zstd.flush());
        unpacked.map_err(|error| match self.part {
            Part::Head => BackupError::Foreign,
            _ => BackupError::Damaged(error.to_string()),
        })?;
        self.begun |= !piece.is_empty();
        self.rest.append(self.zstd.get_mut());
        let (mut records, mut used) = (Vec::new(), 0);
        let rest = mem::take(&mut self.rest);
        while let Some(more) = rest.get(used..).filter(|more| !more.is_empty()) {
            let Some(length) = self.step(more, &mut records)? else { break };
            used += length;
        }
        self.rest = rest.get(used..).unwrap_or_default().to_vec();
        Ok(records)
    }

    /// The end of the file; how many records of each kind it held.
    ///
    /// # Errors
    /// When it is not the end of a backup.
    pub fn finish(self) -> Result<Counts, BackupError> {
        match self.part {
            Part::Done => Ok(self.counts),
            Part::Head if !self.begun => Err(BackupError::Foreign),
            Part::Head | Part::Records | Part::Tail => Err(BackupError::Torn(self.seen())),
        }
    }

    /// Records of kinds that this version does not know, passed over.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    fn seen(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Reads one part from the front; how long it was, `None` when more has to come first.
    fn step(&mut self, more: &[u8], records: &mut Vec<Raw>) -> Result<Option<usize>, BackupError> {
        let damaged = |why: &str| Err(BackupError::Damaged(why.to_owned()));
        match self.part {
            Part::Done => damaged("something follows its end"),
            Part::Head | Part::Tail => {
                let Some(end) = more.iter().position(|byte| *byte == b'\n') else {
                    let foreign = self.part == Part::Head && more.len() > LONGEST_LINE;
                    return if foreign { Err(BackupError::Foreign) } else { Ok(None) };
                };
                let line = more.get(..=end).unwrap_or_default();
                if self.part == Part::Head {
                    self.head(line)?
                } else {
                    self.tail(line)?
                }
                Ok(Some(end + 1))
            }
            Part::Records => {
                let Some(length) = more.first_chunk() else { return Ok(None) };
                let length = u32::from_le_bytes(*length) as usize;
                if length == 0 {
                    self.hash.update([0; 4]);
                    self.part = Part::Tail;
                    return Ok(Some(4));
                }
                if !(16..=LONGEST).contains(&length) {
                    return damaged("a record has no possible length");
                }
                let Some(frame) = more.get(..length) else { return Ok(None) };
                self.hash.update(frame);
                self.record(frame, records)?;
                Ok(Some(length))
            }
        }
    }

    fn head(&mut self, line: &[u8]) -> Result<(), BackupError> {
        let head: Head = serde_json::from_slice(line).map_err(|_| BackupError::Foreign)?;
        if head.docent != "backup" {
            return Err(BackupError::Foreign);
        }
        if head.format > FORMAT {
            return Err(BackupError::Newer(head.format));
        }
        self.hash.update(line);
        self.part = Part::Records;
        Ok(())
    }

    fn record(&mut self, frame: &[u8], records: &mut Vec<Raw>) -> Result<(), BackupError> {
        let parts = (|| {
            let (kind, rest) = text(frame.get(4..)?)?;
            let (product, rest) = text(rest)?;
            let (id, bytes) = text(rest)?;
            Some((kind, product, id, bytes))
        })();
        let Some((kind, product, id, bytes)) = parts else {
            return Err(BackupError::Damaged("a record has no key".to_owned()));
        };
        *self.counts.entry(kind.to_owned()).or_default() += 1;
        match kind_named(kind) {
            Some(kind) => records.push(Raw {
                kind,
                product: product.into(),
                id: id.into(),
                bytes: bytes.to_vec(),
            }),
            None => self.unknown += 1,
        }
        Ok(())
    }

    fn tail(&mut self, line: &[u8]) -> Result<(), BackupError> {
        let damaged = |why: &str| BackupError::Damaged(why.to_owned());
        let tail: Tail = serde_json::from_slice(line).map_err(|_| damaged("its end is no end"))?;
        if tail.sha256 != hex(self.hash.clone()) || tail.records != self.counts {
            return Err(damaged("its checksum is another"));
        }
        self.part = Part::Done;
        Ok(())
    }
}

/// A text with its length before it, and what follows.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Raw> {
        let ids = ["", "a\nb", "ü", "x"];
        let raw = |(number, id): (usize, &str)| Raw {
            kind: ["session", "user"][number % 2],
            product: "acme".into(),
            id: id.into(),
            bytes: (0..=255).cycle().take(number * 1_000 + 8).collect(),
        };
        ids.into_iter().enumerate().map(raw).collect()
    }

    fn file() -> Vec<u8> {
        let mut writer = Writer::begin(Timestamp::from_millis(1)).unwrap();
        let mut file = Vec::new();
        for record in records() {
            writer.add(&record).unwrap();
            file.extend(writer.ready());
        }
        file.extend(writer.finish().unwrap());
        file
    }

    fn read(file: &[u8], piece: usize) -> Result<(Vec<Raw>, Counts), BackupError> {
        let (mut reader, mut found) = (Reader::begin().unwrap(), Vec::new());
        for piece in file.chunks(piece) {
            found.extend(reader.take(piece)?);
        }
        Ok((found, reader.finish()?))
    }

    #[test]
    fn what_was_written_is_read_in_pieces_of_any_length() {
        for piece in [1, 7, 100, 1 << 20] {
            let (found, counts) = read(&file(), piece).unwrap();
            assert_eq!(found, records());
            assert_eq!(counts, [("session".to_owned(), 2), ("user".to_owned(), 2)].into());
        }
    }

    #[test]
    fn a_file_that_is_not_whole_is_known_wherever_it_ends() {
        let file = file();
        for length in 0..file.len() {
            assert!(read(&file[..length], 1 << 20).is_err(), "{length} of {}", file.len());
        }
    }

    #[test]
    fn a_byte_that_is_wrong_is_noticed() {
        let file = file();
        for place in 0..file.len() {
            let mut hurt = file.clone();
            hurt[place] ^= 0x10;
            // zstd's own frame has bytes that mean nothing; what is read is then what was written.
            let found = read(&hurt, 1 << 20);
            assert!(found.is_err() || found.unwrap().0 == records(), "{place}");
        }
    }

    #[test]
    fn what_is_no_backup_says_so() {
        assert!(matches!(read(b"hello", 9).unwrap_err(), BackupError::Foreign));
        let packed = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        let other = packed("{\"docent\":\"journal\",\"format\":1}\n");
        assert!(matches!(read(&other, 9).unwrap_err(), BackupError::Foreign));
        let newer = "{\"docent\":\"backup\",\"format\":2,\"version\":\"9\",\"made_at\":1.0}\n";
        let error = read(&packed(newer), 9).unwrap_err().to_string();
        assert_eq!(error, "the backup was made by a newer docent (format 2; this version knows 1)");
    }
}
