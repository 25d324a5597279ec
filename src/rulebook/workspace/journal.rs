//! What is written down of what happened.

use crate::domain::bucket::BUCKETS;
use crate::domain::time::Span;
use crate::rulebook::arms::share;
use crate::rulebook::reader::{Fields, Findings, between, words};
use crate::rulebook::settings::Journal;
use crate::rulebook::workspace::values::size;
use crate::rulebook::yaml::Node;

/// As a journal is written down to be none.
const OFF: &str = "off";
/// A journal that holds less is of no use.
const LEAST: u64 = 1 << 20;

/// `off`, or how the journal is kept.
pub(super) fn journal(node: &Node, findings: &mut Findings<'_>) -> Option<Option<Journal>> {
    if node.as_str() == Some(OFF) {
        return Some(None);
    }
    let keys = ["folder", "keep", "max_size", "sample"];
    let fields = Fields::of(node, "`journal`", &keys, findings)?;
    let mut journal = Journal::default();
    // Empty is a value of its own: beside the store.
    let folder = |node: &Node, findings: &mut Findings<'_>| match node.as_str() {
        Some("") => Some(String::new()),
        _ => words(node, findings).map(str::to_owned),
    };
    let percent =
        |node: &Node, findings: &mut Findings<'_>| share(node, BUCKETS / 100, true, findings);
    let days = |days: i64| Span::from_seconds(days * 86_400);
    fields.fill("folder", &mut journal.folder, folder, findings);
    fields.fill("keep", &mut journal.keep, between(Span::from_seconds(3_600), days(366)), findings);
    fields.fill("max_size", &mut journal.max_size, at_least, findings);
    fields.fill("sample", &mut journal.sample, percent, findings);
    Some(Some(journal))
}

fn at_least(node: &Node, findings: &mut Findings<'_>) -> Option<u64> {
    let found = size(node, findings)?;
    if found >= LEAST {
        return Some(found);
    }
    let written = node.written(findings.source()).to_owned();
    let help = "write 1MiB or more, or `journal: off`".to_owned();
    findings.error(node, "out-of-range", format!("`{written}` is out of range"), Some(help));
    None
}
