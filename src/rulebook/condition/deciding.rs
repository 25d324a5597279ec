//! Which clauses decide: those whose answer alone, were it the other, would turn the condition's.

use crate::rulebook::condition::{Condition, Truth, View};

/// A clause at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deciding {
    /// Its place among the clauses, in the order written.
    pub clause: usize,
    /// Whether it let the condition hold, or kept it from holding.
    pub holds: bool,
}

impl Condition {
    /// The clauses that decide at this instant. What cannot be computed does not hold.
    pub fn deciding(&self, view: &View<'_>, mut each: impl FnMut(Deciding)) {
        let mut truths = Vec::new();
        self.truths(view, &mut truths);
        let holds = self.verdict(&truths, &mut 0) == Truth::True;
        for clause in 0..truths.len() {
            let Some(truth) = truths.get_mut(clause) else { break };
            let found = *truth;
            *truth = Truth::from(found != Truth::True);
            let turned = (self.verdict(&truths, &mut 0) == Truth::True) != holds;
            if let Some(truth) = truths.get_mut(clause) {
                *truth = found;
            }
            if turned {
                each(Deciding { clause, holds: found == Truth::True });
            }
        }
    }

    /// How many clauses there are, as [`Condition::clauses`] lists them.
    pub fn clause_count(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::clause_count).sum(),
            Self::Not(part) if part.is_joint() => part.clause_count(),
            Self::Segment(segment) => segment.when.clause_count(),
            _ => 1,
        }
    }

    /// Whether an explanation looks inside.
    pub(in crate::rulebook::condition) const fn is_joint(&self) -> bool {
        matches!(self, Self::All(_) | Self::Any(_) | Self::Not(_) | Self::Segment(_))
    }

    fn truths(&self, view: &View<'_>, truths: &mut Vec<Truth>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.truths(view, truths));
            }
            Self::Not(part) if part.is_joint() => part.truths(view, truths),
            Self::Segment(segment) => segment.when.truths(view, truths),
            leaf => truths.push(leaf.answer(view).map_or(Truth::Unknown, |answer| answer.truth)),
        }
    }

    /// The condition's truth from those of its clauses, in Kleene's logic.
    fn verdict(&self, truths: &[Truth], next: &mut usize) -> Truth {
        let mut series = |parts: &[Self], decider: Truth| {
            let mut truth = decider.opposite();
            for part in parts {
                match part.verdict(truths, next) {
                    found if found == decider => truth = decider,
                    Truth::Unknown if truth != decider => truth = Truth::Unknown,
                    _ => {}
                }
            }
            truth
        };
        match self {
            Self::All(parts) => series(parts, Truth::False),
            Self::Any(parts) => series(parts, Truth::True),
            Self::Not(part) if part.is_joint() => part.verdict(truths, next).opposite(),
            Self::Segment(segment) => segment.when.verdict(truths, next).told(segment.certain),
            _ => {
                let truth = truths.get(*next).copied().unwrap_or(Truth::Unknown);
                *next += 1;
                truth
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::Session;
    use crate::rulebook::condition::given::{LIMITS, at};
    use crate::rulebook::condition::read_expression;

    fn deciding(expression: &str) -> Vec<(usize, bool)> {
        let condition = read_expression(expression, &LIMITS).unwrap();
        let mut found = Vec::new();
        let session = Session::default();
        let view = View { session: &session, user: None, account: None, now: at(1.0) };
        condition.deciding(&view, |clause| found.push((clause.clause, clause.holds)));
        found
    }

    #[test]
    fn a_clause_decides_when_its_opposite_would_turn_the_answer() {
        let (yes, no) = ("session.path == \"\"", "session.path != \"\"");
        for (expression, expected) in [
            (format!("{yes} && {yes}"), vec![(0, true), (1, true)]),
            (format!("{yes} && {no}"), vec![(1, false)]),
            (format!("{no} && {no}"), vec![]),
            (format!("{yes} || {no}"), vec![(0, true)]),
            (format!("{no} || {no}"), vec![(0, false), (1, false)]),
            (format!("{yes} || {yes}"), vec![]),
            (format!("{yes} && ({no} || {no})"), vec![(1, false), (2, false)]),
            (format!("!({yes} && {no})"), vec![(1, false)]),
            (format!("!({yes})"), vec![(0, false)]),
            (format!("{yes} && 1 / session.action_count == 1"), vec![(1, false)]),
        ] {
            assert_eq!(deciding(&expression), expected, "{expression}");
        }
    }
}
