//! A workspace as a revision of its git repository has it, read through the git command without
//! touching the work tree.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::library::disk::MOST_OF_ALL;
use crate::rulebook::Sources;
use crate::rulebook::compile::{PROMPTS, folders};
use crate::rulebook::workspace::FILE;

/// A workspace of the past.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The commit, as git abbreviates it.
    pub commit: String,
    /// Its files.
    pub sources: Sources,
}

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// There is no git, or it cannot be started.
    #[error("cannot run git, which reads revisions: {0}")]
    NoGit(#[source] io::Error),
    /// The workspace is no part of a repository.
    #[error("`{0}` is in no git repository")]
    NoRepository(String),
    /// No such revision.
    #[error(
        "`{0}` is neither a folder nor a revision of the repository; a clone without history may lack it"
    )]
    Unknown(String),
    /// The workspace was not there yet.
    #[error("the revision `{revision}` has no `{folder}`")]
    NoFolder {
        /// As it was named.
        revision: String,
        /// The workspace, from the repository's root.
        folder: String,
    },
    /// A clone may leave contents out, and nothing is fetched here.
    #[error("`{path}` of `{revision}` is not in this clone; fetch it whole, without `--filter`")]
    NotHere {
        /// The file.
        path: String,
        /// As it was named.
        revision: String,
    },
    /// What a link leads to may be anywhere, now and then.
    #[error("`{path}` of `{revision}` is a symbolic link, which cannot be followed into the past")]
    Link {
        /// The link.
        path: String,
        /// As it was named.
        revision: String,
    },
    /// More than a workspace may hold.
    #[error("the workspace holds more than {} MiB", MOST_OF_ALL >> 20)]
    TooLarge,
    /// Whatever else git says.
    #[error("git: {0}")]
    Git(String),
}

/// The workspace in `root` as of a revision: `HEAD~1`, `origin/main`, a commit.
///
/// # Errors
/// When git or the revision is not there, or the workspace was not.
pub fn read(root: &Path, revision: &str) -> Result<Revision, RevisionError> {
    let git = Git { root };
    let prefix = git.prefix()?;
    let wanted = format!("{revision}^{{commit}}");
    let commit = match git.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]) {
        Err(RevisionError::Git(_)) => return Err(RevisionError::Unknown(revision.to_owned())),
        commit => text(&commit?),
    };
    let folder = prefix.trim_end_matches('/');
    let missing = |error| match error {
        RevisionError::Git(_) => RevisionError::NoFolder {
            revision: revision.to_owned(),
            folder: if folder.is_empty() { ".".to_owned() } else { folder.to_owned() },
        },
        other => other,
    };
    let tree = format!("{commit}:{folder}");
    let told = git.run(&["ls-tree", "--full-tree", "-r", "-z", "-l", &tree]).map_err(missing)?;
    let tree = Tree { revision, entries: entries(&told) };
    let mut sources = Sources::default();
    git.take(&tree, |path| path == FILE, &mut sources)?;
    let folders = folders(&sources);
    tree.has_no_link_to(&folders)?;
    git.take(&tree, |path| is_wanted(path, &folders), &mut sources)?;
    let commit = text(&git.run(&["rev-parse", "--short", &commit])?);
    Ok(Revision { commit, sources })
}

/// Where two revisions parted, as a revision.
///
/// # Errors
/// When they have nothing in common, or git or a repository is not there.
pub fn parting(root: &Path, one: &str, other: &str) -> Result<String, RevisionError> {
    let git = Git { root };
    git.prefix()?;
    match git.run(&["merge-base", "--end-of-options", one, other]) {
        Err(RevisionError::Git(_)) => Err(RevisionError::Unknown(format!("{one}...{other}"))),
        commit => Ok(text(&commit?)),
    }
}

/// What a revision has at a path.
enum Entry {
    File {
        object: String,
        /// `None` where the clone left it out.
        size: Option<u64>,
    },
    Link,
}

/// Everything that a revision has.
struct Tree<'a> {
    /// As it was named.
    revision: &'a str,
    entries: BTreeMap<String, Entry>,
}

