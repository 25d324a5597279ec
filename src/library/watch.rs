//! Notices that the workspace has changed, and proposes what it finds.
//!
//! Events only say *when* to look, never what has changed: editors, deployments and Kubernetes
//! rename, link and unlink in ways whose events name other files, or none. What decides is the
//! content, read again after every event and, as some file systems tell nothing, at intervals.
//! Folders are watched, not files, since a rename leaves a file's watch on what was thrown away.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::domain::time::{Span, Timestamp};
use crate::library::burst::{QUIET, calm};
use crate::library::disk::{DiskError, places, settled};
use crate::library::live::{Live, Outcome, Proposal};
use crate::library::status::Mode;
use crate::rulebook::Sources;

/// Between the two readings that must agree.
pub(super) const PAUSE: Duration = Duration::from_millis(25);
/// Between looks while events arrive: some changes have none.
pub(super) const TICK: Duration = Duration::from_secs(30);
/// Between looks while there are no events.
pub(super) const POLL: Duration = Duration::from_secs(5);
/// Until the next look at what could not be read.
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// Until listening is tried again where it failed.
const LISTEN_AGAIN: Duration = Duration::from_secs(60);
/// Looks in a row while content moves on; the next event or tick continues.
const LOOKS: usize = 8;

/// Starts listening; `()` arrives after something changed.
type Listen = fn(mpsc::Sender<()>) -> notify::Result<RecommendedWatcher>;

/// Keeps `live` up with the workspace until cancelled. It never ends of itself: without events it
/// polls, and what it cannot read it reads again. `now` is the wall clock, for the status.
pub async fn watch(
    root: PathBuf,
    live: Arc<Live>,
    now: impl Fn() -> Timestamp,
    cancel: CancellationToken,
) {
    let mut watcher = Watcher::new(&root, live, now, listen);
    cancel.run_until_cancelled(watcher.run()).await;
}

struct Watcher<N> {
    root: PathBuf,
    live: Arc<Live>,
    now: N,
    ears: Ears,
    /// Whether the last look found the files changing all the time.
    moving: bool,
}

/// What is listened to.
pub(super) struct Ears {
    listen: Listen,
    hearing: Option<Hearing>,
    /// When listening may be tried again.
    retry_at: Instant,
    /// Every folder that matters, as last read.
    folders: BTreeSet<PathBuf>,
}

struct Hearing {
    watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
    watched: BTreeSet<PathBuf>,
}

impl<N: Fn() -> Timestamp> Watcher<N> {
    fn new(root: &Path, live: Arc<Live>, now: N, listen: Listen) -> Self {
        // Without a last slash, behind which a link would look like its folder.
        let root: PathBuf = root.components().collect();
        let ears = Ears { listen, ..Ears::new(&root) };
        Self { root, live, now, ears, moving: false }
    }

    async fn run(&mut self) {
        loop {
            let longest = self.look().await;
            self.wait(longest).await;
        }
    }

    /// Looks until what was read is what was proposed and every folder of it is listened to. Says
    /// how long to wait for the next look at most.
    async fn look(&mut self) -> Duration {
        let tick = |deaf| if deaf { POLL } else { TICK };
        for _ in 0..LOOKS {
            // Listening comes before reading, so that no change falls between them.
            self.listen().await;
            let deaf = self.ears.is_deaf();
            let read = settled(&self.root, if deaf { QUIET } else { PAUSE }).await;
            let at = (self.now)();
            let sources = match read {
                Ok(sources) => sources,
                Err(error) => return self.unread(&error, at),
            };
            self.moving = false;
            self.live.note(|watcher| watcher.last_check_at = Some(at));
            let folders = places(&self.root, &sources);
            let live = Arc::clone(&self.live);
            let Some(proposal) = propose(live, sources, at).await else { return RETRY };
            let listened_to_all = self.ears.listen_to(folders);
            if listened_to_all && !matches!(proposal.outcome, Outcome::Swapped(_)) {
                return proposal.again_in.map_or(tick(deaf), duration).min(tick(deaf));
            }
        }
        RETRY
    }

    /// Somebody may be at work for a while: that is worth a word only at the second look.
    fn unread(&mut self, error: &DiskError, at: Timestamp) -> Duration {
        let was_moving = self.moving;
        self.moving = matches!(error, DiskError::Moving);
        if was_moving || !self.moving {
            self.live.unreadable(error, at);
        }
        RETRY
    }

