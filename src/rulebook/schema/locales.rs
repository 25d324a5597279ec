//! The keys of translations.

use crate::rulebook::copy::MOST_LABELS;
use crate::rulebook::schema::shape::{Key, Mapping, Shape, key, open};

/// A language tag.
pub(in crate::rulebook::schema) const TAG: Shape =
    Shape::Pattern(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$");

pub(in crate::rulebook::schema) static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "the version of this kind of file"),
        key("locale", TAG, "the language, which is also the file's name: `nb-NO`"),
        key(
            "triggers",
            Shape::Table("", &Shape::Map(&TRANSLATION), 0),
            "the words of each trigger, by its id; what is not written is said in a wider language, else as the rule says it",
        ),
    ],
    required: &["version", "locale", "triggers"],
    also: None,
};

static TRANSLATION: Mapping = open(&KEYS);

static KEYS: [Key; 5] = [
    key("body", Shape::Body, "what the toast says, at most 150 characters"),
    key("accept", Shape::Words, "the button that takes the offer"),
    key("dismiss", Shape::Words, "the button that declines it"),
    key(
        "labels",
        Shape::List(&Shape::Words, 1, MOST_LABELS),
        "as many buttons as the rule has, instead of `accept` and `dismiss`",
    ),
    key("of", Shape::Scalar, "the hash of the words that were translated; `docent check` tells it"),
];
