//! Gauges: what `/metrics` reads off the parts at the moment somebody asks.

use std::sync::{Mutex, PoisonError};

use crate::app::App;
use crate::journal::Figures;
use crate::rulebook::finding::{Finding, Severity};

/// Counts of the parts as last told, since metrics take differences.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    evicted: [u64; 5],
    swapped: u64,
    refused: u64,
    journal: Figures,
}

impl App {
    /// Brings every gauge up to date.
    pub fn gauge(&self) {
        let status = self.live.status();
        let mut told = self.told.0.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = self.store.figures();
        // What a shared store holds is not this process' to count.
        if !self.store.is_shared() {
            let sessions = usize::try_from(figures.sessions).unwrap_or(usize::MAX);
            self.metrics.store(sessions, figures.bytes);
        }
        for ((reason, count), before) in figures.evicted.iter().zip(&mut told.evicted) {
            self.metrics.evicted(reason.as_str(), count.saturating_sub(*before));
            *before = *count;
        }
        if let Some(journal) = &self.journal {
            let (figures, before) = (journal.figures(), told.journal);
            self.metrics.journal("written", figures.written.saturating_sub(before.written));
            self.metrics.journal("dropped", figures.dropped.saturating_sub(before.dropped));
            told.journal = figures;
        }
        let swapped = status.active.revision.saturating_sub(1);
        (told.swapped..swapped).for_each(|_| self.metrics.reload("swapped"));
        (told.refused..status.refused).for_each(|_| self.metrics.reload("refused"));
        (told.swapped, told.refused) = (swapped, status.refused);
        let newest = status.candidate.as_ref().map_or(&status.active.findings, |c| &c.findings);
        let errors = newest.iter().filter(|finding| is_error(finding)).count();
        self.metrics.findings(errors, newest.len() - errors);
        self.metrics.rules(status.active.rules);
        self.sources.count(&self.metrics);
        let broken = self.unhealthy_tours(self.clock.now());
        let broken = broken.into_iter().map(|(product, broken)| (product, broken.tour));
        self.metrics.unhealthy(broken.collect());
    }
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}
