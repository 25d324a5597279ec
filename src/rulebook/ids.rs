//! Ids: what they may look like, and that each is written once, in whatever file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rulebook::reader::{Findings, text};
use crate::rulebook::rule::Written;
use crate::rulebook::yaml::Node;

/// The ids of one kind seen so far, over all files of a product.
#[derive(Debug, Default)]
pub struct Ids(BTreeMap<Arc<str>, Written>);

impl Ids {
    /// Whether the id is taken.
    pub fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Every id, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|id| &**id)
    }

    /// Takes an id; one that is taken already is a finding.
    pub fn claim(
        &mut self,
        node: &Node,
        id: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Arc<str>> {
        if let Some(Written { file, line }) = self.0.get(id) {
            let message = format!("the id `{id}` is used twice");
            let help = format!("choose another; the first is in {file}, line {line}");
            findings.error(node, "duplicate-id", message, Some(help));
            return None;
        }
        let id: Arc<str> = id.into();
        let written = Written { file: Arc::clone(findings.file()), line: node.at.line };
        self.0.insert(Arc::clone(&id), written);
        Some(id)
    }
}

/// A trigger's id: `[A-Za-z0-9_.:-]{1,128}`.
pub fn trigger_id<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n str> {
    let help = "use at most 128 letters, digits and `_ . : -`";
    legal(node, |c| matches!(c, '_' | '.' | ':' | '-'), help, findings)
}

/// A tour's or prompt's id: `[A-Za-z0-9_-]{1,128}`, and `none` means no tour.
pub fn tour_id<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n str> {
    let help = "use at most 128 letters, digits and `_ -`";
    let id = legal(node, |c| matches!(c, '_' | '-'), help, findings)?;
    if id != "none" {
        return Some(id);
    }
    let help = "choose another; a chatbot says `none` when no tour fits".to_owned();
    findings.error(node, "bad-id", "`none` cannot be an id", Some(help));
    None
}

fn legal<'n>(
    node: &'n Node,
    also: impl Fn(char) -> bool,
    help: &str,
    findings: &mut Findings<'_>,
) -> Option<&'n str> {
    let id = text(node, findings)?;
    let good = id.chars().all(|c| c.is_ascii_alphanumeric() || also(c));
    if good && (1..=128).contains(&id.len()) {
        return Some(id);
    }
    findings.error(node, "bad-id", format!("`{id}` cannot be an id"), Some(help.to_owned()));
    None
}
