//! What an answer leads to: how long a trigger leaves the same person alone.

use std::sync::Arc;

use crate::domain::offer::Outcome;
use crate::domain::time::Span;
use crate::rulebook::pacing::YEAR;
use crate::rulebook::reader::{Fields, Findings, between, number, text, typed, words, wrong_type};
use crate::rulebook::yaml::{Node, Value};

/// The largest `stop_after`, and as many dismissals as are remembered per trigger and person.
pub const MOST_DISMISSALS: usize = 20;
/// The largest `factor`.
pub(in crate::rulebook) const MOST_FACTOR: f64 = 100.0;
/// Each key with its outcome, but for `on_dismiss`.
pub(in crate::rulebook) const RESTS: [(&str, Outcome); 5] = [
    ("on_ignore", Outcome::Ignored),
    ("on_accept", Outcome::Accepted),
    ("on_abandon", Outcome::Abandoned),
    ("on_fail", Outcome::Failed),
    ("on_complete", Outcome::Completed),
];

/// Rests after answers, per person where they are known, else per session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backoff {
    /// After dismissals: longer each time.
    pub dismissed: Option<Growth>,
    /// After each other outcome; [`Span::FOREVER`] for good.
    pub rests: Vec<(Outcome, Span)>,
    /// An action of this type wipes all of it.
    pub reset: Option<Arc<str>>,
}

impl Backoff {
    /// Whether nothing is declared.
    pub fn is_none(&self) -> bool {
        self.dismissed.is_none() && self.rests.is_empty()
    }
}

/// A rest that grows with each dismissal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// After the first.
    pub cooldown: Span,
    /// So many times longer after each further one, at least one.
    pub factor: f64,
    /// The longest.
    pub max: Span,
    /// After so many, never again.
    pub stop_after: Option<u32>,
}

impl Growth {
    /// How long the n-th dismissal rests the trigger, counted from one; [`Span::FOREVER`] for good.
    pub fn rest(&self, dismissals: usize) -> Span {
        let stops = self.stop_after.and_then(|after| usize::try_from(after).ok());
        if stops.is_some_and(|after| dismissals >= after) {
            return Span::FOREVER;
        }
        let exponent = i32::try_from(dismissals.saturating_sub(1)).unwrap_or(i32::MAX);
        let rest = self.cooldown.as_millis() as f64 * self.factor.powi(exponent);
        // A cast from float saturates.
        Span::from_millis(rest.round() as i64).min(self.max)
    }
}

/// Reads what a trigger says of answers.
pub(super) fn read(trigger: &Fields<'_>, findings: &mut Findings<'_>) -> Backoff {
    let mut backoff = Backoff::default();
    trigger.fill("on_dismiss", &mut backoff.dismissed, |n, f| growth(n, f).map(Some), findings);
    for (key, outcome) in RESTS {
        let rest = trigger.get(key).and_then(|node| rest(node, findings));
        backoff.rests.extend(rest.map(|rest| (outcome, rest)));
    }
    if let Some(node) = trigger.get("reset")
        && let Some(fields) = Fields::of(node, "`reset`", &["on"], findings)
    {
        let on = fields.need("on", findings).and_then(|node| words(node, findings));
        backoff.reset = on.map(Into::into);
    }
    if backoff.is_none()
        && let Some(node) = trigger.get("reset")
    {
        let help = "add `on_dismiss:` or another of the rests it ends".to_owned();
        findings.error(node, "conflict", "there is nothing that `reset` could end", Some(help));
    }
    backoff
}

/// `never`, or `{ cooldown: 7d }`.
fn rest(node: &Node, findings: &mut Findings<'_>) -> Option<Span> {
    if !matches!(node.value, Value::Map(_)) {
        if text(node, findings)? == "never" {
            return Some(Span::FOREVER);
        }
        let help = "write `never`, or `{ cooldown: 7d }`".to_owned();
        wrong_type(node, "`never` or a mapping", Some(help), findings);
        return None;
    }
    let fields = Fields::of(node, "a rest", &["cooldown"], findings)?;
    between(Span::ZERO, YEAR)(fields.need("cooldown", findings)?, findings)
}

fn growth(node: &Node, findings: &mut Findings<'_>) -> Option<Growth> {
    if node.as_str() == Some("never") {
        return Some(Growth {
            cooldown: Span::FOREVER,
            factor: 1.0,
            max: Span::FOREVER,
            stop_after: Some(1),
        });
    }
    let known = ["cooldown", "factor", "max", "stop_after"];
    let fields = Fields::of(node, "`on_dismiss`", &known, findings)?;
    let cooldown = fields
        .need("cooldown", findings)
        .and_then(|node| between(Span::ZERO, YEAR)(node, findings));
    let (mut factor, mut max, mut stop_after) = (1.0, Span::FOREVER, None);
    fields.fill("factor", &mut factor, self::factor, findings);
    fields.fill("max", &mut max, between(Span::ZERO, YEAR), findings);
    let stop = number(1..=MOST_DISMISSALS as i64);
    fields.fill("stop_after", &mut stop_after, |n, f| stop(n, f).map(Some), findings);
    let cooldown = cooldown?;
    if let Some(node) = fields.get("max").filter(|_| max < cooldown) {
        let message = format!("`max` is shorter than the first rest, `{cooldown}`");
        let help = format!("write {cooldown} or more, or a shorter `cooldown`");
        findings.error(node, "conflict", message, Some(help));
        return None;
    }
    Some(Growth { cooldown, factor, max, stop_after })
}

fn factor(node: &Node, findings: &mut Findings<'_>) -> Option<f64> {
    let help = "write a number from 1 to 100; 3 makes each rest three times as long".to_owned();
    let factor = match typed(node) {
        Value::Int(number) => number as f64,
        Value::Float(number) => number,
        _ => {
            wrong_type(node, "a number", Some(help), findings);
            return None;
        }
    };
    if (1.0..=MOST_FACTOR).contains(&factor) {
        return Some(factor);
    }
    let message = format!("`{}` is out of range", node.written(findings.source()));
    findings.error(node, "out-of-range", message, Some(help));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_grows_to_its_longest_and_ends_for_good() {
        let day = Span::from_seconds(86_400);
        let growth = Growth { cooldown: day, factor: 3.0, max: day.times(20), stop_after: Some(5) };
        let days: Vec<_> = (1..=5).map(|n| growth.rest(n)).collect();
        assert_eq!(days, [day, day.times(3), day.times(9), day.times(20), Span::FOREVER]);
        let plain = Growth { factor: 100.0, max: Span::FOREVER, stop_after: None, ..growth };
        assert_eq!(plain.rest(usize::MAX), Span::FOREVER);
    }
}