    /// Until something has changed and it is quiet again, or the time is over.
    async fn wait(&mut self, longest: Duration) {
        match self.ears.hear(longest).await {
            Ok(false) => {}
            Err(reason) => self.deafen(reason),
            Ok(true) => {
                let at = (self.now)();
                self.live.note(|watcher| watcher.last_event_at = Some(at));
                self.ears.calm().await;
            }
        }
    }

    async fn listen(&mut self) {
        match self.ears.attend().await {
            Ok(false) => {}
            Ok(true) => self.hears(),
            Err(reason) => self.deafen(reason),
        }
    }

    fn hears(&self) {
        self.live.note(|watcher| {
            watcher.restarts += u32::from(watcher.mode != Mode::Off);
            watcher.mode = Mode::Events;
        });
    }

    fn deafen(&mut self, reason: String) {
        tracing::warn!(%reason, "Cannot listen for changes of the workspace; looking every 5 s");
        self.live.note(|watcher| watcher.mode = Mode::Polling(reason.clone()));
    }
}

impl Ears {
    pub(super) fn new(root: &Path) -> Self {
        let folders = BTreeSet::from([root.to_owned()]);
        Self { listen, hearing: None, retry_at: Instant::now(), folders }
    }

    pub(super) fn is_deaf(&self) -> bool {
        self.hearing.is_none()
    }

    /// Notes which folders matter; whether these were listened to already.
    pub(super) fn listen_to(&mut self, folders: BTreeSet<PathBuf>) -> bool {
        let known = self.folders == folders;
        self.folders = folders;
        known
    }

    /// Listens to every folder that is there now, anew: a name may lead elsewhere than before. Says
    /// whether nothing was listened to until now.
    pub(super) async fn attend(&mut self) -> Result<bool, String> {
        let opened = match self.hearing.take() {
            Some(hearing) => Ok((hearing, false)),
            None if Instant::now() < self.retry_at => return Ok(false),
            None => self.open().map(|hearing| (hearing, true)),
        };
        let heard = match opened {
            Ok((hearing, anew)) => {
                attend(hearing, self.folders.clone()).await.map(|hearing| (hearing, anew))
            }
            Err(reason) => Err(reason),
        };
        let (hearing, anew) =
            heard.inspect_err(|_| self.retry_at = Instant::now() + LISTEN_AGAIN)?;
        self.hearing = Some(hearing);
        Ok(anew)
    }

    /// Until something has changed, which is `true`, or the time is over.
    pub(super) async fn hear(&mut self, longest: Duration) -> Result<bool, String> {
        let Some(hearing) = &mut self.hearing else {
            sleep(longest).await;
            return Ok(false);
        };
        match timeout(longest, hearing.changes.recv()).await {
            Err(_) => Ok(false),
            Ok(Some(())) => Ok(true),
            Ok(None) => {
                (self.hearing, self.retry_at) = (None, Instant::now() + LISTEN_AGAIN);
                Err("the watcher has stopped".to_owned())
            }
        }
    }

    /// Until the burst of changes is over, or has lasted too long.
    pub(super) async fn calm(&mut self) {
        if let Some(hearing) = &mut self.hearing {
            calm(&mut hearing.changes).await;
        }
    }

    fn open(&self) -> Result<Hearing, String> {
        // One is enough: a second change while the first waits to be looked at adds nothing.
        let (sender, changes) = mpsc::channel(1);
        let watcher = (self.listen)(sender).map_err(|error| because(&error))?;
        Ok(Hearing { watcher, changes, watched: BTreeSet::new() })
    }
}

fn listen(changes: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.map_or(true, |event| is_change(&event.kind)) {
            let _ = changes.try_send(());
        }
    })
}

/// Our own reading opens files; reacting to that would never end.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// Watches exactly these folders. Blocks shortly, and panics when the listening thread has died:
/// both are for a thread of its own.
async fn attend(mut hearing: Hearing, folders: BTreeSet<PathBuf>) -> Result<Hearing, String> {
    let attending = tokio::task::spawn_blocking(move || {
        for folder in &hearing.watched {
            // It may be gone, and its watch with it.
            let _ = hearing.watcher.unwatch(folder);
        }
        hearing.watched.clear();
        for folder in folders {
            match hearing.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(hearing.watched.insert(folder)),
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(because(&error)),
            }
        }
        Ok(hearing)
    });
    attending.await.unwrap_or_else(|_| Err("the watcher has stopped".to_owned()))
}

