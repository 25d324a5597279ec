//! Conditions: the leaves of the list form, from the table that the reader uses, with the shape of
//! each key.

use serde_json::{Map, Value as Json, json};

use crate::domain::offer::Outcome;
use crate::domain::time::Span;
use crate::rulebook::condition::arguments::OFFERED;
use crate::rulebook::condition::detectors::{
    FAILURE_WINDOW, FAILURES, FIELD_ERRORS, REFOCUSED, SCROLLED, STRUGGLE_WINDOW, detector,
};
use crate::rulebook::condition::leaves::counts::SCOPES;
use crate::rulebook::condition::values::{TESTS, Wants};
use crate::rulebook::condition::vocabulary::{LEAVES, Leaf, PING_PONG_WINDOW, WINDOW};
use crate::rulebook::schema::shape::{ANY, Shape, Writer};

const CONDITION: &str = "#/definitions/condition";
const TIMES: Shape = Shape::Whole(1, i64::MAX);
const COUNT: Shape = Shape::Whole(0, i64::MAX);
const PERCENT: Shape = Shape::Whole(0, 100);
/// An action's type, or a page.
const STEP: Shape = Shape::Either(&[Shape::Page, Shape::Pattern(r"^(?!/)[\s\S]*\S")]);

const SCALARS: Shape = Shape::List(&Shape::Scalar, 1, ANY);

/// `when:`, and what it nests.
pub(in crate::rulebook::schema) fn when(_: &Writer) -> Json {
    json!({ "anyOf": [
        { "type": "array", "minItems": 1, "items": { "$ref": CONDITION } },
        { "type": "string", "pattern": r"\S" },
    ] })
}

/// What `when` refers to.
pub(in crate::rulebook::schema) fn definitions(writer: &Writer) -> Json {
    let leaves: Map<_, _> =
        LEAVES.iter().map(|leaf| (leaf.name.to_owned(), self::leaf(writer, leaf))).collect();
    let condition = json!({ "anyOf": [
        { "type": "object", "minProperties": 1, "additionalProperties": false, "properties": leaves },
        { "type": "array", "minItems": 1, "items": { "$ref": CONDITION } },
    ] });
    json!({ "condition": condition })
}

fn leaf(writer: &Writer, leaf: &Leaf) -> Json {
    let mut forms: Vec<_> = short(leaf.name).iter().map(|shape| writer.shape(shape)).collect();
    if !leaf.keys.is_empty() {
        forms.push(long(writer, leaf));
    }
    let doc = format!("{}; for example `{}`", leaf.doc, leaf.short);
    json!({ "description": doc, "anyOf": forms })
}

/// What may stand after the leaf's name instead of a mapping.
fn short(leaf: &str) -> &'static [Shape] {
    match leaf {
        "page" => &[Shape::Several(&Shape::Page, 1)],
        "segment" => &[Shape::Several(&Shape::Words, 1)],
        "dwell" | "idle" | "age" => &[Shape::Span],
        leaf if is_text(leaf) => &[Shape::Several(&Shape::Words, 1)],
        "count" | "query" | "seen" | "rhai" => &[Shape::Words],
        "visits" => &[TIMES, Shape::Page],
        "scroll_depth" => &[Shape::Whole(1, 100)],
        "first_time" => &[STEP],
        "sequence" => &[Shape::List(&STEP, 1, ANY)],
        "any" | "not" => &[Shape::Raw(nested)],
        "trait" | "repeated_failure" | "since" => &[],
        _ => &[TIMES],
    }
}

fn nested(_: &Writer) -> Json {
    json!({ "$ref": CONDITION })
}

fn long(writer: &Writer, leaf: &Leaf) -> Json {
    let keys = leaf.keys.iter().map(|key| {
        let mut schema = writer.shape(&shape(leaf.name, key));
        if let (Some(members), Some(default)) = (schema.as_object_mut(), default(leaf.name, key)) {
            members.insert("default".into(), default);
        }
        ((*key).to_owned(), schema)
    });
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": keys.collect::<Map<_, _>>(),
        "required": required(leaf.name),
    });
    let bounds: Vec<_> = bounds(leaf).map(|key| json!({ "required": [key] })).collect();
    if let (Some(members), "seen") = (schema.as_object_mut(), leaf.name) {
        members
            .insert("oneOf".into(), json!([{ "required": ["trigger"] }, { "required": ["tour"] }]));
    }
    if let (Some(members), "sequence") = (schema.as_object_mut(), leaf.name) {
        members.insert("dependencies".into(), json!({ "absent": ["for"], "for": ["absent"] }));
    }
    if let (Some(members), false) = (schema.as_object_mut(), bounds.is_empty()) {
        members.insert("anyOf".into(), bounds.into());
    }
    schema
}

/// Keys of which one must be there.
fn bounds(leaf: &Leaf) -> impl Iterator<Item = &'static str> {
    let timed = matches!(leaf.name, "dwell" | "idle" | "age" | "since");
    let counted = matches!(leaf.name, "action_count" | "distinct_pages");
    let wanted = timed || counted || leaf.name == "trait" || is_text(leaf.name);
    let bounds = leaf.keys.iter().copied();
    bounds.filter(move |key| wanted && !matches!(*key, "name" | "of" | "type" | "within"))
}

