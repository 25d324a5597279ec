//! Test results as people read them: a line per file, then what failed and why.

use crate::cli::report::{count, say};
use crate::cli::test::Shown;
use crate::engine::case::{Decided, Failure, Ladder, Rung};
use crate::engine::suite::{ClauseCovered, Covered, Tested, title};
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
    shown.undecided().for_each(|(rule, clause)| say(&undecided(rule, clause)));
    let (run, failed) = (shown.report.tests.len(), shown.failed());
    say(&tally(run - failed, failed));
    if shown.coverage.is_some() {
        let (all, less) = (shown.report.rules.len(), shown.uncovered().count());
        let rules = count(all, "rule");
        say(&format!("{} of {rules} seen firing and silent", all - less));
        let all = shown.report.rules.iter().map(|rule| rule.clauses.len()).sum::<usize>();
        let clauses = count(all, "clause");
        say(&format!("{} of {clauses} seen deciding", all - shown.undecided().count()));
    }
    if shown.empty {
        say("no test was run");
    }
}

pub(in crate::cli) fn tally(passed: usize, failed: usize) -> String {
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

/// What a clause was not seen deciding: without it no test would fail.
fn undecided(rule: &Covered, clause: &ClauseCovered) -> String {
    let Decided { let_match, kept_silent } = clause.decided;
    let missing = match (let_match, kept_silent) {
        (false, false) => "making the difference",
        (false, true) => "letting it match",
        _ => "keeping it silent by itself",
    };
    let (file, line, trigger) = (&rule.written.file, clause.line, &rule.trigger);
    format!("{file}:{line}: `{trigger}`: `{}` was not seen {missing}", clause.text)
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
pub(in crate::cli) fn reasons(failure: &Failure) -> String {
    let Failure { expected, found, decided, ladders, .. } = failure;
    let mut text = format!("  expected  {expected}\n  found     {found}\n  decided   {decided}");
    for ladder in ladders {
        text.push_str(&format!("\n  {}: {}", ladder.trigger, ladder.came_to));
        for line in ladder.picture.iter().chain(&changes(ladder)) {
            text.push_str(&format!("\n    {line}"));
        }
    }
    text
}

/// When time alone may change what does not hold.
fn changes(ladder: &Ladder) -> Vec<String> {
    let changing = |rung: &Rung| {
        let at = rung.changes.filter(|_| rung.truth != Truth::True)?;
        Some(format!("`{}` may change at {at}", rung.text))
    };
    ladder.rungs.iter().filter_map(changing).collect()
}
