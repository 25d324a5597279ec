//! A condition as its author wrote it, with what was found beneath each part: an expression with
//! the value of every operand under its place, a leaf with what it required.

use crate::rulebook::condition::explain::shown;
use crate::rulebook::condition::expression::{Form, Syntax, parse};
use crate::rulebook::condition::lower::Checker;
use crate::rulebook::condition::spelling::{Part, Spelling};
use crate::rulebook::condition::{Clause, Condition, Ground, Term, Truth, View};
use crate::rulebook::settings::Activity;

/// Characters of one line.
const WIDTH: usize = 96;
/// Characters of one value.
const VALUE: usize = 40;

/// What stands in a line of text, and beneath which character.
type Mark = (usize, String);

/// The condition's lines, none longer than 96 characters but for a leaf that is.
pub fn picture(
    condition: &Condition,
    spelling: &Spelling,
    limits: &Activity,
    view: &View<'_>,
) -> Vec<String> {
    let segments = condition.segments();
    let ground = Ground { segments: Some(&segments), ..Ground::from(limits) };
    let mut clauses = condition.clauses(view).into_iter();
    let mut lines = Vec::new();
    for part in &spelling.parts {
        let clauses: Vec<_> = clauses.by_ref().take(part.lines.len()).collect();
        let indent = "  ".repeat(part.depth);
        let drawn = match part.is_expression {
            true => expression(&part.text, ground, view),
            false => leaf(part, &clauses),
        };
        lines.extend(drawn.into_iter().map(|line| format!("{indent}{line}").trim_end().to_owned()));
    }
    lines
}

fn leaf(part: &Part, clauses: &[Clause]) -> Vec<String> {
    let found = |clause: &Clause| {
        let truth = match clause.answer.truth {
            Truth::True => "yes",
            Truth::False => "no",
            Truth::Unknown => "not known",
        };
        let Clause { text, required, found, .. } = clause;
        let inside = if text.starts_with("segment ") { format!("{text}, ") } else { String::new() };
        format!("| {truth}: {inside}required {}, found {}", clipped(required), clipped(found))
    };
    part.text.lines().map(str::to_owned).chain(clauses.iter().map(found)).collect()
}

fn clipped(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(VALUE).collect();
    if letters.next().is_some() { format!("{start}…") } else { start }
}

// ---- expressions

fn expression(text: &str, ground: Ground<'_>, view: &View<'_>) -> Vec<String> {
    let mut marks = Vec::new();
    if let Some(syntax) = parse(text, &mut Vec::new()) {
        let mut painter = Painter { checker: Checker::new(ground), view, marks: &mut marks };
        painter.truth(&syntax);
    }
    let mut start = 0;
    let mut drawn = Vec::new();
    for line in text.lines() {
        for (offset, piece) in pieces(line) {
            let (from, to) = (start + offset, start + offset + piece.chars().count());
            let own = marks.iter().filter(|(at, _)| (from..to).contains(at));
            let own = own.map(|(at, value)| (at - from, value.clone())).collect();
            drawn.push(piece.to_owned());
            drawn.extend(rows(own));
        }
        start += line.chars().count() + 1;
    }
    drawn
}

/// A line in pieces that are no longer than a line may be, if it can be cut before `&&` and `||`.
fn pieces(line: &str) -> Vec<(usize, &str)> {
    let (mut pieces, mut rest, mut offset) = (Vec::new(), line, 0);
    while rest.chars().count() > WIDTH {
        let joints = rest.match_indices("&&").chain(rest.match_indices("||"));
        let within = joints.map(|(at, _)| at).filter(|at| *at > 0);
        let near = within.filter(|at| rest.get(..*at).is_some_and(|t| t.chars().count() <= WIDTH));
        let Some((before, after)) = near.max().and_then(|at| rest.split_at_checked(at)) else {
            break;
        };
        pieces.push((offset, before));
        offset += before.chars().count();
        rest = after;
    }
    pieces.push((offset, rest));
    pieces
}

/// The rows beneath a line: a bar under each place, then its value as soon as there is room for it.
fn rows(mut marks: Vec<Mark>) -> Vec<String> {
    marks.sort_by_key(|(at, _)| *at);
    marks.dedup_by_key(|(at, _)| *at);
    if marks.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row(marks.iter().map(|(at, _)| (*at, "|")))];
    while !marks.is_empty() {
        let (mut waiting, mut said) = (Vec::new(), Vec::new());
        let mut next = usize::MAX;
        for (at, value) in marks.into_iter().rev() {
            let fits = at + value.chars().count() < next;
            next = at;
            if fits {
                said.push((at, value));
            } else {
                waiting.push((at, value));
            }
        }
        let cells = said.iter().map(|(at, value)| (*at, &**value));
        rows.push(row(cells.chain(waiting.iter().map(|(at, _)| (*at, "|")))));
        marks = waiting.into_iter().rev().collect();
    }
    rows
}

