//! The keys of rollouts, control groups and variants.

use serde_json::{Value as Json, json};

use crate::rulebook::arms::{MOST_HELD, UNITS};
use crate::rulebook::copy::MOST_LABELS;
use crate::rulebook::schema::shape::{Mapping, Shape, Writer, key, open, or};
use crate::rulebook::variants::MOST_WEIGHT;

/// A percentage with its sign.
pub(in crate::rulebook::schema) const WHOLE: &str =
    r"^\s*0*(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{0,2})?)%\s*$";
/// The same, up to the half.
pub(in crate::rulebook::schema) const HALF: &str =
    r"^\s*0*(50(\.0{0,2})?|[1-4]?[0-9](\.[0-9]{0,2})?)%\s*$";

/// Up to the half, as a number.
pub(in crate::rulebook::schema) fn half(_: &Writer) -> Json {
    json!({ "type": "number", "minimum": 0, "maximum": MOST_HELD })
}

pub(in crate::rulebook::schema) static SPREAD: Mapping = Mapping {
    required: &["percent"],
    ..open(&[
        key(
            "percent",
            Shape::Either(&[
                Shape::Raw(|_| json!({ "type": "number", "minimum": 0, "maximum": 100 })),
                Shape::Pattern(WHOLE),
            ]),
            "from 0 to 100, with at most two decimals",
        ),
        or(
            "by",
            Shape::Names(|| UNITS.map(|(name, _)| name).to_vec()),
            || "user".into(),
            "whose bucket counts, for the variants and the control group, too; `user` is the session's where no person is known",
        ),
    ])
};

pub(in crate::rulebook::schema) static VARIANT: Mapping = Mapping {
    required: &["id"],
    ..open(&[
        key("id", Shape::Pattern(r"^(?!none$)[A-Za-z0-9_-]{1,128}$"), "stable: figures hang on it"),
        or("weight", Shape::Whole(0, MOST_WEIGHT), || 1.into(), "its part of all weights"),
        key("body", Shape::Body, "what the toast says, if not what the offer says"),
        key("accept", Shape::Words, "the button that takes the offer"),
        key("dismiss", Shape::Words, "the button that declines it"),
        key(
            "labels",
            Shape::List(&Shape::Words, 1, MOST_LABELS),
            "the buttons in one list, instead of `accept` and `dismiss`",
        ),
        key("tour", Shape::Text, "the tour behind the first button"),
    ])
};
