//! The list form of a condition: each leaf in its short and its long form. A text instead of a
//! list is one Rhai expression; its mistakes are led back to their place in the file.

pub(in crate::rulebook) mod counts;
mod past;
mod segments;
mod signs;
mod steps;
mod texts;

use std::sync::Arc;

use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Clock, Counted};
use crate::rulebook::condition::detectors::detector;
use crate::rulebook::condition::lower::read_spelled;
use crate::rulebook::condition::spelling::{Part, Spelling, written};
use crate::rulebook::condition::traits;
use crate::rulebook::condition::vocabulary::LEAVES;
use crate::rulebook::condition::{Comparison, Condition, Field, Ground, Term};
use crate::rulebook::pages::pattern;
use crate::rulebook::reader::{Fields, Findings, list, one_or_several, span, words, wrong_type};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::{Node, Style, Value};

pub(in crate::rulebook::condition) use steps::never_holds;

/// Levels of `any` and `not` inside each other.
const MAX_NESTING: usize = 16;

/// Reads a rule's `when`: a list of leaves, all of which must hold, or one Rhai expression.
/// `None` when something is wrong; every mistake is among the findings.
pub fn read<'g>(
    node: &Node,
    findings: &mut Findings<'_>,
    ground: impl Into<Ground<'g>>,
) -> Option<(Condition, Spelling)> {
    let (before, ground) = (findings.count(), ground.into());
    let spelling = Spelling::default();
    let mut reader = Reader { findings, ground, nesting: 0, clauses: 0, spelling };
    let condition = match &node.value {
        Value::Str(text) => reader.expression(node, text),
        Value::Seq(_) => reader.all(node),
        _ => {
            let help = "write a list of conditions, or one expression over `session`".to_owned();
            wrong_type(node, "a list of conditions", Some(help), reader.findings);
            None
        }
    };
    let spelling = reader.spelling;
    let condition = condition.filter(|_| findings.count() == before)?;
    Some((condition, spelling))
}

struct Reader<'f, 's, 'g> {
    findings: &'f mut Findings<'s>,
    ground: Ground<'g>,
    nesting: usize,
    /// Clauses of what has segments in it.
    clauses: usize,
    spelling: Spelling,
}

