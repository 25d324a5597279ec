//! Conditions in words: each leaf as an author would write it, what it requires and what was found.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Clock, Counted, NEVER_S, Tally, parameter};
use crate::rulebook::condition::detectors::first_time;
use crate::rulebook::condition::lasting::first_ever;
use crate::rulebook::condition::needle::Scope;
use crate::rulebook::condition::sequence::{Sequence, Step};
use crate::rulebook::condition::term::Value;
use crate::rulebook::condition::{
    Answer, Bound, Clause, Condition, Field, Term, TextTest, Truth, ValueTest, View, Whose,
};

impl Condition {
    /// Every leaf as looked at, in the order written.
    pub fn clauses(&self, view: &View<'_>) -> Vec<Clause> {
        let mut clauses = Vec::new();
        self.collect(view, &mut clauses);
        clauses
    }

    fn collect(&self, view: &View<'_>, clauses: &mut Vec<Clause>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.collect(view, clauses));
            }
            Self::Not(part) if part.is_joint() => part.collect(view, clauses),
            Self::Segment(segment) => {
                let before = clauses.len();
                segment.when.collect(view, clauses);
                for clause in clauses.iter_mut().skip(before) {
                    clause.text = format!("{self}: {}", clause.text);
                }
            }
            leaf => clauses.push(leaf.clause(view)),
        }
    }

    fn clause(&self, view: &View<'_>) -> Clause {
        let (leaf, negated) = match self {
            Self::Not(leaf) => (&**leaf, true),
            leaf => (leaf, false),
        };
        let required = if negated { format!("not {}", leaf.required()) } else { leaf.required() };
        let (answer, found) = match self.answer(view) {
            Ok(answer) => (answer, leaf.found(view)),
            Err(error) => (Answer { truth: Truth::Unknown, until: view.now }, error.to_string()),
        };
        Clause { text: self.to_string(), required, found, answer }
    }

    fn required(&self) -> String {
        match self {
            Self::Always(_) => "nothing".into(),
            Self::Page(pages) => match &**pages {
                [page] => page.to_string(),
                pages => format!("one of {}", listed(pages.iter().map(PagePattern::as_str))),
            },
            Self::Elapsed(_, span) | Self::Since(_, span) => format!("at least {span}"),
            Self::Tally(_, bound) => bound.to_string(),
            Self::Trait(_, _, test) | Self::Told(_, test) => test.to_string(),
            Self::Seen(seen) => seen.required(),
            Self::Sequence(sequence) => sequence.required(),
            Self::Query(_) => "present".into(),
            Self::FormStruggle { refocused, errors, .. } => {
                format!("{refocused} returns to a field or {errors} errors of it")
            }
            Self::FirstTime { .. } => "the first time".into(),
            Self::Compare(parts) => format!("{} {}", parts.1.as_str(), parts.2),
            Self::Text(parts) => format!("{} {}", parts.1.as_str(), parts.2),
            Self::Holds(_) => "true".into(),
            Self::All(_) | Self::Any(_) | Self::Not(_) | Self::Segment(_) => self.to_string(),
        }
    }

    fn found(&self, view: &View<'_>) -> String {
        match self {
            Self::Always(_) => "nothing".into(),
            Self::Page(_) => match view.session.page() {
                "" => "no page".into(),
                page => page.to_owned(),
            },
            Self::Elapsed(clock, _) => clock.found(view),
            Self::Tally(tally, _) => counted(tally, view),
            Self::Trait(whose, name, _) => match view.known(*whose, name) {
                Some(value) => value.to_string(),
                None => "not known".into(),
            },
            Self::Told(field, _) => match &*field.text(view) {
                "" => "not known".into(),
                text => format!("{text:?}"),
            },
            Self::Since(kind, _) => Clock::Since(Arc::clone(kind)).found(view),
            Self::Seen(seen) => seen.found(view),
            Self::Query(name) => parameter_so_far(name, view),
            Self::FirstTime { what, of_person, .. } => match first(what, *of_person, view) {
                Truth::True => "the first time".into(),
                Truth::False => "not the first time, or not now".into(),
                Truth::Unknown if *of_person => "not known: nobody remembers".into(),
                Truth::Unknown => "not known: older activity is no longer kept".into(),
            },
            Self::Compare(parts) => shown(&parts.0, view),
            Self::Text(parts) => shown(&parts.0, view),
            Self::Holds(term) => shown(term, view),
            Self::Sequence(_)
            | Self::FormStruggle { .. }
            | Self::All(_)
            | Self::Any(_)
            | Self::Segment(_)
            | Self::Not(_) => match self.answer(view) {
                Ok(Answer { truth: Truth::True, .. }) => "met".into(),
                _ => "not met".into(),
            },
        }
    }
}

