//! `prompts/*.md`: Markdown with front matter and placeholders.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind};

use crate::rulebook::finding::Fix;
use crate::rulebook::ids::{Ids, tour_id};
use crate::rulebook::reader::{Fields, Findings, words, wrong_type};
use crate::rulebook::suggest::{did_you_mean, surely};
use crate::rulebook::yaml::{self, Node, Spot, Value};

/// A prompt as checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// `[A-Za-z0-9_-]+`.
    pub name: Arc<str>,
    /// As written; logged with every call.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// The text, with `{{ placeholders }}`.
    pub body: Arc<str>,
    /// The names that must be given a value.
    pub placeholders: BTreeSet<String>,
}

/// The filters of minijinja that a prompt may want, for suggestions.
const FILTERS: [&str; 20] = [
    "capitalize",
    "default",
    "first",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "lower",
    "replace",
    "reverse",
    "round",
    "sort",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
];
const FENCE: &str = "---";
const KEYS: &[&str] = &["name", "version", "description"];

/// The prompt of one file. `ids` holds the names of the others, and afterwards this one's.
pub fn read<'s>(file: &str, text: &'s str, ids: &mut Ids) -> (Option<Prompt>, Findings<'s>) {
    let Some((front, body)) = split(text) else {
        let mut findings = Findings::new(file, text);
        let help = "begin with a line `---`, then `name:`, `version:`, `description:` and `---`";
        let spot = Spot { line: 1, column: 1, length: 1 };
        let message = "the file has no front matter";
        findings.error_at(spot, "no-front-matter", message, Some(help.to_owned()));
        return (None, findings);
    };
    let mut findings = Findings::new(file, front);
    let line = front.matches('\n').count() + 1;
    let placeholders = placeholders(body, line, &mut findings);
    let root = yaml::read(&mut findings);
    let head = root.as_ref().and_then(|root| head(root, ids, &mut findings));
    let prompt = head.zip(placeholders).map(|((name, version, description), placeholders)| {
        Prompt { name, version, description, body: body.trim().into(), placeholders }
    });
    (prompt, findings)
}

/// The front matter with its first fence, and the body.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut end = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let fence = line.trim_end() == FENCE;
        if number == 0 && !fence {
            return None;
        }
        if number > 0 && fence {
            let (front, rest) = text.split_at_checked(end)?;
            return rest.split_at_checked(line.len()).map(|(_, body)| (front, body));
        }
        end += line.len();
    }
    None
}

fn head(
    root: &Node,
    ids: &mut Ids,
    findings: &mut Findings<'_>,
) -> Option<(Arc<str>, String, String)> {
    let fields = Fields::of(root, "a prompt", KEYS, findings)?;
    let name = fields.need("name", findings).and_then(|node| {
        let name = tour_id(node, findings)?;
        ids.claim(node, name, findings)
    });
    let version = fields.need("version", findings).and_then(|node| label(node, findings));
    let description = fields.need("description", findings).and_then(|node| words(node, findings));
    Some((name?, version?, description?.to_owned()))
}

/// A version may look like a number: `2`, `1.10`.
fn label(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    match node.value {
        Value::Str(_) => words(node, findings).map(str::to_owned),
        Value::Int(_) | Value::Float(_) => Some(node.written(findings.source()).to_owned()),
        _ => {
            wrong_type(node, "a version", Some("write for example `version: 1`".into()), findings);
            None
        }
    }
}

/// The names in a template whose first line is the file's line `first + 1`.
fn placeholders(body: &str, first: usize, findings: &mut Findings<'_>) -> Option<BTreeSet<String>> {
    if body.trim().is_empty() {
        let spot = Spot { line: first, column: 1, length: 3 };
        findings.error_at(spot, "blank", "the prompt says nothing", Some("write it below".into()));
        return None;
    }
    let mut environment = Environment::new();
    environment.set_debug(true);
    let found = match environment.template_from_str(body) {
        Ok(template) => template.undeclared_variables(false).into_iter().collect(),
        Err(error) => {
            template_error(&error, body, first, findings);
            return None;
        }
    };
    for (at, filter) in filters(body) {
        if !has_filter(&environment, filter) {
            let (line, column) = place(body, at);
            let spot = Spot { line: first + line, column, length: filter.chars().count() };
            let message = format!("no filter is called `{filter}`");
            findings.error_at(spot, "unknown-filter", message, did_you_mean(filter, FILTERS));
            let end_column = column + spot.length;
            let fix = |right: &str| Fix {
                line: spot.line,
                column,
                end_line: spot.line,
                end_column,
                replacement: right.to_owned(),
            };
            findings.rewrite(surely(filter, FILTERS).map(fix));
        }
    }
    Some(found)
}

