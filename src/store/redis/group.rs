//! Writes that count only once replicas have them: they go in groups over a connection of their
//! own, because WAIT holds up its connection, and one WAIT serves a whole group.
//!
//! The connection is never older than the one that is read from: after a fail-over nothing goes to
//! the old master any more, which may still have a replica that confirms. WAIT knows only of what
//! went over its own connection, and a cluster's client replaces lost ones by itself: a group that
//! was written over one and waited for over another is not confirmed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use redis::{ScriptInvocation, Value, cmd};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::store::redis::failure::Failure;
use crate::store::redis::inspect::stamp;
use crate::store::redis::link::Link;
use crate::store::redis::wire::{ANSWER, Ends, Wire};

/// Writes of one group at most, so that none waits long for the others.
const MOST: usize = 256;
/// How long replicas may take to confirm a group.
const CONFIRM: Duration = Duration::from_millis(800);
/// Between two looks whether there are replicas again.
const LOOK: Duration = Duration::from_secs(1);

/// A call of a script that writes.
pub(super) type Call = ScriptInvocation<'static>;

/// Where writes wait for their group.
pub(super) struct Group {
    jobs: mpsc::Sender<Job>,
    behind: Behind,
}

struct Job {
    call: Call,
    answer: oneshot::Sender<Result<Value, Failure>>,
}

/// Why replicas are behind, while no group has been confirmed since.
type Behind = Arc<Mutex<Option<String>>>;

impl Group {
    /// A group and the work behind it, which somebody has to run.
    pub(super) fn new(link: Arc<Link>, replicas: u32) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, waiting) = mpsc::channel(MOST);
        let behind = Behind::default();
        let known = Arc::clone(&behind);
        let work = Work { link, replicas, wire: None, behind: known };
        (Self { jobs, behind }, work.run(waiting))
    }

    /// Writes, and answers once replicas have it or it is clear that they have not.
    pub(super) async fn write(&self, call: Call) -> Result<Value, Failure> {
        let (answer, answered) = oneshot::channel();
        let gone = |_| Failure::passing("docent is shutting down");
        self.jobs.send(Job { call, answer }).await.map_err(|_| gone(()))?;
        answered.await.unwrap_or_else(|_| Err(Failure::silent()))
    }

    /// Why replicas are behind.
    pub(super) fn trouble(&self) -> Option<String> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Work {
    link: Arc<Link>,
    replicas: u32,
    /// With the number of the link's connection when it was made.
    wire: Option<(u64, Wire)>,
    behind: Behind,
}

impl Work {
    async fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        loop {
            let first = match timeout(LOOK, waiting.recv()).await {
                Ok(Some(first)) => first,
                Ok(None) => return,
                Err(_) => {
                    self.look().await;
                    continue;
                }
            };
            let mut jobs = vec![first];
            while jobs.len() < MOST
                && let Ok(job) = waiting.try_recv()
            {
                jobs.push(job);
            }
            self.perform(jobs).await;
        }
    }

    async fn perform(&mut self, jobs: Vec<Job>) {
        let ready = match self.wire().await {
            Ok(wire) => ends(&wire).await.map(|ends| (wire, ends)),
            Err(failure) => Err(failure),
        };
        let (wire, ends) = match ready {
            Ok(ready) => ready,
            Err(failure) => {
                // Nothing was sent.
                let failure = Failure { refused: true, ..failure };
                jobs.into_iter().for_each(|job| drop(job.answer.send(Err(failure.clone()))));
                return;
            }
        };
        let calls = jobs.iter().map(|job| invoked(wire.clone(), &job.call));
        let answers = join_all(calls).await;
        let written = answers.iter().any(|answer| matches!(answer, Ok(Value::Int(_))));
        let confirmed = if written { self.confirmed(wire, &ends).await } else { Ok(()) };
        if answers.iter().any(|answer| matches!(answer, Err(failure) if failure.reconnect)) {
            self.wire = None;
        }
        for (job, answer) in jobs.into_iter().zip(answers) {
            let answer = match (answer, &confirmed) {
                (Ok(Value::Int(_)), Err(failure)) => Err(failure.clone()),
                (answer, _) => answer,
            };
            // Whoever asked may have lost patience.
            drop(job.answer.send(answer));
        }
    }

    async fn wire(&mut self) -> Result<Wire, Failure> {
        let number = self.link.up().await?.number;
        if let Some((made, wire)) = &self.wire
            && *made == number
        {
            return Ok(wire.clone());
        }
        let wire = Wire::connect(self.link.address()).await?;
        self.wire = Some((number, wire.clone()));
        Ok(wire)
    }

    /// Whether enough replicas have all that was written on these connections.
    async fn confirmed(&mut self, mut wire: Wire, before: &Ends) -> Result<(), Failure> {
        let mut wait = cmd("WAIT");
        wait.arg(self.replicas).arg(CONFIRM.as_millis());
        let found = match timeout(ANSWER, wait.query_async::<u32>(&mut wire)).await {
            Ok(Ok(found)) => found,
            _ => {
                self.wire = None;
                0
            }
        };
        if ends(&wire).await.as_ref() != Ok(before) {
            // The row itself tells what became of it.
            return Err(Failure { reconnect: false, ..Failure::silent() });
        }
        let short = (found < self.replicas).then(|| {
            format!(
                "only {found} of the {} replicas that `wait_replicas` asks for have it",
                self.replicas
            )
        });
        self.tell(short.clone());
        // It is on the master, so it may well last; but nobody has promised it.
        short.map_or(Ok(()), |reason| Err(Failure { reconnect: false, ..Failure::passing(reason) }))
    }

    fn tell(&self, short: Option<String>) {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*behind, &short) {
            (None, Some(reason)) => {
                tracing::error!(reason, "Replicas of Redis are behind; requests are refused");
            }
            (Some(_), None) => tracing::info!("Replicas of Redis have caught up"),
            _ => {}
        }
        *behind = short;
    }

    /// While replicas are behind nobody may be asking for a write.
    async fn look(&mut self) {
        let behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !behind {
            return;
        }
        let Ok(mut wire) = self.wire().await else { return };
        let Ok(ends) = ends(&wire).await else { return };
        if matches!(timeout(ANSWER, stamp(&mut wire)).await, Ok(Ok(()))) {
            // It tells by itself.
            drop(self.confirmed(wire, &ends).await);
        } else {
            self.wire = None;
        }
    }
}

async fn ends(wire: &Wire) -> Result<Ends, Failure> {
    match timeout(ANSWER, wire.ends()).await {
        Ok(told) => told.map_err(|error| Failure::of(&error)),
        Err(_) => Err(Failure::silent()),
    }
}

async fn invoked(mut wire: Wire, call: &Call) -> Result<Value, Failure> {
    match timeout(ANSWER, call.invoke_async::<Value>(&mut wire)).await {
        Ok(answer) => answer.map_err(|error| Failure::of(&error)),
        Err(_) => Err(Failure::silent()),
    }
}