fn is_absence(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// `Too many open files (os error 24)`: without the folder, which is not what is wrong.
fn because(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::MaxFilesWatch => "the system's limit of watches is reached".to_owned(),
        _ => error.to_string(),
    }
}

/// Compiles away from the runtime's workers; `None` only while the runtime shuts down.
async fn propose(live: Arc<Live>, sources: Sources, at: Timestamp) -> Option<Proposal> {
    tokio::task::spawn_blocking(move || live.propose(sources, at)).await.ok()
}

fn duration(span: Span) -> Duration {
    Duration::from_millis(span.as_millis().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;

    use super::*;

    const RULE: &str = "triggers:\n  - { id: hello, when: [dwell: 20s], offer: { body: OLD, accept: a, dismiss: b } }\n";

    /// A workspace that is watched, on a clock that runs as fast as it can.
    async fn watched(listen: Listen) -> (tempfile::TempDir, Arc<Live>, JoinSet<()>) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("rules")).unwrap();
        fs::write(dir.path().join("docent.yaml"), "version: 1\nproducts:\n  acme: {}\n").unwrap();
        fs::write(dir.path().join("rules/a.yaml"), format!("version: 1\n{RULE}")).unwrap();
        let sources = settled(dir.path(), PAUSE).await.unwrap();
        let live = Live::start(sources, |_| None, Timestamp::default()).unwrap();
        let live = Arc::new(live);
        let start = Instant::now();
        let now = move || Timestamp::from_millis(start.elapsed().as_millis() as i64);
        let mut watcher = Watcher::new(dir.path(), Arc::clone(&live), now, listen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { watcher.run().await });
        while live.status().watcher.last_check_at.is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        (dir, live, tasks)
    }

    fn no_instances(_: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
        Err(notify::Error::io(io::Error::from_raw_os_error(24)))
    }

    #[tokio::test(start_paused = true)]
    async fn without_events_a_change_is_found_by_content_and_the_reason_is_shown() {
        let (dir, live, _tasks) = watched(no_instances).await;
        let mut revisions = live.revisions();
        let text = format!("version: 1\n{}", RULE.replace("OLD", "NEW"));
        fs::write(dir.path().join("rules/a.yaml"), text).unwrap();
        assert_eq!(revisions.wait_for(|revision| *revision == 2).await.map(|r| *r).ok(), Some(2));
        let mode = live.status().watcher.mode.to_string();
        assert_eq!(mode, "polling (Too many open files (os error 24))");
    }

    #[tokio::test(start_paused = true)]
    async fn listening_is_taken_up_again_once_the_system_lets_us() {
        static TRIES: AtomicUsize = AtomicUsize::new(0);
        let at_second_try: Listen = |changes| match TRIES.fetch_add(1, Ordering::Relaxed) {
            0 => no_instances(changes),
            _ => listen(changes),
        };
        let (_dir, live, _tasks) = watched(at_second_try).await;
        let start = Instant::now();
        while live.status().watcher.mode != Mode::Events {
            assert!(start.elapsed() < Duration::from_secs(90), "{:?}", live.status().watcher);
            sleep(Duration::from_millis(100)).await;
        }
        assert!(start.elapsed() >= LISTEN_AGAIN, "it was tried too early");
        assert_eq!((live.status().watcher.restarts, TRIES.load(Ordering::Relaxed)), (1, 2));
    }

    #[test]
    fn our_own_reading_is_no_change() {
        use notify::event::{
            AccessKind::Open, AccessKind::Read, CreateKind, DataChange, ModifyKind,
        };
        for kind in [EventKind::Access(Open(AccessMode::Any)), EventKind::Access(Read)] {
            assert!(!is_change(&kind), "{kind:?}");
        }
        for kind in [
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
            EventKind::Create(CreateKind::Any),
            EventKind::Modify(ModifyKind::Data(DataChange::Any)),
            EventKind::Other,
        ] {
            assert!(is_change(&kind), "{kind:?}");
        }
    }
}
