//! What stands between a rule that matches and its offer: gates of its own, asked in order; the
//! first that refuses names the hold. They look at what a rule declares, the session, its
//! surroundings and the time.

mod calendar;
mod pacing;

use crate::domain::decision::Hold;
use crate::domain::time::Timestamp;
use crate::engine::around::Opinion;
use crate::engine::claims::rests_until;
use crate::engine::gates::{Facts, Refused};
use crate::engine::targets::{failures, target};
use crate::engine::words::has_words;
use crate::engine::{arms, ghosts};
use crate::rulebook::Product;
use crate::rulebook::condition::View;
use crate::rulebook::rule::{Mode, Rule};

/// A rule whose condition holds, and what its gates look at.
#[derive(Clone, Copy, Debug)]
pub struct Match<'a> {
    /// Whose rule.
    pub product: &'a Product,
    /// The rule.
    pub rule: &'a Rule,
    /// The session, its surroundings and the time.
    pub facts: &'a Facts<'a>,
    /// As conditions see them.
    pub view: &'a View<'a>,
}

impl Match<'_> {
    /// Whether the rule only shows what it would do.
    pub fn is_shadow(&self) -> bool {
        self.rule.mode == Mode::Shadow && !self.facts.tester
    }
}

/// A rule's gate: passes, or refuses and says until when.
pub type RuleGate = fn(&Match<'_>) -> Result<(), Refused>;

/// The gates of a rule in order, with their names.
pub const RULE_GATES: &[(&str, RuleGate)] = &[
    ("schedule", calendar::schedule),
    ("quiet_hours", calendar::quiet_hours),
    ("rest", rest),
    ("backoff", pacing::backoff),
    ("frequency", pacing::frequency),
    ("target", target),
    ("words", words),
    ("rollout", arms::rollout),
    ("group", pacing::group),
    ("judge", judge),
    ("holdout", arms::holdout),
];

/// Until when the gates before a hold let pass: it stands no longer under its name.
pub fn pass_until(asked: &Match<'_>, hold: Hold) -> Timestamp {
    calendar::pass_until(asked, hold)
}

/// What a gate went by, for explanations.
pub fn went_by(name: &str, asked: &Match<'_>) -> Option<String> {
    calendar::clock(name, asked).or_else(|| failures(name, asked))
}

fn refuse(hold: Hold, until: Timestamp) -> Result<(), Refused> {
    Err(Refused::new(hold, until))
}

fn rest(asked: &Match<'_>) -> Result<(), Refused> {
    if asked.is_shadow() {
        return ghosts::shadow_rests(asked);
    }
    let Facts { session, around, now, .. } = *asked.facts;
    let rest = rests_until(asked.rule, session, around.user.as_ref(), now);
    let rest = rest.max(ghosts::withheld_rests_until(asked));
    rest.map_or(Ok(()), |until| refuse(Hold::TriggerCooldown, until))
}

/// A text with a gap is never said.
fn words(asked: &Match<'_>) -> Result<(), Refused> {
    if has_words(asked.product, asked.rule, asked.view) {
        return Ok(());
    }
    refuse(Hold::MissingVariable, Timestamp::FOREVER)
}

/// The judge's word comes last: it costs a model's time.
fn judge(asked: &Match<'_>) -> Result<(), Refused> {
    let (true, Some(opinions)) = (asked.rule.judge, &asked.facts.around.judge) else {
        return Ok(());
    };
    let standing =
        |opinion: &&Opinion| opinion.trigger == asked.rule.id && asked.facts.now < opinion.until;
    match opinions.iter().find(standing) {
        None => refuse(Hold::JudgePending, Timestamp::FOREVER),
        Some(opinion) if opinion.send => Ok(()),
        Some(opinion) => refuse(Hold::JudgeRejected, opinion.until),
    }
}
