//! The rulebook in force. A reload is a proposal: it is compiled as at start and by `docent check`,
//! and only a rulebook without a mistake takes the place of the last good one, in one swap.
//!
//! A poll takes one `Arc` and keeps it; no poll ever sees two revisions or waits for a reload.

mod kept;
#[cfg(test)]
mod tests;
mod verdict;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::domain::time::{Span, Timestamp};
use crate::library::disk::{DiskError, digest, hex};
use crate::library::grace::Grace;
pub use crate::library::live::verdict::unreadable;
use crate::library::live::verdict::{Pinned, bereft};
use crate::library::status::{Active, Candidate, Status, Watching};
use crate::rulebook::compile::compile;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::rule::Mode;
use crate::rulebook::{Product, Rulebook, Sources};

/// Looks an environment variable up; `None` when it is not set.
pub type Environment = fn(&str) -> Option<String>;

/// The rulebook in force, and what became of the candidates for its place. Shared by `Arc`.
pub struct Live {
    env: Environment,
    rulebook: ArcSwap<Rulebook>,
    status: ArcSwap<Status>,
    /// One proposal at a time.
    desk: Mutex<Desk>,
    revisions: watch::Sender<u64>,
}

/// What a proposal is measured against.
struct Desk {
    /// The files in force, and their digest.
    sources: Sources,
    digest: Arc<str>,
    /// The compiled rulebook's own digest, whatever was paused since.
    compiled: Arc<str>,
    /// Of all that it is made of.
    whole: Arc<str>,
    pinned: Pinned,
    grace: Grace,
}

/// What came of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What came of it.
    pub outcome: Outcome,
    /// Files are missing that count as deleted only after this long: propose again then.
    pub again_in: Option<Span>,
}

/// What came of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is what is in force, or means the same.
    Unchanged,
    /// It is in force now, as this revision.
    Swapped(u64),
    /// The last good rulebook stays; [`Status::candidate`] says why.
    Refused,
    /// It has mistakes, but a file that it misses may be about to come back.
    Waiting,
}

impl Live {
    /// The first rulebook, revision one.
    ///
    /// # Errors
    /// Every finding, when one of them is an error.
    pub fn start(sources: Sources, env: Environment, now: Timestamp) -> Result<Self, Vec<Finding>> {
        let (rulebook, findings) = compile(&sources, &env);
        let Some(rulebook) = rulebook else { return Err(findings) };
        let digest: Arc<str> = digest(&sources).into();
        let active = active(1, &rulebook, Arc::clone(&digest), now, findings);
        let desk = Desk {
            sources,
            digest,
            compiled: Arc::clone(&rulebook.digest),
            whole: Arc::clone(&rulebook.whole),
            pinned: Pinned::of(&rulebook.settings),
            grace: Grace::default(),
        };
        let (candidate, stale, watcher) = (None, None, Watching::default());
        let status = Status { active, candidate, stale, refused: 0, watcher };
        Ok(Self {
            env,
            rulebook: ArcSwap::from_pointee(rulebook),
            status: ArcSwap::from_pointee(status),
            desk: Mutex::new(desk),
            revisions: watch::Sender::new(1),
        })
    }

    /// The rulebook in force. Cheap: a count goes up.
    pub fn current(&self) -> Arc<Rulebook> {
        self.rulebook.load_full()
    }

    /// What an operator is told. Cheap: a count goes up.
    pub fn status(&self) -> Arc<Status> {
        self.status.load_full()
    }

