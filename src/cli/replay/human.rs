//! A replay as people read it: how many sessions differ, a line per trigger, sample sessions.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cli::replay::drive::Outcome;
use crate::cli::replay::input::{File, Recordings, without_session};
use crate::cli::replay::limit::Exceeded;
use crate::cli::replay::rulebooks::Loaded;
use crate::cli::replay::{Assume, Terms, Told};
use crate::cli::report::{count, say};
use crate::engine::replay::Firing;
use crate::engine::replay::compare::{Change, Sample};
use crate::engine::replay::figures::{Figures, per_thousand};
use crate::engine::replay::recording::Reach;
use crate::http::wire::isoformat::isoformat;

/// Prints all of it.
pub(super) fn print(told: &Told<'_>) {
    read(told).iter().for_each(|line| say(line));
    for outcome in &told.outcomes {
        if told.outcomes.len() > 1 {
            say(&format!("\nproduct {}", outcome.product));
        }
        say("");
        lines(told, outcome).iter().for_each(|line| say(line));
    }
    if let (Some(limit), false) = (told.arguments.max_increase, told.exceeded.is_empty()) {
        say(&format!("\nmore than {limit} above the base:"));
        told.exceeded.iter().for_each(|exceeded| say(&format!("  {}", beyond(exceeded))));
    }
}

/// What was read, and what was not.
fn read(told: &Told<'_>) -> Vec<String> {
    let sessions = told.recordings.sessions().count();
    let actions: usize = told.outcomes.iter().map(|outcome| outcome.actions).sum();
    let files = count(told.recordings.files.len(), "file");
    let (sessions, actions) = (number(sessions, "session"), number(actions, "action"));
    let mut lines = vec![format!("{sessions} with {actions} from {files}")];
    for file in &told.recordings.files {
        let File { name, refused, passed, sessionless, missing, .. } = file;
        if *missing > 0 {
            let missing = number(usize::try_from(*missing).unwrap_or(usize::MAX), "line");
            lines.push(format!("  {name}: {missing} could not be written in time"));
        }
        for (line, why) in &refused.first {
            lines.push(format!("  {name}:{line}: {why}"));
        }
        let more = refused.count - refused.first.len();
        if more > 0 {
            lines.push(format!("  {name}: {} more that cannot be read", grouped(more as u64)));
        }
        if *sessionless > 0 {
            lines.push(format!("  {name}: {}", without_session(file)));
        }
        let others = passed - sessionless;
        if others > 0 {
            let others = grouped(others as u64);
            lines.push(format!(
                "  {name}: {others} passed over for telling nothing that a person did"
            ));
        }
    }
    if told.recordings.strangers > 0 {
        let strangers = number(told.recordings.strangers, "message");
        lines.push(format!("  {strangers} of products that the rules do not know"));
    }
    lines.extend(assumed(told.recordings, &told.arguments.terms, &told.outcomes));
    lines
}

/// What was not recorded, and is supposed.
pub(in crate::cli) fn assumed(
    recordings: &Recordings,
    terms: &Terms,
    outcomes: &[Outcome],
) -> Vec<String> {
    let mut lines = Vec::new();
    let sessions = recordings.sessions().count();
    let polled: usize = outcomes.iter().map(|outcome| outcome.polled).sum();
    let (every, linger) = (terms.poll_every, terms.linger);
    if polled < sessions {
        let whose = if polled == 0 { "" } else { "where they were not recorded, " };
        lines.push(format!(
            "polls: {whose}simulated after each batch and every {every}, until {linger} after the last one"
        ));
    }
    lines.push(match terms.assume {
        Assume::Recorded => "answers: as recorded, else offers are ignored".to_owned(),
        Assume::Ignored => "answers: offers are ignored".to_owned(),
        Assume::Dismissed => "answers: offers are dismissed after 5s".to_owned(),
        Assume::Accepted => "answers: offers are accepted after 5s".to_owned(),
    });
    if outcomes.iter().any(|outcome| outcome.reach == Reach::Product) {
        let why = "a cap or quota counts all offers of the product";
        lines.push(format!("one session at a time, in order, because {why}"));
    }
    lines
}

fn lines(told: &Told<'_>, outcome: &Outcome) -> Vec<String> {
    let Some(base) = &outcome.base else {
        let mut lines = vec![side("rules", told.head, &outcome.head)];
        lines.extend(alone(&outcome.head));
        return lines;
    };
    let (differing, all) = (outcome.changes.sessions, outcome.head.sessions);
    let mut lines =
        vec![format!("{} of {} sessions differ", grouped(differing), grouped(all)), String::new()];
    if let Some(loaded) = told.base {
        lines.push(side("base", loaded, base));
    }
    lines.push(side("head", told.head, &outcome.head));
    lines.extend(compared(outcome, base));
    lines
}

