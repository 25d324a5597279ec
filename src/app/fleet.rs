//! The fleet: what this instance serves, and what those that share its store say that they serve.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::app::App;
use crate::domain::announcement::News;
use crate::domain::bulletin::{Bulletin, Instance};
use crate::domain::time::{Span, Timestamp};
use crate::store::bulletin::{INSTANCES, RULEBOOK};
use crate::store::{Step, StoreError};

/// An instance that has been silent for so long does not count any more: five times the heartbeat.
/// By one's own clock: those of other machines may be off by more.
const SILENT: Duration = Duration::from_secs(10);
/// After so long its name is forgotten.
const FORGOTTEN: Span = Span::from_seconds(600);

/// Hellos in a row with somebody else's in between, after which there are two of one name. One is
/// what a restart leaves.
const TWICE: u32 = 2;

/// Whether another instance goes by the same name.
#[derive(Debug, Default)]
pub(crate) struct Namesake {
    /// When hello was said last, and how often in a row somebody else has said it since.
    last: Mutex<(Option<Timestamp>, u32)>,
    /// The name this one goes by instead.
    apart: OnceLock<Arc<str>>,
}

impl Namesake {
    /// Said hello under this name, where `found` was the last one.
    fn said(&self, name: &Arc<str>, found: Option<Timestamp>, at: Timestamp) {
        let mut said = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, times) = *said;
        let foreign = last.is_some() && found.is_some() && found != last;
        *said = (Some(at), if foreign { times + 1 } else { 0 });
        if said.1 < TWICE || self.apart.get().is_some() {
            return;
        }
        let apart = format!("{name}#{:04x}", RandomState::new().hash_one(name) & 0xffff);
        tracing::warn!(
            "Another instance is called `{name}`, too; this one goes by `{apart}`. Give each a name \
             of its own (`--instance`, DOCENT_INSTANCE), or none"
        );
        let _first_stays = self.apart.set(apart.into());
    }

    /// Nobody knows whether it was heard.
    fn failed(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (None, 0);
    }
}

/// Name and address of this instance, once it listens.
pub(crate) type Name = OnceLock<(Arc<str>, Arc<str>)>;

/// What each instance said last about when that was, and since when it has said nothing else.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<BTreeMap<Arc<str>, (Timestamp, Instant)>>);

impl Heard {
    /// Hears what all have said by now; who has been silent for too long.
    fn hear(&self, all: &BTreeMap<Arc<str>, Instance>) -> Vec<Arc<str>> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|name, _| all.contains_key(name));
        for (name, said) in all {
            let (last, since) =
                heard.entry(Arc::clone(name)).or_insert_with(|| (said.seen, Instant::now()));
            if *last != said.seen {
                (*last, *since) = (said.seen, Instant::now());
            }
        }
        let silent = heard.iter().filter(|(_, (_, since))| since.elapsed() >= SILENT);
        silent.map(|(name, _)| Arc::clone(name)).collect()
    }
}

/// One instance as known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: Arc<str>,
    /// What it said last.
    pub said: Instance,
    /// How long ago that was.
    pub ago: Span,
    /// Whether it has been silent for too long to be running.
    pub silent: bool,
}

/// All instances that share a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// The name of the one that answers.
    pub own: Arc<str>,
    /// By name, the one that answers among them.
    pub peers: Vec<Peer>,
}

impl App {
    /// Says once who this instance is and where it listens.
    pub fn introduce(&self, name: &str, address: &str) {
        let _first_stays = self.name.set((name.into(), address.into()));
    }

    /// A name to hold a lease under: this instance's, and something that no other has, not even one
    /// of the same name that ran before.
    pub(crate) fn leaseholder(&self) -> Arc<str> {
        let name = self.name.get().map(|(name, _)| Arc::clone(name)).unwrap_or_default();
        format!("{name}#{:016x}", RandomState::new().hash_one(&name)).into()
    }

