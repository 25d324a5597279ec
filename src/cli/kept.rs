//! A start without a sound workspace: from the rulebook that the store kept.

use std::path::Path;

use anyhow::Result;

use crate::cli::ServeArguments;
use crate::cli::check::print_for_people;
use crate::cli::report::complain;
use crate::domain::bulletin::{Bulletin, Kept};
use crate::http::wire::isoformat::isoformat;
use crate::library::live::Live;
use crate::rulebook::Sources;
use crate::rulebook::compile::settings;
use crate::rulebook::finding::Finding;
use crate::rulebook::settings::Settings;
use crate::runtime::clock::Clock;
use crate::runtime::{client, environment};
use crate::store::StoreError;
use crate::store::bulletin::RULEBOOK;
use crate::store::carry::open_to_read;

/// The last good rulebook, if one is kept and still sound. `disk` is the workspace as far as it can
/// be read, `findings` why it cannot be served.
pub(in crate::cli) fn last_good(
    arguments: &ServeArguments,
    disk: Option<&Sources>,
    findings: Vec<Finding>,
) -> Option<Live> {
    let known = disk.and_then(|disk| settings(disk, &environment::variable));
    let setting = arguments.store.clone();
    let setting = setting.or_else(|| known.map(|known| known.store));
    // Where `docent.yaml` itself is broken it may have named another: then there is none here.
    let setting = setting.unwrap_or_else(|| Settings::default().store);
    let kept = match kept_in(&arguments.workspace, &setting) {
        Ok(kept) => kept?,
        Err(error) => {
            complain(&format!("error: cannot look for the last good rulebook: {error:#}"));
            return None;
        }
    };
    let now = Clock::wall().now();
    match Live::start_kept(&kept, environment::variable, now, disk, findings) {
        Ok(live) => {
            let (at, revision) = (isoformat(kept.at), kept.revision);
            tracing::warn!(
                rulebook.digest = %kept.digest,
                "The workspace has mistakes; serving the last good rulebook, revision {revision} of {at}"
            );
            Some(live)
        }
        Err(findings) => {
            complain("the last good rulebook cannot be served either:");
            print_for_people(&Sources::default(), None, &findings);
            None
        }
    }
}

fn kept_in(workspace: &Path, setting: &str) -> Result<Option<Kept>> {
    // Looking must not make a store.
    match setting.strip_prefix("embedded:") {
        Some(folder) if !workspace.join(folder).join("docent.redb").exists() => return Ok(None),
        None if setting == "memory" => return Ok(None),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(async {
            // First, because it sets up TLS for whatever connects.
            let _client = client::shared();
            let store = open_to_read(workspace, setting)?;
            store.reached().await?;
            let kept = |board: Option<&Bulletin>| board.and_then(|board| board.rulebook.clone());
            let kept = store.read(RULEBOOK, Clock::wall().now(), kept).await?;
            store.close().await?;
            Ok::<_, StoreError>(kept)
        })
        .map_err(Into::into)
}
