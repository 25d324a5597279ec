//! `matrix:` of a test: the test once for every combination of some values, each written `<name>`
//! where it belongs. (`${NAME}` is the environment's, and of `docent.yaml` alone.)

use std::collections::BTreeSet;

use crate::rulebook::reader::{Findings, list, wrong_type};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::{Node, Style, Value};

/// Combinations of one test.
const MOST_CELLS: usize = 256;

/// A name and the values it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable<'n> {
    key: &'n Node,
    name: &'n str,
    values: &'n [Node],
}

/// One combination: a value for each name.
pub(super) type Cell<'n> = Vec<(&'n str, &'n Node)>;

/// The variables of a matrix; what is wrong is left out.
pub(super) fn read<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Vec<Variable<'n>> {
    let Value::Map(entries) = &node.value else {
        let help = "write for example `{ plan: [free, pro] }`".to_owned();
        wrong_type(node, "a mapping", Some(help), findings);
        return Vec::new();
    };
    let mut variables = Vec::new();
    for (key, values) in entries {
        let name = key.as_str().filter(|name| is_name(name));
        if name.is_none() {
            let message = format!("`{}` cannot stand in `<…>`", key.written(findings.source()));
            let help = "use letters, digits, `_` and `-`, and begin with a letter".to_owned();
            findings.error(key, "bad-id", message, Some(help));
        }
        let items = list(values, findings);
        if matches!(values.value, Value::Seq(_)) && items.is_empty() {
            let message = format!("`{}` takes no value", name.unwrap_or_default());
            findings.error(values, "empty-list", message, Some("write `[free, pro]`".into()));
        }
        let scalar = |item: &Node| !matches!(item.value, Value::Seq(_) | Value::Map(_));
        for (place, item) in items.iter().enumerate() {
            if !scalar(item) {
                wrong_type(item, "text, a number, `true` or `false`", None, findings);
            } else if items.iter().take(place).any(|other| other.value == item.value) {
                let message = format!("`{}` is there twice", said(item));
                findings.error(item, "duplicate-id", message, Some("remove one".into()));
            }
        }
        variables.extend(name.map(|name| Variable { key, name, values: items }));
    }
    variables
}

/// Variables of a test beside those of the test it extends, whose values they replace.
pub(super) fn joined<'n>(
    mut beneath: Vec<Variable<'n>>,
    own: Vec<Variable<'n>>,
) -> Vec<Variable<'n>> {
    beneath.retain(|one| !own.iter().any(|other| other.name == one.name));
    beneath.extend(own);
    beneath
}

/// Every combination, the last name's values changing first; too many are a finding at `node`.
pub(super) fn cells<'n>(
    variables: &[Variable<'n>],
    node: &Node,
    findings: &mut Findings<'_>,
) -> Vec<Cell<'n>> {
    let sizes = variables.iter().map(|variable| variable.values.len());
    let many = sizes.clone().try_fold(1_usize, usize::checked_mul);
    if many.is_none_or(|many| many > MOST_CELLS) {
        let sizes: Vec<_> = sizes.map(|size| size.to_string()).collect();
        let message = format!("{} are more than {MOST_CELLS} tests", sizes.join(" × "));
        let help = "leave values out, or write two tests".to_owned();
        findings.error(node, "too-many", message, Some(help));
        return Vec::new();
    }
    let mut cells: Vec<Cell<'n>> = vec![Vec::new()];
    for Variable { name, values, .. } in variables {
        let longer = |cell: Cell<'n>| {
            values.iter().map(move |value| {
                let mut cell = cell.clone();
                cell.push((name, value));
                cell
            })
        };
        cells = cells.into_iter().flat_map(longer).collect();
    }
    cells
}

/// A variable that stands nowhere multiplies tests that are all the same.
pub(super) fn unused(
    variables: &[Variable<'_>],
    used: &BTreeSet<String>,
    findings: &mut Findings<'_>,
) {
    for Variable { key, name, .. } in variables {
        if !used.contains(*name) {
            let help = format!("write `<{name}>` where it belongs, or remove it");
            let message = format!("nothing in this test says `<{name}>`");
            findings.error(key, "unused-variable", message, Some(help));
        }
    }
}

/// `free` → `(plan: free)` behind the test's name.
pub(super) fn title(name: &str, cell: &Cell<'_>) -> String {
    if cell.is_empty() {
        return name.to_owned();
    }
    let values: Vec<_> =
        cell.iter().map(|(name, value)| format!("{name}: {}", said(value))).collect();
    format!("{name} ({})", values.join(", "))
}

fn said(node: &Node) -> String {
    node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned)
}

/// The tree with the values of a cell in their places. `<name>` without quotes, and nothing beside
/// it, is the value itself, be it a number; within a text it is its text.
pub(super) fn fill(
    node: &Node,
    cell: &Cell<'_>,
    used: &mut BTreeSet<String>,
    findings: &mut Findings<'_>,
) -> Node {
    let value = match &node.value {
        Value::Str(text) => return filled(node, text, cell, used, findings),
        Value::Seq(items) => {
            Value::Seq(items.iter().map(|item| fill(item, cell, used, findings)).collect())
        }
        Value::Map(entries) => {
            let mut each =
                |(key, value): &(Node, Node)| (key.clone(), fill(value, cell, used, findings));
            Value::Map(entries.iter().map(&mut each).collect())
        }
        scalar => scalar.clone(),
    };
    Node { value, ..node.clone() }
}

fn filled(
    node: &Node,
    text: &str,
    cell: &Cell<'_>,
    used: &mut BTreeSet<String>,
    findings: &mut Findings<'_>,
) -> Node {
    let (mut rest, mut offset, mut replaced) = (text, 0, String::new());
    while let Some((before, inside, after)) = next(rest) {
        replaced.push_str(before);
        offset += before.chars().count();
        let length = inside.chars().count() + 2;
        let Some((name, value)) = cell.iter().find(|(name, _)| *name == inside) else {
            let known = || cell.iter().map(|(name, _)| *name);
            let help = did_you_mean(inside, known()).unwrap_or_else(|| {
                format!("the matrix has `{}`", known().collect::<Vec<_>>().join("`, `"))
            });
            let message = format!("the matrix has no `{inside}`");
            findings.error_within(node, (offset, length), "unknown-name", message, Some(help));
            return node.clone();
        };
        used.insert((*name).to_owned());
        if node.style == Style::Plain && before.is_empty() && after.is_empty() && offset == 0 {
            let Node { value, style, .. } = (*value).clone();
            return Node { value, style, ..node.clone() };
        }
        replaced.push_str(&said(value));
        offset += length;
        rest = after;
    }
    replaced.push_str(rest);
    Node { value: Value::Str(replaced), ..node.clone() }
}

/// What stands before the next `<name>`, the name, and what stands after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let (before, inside) = text.get(from..)?.split_once('<')?;
        match inside.split_once('>') {
            Some((name, after)) if is_name(name) => {
                return Some((text.get(..from + before.len())?, name, after));
            }
            _ => from += before.len() + 1,
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
