//! The rulebook that the store keeps, to serve while what is on disk is broken.

use std::sync::Arc;

use crate::domain::bulletin::Kept;
use crate::domain::time::Timestamp;
use crate::library::disk::digest;
use crate::library::live::{Environment, Live, Outcome};
use crate::library::status::Stale;
use crate::rulebook::Sources;
use crate::rulebook::compile::compile;
use crate::rulebook::finding::Finding;

impl Live {
    /// The rulebook that was kept, because what is on disk is broken: that with these `findings`.
    ///
    /// # Errors
    /// Every finding, when the kept one has mistakes by now: a variable is not set any more, or this
    /// version reads it differently.
    pub fn start_kept(
        kept: &Kept,
        env: Environment,
        now: Timestamp,
        disk: Option<&Sources>,
        findings: Vec<Finding>,
    ) -> Result<Self, Vec<Finding>> {
        let live = Self::start(sources(kept), env, now)?;
        live.refuse(disk.map(|disk| digest(disk).into()), findings, now);
        live.tell(|status| status.stale = Some(stale(kept)));
        Ok(live)
    }

    /// What is in force, to be kept for a start when the disk is broken. `None` while that is itself
    /// what was kept.
    pub fn to_keep(&self) -> Option<Kept> {
        let desk = self.desk();
        let status = self.status();
        let text = |(path, bytes): (&String, &Vec<u8>)| {
            let text = std::str::from_utf8(bytes).ok()?;
            Some((Arc::from(path.as_str()), Arc::from(text)))
        };
        status.stale.is_none().then(|| Kept {
            // What is no text was no part of a rulebook without mistakes.
            files: desk.sources.files.iter().filter_map(text).collect(),
            sources: Arc::clone(&desk.digest),
            digest: Arc::clone(&desk.compiled),
            revision: status.active.revision,
            at: status.active.loaded_at,
        })
    }

    /// Another instance has kept a newer one, and this one serves a kept one: it takes that. Whether
    /// it did.
    pub fn keep_up(&self, kept: &Kept, now: Timestamp) -> bool {
        let desk = &mut *self.desk();
        let before = self.status();
        if before.stale.is_none() || kept.sources == desk.digest {
            return false;
        }
        let files = sources(kept);
        let (rulebook, findings) = compile(&files, &self.env);
        // It was sound where it was kept; here a variable may not be set.
        let Some(rulebook) = rulebook else { return false };
        let digest = digest(&files).into();
        (desk.sources, desk.digest) = (files, digest);
        let outcome = self.accept(desk, rulebook, findings, now);
        // The disk here is as broken as before.
        self.tell(|status| {
            status.stale = Some(stale(kept));
            status.candidate.clone_from(&before.candidate);
        });
        matches!(outcome, Outcome::Swapped(_))
    }
}

fn sources(kept: &Kept) -> Sources {
    let files = kept.files.iter();
    let files = files.map(|(path, text)| (path.to_string(), text.as_bytes().to_vec()));
    Sources { files: files.collect() }
}

fn stale(kept: &Kept) -> Stale {
    Stale { revision: kept.revision, kept_at: kept.at }
}
