//! The keys of segments.

use serde_json::json;

use crate::rulebook::schema::conditions;
use crate::rulebook::schema::shape::{ANY, Mapping, Shape, key, or};

pub(in crate::rulebook::schema) static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "the version of this kind of file"),
        key("segments", Shape::List(&Shape::Map(&SEGMENT), 0, ANY), "who belongs together"),
    ],
    required: &["version", "segments"],
    also: None,
};

static SEGMENT: Mapping = Mapping {
    keys: &[
        key(
            "id",
            Shape::Pattern(r"^[A-Za-z0-9_.:-]{1,128}$"),
            "stable: conditions ask for it, and batches name it",
        ),
        key("name", Shape::Words, "for people; the id when none is written"),
        key(
            "when",
            Shape::Raw(conditions::when),
            "a list of conditions, all of which must hold, or one expression over `session`",
        ),
        or(
            "given",
            Shape::Flag,
            || false.into(),
            "instead of `when`: batches and back ends say who is in it",
        ),
    ],
    required: &["id"],
    also: Some(|_| {
        json!({ "oneOf": [
            { "required": ["when"], "properties": { "given": { "const": false } } },
            { "required": ["given"], "properties": { "given": { "const": true } }, "not": { "required": ["when"] } },
        ] })
    }),
};
