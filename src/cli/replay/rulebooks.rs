//! The rules that recordings are lived through with: a folder's, or a revision's.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::check::print_for_people;
use crate::cli::report::complain;
use crate::library::disk;
use crate::library::revision::{self, RevisionError};
use crate::rulebook::compile::rehearse;
use crate::rulebook::{Rulebook, Sources};
use crate::runtime::environment;

/// Rules without a mistake.
pub(in crate::cli) struct Loaded {
    /// As it was named.
    pub(in crate::cli) name: String,
    /// The commit, of a revision.
    pub(in crate::cli) commit: Option<String>,
    /// What they mean.
    pub(in crate::cli) rulebook: Rulebook,
}

/// Those of a folder, else of a revision of the repository that one is in.
pub(in crate::cli) fn ruling(rules: &Path) -> Result<Loaded, Exit> {
    if rules.is_dir() {
        return load(read_folder(rules)?);
    }
    match read_revision(Path::new("."), &rules.to_string_lossy()) {
        // Then a folder is meant.
        Err(RevisionError::NoRepository(_) | RevisionError::NoGit(_)) => load(read_folder(rules)?),
        read => load(read.map_err(failed)?),
    }
}

/// Those that a person means by this: a folder, else a revision of the workspace's repository.
pub(in crate::cli) fn named(workspace: &Path, name: &str) -> Result<Loaded, Exit> {
    let read = match Path::new(name) {
        folder if folder.is_dir() => read_folder(folder)?,
        _ => read_revision(workspace, name).map_err(|error| match error {
            RevisionError::NoRepository(_) => {
                failed(format!("{error}; name a folder instead of a revision"))
            }
            error => failed(error),
        })?,
    };
    load(read)
}

/// A workspace as it was read, with mistakes or without.
pub(in crate::cli) struct Read {
    /// As it was named.
    pub(in crate::cli) name: String,
    /// The commit, of a revision.
    pub(in crate::cli) commit: Option<String>,
    /// The files.
    pub(in crate::cli) sources: Sources,
}

/// That of a folder as it is.
pub(in crate::cli) fn read_folder(root: &Path) -> Result<Read, Exit> {
    let sources = disk::read(root).map_err(failed)?;
    Ok(Read { name: root.display().to_string(), commit: None, sources })
}

/// That of a revision.
pub(in crate::cli) fn read_revision(workspace: &Path, name: &str) -> Result<Read, RevisionError> {
    let revision = revision::read(workspace, name)?;
    Ok(Read { name: name.to_owned(), commit: Some(revision.commit), sources: revision.sources })
}

/// That of a revision which may be older than the workspace: its files are none, then.
pub(in crate::cli) fn read_base(workspace: &Path, name: &str) -> Result<Read, RevisionError> {
    match read_revision(workspace, name) {
        Err(RevisionError::NoFolder { .. }) => {
            Ok(Read { name: name.to_owned(), commit: None, sources: Sources::default() })
        }
        read => read,
    }
}

/// That of where two revisions parted, which may be older than the workspace.
pub(in crate::cli) fn read_parting(
    workspace: &Path,
    one: &str,
    other: &str,
) -> Result<Read, RevisionError> {
    let other = if other.is_empty() { "HEAD" } else { other };
    let commit = revision::parting(workspace, one, other)?;
    Ok(Read { name: one.to_owned(), ..read_base(workspace, &commit)? })
}

fn load(read: Read) -> Result<Loaded, Exit> {
    let (name, sources) = (&read.name, &read.sources);
    let (rulebook, findings) = rehearse(sources, &environment::variable);
    let Some(rulebook) = rulebook else {
        print_for_people(sources, None, &findings);
        complain(&format!("error: the rules of `{name}` have mistakes, so nothing is replayed"));
        return Err(Exit::Invalid);
    };
    let Read { name, commit, .. } = read;
    Ok(Loaded { name, commit, rulebook })
}

/// Says why something cannot be read.
pub(in crate::cli) fn failed(error: impl std::fmt::Display) -> Exit {
    complain(&format!("error: {error}"));
    Exit::Failed
}
