//! The list form of a condition: each leaf in its short and its long form. A text instead of a
//! list is one Rhai expression; its mistakes are led back to their place in the file.

use std::sync::Arc;

use crate::domain::offer::Outcome;
use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Clock, Counted, Needle, Step, Tally};
use crate::rulebook::condition::arguments::{checked_window, outcome_help};
use crate::rulebook::condition::traits;
use crate::rulebook::condition::vocabulary::{LEAVES, PING_PONG_WINDOW, WINDOW};
use crate::rulebook::condition::{Bound, Condition, read_expression};
use crate::rulebook::pages::pattern;
use crate::rulebook::reader::{
    Fields, Findings, list, one_or_several, span, whole, words, wrong_type,
};
use crate::rulebook::settings::Activity;
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::{Node, Value};

/// Levels of `any` and `not` inside each other.
const MAX_NESTING: usize = 16;

/// Reads a rule's `when`: a list of leaves, all of which must hold, or one Rhai expression.
/// `None` when something is wrong; every mistake is among the findings.
pub fn read(node: &Node, findings: &mut Findings<'_>, limits: &Activity) -> Option<Condition> {
    let mut reader = Reader { findings, limits, nesting: 0 };
    match &node.value {
        Value::Str(text) => reader.expression(node, text),
        Value::Seq(_) => reader.all(node),
        _ => {
            let help = "write a list of conditions, or one expression over `session`".to_owned();
            wrong_type(node, "a list of conditions", Some(help), reader.findings);
            None
        }
    }
}

struct Reader<'f, 's, 'l> {
    findings: &'f mut Findings<'s>,
    limits: &'l Activity,
    nesting: usize,
}

