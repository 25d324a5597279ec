//! `docent check --fix`: applies the repairs that findings carry, as long as nothing gets worse.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::rulebook::compile::compile;
use crate::rulebook::environment::Lookup;
use crate::rulebook::finding::{Finding, Fix, Severity};
use crate::rulebook::{Rulebook, Sources};

/// A repair may uncover what another one repairs; beyond so many rounds it is left.
const MOST_ROUNDS: usize = 10;
/// Readings of the workspace in one round, to find the repairs that do harm.
const MOST_TRIALS: usize = 64;
/// Mistakes for which other mistakes are not seen, or that two repairs could make together.
const GRAVE: [&str; 8] = [
    "syntax",
    "tab",
    "several-documents",
    "empty-file",
    "too-deep",
    "too-many",
    "duplicate-key",
    "duplicate-id",
];

/// A workspace with its mistakes repaired.
#[derive(Debug)]
pub struct Repaired {
    /// Its files; all but the repaired texts are as they were, byte for byte.
    pub sources: Sources,
    /// What was repaired, in the order it was.
    pub fixed: Vec<Finding>,
    /// The rulebook, if nothing that forbids one remains.
    pub rulebook: Option<Rulebook>,
    /// What remains.
    pub findings: Vec<Finding>,
}

/// Repairs whatever can be; of one file alone if `only` names it. There are never more errors than
/// before, and repairing twice changes nothing more.
pub fn repair(sources: &Sources, env: &Lookup<'_>, only: Option<&str>) -> Repaired {
    let before = weight(&compile(sources, env).1, false).0;
    let hopeful = rounds(sources, env, only, true);
    if weight(&hopeful.findings, false).0 <= before {
        return hopeful;
    }
    rounds(sources, env, only, false)
}

/// `hopeful`: a repair may uncover any number of mistakes that can be repaired in their turn.
fn rounds(sources: &Sources, env: &Lookup<'_>, only: Option<&str>, hopeful: bool) -> Repaired {
    let mut sources = sources.clone();
    let mut fixed = Vec::new();
    let (mut rulebook, mut findings) = compile(&sources, env);
    for _ in 0..MOST_ROUNDS {
        let ours = |found: &&Finding| only.is_none_or(|only| *found.file == *only);
        let fixable = findings.iter().filter(|found| found.fix.is_some()).filter(ours);
        let fixable: Vec<&Finding> = fixable.collect();
        let before = weight(&findings, false);
        let mut round = Round { sources: &sources, env, hopeful, before, trials: 0 };
        let mut kept = Vec::new();
        round.keep(&fixable, &mut kept);
        if kept.is_empty() {
            break;
        }
        let (next, applied) = apply(&sources, &kept);
        fixed.extend(applied);
        sources = next;
        (rulebook, findings) = compile(&sources, env);
    }
    Repaired { sources, fixed, rulebook, findings }
}

/// Errors (`hopeful`: that no repair is known of), and grave mistakes.
fn weight(findings: &[Finding], hopeful: bool) -> (usize, usize) {
    let errors = findings.iter().filter(|found| found.severity == Severity::Error);
    let errors = errors.filter(|found| !hopeful || found.fix.is_none());
    (errors.count(), findings.iter().filter(|found| GRAVE.contains(&found.code)).count())
}

struct Round<'r> {
    sources: &'r Sources,
    env: &'r Lookup<'r>,
    hopeful: bool,
    before: (usize, usize),
    trials: usize,
}

impl Round<'_> {
    /// Adds those of `more` to `kept` that do no harm together.
    fn keep<'f>(&mut self, more: &[&'f Finding], kept: &mut Vec<&'f Finding>) {
        if more.is_empty() || self.trials >= MOST_TRIALS {
            return;
        }
        self.trials += 1;
        let all = [kept.as_slice(), more].concat();
        let findings = compile(&apply(self.sources, &all).0, self.env).1;
        let still_wrong = still_wrong(&all, &findings);
        let (errors, grave) = weight(&findings, self.hopeful);
        if !still_wrong.is_empty() {
            let good = |found: &&&Finding| !still_wrong.contains(found);
            let better: Vec<_> = more.iter().filter(good).copied().collect();
            if better.len() < more.len() {
                self.keep(&better, kept);
            }
        } else if errors <= self.before.0 && grave <= self.before.1 {
            *kept = all;
        } else if more.len() > 1 {
            let (first, second) = more.split_at(more.len() / 2);
            self.keep(first, kept);
            self.keep(second, kept);
        }
    }
}

/// Those at whose place an error is found although they were applied.
fn still_wrong<'f>(fixes: &[&'f Finding], after: &[Finding]) -> Vec<&'f Finding> {
    let errors = after.iter().filter(|found| found.severity == Severity::Error);
    let errors: HashSet<_> = errors.map(|found| (&*found.file, found.line, found.column)).collect();
    // Repairs to the left on one line move what is to their right.
    let mut lines: BTreeMap<(&str, usize), Vec<&Finding>> = BTreeMap::new();
    for found in fixes {
        lines.entry((&*found.file, found.line)).or_default().push(found);
    }
    let mut wrong = Vec::new();
    for ((file, line), mut fixes) in lines {
        fixes.sort_by_key(|found| found.column);
        let mut moved = 0;
        for found in fixes {
            let column = found.column.saturating_add_signed(moved);
            if errors.contains(&(file, line, column)) {
                wrong.push(found);
            }
            moved += found.fix.as_ref().map_or(0, growth);
        }
    }
    wrong
}

/// Characters by which a repair of one line lengthens it.
fn growth(fix: &Fix) -> isize {
    let before = fix.end_column.saturating_sub(fix.column).cast_signed();
    let after = fix.replacement.chars().count().cast_signed();
    if fix.line == fix.end_line { after - before } else { 0 }
}

/// The sources with these repairs, and those applied: of two that overlap the first.
fn apply(sources: &Sources, fixes: &[&Finding]) -> (Sources, Vec<Finding>) {
    let mut by_file: BTreeMap<&Arc<str>, Vec<&Finding>> = BTreeMap::new();
    for finding in fixes {
        by_file.entry(&finding.file).or_default().push(finding);
    }
    let (mut sources, mut applied) = (sources.clone(), Vec::new());
    for (file, findings) in by_file {
        let Some(bytes) = sources.files.get_mut(&**file) else { continue };
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        *bytes = rewritten(text, findings, &mut applied).into_bytes();
    }
    (sources, applied)
}

fn rewritten(text: &str, findings: Vec<&Finding>, applied: &mut Vec<Finding>) -> String {
    let place = |finding: &Finding| Some((finding.fix.as_ref()?.extent(text)?, finding.clone()));
    let mut places: Vec<_> = findings.into_iter().filter_map(place).collect();
    places.sort_by_key(|(extent, _)| (extent.start, extent.end));
    let (mut written, mut end) = (String::with_capacity(text.len()), 0);
    for (extent, finding) in places {
        let Some(before) = text.get(end..extent.start) else { continue };
        written.push_str(before);
        written.push_str(finding.fix.as_ref().map_or("", |fix| &fix.replacement));
        end = extent.end;
        applied.push(finding);
    }
    written.push_str(text.get(end..).unwrap_or_default());
    written
}
