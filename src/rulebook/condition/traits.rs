//! The `trait` leaf: what is known of the person, compared. Three-valued: where nothing is known,
//! neither the test nor its opposite fires.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::rulebook::condition::vocabulary::LEAVES;
use crate::rulebook::condition::{Condition, TraitTest};
use crate::rulebook::reader::{Fields, Findings, list, words, wrong_type};
use crate::rulebook::yaml::{Node, Value};

/// Reads `{ name: plan, is: pro }`; all tests written must hold.
pub(in crate::rulebook::condition) fn read(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<Condition> {
    let keys = LEAVES.iter().find(|leaf| leaf.name == "trait").map_or(&[][..], |leaf| leaf.keys);
    let fields = Fields::of(node, "trait", keys, findings)?;
    let name = fields.need("name", findings).and_then(|name| words(name, findings));
    let tests: Vec<_> = keys
        .iter()
        .filter_map(|key| fields.get(key).map(|value| (*key, value)))
        .filter_map(|(key, value)| test(key, value, findings))
        .collect();
    if tests.is_empty() && fields.has_strays() {
        return None;
    }
    if tests.is_empty() {
        let help = "write for example `is: pro`".to_owned();
        findings.error(node, "missing-key", "nothing is required of this trait", Some(help));
        return None;
    }
    let name: Arc<str> = name?.into();
    let mut parts = Vec::new();
    for test in tests {
        let (test, negated) = test?;
        let leaf = Condition::Trait(Arc::clone(&name), test);
        parts.push(if negated { Condition::Not(Box::new(leaf)) } else { leaf });
    }
    if parts.len() == 1 { parts.pop() } else { Some(Condition::All(parts)) }
}

/// The test of one key and whether it is negated; the outer `None` for a key that is no test.
fn test(key: &str, node: &Node, findings: &mut Findings<'_>) -> Option<Option<(TraitTest, bool)>> {
    let test = match key {
        "is" | "is_not" => scalar(node, findings).map(|value| TraitTest::In(vec![value])),
        "in" | "not_in" => scalars(node, findings).map(TraitTest::In),
        "at_least" => number(node, findings).map(TraitTest::AtLeast),
        "at_most" => number(node, findings).map(TraitTest::AtMost),
        _ => return None,
    };
    Some(test.map(|test| (test, key.contains("not"))))
}

fn scalar(node: &Node, findings: &mut Findings<'_>) -> Option<Json> {
    if matches!(node.value, Value::Null | Value::Seq(_) | Value::Map(_)) {
        wrong_type(node, "a text, a number, `true` or `false`", None, findings);
        return None;
    }
    Some(node.to_json())
}

fn scalars(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Json>> {
    let before = findings.count();
    let items = list(node, findings);
    if items.is_empty() && findings.count() == before {
        findings.error(node, "empty-list", "this list has no values", None);
    }
    let read: Vec<_> = items.iter().map(|item| scalar(item, findings)).collect();
    read.into_iter().collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())
}

fn number(node: &Node, findings: &mut Findings<'_>) -> Option<f64> {
    match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) if number.is_finite() => Some(number),
        _ => {
            wrong_type(node, "a number", None, findings);
            None
        }
    }
}
