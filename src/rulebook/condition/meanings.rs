//! What each function of the vocabulary means, given its arguments.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Counted, Tally};
use crate::rulebook::condition::detectors::{
    FAILURE_WINDOW, FIELD_ERRORS, REFOCUSED, STRUGGLE_WINDOW, detector,
};
use crate::rulebook::condition::needle::{Needle, Scope};
use crate::rulebook::condition::vocabulary::{Argument, PING_PONG_WINDOW};
use crate::rulebook::condition::{
    Bound, Condition, Filter, PropertyTest, Seen, Sequence, Subject, Term, ValueTest, Whose,
};

pub(in crate::rulebook::condition) fn truth(condition: Condition) -> Option<Term> {
    Some(Term::Truth(Box::new(condition)))
}

pub(in crate::rulebook::condition) fn tally(of: Counted, within: Span) -> Option<Term> {
    Some(Term::Tally(Tally { of, within }))
}

pub(in crate::rulebook::condition) fn windowed(
    of: Counted,
    arguments: &[Argument],
) -> Option<Term> {
    match arguments {
        [Argument::Window(within)] => tally(of, *within),
        _ => None,
    }
}

pub(in crate::rulebook::condition) fn count_term(
    scope: Scope,
    arguments: &[Argument],
) -> Option<Term> {
    match arguments {
        [Argument::Text(kind), Argument::Window(within)] => {
            tally(actions(kind, None, scope), *within)
        }
        [Argument::Text(kind), Argument::Text(text), Argument::Window(within)] => {
            tally(actions(kind, Some(Needle::new(text)), scope), *within)
        }
        [Argument::Text(kind), Argument::Where(filter), Argument::Window(within)] => {
            tally(filtered(actions(kind, None, scope), filter), *within)
        }
        [
            Argument::Text(kind),
            Argument::Text(text),
            Argument::Where(filter),
            Argument::Window(within),
        ] => tally(filtered(actions(kind, Some(Needle::new(text)), scope), filter), *within),
        _ => None,
    }
}

fn filtered(of: Counted, tests: &[PropertyTest]) -> Counted {
    match of {
        Counted::Actions { kind, text, scope, .. } => {
            let filter = Some(Box::new(Filter { tests: tests.to_vec(), certain: true }));
            Counted::Actions { kind, text, scope, filter }
        }
        other => other,
    }
}

pub(in crate::rulebook::condition) fn ping_pong_term(arguments: &[Argument]) -> Option<Term> {
    let (times, within) = match arguments {
        [Argument::Times(times)] => (*times, PING_PONG_WINDOW),
        [Argument::Times(times), Argument::Window(within)] => (*times, *within),
        _ => return None,
    };
    let returns = Tally { of: Counted::Returns, within };
    truth(Condition::Tally(returns, Bound::AtLeast(times)))
}

pub(in crate::rulebook::condition) fn trait_term(
    whose: Whose,
    arguments: &[Argument],
) -> Option<Term> {
    let [Argument::Text(name), Argument::Scalar(default)] = arguments else { return None };
    let default = match default {
        Json::String(text) => Term::Text(text.as_str().into()),
        Json::Bool(holds) => Term::Truth(Box::new(Condition::Always(*holds))),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Term::Int(whole),
            None => Term::Float(number.as_f64()?),
        },
        _ => return None,
    };
    Some(Term::Trait(whose, Arc::clone(name), Box::new(default)))
}

/// Whether anything is known by this name.
pub(in crate::rulebook::condition) fn has_trait(
    whose: Whose,
    arguments: &[Argument],
) -> Option<Term> {
    let [Argument::Text(name)] = arguments else { return None };
    truth(Condition::Trait(whose, Arc::clone(name), ValueTest::Exists))
}

/// `(subject)` and, after it, an outcome and a window.
pub(in crate::rulebook::condition) fn seen_term(arguments: &[Argument]) -> Option<Term> {
    let (subject, rest) = arguments.split_first()?;
    let of = match subject {
        Argument::Text(id) => Subject::Trigger(Arc::clone(id)),
        Argument::Tour(id) => Subject::Tour(Arc::clone(id), Vec::new()),
        _ => return None,
    };
    let (outcome, within) = match rest {
        [] => (None, None),
        [Argument::Outcome(outcome)] => (*outcome, None),
        [Argument::Outcome(outcome), Argument::Window(within)] => (*outcome, Some(*within)),
        _ => return None,
    };
    truth(Condition::Seen(Box::new(Seen { of, outcome, within })))
}

