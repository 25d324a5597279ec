//! Leases: what one of several instances does for all of them, such as reading an upstream. The
//! holder beats; who sees the same beat for too long takes over. No clock is compared with another
//! machine's. Two that hold for a moment do double work and nothing worse, as long as batches say
//! when they were forwarded: then each counts once.
//! A holder that cannot do the work gives it back: another may be able to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::bulletin::{Bulletin, Lease};
use crate::store::bulletin::LEASES;
use crate::store::{Step, StoreError};

/// How often a holder beats, and the others look.
const BEAT: Duration = Duration::from_millis(500);
/// A holder that has not beaten for so long is gone.
const SILENT: Duration = Duration::from_secs(3);
/// How long a holder that leaves waits for somebody to take over.
const OFFERED: Duration = Duration::from_millis(1_200);
/// How long it then goes on for its successor to be at work.
const HANDED: Duration = Duration::from_secs(2);

/// A holder whose work keeps failing for so long lets another try.
const FAILING: Duration = Duration::from_secs(10);
/// How long it then stands aside, at least and at most. Longer than the others need to take over;
/// when there are no others, no longer than a reader waits between two tries.
const ASIDE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// How long one stands aside whose work has ended for good, as far as it can tell.
const REFUSED: Duration = Duration::from_secs(60);

/// How the work of a holder goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It has not really begun.
    Beginning,
    /// It is being done.
    AtWork,
    /// The last try failed, and none has succeeded since.
    Failing,
}

/// Why a holder holds no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// It was told to stop.
    Stopped,
    /// Somebody else has it.
    Lost,
    /// The work fails, and another may fare better.
    Failed,
    /// The work has ended by itself.
    Ended,
}

/// A lease as one instance sees it.
pub(crate) struct Watch {
    name: Arc<str>,
    me: Arc<str>,
    /// Whose it is as last seen, and since when nothing about it has changed.
    seen: Option<(Option<Lease>, Instant)>,
}

/// How a lease stands to the one who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Mine,
    /// Somebody else's, who is at work or not yet.
    Theirs {
        at_work: bool,
    },
}

impl Watch {
    pub(crate) fn new(name: Arc<str>, me: Arc<str>) -> Self {
        Self { name, me, seen: None }
    }

    /// Whether it may be taken: nobody's, given up, or silent for too long.
    fn is_free(&mut self, lease: Option<&Lease>) -> bool {
        let since = match &self.seen {
            Some((seen, since)) if seen.as_ref() == lease => *since,
            _ => Instant::now(),
        };
        self.seen = Some((lease.cloned(), since));
        lease.is_none_or(|lease| lease.leaving || since.elapsed() >= SILENT)
    }

