//! Tasks: the one place that spawns. Every task belongs to a set that can be told to stop and
//! waited for, so that nothing outlives shutdown unnoticed.

use std::panic::resume_unwind;
use std::time::Duration;

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of one process or test; clones are the same set.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a future to its end. Long ones watch [`Tasks::stopping`].
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.tracker.spawn(future));
    }

    /// Begins a future and answers with what it comes to. It is run to its end even if nobody waits
    /// for that any more, as when a client hangs up.
    pub fn see_through<F>(&self, future: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = self.tracker.spawn(future);
        async move {
            match task.await.map_err(JoinError::try_into_panic) {
                Ok(answer) => answer,
                // As if it had not been a task of its own.
                Err(Ok(panic)) => resume_unwind(panic),
                // The runtime goes, and whoever waits here goes with it.
                Err(Err(_)) => std::future::pending().await,
            }
        }
    }

    /// Runs `chore` once per period until the set is stopped.
    pub fn every(&self, period: Duration, chore: impl Fn() + Send + 'static) {
        let stop = self.stop.clone();
        self.spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(period)).await.is_some() {
                chore();
            }
        });
    }

    /// Cancelled when the set is stopped.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to stop; returns at once.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops the set and waits for its tasks; `false` when the patience ran out first.
    pub async fn join(&self, patience: Duration) -> bool {
        self.stop();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stopping_ends_chores_and_joining_waits_for_them() {
        let (tasks, runs) = (Tasks::new(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&runs);
        tasks.every(Duration::from_secs(60), move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        tokio::time::sleep(Duration::from_secs(150)).await;
        assert!(tasks.join(Duration::from_secs(1)).await);
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_seen_through_ends_although_nobody_waits_for_it() {
        let (tasks, ended) = (Tasks::new(), Arc::new(AtomicU32::new(0)));
        let begin = || {
            let ended = Arc::clone(&ended);
            tasks.see_through(async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                ended.fetch_add(1, Ordering::Relaxed)
            })
        };
        assert_eq!(begin().await, 0);
        drop(begin());
        assert!(tasks.join(Duration::from_secs(4)).await);
        assert_eq!(ended.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_will_not_stop_is_not_waited_for_forever() {
        let tasks = Tasks::new();
        tasks.spawn(std::future::pending());
        assert!(!tasks.join(Duration::from_secs(5)).await);
    }
}
