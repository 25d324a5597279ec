//! The leaves of texts that may not be known: a text by itself, several of which one is meant, or
//! tests.

use crate::rulebook::condition::leaves::{Reader, keys};
use crate::rulebook::condition::values::{read_texts, texts};
use crate::rulebook::condition::{Condition, Field, ValueTest};
use crate::rulebook::reader::{Fields, one_or_several};
use crate::rulebook::yaml::{Node, Value};

impl Reader<'_, '_, '_> {
    pub(in crate::rulebook::condition::leaves) fn told(
        &mut self,
        field: Field,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let texts = texts(one_or_several(node), node, self.findings)?;
            return Some(Condition::Told(field, ValueTest::In(texts)));
        }
        let name = field.as_str();
        let fields = Fields::of(node, name, keys(name), self.findings)?;
        let tests = read_texts(&fields, self.findings)?;
        if tests.is_empty() && !fields.has_strays() {
            return self.lacks_bound(node, "contains: billing");
        }
        let mut parts: Vec<_> = tests
            .into_iter()
            .map(|(test, negated)| match Condition::Told(field, test) {
                leaf if negated => Condition::Not(Box::new(leaf)),
                leaf => leaf,
            })
            .collect();
        match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(Condition::All(parts)),
        }
    }
}