    /// Waits until it is this instance's; `false` when told to stop before.
    async fn taken(&mut self, app: &App, stop: &CancellationToken) -> bool {
        loop {
            match self.take(app).await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(error = %error, "Cannot look who reads the upstreams")
                }
            }
            if stop.run_until_cancelled(sleep(BEAT)).await.is_none() {
                return false;
            }
        }
    }

    async fn take(&mut self, app: &App) -> Result<bool, StoreError> {
        let lease = |board: Option<&Bulletin>| board?.leases.get(&self.name).cloned();
        let found = app.store.read(LEASES, app.clock.now(), lease).await?;
        if !self.is_free(found.as_ref()) {
            return Ok(false);
        }
        let step = |slot: &mut Option<Bulletin>| {
            let leases = &mut slot.get_or_insert_default().leases;
            if leases.get(&self.name) != found.as_ref() {
                return Step::Keep(false);
            }
            let mine = Lease { holder: Arc::clone(&self.me), ..Lease::default() };
            leases.insert(Arc::clone(&self.name), mine);
            Step::Write(true)
        };
        app.store.update(LEASES, app.clock.now(), step).await
    }

    /// Beats, and tells whose it is then.
    async fn beat(&self, app: &App, at_work: bool, leaving: bool) -> Result<Standing, StoreError> {
        let step = |slot: &mut Option<Bulletin>| {
            let lease = slot.as_mut().and_then(|board| board.leases.get_mut(&self.name));
            match lease {
                Some(lease) if lease.holder == self.me => {
                    lease.beat += 1;
                    (lease.at_work, lease.leaving) = (at_work, leaving);
                    Step::Write(Standing::Mine)
                }
                Some(lease) => Step::Keep(Standing::Theirs { at_work: lease.at_work }),
                None => Step::Keep(Standing::Theirs { at_work: true }),
            }
        };
        app.store.update(LEASES, app.clock.now(), step).await
    }

    /// Beats until somebody else has it and is at work, the work has `ended` or fails, or `stop`.
    async fn kept(
        &self,
        app: &App,
        progress: &impl Fn() -> Progress,
        stop: &CancellationToken,
        ended: &CancellationToken,
    ) -> Left {
        let (mut lost, mut failing): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Left::Stopped,
                () = ended.cancelled() => return Left::Ended,
                () = sleep(BEAT) => {}
            }
            let now = progress();
            if now != Progress::Failing {
                failing = None;
            } else if failing.get_or_insert_with(Instant::now).elapsed() >= FAILING {
                return Left::Failed;
            }
            // Who cannot ask goes on: to read twice is better than not at all.
            match self.beat(app, now == Progress::AtWork, false).await {
                Ok(Standing::Theirs { at_work: true }) => return Left::Lost,
                Ok(Standing::Theirs { at_work: false }) => {
                    let since = *lost.get_or_insert_with(Instant::now);
                    if since.elapsed() >= SILENT {
                        return Left::Lost;
                    }
                }
                Ok(Standing::Mine) => lost = None,
                Err(error) => tracing::debug!(error = %error, "Cannot beat for an upstream"),
            }
        }
    }

    /// Offers it to the others and goes on until one of them is at work, or nobody wants it.
    async fn handed_over(&self, app: &App, progress: &impl Fn() -> Progress) {
        let begun = Instant::now();
        let at_work = || progress() == Progress::AtWork;
        let mut standing = self.beat(app, at_work(), true).await;
        while let Ok(now) = standing {
            let patience = match now {
                Standing::Mine => OFFERED,
                Standing::Theirs { at_work: true } => return,
                Standing::Theirs { at_work: false } => OFFERED + HANDED,
            };
            if begun.elapsed() >= patience {
                break;
            }
            sleep(BEAT / 5).await;
            standing = self.beat(app, at_work(), true).await;
        }
        self.given_back(app).await;
    }

    /// Nobody took it: who comes next need not wait.
    async fn given_back(&self, app: &App) {
        let step = |slot: &mut Option<Bulletin>| {
            let Some(board) = slot else { return Step::Keep(()) };
            let mine = board.leases.get(&self.name).is_some_and(|lease| lease.holder == self.me);
            if !mine {
                return Step::Keep(());
            }
            board.leases.remove(&self.name);
            slot.take_if(|board| *board == Bulletin::default());
            Step::Write(())
        };
        if let Err(error) = app.store.update(LEASES, app.clock.now(), step).await {
            tracing::debug!(error = %error, "Cannot give an upstream back; the others find out");
        }
    }
}

impl App {
    /// Does the work whenever this instance holds the lease, until `stop`. The work ends when its
    /// token is cancelled; `progress` tells how it goes.
    pub(crate) async fn while_holding<W: Future<Output = ()>>(
        &self,
        mut watch: Watch,
        work: impl Fn(CancellationToken) -> W,
        progress: impl Fn() -> Progress,
        stop: &CancellationToken,
    ) {
        let mut aside = ASIDE.0;
        while watch.taken(self, stop).await {
            let (end, ended) = (CancellationToken::new(), CancellationToken::new());
            let begun = Instant::now();
            let held = async {
                let left = watch.kept(self, &progress, stop, &ended).await;
                if left == Left::Stopped {
                    watch.handed_over(self, &progress).await;
                }
                end.cancel();
                if matches!(left, Left::Failed | Left::Ended) {
                    watch.given_back(self).await;
                }
                left
            };
            let work = async {
                work(end.clone()).await;
                ended.cancel();
            };
            let left = tokio::join!(work, held).1;
            if begun.elapsed() >= FAILING * 2 {
                // It went well for a while.
                aside = ASIDE.0;
            }
            let pause = match left {
                Left::Stopped => return,
                Left::Lost => continue,
                Left::Failed => aside,
                Left::Ended => REFUSED,
            };
            aside = (aside * 2).min(ASIDE.1);
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }
}
