//! What was expected of a poll and did not come, with everything that led to what came instead.

use std::sync::Arc;

use crate::domain::decision::{Hold, Verdict};
use crate::domain::machine::AgentEvent;
use crate::domain::offer::Offer;
use crate::domain::session::Session;
use crate::domain::time::{Span, Timestamp};
use crate::engine::case::Poll;
use crate::engine::observe::{Recording, RuleSeen};
use crate::engine::react::Reaction;
use crate::engine::skip::{capped, skip_reason};
use crate::rulebook::Product;
use crate::rulebook::case::{Moment, Offered, Quiet, What};
use crate::rulebook::condition::{Clause, Truth, View, picture};
use crate::rulebook::rule::When;

/// What was expected at one moment, what was found, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line of the entry.
    pub line: usize,
    /// Its time.
    pub at: Span,
    /// What the test expects: `fires projects-hesitation`.
    pub expected: String,
    /// What came: `no_trigger`.
    pub found: String,
    /// The gate or rule that decided, and until when where that is known.
    pub decided: String,
    /// The rules that matter here, condition by condition.
    pub ladders: Vec<Ladder>,
}

/// One rule as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Its id.
    pub trigger: Arc<str>,
    /// What it came to: `silent`, `matched`, `not on this page`, …
    pub came_to: String,
    /// Its clauses, in the order written; none for a builtin.
    pub rungs: Vec<Rung>,
    /// Its condition as written, a line each, with what was found beneath each part.
    pub picture: Vec<String>,
}

/// One clause as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// As an explanation writes it.
    pub text: String,
    /// `at least 20s`
    pub required: String,
    /// `19s`
    pub found: String,
    /// Whether it holds.
    pub truth: Truth,
    /// The first time of the timeline at which time alone may change it.
    pub changes: Option<Span>,
}

/// Expected, found.
pub(super) type Unmet = (String, String);

/// What a poll should have come to and did not; `None` when it came.
pub(super) fn unmet(
    product: &Product,
    session: &Session,
    moment: &Moment,
    poll: &Poll,
) -> Option<Unmet> {
    match &moment.what {
        What::Fires(offered) => unmet_offer(product, offered, poll),
        What::Shadows(trigger) => unmet_shadow(product, trigger, poll),
        What::Silent(quiet) => {
            unmet_silence(product, quiet, poll, || clauses(product, session, poll))
        }
        _ => None,
    }
}

fn unmet_offer(product: &Product, expected: &Offered, poll: &Poll) -> Option<Unmet> {
    let Offered { trigger, body, labels, tour, variant } = expected;
    let Some(offer) = poll.offer.as_ref().filter(|offer| *offer.trigger == **trigger) else {
        return Some((format!("fires {trigger}"), came_to(product, poll)));
    };
    if let Some(body) = body.as_ref().filter(|body| ***body != *offer.body) {
        return Some((format!("the body `{body}`"), format!("`{}`", offer.body)));
    }
    if let Some(variant) = variant.as_ref().filter(|v| Some(&***v) != offer.variant.as_deref()) {
        let found = offer.variant.as_deref().map_or("no variant".into(), |id| format!("`{id}`"));
        return Some((format!("the variant `{variant}`"), found));
    }
    let said: Vec<&str> = offer.labels.iter().map(|label| &**label).collect();
    if let Some(labels) = labels.as_ref().filter(|labels| **labels != said) {
        return Some((
            format!("the labels `{}`", labels.join("`, `")),
            format!("`{}`", said.join("`, `")),
        ));
    }
    let tour = tour.as_ref().filter(|tour| Some(&***tour) != offer.tour.as_deref())?;
    let found = offer.tour.as_deref().map_or("no tour".to_owned(), |tour| format!("`{tour}`"));
    Some((format!("the tour `{tour}`"), found))
}

