//! `testers:` of a product: who sees drafts.

use std::sync::Arc;

use crate::rulebook::reader::{Findings, one_or_several, words};
use crate::rulebook::yaml::Node;

/// E-mails, user ids and session ids, each once; one may stand without brackets.
pub(super) fn testers(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Arc<str>>> {
    let mut named: Vec<Arc<str>> = Vec::new();
    for node in one_or_several(node) {
        let Some(name) = words(node, findings).map(str::trim) else { continue };
        if named.iter().any(|known| **known == *name) {
            let message = format!("`{name}` is named twice");
            findings.error(node, "duplicate-id", message, Some("remove one of them".into()));
        }
        named.push(name.into());
    }
    Some(named)
}