    /// Follows the revision in force.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revisions.subscribe()
    }

    /// Compiles these files and puts them in force unless they have a mistake or would leave a
    /// product without the rules it has. Takes as long as compiling does.
    pub fn propose(&self, mut sources: Sources, now: Timestamp) -> Proposal {
        let desk = &mut *self.desk();
        let again_in = desk.grace.complete(&mut sources, &desk.sources, now);
        let outcome = self.weigh(desk, sources, again_in.is_some(), now);
        Proposal { outcome, again_in }
    }

    /// The files cannot be read: the last good rulebook stays, and says so.
    pub fn unreadable(&self, error: &DiskError, now: Timestamp) {
        let _one_at_a_time = self.desk();
        self.refuse(None, vec![unreadable(error)], now);
    }

    /// Pauses one rule, as a new revision with a digest of its own, until a reload changes
    /// something. Does nothing when the rule is not there or rests already.
    pub fn pause(&self, product: &str, rule: &str, now: Timestamp) {
        let _one_at_a_time = self.desk();
        let mut rulebook = Rulebook::clone(&self.rulebook.load());
        let Some(named) = paused(&mut rulebook, product, rule) else { return };
        let before = self.status();
        let mut active = Active {
            revision: before.active.revision + 1,
            digest: Arc::clone(&rulebook.digest),
            loaded_at: now,
            ..before.active.clone()
        };
        active.paused.push(named);
        self.put_in_force(rulebook, active);
    }

    /// Lets the watcher say how it is doing.
    pub(crate) fn note(&self, change: impl Fn(&mut Watching)) {
        self.tell(|status| change(&mut status.watcher));
    }

    fn weigh(&self, desk: &mut Desk, sources: Sources, waits: bool, now: Timestamp) -> Outcome {
        let digest: Arc<str> = digest(&sources).into();
        if digest == desk.digest {
            // While a file is merely kept, disk and rulebook do not agree yet.
            if !waits {
                self.agree();
            }
            return Outcome::Unchanged;
        }
        if self.refused_already(&digest) {
            return Outcome::Refused;
        }
        let (rulebook, mut findings) = compile(&sources, &self.env);
        if let Some(rulebook) = &rulebook {
            findings.extend(bereft(&self.rulebook.load(), rulebook));
        }
        match rulebook {
            Some(rulebook) if !findings.iter().any(is_error) => {
                (desk.sources, desk.digest) = (sources, digest);
                self.accept(desk, rulebook, findings, now)
            }
            // A renamed file looks like a duplicate until its old name is given up.
            _ if waits => Outcome::Waiting,
            _ => self.refuse(Some(digest), findings, now),
        }
    }

    fn accept(
        &self,
        desk: &mut Desk,
        mut rulebook: Rulebook,
        mut findings: Vec<Finding>,
        now: Timestamp,
    ) -> Outcome {
        if rulebook.whole == desk.whole {
            self.tell(|status| status.active.sources = Arc::clone(&desk.digest));
            self.agree();
            return Outcome::Unchanged;
        }
        desk.compiled = Arc::clone(&rulebook.digest);
        desk.whole = Arc::clone(&rulebook.whole);
        findings.extend(desk.pinned.keep(&mut rulebook.settings));
        let revision = self.status().active.revision + 1;
        let active = active(revision, &rulebook, Arc::clone(&desk.digest), now, findings);
        tracing::info!(
            rulebook.revision = revision,
            rulebook.digest = %active.digest,
            "Reloaded the rulebook: {} rules, {} tours, {} warnings",
            active.rules, active.tours, active.findings.len(),
        );
        self.put_in_force(rulebook, active);
        self.agree();
        Outcome::Swapped(revision)
    }

    fn refuse(
        &self,
        digest: Option<Arc<str>>,
        findings: Vec<Finding>,
        rejected_at: Timestamp,
    ) -> Outcome {
        let before = self.status();
        let last = before.candidate.as_ref();
        if last.is_some_and(|last| last.digest == digest && last.findings == findings) {
            return Outcome::Refused;
        }
        if let Some(first) = findings.iter().find(|finding| is_error(finding)) {
            tracing::warn!(
                rulebook.revision = before.active.revision,
                findings = findings.len(),
                "Refused a reload; the last good rulebook stays. {}:{}:{}: {}",
                first.file,
                first.line,
                first.column,
                first.message,
            );
        }
        let attempts = last.map_or(0, |last| last.attempts) + 1;
        let candidate = Candidate { digest, rejected_at, attempts, findings };
        self.tell(|status| {
            status.refused += 1;
            status.candidate = Some(candidate.clone());
        });
        Outcome::Refused
    }

    fn refused_already(&self, digest: &Arc<str>) -> bool {
        let status = self.status.load();
        status.candidate.as_ref().is_some_and(|last| last.digest.as_ref() == Some(digest))
    }

    fn agree(&self) {
        let status = self.status.load();
        if status.candidate.is_some() || status.stale.is_some() {
            self.tell(|status| (status.candidate, status.stale) = (None, None));
        }
    }

    /// The one place where a rulebook takes over.
    fn put_in_force(&self, rulebook: Rulebook, active: Active) {
        let revision = active.revision;
        self.rulebook.store(Arc::new(rulebook));
        self.tell(|status| status.active = active.clone());
        self.revisions.send_replace(revision);
    }

    fn tell(&self, change: impl Fn(&mut Status)) {
        self.status.rcu(|status| {
            let mut status = Status::clone(status);
            change(&mut status);
            status
        });
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says nothing of the files: they may hold keys.
impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        let mut live = f.debug_struct("Live");
        live.field("revision", &status.active.revision).field("digest", &status.active.digest);
        live.finish_non_exhaustive()
    }
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

fn active(
    revision: u64,
    rulebook: &Rulebook,
    sources: Arc<str>,
    loaded_at: Timestamp,
    findings: Vec<Finding>,
) -> Active {
    let all = |count: fn(&Product) -> usize| rulebook.products.values().map(|p| count(p)).sum();
    Active {
        revision,
        digest: Arc::clone(&rulebook.digest),
        sources,
        loaded_at,
        rules: all(|product| product.rules.len()),
        tours: all(|product| product.tours.len()),
        prompts: rulebook.prompts.len(),
        products: rulebook.products.len(),
        paused: Vec::new(),
        findings,
    }
}

/// Pauses the rule and gives the rulebook the digest of what it has become.
fn paused(rulebook: &mut Rulebook, product: &str, rule: &str) -> Option<(Arc<str>, Arc<str>)> {
    let place = Arc::make_mut(rulebook.products.get_mut(product)?);
    let found = place.rules.iter_mut().find(|one| &*one.id == rule)?;
    if matches!(found.mode, Mode::Paused | Mode::Draft) {
        return None;
    }
    found.mode = Mode::Paused;
    let named = (Arc::clone(&place.id), Arc::clone(&found.id));
    let mut hash = Sha256::new();
    for part in [&rulebook.digest, &named.0, &named.1] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    rulebook.digest = hex(&hash.finalize()).into();
    for product in rulebook.products.values_mut() {
        Arc::make_mut(product).digest = Arc::clone(&rulebook.digest);
    }
    Some(named)
}