    fn own(&self, wall: Timestamp) -> (Arc<str>, Instance) {
        let (name, address) = self.name.get().cloned().unwrap_or_default();
        let name = self.namesake.apart.get().cloned().unwrap_or(name);
        let status = self.live.status();
        let said = Instance {
            address,
            version: env!("CARGO_PKG_VERSION").into(),
            revision: status.active.revision,
            digest: Arc::clone(&status.active.digest),
            since: status.active.loaded_at,
            stale: status.stale.is_some(),
            refused: status.candidate.is_some(),
            seen: wall,
            swept: self.swept(),
        };
        (name, said)
    }

    /// Tells those that share the store that this instance is there, and what it serves.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn say_hello(&self, wall: Timestamp) -> Result<(), StoreError> {
        let (name, said) = self.own(wall);
        let step = |slot: &mut Option<Bulletin>| {
            let instances = &mut slot.get_or_insert_default().instances;
            instances.retain(|_, other| wall.since(other.seen) < FORGOTTEN);
            let found = instances.insert(Arc::clone(&name), said.clone());
            Step::Write((found.map(|found| found.seen), instances.clone()))
        };
        let told = self.store.update(INSTANCES, wall, step).await;
        let (found, all) = told.inspect_err(|_| self.namesake.failed())?;
        self.namesake.said(&name, found, wall);
        self.heard.hear(&all);
        Ok(())
    }

    /// Tells them that it is going.
    ///
    /// # Errors
    /// When the store does not answer; then they notice by its silence.
    pub async fn say_goodbye(&self, wall: Timestamp) -> Result<(), StoreError> {
        let (name, _) = self.own(wall);
        let step = |slot: &mut Option<Bulletin>| {
            let gone = slot.as_mut().and_then(|board| board.instances.remove(&name));
            slot.take_if(|board| *board == Bulletin::default());
            if gone.is_some() { Step::Write(()) } else { Step::Keep(()) }
        };
        self.store.update(INSTANCES, wall, step).await
    }

    /// Every instance that shares the store; this one as it is now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn fleet(&self, wall: Timestamp) -> Result<Fleet, StoreError> {
        let (own, said) = self.own(wall);
        let listed = |board: Option<&Bulletin>| board.map(|board| board.instances.clone());
        let mut all = self.store.read(INSTANCES, wall, listed).await?.unwrap_or_default();
        let silent = self.heard.hear(&all);
        all.insert(Arc::clone(&own), said);
        let peer = |(name, said): (Arc<str>, Instance)| {
            let silent = name != own && silent.contains(&name);
            Peer { ago: wall.since(said.seen), silent, name, said }
        };
        let peers = all.into_iter().map(peer).collect();
        Ok(Fleet { own, peers })
    }

    /// Keeps the files in force, to start from when those on disk are broken.
    ///
    /// # Errors
    /// When the store does not take them.
    pub async fn keep_rulebook(&self) -> Result<(), StoreError> {
        let Some(kept) = self.live.to_keep() else { return Ok(()) };
        let step = |slot: &mut Option<Bulletin>| {
            let last = &mut slot.get_or_insert_default().rulebook;
            if last.as_ref().is_some_and(|last| last.sources == kept.sources) {
                return Step::Keep(false);
            }
            *last = Some(kept.clone());
            Step::Write(true)
        };
        let now = self.clock.now();
        if self.store.update(RULEBOOK, now, step).await? {
            let digest = Arc::clone(&kept.digest);
            self.announce(&Arc::default(), now, || News::Rulebook { digest });
        }
        Ok(())
    }

    /// Serves what another instance has kept, if the disk here is broken and what is served here was
    /// kept before.
    pub(crate) async fn learn_rulebook(&self) -> Result<(), StoreError> {
        if self.live.status().stale.is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        let kept = |board: Option<&Bulletin>| board.and_then(|board| board.rulebook.clone());
        if let Some(kept) = self.store.read(RULEBOOK, now, kept).await? {
            self.live.keep_up(&kept, now);
        }
        Ok(())
    }
}