/// How many, and of how many more it cannot be told that they count.
fn counted(tally: &Tally, view: &View<'_>) -> String {
    if tally.stand_in(view) == Some(None) {
        return "not known: nobody says who this is".into();
    }
    let total = tally.total(view).0;
    match if tally.is_vague() { tally.doubtful(view) } else { 0 } {
        0 => total.to_string(),
        more => format!("{total}, and {more} more that do not say"),
    }
}

/// Values of parameters are not shown: tokens and e-mails travel there.
fn parameter_so_far(name: &str, view: &View<'_>) -> String {
    match parameter(name, view).0 {
        Some(value) => format!("a value of {} characters", value.chars().count()),
        None => "not there".into(),
    }
}

pub(in crate::rulebook::condition) fn shown(term: &Term, view: &View<'_>) -> String {
    if let Term::Query(name) = term {
        return parameter_so_far(name, view);
    }
    match term.value(view) {
        Ok((value, _)) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

fn first(what: &Step, of_person: bool, view: &View<'_>) -> Truth {
    if of_person { first_ever(what, view).0 } else { first_time(what, view).0 }
}

fn listed<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

impl Clock {
    fn found(&self, view: &View<'_>) -> String {
        let elapsed = self.elapsed(view);
        let never = Span::from_seconds(NEVER_S);
        if matches!(self, Self::Since(_)) && elapsed == never {
            return "never".into();
        }
        // Whole seconds read better than milliseconds, and are exact where a rule is.
        let seconds = elapsed.as_millis() / 1_000;
        if seconds == 0 { elapsed.to_string() } else { Span::from_seconds(seconds).to_string() }
    }
}

impl Sequence {
    fn required(&self) -> String {
        let mut required = listed(self.steps.iter().map(Step::as_str));
        if let Some(until) = &self.until {
            required.push_str(&format!(", until {}", until.as_str()));
        }
        if let Some((step, wait)) = &self.absent {
            required.push_str(&format!(", then no {} for {wait}", step.as_str()));
        }
        required
    }
}

impl TextTest {
    /// The method as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Contains => "contains",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(number) => write!(f, "at least {number}"),
            Self::AtMost(number) => write!(f, "at most {number}"),
            Self::Exactly(number) => write!(f, "exactly {number}"),
            Self::Between(least, most) => write!(f, "between {least} and {most}"),
        }
    }
}

