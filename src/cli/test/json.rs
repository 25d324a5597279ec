//! Test results as one JSON object.

use serde_json::{Value, json};

use crate::cli::report::say;
use crate::cli::test::Shown;
use crate::engine::case::{Failure, Ladder, Rung};
use crate::engine::suite::{ClauseCovered, Covered, Tested};
use crate::rulebook::condition::Truth;

/// Prints it.
pub(super) fn print(shown: &Shown<'_>) {
    let (run, failed) = (shown.report.tests.len(), shown.failed());
    let covered = shown.report.rules.iter().map(covered).collect::<Vec<_>>();
    let object = json!({
        "ok": shown.is_good(),
        "passed": run - failed,
        "failed": failed,
        "tests": shown.report.tests.iter().map(test).collect::<Vec<_>>(),
        "coverage": shown.coverage.map(|_| covered),
    });
    say(&object.to_string());
}

fn test(test: &Tested) -> Value {
    json!({
        "product": test.product,
        "file": test.written.file,
        "line": test.written.line,
        "trigger": test.trigger,
        "name": test.name,
        "passed": test.failure.is_none(),
        "failure": test.failure.as_ref().map(failure),
    })
}

fn failure(failure: &Failure) -> Value {
    json!({
        "line": failure.line,
        "at_s": failure.at.as_seconds(),
        "expected": failure.expected,
        "found": failure.found,
        "decided": failure.decided,
        "rules": failure.ladders.iter().map(ladder).collect::<Vec<_>>(),
    })
}

fn ladder(ladder: &Ladder) -> Value {
    let clauses: Vec<_> = ladder.rungs.iter().map(rung).collect();
    json!({ "trigger": ladder.trigger, "came_to": ladder.came_to, "clauses": clauses, "condition": ladder.picture })
}

fn rung(rung: &Rung) -> Value {
    let holds = match rung.truth {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    };
    json!({
        "clause": rung.text,
        "required": rung.required,
        "found": rung.found,
        "holds": holds,
        "changes_at_s": rung.changes.map(|at| at.as_seconds()),
    })
}

fn covered(rule: &Covered) -> Value {
    json!({
        "product": rule.product,
        "trigger": rule.trigger,
        "file": rule.written.file,
        "line": rule.written.line,
        "firing": rule.fired,
        "silent": rule.silent,
        "clauses": rule.clauses.iter().map(clause).collect::<Vec<_>>(),
    })
}

fn clause(clause: &ClauseCovered) -> Value {
    json!({
        "clause": clause.text,
        "line": clause.line,
        "let_match": clause.decided.let_match,
        "kept_silent": clause.decided.kept_silent,
    })
}
