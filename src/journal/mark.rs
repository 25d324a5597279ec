//! How far a folder has been swept: a file beside its segments.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The file's name.
const FILE: &str = "swept.json";

/// The last erasure that a folder was swept of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its number in its store.
    pub number: u64,
    /// What tells it from the one of this number in another store.
    pub stamp: String,
}

impl Mark {
    /// The mark of a folder; `None` where none was made, or none that can be read: then everything
    /// is swept again.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let part = folder.join(format!("{FILE}.part"));
        let mut file = File::create(&part)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(part, folder.join(FILE))
    }
}
