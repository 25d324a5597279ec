//! The comment: a line that says it all, then what changes, check, tests and replay.

use crate::cli::plan::{Base, Plan, Replayed};
use crate::cli::replay::drive::Outcome;
use crate::cli::replay::human::{assumed, beyond, grouped, number, sampled};
use crate::cli::replay::rulebooks::Read;
use crate::cli::report::count;
use crate::cli::test::human::{reasons, tally};
use crate::engine::replay::compare::Change as Moved;
use crate::engine::replay::figures::per_thousand;
use crate::engine::suite::title;
use crate::rulebook::changes::{Change, Fate};
use crate::rulebook::finding::{Finding, Severity};

/// Findings, failed tests and changes told one by one; a comment has a longest length.
const TOLD: usize = 50;

/// Triggers and the sessions that part in them; GitHub takes 65,536 characters in all.
const SAMPLED: usize = 20;

/// What is said of a limit that could not be applied.
const UNCOMPARED: &str = "Nothing was replayed, so that `--max-increase` was held against nothing.";

/// All of it.
pub(super) fn comment(plan: &Plan<'_>) -> String {
    let base = match plan.base_is {
        Base::Absent => format!("`{}`, which has no workspace yet", plan.base.name),
        _ => side(plan.base),
    };
    let mut parts = vec![
        format!("## docent plan: {base} → {}", side(plan.head)),
        summary(plan),
        format!("### What changes\n\n{}", changed(plan)),
        format!("### Check\n\n{}", checked(plan)),
        format!("### Tests\n\n{}", tested(plan)),
    ];
    let replay = match &plan.replay {
        Some(replay) => Some(replayed(plan, replay)),
        None if plan.arguments.max_increase.is_some() => Some(UNCOMPARED.to_owned()),
        None => None,
    };
    parts.extend(replay.map(|replay| format!("### Replay\n\n{replay}")));
    parts.join("\n\n")
}

fn side(read: &Read) -> String {
    match &read.commit {
        Some(commit) => format!("`{}` ({commit})", read.name),
        None => "the folder as it is".to_owned(),
    }
}

/// Everything in one line.
fn summary(plan: &Plan<'_>) -> String {
    let mut words = Vec::new();
    if let Some(changes) = &plan.changes {
        let all = || changes.iter().flat_map(|(_, changes)| changes);
        let of = |fate: fn(&Fate) -> bool| {
            all().filter(|change| change.kind == "trigger" && fate(&change.fate)).count()
        };
        let added = of(|fate| matches!(fate, Fate::Added(_)));
        let altered = of(|fate| matches!(fate, Fate::Changed(_)));
        let removed = of(|fate| matches!(fate, Fate::Removed));
        words.push(format!("triggers: {added} added, {altered} changed, {removed} removed"));
    }
    words.push(format!("check: {}", found(&plan.findings)));
    if let Some(tests) = &plan.tests {
        let failed = plan.failed();
        words.push(format!("tests: {}", tally(tests.tests.len() - failed, failed)));
    }
    if let Some(replay) = &plan.replay {
        let differ: u64 = replay.outcomes.iter().map(|one| one.changes.sessions).sum();
        let all: u64 = replay.outcomes.iter().map(|one| one.head.sessions).sum();
        words.push(format!("replay: {} of {} sessions differ", grouped(differ), grouped(all)));
    }
    format!("**{}**", words.join("; "))
}

fn found(findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
}

fn changed(plan: &Plan<'_>) -> String {
    let Some(changes) = &plan.changes else {
        let whose = if plan.base_is == Base::Broken { "base" } else { "head" };
        return format!("The {whose} has mistakes, so that the two cannot be compared.");
    };
    if changes.is_empty() {
        return "Nothing that people could notice.".to_owned();
    }
    let mut lines = Vec::new();
    for (product, changes) in changes {
        if !product.is_empty() {
            lines.push(format!("Product `{product}`:\n"));
        }
        lines.extend(changes.iter().take(TOLD).map(told));
        lines.extend(more(changes.len()));
    }
    lines.join("\n")
}

fn told(change: &Change) -> String {
    let Change { kind, id, fate } = change;
    match fate {
        Fate::Added(words) => format!("- {kind} **{id}** is new: {}", plain(words)),
        Fate::Removed => format!("- {kind} **{id}** is removed"),
        Fate::Changed(lines) => {
            let lines = lines.iter().map(|line| format!("\n  - {}", plain(line)));
            format!("- {kind} **{id}** changes{}", lines.collect::<String>())
        }
    }
}

fn checked(plan: &Plan<'_>) -> String {
    let findings = &plan.findings;
    if findings.is_empty() {
        return "No findings.".to_owned();
    }
    let line = |finding: &Finding| {
        let Finding { file, line, column, severity, code, message, help, .. } = finding;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let help = help.as_ref().map(|help| format!("; {}", plain(help))).unwrap_or_default();
        format!("- {severity} `{file}:{line}:{column}` {}{help} (`{code}`)", plain(message))
    };
    let lines: Vec<String> = findings.iter().take(TOLD).map(line).collect();
    lines.into_iter().chain(more(findings.len())).collect::<Vec<_>>().join("\n")
}

