//! Changed files put back where they were read: whole or not at all, with their permissions.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use crate::rulebook::Sources;

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// Its permissions forbid it.
    #[error("`{0}` is read-only; make it writable first")]
    ReadOnly(String),
    /// Somebody else has written it since it was read.
    #[error("`{0}` has changed meanwhile; run it again")]
    Changed(String),
    /// What the system said.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// Relative to the workspace.
        path: String,
        /// Why.
        source: io::Error,
    },
}

struct Change<'s> {
    /// Relative to the workspace.
    name: &'s str,
    /// Where the file really is, links followed.
    path: PathBuf,
    text: &'s [u8],
}

/// Writes every file of `after` that is not as in `before`. All are looked at before the first is
/// written; each takes its old place in one step.
///
/// # Errors
/// When a file is read-only, is no longer as in `before`, or cannot be written.
pub fn rewrite(root: &Path, before: &Sources, after: &Sources) -> Result<(), RewriteError> {
    let differs = |(name, text): &(&String, &Vec<u8>)| before.files.get(*name) != Some(*text);
    let mut changes = Vec::new();
    for (name, text) in after.files.iter().filter(differs) {
        let failed = |source| RewriteError::Write { path: name.clone(), source };
        let path = root.join(name).canonicalize().map_err(failed)?;
        if fs::metadata(&path).map_err(failed)?.permissions().readonly() {
            return Err(RewriteError::ReadOnly(name.clone()));
        }
        if before.files.get(name) != Some(&fs::read(&path).map_err(failed)?) {
            return Err(RewriteError::Changed(name.clone()));
        }
        changes.push(Change { name, path, text });
    }
    for change in changes {
        let failed = |source| RewriteError::Write { path: change.name.to_owned(), source };
        replace(&change).map_err(failed)?;
    }
    Ok(())
}

/// A reader sees the old file or the new one, never half of it.
fn replace(change: &Change<'_>) -> io::Result<()> {
    let name = change.path.file_name().unwrap_or_default().to_string_lossy();
    let beside = change.path.with_file_name(format!(".{name}.{}.tmp", process::id()));
    let written = write(change, &beside).and_then(|()| fs::rename(&beside, &change.path));
    if written.is_err() {
        let _gone = fs::remove_file(&beside);
    }
    written
}

fn write(change: &Change<'_>, beside: &Path) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(beside)?;
    file.write_all(change.text)?;
    file.set_permissions(fs::metadata(&change.path)?.permissions())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sources(text: &str) -> Sources {
        Sources { files: BTreeMap::from([("a.yaml".to_owned(), text.as_bytes().to_vec())]) }
    }

    #[test]
    fn what_changed_meanwhile_or_may_not_change_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        fs::write(&path, "two").unwrap();
        let refused = rewrite(dir.path(), &sources("one"), &sources("three"));
        assert!(matches!(refused, Err(RewriteError::Changed(_))), "{refused:?}");
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        let refused = rewrite(dir.path(), &sources("two"), &sources("three"));
        assert!(matches!(refused, Err(RewriteError::ReadOnly(_))), "{refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real.yaml");
        fs::write(&real, "one").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, dir.path().join("a.yaml")).unwrap();
        rewrite(dir.path(), &sources("one"), &sources("two")).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "two");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(dir.path().join("a.yaml")).unwrap().is_symlink());
    }
}