fn row<'v>(cells: impl Iterator<Item = (usize, &'v str)>) -> String {
    let mut cells: Vec<_> = cells.collect();
    cells.sort_unstable();
    let mut row = String::new();
    let mut length = 0;
    for (at, value) in cells {
        row.push_str(&" ".repeat(at.saturating_sub(length)));
        row.push_str(value);
        length = length.max(at) + value.chars().count();
    }
    row
}

struct Painter<'p, 'v> {
    checker: Checker<'p>,
    view: &'p View<'v>,
    marks: &'p mut Vec<Mark>,
}

impl Painter<'_, '_> {
    /// Something that is true or false.
    fn truth(&mut self, syntax: &Syntax) {
        match &syntax.form {
            Form::All(parts) | Form::Any(parts) => parts.iter().for_each(|part| self.truth(part)),
            Form::Not(part) => {
                self.note(syntax.at.offset, syntax);
                self.truth(part);
            }
            Form::Comparison(left, _, right) => {
                self.operand(left);
                self.note(syntax.at.offset, syntax);
                self.operand(right);
            }
            Form::Truth(_) => {}
            Form::Method(of, ..) if !is_session(of) => {
                self.operand(of);
                self.note(syntax.at.offset, syntax);
            }
            _ => self.note(leftmost(syntax), syntax),
        }
    }

    /// A side of a comparison, and what it is computed from; a value as written says enough.
    fn operand(&mut self, syntax: &Syntax) {
        match &syntax.form {
            Form::Int(_) | Form::Float(_) | Form::Text(_) | Form::Truth(_) => {}
            Form::Negative(part) => self.operand(part),
            Form::Arithmetic(left, _, right) => {
                self.operand(left);
                self.note(syntax.at.offset, syntax);
                self.operand(right);
            }
            Form::All(_) | Form::Any(_) | Form::Not(_) | Form::Comparison(..) => self.truth(syntax),
            _ => self.note(leftmost(syntax), syntax),
        }
    }

    fn note(&mut self, at: usize, syntax: &Syntax) {
        let value = match self.checker.lowered(syntax) {
            Some(Term::Truth(condition)) => match condition.answer(self.view) {
                Ok(answer) => match answer.truth {
                    Truth::True => "true".to_owned(),
                    Truth::False => "false".to_owned(),
                    Truth::Unknown => "not known".to_owned(),
                },
                Err(error) => error.to_string(),
            },
            Some(term) => shown(&term, self.view),
            None => return,
        };
        self.marks.push((at, clipped(&value)));
    }
}

fn is_session(syntax: &Syntax) -> bool {
    matches!(syntax.form, Form::Name(_))
}

/// Where a value begins: its subject stands before it.
fn leftmost(syntax: &Syntax) -> usize {
    match &syntax.form {
        Form::Member(of, _) | Form::Method(of, ..) => leftmost(of).min(syntax.at.offset),
        _ => syntax.at.offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_beneath_their_places_as_soon_as_there_is_room() {
        let marks = [(0, "1"), (4, "a long one"), (8, "false"), (20, "x")];
        let marks = marks.map(|(at, value)| (at, value.to_owned())).to_vec();
        let drawn = ["|   |   |           |", "1   |   false       x", "    a long one"];
        assert_eq!(rows(marks), drawn);
        assert_eq!(rows(Vec::new()), [""; 0]);
    }

    #[test]
    fn long_lines_are_cut_before_what_joins() {
        let clause = "session.count(\"click\", \"10m\") >= 2";
        let line = [clause; 4].join(" && ");
        let cut = pieces(&line);
        let joined: String = cut.iter().map(|(_, piece)| *piece).collect();
        assert_eq!((cut.len(), joined), (2, line.clone()));
        for (offset, piece) in cut {
            let here = line.get(offset..).is_some_and(|rest| rest.starts_with(piece));
            assert!(here && piece.chars().count() <= WIDTH);
        }
        let word = "a".repeat(200);
        assert_eq!(pieces(&word), [(0, &*word)]);
    }
}
