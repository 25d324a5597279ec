//! `where`: which actions of a type are meant, by their properties. Three-valued: an action that
//! does not tell a property may or may not be one of them.

use std::fmt;
use std::sync::Arc;

use crate::domain::action::Action;
use crate::rulebook::condition::values::{self, TESTS, Tested, tested};
use crate::rulebook::condition::{Truth, ValueTest};
use crate::rulebook::reader::{Fields, Findings, words, wrong_type};
use crate::rulebook::yaml::{Node, Value};

/// What an action's properties must be; all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// In the order written.
    pub tests: Vec<PropertyTest>,
    /// Whether what cannot be told is taken as no. An expression's numbers cannot be unknown.
    pub certain: bool,
}

/// What one property must be.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyTest {
    /// The property.
    pub name: Arc<str>,
    /// The test.
    pub test: ValueTest,
    /// Whether its opposite is meant.
    pub negated: bool,
}

impl Filter {
    /// Whether this action is meant.
    pub(in crate::rulebook::condition) fn of(&self, action: &Action) -> Truth {
        let mut all = Truth::True;
        for PropertyTest { name, test, negated } in &self.tests {
            let value = action.properties.as_ref().and_then(|told| told.get(name));
            let truth = test.of(value);
            match if *negated { truth.opposite() } else { truth } {
                Truth::False => return Truth::False,
                Truth::Unknown if self.certain => return Truth::False,
                Truth::Unknown => all = Truth::Unknown,
                Truth::True => {}
            }
        }
        all
    }
}

/// Tests of properties by name.
pub(in crate::rulebook::condition) fn property(
    name: &str,
    tests: Vec<Tested>,
) -> Vec<PropertyTest> {
    let name: Arc<str> = name.into();
    let one = |(test, negated)| PropertyTest { name: Arc::clone(&name), test, negated };
    tests.into_iter().map(one).collect()
}

/// Reads `{ form: import, amount: { gt: 100 } }`: a value, several of which one is meant, or tests.
pub(in crate::rulebook::condition) fn read(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<Filter> {
    let help = || Some("write for example `{ form: import }`".to_owned());
    let Value::Map(entries) = &node.value else {
        wrong_type(node, "a mapping of properties", help(), findings);
        return None;
    };
    if entries.is_empty() {
        findings.error(node, "missing-key", "nothing is required of the action", help());
        return None;
    }
    let read: Vec<_> = entries
        .iter()
        .map(|(name, value)| {
            let (name, tests) = (words(name, findings), tests(value, findings));
            Some(property(name?, tests?))
        })
        .collect();
    let tests = read.into_iter().collect::<Option<Vec<_>>>()?.concat();
    Some(Filter { tests, certain: false })
}

fn tests(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Tested>> {
    match &node.value {
        Value::Map(_) => {
            let names = TESTS.map(|(name, _)| name);
            let fields = Fields::of(node, "a property's test", &names, findings)?;
            let tests = values::read(&fields, findings)?;
            if tests.is_empty() && !fields.has_strays() {
                let help = Some("write for example `{ gt: 100 }`".to_owned());
                findings.error(node, "missing-key", "nothing is required of this property", help);
            }
            Some(tests).filter(|tests| !tests.is_empty())
        }
        Value::Seq(_) => {
            values::scalars(node, findings).map(|all| vec![(ValueTest::In(all), false)])
        }
        _ => {
            values::scalar(node, findings)?;
            tested("is", &node.to_json()).ok()
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests: Vec<_> = self.tests.iter().map(PropertyTest::to_string).collect();
        f.write_str(&tests.join(", "))
    }
}

impl fmt::Display for PropertyTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "not " } else { "" };
        write!(f, "{} {not}{}", self.name, self.test)
    }
}
