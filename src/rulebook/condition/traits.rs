//! The `trait` leaf: what is known of the person or of their account, compared. Three-valued:
//! where nothing is known, neither the test nor its opposite fires.

use std::sync::Arc;

use crate::rulebook::condition::leaves::keys;
use crate::rulebook::condition::{Condition, Whose, values};
use crate::rulebook::reader::{Fields, Findings, name_of, words};
use crate::rulebook::yaml::Node;

/// Reads `{ name: plan, is: pro }`; all tests written must hold.
pub(in crate::rulebook::condition) fn read(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<Condition> {
    let fields = Fields::of(node, "trait", keys("trait"), findings)?;
    let name = fields.need("name", findings).and_then(|name| words(name, findings));
    let whose = match fields.get("of") {
        Some(node) => name_of(node, "owner of traits", &["user", "account"], findings),
        None => Some("user"),
    };
    let tests = values::read(&fields, findings);
    if tests.as_ref().is_some_and(Vec::is_empty) {
        if !fields.has_strays() {
            let help = "write for example `is: pro`".to_owned();
            findings.error(node, "missing-key", "nothing is required of this trait", Some(help));
        }
        return None;
    }
    let whose = if whose? == "account" { Whose::Account } else { Whose::Person };
    let name: Arc<str> = name?.into();
    let mut parts = Vec::new();
    for (test, negated) in tests? {
        let leaf = Condition::Trait(whose, Arc::clone(&name), test);
        parts.push(if negated { Condition::Not(Box::new(leaf)) } else { leaf });
    }
    if parts.len() == 1 { parts.pop() } else { Some(Condition::All(parts)) }
}
