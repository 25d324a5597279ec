//! Comparisons become the leaves they mean, so that both spellings of a condition are one tree and
//! every leaf knows exactly when time will change it.

use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Clock, Tally};
use crate::rulebook::condition::{Bound, Comparison, Condition, Term};

/// A term that is true or false, as a condition.
pub(in crate::rulebook::condition) fn holds(term: Term) -> Condition {
    match term {
        Term::Truth(condition) => *condition,
        term => Condition::Holds(term),
    }
}

/// A comparison of two terms of one type.
pub(in crate::rulebook::condition) fn compared(
    left: Term,
    comparison: Comparison,
    right: Term,
) -> Condition {
    match (left, right) {
        (Term::Tally(tally), Term::Int(number)) => tallied(tally, comparison, number),
        (Term::Int(number), Term::Tally(tally)) => tallied(tally, comparison.flipped(), number),
        (Term::Seconds(clock), Term::Int(number)) => timed(&clock, comparison, number),
        (Term::Int(number), Term::Seconds(clock)) => timed(&clock, comparison.flipped(), number),
        (left, right) => Condition::Compare(Box::new((left, comparison, right))),
    }
}

fn tallied(tally: Tally, comparison: Comparison, number: i64) -> Condition {
    let bound = match comparison {
        Comparison::Equal | Comparison::NotEqual => Bound::Exactly(number),
        Comparison::AtLeast => Bound::AtLeast(number),
        Comparison::More => Bound::AtLeast(number.saturating_add(1)),
        Comparison::AtMost => Bound::AtMost(number),
        Comparison::Less => Bound::AtMost(number.saturating_sub(1)),
    };
    negated_if(comparison == Comparison::NotEqual, Condition::Tally(tally, bound))
}

/// Whole seconds: `dwell_s > 5` is reached with the sixth second.
fn timed(clock: &Clock, comparison: Comparison, seconds: i64) -> Condition {
    let reached = |seconds: i64| Condition::Elapsed(clock.clone(), Span::from_seconds(seconds));
    let next = seconds.saturating_add(1);
    match comparison {
        Comparison::AtLeast => reached(seconds),
        Comparison::More => reached(next),
        Comparison::Less => negated_if(true, reached(seconds)),
        Comparison::AtMost => negated_if(true, reached(next)),
        Comparison::Equal | Comparison::NotEqual => {
            let exactly = Condition::All(vec![reached(seconds), negated_if(true, reached(next))]);
            negated_if(comparison == Comparison::NotEqual, exactly)
        }
    }
}

fn negated_if(negated: bool, condition: Condition) -> Condition {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}
