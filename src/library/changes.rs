//! A workspace as it is, and again whenever it has become another: for tools that go on as long as
//! somebody edits.

use std::path::{Path, PathBuf};

use crate::library::disk::{DiskError, places, settled};
use crate::library::watch::{Ears, PAUSE, POLL, RETRY, TICK};
use crate::rulebook::Sources;

/// Calls `act` with the workspace, then at every change of what is in it. Never ends of itself: what
/// cannot be read is said once, and read again.
pub async fn each(root: &Path, mut act: impl FnMut(Result<&Sources, &DiskError>)) {
    // Without a last slash, behind which a link would look like its folder.
    let root: PathBuf = root.components().collect();
    let mut ears = Ears::new(&root);
    let (mut last, mut trouble) = (None, String::new());
    loop {
        // Without events it is looked at intervals; why does not matter to who edits.
        let deaf = ears.attend().await.is_err() || ears.is_deaf();
        let longest = match settled(&root, PAUSE).await {
            Ok(sources) => {
                let places = places(&root, &sources);
                // What changed before its folder was listened to is found by one more look.
                let whole = ears.listen_to(places);
                trouble.clear();
                if last.as_ref() != Some(&sources) {
                    act(Ok(&sources));
                    last = Some(sources);
                    continue;
                }
                match (whole, deaf) {
                    (false, _) => continue,
                    (true, false) => TICK,
                    (true, true) => POLL,
                }
            }
            Err(DiskError::Moving) => RETRY,
            Err(error) => {
                let said = error.to_string();
                if said != trouble {
                    act(Err(&error));
                    // What is read again may be what it was.
                    (trouble, last) = (said, None);
                }
                RETRY
            }
        };
        if let Ok(true) = ears.hear(longest).await {
            ears.calm().await;
        }
    }
}
