//! A workspace as it lies on disk: `docent.yaml`, the folders it names, the prompts.
//!
//! Files are read where they really are. When every name still leads there afterwards, what was
//! read is of one generation, even if a deployment swapped a symbolic link meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::rulebook::Sources;
use crate::rulebook::compile::{PROMPTS, folders};
use crate::rulebook::workspace::FILE;

/// Bytes kept of one file: one more than the rulebook reads, so that it can say "too large".
const MOST_OF_A_FILE: u64 = (1 << 20) + 1;
/// Bytes of a whole workspace: 64 MiB, some hundred times what a large team writes.
pub const MOST_OF_ALL: u64 = 64 << 20;
/// Walks that may find names moving before that is an error.
const WALKS: usize = 8;
/// Pairs of reads that may differ before that is an error.
const PAIRS: usize = 4;

/// Why a workspace cannot be read. None of these means "it is empty".
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A folder that cannot be listed, or a file that is there and cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// Relative to the workspace; the workspace itself as it was named.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something that has a file's name and is none: a pipe, a device.
    #[error("`{0}` is no regular file")]
    Odd(String),
    /// More than 64 MiB in all.
    #[error("the workspace holds more than {} MiB", MOST_OF_ALL >> 20)]
    TooLarge,
    /// Somebody is writing without a pause.
    #[error("the workspace keeps changing while it is read")]
    Moving,
}

