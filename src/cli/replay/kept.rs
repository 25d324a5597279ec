//! A journal's lines by session, still as texts: found by all cores, to be read by whoever takes up
//! the session.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use crate::cli::replay::cores;
use crate::cli::replay::input::{meant, once};
use crate::engine::tape::wire::Head;
use crate::ingest::archive::parts;
use crate::journal::read;

/// Lines are handed out in parts of about so many bytes.
const PART: usize = 4 << 20;

/// What a journal has of one session.
pub(super) struct Kept<'t> {
    pub(super) product: Cow<'t, str>,
    pub(super) session: Cow<'t, str>,
    /// In the order of the segments.
    pub(super) lines: Vec<&'t str>,
}

/// What a journal has in all.
#[derive(Default)]
pub(super) struct Journal<'t> {
    /// By product and session.
    pub(super) sessions: Vec<Kept<'t>>,
    /// Lines that it could not write in time.
    pub(super) missing: u64,
    /// Lines that cannot be read: torn by a crash, or damaged.
    pub(super) unreadable: u64,
}

/// The texts of all segments of these journals, oldest first.
pub(super) fn texts(files: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let mut segments = Vec::new();
    for path in files {
        let name = path.display();
        let found =
            read::segments(path).with_context(|| format!("cannot read the journal `{name}`"))?;
        let journal = meant(path);
        ensure!(
            !found.is_empty(),
            "the folder `{name}` holds no journal: no `.jsonl` file{journal}"
        );
        segments.extend(found);
    }
    let segments = once(segments);
    let read = cores::each(&segments, |path| {
        read::text(path).with_context(|| format!("cannot read `{}`", path.display()))
    });
    read.into_iter().collect()
}

/// Sorts the lines of these texts by session.
pub(super) fn sort(texts: &[Vec<u8>]) -> Journal<'_> {
    let pieces: Vec<&[u8]> =
        texts.iter().flat_map(|text| parts(text, text.len().div_ceil(PART).max(1))).collect();
    let mut whole = Journal::default();
    let mut sessions: BTreeMap<(Cow<'_, str>, Cow<'_, str>), Vec<&str>> = BTreeMap::new();
    for part in cores::each(&pieces, |piece| Part::of(piece)) {
        whole.missing += part.missing;
        whole.unreadable += part.unreadable;
        for (key, mut lines) in part.sessions {
            sessions.entry(key).or_default().append(&mut lines);
        }
    }
    let kept = sessions.into_iter();
    let kept = kept.map(|((product, session), lines)| Kept { product, session, lines });
    whole.sessions = kept.collect();
    whole
}

#[derive(Default)]
struct Part<'t> {
    sessions: BTreeMap<(Cow<'t, str>, Cow<'t, str>), Vec<&'t str>>,
    missing: u64,
    unreadable: u64,
}

impl<'t> Part<'t> {
    fn of(piece: &'t [u8]) -> Self {
        let mut part = Self::default();
        for line in piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = std::str::from_utf8(line).ok();
            match line.and_then(|line| Some((line, Head::read(line).ok()?))) {
                None => part.unreadable += 1,
                Some((_, head)) if head.session.is_empty() => part.missing += head.missing(),
                Some((line, Head { product, session, .. })) => {
                    part.sessions.entry((product, session)).or_default().push(line);
                }
            }
        }
        part
    }
}
