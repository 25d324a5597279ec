//! The keys of tests.

use serde_json::{Value as Json, json};

use crate::domain::decision::Hold;
use crate::domain::machine::{AgentEvent, AgentState};
use crate::rulebook::cases::entry::KINDS;
use crate::rulebook::cases::given::STATES;
use crate::rulebook::schema::calendar;
use crate::rulebook::schema::locales::TAG;
use crate::rulebook::schema::settings::PROACTIVE;
use crate::rulebook::schema::shape::{ANY, Mapping, Shape, Writer, key, open, or};
use crate::rulebook::schema::triggers::edit;

pub(in crate::rulebook::schema) static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "the version of this kind of file"),
        key(
            "product",
            Shape::Text,
            "whose triggers, when several products have theirs in this folder",
        ),
        key(
            "given",
            Shape::Table(r"\S", &Shape::Raw(start), 0),
            "what tests of this file can extend, by name",
        ),
        key(
            "tests",
            Shape::List(&WHOLE, 0, ANY),
            "what a person does, and what a poll must then answer; all triggers run together",
        ),
    ],
    required: &["version", "tests"],
    also: None,
};

/// A matrix puts a value wherever `<name>` stands.
pub(in crate::rulebook::schema) static TEST: Shape =
    Shape::Raw(|_| Writer { variables: Some(PLACEHOLDER), alone: true }.mapping(&KEYS));
static WHOLE: Shape =
    Shape::Raw(|_| Writer { variables: Some(PLACEHOLDER), alone: false }.mapping(&KEYS));
const PLACEHOLDER: &str = "<[A-Za-z]";

static KEYS: Mapping = Mapping {
    keys: &[
        key("name", Shape::Words, "a sentence"),
        key("extends", Shape::Words, "the test whose timeline comes first"),
        key("given", Shape::Map(&GIVEN), "what stands when the timeline starts"),
        key(
            "matrix",
            Shape::Table(
                r"^[A-Za-z][A-Za-z0-9_-]*$",
                &Shape::List(&Shape::Either(&[Shape::Scalar, Shape::Null]), 1, ANY),
                0,
            ),
            "the test once for each combination of these values, each written `<name>` in it",
        ),
        key("timeline", Shape::List(&Shape::Map(&ENTRY), 1, ANY), "in order of time"),
    ],
    required: &["name", "timeline"],
    also: None,
};

static GIVEN: Mapping = open(&[
    key(
        "now",
        calendar::DATE,
        "when it is: `2026-09-01T08:59`, by the product's clock, or with an offset",
    ),
    key("timezone", Shape::Words, "the browser's time zone, as IANA names it"),
    key("user", Shape::Words, "the person is known by the product's own id"),
    key("email", Shape::Words, "the person's e-mail address is known"),
    key("locale", TAG, "the browser's language: `nb-NO`"),
    key("traits", TRAITS, "what is known of the person"),
    key(
        "segments",
        Shape::Several(&Shape::Words, 1),
        "the `given` segments that the person was put in, one or several",
    ),
    key("account", Shape::Words, "the company or workspace the person belongs to"),
    key("account_traits", TRAITS, "what is known of that account"),
    key(
        "state",
        Shape::Names(|| STATES.map(AgentState::as_str).to_vec()),
        "where the agent stands, from this instant on",
    ),
    key("dismissals", Shape::Whole(0, 1_000), "dismissals and abandoned tours so far"),
    or(
        "tester",
        Shape::Flag,
        || false.into(),
        "whether the person is one of the product's testers",
    ),
    key(
        "bucket",
        Shape::Whole(0, 9_999),
        "of every draw; without it: in every rollout, in no control group, the first variant",
    ),
    key("settings", Shape::Map(&SETTINGS), "in place of the product's, in this test alone"),
]);

static SETTINGS: Mapping =
    open(&[key("proactive", Shape::Map(&PROACTIVE), "the gates before any trigger")]);

const TRAITS: Shape = Shape::Table(r"\S", &Shape::Either(&[Shape::Scalar, Shape::Null]), 0);

static FIRES: Mapping = Mapping {
    required: &["trigger"],
    ..open(&[
        key("trigger", Shape::Words, "the trigger"),
        key("variant", Shape::Words, "as this variant"),
    ])
};
static ENTRIES: Shape = Shape::List(&Shape::Map(&ENTRY), 0, ANY);

