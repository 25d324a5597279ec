//! A replay over all cores: groups of sessions that may bear on each other are handed out one after
//! the other, and their figures added up. The sum is the same in any order.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::cli::replay::human::grouped;
use crate::cli::replay::input::Recordings;
use crate::cli::replay::rulebooks::Loaded;
use crate::domain::time::Span;
use crate::engine::replay::answers::Assume;
use crate::engine::replay::compare::Changes;
use crate::engine::replay::figures::Figures;
use crate::engine::replay::recording::{Reach, Recorded, groups};
use crate::engine::replay::{Play, Played, replay};

/// How often progress is shown.
const TICK: Duration = Duration::from_millis(200);

/// How everything is lived through.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Pace {
    pub(in crate::cli) assume: Assume,
    pub(in crate::cli) poll_every: Span,
    pub(in crate::cli) linger: Span,
}

/// What one product's sessions came to.
pub(in crate::cli) struct Outcome {
    pub(in crate::cli) product: Arc<str>,
    /// Which of its sessions were lived through together.
    pub(in crate::cli) reach: Reach,
    pub(in crate::cli) actions: usize,
    /// Whether the polls of all, of some or of none were recorded.
    pub(in crate::cli) polled: usize,
    pub(in crate::cli) head: Figures,
    /// With `--against`.
    pub(in crate::cli) base: Option<Figures>,
    pub(in crate::cli) changes: Changes,
}

/// Lives through every product's sessions.
pub(in crate::cli) fn all(
    recordings: &Recordings,
    head: &Loaded,
    base: Option<&Loaded>,
    pace: Pace,
) -> Vec<Outcome> {
    let products = recordings.products.iter();
    let outcomes = products.filter_map(|(id, sessions)| {
        let job = Job {
            sessions,
            head: play(head, id, pace)?,
            base: base.map(|base| play(base, id, pace)),
        };
        let reach = Reach::of(job.head.product);
        let other = job.base.flatten().map(|base| Reach::of(base.product));
        let reach = reach.max(other.unwrap_or(reach));
        let Part { head, base, changes } = job.run(&groups(sessions, reach));
        let actions = sessions.iter().map(Recorded::actions).sum();
        let polled = sessions.iter().filter(|session| session.polled).count();
        let product = Arc::clone(id);
        Some(Outcome { product, reach, actions, polled, head, base, changes })
    });
    outcomes.collect()
}

fn play<'a>(loaded: &'a Loaded, product: &str, pace: Pace) -> Option<Play<'a>> {
    let Pace { assume, poll_every, linger } = pace;
    let limits = &loaded.rulebook.settings.limits;
    let product = loaded.rulebook.products.get(product)?;
    Some(Play { product, limits, assume, poll_every, linger })
}

/// One product's sessions, and whose rules they are lived through with; a base that does not have
/// the product offers nothing.
struct Job<'a> {
    sessions: &'a [Recorded],
    head: Play<'a>,
    base: Option<Option<Play<'a>>>,
}

/// What some of the sessions came to.
#[derive(Default)]
struct Part {
    head: Figures,
    base: Option<Figures>,
    changes: Changes,
}

impl Job<'_> {
    fn run(&self, groups: &[Vec<usize>]) -> Part {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (next, done) = (&next, &done);
        let cores = thread::available_parallelism().map_or(1, usize::from).min(groups.len().max(1));
        let (results, parts) = channel();
        thread::scope(|scope| {
            for _ in 0..cores {
                let results = results.clone();
                scope.spawn(move || {
                    let mut part = Part::default();
                    while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.live(group, &mut part);
                        done.fetch_add(group.len(), Ordering::Relaxed);
                    }
                    // Whoever waits for it is still there.
                    let _waits = results.send(part);
                });
            }
            drop(results);
            self.gather(&parts, done)
        })
    }

    fn live(&self, group: &[usize], part: &mut Part) {
        let sessions: Vec<&Recorded> =
            group.iter().filter_map(|place| self.sessions.get(*place)).collect();
        let head = replay(self.head, &sessions);
        head.iter().for_each(|played| part.head.take(played));
        let Some(base) = self.base else { return };
        let base = match base {
            Some(base) => replay(base, &sessions),
            None => vec![Played::default(); sessions.len()],
        };
        let figures = part.base.get_or_insert_default();
        base.iter().for_each(|played| figures.take(played));
        for (((place, recorded), base), head) in group.iter().zip(sessions).zip(&base).zip(&head) {
            part.changes.note((*place, recorded), base, head);
        }
    }

    fn gather(&self, parts: &Receiver<Part>, done: &AtomicUsize) -> Part {
        let mut whole = Part { base: self.base.map(|_| Figures::default()), ..Part::default() };
        let mut progress = Progress::new(self.sessions.len());
        loop {
            match parts.recv_timeout(TICK) {
                Ok(part) => {
                    whole.head.absorb(part.head);
                    whole.changes.absorb(part.changes);
                    if let (Some(base), Some(more)) = (&mut whole.base, part.base) {
                        base.absorb(more);
                    }
                }
                Err(RecvTimeoutError::Timeout) => progress.show(done.load(Ordering::Relaxed)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        progress.end();
        whole
    }
}

/// One line that is written over, on a terminal alone.
struct Progress {
    all: usize,
    terminal: bool,
    shown: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self { all, terminal: std::io::stderr().is_terminal(), shown: false }
    }

    fn show(&mut self, done: usize) {
        if self.terminal {
            let (done, all) = (grouped(done as u64), grouped(self.all as u64));
            self.write(&format!("\r\u{1b}[Kreplayed {done} of {all} sessions"));
            self.shown = true;
        }
    }

    fn end(&mut self) {
        if self.shown {
            self.write("\r\u{1b}[K");
        }
    }

    fn write(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