fn template_error(error: &Error, body: &str, first: usize, findings: &mut Findings<'_>) {
    let at = error.range().map(|range| place(body, range.start));
    let (line, column) = at.unwrap_or((error.line().unwrap_or(1), 1));
    let message = match error.detail() {
        Some(detail) => format!("the template cannot be read: {detail}"),
        None => "the template cannot be read".to_owned(),
    };
    let help = "placeholders are written `{{ name }}`".to_owned();
    let spot = Spot { line: first + line, column, length: 1 };
    findings.error_at(spot, "bad-template", message, Some(help));
}

/// minijinja looks a filter up when it runs; an expression that needs nothing else tells.
fn has_filter(environment: &Environment<'_>, filter: &str) -> bool {
    let expression = environment.compile_expression(&format!("''|{filter}")).map(|e| e.eval(()));
    !matches!(expression, Ok(Err(error)) if error.kind() == ErrorKind::UnknownFilter)
}

/// Every `| name` inside `{{ … }}` and `{% … %}`, with the byte where the name begins.
fn filters(body: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (start, code) in code(body) {
        let mut quote = None;
        let mut after_pipe = false;
        for (at, c) in code.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '|') => after_pipe = true,
                (None, c) if c.is_whitespace() => {}
                (None, c) => {
                    let rest = code.get(at..).unwrap_or("");
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    let name = rest.split_at(end.unwrap_or(rest.len())).0;
                    if after_pipe && !name.is_empty() && (c.is_alphabetic() || c == '_') {
                        found.push((start + at, name));
                    }
                    after_pipe = false;
                }
            }
        }
    }
    found
}

/// The insides of `{{ … }}` and `{% … %}` with the byte where each begins; comments and raw blocks
/// are left out.
fn code(body: &str) -> Vec<(usize, &str)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(open) = body.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
        let inside = open + 2;
        let rest = body.get(inside..).unwrap_or("");
        let close = match body.get(open..inside) {
            Some("{{") => rest.find("}}"),
            Some("{%") => rest.find("%}"),
            Some("{#") => rest.find("#}"),
            _ => {
                at = open + 1;
                continue;
            }
        };
        let text = rest.split_at(close.unwrap_or(rest.len())).0;
        if body.get(open..inside) != Some("{#") {
            found.push((inside, text));
        }
        at = inside + text.len();
        if text.trim_matches(['-', '+', ' ']) == "raw" {
            at += body.get(at..).and_then(|rest| rest.find("endraw")).unwrap_or(0);
        }
    }
    found
}

/// Line (from zero) and column (characters, from one) of a byte.
fn place(body: &str, at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or(body);
    let last = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, last.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "---\nname: reply\nversion: 1.10\ndescription: Answers\n---\n";

    fn found(body: &str) -> Vec<(&'static str, usize, usize)> {
        let text = format!("{HEAD}{body}");
        let (prompt, findings) = read("prompts/reply.md", &text, &mut Ids::default());
        let list = findings.into_list();
        assert_eq!(prompt.is_some(), !list.iter().any(|f| f.code != "unknown-filter"), "{list:?}");
        list.iter().map(|f| (f.code, f.line, f.column)).collect()
    }

    #[test]
    fn a_prompt_knows_what_it_needs() {
        let text = format!("{HEAD}\nAnswer {{{{ question | trim }}}} from {{{{ chunks }}}}.\n");
        let (prompt, findings) = read("prompts/reply.md", &text, &mut Ids::default());
        assert_eq!(findings.count(), 0);
        let prompt = prompt.unwrap();
        assert_eq!((&*prompt.name, prompt.version.as_str()), ("reply", "1.10"));
        assert!(prompt.body.starts_with("Answer {{"));
        assert_eq!(prompt.placeholders, BTreeSet::from(["chunks".into(), "question".into()]));
    }

    #[test]
    fn a_template_is_checked_before_it_is_used() {
        for (body, expected) in [
            ("Hi {{ a | nonsense }}", vec![("unknown-filter", 6, 11)]),
            ("Hi\n{% if a|uper %}x{% endif %}", vec![("unknown-filter", 7, 9)]),
            ("Hi {{ a", vec![("bad-template", 6, 7)]),
            ("a\n{% if x %}\nb", vec![("bad-template", 7, 11)]),
            ("", vec![("blank", 5, 1)]),
            ("{{ \"a|b\" }} {# x|y #} | z {% raw %}{{ a|b }}{% endraw %} {{ c|upper }}", vec![]),
        ] {
            assert_eq!(found(body), expected, "{body}");
        }
    }
}
