//! The keys of schedules and quiet hours.

use serde_json::{Value as Json, json};

use crate::rulebook::schedule::{DAYS, MOST_RANGES};
use crate::rulebook::schema::pacing::TAGS;
use crate::rulebook::schema::shape::{Mapping, Shape, Writer, key, open, or};

/// A date, with a time of day or without, and with an offset or without.
pub(in crate::rulebook::schema) const DATE: Shape = Shape::Pattern(
    r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?\s*$",
);
const RANGE: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
static SCHEDULE_DAYS: Shape = Shape::Names(|| DAYS.to_vec());

pub(in crate::rulebook::schema) static SCHEDULE: Mapping = open(&[
    key("start", DATE, "not before this day, or this time of it: `2026-09-01`, `2026-09-01T09:00`"),
    key("end", DATE, "until the end of this day, or until this time of it"),
    key(
        "days",
        Shape::Several(&SCHEDULE_DAYS, 1),
        "on these days; hours that cross midnight belong to the day they begin on",
    ),
    key(
        "hours",
        Shape::Raw(hours),
        "at these hours, one range or several: `09:00-17:00`, `22:00-06:00`",
    ),
    or("timezone", Shape::Words, || "product".into(), WHOSE),
]);

pub(in crate::rulebook::schema) static QUIET_HOURS: Mapping = Mapping {
    also: Some(|_| json!({ "anyOf": [{ "required": ["hours"] }, { "required": ["days"] }] })),
    ..open(&[
        key(
            "hours",
            Shape::Raw(hours),
            "nothing is offered at these hours, one range or several: `22:00-07:00`",
        ),
        key(
            "days",
            Shape::Several(&SCHEDULE_DAYS, 1),
            "on these days; hours that cross midnight belong to the day they begin on",
        ),
        or("timezone", Shape::Words, || "product".into(), WHOSE),
        or(
            "exempt_tags",
            TAGS,
            || json!([]),
            "triggers with one of these `tags` are offered all the same",
        ),
    ])
};

const WHOSE: &str = "whose clock: `product`, `user` (theirs, else their browser's, else the product's), or an IANA name";

fn hours(writer: &Writer) -> Json {
    let range = writer.shape(&Shape::Pattern(RANGE));
    json!({ "anyOf": [range, { "type": "array", "items": range, "minItems": 1, "maxItems": MOST_RANGES }] })
}