impl fmt::Display for ValueTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(scalars) => {
                let scalars: Vec<_> = scalars.iter().map(Json::to_string).collect();
                f.write_str(&scalars.join(" or "))
            }
            Self::Has(name) => write!(f, "has {name:?}"),
            Self::AtLeast(number) => write!(f, "at least {number}"),
            Self::AtMost(number) => write!(f, "at most {number}"),
            Self::MoreThan(number) => write!(f, "more than {number}"),
            Self::LessThan(number) => write!(f, "less than {number}"),
            Self::Contains(text) => write!(f, "contains {:?}", text.as_str()),
            Self::StartsWith(text) => write!(f, "starts with {:?}", text.as_str()),
            Self::EndsWith(text) => write!(f, "ends with {:?}", text.as_str()),
            Self::Exists => f.write_str("exists"),
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dwell => f.write_str("dwell"),
            Self::Idle => f.write_str("idle"),
            Self::Age => f.write_str("age"),
            Self::Since(kind) => write!(f, "since({kind:?})"),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.within;
        match &self.of {
            Counted::Actions { kind, text, scope, filter } => {
                let name = if *scope == Scope::Page { "count_here" } else { "count" };
                write!(f, "{name}({kind:?}, ")?;
                text.iter().try_for_each(|text| write!(f, "{:?}, ", text.as_str()))?;
                filter.iter().try_for_each(|filter| write!(f, "#{{{filter}}}, "))?;
                write!(f, "\"{within}\")")
            }
            Counted::Remembered { kind, .. } => write!(f, "user_count({kind:?}, \"{within}\")"),
            Counted::Visits(None) => write!(f, "visits(\"{within}\")"),
            Counted::Visits(Some(page)) => write!(f, "visits(\"{page}\", \"{within}\")"),
            Counted::Pages => write!(f, "distinct_pages(\"{within}\")"),
            Counted::Returns => write!(f, "ping_pong(\"{within}\")"),
            Counted::RageClicks => write!(f, "rage_clicks(\"{within}\")"),
            Counted::Errors => write!(f, "errors(\"{within}\")"),
            Counted::Arrivals => write!(f, "page_loop(\"{within}\")"),
            Counted::QuickBacks(stay) => write!(f, "quick_back(\"{stay}\", \"{within}\")"),
            Counted::DeadClicks => write!(f, "dead_click(\"{within}\")"),
            Counted::ErrorClicks(gap) => write!(f, "error_click(\"{gap}\", \"{within}\")"),
            Counted::ExitIntents(after) => write!(f, "exit_intent(\"{after}\", \"{within}\")"),
            Counted::NoResults => write!(f, "no_results(\"{within}\")"),
            Counted::Failures { failure, success } => {
                write!(f, "repeated_failure({failure:?}, {success:?}, \"{within}\")")
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(holds) => write!(f, "{holds}"),
            Self::All(parts) => joined(f, parts, " && "),
            Self::Any(parts) => joined(f, parts, " || "),
            Self::Not(part) => write!(f, "not {part}"),
            Self::Segment(segment) => write!(f, "segment {}", segment.id),
            Self::Page(_) => write!(f, "page {}", self.required()),
            Self::Elapsed(clock, span) => write!(f, "{clock} {span}"),
            Self::Tally(tally, bound) => write!(f, "{tally} {bound}"),
            Self::Trait(Whose::Person, name, test) => write!(f, "trait {name} {test}"),
            Self::Trait(Whose::Account, name, test) => write!(f, "account trait {name} {test}"),
            Self::Told(field, test) => write!(f, "{} {test}", field.as_str()),
            Self::Since(kind, span) => write!(f, "since {kind} {span}"),
            Self::Seen(seen) => write!(f, "{seen}"),
            Self::Sequence(sequence) => {
                write!(f, "sequence {} within {}", sequence.required(), sequence.within)
            }
            Self::Query(name) => write!(f, "query {name}"),
            Self::FormStruggle { within, .. } => {
                write!(f, "form_struggle {} within {within}", self.required())
            }
            Self::FirstTime { what, of_person: true, .. } => {
                write!(f, "user_first_time {}", what.as_str())
            }
            Self::FirstTime { what, .. } => write!(f, "first_time {}", what.as_str()),
            Self::Compare(parts) => write!(f, "{} {} {}", parts.0, parts.1.as_str(), parts.2),
            Self::Text(parts) => write!(f, "{}.{}({})", parts.0, parts.1.as_str(), parts.2),
            Self::Holds(term) => write!(f, "{term}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Condition], by: &str) -> fmt::Result {
    let parts: Vec<_> = parts.iter().map(Condition::to_string).collect();
    write!(f, "({})", parts.join(by))
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Truth(condition) => write!(f, "{condition}"),
            Self::Field(field) => f.write_str(field.as_str()),
            Self::Seconds(clock @ Clock::Since(_)) => write!(f, "{clock}"),
            Self::Seconds(clock) => write!(f, "{clock}_s"),
            Self::Tally(tally) => write!(f, "{tally}"),
            Self::Trait(Whose::Person, name, default) => write!(f, "trait({name:?}, {default})"),
            Self::Trait(Whose::Account, name, default) => {
                write!(f, "account_trait({name:?}, {default})")
            }
            Self::Query(name) => write!(f, "query({name:?})"),
            Self::ScrollDepth => f.write_str("scroll_depth"),
            Self::Length(text) => write!(f, "{text}.len()"),
            Self::Negate(term) => write!(f, "-{term}"),
            Self::Arithmetic(parts) => {
                write!(f, "({} {} {})", parts.0, parts.1.as_str(), parts.2)
            }
        }
    }
}

impl Field {
    /// The field as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Url => "url",
            Self::Title => "title",
            Self::UserId => "user_id",
            Self::EmailDomain => "email_domain",
            Self::Summary => "summary",
            Self::ActionCount => "action_count",
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Truth(truth) => write!(f, "{truth}"),
        }
    }
}
