//! Where records live, and when a change counts as kept.

use crate::domain::time::Span;
use crate::rulebook::address::{Address, SCHEMES};
use crate::rulebook::reader::{Findings, between, words};
use crate::rulebook::settings::Durability;
use crate::rulebook::yaml::Node;

/// The longest time whose changes a crash may take.
const LONGEST: Span = Span::from_seconds(10);

/// `memory`, `embedded:` and a folder, or the address of a Redis.
pub(super) fn store(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    let help =
        || "write `store: embedded:./data`, `store: memory` or `store: redis://HOST`".to_owned();
    // What follows the colon may hold a password.
    let (kind, rest) = written.split_once(':').unwrap_or((written, ""));
    match kind {
        "memory" if written == kind => return Some(written.to_owned()),
        "embedded" if !rest.trim().is_empty() => return Some(written.to_owned()),
        "embedded" => {
            let message = "`embedded` names no folder to keep records in";
            findings.error(node, "bad-store", message, Some(help()));
        }
        scheme if SCHEMES.contains(&scheme) => match Address::parse(written) {
            Ok(_) => return Some(written.to_owned()),
            Err(error) => {
                let message = format!("the address of the store `{scheme}` cannot be used");
                findings.error(node, "bad-store", message, Some(error.to_string()));
            }
        },
        _ => findings.error(node, "bad-store", format!("`{kind}` is no store"), Some(help())),
    }
    None
}

/// `immediate`, or an interval.
pub(super) fn durability(node: &Node, findings: &mut Findings<'_>) -> Option<Durability> {
    if node.as_str() == Some("immediate") {
        return Some(Durability::Immediate);
    }
    if node.as_str().is_none_or(|written| Span::parse(written).is_err()) {
        let written = node.written(findings.source());
        let message = format!("`{written}` is neither `immediate` nor an interval");
        let help = "write `durability: immediate`, or how much a crash may take: `100ms`";
        findings.error(node, "bad-durability", message, Some(help.to_owned()));
        return None;
    }
    between(Span::from_millis(1), LONGEST)(node, findings).map(Durability::Interval)
}
