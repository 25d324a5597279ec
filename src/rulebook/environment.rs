//! `${NAME}` and `${NAME:-x}` in the texts of `docent.yaml`. They are replaced after YAML has
//! decoded a text and before it is given a type, so a value can neither break the file's syntax
//! nor add to its structure.

mod stand_ins;

use std::collections::BTreeMap;

use crate::rulebook::reader::Findings;
use crate::rulebook::yaml::{Node, Value};

pub use stand_ins::stand_in;

/// Looks a variable up; `None` when it is not set.
pub type Lookup<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// Replaces the variables in every value of the tree. A variable that is not set is a finding.
/// Returns what was looked up, for the digest.
pub fn expand(
    root: &mut Node,
    env: &Lookup<'_>,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Option<String>> {
    let mut used = BTreeMap::new();
    walk(root, &mut |node| {
        let Some(text) = node.as_str().filter(|text| text.contains("${")) else { return };
        let mut replaced = String::with_capacity(text.len());
        let before = findings.count();
        // One mistake of a text is enough to say: finding the places of many takes long.
        for part in parts(text) {
            if findings.count() > before {
                break;
            }
            match part {
                Part::Text(text) => replaced.push_str(text),
                Part::Broken(offset) => broken(node, offset, findings),
                Part::Variable(variable) => {
                    let value = env(variable.name);
                    used.insert(variable.name.to_owned(), value.clone());
                    match variable.value(value) {
                        Some(value) => replaced.push_str(&value),
                        None => unset(node, &variable, findings),
                    }
                }
            }
        }
        match findings.count() == before {
            true => node.value = Value::Str(replaced),
            false => findings.settle(node),
        }
    });
    used
}

fn walk(node: &mut Node, act: &mut impl FnMut(&mut Node)) {
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().for_each(|item| walk(item, act)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| walk(value, act)),
        _ => act(node),
    }
}

enum Part<'t> {
    Text(&'t str),
    Variable(Variable<'t>),
    /// A `${` at this character that nothing ends, or that names nothing.
    Broken(usize),
}

struct Variable<'t> {
    name: &'t str,
    default: Option<&'t str>,
    /// In characters, of the `$`, and how many.
    at: (usize, usize),
}

impl Variable<'_> {
    fn value(&self, set: Option<String>) -> Option<String> {
        match self.default {
            Some(default) => Some(set.filter(|value| !value.is_empty()).unwrap_or(default.into())),
            None => set,
        }
    }
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest, mut offset) = (Vec::new(), text, 0);
    while let Some((before, after)) = rest.split_once("${") {
        parts.push(Part::Text(before));
        offset += before.chars().count();
        let Some((inside, tail)) = after.split_once('}') else {
            parts.push(Part::Broken(offset));
            return parts;
        };
        let length = inside.chars().count() + 3;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        parts.push(match is_name(name) {
            true => Part::Variable(Variable { name, default, at: (offset, length) }),
            false => Part::Broken(offset),
        });
        offset += length;
        rest = tail;
    }
    parts.push(Part::Text(rest));
    parts
}

fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(legal) && name.starts_with(|c: char| !c.is_ascii_digit())
}

fn broken(node: &Node, offset: usize, findings: &mut Findings<'_>) {
    let help = "write `${NAME}` or `${NAME:-default}`".to_owned();
    findings.error_within(node, (offset, 2), "bad-variable", "`${` names no variable", Some(help));
}

fn unset(node: &Node, variable: &Variable<'_>, findings: &mut Findings<'_>) {
    let name = variable.name;
    let message = format!("the environment variable `{name}` is not set");
    let help = format!("set it, or write `${{{name}:-default}}`");
    findings.error_within(node, variable.at, "unset-variable", message, Some(help));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::yaml::read;

    fn expanded(source: &str) -> (String, Vec<(&'static str, usize, usize)>) {
        let mut findings = Findings::new("docent.yaml", source);
        let mut root = read(&mut findings).unwrap();
        let env = |name: &str| match name {
            "HOST" => Some("h".to_owned()),
            "EMPTY" => Some(String::new()),
            "SLY" => Some("x\nadmin: {}".to_owned()),
            _ => None,
        };
        expand(&mut root, &env, &mut findings);
        let list = findings.into_list();
        let found = list.iter().map(|f| (f.code, f.line, f.column)).collect();
        (root.get("k").unwrap().as_str().unwrap_or("-").to_owned(), found)
    }

    #[test]
    fn variables_are_replaced_in_decoded_texts() {
        for (source, text) in [
            ("k: http://${HOST}:1/${HOST}", "http://h:1/h"),
            ("k: ${NONE:-x}${EMPTY:-y}${EMPTY}${HOST:-z}", "xyh"),
            ("k: ${NONE:-}", ""),
            ("k: \"a ${SLY}\"", "a x\nadmin: {}"),
            ("k: $HOST {HOST}", "$HOST {HOST}"),
        ] {
            assert_eq!(expanded(source), (text.to_owned(), vec![]), "{source}");
        }
    }

    #[test]
    fn what_is_not_set_or_names_nothing_is_found_at_its_place() {
        assert_eq!(expanded("k: a ${NONE}").1, [("unset-variable", 1, 6)]);
        assert_eq!(expanded("k: \"${HOST} ${\"").1, [("bad-variable", 1, 13)]);
        assert_eq!(expanded("k: a${1X}b").1, [("bad-variable", 1, 5)]);
    }
}