impl Reader<'_, '_, '_> {
    fn expression(&mut self, node: &Node, text: &str) -> Option<Condition> {
        match read_expression(text, self.limits) {
            Ok(condition) => Some(condition),
            Err(mistakes) => {
                for mistake in mistakes {
                    let place = (mistake.offset, mistake.length);
                    let (message, help) = (mistake.message, mistake.help);
                    self.findings.error_within(node, place, mistake.code, message, help);
                }
                None
            }
        }
    }

    /// A list of leaves, all of which must hold; one alone stands for itself.
    fn all(&mut self, node: &Node) -> Option<Condition> {
        let mut parts = self.items(node)?;
        match parts.len() {
            1 => parts.pop(),
            _ => Some(Condition::All(parts)),
        }
    }

    fn items(&mut self, node: &Node) -> Option<Vec<Condition>> {
        let items = one_or_several(node);
        if items.is_empty() {
            let help = "write at least one, for example `- dwell: 20s`".to_owned();
            self.findings.error(node, "empty-list", "this list has no conditions", Some(help));
            return None;
        }
        let read: Vec<_> = items.iter().map(|item| self.item(item)).collect();
        read.into_iter().collect()
    }

    /// One item: a mapping of leaves, or a nested list; all of it must hold.
    fn item(&mut self, node: &Node) -> Option<Condition> {
        let leaves = match &node.value {
            Value::Map(leaves) if !leaves.is_empty() => leaves,
            Value::Seq(_) => return self.deeper(node, Self::all),
            _ => {
                let help = "write for example `- dwell: 20s`".to_owned();
                wrong_type(node, "a condition", Some(help), self.findings);
                return None;
            }
        };
        let read: Vec<_> = leaves.iter().map(|(key, value)| self.leaf(key, value)).collect();
        let mut parts: Vec<_> = read.into_iter().collect::<Option<_>>()?;
        match parts.len() {
            1 => parts.pop(),
            _ => Some(Condition::All(parts)),
        }
    }

    fn leaf(&mut self, key: &Node, value: &Node) -> Option<Condition> {
        let name = key.as_str().unwrap_or_default();
        match name {
            "page" => self.pages(value),
            "ping_pong" => self.ping_pong(value),
            "dwell" => self.elapsed(&Clock::Dwell, value),
            "idle" => self.elapsed(&Clock::Idle, value),
            "count" => self.count(value),
            "visits" => self.visits(value),
            "errors" => self.tally(Counted::Errors, value, "errors"),
            "rage_clicks" => self.tally(Counted::RageClicks, value, "rage_clicks"),
            "trait" => traits::read(value, self.findings),
            "seen" => self.seen(value),
            "sequence" => self.sequence(value),
            "any" => self.deeper(value, |reader, node| Some(Condition::Any(reader.items(node)?))),
            "not" => {
                self.deeper(value, |reader, node| Some(Condition::Not(Box::new(reader.all(node)?))))
            }
            "rhai" => words(value, self.findings).and_then(|text| self.expression(value, text)),
            _ => {
                let names = LEAVES.iter().map(|leaf| leaf.name);
                let help = did_you_mean(name, names.clone()).unwrap_or_else(|| {
                    format!("conditions are `{}`", names.collect::<Vec<_>>().join("`, `"))
                });
                let written = key.written(self.findings.source());
                let message = format!("there is no condition `{written}`");
                self.findings.error(key, "unknown-condition", message, Some(help));
                None
            }
        }
    }

    fn deeper(
        &mut self,
        node: &Node,
        read: impl FnOnce(&mut Self, &Node) -> Option<Condition>,
    ) -> Option<Condition> {
        if self.nesting >= MAX_NESTING {
            let message = format!("conditions are nested deeper than {MAX_NESTING} levels");
            self.findings.error(node, "too-deep", message, None);
            return None;
        }
        self.nesting += 1;
        let condition = read(self, node);
        self.nesting -= 1;
        condition
    }

    fn pages(&mut self, node: &Node) -> Option<Condition> {
        let items = one_or_several(node);
        if items.is_empty() {
            self.findings.error(node, "empty-list", "this list has no pages", None);
            return None;
        }
        let read: Vec<_> = items.iter().map(|item| pattern(item, self.findings)).collect();
        Some(Condition::Page(read.into_iter().collect::<Option<_>>()?))
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let step = Step::new(words(node, self.findings)?);
        match &step {
            Step::Page(_) => pattern(node, self.findings).map(|_| step),
            Step::Kind(_) => Some(step),
        }
    }

    fn elapsed(&mut self, clock: &Clock, node: &Node) -> Option<Condition> {
        let at_least = |span| Condition::Elapsed(clock.clone(), span);
        if !matches!(node.value, Value::Map(_)) {
            return span(node, self.findings).map(at_least);
        }
        let what = if *clock == Clock::Dwell { "dwell" } else { "idle" };
        let fields = Fields::of(node, what, keys(what), self.findings)?;
        let least = fields.get("at_least").map(|node| span(node, self.findings));
        let most = fields.get("at_most").map(|node| span(node, self.findings));
        if least.is_none() && most.is_none() {
            return if fields.has_strays() {
                None
            } else {
                self.lacks_bound(node, "at_least: 20s")
            };
        }
        let longer = |most: Span| at_least(most.plus(Span::from_millis(1)));
        let least = least.map(|span| span.map(at_least));
        let most = most.map(|span| span.map(|most| Condition::Not(Box::new(longer(most)))));
        both(least, most)
    }

    fn lacks_bound<T>(&mut self, node: &Node, example: &str) -> Option<T> {
        let help = Some(format!("write for example `{example}`"));
        self.findings.error(node, "missing-key", "nothing is required here", help);
        None
    }

    fn ping_pong(&mut self, node: &Node) -> Option<Condition> {
        let (times, within) = if let Value::Map(_) = node.value {
            let fields = Fields::of(node, "ping_pong", keys("ping_pong"), self.findings)?;
            let times = match fields.get("times") {
                Some(times) => whole(times, 1..=i64::MAX, self.findings),
                None => Some(2),
            };
            (times, self.window(&fields, PING_PONG_WINDOW))
        } else {
            let times = whole(node, 1..=i64::MAX, self.findings);
            (times, Some(PING_PONG_WINDOW.min(self.limits.keep)))
        };
        let tally = Tally { of: Counted::Returns, within: within? };
        Some(Condition::Tally(tally, Bound::AtLeast(times?)))
    }

    fn count(&mut self, node: &Node) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let kind = words(node, self.findings)?;
            return Some(self.at_least_once(Counted::Actions(kind.into(), None)));
        }
        let fields = Fields::of(node, "count", keys("count"), self.findings)?;
        let kind = fields.need("type", self.findings);
        let kind = kind.and_then(|kind| words(kind, self.findings)).map(Arc::<str>::from);
        let text = fields.get("text").map(|text| words(text, self.findings).map(Needle::new));
        let bounded = self.bounded(&fields);
        let text = match text {
            Some(text) => Some(text?),
            None => None,
        };
        let (within, bounds) = bounded?;
        Some(tallies(&Tally { of: Counted::Actions(kind?, text), within }, bounds))
    }

    fn visits(&mut self, node: &Node) -> Option<Condition> {
        match &node.value {
            Value::Map(_) => {}
            Value::Str(_) => {
                let page = pattern(node, self.findings)?;
                return Some(self.at_least_once(Counted::Visits(Some(page))));
            }
            _ => return self.tally(Counted::Visits(None), node, "visits"),
        }
        let fields = Fields::of(node, "visits", keys("visits"), self.findings)?;
        let page = fields.get("page").map(|page| pattern(page, self.findings));
        let bounded = self.bounded(&fields);
        let page = match page {
            Some(page) => Some(page?),
            None => None,
        };
        let (within, bounds) = bounded?;
        Some(tallies(&Tally { of: Counted::Visits(page), within }, bounds))
    }

    fn at_least_once(&self, of: Counted) -> Condition {
        let within = WINDOW.min(self.limits.keep);
        Condition::Tally(Tally { of, within }, Bound::AtLeast(1))
    }

    /// A number alone means at least that many.
    fn tally(&mut self, of: Counted, node: &Node, name: &'static str) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let least = whole(node, 1..=i64::MAX, self.findings)?;
            let within = WINDOW.min(self.limits.keep);
            return Some(Condition::Tally(Tally { of, within }, Bound::AtLeast(least)));
        }
        let fields = Fields::of(node, name, keys(name), self.findings)?;
        let (within, bounds) = self.bounded(&fields)?;
        Some(tallies(&Tally { of, within }, bounds))
    }

    fn window(&mut self, fields: &Fields<'_>, default: Span) -> Option<Span> {
        let Some(node) = fields.get("within") else { return Some(default.min(self.limits.keep)) };
        let window = span(node, self.findings)?;
        let checked = checked_window(window, self.limits);
        checked
            .map_err(|(code, message, help)| self.findings.error(node, code, message, Some(help)))
            .ok()
    }

    /// The window and every bound written; at least one when none is.
    fn bounded(&mut self, fields: &Fields<'_>) -> Option<(Span, Vec<Bound>)> {
        let within = self.window(fields, WINDOW);
        let mut bounds = Vec::new();
        for key in ["at_least", "at_most", "exactly"] {
            let Some(node) = fields.get(key) else { continue };
            let number = whole(node, 0..=i64::MAX, self.findings);
            bounds.push(number.map(|number| match key {
                "at_least" => Bound::AtLeast(number),
                "at_most" => Bound::AtMost(number),
                _ => Bound::Exactly(number),
            }));
        }
        if bounds.is_empty() {
            bounds.push(Some(Bound::AtLeast(1)));
        }
        Some((within?, bounds.into_iter().collect::<Option<_>>()?))
    }

    fn seen(&mut self, node: &Node) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let trigger = words(node, self.findings)?.into();
            return Some(Condition::Seen { trigger, outcome: None });
        }
        let fields = Fields::of(node, "seen", keys("seen"), self.findings)?;
        let trigger = fields.need("trigger", self.findings);
        let trigger = trigger.and_then(|trigger| words(trigger, self.findings));
        let outcome = match fields.get("outcome") {
            Some(outcome) => Some(self.outcome(outcome)?),
            None => None,
        };
        Some(Condition::Seen { trigger: trigger?.into(), outcome })
    }

    fn outcome(&mut self, node: &Node) -> Option<Outcome> {
        let name = words(node, self.findings)?;
        let outcome = Outcome::named(name);
        if outcome.is_none() {
            let message = format!("no outcome is called `{name}`");
            self.findings.error(node, "unknown-outcome", message, Some(outcome_help(name)));
        }
        outcome
    }

    fn sequence(&mut self, node: &Node) -> Option<Condition> {
        let (steps, within) = if let Value::Map(_) = node.value {
            let fields = Fields::of(node, "sequence", keys("sequence"), self.findings)?;
            (fields.need("of", self.findings), self.window(&fields, WINDOW))
        } else {
            (Some(node), Some(WINDOW.min(self.limits.keep)))
        };
        let steps = steps?;
        let items = list(steps, self.findings);
        if items.is_empty() {
            let help = "write for example `[/cart, error]`".to_owned();
            self.findings.error(steps, "empty-list", "this sequence has no steps", Some(help));
            return None;
        }
        let read: Vec<_> = items.iter().map(|item| self.step(item)).collect();
        Some(Condition::Sequence {
            steps: read.into_iter().collect::<Option<_>>()?,
            within: within?,
        })
    }
}

fn keys(leaf: &str) -> &'static [&'static str] {
    LEAVES.iter().find(|known| known.name == leaf).map_or(&[], |known| known.keys)
}

fn tallies(tally: &Tally, bounds: Vec<Bound>) -> Condition {
    let mut parts: Vec<_> =
        bounds.into_iter().map(|bound| Condition::Tally(tally.clone(), bound)).collect();
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => Condition::All(parts.into_iter().chain(last).collect()),
    }
}

/// Both of what is written; `None` where what is written is wrong.
fn both(least: Option<Option<Condition>>, most: Option<Option<Condition>>) -> Option<Condition> {
    match (least, most) {
        (Some(least), Some(most)) => Some(Condition::All(vec![least?, most?])),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
