//! The vocabulary of the tables: keys with their shape, default and one line for people, and how
//! each is written as JSON Schema.

use serde_json::{Map, Value as Json, json};

/// A duration with its unit, as `Span::parse` reads it.
const SPAN: &str = r"^\s*(([0-9]+\.?[0-9]*|\.[0-9]+)(ms|s|m|h|d|w)\s*)+$";
/// A page: a path without query, fragment, empty segment or trailing slash.
const PAGE: &str = r"^/$|^(/[^/?#*]+)+$";
/// A variable, in `docent.yaml` alone.
pub(in crate::rulebook::schema) const VARIABLE: &str = r"\$\{";

/// A mapping whose keys are known.
#[derive(Debug)]
pub(in crate::rulebook::schema) struct Mapping {
    /// Its keys, in the order a person would write them.
    pub keys: &'static [Key],
    /// Those that must be there.
    pub required: &'static [&'static str],
    /// What else must hold, as JSON Schema.
    pub also: Option<fn(&Writer) -> Json>,
}

/// A key of a mapping.
#[derive(Debug)]
pub(in crate::rulebook::schema) struct Key {
    pub name: &'static str,
    pub shape: Shape,
    /// The value that stands when none is written, where there is one.
    pub default: Option<fn() -> Json>,
    /// One line for people.
    pub doc: &'static str,
}

/// What a value looks like.
#[derive(Debug)]
pub(in crate::rulebook::schema) enum Shape {
    /// The number 1.
    Version,
    /// Any text.
    Text,
    /// Text that says something.
    Words,
    /// Text of this pattern.
    Pattern(&'static str),
    /// A toast's body.
    Body,
    /// A duration with its unit.
    Span,
    /// A page or pattern.
    Page,
    /// `true` or `false`.
    Flag,
    /// A whole number of a range.
    Whole(i64, i64),
    /// Any number.
    Number,
    /// Text, a number, `true` or `false`.
    Scalar,
    /// Nothing.
    Null,
    /// One of these names.
    Names(fn() -> Vec<&'static str>),
    /// A list of so many.
    List(&'static Shape, usize, usize),
    /// One value, or a list of at least so many.
    Several(&'static Shape, usize),
    /// A mapping with known keys.
    Map(&'static Mapping),
    /// A mapping from names, of a pattern, to values of one shape; at least so many.
    Table(&'static str, &'static Shape, u64),
    /// One of several shapes.
    Either(&'static [Shape]),
    /// Written out.
    Raw(fn(&Writer) -> Json),
}

/// As many as there may be.
pub(in crate::rulebook::schema) const ANY: usize = usize::MAX;

/// A key without a default.
pub(in crate::rulebook::schema) const fn key(
    name: &'static str,
    shape: Shape,
    doc: &'static str,
) -> Key {
    Key { name, shape, default: None, doc }
}

/// A key with its default.
pub(in crate::rulebook::schema) const fn or(
    name: &'static str,
    shape: Shape,
    default: fn() -> Json,
    doc: &'static str,
) -> Key {
    Key { name, shape, default: Some(default), doc }
}

/// A mapping of which nothing is required.
pub(in crate::rulebook::schema) const fn open(keys: &'static [Key]) -> Mapping {
    Mapping { keys, required: &[], also: None }
}

/// Writes shapes as JSON Schema.
#[derive(Clone, Copy, Debug)]
pub(in crate::rulebook::schema) struct Writer {
    /// What may stand for any scalar: a pattern.
    pub variables: Option<&'static str>,
    /// Whether tests are of one trigger, and edit it without naming it.
    pub alone: bool,
}

impl Writer {
    /// A mapping: its keys, and no others.
    pub(in crate::rulebook::schema) fn mapping(&self, mapping: &Mapping) -> Json {
        let keys = mapping.keys.iter().map(|key| (key.name.to_owned(), self.described(key)));
        let mut schema = Map::new();
        schema.insert("type".into(), "object".into());
        schema.insert("additionalProperties".into(), false.into());
        schema.insert("properties".into(), Json::Object(keys.collect()));
        if !mapping.required.is_empty() {
            schema.insert("required".into(), json!(mapping.required));
        }
        if let Some(Json::Object(also)) = mapping.also.map(|also| also(self)) {
            schema.extend(also);
        }
        Json::Object(schema)
    }

    /// The value of a key, with what is said of it.
    pub(in crate::rulebook::schema) fn described(&self, key: &Key) -> Json {
        let mut schema = self.shape(&key.shape);
        if let Json::Object(members) = &mut schema {
            members.insert("description".into(), key.doc.into());
            if let Some(default) = key.default {
                members.insert("default".into(), default());
            }
        }
        schema
    }

    /// A value.
    pub(in crate::rulebook::schema) fn shape(&self, shape: &Shape) -> Json {
        match shape {
            Shape::Version => self.or_variable(json!({ "const": 1 })),
            Shape::Text => json!({ "type": "string" }),
            Shape::Words => json!({ "type": "string", "pattern": r"\S" }),
            Shape::Pattern(pattern) => self.text(pattern),
            Shape::Body => json!({ "type": "string", "pattern": body() }),
            Shape::Span => self.text(SPAN),
            Shape::Page => self.text(PAGE),
            Shape::Flag => self.or_variable(json!({ "type": "boolean" })),
            Shape::Whole(low, i64::MAX) => {
                self.or_variable(json!({ "type": "integer", "minimum": low }))
            }
            Shape::Whole(low, high) => {
                self.or_variable(json!({ "type": "integer", "minimum": low, "maximum": high }))
            }
            Shape::Number => json!({ "type": "number" }),
            Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
            Shape::Null => json!({ "type": "null" }),
            Shape::Names(names) => self.or_variable(json!({ "enum": names() })),
            Shape::List(item, low, high) => self.list(item, *low, *high),
            Shape::Several(item, low) => {
                json!({ "anyOf": [self.shape(item), self.list(item, *low, ANY)] })
            }
            Shape::Map(mapping) => self.mapping(mapping),
            Shape::Table(name, value, low) => json!({
                "type": "object",
                "minProperties": low,
                "propertyNames": { "pattern": name },
                "additionalProperties": self.shape(value),
            }),
            Shape::Either(shapes) => {
                let shapes: Vec<_> = shapes.iter().map(|shape| self.shape(shape)).collect();
                json!({ "anyOf": shapes })
            }
            Shape::Raw(write) => write(self),
        }
    }

    fn list(&self, item: &Shape, low: usize, high: usize) -> Json {
        let item = self.shape(item);
        match high {
            ANY => json!({ "type": "array", "items": item, "minItems": low }),
            _ => json!({ "type": "array", "items": item, "minItems": low, "maxItems": high }),
        }
    }

    fn text(&self, pattern: &str) -> Json {
        if let Some(variable) = self.variables {
            return json!({ "type": "string", "pattern": format!("{pattern}|{variable}") });
        }
        json!({ "type": "string", "pattern": pattern })
    }

    /// This, or what may stand for it.
    pub(in crate::rulebook::schema) fn or_variable(&self, schema: Json) -> Json {
        if let Some(variable) = self.variables {
            return json!({ "anyOf": [schema, { "type": "string", "pattern": variable }] });
        }
        schema
    }
}

/// White space around a body does not count; how long one with placeholders becomes is not seen here.
fn body() -> String {
    let rest = crate::domain::text::BODY_MAX_CHARS - 1;
    format!(r"^\s*\S[\s\S]{{0,{rest}}}\s*$|\{{")
}