impl Tree<'_> {
    /// The files that are wanted: path, object and size.
    fn files(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(&String, &String, u64)>, RevisionError> {
        let wanted = self.entries.iter().filter(|(path, _)| wanted(path));
        wanted
            .map(|(path, entry)| match entry {
                Entry::File { object, size: Some(size) } => Ok((path, object, *size)),
                Entry::File { size: None, .. } => Err(self.not_here(path)),
                Entry::Link => Err(self.link(path)),
            })
            .collect()
    }

    fn has_no_link_to(&self, folders: &BTreeSet<String>) -> Result<(), RevisionError> {
        let links = self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Link));
        let leads = |path: &str| {
            folders.iter().any(|f| f.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
        };
        let mut links = links.filter(|(path, _)| leads(path));
        links.next().map_or(Ok(()), |(path, _)| Err(self.link(path)))
    }

    fn not_here(&self, path: &str) -> RevisionError {
        RevisionError::NotHere { path: path.to_owned(), revision: self.revision.to_owned() }
    }

    fn link(&self, path: &str) -> RevisionError {
        RevisionError::Link { path: path.to_owned(), revision: self.revision.to_owned() }
    }
}

/// The files and links that `ls-tree -r -z -l` tells of, by path.
fn entries(told: &[u8]) -> BTreeMap<String, Entry> {
    let told = String::from_utf8_lossy(told);
    let entry = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let mut about = about.split_ascii_whitespace();
        let (mode, _kind, object) = (about.next()?, about.next()?, about.next()?);
        let entry = match mode.get(..3)? {
            "100" => Entry::File { object: object.to_owned(), size: about.next()?.parse().ok() },
            "120" => Entry::Link,
            _ => return None,
        };
        Some((path.to_owned(), entry))
    };
    told.split('\0').filter_map(entry).collect()
}

/// As [`crate::library::disk::read`] chooses them.
fn is_wanted(path: &str, folders: &BTreeSet<String>) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = path.strip_suffix(name).unwrap_or("");
    let endings: &[&str] = if folder == PROMPTS { &["md"] } else { &["yaml", "yml"] };
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    folders.contains(folder) && !name.starts_with('.') && endings.contains(&ending)
}

/// The git command, in one folder.
struct Git<'a> {
    root: &'a Path,
}

impl Git<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        // It reads what is here: it asks nobody, fetches nothing and writes nothing.
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
        command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        // In a hook git says which repository it is about, in words that only hold at its root.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        command.arg("-C").arg(self.root);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, RevisionError> {
        let output = self.command().args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(RevisionError::NoGit)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(RevisionError::Git(text(&output.stderr)))
    }

    /// Where the folder is in its repository; empty at the root.
    fn prefix(&self) -> Result<String, RevisionError> {
        match self.run(&["rev-parse", "--show-prefix"]) {
            Err(RevisionError::Git(said)) if said.contains("not a git repository") => {
                Err(RevisionError::NoRepository(self.root.display().to_string()))
            }
            prefix => Ok(text(&prefix?)),
        }
    }

    /// Takes the contents of files into the sources.
    fn take(
        &self,
        tree: &Tree<'_>,
        wanted: impl Fn(&str) -> bool,
        sources: &mut Sources,
    ) -> Result<(), RevisionError> {
        let files = tree.files(wanted)?;
        if files.iter().map(|(_, _, size)| size).sum::<u64>() > MOST_OF_ALL {
            return Err(RevisionError::TooLarge);
        }
        let asked: String = files.iter().map(|(_, object, _)| format!("{object}\n")).collect();
        let told = self.objects(&asked)?;
        let mut rest = told.as_slice();
        for (path, _, size) in files {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let head = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            if rest.get(..head).is_some_and(|head| head.ends_with(b" missing\n")) {
                return Err(tree.not_here(path));
            }
            let body = rest.get(head..).unwrap_or_default();
            let Some(bytes) = body.get(..size) else {
                return Err(RevisionError::Git(format!("`{path}` cannot be read")));
            };
            sources.files.insert(path.clone(), bytes.to_vec());
            rest = body.get(size + 1..).unwrap_or_default();
        }
        Ok(())
    }

    /// What `cat-file --batch` says to these objects, one on a line.
    fn objects(&self, asked: &str) -> Result<Vec<u8>, RevisionError> {
        let mut command = self.command();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().map_err(RevisionError::NoGit)?;
        let stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // Its answers would fill their pipe while it is still being asked.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(asked.as_bytes())));
            child.wait_with_output()
        });
        output.map(|output| output.stdout).map_err(RevisionError::NoGit)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
