//! What a condition asks, held against what it asked: thresholds that moved, clauses that came and
//! went.

use crate::rulebook::rule::When;
use crate::rulebook::triggers;

/// A line for each clause that is another.
pub(super) fn changes(before: &When, after: &When) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let (mut old, mut new) = (triggers::clauses(before), triggers::clauses(after));
    let both: Vec<String> = old.iter().filter(|clause| new.contains(clause)).cloned().collect();
    old.retain(|clause| !both.contains(clause));
    new.retain(|clause| !both.contains(clause));
    let mut lines = Vec::new();
    for clause in new {
        let alike = old.iter().position(|known| shape(known) == shape(&clause));
        let alike = alike.or_else(|| old.iter().position(|known| head(known) == head(&clause)));
        lines.push(match alike {
            Some(place) => format!("asks `{clause}`, was `{}`", old.remove(place)),
            None => format!("asks `{clause}`, too"),
        });
    }
    lines.extend(old.iter().map(|clause| format!("no longer asks `{clause}`")));
    if lines.is_empty() {
        let what = match after {
            When::Builtin(_) => "its detector has other parameters",
            When::Condition(_) => "its condition is written otherwise",
        };
        lines.push(what.to_owned());
    }
    lines
}

/// A clause without its numbers, which are what moves.
fn shape(clause: &str) -> String {
    clause
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect::<String>()
        .replace("00", "0")
}

fn head(clause: &str) -> &str {
    clause.split([' ', '(']).next().unwrap_or(clause)
}