fn unmet_shadow(product: &Product, expected: &str, poll: &Poll) -> Option<Unmet> {
    let would = poll.decision.shadow.would.and_then(|place| product.rules.get(place));
    if would.is_some_and(|rule| *rule.id == *expected) {
        return None;
    }
    let other = would.map(|rule| format!("shadows {}", rule.id));
    let found = other.unwrap_or_else(|| format!("no shadow; {}", came_to(product, poll)));
    Some((format!("shadows {expected}"), found))
}

fn unmet_silence(
    product: &Product,
    expected: &Quiet,
    poll: &Poll,
    clauses: impl FnOnce() -> Vec<Clause>,
) -> Option<Unmet> {
    let Quiet { hold, cap, next, clause } = expected;
    let held = hold_of(poll);
    let another = cap.as_deref().is_some_and(|cap| capped(product, poll.decision.cap) != Some(cap));
    if held.is_none() || another || hold.is_some_and(|hold| held != Some(hold)) {
        let name = cap.as_deref().or(hold.map(Hold::as_str));
        let reason = name.map_or(String::new(), |name| format!(", {name}"));
        return Some((format!("silent{reason}"), came_to(product, poll)));
    }
    let stands = standing(poll.decision.until, poll.now);
    if let Some(next) = next.filter(|next| *next != stands) {
        return Some((format!("no change for {}", said(next)), said(stands)));
    }
    let words = clause.as_deref()?;
    let mut named = clauses().into_iter().filter(|clause| clause.text.contains(words));
    if named.any(|clause| clause.answer.truth != Truth::True) {
        return None;
    }
    Some((format!("`{words}` not to hold"), "it holds".to_owned()))
}

/// The clauses of the rule that a test of one rule is about.
fn clauses(product: &Product, session: &Session, poll: &Poll) -> Vec<Clause> {
    let (user, account) = (poll.around.user.as_ref(), poll.around.account.as_ref());
    let view = View { session, user, account, now: poll.now };
    let whens = product.rules.iter().map(|rule| &rule.when);
    let clauses = whens.filter_map(|when| match when {
        When::Condition(condition) => Some(condition.clauses(&view)),
        When::Builtin(_) => None,
    });
    clauses.flatten().collect()
}

/// Why a poll made no new offer. The open offer, said again, is none.
fn hold_of(poll: &Poll) -> Option<Hold> {
    match poll.decision.verdict {
        Verdict::Fire(_) => None,
        Verdict::Redeliver => Some(Hold::WrongState),
        Verdict::Hold(hold) => Some(hold),
    }
}

fn came_to(product: &Product, poll: &Poll) -> String {
    let fires = |offer: &Offer| format!("fires {}", offer.trigger);
    match (poll.decision.verdict, &poll.offer) {
        (Verdict::Hold(hold), _) => {
            skip_reason(product, &poll.decision).unwrap_or(hold.as_str()).to_owned()
        }
        (Verdict::Redeliver, _) => "the open offer, said again".to_owned(),
        (Verdict::Fire(_), offer) => offer.as_ref().map_or(String::new(), fires),
    }
}

fn standing(until: Timestamp, now: Timestamp) -> Span {
    if until == Timestamp::FOREVER { Span::FOREVER } else { until.since(now) }
}

fn said(span: Span) -> String {
    if span == Span::FOREVER { "never".to_owned() } else { span.to_string() }
}

/// The failure of a poll.
pub(super) fn of_poll(
    product: &Product,
    session: &Session,
    moment: &Moment,
    poll: &Poll,
    (expected, found): Unmet,
    recording: &Recording,
) -> Failure {
    let around = &poll.around;
    let (user, account) = (around.user.as_ref(), around.account.as_ref());
    let view = View { session, user, account, now: poll.now };
    let ladder = |seen: &RuleSeen| ladder(product, seen, poll, &view);
    let told = recording.rules.iter().filter(|seen| matters(product, seen, moment, poll));
    let (line, at, decided) = (moment.line, moment.at, decided(product, poll, recording));
    let ladders = told.filter_map(ladder).collect();
    Failure { line, at, expected, found, decided, ladders }
}

