//! Answers: a condition's truth at an instant and until when it stands (engines.md, 5.2).

use crate::domain::time::Timestamp;
use crate::rulebook::condition::activity::{Tally, parameter, since};
use crate::rulebook::condition::detectors::{first_time, struggles};
use crate::rulebook::condition::lasting::first_ever;
use crate::rulebook::condition::term::Value;
use crate::rulebook::condition::{
    Answer, Bound, Condition, EvalError, Term, TextTest, Truth, View,
};

impl Condition {
    /// The condition's value at `view.now`, and how long it stands.
    pub fn answer(&self, view: &View<'_>) -> Result<Answer, EvalError> {
        let (truth, until) = match self {
            Self::Always(holds) => (Truth::from(*holds), Timestamp::FOREVER),
            Self::All(parts) => return series(parts, Truth::False, view),
            Self::Any(parts) => return series(parts, Truth::True, view),
            Self::Not(part) => {
                let answer = part.answer(view)?;
                (answer.truth.opposite(), answer.until)
            }
            Self::Segment(segment) => {
                let answer = segment.when.answer(view)?;
                (answer.truth.told(segment.certain), answer.until)
            }
            Self::Page(pages) => {
                let here = view.session.page();
                (pages.iter().any(|page| page.matches(here)).into(), Timestamp::FOREVER)
            }
            Self::Elapsed(clock, span) => known(clock.reached(*span, view)),
            Self::Tally(tally, bound) => bound.met(tally, view),
            Self::Trait(whose, name, test) => {
                (test.of(view.known(*whose, name)), Timestamp::FOREVER)
            }
            Self::Told(field, test) => (test.of_told(&field.text(view)), Timestamp::FOREVER),
            Self::Since(kind, span) => since(kind, *span, view),
            Self::Seen(seen) => known(seen.stands(view)),
            Self::Sequence(sequence) => known(sequence.stands(view)),
            Self::Query(name) => {
                let (value, until) = parameter(name, view);
                (value.is_some().into(), until)
            }
            Self::FormStruggle { refocused, errors, within } => {
                known(struggles(*refocused, *errors, *within, view))
            }
            Self::FirstTime { what, default, of_person } => {
                let told = if *of_person { first_ever(what, view) } else { first_time(what, view) };
                match (told, default) {
                    ((Truth::Unknown, until), Some(default)) => ((*default).into(), until),
                    (told, _) => told,
                }
            }
            Self::Compare(parts) => {
                let (left, comparison, right) = &**parts;
                let (left, left_until) = left.value(view)?;
                let (right, right_until) = right.value(view)?;
                (comparison.holds(&left, &right).into(), left_until.min(right_until))
            }
            Self::Text(parts) => return text_test(parts, view),
            Self::Holds(term) => {
                let (value, until) = term.value(view)?;
                ((value == Value::Truth(true)).into(), until)
            }
        };
        Ok(Answer { truth, until })
    }

    /// Whether evaluation can fail at some instant.
    pub(in crate::rulebook::condition) fn may_fail(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::may_fail),
            Self::Not(part) => part.may_fail(),
            Self::Segment(segment) => segment.when.may_fail(),
            Self::Compare(parts) => parts.0.may_fail() || parts.2.may_fail(),
            Self::Text(parts) => parts.0.may_fail() || parts.2.may_fail(),
            Self::Holds(term) => term.may_fail(),
            _ => false,
        }
    }
}

impl Truth {
    pub(in crate::rulebook::condition) const fn opposite(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl Truth {
    /// Where what cannot be told is taken as no.
    pub(in crate::rulebook::condition) fn told(self, certain: bool) -> Self {
        if certain && self == Self::Unknown { Self::False } else { self }
    }
}

fn known((holds, until): (bool, Timestamp)) -> (Truth, Timestamp) {
    (holds.into(), until)
}

/// All (decided by the first `False`) and Any (decided by the first `True`), in Kleene's logic.
///
/// Undecided, every part must stand for the whole to stand. Decided, any one deciding part is
/// enough, so the longest-lived counts; but a part that may fail is reached before a later decider
/// is, so a decider stands no longer than the last answer of every such part up to itself.
fn series(parts: &[Condition], decider: Truth, view: &View<'_>) -> Result<Answer, EvalError> {
    let mut undecided = Answer { truth: decider.opposite(), until: Timestamp::FOREVER };
    let mut decided: Option<Timestamp> = None;
    let mut guard = Timestamp::FOREVER;
    for part in parts {
        let answer = match part.answer(view) {
            Ok(answer) => answer,
            Err(error) if decided.is_none() => return Err(error),
            Err(_) => break,
        };
        if guard > answer.until && part.may_fail() {
            guard = answer.until;
        }
        if answer.truth == decider {
            let stands = answer.until.min(guard);
            decided = decided.max(Some(stands));
        } else if answer.truth == Truth::Unknown {
            undecided.truth = Truth::Unknown;
        }
        undecided.until = undecided.until.min(answer.until);
        if decided.is_some_and(|stands| stands >= guard) {
            break;
        }
    }
    Ok(decided.map_or(undecided, |until| Answer { truth: decider, until }))
}

impl Bound {
    fn met(self, tally: &Tally, view: &View<'_>) -> (Truth, Timestamp) {
        if let Some(number) = tally.stand_in(view) {
            let truth = number.map_or(Truth::Unknown, |number| self.admits(number).into());
            return (truth, Timestamp::FOREVER);
        }
        if tally.is_vague() {
            return self.met_vaguely(tally, view);
        }
        known(match self {
            Self::AtLeast(least) => tally.reached(least, view),
            Self::AtMost(most) if most == i64::MAX => (true, Timestamp::FOREVER),
            Self::AtMost(most) => {
                let (more, until) = tally.reached(most.saturating_add(1), view);
                (!more, until)
            }
            Self::Exactly(wanted) => tally.between(wanted, wanted, view),
            Self::Between(least, most) => tally.between(least, most, view),
        })
    }

    /// Where some may or may not count.
    fn met_vaguely(self, tally: &Tally, view: &View<'_>) -> (Truth, Timestamp) {
        let (least, most) = match self {
            Self::AtLeast(least) => return tally.perhaps_reached(least, view),
            Self::AtMost(most) => (0, most),
            Self::Exactly(wanted) => (wanted, wanted),
            Self::Between(least, most) => (least, most),
        };
        let (met, until) = tally.perhaps_reached(least, view);
        let (more, more_until) = tally.perhaps_reached(most.saturating_add(1), view);
        let both = until.min(more_until);
        match (met, more) {
            (_, Truth::True) => (Truth::False, more_until),
            (Truth::False, _) => (Truth::False, until),
            (Truth::True, Truth::False) => (Truth::True, both),
            _ => (Truth::Unknown, both),
        }
    }
}

fn text_test(parts: &(Term, TextTest, Term), view: &View<'_>) -> Result<Answer, EvalError> {
    let (subject, test, argument) = parts;
    let (subject, subject_until) = subject.value(view)?;
    let (argument, argument_until) = argument.value(view)?;
    let until = subject_until.min(argument_until);
    let (Value::Text(subject), Value::Text(argument)) = (subject, argument) else {
        return Ok(Answer { truth: Truth::False, until });
    };
    let holds = match test {
        TextTest::StartsWith => subject.starts_with(&*argument),
        TextTest::EndsWith => subject.ends_with(&*argument),
        TextTest::Contains => subject.contains(&*argument),
    };
    Ok(Answer { truth: holds.into(), until })
}

#[cfg(test)]
mod tests;
