//! What a test's polls show of each rule, beside what they come to.

use crate::engine::gates::Refused;
use crate::engine::observe::{Heard, Observer};
use crate::engine::standing::Match;
use crate::rulebook::condition::{Deciding, View};
use crate::rulebook::rule::{Rule, When};

/// Notes which rules are asked and have nothing to offer, and which of their clauses decide.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) silent: Vec<usize>,
    pub(super) deciding: Vec<(usize, Deciding)>,
}

impl Observer for Watch {
    const RECORDS: bool = false;

    fn gate(&mut self, _: &'static str, _: Result<(), Refused>) {}

    fn rule_gate(&mut self, _: &'static str, _: Result<(), Refused>, _: &Match<'_>) {}

    fn rule(&mut self, place: usize, rule: &Rule, view: &View<'_>, heard: &Heard<'_>) {
        if let (When::Condition(condition), false) = (&rule.when, is_skipped(heard)) {
            condition.deciding(view, |decided| self.deciding.push((place, decided)));
        }
        if matches!(heard, Heard::Silent(_) | Heard::Held(..)) {
            self.silent.push(place);
        }
    }
}

fn is_skipped(heard: &Heard<'_>) -> bool {
    matches!(heard, Heard::Skipped(_))
}