/// A rule matters when it runs alone, decided, or is the one expected.
fn matters(product: &Product, seen: &RuleSeen, moment: &Moment, poll: &Poll) -> bool {
    let id = product.rules.get(seen.place).map(|rule| &*rule.id);
    let named = match &moment.what {
        What::Fires(offered) => id == Some(&*offered.trigger),
        What::Shadows(trigger) => id == Some(&**trigger),
        _ => false,
    };
    named || product.rules.len() == 1 || poll.decision.rule == Some(seen.place)
}

fn decided(product: &Product, poll: &Poll, recording: &Recording) -> String {
    let until = |until| match poll.later(until) {
        Some(at) => format!("until {at}"),
        None => "for good".to_owned(),
    };
    let refusal = recording.gates.iter().find_map(|gate| Some((gate.name, gate.refused?)));
    if let Some((name, refused)) = refusal {
        return format!("the gate `{name}` refuses {}", until(refused.until));
    }
    let rule = poll.decision.rule.and_then(|place| product.rules.get(place));
    match (rule, poll.decision.verdict) {
        (Some(rule), Verdict::Hold(_)) => {
            let seen = recording.rules.iter().find(|seen| Some(seen.place) == poll.decision.rule);
            let gate = seen.and_then(|seen| seen.gates.iter().find(|gate| gate.refused.is_some()));
            let note = gate.and_then(|gate| gate.note.as_ref());
            let by = note.map_or_else(String::new, |note| format!("; it is {note}"));
            format!("the rule `{}` is held {}{by}", rule.id, until(poll.decision.until))
        }
        (Some(rule), _) => format!("the rule `{}`", rule.id),
        (None, _) => "no rule matches".to_owned(),
    }
}

fn ladder(product: &Product, seen: &RuleSeen, poll: &Poll, view: &View<'_>) -> Option<Ladder> {
    let rule = product.rules.get(seen.place)?;
    let rung = |clause: &Clause| Rung {
        text: clause.text.clone(),
        required: clause.required.clone(),
        found: clause.found.clone(),
        truth: clause.answer.truth,
        changes: poll.later(clause.answer.until),
    };
    let rungs = seen.clauses.iter().map(rung).collect();
    let picture = match &rule.when {
        When::Condition(condition) => {
            picture(condition, &rule.spelling, &product.settings.activity, view)
        }
        When::Builtin(_) => Vec::new(),
    };
    let (trigger, came_to) = (Arc::clone(&rule.id), seen.came_to(product).to_owned());
    Some(Ladder { trigger, came_to, rungs, picture })
}

/// The failure of an event that counted, or did not.
pub(super) fn of_event(moment: &Moment, event: &AgentEvent, reaction: &Reaction) -> Failure {
    let name = event.name();
    let (expected, found) = match reaction.unheard {
        Some(why) => (format!("{name} counts"), why.as_str().to_owned()),
        None => (format!("{name} does not count"), "it counts".to_owned()),
    };
    let decided = format!("the agent state was `{}`", reaction.from.as_str());
    let (line, at) = (moment.line, moment.at);
    Failure { line, at, expected, found, decided, ladders: Vec::new() }
}

/// The failure of a goal that was reached, or was not.
pub(super) fn of_goal(moment: &Moment, trigger: &str, reached: bool) -> Failure {
    let said = |reached| if reached { "is reached" } else { "is not reached" };
    let (expected, found) = (said(!reached), said(reached));
    let (expected, found) = (format!("the goal of `{trigger}` {expected}"), format!("it {found}"));
    let decided = "what the person did since the offer".to_owned();
    let (line, at) = (moment.line, moment.at);
    Failure { line, at, expected, found, decided, ladders: Vec::new() }
}