fn tested(plan: &Plan<'_>) -> String {
    let Some(report) = &plan.tests else {
        return "Not run: the rules have mistakes.".to_owned();
    };
    let failed = plan.failed();
    let mut text = format!("{}.", tally(report.tests.len() - failed, failed));
    let failures = report.tests.iter().filter_map(|test| Some((test, test.failure.as_ref()?)));
    for (test, failure) in failures.take(TOLD) {
        let title = title(&test.written.file, test.trigger.as_deref(), &test.name);
        text.push_str(&format!("\n\n- {}, line {}\n", plain(&title), failure.line));
        text.push_str("\n  ```text\n");
        for line in reasons(failure).lines() {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("  ```");
    }
    if failed > TOLD {
        text.push_str(&format!("\n\n- and {} more", failed - TOLD));
    }
    text
}

fn replayed(plan: &Plan<'_>, replay: &Replayed) -> String {
    let Replayed { recordings, outcomes, exceeded } = replay;
    let mut parts = Vec::new();
    for outcome in outcomes {
        let product = match outcomes.len() {
            1 => String::new(),
            _ => format!("Product `{}`: ", outcome.product),
        };
        let differ = grouped(outcome.changes.sessions);
        let sessions =
            number(usize::try_from(outcome.head.sessions).unwrap_or(usize::MAX), "session");
        parts.push(format!("{product}{differ} of {sessions} differ."));
        parts.push(table(outcome));
        parts.extend(samples(outcome));
    }
    if let (Some(limit), false) = (plan.arguments.max_increase, exceeded.is_empty()) {
        let beyond = exceeded.iter().map(|one| format!("\n- {}", beyond(one)));
        parts
            .push(format!("**More than {limit} above the base:**\n{}", beyond.collect::<String>()));
    }
    let mut supposed = assumed(recordings, &plan.arguments.terms, outcomes);
    let unread: usize = recordings.files.iter().map(|file| file.refused.count).sum();
    if unread > 0 {
        supposed.push(format!("{} could not be read", number(unread, "line")));
    }
    let sessionless: usize = recordings.files.iter().map(|file| file.sessionless).sum();
    if sessionless > 0 {
        supposed.push(format!("{} without a session passed over", number(sessionless, "event")));
    }
    parts.push(format!("<sub>{}</sub>", supposed.join("; ")));
    parts.join("\n\n")
}

fn table(outcome: &Outcome) -> String {
    let none = Default::default();
    let base = outcome.base.as_ref().unwrap_or(&none);
    let (head, same) = (&outcome.head, Moved::default());
    let mut names: Vec<_> = base.triggers.keys().chain(head.triggers.keys()).collect();
    names.sort();
    names.dedup();
    let row = |name: &str, before: u64, after: u64, change: &Moved| {
        let rate = |fires| per_thousand(fires, head.sessions);
        let Moved { newly_firing, newly_silent, copy, moved, first, .. } = change;
        format!(
            "| {name} | {} → {} | {:.1} → {:.1} | {newly_firing} | {newly_silent} | {copy} | {moved} | {first} |",
            grouped(before),
            grouped(after),
            rate(before),
            rate(after)
        )
    };
    let mut lines = vec![
        "| trigger | offers | per 1,000 sessions | newly firing | newly silent | other copy | other time | first |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for name in names {
        let change = outcome.changes.triggers.get(name).unwrap_or(&same);
        let (before, after) = (base.fires_of(name), head.fires_of(name));
        lines.push(row(&format!("`{name}`"), before, after, change));
    }
    let (before, after) = (grouped(base.fires), grouped(head.fires));
    let rate = |fires| per_thousand(fires, head.sessions);
    let rates = format!("{:.1} → {:.1}", rate(base.fires), rate(head.fires));
    lines.push(format!("| all | {before} → {after} | {rates} | | | | | |"));
    lines.join("\n")
}

/// Sessions to look at, folded away.
fn samples(outcome: &Outcome) -> Option<String> {
    let triggers = &outcome.changes.triggers;
    if triggers.is_empty() {
        return None;
    }
    let mut text = "<details><summary>Sessions that part</summary>\n".to_owned();
    for (trigger, change) in triggers.iter().take(SAMPLED) {
        text.push_str(&format!("\n`{trigger}`\n\n```text\n"));
        change.samples.iter().for_each(|sample| {
            text.push_str(sampled(sample).trim_start());
            text.push('\n');
        });
        text.push_str("```\n");
    }
    if triggers.len() > SAMPLED {
        text.push_str(&format!("\nand those of {} more triggers\n", triggers.len() - SAMPLED));
    }
    text.push_str("\n</details>");
    Some(text)
}

fn more(all: usize) -> Option<String> {
    (all > TOLD).then(|| format!("- and {} more", all - TOLD))
}

/// What an author wrote, so that it is shown and not taken for Markdown. What stands between
/// backticks is shown as it is anyway.
fn plain(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ");
    let mut told = String::with_capacity(text.len());
    let whole = text.matches('`').count().is_multiple_of(2);
    let mut code = false;
    for letter in text.chars() {
        match letter {
            '`' if whole => code = !code,
            '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '@' | '`' if !code => {
                told.push('\\');
            }
            _ => {}
        }
        told.push(letter);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authors_write_is_no_markdown() {
        for (written, shown) in [
            ("a *b* <img> `c*d`", "a \\*b\\* \\<img\\> `c*d`"),
            ("one ` alone", "one \\` alone"),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(plain(written), shown);
        }
    }
}