/// `(type, window, default)`, across the person's sessions.
pub(in crate::rulebook::condition) fn remembered_term(arguments: &[Argument]) -> Option<Term> {
    match arguments {
        [Argument::Text(kind), Argument::Window(within), Argument::Number(default)] => {
            let (kind, default) = (Arc::clone(kind), Some(*default));
            tally(Counted::Remembered { kind, default }, *within)
        }
        _ => None,
    }
}

/// `(step, default)`
pub(in crate::rulebook::condition) fn first_term(
    of_person: bool,
    arguments: &[Argument],
) -> Option<Term> {
    match arguments {
        [Argument::Step(what), Argument::Truth(default)] => {
            let default = Some(*default);
            truth(Condition::FirstTime { what: what.clone(), default, of_person })
        }
        _ => None,
    }
}

fn actions(kind: &Arc<str>, text: Option<Needle>, scope: Scope) -> Counted {
    Counted::Actions { kind: Arc::clone(kind), text, scope, filter: None }
}

/// The function of a detector that counts: `()`, `(window)` or `(span, window)`.
pub(in crate::rulebook::condition) fn detected(name: &str, arguments: &[Argument]) -> Option<Term> {
    let detector = detector(name)?;
    let (_, span) = detector.span;
    let (span, within) = match arguments {
        [] => (span, detector.within),
        [Argument::Window(within)] => (span, *within),
        [Argument::Window(span), Argument::Window(within)] => (*span, *within),
        _ => return None,
    };
    tally((detector.of)(span), within)
}

pub(in crate::rulebook::condition) fn failure_term(arguments: &[Argument]) -> Option<Term> {
    let (failure, success, within) = match arguments {
        [Argument::Text(failure), Argument::Text(success)] => (failure, success, FAILURE_WINDOW),
        [Argument::Text(failure), Argument::Text(success), Argument::Window(within)] => {
            (failure, success, *within)
        }
        _ => return None,
    };
    tally(Counted::Failures { failure: Arc::clone(failure), success: Arc::clone(success) }, within)
}

pub(in crate::rulebook::condition) fn struggle_term(arguments: &[Argument]) -> Option<Term> {
    let (refocused, errors, within) = match arguments {
        [] => (REFOCUSED, FIELD_ERRORS, STRUGGLE_WINDOW),
        [Argument::Window(within)] => (REFOCUSED, FIELD_ERRORS, *within),
        [Argument::Times(refocused), Argument::Times(errors), Argument::Window(within)] => {
            (*refocused, *errors, *within)
        }
        _ => return None,
    };
    truth(Condition::FormStruggle { refocused, errors, within })
}

/// `(steps, window)` and, after them, what voids them.
pub(in crate::rulebook::condition) fn sequence_term(arguments: &[Argument]) -> Option<Term> {
    let (steps, within, until) = match arguments {
        [Argument::Steps(steps), Argument::Window(within)] => (steps, *within, None),
        [Argument::Steps(steps), Argument::Window(within), Argument::Step(until)] => {
            (steps, *within, Some(until.clone()))
        }
        _ => return None,
    };
    let sequence = Sequence { until, ..Sequence::new(steps.clone(), within) };
    truth(Condition::Sequence(Box::new(sequence)))
}

/// `(steps, step, wait, window)` and, after them, what voids them.
pub(in crate::rulebook::condition) fn absent_term(arguments: &[Argument]) -> Option<Term> {
    let (
        [
            Argument::Steps(steps),
            Argument::Step(step),
            Argument::Window(wait),
            Argument::Window(within),
        ],
        until,
    ) = arguments.split_first_chunk::<4>()?
    else {
        return None;
    };
    let until = match until {
        [] => None,
        [Argument::Step(until)] => Some(until.clone()),
        _ => return None,
    };
    let absent = Some((step.clone(), *wait));
    let sequence = Sequence { until, absent, ..Sequence::new(steps.clone(), *within) };
    truth(Condition::Sequence(Box::new(sequence)))
}
