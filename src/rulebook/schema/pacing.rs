//! The keys of a trigger's pacing, and of frequency caps.

use serde_json::json;

use crate::domain::tally::Per;
use crate::rulebook::pacing::MOST_SNOOZES;
use crate::rulebook::pacing::backoff::{MOST_DISMISSALS, MOST_FACTOR};
use crate::rulebook::pacing::caps::MOST;
use crate::rulebook::schema::shape::{ANY, Mapping, Shape, key, open, or};

const ID: &str = r"^[A-Za-z0-9_.:-]{1,128}$";

/// Tags, one or several.
pub(in crate::rulebook::schema) const TAGS: Shape = Shape::Several(&Shape::Pattern(ID), 0);
/// The name of a group.
pub(in crate::rulebook::schema) const GROUP: Shape = Shape::Pattern(ID);
/// A trigger's own caps.
pub(in crate::rulebook::schema) const CAPS: Shape = Shape::List(&Shape::Map(&CAP), 0, ANY);
/// A product's caps.
pub(in crate::rulebook::schema) const PRODUCT_CAPS: Shape =
    Shape::List(&Shape::Map(&PRODUCT_CAP), 0, ANY);
/// A rest after dismissals.
pub(in crate::rulebook::schema) const GROWTH: Shape =
    Shape::Either(&[NEVER, Shape::Map(&ON_DISMISS)]);
/// A rest after another answer.
pub(in crate::rulebook::schema) const REST: Shape = Shape::Either(&[NEVER, Shape::Map(&ON)]);

const NEVER: Shape = Shape::Pattern("^never$");
const PER: Shape = Shape::Names(|| Per::ALL.map(Per::as_str).to_vec());
const LIMIT: Shape = Shape::Whole(1, MOST);
const WINDOW: &str =
    "in this time, up to 366d; as long as the session or person is remembered if not written";

static CAP: Mapping = Mapping {
    keys: &[
        key("per", PER, "to whom; a person who is not known is counted by their session"),
        key("limit", LIMIT, "so many offers"),
        key("window", Shape::Span, WINDOW),
    ],
    required: &["per", "limit"],
    also: None,
};

static PRODUCT_CAP: Mapping = Mapping {
    keys: &[
        key("id", Shape::Pattern(ID), "its name, which the skip reason tells: `frequency:ID`"),
        key("per", PER, "to whom; a person who is not known is counted by their session"),
        or(
            "of",
            Shape::Pattern("^(all|tag:.+|group:.+)$"),
            || "all".into(),
            "of which triggers: `all`, `tag:NAME` or `group:NAME`",
        ),
        key("limit", LIMIT, "so many offers"),
        key("window", Shape::Span, WINDOW),
        or("exempt_tags", TAGS, || json!([]), "triggers with one of these tags do not count"),
    ],
    required: &["id", "per", "limit"],
    also: None,
};

static ON_DISMISS: Mapping = Mapping {
    required: &["cooldown"],
    ..open(&[
        key("cooldown", Shape::Span, "after the first \"No thanks\""),
        or(
            "factor",
            Shape::Raw(|_| json!({ "type": "number", "minimum": 1, "maximum": MOST_FACTOR })),
            || json!(1),
            "so many times longer after each further one",
        ),
        key("max", Shape::Span, "and never longer than this"),
        key("stop_after", Shape::Whole(1, MOST_DISMISSALS as i64), "after so many, never again"),
    ])
};

static ON: Mapping = Mapping {
    required: &["cooldown"],
    ..open(&[key("cooldown", Shape::Span, "how long the same person is left alone")])
};

pub(in crate::rulebook::schema) static RESET: Mapping = Mapping {
    required: &["on"],
    ..open(&[key("on", Shape::Words, "an action of this type, `project_created`")])
};

pub(in crate::rulebook::schema) static SNOOZE: Mapping = open(&[
    or(
        "default",
        Shape::Span,
        || "1h".into(),
        "how long a snooze rests the trigger when the front end does not say",
    ),
    key(
        "max_times",
        Shape::Whole(0, MOST_SNOOZES),
        "how often in a row it may be put off; the next counts as a \"No thanks\"",
    ),
]);
