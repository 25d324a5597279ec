//! The rules that recordings are lived through with: a folder's, or a revision's.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::check::print_for_people;
use crate::cli::report::complain;
use crate::library::{disk, revision};
use crate::rulebook::compile::compile;
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

/// Those of a folder.
pub(in crate::cli) fn folder(root: &Path) -> Result<Loaded, Exit> {
    let sources = disk::read(root).map_err(failed)?;
    load(root.display().to_string(), None, sources)
}

/// Those that a person means by this: a folder, else a revision of the workspace's repository.
pub(in crate::cli) fn named(workspace: &Path, name: &str) -> Result<Loaded, Exit> {
    if Path::new(name).is_dir() {
        return folder(Path::new(name));
    }
    let revision = revision::read(workspace, name).map_err(failed)?;
    load(name.to_owned(), Some(revision.commit), revision.sources)
}

fn load(name: String, commit: Option<String>, sources: Sources) -> Result<Loaded, Exit> {
    let (rulebook, findings) = compile(&sources, &environment::variable);
    let Some(rulebook) = rulebook else {
        print_for_people(&sources, None, &findings);
        complain(&format!("error: the rules of `{name}` have mistakes, so nothing is replayed"));
        return Err(Exit::Invalid);
    };
    Ok(Loaded { name, commit, rulebook })
}

fn failed(error: impl std::fmt::Display) -> Exit {
    complain(&format!("error: {error}"));
    Exit::Failed
}
