//! Rules that fail: counted, and after twenty errors in a row paused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::gates::Refused;
use crate::engine::observe::{Heard, Observer};
use crate::engine::standing::Match;
use crate::rulebook::condition::View;
use crate::rulebook::rule::Rule;

/// Errors in a row after which a rule is paused.
const ERRORS_IN_A_ROW: u32 = 20;

/// What one poll saw of its rules: places that failed, and, while some rule is failing, places
/// that did not.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    attentive: bool,
    pub(crate) failed: Vec<usize>,
    pub(crate) sound: Vec<usize>,
}

impl Noted {
    pub(crate) fn new(attentive: bool) -> Self {
        Self { attentive, ..Self::default() }
    }
}

impl Observer for Noted {
    const RECORDS: bool = false;

    fn gate(&mut self, _: &'static str, _: Result<(), Refused>) {}

    fn rule_gate(&mut self, _: &'static str, _: Result<(), Refused>, _: &Match<'_>) {}

    fn rule(&mut self, place: usize, _: &Rule, _: &View<'_>, heard: &Heard<'_>) {
        match heard {
            Heard::Failed(_) => self.failed.push(place),
            Heard::Skipped(_) => {}
            _ if self.attentive => self.sound.push(place),
            _ => {}
        }
    }
}

/// By product and rule.
type Streaks = BTreeMap<(Arc<str>, Arc<str>), u32>;

/// Streaks of errors.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failing: AtomicUsize,
    streaks: Mutex<Streaks>,
}

impl Health {
    /// Whether some rule is failing, so that sound answers matter too.
    pub(crate) fn is_watching(&self) -> bool {
        self.failing.load(Ordering::Relaxed) > 0
    }

    /// A rule failed; `true` when it is to be paused now.
    pub(crate) fn failed(&self, product: &Arc<str>, rule: &Arc<str>) -> bool {
        let mut streaks = self.streaks.lock().unwrap_or_else(PoisonError::into_inner);
        let streak = streaks.entry((Arc::clone(product), Arc::clone(rule))).or_default();
        *streak += 1;
        let pause = *streak >= ERRORS_IN_A_ROW;
        if pause {
            streaks.remove(&(Arc::clone(product), Arc::clone(rule)));
        }
        self.failing.store(streaks.len(), Ordering::Relaxed);
        pause
    }

    /// A rule had an answer: its streak is over.
    pub(crate) fn sound(&self, product: &Arc<str>, rule: &Arc<str>) {
        let mut streaks = self.streaks.lock().unwrap_or_else(PoisonError::into_inner);
        streaks.remove(&(Arc::clone(product), Arc::clone(rule)));
        self.failing.store(streaks.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_errors_in_a_row_pause_a_rule_and_an_answer_ends_the_streak() {
        let (health, product, rule): (_, Arc<str>, Arc<str>) =
            (Health::default(), "acme".into(), "r".into());
        let pauses = (0..19).filter(|_| health.failed(&product, &rule)).count();
        assert_eq!(pauses, 0);
        health.sound(&product, &rule);
        assert!(!health.is_watching());
        let pauses = (0..20).filter(|_| health.failed(&product, &rule)).count();
        assert_eq!(pauses, 1, "the twentieth, and only it");
    }
}