/// Every file that may matter: `docent.yaml`, `*.yaml` and `*.yml` in the folders it names,
/// `prompts/*.md`. A folder that is not there holds no files. Of a file beyond 1 MiB only the
/// start is kept, one byte too long for the rulebook.
///
/// # Errors
/// When anything that is there cannot be read, or keeps moving.
pub fn read(root: &Path) -> Result<Sources, DiskError> {
    let mut last = DiskError::Moving;
    for _ in 0..WALKS {
        match walk(root) {
            Ok(walk) if walk.still_stands() => return Ok(walk.sources),
            Ok(_) => last = DiskError::Moving,
            // A name was listed and then gone: somebody is at work.
            Err(error @ DiskError::Read { .. }) if error.is_absence() => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// The root, each folder and those on the way to it. Of a root that is a link also its parent,
/// where a deployment exchanges the link.
pub fn places(root: &Path, sources: &Sources) -> BTreeSet<PathBuf> {
    let mut places = BTreeSet::from([root.to_owned()]);
    if root.is_symlink() {
        places.extend(root.parent().map(Path::to_owned));
    }
    for folder in folders(sources) {
        let mut place = root.to_owned();
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            place.push(part);
            places.insert(place.clone());
        }
    }
    places
}

/// Like [`read`], but never a file half-written: two readings, `pause` apart, saw the same.
///
/// # Errors
/// As [`read`]; [`DiskError::Moving`] when four pairs of readings differ.
pub async fn settled(root: &Path, pause: Duration) -> Result<Sources, DiskError> {
    let mut before = read_aside(root).await?;
    for _ in 0..PAIRS {
        tokio::time::sleep(pause).await;
        let after = read_aside(root).await?;
        if after == before {
            return Ok(after);
        }
        before = after;
    }
    Err(DiskError::Moving)
}

/// SHA-256 of names and contents, in hex.
pub fn digest(sources: &Sources) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in &sources.files {
        for part in [path.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl DiskError {
    fn at(path: &str, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// The file or folder that is the trouble, where there is one.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Read { path, .. } | Self::Odd(path) => path,
            Self::TooLarge | Self::Moving => ".",
        }
    }

    fn is_absence(&self) -> bool {
        matches!(self, Self::Read { source, .. } if is_absent(source))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reading blocks; the runtime's workers must not.
async fn read_aside(root: &Path) -> Result<Sources, DiskError> {
    let root = root.to_owned();
    // Only a runtime that is shutting down takes the task away.
    tokio::task::spawn_blocking(move || read(&root)).await.unwrap_or(Err(DiskError::Moving))
}

/// One passage over the workspace.
struct Walk {
    root: PathBuf,
    sources: Sources,
    bytes: u64,
    /// Each name that was followed, and where it led.
    led: Vec<(PathBuf, PathBuf)>,
}

fn walk(root: &Path) -> Result<Walk, DiskError> {
    let named = root.display().to_string();
    let place = fs::canonicalize(root).map_err(|error| DiskError::at(&named, error))?;
    let files = BTreeMap::new();
    let led = vec![(root.to_owned(), place.clone())];
    let mut walk = Walk { root: place, sources: Sources { files }, bytes: 0, led };
    if fs::symlink_metadata(walk.root.join(FILE)).is_ok() {
        walk.take(FILE)?;
    } else {
        // A root that is no folder, or may not be entered, is not an empty one.
        fs::read_dir(&walk.root).map_err(|error| DiskError::at(&named, error))?;
    }
    for folder in folders(&walk.sources) {
        let endings: &[&str] = if folder == PROMPTS { &["md"] } else { &["yaml", "yml"] };
        walk.folder(&folder, endings)?;
    }
    Ok(walk)
}

impl Walk {
    fn folder(&mut self, folder: &str, endings: &[&str]) -> Result<(), DiskError> {
        let path = self.root.join(folder);
        let entries = match fs::read_dir(&path) {
            Err(error) if is_absent(&error) => return Ok(()),
            entries => entries.map_err(|error| DiskError::at(folder, error))?,
        };
        self.follow(folder, path)?;
        for entry in entries {
            let entry = entry.map_err(|error| DiskError::at(folder, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_wanted(&name, endings) {
                self.take(&format!("{folder}{name}"))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &str) -> Result<(), DiskError> {
        let place = self.follow(path, self.root.join(path))?;
        let at = |error| DiskError::at(path, error);
        let kind = fs::metadata(&place).map_err(at)?;
        if kind.is_dir() {
            return Ok(());
        }
        // Opening a pipe would wait for its writer.
        if !kind.is_file() {
            return Err(DiskError::Odd(path.to_owned()));
        }
        let mut bytes = Vec::new();
        File::open(&place).map_err(at)?.take(MOST_OF_A_FILE).read_to_end(&mut bytes).map_err(at)?;
        self.bytes += bytes.len() as u64;
        if self.bytes > MOST_OF_ALL {
            return Err(DiskError::TooLarge);
        }
        self.sources.files.insert(path.to_owned(), bytes);
        Ok(())
    }

    fn follow(&mut self, path: &str, name: PathBuf) -> Result<PathBuf, DiskError> {
        let place = fs::canonicalize(&name).map_err(|error| DiskError::at(path, error))?;
        self.led.push((name, place.clone()));
        Ok(place)
    }

    fn still_stands(&self) -> bool {
        self.led.iter().all(|(name, place)| fs::canonicalize(name).is_ok_and(|now| now == *place))
    }
}

/// Editors leave backups (`a.yaml~`), locks (`.#a.yaml`), swap files (`.a.yaml.swp`) and probes
/// (`4913`); all of them start with a dot or end otherwise.
fn is_wanted(name: &str, endings: &[&str]) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    !name.starts_with('.') && endings.contains(&ending)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use tempfile::TempDir;

    use super::*;

    const WORKSPACE: &str = "version: 1\nproducts:\n  acme: { rules: team/rules/ }\n";

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn names(dir: &TempDir) -> Vec<String> {
        read(dir.path()).unwrap().files.into_keys().collect()
    }

    #[test]
    fn what_may_matter_is_read_and_what_tools_leave_behind_is_not() {
        let dir = folder(&[
            ("docent.yaml", WORKSPACE),
            ("stray.yaml", ""),
            ("rules/unnamed.yaml", ""),
            ("team/rules/a.yaml", ""),
            ("team/rules/b.yml", ""),
            ("team/rules/a.test.yaml", ""),
            ("team/rules/deeper/c.yaml", ""),
            ("team/rules/.#a.yaml", ""),
            ("team/rules/.a.yaml.swp", ""),
            ("team/rules/a.yaml~", ""),
            ("team/rules/#a.yaml#", ""),
            ("team/rules/4913", ""),
            ("team/rules/README.md", ""),
            ("tours/t.yaml", ""),
            ("prompts/p.md", ""),
            ("prompts/p.yaml", ""),
        ]);
        let expected = [
            "docent.yaml",
            "prompts/p.md",
            "team/rules/a.test.yaml",
            "team/rules/a.yaml",
            "team/rules/b.yml",
            "tours/t.yaml",
        ];
        assert_eq!(names(&dir), expected);
    }

    #[test]
    fn a_workspace_without_its_file_is_read_but_one_that_is_not_there_is_an_error() {
        assert_eq!(names(&folder(&[("rules/a.yaml", "")])), ["rules/a.yaml"]);
        let dir = folder(&[("file", "")]);
        for root in ["nowhere", "file"] {
            let root = dir.path().join(root);
            let error = read(&root).unwrap_err().to_string();
            assert!(error.starts_with(&format!("cannot read `{}`: ", root.display())), "{error}");
        }
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_an_error() {
        let dir = folder(&[("docent.yaml", WORKSPACE), ("team/rules/a.yaml", "")]);
        let odd = dir.path().join("team/rules/b.yaml");
        symlink("nowhere", &odd).unwrap();
        let error = read(dir.path()).unwrap_err();
        assert!(error.is_absence() && error.path() == "team/rules/b.yaml", "{error}");
        fs::remove_file(&odd).unwrap();
        let _socket = UnixListener::bind(&odd).unwrap();
        let error = read(dir.path()).unwrap_err().to_string();
        assert_eq!(error, "`team/rules/b.yaml` is no regular file");
    }

    #[test]
    fn a_file_is_read_to_one_byte_beyond_what_is_allowed_and_a_workspace_to_64_mib() {
        let dir = folder(&[("docent.yaml", WORKSPACE), ("team/rules/0.yaml", "")]);
        let huge = |n: u64| {
            let path = dir.path().join(format!("team/rules/{n}.yaml"));
            File::create(path).unwrap().set_len(50 << 20).unwrap();
        };
        huge(0);
        let sources = read(dir.path()).unwrap();
        assert_eq!(sources.files["team/rules/0.yaml"].len(), (1 << 20) + 1);
        (1..64).for_each(huge);
        assert!(matches!(read(dir.path()), Err(DiskError::TooLarge)));
    }

    #[test]
    fn a_walk_over_two_generations_does_not_stand() {
        let dir = folder(&[
            ("team/rules/..1/a.yaml", "1"),
            ("team/rules/..2/a.yaml", "2"),
            ("docent.yaml", WORKSPACE),
        ]);
        let rules = dir.path().join("team/rules");
        symlink("..1", rules.join("..data")).unwrap();
        symlink("..data/a.yaml", rules.join("a.yaml")).unwrap();
        let before = walk(dir.path()).unwrap();
        assert!(before.still_stands());
        symlink("..2", rules.join("..data_tmp")).unwrap();
        fs::rename(rules.join("..data_tmp"), rules.join("..data")).unwrap();
        assert!(!before.still_stands());
        assert_eq!(read(dir.path()).unwrap().files["team/rules/a.yaml"], b"2");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_written_is_read_again_until_it_rests() {
        let dir = folder(&[("docent.yaml", WORKSPACE), ("team/rules/a.yaml", "0")]);
        let file = dir.path().join("team/rules/a.yaml");
        // The readings are at 0, 100, 200 … ms, the writings between them.
        let writing = async |times: usize| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            for n in 1..=times {
                fs::write(&file, n.to_string()).unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let pause = Duration::from_millis(100);
        let (read, ()) = tokio::join!(settled(dir.path(), pause), writing(2));
        assert_eq!(read.unwrap().files["team/rules/a.yaml"], b"2");
        let (read, ()) = tokio::join!(settled(dir.path(), pause), writing(9));
        assert!(matches!(read, Err(DiskError::Moving)), "{read:?}");
    }

    #[test]
    fn the_digest_knows_where_a_name_ends_and_a_file_begins() {
        let of = |path: &str, text: &str| {
            digest(&Sources { files: [(path.to_owned(), text.into())].into() })
        };
        assert_eq!(of("a", "b"), of("a", "b"));
        assert_ne!(of("a", "b"), of("ab", ""));
        assert_eq!(of("a", "b").len(), 64);
    }
}
