//! A condition as its author wrote it: the text of each leaf and expression, and where in the file
//! each clause stands. What a test's failure and coverage are told with.

use std::sync::Arc;

use crate::rulebook::yaml::{Node, Value};

/// A condition in its author's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    /// In the order written.
    pub parts: Vec<Part>,
}

/// A leaf, an expression, or what stands above nested ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// As written, without what indents all of it; several lines if it has them.
    pub text: Arc<str>,
    /// Levels of `any` and `not` around it.
    pub depth: usize,
    /// Whether the text is an expression.
    pub is_expression: bool,
    /// Lines of its clauses, from one; none above nested ones.
    pub lines: Vec<usize>,
}

impl Spelling {
    /// The line of each clause, in the order of [`super::Condition::clauses`].
    pub fn lines(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flat_map(|part| part.lines.iter().copied())
    }
}

/// The source of a leaf from its key to the end of its value.
pub(in crate::rulebook::condition) fn written(source: &str, key: &Node, value: &Node) -> Arc<str> {
    let text = source.get(key.bytes.0..end(value).max(key.bytes.1)).unwrap_or_default();
    let indent = key.at.column.saturating_sub(1);
    let lines = text.trim_end().lines().enumerate().map(|(place, line)| {
        let blank = line.len() - line.trim_start().len();
        line.get(if place == 0 { 0 } else { blank.min(indent) }..).unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n").into()
}

/// Where the text of a value ends; a mapping by indentation ends with its last entry.
fn end(node: &Node) -> usize {
    let inside = match &node.value {
        Value::Seq(items) => items.last().map(end),
        Value::Map(entries) => entries.last().map(|(key, value)| end(value).max(key.bytes.1)),
        _ => None,
    };
    node.bytes.1.max(inside.unwrap_or_default())
}
