//! The answer to a poll with `explain=1`: every gate, rule and clause, as looked at.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Explained;
use crate::domain::decision::Verdict;
use crate::domain::tally::Per;
use crate::domain::time::Timestamp;
use crate::engine::observe::{GateSeen, RuleSeen};
use crate::engine::skip::{narrowed, refusal, skip_reason};
use crate::rulebook::Product;
use crate::rulebook::condition::{Clause, Truth};

/// What a poll would have come to, and why. Nothing was fired, charged or written.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplainedBody<'a> {
    /// A trigger's id, or the skip reason.
    pub verdict: &'a str,
    /// The revision that was asked.
    pub digest: &'a str,
    /// The shadow trigger that would have been offered, if one would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<&'a str>,
    /// Whether this is a tester, for whom nothing that spaces offers out counts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tester: bool,
    /// In order; the first that refuses decides.
    pub gates: Vec<GateBody<'a>>,
    /// In priority order; the first match that nothing holds wins.
    pub rules: Vec<RuleBody<'a>>,
    /// With `rule=`: the first thing that would have to change for that trigger to fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_obstacle: Option<String>,
}

/// One gate.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ExplainedGate)]
pub struct GateBody<'a> {
    /// Its name.
    pub gate: &'static str,
    /// Its hold; null when it let the poll pass.
    pub hold: Option<&'a str>,
    /// Where a cap per person or account counts while these are not known: `user`, `session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_per: Option<&'static str>,
    /// Until when it refuses, Unix seconds; null when no time is known.
    pub until: Option<f64>,
    /// What it went by, where that is not plain: the clock of a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ExplainedRule)]
pub struct RuleBody<'a> {
    /// Its id.
    pub trigger_id: &'a str,
    /// `matched`, `silent`, or what kept it back.
    pub came_to: &'a str,
    /// The first instant at which time alone may change that, Unix seconds.
    pub until: Option<f64>,
    /// Its own gates, in order; each is asked even when the condition does not hold.
    pub gates: Vec<GateBody<'a>>,
    /// Its condition, leaf by leaf.
    pub clauses: Vec<ClauseBody>,
}

/// One leaf of a condition.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ExplainedClause)]
pub struct ClauseBody {
    /// As an author would write it.
    pub clause: String,
    /// What it asks for.
    pub required: String,
    /// What there was.
    pub found: String,
    /// Null when something it needs is not known.
    pub holds: Option<bool>,
    /// The first instant at which time alone may change that, Unix seconds.
    pub until: Option<f64>,
}

impl<'a> ExplainedBody<'a> {
    /// The answer for an explanation made at `now`.
    pub fn new(
        product: &'a Product,
        explained: &'a Explained,
        first_obstacle: Option<String>,
        now: Timestamp,
    ) -> Self {
        let recording = &explained.recording;
        let id = |place: usize| product.rules.get(place).map_or("", |rule| &rule.id);
        let verdict = match explained.decision.verdict {
            Verdict::Fire(place) => id(place),
            Verdict::Redeliver => "redelivered",
            Verdict::Hold(hold) => {
                skip_reason(product, &explained.decision).unwrap_or(hold.as_str())
            }
        };
        let rule = |seen: &'a RuleSeen| RuleBody {
            trigger_id: id(seen.place),
            came_to: seen.came_to(product),
            until: later(seen.until, now),
            gates: seen.gates.iter().map(|gate| gate_body(product, gate, now)).collect(),
            clauses: seen.clauses.iter().map(|clause| clause_body(clause, now)).collect(),
        };
        Self {
            verdict,
            digest: &product.digest,
            shadow: explained.decision.shadow.would.map(id),
            tester: explained.tester,
            gates: recording.gates.iter().map(|gate| gate_body(product, gate, now)).collect(),
            rules: recording.rules.iter().map(rule).collect(),
            first_obstacle,
        }
    }
}

fn gate_body<'a>(product: &'a Product, gate: &GateSeen, now: Timestamp) -> GateBody<'a> {
    let refused = gate.refused.as_ref();
    GateBody {
        gate: gate.name,
        hold: refused.map(|refused| refusal(product, refused)),
        counted_per: refused.and_then(|r| narrowed(product, r.cap)).map(Per::as_str),
        until: gate.refused.and_then(|refused| later(refused.until, now)),
        note: gate.note.clone(),
    }
}

fn clause_body(clause: &Clause, now: Timestamp) -> ClauseBody {
    ClauseBody {
        clause: clause.text.clone(),
        required: clause.required.clone(),
        found: clause.found.clone(),
        holds: match clause.answer.truth {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown => None,
        },
        until: later(clause.answer.until, now),
    }
}

/// An instant worth telling: after now, and not "forever".
fn later(until: Timestamp, now: Timestamp) -> Option<f64> {
    (now < until && until != Timestamp::FOREVER).then(|| until.as_seconds())
}