static ENTRY: Mapping = Mapping {
    required: &["at"],
    also: Some(kinds),
    ..open(&[
        key("at", Shape::Span, "since the start of the timeline"),
        key(
            "page",
            Shape::Pattern(r"^/|://"),
            "the person opens this page; beside `action`, where that happens",
        ),
        key("action", Shape::Words, "the person does something of this type: `click`, `error`"),
        key("title", Shape::Words, "what a person would call what was acted on"),
        key(
            "properties",
            Shape::Table(r"\S", &Shape::Either(&[Shape::Scalar, Shape::Null]), 0),
            "what else is told of it, by name",
        ),
        or("repeat", Shape::Whole(1, 1_000), || 1.into(), "so many times at once"),
        key("event", Shape::Names(|| AgentEvent::NAMES.to_vec()), "the front end reports this"),
        key(
            "for",
            Shape::Span,
            "how long a snoozed trigger rests; its own `snooze.default`, else an hour, when none is written",
        ),
        key("step", Shape::Whole(0, 1_000), "the step a tour failed at"),
        key("reason", Shape::Words, "why a tour failed"),
        or("counts", Shape::Flag, || true.into(), "whether the event is expected to be heeded"),
        key(
            "fires",
            Shape::Either(&[Shape::Words, Shape::Map(&FIRES)]),
            "a poll must offer this trigger",
        ),
        key("body", Shape::Words, "and say this"),
        key("labels", Shape::List(&Shape::Text, 0, ANY), "with these buttons"),
        key("tour", Shape::Words, "and this tour behind them"),
        key("variant", Shape::Words, "as this variant"),
        key("shadows", Shape::Words, "a poll must note that this shadow trigger would be offered"),
        key(
            "silent",
            Shape::Raw(silent),
            "a poll must offer nothing, for this reason, or `true` for any",
        ),
        key(
            "next",
            Shape::Either(&[Shape::Pattern("^never$"), Shape::Span]),
            "how long the silence stands by itself, or `never`",
        ),
        key("clause", Shape::Words, "words of a condition that does not hold"),
        key("goal", Shape::Words, "the goal of this trigger's offer has been reached by now"),
        or("reached", Shape::Flag, || true.into(), "whether that is expected"),
        key("trait", TRAITS, "this becomes known of the person"),
        key("user", Shape::Words, "the person is identified by the product's own id"),
        key("email", Shape::Words, "the person's e-mail address becomes known"),
        key("account", Shape::Words, "the account the person belongs to becomes known"),
        key("account_trait", TRAITS, "this becomes known of the person's account"),
        key(
            "reload",
            Shape::Raw(reload),
            "the trigger with these keys edited comes into force; in tests of the whole, triggers by id",
        ),
    ])
};

/// What stands at the start, and what happens first.
fn start(_: &Writer) -> Json {
    let writer = Writer { variables: Some(PLACEHOLDER), alone: false };
    let mut start = writer.mapping(&GIVEN);
    let timeline = writer.shape(&ENTRIES);
    if let Some(Json::Object(properties)) = start.get_mut("properties") {
        let mut timeline = timeline;
        if let Json::Object(members) = &mut timeline {
            members.insert("description".into(), "what happens first, in order of time".into());
        }
        properties.insert("timeline".into(), timeline);
    }
    start
}

/// Keys of the trigger that stands above, or of several by their ids.
fn reload(writer: &Writer) -> Json {
    let edit = edit(writer);
    match writer.alone {
        true => edit,
        false => json!({ "type": "object", "additionalProperties": edit }),
    }
}

fn silent(writer: &Writer) -> Json {
    let mut reasons: Vec<Json> = Hold::ALL.map(|hold| hold.as_str().into()).to_vec();
    reasons.push(true.into());
    let capped = json!({ "type": "string", "pattern": "^frequency:." });
    writer.or_variable(json!({ "anyOf": [{ "enum": reasons }, capped] }))
}

/// One thing happens in an entry; what, is told by the key.
fn kinds(_: &Writer) -> Json {
    let kinds: Vec<Json> = KINDS.iter().map(|kind| json!({ "required": [kind] })).collect();
    json!({ "anyOf": kinds })
}
