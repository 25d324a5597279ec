//! What was recorded, read from files by all cores and sorted into sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::cli::replay::human::number;
use crate::cli::replay::{From, Terms, cores};
use crate::engine::replay::recording::{Recorded, sessions};
use crate::ingest::archive::{Refused, Taken, batches, events, is_journal, journal, parts};
use crate::ingest::posthog::export;
use crate::journal::read;
use crate::rulebook::Rulebook;

/// What a text begins with that gzip has compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Recorded sessions.
pub(in crate::cli) struct Recordings {
    /// By product.
    pub(in crate::cli) products: BTreeMap<Arc<str>, Vec<Recorded>>,
    /// What each file came to.
    pub(in crate::cli) files: Vec<File>,
    /// Messages that belong to no product of the rules.
    pub(in crate::cli) strangers: usize,
}

/// What a file came to.
pub(in crate::cli) struct File {
    pub(in crate::cli) name: String,
    pub(in crate::cli) lines: usize,
    pub(in crate::cli) refused: Refused,
    /// What tells nothing of what a person did, the next included.
    pub(in crate::cli) passed: usize,
    /// What belongs to no session.
    pub(in crate::cli) sessionless: usize,
    pub(in crate::cli) missing: u64,
}

impl Recordings {
    pub(in crate::cli) fn sessions(&self) -> impl Iterator<Item = &Recorded> {
        self.products.values().flatten()
    }
}

/// What texts of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Batches,
    Csv,
    Events,
    Journal,
    Json,
}

/// Reads every file.
pub(super) fn recordings(
    paths: &[PathBuf],
    terms: &Terms,
    rulebook: &Rulebook,
) -> Result<Recordings> {
    let usual = usual(terms.product.as_deref(), rulebook)?;
    let (mut files, mut entries) = (Vec::new(), Vec::new());
    let paths = spread(paths)?;
    // As many at once as there are cores, so that one is unpacked beside the other.
    let texts = paths
        .chunks(cores::count())
        .flat_map(|some| some.iter().zip(cores::each(some, |path| text(path))));
    for (path, text) in texts {
        let name = path.display().to_string();
        let text = text.with_context(|| format!("cannot read `{name}`"))?;
        let taken = taken(terms.from, path, &text, usual.as_ref())
            .with_context(|| format!("`{name}` cannot be read"))?;
        let Taken { entries: found, lines, refused, passed, sessionless, missing } = taken;
        entries.extend(found);
        files.push(File { name, lines, refused, passed, sessionless, missing });
    }
    let mut products: BTreeMap<Arc<str>, Vec<_>> = BTreeMap::new();
    let (mut strangers, mut unknown, mut nameless) = (0, BTreeSet::new(), false);
    for entry in entries {
        let said = entry.product.clone().filter(|_| terms.product.is_none());
        match said.or_else(|| usual.clone()) {
            Some(id) if rulebook.products.contains_key(&id) => {
                products.entry(id).or_default().push(entry);
            }
            other => {
                strangers += 1;
                nameless |= other.is_none();
                unknown.extend(other);
            }
        }
    }
    ensure!(!products.is_empty(), "{}", empty(&files, &unknown, nameless, rulebook));
    let products = products.into_iter().map(|(id, entries)| (id, sessions(entries))).collect();
    Ok(Recordings { products, files, strangers })
}

/// The product of what names none.
fn usual(named: Option<&str>, rulebook: &Rulebook) -> Result<Option<Arc<str>>> {
    let mut ids = rulebook.products.keys();
    let Some(named) = named else {
        return Ok(ids.next().filter(|_| rulebook.products.len() == 1).cloned());
    };
    match ids.find(|id| ***id == *named) {
        Some(id) => Ok(Some(Arc::clone(id))),
        None => bail!("the rules have no product `{named}`; {}", known(rulebook)),
    }
}

fn known(rulebook: &Rulebook) -> String {
    let mut ids: Vec<_> = rulebook.products.keys().map(|id| format!("`{id}`")).collect();
    ids.sort();
    format!("they have {}", ids.join(", "))
}

/// Why there is nothing to replay.
fn empty(
    files: &[File],
    unknown: &BTreeSet<Arc<str>>,
    nameless: bool,
    rulebook: &Rulebook,
) -> String {
    let known = known(rulebook);
    if let Some(first) = unknown.first() {
        return format!(
            "every session is of a product that the rules do not know, as `{first}`; {known}: \
             say with --product whose they are"
        );
    }
    if nameless {
        return format!(
            "the recordings name no product, and {known}: say with --product whose they are"
        );
    }
    let mut text = "nothing to replay: no session was found".to_owned();
    for file in files {
        let name = &file.name;
        text.push_str(&match file.refused.first.first() {
            Some((line, why)) => format!("\n  {name}:{line}: {why}"),
            None if file.sessionless > 0 => format!("\n  {name}: {}", without_session(file)),
            None => format!("\n  {name}: nothing in it tells what a person did"),
        });
    }
    text
}

