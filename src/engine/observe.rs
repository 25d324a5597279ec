//! Observers of a decision. The poll's notes only what failed; the recording one writes down every
//! gate, rule and clause, and makes the same code go on past refusals.

use crate::domain::tally::Capped;
use crate::domain::time::Timestamp;
use crate::engine::gates::Refused;
use crate::engine::skip::capped;
use crate::engine::standing::{Match, went_by};
use crate::rulebook::Product;
use crate::rulebook::condition::{Answer, EvalError, View};
use crate::rulebook::rule::{Rule, When};

/// Watches a decision being made; never changes it.
pub trait Observer {
    /// Whether to go on past refusals, so that everything is looked at.
    const RECORDS: bool;
    /// A gate was asked.
    fn gate(&mut self, name: &'static str, outcome: Result<(), Refused>);
    /// A gate of the rule asked about next was asked.
    fn rule_gate(&mut self, name: &'static str, outcome: Result<(), Refused>, asked: &Match<'_>);
    /// A rule was asked.
    fn rule(&mut self, place: usize, rule: &Rule, view: &View<'_>, heard: &Heard<'_>);
}

/// What asking a rule came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// Not live, or not for this page: its condition was not asked.
    Skipped(&'static str),
    /// Arithmetic failed.
    Failed(&'a EvalError),
    /// It does not match.
    Silent(Answer),
    /// It matches and could win.
    Matched(Answer),
    /// It matches and could win, were it no shadow.
    Shadowed(Answer),
    /// It matches, and this keeps it back until then.
    Held(Refused),
}

/// The empty observer.
impl Observer for () {
    const RECORDS: bool = false;
    fn gate(&mut self, _: &'static str, _: Result<(), Refused>) {}
    fn rule_gate(&mut self, _: &'static str, _: Result<(), Refused>, _: &Match<'_>) {}
    fn rule(&mut self, _: usize, _: &Rule, _: &View<'_>, _: &Heard<'_>) {}
}

/// Everything that was looked at, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Each gate and what it said.
    pub gates: Vec<GateSeen>,
    /// Each rule and what it said, in priority order.
    pub rules: Vec<RuleSeen>,
    /// The gates of the rule that comes next.
    asked: Vec<GateSeen>,
}

/// A gate as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSeen {
    /// Its name.
    pub name: &'static str,
    /// Its refusal, if it refused.
    pub refused: Option<Refused>,
    /// What it went by, where that is not plain: the clock of a schedule.
    pub note: Option<String>,
}

impl RuleSeen {
    /// What it came to: `matched`, `silent`, `not on this page`, or the skip reason it would lead to.
    pub fn came_to<'a>(&'a self, product: &'a Product) -> &'a str {
        capped(product, self.cap).unwrap_or(&self.came_to)
    }
}

/// A rule as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSeen {
    /// Its place in the product's priority order.
    pub place: usize,
    /// What it came to: `matched`, `silent`, `trigger_cooldown`, `not on this page`, …
    came_to: String,
    /// The cap that keeps it back, where one does.
    cap: Option<Capped>,
    /// The first instant at which that may change.
    pub until: Timestamp,
    /// Its own gates, where its condition was asked; they are asked even when that does not hold.
    pub gates: Vec<GateSeen>,
    /// Its condition, clause by clause.
    pub clauses: Vec<crate::rulebook::condition::Clause>,
}

impl Recording {
    /// Writes this beside the gate that a pause closes.
    pub fn note_pause(&mut self, product: &Product, note: &str) {
        if !product.settings.proactive.enabled {
            return;
        }
        let closed = |gate: &&mut GateSeen| gate.name == "enabled" && gate.refused.is_some();
        self.gates.iter_mut().filter(closed).for_each(|gate| gate.note = Some(note.to_owned()));
    }
}

impl Observer for Recording {
    const RECORDS: bool = true;

    fn gate(&mut self, name: &'static str, outcome: Result<(), Refused>) {
        self.gates.push(GateSeen { name, refused: outcome.err(), note: None });
    }

    fn rule_gate(&mut self, name: &'static str, outcome: Result<(), Refused>, asked: &Match<'_>) {
        self.asked.push(GateSeen { name, refused: outcome.err(), note: went_by(name, asked) });
    }

    fn rule(&mut self, place: usize, rule: &Rule, view: &View<'_>, heard: &Heard<'_>) {
        let (came_to, until) = match heard {
            Heard::Skipped(why) => ((*why).to_owned(), Timestamp::FOREVER),
            Heard::Failed(error) => (format!("evaluation_error: {error}"), view.now),
            Heard::Silent(answer) => ("silent".to_owned(), answer.until),
            Heard::Matched(answer) => ("matched".to_owned(), answer.until),
            Heard::Shadowed(answer) => ("matched (shadow)".to_owned(), answer.until),
            Heard::Held(refused) => (refused.hold.as_str().to_owned(), refused.until),
        };
        let clauses = match &rule.when {
            When::Condition(condition) => condition.clauses(view),
            When::Builtin(_) => Vec::new(),
        };
        let gates = std::mem::take(&mut self.asked);
        let cap = match heard {
            Heard::Held(refused) => refused.cap,
            _ => None,
        };
        self.rules.push(RuleSeen { place, came_to, cap, until, gates, clauses });
    }
}
