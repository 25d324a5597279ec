//! `goal:` of a trigger: what its offers hope that the person will do, and by when.

use crate::domain::goal::Goal;
use crate::domain::time::Span;
use crate::rulebook::reader::{Fields, Findings, between, words};
use crate::rulebook::yaml::Node;

const KEYS: &[&str] = &["event", "within"];

/// Reads `{ event: import_succeeded, within: 30m }`.
pub(in crate::rulebook) fn read(node: &Node, findings: &mut Findings<'_>) -> Option<Goal> {
    let fields = Fields::of(node, "a goal", KEYS, findings)?;
    let event = fields.need("event", findings).and_then(|node| words(node, findings));
    let time = between(Span::from_seconds(1), Span::from_seconds(86_400));
    let within = fields.need("within", findings).and_then(|node| time(node, findings));
    Some(Goal { event: event?.trim().into(), within: within? })
}
