//! Floor 4: the verbs. Each reads its records, calls one pure function of the engine and keeps
//! what changed: [`App::poll`], [`App::report`], [`App::deliver`], [`App::retrieve`].

mod announced;
mod attempts;
mod consent;
mod deadline;
mod deliver;
mod explain;
mod fire;
mod fleet;
mod forget;
mod gauges;
mod ghosts;
mod graves;
mod health;
mod lanes;
mod learn;
mod leases;
mod notes;
mod pauses;
mod people;
mod poll;
mod report;
mod retrieve;
mod settle;
mod sources;
mod sweeping;
mod tape;
mod targets;

pub use deadline::in_time;
pub use explain::Explained;
pub use fleet::{Fleet, Peer};
pub use forget::Forgotten;
pub use notes::{Note, NotedVerdict};
pub use people::{Erased, Exported, Found, Whom};
pub use poll::{Polled, Question};
pub use report::Report;
pub use sources::Sources;
pub use sweeping::{JournalOf, Recorded, Unswept};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::decision::Verdict;
use crate::domain::machine::AgentEvent;
use crate::domain::time::Timestamp;
use crate::engine::react::Reaction;
use crate::journal::Journal;
use crate::library::live::Live;
use crate::rulebook::Product;
use crate::runtime::clock::Clock;
use crate::runtime::metrics::Metrics;
use crate::runtime::tasks::Tasks;
use crate::store::{Store, StoreError};

/// Everything the verbs share. Built once, passed as an `Arc`.
#[derive(Debug)]
pub struct App {
    /// The rulebook in force.
    pub live: Arc<Live>,
    /// The records.
    pub store: Arc<Store>,
    /// Where "now" comes from.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The upstreams being read.
    pub sources: Sources,
    /// Where a verb runs that must not be cut short.
    pub tasks: Tasks,
    draining: AtomicBool,
    health: health::Health,
    notes: notes::Notes,
    told: gauges::Told,
    targets: targets::Seen,
    pauses: pauses::Pauses,
    name: fleet::Name,
    attempts: attempts::Attempts,
    books: settle::Books,
    heard: fleet::Heard,
    namesake: fleet::Namesake,
    sweeping: sweeping::Sweeping,
    journal: Option<Journal>,
}

/// Why a verb has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The session is bound to somebody else.
    #[error("this session belongs to another user")]
    AnotherUser,
    /// Too many changes at once; asking again helps.
    #[error("this session is changing too fast")]
    Busy,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Puts the parts together.
    pub fn new(live: Arc<Live>, store: Arc<Store>, clock: Clock, metrics: Arc<Metrics>) -> Self {
        let (sources, tasks, draining, health, notes, told, targets) = <_>::default();
        let (pauses, name, attempts, books, heard) = <_>::default();
        let (namesake, sweeping, journal) = <_>::default();
        Self {
            live,
            store,
            clock,
            metrics,
            sources,
            tasks,
            draining,
            health,
            notes,
            told,
            targets,
            pauses,
            name,
            attempts,
            books,
            heard,
            namesake,
            sweeping,
            journal,
        }
    }

    /// Writes down what happens, too.
    pub fn journalling(self, journal: Option<Journal>) -> Self {
        Self { journal, ..self }
    }

    /// Where that is written, if it is.
    pub const fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// From now on docent is winding down: open requests end, and no new ones should come.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether docent is winding down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The last decisions, newest first.
    pub fn latest(&self) -> Vec<Note> {
        self.notes.latest()
    }

    fn answered(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        polled: Polled,
        now: Timestamp,
    ) -> Polled {
        self.metrics.poll(polled.decision.verdict);
        match (polled.decision.verdict, &polled.offer) {
            (Verdict::Hold(hold), _) => {
                let cap = polled.decision.cap.and_then(|cap| product.caps.get(cap.place));
                let why = (hold, cap.map(|cap| &cap.reason));
                self.notes.held(now, &product.id, question.session, why);
            }
            (Verdict::Fire(_), Some(offer)) => {
                if !offer.tester {
                    let variant = offer.variant.as_ref();
                    self.metrics.offered(&product.id, &offer.trigger, variant);
                }
                self.notes.offered(now, &product.id, question.session, &offer.trigger);
            }
            (Verdict::Fire(_) | Verdict::Redeliver, _) => {}
        }
        polled
    }

    fn note_event(&self, product: &Product, event: &AgentEvent, reaction: &Reaction) {
        let result = reaction.unheard.map_or("counted", |unheard| unheard.as_str());
        self.metrics.event(&product.id, event.name(), result);
    }

    /// Counts failing rules by name; the twentieth error in a row pauses one.
    fn note_health(&self, product: &Product, noted: &health::Noted) {
        for rule in noted.failed.iter().filter_map(|place| product.rules.get(*place)) {
            self.metrics.rule_error(&product.id, &rule.id);
            if self.health.failed(&product.id, &rule.id) {
                tracing::warn!(product.id = %product.id, rule.id = %rule.id, "Paused a rule that keeps failing");
                self.live.pause(&product.id, &rule.id, self.clock.now());
            }
        }
        for rule in noted.sound.iter().filter_map(|place| product.rules.get(*place)) {
            self.health.sound(&product.id, &rule.id);
        }
    }
}