fn side(role: &str, loaded: &Loaded, figures: &Figures) -> String {
    let name = match &loaded.commit {
        Some(commit) => format!("{} ({commit})", loaded.name),
        None => loaded.name.clone(),
    };
    let fires = number(usize::try_from(figures.fires).unwrap_or(usize::MAX), "offer");
    let rate = per_thousand(figures.fires, figures.sessions);
    format!("{role}  {name}: {fires}, {rate:.1} per 1,000 sessions")
}

/// A line per trigger of one rulebook.
fn alone(figures: &Figures) -> Vec<String> {
    let mut table =
        vec![["trigger", "offers", "per 1,000", "sessions", "held back"].map(String::from)];
    for (trigger, tally) in &figures.triggers {
        let rate = per_thousand(tally.fires, figures.sessions);
        let mut held: Vec<_> =
            tally.held.iter().map(|(why, times)| format!("{why} {}", grouped(*times))).collect();
        if tally.ghosts > 0 {
            held.push(format!("not shown {}", grouped(tally.ghosts)));
        }
        table.push([
            trigger.to_string(),
            grouped(tally.fires),
            format!("{rate:.1}"),
            grouped(tally.sessions),
            held.join(", "),
        ]);
    }
    shown(&table)
}

/// A line per trigger of two rulebooks, and samples of those that differ.
fn compared(outcome: &Outcome, base: &Figures) -> Vec<String> {
    let head = &outcome.head;
    let names: BTreeSet<&Arc<str>> = base.triggers.keys().chain(head.triggers.keys()).collect();
    let titles = [
        "trigger",
        "base",
        "head",
        "per 1,000",
        "newly firing",
        "newly silent",
        "other copy",
        "other time",
        "first",
    ];
    let mut table = vec![titles.map(String::from)];
    let same = Change::default();
    for trigger in names {
        let (before, after) = (base.fires_of(trigger), head.fires_of(trigger));
        let change = outcome.changes.triggers.get(trigger).unwrap_or(&same);
        let rate = |fires| per_thousand(fires, head.sessions);
        table.push([
            trigger.to_string(),
            grouped(before),
            grouped(after),
            format!("{:.1} → {:.1}", rate(before), rate(after)),
            grouped(change.newly_firing),
            grouped(change.newly_silent),
            grouped(change.copy),
            grouped(change.moved),
            grouped(change.first),
        ]);
    }
    let mut lines = shown(&table);
    for (trigger, change) in &outcome.changes.triggers {
        lines.push(format!("\n{trigger}"));
        lines.extend(change.samples.iter().map(sampled));
    }
    lines
}

/// A session, and where it parts.
pub(in crate::cli) fn sampled(sample: &Sample) -> String {
    let Sample { session, at, into, base, head, .. } = sample;
    let (base, head) = (offered(base.as_ref()), offered(head.as_ref()));
    format!("  {session}, {into} in ({}): {base} → {head}", isoformat(*at))
}

pub(in crate::cli) fn offered(firing: Option<&Firing>) -> String {
    let Some(Firing { trigger, copy, .. }) = firing else { return "nothing".to_owned() };
    format!("{trigger} {:?}", copy.body)
}

/// What is beyond the limit, with both figures.
pub(in crate::cli) fn beyond(exceeded: &Exceeded) -> String {
    let Exceeded { trigger, base, head, .. } = exceeded;
    let what = trigger.as_ref().map_or_else(|| "all offers".to_owned(), |id| format!("`{id}`"));
    let (before, after) = (grouped(*base), grouped(*head));
    match base {
        0 => format!("{what}: {before} → {after}"),
        _ => {
            let percent = (*head as f64 / *base as f64 - 1.0) * 100.0;
            format!("{what}: {before} → {after}, {percent:.1}% more")
        }
    }
}

/// Columns as wide as their widest cell; the first is to the left, the last as long as it is.
fn shown<const N: usize>(table: &[[String; N]]) -> Vec<String> {
    // Titles alone tell nothing.
    if table.len() < 2 {
        return Vec::new();
    }
    let mut widths = [0; N];
    for row in table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).enumerate().map(|(place, (cell, width))| match place {
            0 => format!("{cell:<width$}"),
            _ if cell.contains(' ') && place == N - 1 => cell.clone(),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = table.iter().map(line);
    std::iter::once(String::new()).chain(rows).collect()
}

/// `1 session`, `1,204 sessions`.
pub(in crate::cli) fn number(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count as u64))
}

/// `1,204`.
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }
}