impl Reader<'_, '_, '_> {
    fn expression(&mut self, node: &Node, text: &str) -> Option<Condition> {
        match read_spelled(text, self.ground) {
            Ok((condition, offsets)) => {
                let source = self.findings.source();
                let lines = offsets.iter().map(|at| node.position(source, *at).0).collect();
                self.spell(text.trim_end().into(), true, lines);
                self.survey(condition, node)
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    let place = (mistake.offset, mistake.length);
                    let (message, help) = (mistake.message, self.cut(node, mistake.code));
                    let help = help.or(mistake.help);
                    self.findings.error_within(node, place, mistake.code, message, help);
                    if let Some((wrong, right)) = mistake.repair {
                        self.findings.repair(&wrong, &right);
                    }
                }
                None
            }
        }
    }

    /// What to write where YAML took the rest of an expression for a comment.
    fn cut(&self, node: &Node, code: &str) -> Option<String> {
        let line = self.findings.source().lines().nth(node.at.line.checked_sub(1)?)?;
        let is_cut = code == "expression-syntax" && node.style == Style::Plain;
        let help = "` #` begins a comment in YAML: write the expression below `when: |`";
        (is_cut && line.contains(" #{")).then(|| help.to_owned())
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

    fn spell(&mut self, text: Arc<str>, is_expression: bool, lines: Vec<usize>) {
        let depth = self.nesting;
        self.spelling.parts.push(Part { text, depth, is_expression, lines });
    }

    fn leaf(&mut self, key: &Node, value: &Node) -> Option<Condition> {
        let name = key.as_str().unwrap_or_default();
        if matches!(name, "any" | "not") {
            self.spell(format!("{name}:").into(), false, Vec::new());
        }
        let condition = self.condition(name, key, value)?;
        if !matches!(name, "any" | "not" | "rhai") {
            let text = written(self.findings.source(), key, value);
            self.spell(text, false, vec![key.at.line; condition.clause_count()]);
        }
        Some(condition)
    }

    fn condition(&mut self, name: &str, key: &Node, value: &Node) -> Option<Condition> {
        match name {
            "page" => self.pages(value),
            "ping_pong" => self.ping_pong(value),
            "dwell" => self.elapsed(&Clock::Dwell, value),
            "idle" => self.elapsed(&Clock::Idle, value),
            "age" => self.elapsed(&Clock::Age, value),
            "since" => self.since(value),
            "action_count" => self.action_count(value),
            "distinct_pages" => self.distinct_pages(value),
            "url" => self.told(Field::Url, value),
            "title" => self.told(Field::Title, value),
            "user_id" => self.told(Field::UserId, value),
            "email_domain" => self.told(Field::EmailDomain, value),
            "summary" => self.told(Field::Summary, value),
            "query" => self.query(value),
            "count" => self.count(value),
            "visits" => self.visits(value),
            "errors" => self.tally(Counted::Errors, value, "errors"),
            "rage_clicks" => self.tally(Counted::RageClicks, value, "rage_clicks"),
            "trait" => traits::read(value, self.findings),
            "seen" => self.seen(value),
            "segment" => self.segment(value),
            "sequence" => self.sequence(value),
            "repeated_failure" => self.repeated_failure(value),
            "form_struggle" => self.form_struggle(value),
            "scroll_depth" => self.scroll_depth(value),
            "first_time" => self.first_time(value),
            "any" => self.deeper(value, |reader, node| Some(Condition::Any(reader.items(node)?))),
            "not" => {
                self.deeper(value, |reader, node| Some(Condition::Not(Box::new(reader.all(node)?))))
            }
            "rhai" => words(value, self.findings).and_then(|text| self.expression(value, text)),
            _ => match detector(name) {
                Some(detector) => self.detector(detector, value),
                None => self.unknown(key),
            },
        }
    }

    fn unknown(&mut self, key: &Node) -> Option<Condition> {
        let name = key.as_str().unwrap_or_default();
        let names = LEAVES.iter().map(|leaf| leaf.name);
        let help = did_you_mean(name, names.clone()).unwrap_or_else(|| {
            format!("conditions are `{}`", names.collect::<Vec<_>>().join("`, `"))
        });
        let written = key.written(self.findings.source());
        let message = format!("there is no condition `{written}`");
        self.findings.error(key, "unknown-condition", message, Some(help));
        self.findings.respell(name, LEAVES.iter().map(|leaf| leaf.name));
        None
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

    fn elapsed(&mut self, clock: &Clock, node: &Node) -> Option<Condition> {
        let at_least = |span| Condition::Elapsed(clock.clone(), span);
        if !matches!(node.value, Value::Map(_)) {
            return span(node, self.findings).map(at_least);
        }
        let what = match clock {
            Clock::Dwell => "dwell",
            Clock::Idle => "idle",
            _ => "age",
        };
        let fields = Fields::of(node, what, keys(what), self.findings)?;
        self.timed(node, &fields, at_least)
    }

    fn since(&mut self, node: &Node) -> Option<Condition> {
        let fields = Fields::of(node, "since", keys("since"), self.findings)?;
        let kind = fields.need("type", self.findings);
        let kind = kind.and_then(|kind| words(kind, self.findings)).map(Arc::<str>::from);
        let read = self
            .timed(node, &fields, |span| Condition::Since(kind.clone().unwrap_or_default(), span));
        kind.and(read)
    }

    /// `at_least` and `at_most`, one of which must be there.
    fn timed(
        &mut self,
        node: &Node,
        fields: &Fields<'_>,
        at_least: impl Fn(Span) -> Condition,
    ) -> Option<Condition> {
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
        let least = least.map(|span| span.map(&at_least));
        let most = most.map(|span| span.map(|most| Condition::Not(Box::new(longer(most)))));
        both(least, most)
    }

    fn lacks_bound<T>(&mut self, node: &Node, example: &str) -> Option<T> {
        let help = Some(format!("write for example `{example}`"));
        self.findings.error(node, "missing-key", "nothing is required here", help);
        None
    }

    /// A parameter by its name; with `is` or `in`, of this value or one of these.
    fn query(&mut self, node: &Node) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            return words(node, self.findings).map(|name| Condition::Query(name.into()));
        }
        let fields = Fields::of(node, "query", keys("query"), self.findings)?;
        let name = fields.need("name", self.findings);
        let name = name.and_then(|name| words(name, self.findings));
        let wanted = match (fields.get("is"), fields.get("in")) {
            (Some(_), Some(both)) => {
                let help = Some("keep one of them".to_owned());
                let message = "`is` and `in` do not go together";
                self.findings.error(both, "conflict", message, help);
                return None;
            }
            (None, None) => return name.map(|name| Condition::Query(name.into())),
            (Some(value), None) => std::slice::from_ref(value),
            (None, Some(values)) => list(values, self.findings),
        };
        let values: Vec<_> = wanted.iter().map(|value| words(value, self.findings)).collect();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        let name = Term::Query(name?.into());
        let is = |value: &str| {
            let value = Term::Text(value.into());
            Condition::Compare(Box::new((name.clone(), Comparison::Equal, value)))
        };
        match &*values {
            [] => self.lacks_bound(node, "is: billing"),
            [value] => Some(is(value)),
            values => Some(Condition::Any(values.iter().map(|value| is(value)).collect())),
        }
    }
}

pub(in crate::rulebook::condition) fn keys(leaf: &str) -> &'static [&'static str] {
    LEAVES.iter().find(|known| known.name == leaf).map_or(&[], |known| known.keys)
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
