//! Test results as people read them: a line per file, then what failed and why.

use crate::cli::report::{count, say};
use crate::cli::test::Shown;
use crate::engine::case::{Failure, Ladder, Rung};
use crate::engine::suite::{Covered, Tested, title};
use crate::rulebook::condition::Truth;

/// Prints all of it.
pub(super) fn print(shown: &Shown<'_>) {
    for file in shown.files() {
        let Some(first) = file.first() else { continue };
        let failed = file.iter().filter(|test| test.failure.is_some()).count();
        say(&format!("{}: {}", shown.heading(first), tally(file.len() - failed, failed)));
    }
    for test in &shown.report.tests {
        if let Some(failure) = &test.failure {
            say(&format!("\n{}", told(shown, test, failure)));
        }
    }
    if shown.failed() > 0 {
        say("");
    }
    shown.uncovered().for_each(|rule| say(&uncovered(rule)));
    let (run, failed) = (shown.report.tests.len(), shown.failed());
    say(&tally(run - failed, failed));
    if shown.coverage {
        let (all, less) = (shown.report.rules.len(), shown.uncovered().count());
        let rules = count(all, "rule");
        say(&format!("{} of {rules} seen firing and silent", all - less));
    }
    if shown.empty {
        say("no test was run");
    }
}

fn tally(passed: usize, failed: usize) -> String {
    if failed == 0 {
        format!("{passed} passed")
    } else {
        format!("{passed} passed, {failed} failed")
    }
}

/// What is missing of a rule.
pub(super) fn uncovered(rule: &Covered) -> String {
    let missing = match (rule.fired, rule.silent) {
        (false, false) => "firing or silent",
        (false, true) => "firing",
        _ => "silent",
    };
    let (file, line) = (&rule.written.file, rule.written.line);
    format!("{file}:{line}: `{}` was not seen {missing}", rule.trigger)
}

/// A failed test: its name, the line that was not met, and why.
fn told(shown: &Shown<'_>, test: &Tested, failure: &Failure) -> String {
    let name = title(&shown.heading(test), test.trigger.as_deref(), &test.name);
    let written = source_line(shown, test, failure.line);
    let number = failure.line.to_string();
    let margin = " ".repeat(number.len());
    let file = &test.written.file;
    format!(
        "failed: {name}\n{margin}--> {file}:{number}, at {}\n{margin} |\n{number} | {written}\n\
         {margin} |\n{}",
        failure.at,
        reasons(failure)
    )
}

fn source_line(shown: &Shown<'_>, test: &Tested, line: usize) -> String {
    let text = shown.sources.files.get(&*test.written.file);
    let text = text.map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
    let written = line.checked_sub(1).and_then(|above| text.lines().nth(above));
    written.unwrap_or_default().trim_end().to_owned()
}

/// Expected, found, decided, and each rule that matters clause by clause.
pub(super) fn reasons(failure: &Failure) -> String {
    let Failure { expected, found, decided, ladders, .. } = failure;
    let mut text = format!("  expected  {expected}\n  found     {found}\n  decided   {decided}");
    for ladder in ladders {
        text.push_str(&format!("\n  {}: {}", ladder.trigger, ladder.came_to));
        rungs(ladder).iter().for_each(|rung| text.push_str(&format!("\n    {rung}")));
    }
    text
}

/// A line per clause, in columns.
fn rungs(ladder: &Ladder) -> Vec<String> {
    let cells = |rung: &Rung| {
        let mark = match rung.truth {
            Truth::True => "yes",
            Truth::False => "no",
            Truth::Unknown => "not known",
        };
        let changes = rung.changes.map_or(String::new(), |at| format!("may change at {at}"));
        let required = format!("required {}", rung.required);
        [mark.to_owned(), rung.text.clone(), required, format!("found {}", rung.found), changes]
    };
    let rows: Vec<_> = ladder.rungs.iter().map(cells).collect();
    let wide = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..5).map(wide).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
