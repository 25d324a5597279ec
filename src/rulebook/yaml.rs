//! YAML as a tree that remembers where everything is written, so that every mistake of a file can
//! be shown at its place. What a scalar means is settled here, once, for every reader above:
//! booleans are `true` and `false` alone, and `NO`, `yes` and `012` are text.

mod budget;
mod mend;
mod overlay;
mod position;
mod scalar;
mod syntax;
mod tree;

use serde_json::{Map, Number, Value as Json};

pub use scalar::resolve;
pub use tree::{decode, read};

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it means.
    pub value: Value,
    /// Where it is written; a block mapping is where its first key is.
    pub at: Spot,
    /// How it is written.
    pub style: Style,
    /// Byte range of its own text in the source; quotes and block headers included.
    pub bytes: (usize, usize),
}

/// What a node means.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text, decoded.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order written; keys are unique texts, numbers or booleans.
    Map(Vec<(Node, Node)>),
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// From one; zero when the file itself is meant.
    pub line: usize,
    /// In characters, from one.
    pub column: usize,
    /// Characters of that line, at least one.
    pub length: usize,
}

/// How a node is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes, or nothing at all.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// A list or mapping by indentation.
    Block,
    /// A list or mapping in brackets.
    Flow,
}

impl Node {
    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// What an author would call the type: `text`, `a list`, …
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Str(_) => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The node as written, for messages; the first line of it, empty for block collections.
    pub fn written<'s>(&self, source: &'s str) -> &'s str {
        let (start, end) = self.bytes;
        source.get(start..end).and_then(|text| text.lines().next()).unwrap_or("").trim_end()
    }

    /// Line and column (characters, from one) of the character at `decoded_offset` (characters,
    /// from zero) of this scalar's decoded text. An offset beyond the text gives its end; for a
    /// list or mapping, its own place.
    pub fn position(&self, source: &str, decoded_offset: usize) -> (usize, usize) {
        position::position(self, source, decoded_offset)
    }

    /// The same value as JSON; numbers that JSON lacks become null, other keys than text their
    /// JSON spelling.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(number) => Json::from(*number),
            Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Value::Str(text) => Json::String(text.clone()),
            Value::Seq(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => Json::Object(json_object(entries)),
        }
    }
}

fn json_object(entries: &[(Node, Node)]) -> Map<String, Json> {
    let key = |node: &Node| match node.as_str() {
        Some(text) => text.to_owned(),
        None => node.to_json().to_string(),
    };
    entries.iter().map(|(name, value)| (key(name), value.to_json())).collect()
}