/// Events that no session can be told of.
pub(in crate::cli) fn without_session(file: &File) -> String {
    format!("{} without a session (`$session_id`) passed over", number(file.sessionless, "event"))
}

/// Each file once, by whatever ways it is named.
pub(super) fn once(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut known = BTreeSet::new();
    files.retain(|path| known.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    files
}

/// The journal that somebody means who names the folder around it, as one would add it.
pub(super) fn meant(folder: &Path) -> String {
    let within = ["journal", "data/journal"].map(|name| folder.join(name));
    match within.iter().find(|path| path.is_dir()) {
        Some(path) => format!("; did you mean `{}`?", path.display()),
        None => String::new(),
    }
}

/// The files, those of folders among them: a journal is a folder of segments.
fn spread(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let name = path.display().to_string();
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read `{name}`"))?;
        let mut segments = Vec::new();
        for entry in entries {
            let segment = entry.with_context(|| format!("cannot read `{name}`"))?.path();
            let ending = segment.to_string_lossy();
            if ending.ends_with(".jsonl") || ending.ends_with(".jsonl.zst") {
                segments.push(segment);
            }
        }
        let journal = meant(path);
        ensure!(
            !segments.is_empty(),
            "the folder `{name}` holds no journal: no `.jsonl` file{journal}"
        );
        segments.sort();
        // Of one that was being compressed when docent ended, one is enough.
        segments.dedup_by(|next, one| *next == one.with_added_extension("zst"));
        files.extend(segments);
    }
    Ok(once(files))
}

fn text(path: &Path) -> Result<Vec<u8>> {
    let piped = path == Path::new("-");
    let text = if piped {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text)?;
        read::plain(text)?
    } else {
        read::text(path)?
    };
    let file = if piped { "FILE".into() } else { path.to_string_lossy() };
    ensure!(!text.starts_with(&GZIP), "gzip is not read: `zcat {file} | docent replay -`");
    Ok(text)
}

fn taken(from: From, path: &Path, text: &[u8], usual: Option<&Arc<str>>) -> Result<Taken> {
    Ok(match kind(from, path, text) {
        Kind::Batches => side_by_side(text, |part| batches(part, usual)),
        Kind::Journal => side_by_side(text, journal),
        Kind::Events => side_by_side(text, |part| events(part, usual)),
        Kind::Csv => export::csv(text, usual)?,
        Kind::Json => {
            let whole: Value = serde_json::from_slice(text)?;
            let taken = export::json(&whole, usual);
            taken
                .context("it is JSON, but neither a list of events nor an object with `results`")?
        }
    })
}

/// What a file holds: as it was said, else by its name and its first line.
fn kind(from: From, path: &Path, text: &[u8]) -> Kind {
    let text = text.trim_ascii_start();
    let csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let object = || serde_json::from_slice::<Value>(first).ok();
    let tape = || std::str::from_utf8(first).is_ok_and(is_journal);
    match (from, text.first()) {
        (From::Journal, _) => Kind::Journal,
        (From::Batches, _) | (_, None) => Kind::Batches,
        (_, Some(b'[')) => Kind::Json,
        (From::Auto, Some(b'{')) if tape() => Kind::Journal,
        (from, Some(b'{')) => match object() {
            Some(object) if object.get("results").is_some() => Kind::Json,
            Some(object) if from == From::Posthog || object.get("event").is_some() => Kind::Events,
            // A document that goes over several lines has no first one that is whole.
            None if serde_json::from_slice::<Value>(text).is_ok() => Kind::Json,
            None if from == From::Posthog => Kind::Events,
            _ => Kind::Batches,
        },
        (From::Posthog, _) => Kind::Csv,
        (From::Auto, _) if csv || first.split(|byte| b",;\t".contains(byte)).any(is_event) => {
            Kind::Csv
        }
        (From::Auto, _) => Kind::Batches,
    }
}

/// The name of the column that every export of events has, in whatever letters.
fn is_event(name: &[u8]) -> bool {
    let name = name.trim_ascii();
    name.eq_ignore_ascii_case(b"event") || name.eq_ignore_ascii_case(b"\"event\"")
}

fn side_by_side(text: &[u8], read: impl Fn(&[u8]) -> Taken + Sync) -> Taken {
    let mut whole = Taken::default();
    let read = cores::each(&parts(text, cores::count()), |part| read(part));
    read.into_iter().for_each(|part| whole.append(part));
    whole
}