fn required(leaf: &str) -> &'static [&'static str] {
    match leaf {
        "count" | "since" => &["type"],
        "trait" => &["name"],
        "query" => &["name"],
        "sequence" | "first_time" => &["of"],
        "repeated_failure" => &["failure", "success"],
        _ => &[],
    }
}

fn shape(leaf: &str, key: &str) -> Shape {
    match (leaf, key) {
        (_, "within" | "for" | "stay" | "gap" | "after")
        | ("dwell" | "idle" | "age", _)
        | ("since", "at_least" | "at_most") => Shape::Span,
        (leaf, key) if is_text(leaf) => text(key),
        ("trait", "name") => Shape::Words,
        ("trait", "of") => Shape::Names(|| vec!["user", "account"]),
        ("trait", key) => test(key),
        ("first_time", "scope") => Shape::Names(|| vec!["session", "user"]),
        ("count", "where") => Shape::Raw(properties),
        ("visits", "page") => Shape::Page,
        ("seen", "outcome") => Shape::Names(outcomes),
        ("sequence", "of") => Shape::List(&STEP, 1, ANY),
        ("sequence", "until" | "absent") | ("first_time", "of") => STEP,
        ("first_time", "default") => Shape::Flag,
        ("query", "in") => Shape::List(&Shape::Words, 1, ANY),
        ("count", "scope") => Shape::Names(|| SCOPES.to_vec()),
        ("scroll_depth", _) => PERCENT,
        (_, "between") => Shape::List(&COUNT, 2, 2),
        (_, "times" | "refocused") | ("form_struggle", "errors") => TIMES,
        (_, "at_least" | "at_most" | "exactly") => COUNT,
        _ => Shape::Words,
    }
}

/// Whether a leaf is a text that may not be known.
fn is_text(leaf: &str) -> bool {
    matches!(leaf, "url" | "title" | "user_id" | "email_domain" | "summary")
}

/// What belongs after the test of a text.
fn text(name: &str) -> Shape {
    match name {
        "in" | "not_in" => Shape::List(&Shape::Words, 1, ANY),
        "exists" => Shape::Flag,
        _ => Shape::Words,
    }
}

fn outcomes() -> Vec<&'static str> {
    [OFFERED].into_iter().chain(Outcome::ALL.map(Outcome::as_str)).collect()
}

/// What belongs after the test of a value.
fn test(name: &str) -> Shape {
    let wants = TESTS.iter().find(|(known, _)| *known == name).map(|(_, wants)| wants);
    match wants {
        Some(Wants::Scalar) => Shape::Scalar,
        Some(Wants::Scalars) => SCALARS,
        Some(Wants::Number) => Shape::Number,
        Some(Wants::Range) => Shape::List(&Shape::Number, 2, 2),
        Some(Wants::Flag) => Shape::Flag,
        Some(Wants::Words) | None => Shape::Words,
    }
}

/// Each property with a value, several, or tests.
fn properties(writer: &Writer) -> Json {
    let tests = TESTS.iter().map(|(name, _)| ((*name).to_owned(), writer.shape(&test(name))));
    let tests = json!({
        "type": "object",
        "minProperties": 1,
        "additionalProperties": false,
        "properties": tests.collect::<Map<_, _>>(),
    });
    let forms = [writer.shape(&Shape::Scalar), writer.shape(&SCALARS), tests];
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": r"\S" },
        "additionalProperties": { "anyOf": forms },
    })
}

/// What is taken for a key when it is not written, and stands on its own.
fn default(leaf: &str, key: &str) -> Option<Json> {
    let text = |span: Span| Some(span.to_string().into());
    let counting = detector(leaf);
    match (leaf, key, counting) {
        (_, "within", Some(detector)) => text(detector.within),
        (_, "at_least", Some(detector)) => Some(detector.least.into()),
        (_, key, Some(detector)) => (key == detector.span.0).then(|| text(detector.span.1))?,
        ("ping_pong", "within", _) => text(PING_PONG_WINDOW),
        ("repeated_failure", "within", _) => text(FAILURE_WINDOW),
        ("form_struggle", "within", _) => text(STRUGGLE_WINDOW),
        ("seen", "within", _) => None,
        (_, "within", _) => text(WINDOW),
        ("ping_pong", "times", _) => Some(2.into()),
        ("repeated_failure", "at_least", _) => Some(FAILURES.into()),
        ("form_struggle", "refocused", _) => Some(REFOCUSED.into()),
        ("form_struggle", "errors", _) => Some(FIELD_ERRORS.into()),
        ("scroll_depth", "at_least", _) => Some(SCROLLED.into()),
        ("count" | "first_time", "scope", _) => Some("session".into()),
        ("trait", "of", _) => Some("user".into()),
        _ => None,
    }
}
