//! The leaves that count: how many of what, in which window.

use std::sync::Arc;

use crate::domain::happened::KEPT;
use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Counted, Tally};
use crate::rulebook::condition::arguments::checked_window;
use crate::rulebook::condition::leaves::{Reader, keys};
use crate::rulebook::condition::needle::{Needle, Scope};
use crate::rulebook::condition::vocabulary::{PING_PONG_WINDOW, WINDOW};
use crate::rulebook::condition::{Bound, Comparison, Condition, Field, MEMORY, Term, filter};
use crate::rulebook::pages::pattern;
use crate::rulebook::reader::{Fields, name_of, span, whole, words, wrong_type};
use crate::rulebook::yaml::{Node, Value};

/// Where actions are counted.
pub(in crate::rulebook) const SCOPES: [&str; 3] = ["session", "page", "user"];
/// So many may be asked for across sessions: one more is remembered, so that "no more" can be told.
const MOST_REMEMBERED: i64 = KEPT as i64 - 1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Here(Scope),
    Person,
}

impl Reader<'_, '_, '_> {
    pub(in crate::rulebook::condition::leaves) fn ping_pong(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        let (times, within) = if let Value::Map(_) = node.value {
            let fields = Fields::of(node, "ping_pong", keys("ping_pong"), self.findings)?;
            let times = match fields.get("times") {
                Some(times) => whole(times, 1..=i64::MAX, self.findings),
                None => Some(2),
            };
            (times, self.window(&fields, "within", PING_PONG_WINDOW))
        } else {
            let times = whole(node, 1..=i64::MAX, self.findings);
            (times, Some(PING_PONG_WINDOW.min(self.ground.activity.keep)))
        };
        let tally = Tally { of: Counted::Returns, within: within? };
        Some(Condition::Tally(tally, Bound::AtLeast(times?)))
    }

    pub(in crate::rulebook::condition::leaves) fn count(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let kind = words(node, self.findings)?;
            let scope = Scope::Session;
            return Some(self.at_least_once(Counted::Actions {
                kind: kind.into(),
                text: None,
                scope,
                filter: None,
            }));
        }
        let fields = Fields::of(node, "count", keys("count"), self.findings)?;
        let kind = fields.need("type", self.findings);
        let kind = kind.and_then(|kind| words(kind, self.findings)).map(Arc::<str>::from);
        let text = fields.get("text").map(|text| words(text, self.findings).map(Needle::new));
        let scope = fields.get("scope").map(|scope| self.scope(scope));
        if scope == Some(Some(Reach::Person)) {
            return self.remembered(&fields, kind);
        }
        let filter = fields.get("where").map(|node| filter::read(node, self.findings));
        let bounded = self.bounded(&fields, WINDOW, 1);
        let text = match text {
            Some(text) => Some(text?),
            None => None,
        };
        let filter = match filter {
            Some(filter) => Some(Box::new(filter?)),
            None => None,
        };
        let (within, bounds) = bounded?;
        let Reach::Here(scope) = scope.unwrap_or(Some(Reach::Here(Scope::Session)))? else {
            return None;
        };
        let of = Counted::Actions { kind: kind?, text, scope, filter };
        Some(tallies(&Tally { of, within }, bounds))
    }

    fn scope(&mut self, node: &Node) -> Option<Reach> {
        let name = name_of(node, "scope", &SCOPES, self.findings)?;
        Some(match name {
            "page" => Reach::Here(Scope::Page),
            "user" => Reach::Person,
            _ => Reach::Here(Scope::Session),
        })
    }

    /// In all sessions of the person.
    fn remembered(&mut self, fields: &Fields<'_>, kind: Option<Arc<str>>) -> Option<Condition> {
        for key in ["text", "where"] {
            if let Some(node) = fields.get(key) {
                let message = format!("`{key}` and `scope: user` do not go together");
                let help = "only the type is remembered across sessions; give it one of its own";
                self.findings.error(node, "conflict", message, Some(help.to_owned()));
                return None;
            }
        }
        let within = match fields.get("within") {
            Some(node) => self.memory(node),
            None => Some(MEMORY.min(self.ground.memory)),
        };
        let bounds = self.bounds(fields, 1, MOST_REMEMBERED);
        let of = Counted::Remembered { kind: kind?, default: None };
        Some(tallies(&Tally { of, within: within? }, bounds?))
    }

    pub(in crate::rulebook::condition::leaves) fn visits(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
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
        let bounded = self.bounded(&fields, WINDOW, 1);
        let page = match page {
            Some(page) => Some(page?),
            None => None,
        };
        let (within, bounds) = bounded?;
        Some(tallies(&Tally { of: Counted::Visits(page), within }, bounds))
    }

    fn at_least_once(&self, of: Counted) -> Condition {
        let within = WINDOW.min(self.ground.activity.keep);
        Condition::Tally(Tally { of, within }, Bound::AtLeast(1))
    }

    /// A number alone means at least that many.
    pub(in crate::rulebook::condition::leaves) fn tally(
        &mut self,
        of: Counted,
        node: &Node,
        name: &'static str,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let least = whole(node, 1..=i64::MAX, self.findings)?;
            let within = WINDOW.min(self.ground.activity.keep);
            return Some(Condition::Tally(Tally { of, within }, Bound::AtLeast(least)));
        }
        let fields = Fields::of(node, name, keys(name), self.findings)?;
        let (within, bounds) = self.bounded(&fields, WINDOW, 1)?;
        Some(tallies(&Tally { of, within }, bounds))
    }

    /// So many or more are never the default: one page is nothing to speak of.
    pub(in crate::rulebook::condition::leaves) fn distinct_pages(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) || is_bounded(node) {
            return self.tally(Counted::Pages, node, "distinct_pages");
        }
        let fields = Fields::of(node, "distinct_pages", keys("distinct_pages"), self.findings)?;
        self.window(&fields, "within", WINDOW)?;
        if fields.has_strays() { None } else { self.lacks_bound(node, "at_least: 4") }
    }

    /// A number alone means at least that many.
    pub(in crate::rulebook::condition::leaves) fn action_count(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let least = whole(node, 1..=i64::MAX, self.findings)?;
            return Some(acted(Comparison::AtLeast, least));
        }
        let fields = Fields::of(node, "action_count", keys("action_count"), self.findings)?;
        if !is_bounded(node) {
            let strays = fields.has_strays();
            return if strays { None } else { self.lacks_bound(node, "at_least: 5") };
        }
        let bounds = self.bounds(&fields, 1, i64::MAX)?.into_iter();
        let mut parts: Vec<_> = bounds
            .flat_map(|bound| match bound {
                Bound::AtLeast(least) => vec![acted(Comparison::AtLeast, least)],
                Bound::AtMost(most) => vec![acted(Comparison::AtMost, most)],
                Bound::Exactly(number) => vec![acted(Comparison::Equal, number)],
                Bound::Between(least, most) => {
                    vec![acted(Comparison::AtLeast, least), acted(Comparison::AtMost, most)]
                }
            })
            .collect();
        if parts.len() == 1 { parts.pop() } else { Some(Condition::All(parts)) }
    }

    /// A span that activity must be kept for; the default is no longer than that.
    pub(in crate::rulebook::condition::leaves) fn window(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        default: Span,
    ) -> Option<Span> {
        let Some(node) = fields.get(key) else {
            return Some(default.min(self.ground.activity.keep));
        };
        let window = span(node, self.findings)?;
        let checked = checked_window(window, self.ground.activity);
        checked
            .map_err(|(code, message, help)| self.findings.error(node, code, message, Some(help)))
            .ok()
    }

    /// The window and every bound written; at least the default when none is.
    pub(in crate::rulebook::condition::leaves) fn bounded(
        &mut self,
        fields: &Fields<'_>,
        window: Span,
        least: i64,
    ) -> Option<(Span, Vec<Bound>)> {
        let within = self.window(fields, "within", window);
        let bounds = self.bounds(fields, least, i64::MAX);
        Some((within?, bounds?))
    }

    /// Every bound written, none beyond `most`; at least the default when none is.
    fn bounds(&mut self, fields: &Fields<'_>, least: i64, most: i64) -> Option<Vec<Bound>> {
        let mut bounds = Vec::new();
        for key in ["at_least", "at_most", "exactly"] {
            let Some(node) = fields.get(key) else { continue };
            let number = whole(node, 0..=most, self.findings);
            bounds.push(number.map(|number| match key {
                "at_least" => Bound::AtLeast(number),
                "at_most" => Bound::AtMost(number),
                _ => Bound::Exactly(number),
            }));
        }
        bounds.extend(fields.get("between").map(|node| self.between(node, most)));
        if bounds.is_empty() {
            bounds.push(Some(Bound::AtLeast(least)));
        }
        bounds.into_iter().collect()
    }

    fn between(&mut self, node: &Node, most_of_all: i64) -> Option<Bound> {
        let help = || Some("write for example `between: [2, 4]`".to_owned());
        let Value::Seq(items) = &node.value else {
            wrong_type(node, "a list of two numbers", help(), self.findings);
            return None;
        };
        let [least, most] = &**items else {
            let message = "`between` takes two numbers, the least and the most";
            self.findings.error(node, "out-of-range", message, help());
            return None;
        };
        let [least, most] = [least, most].map(|node| whole(node, 0..=most_of_all, self.findings));
        let (least, most) = (least?, most?);
        if least > most {
            let message = format!("no number is between {least} and {most}");
            let help = Some(format!("write `between: [{most}, {least}]`"));
            self.findings.error(node, "never-true", message, help);
            self.findings.rephrase(node, format!("[{most}, {least}]"));
            return None;
        }
        Some(Bound::Between(least, most))
    }
}

fn acted(comparison: Comparison, number: i64) -> Condition {
    let count = (Term::Field(Field::ActionCount), comparison, Term::Int(number));
    Condition::Compare(Box::new(count))
}

/// Whether some bound is written.
fn is_bounded(node: &Node) -> bool {
    ["at_least", "at_most", "exactly", "between"].iter().any(|key| node.get(key).is_some())
}

/// One leaf for each bound.
pub(in crate::rulebook::condition::leaves) fn tallies(
    tally: &Tally,
    bounds: Vec<Bound>,
) -> Condition {
    let mut parts: Vec<_> =
        bounds.into_iter().map(|bound| Condition::Tally(tally.clone(), bound)).collect();
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => Condition::All(parts.into_iter().chain(last).collect()),
    }
}
