//! The keys of triggers, their offers and the SDK's detectors.

use serde_json::{Value as Json, json};

use crate::rulebook::builtin;
use crate::rulebook::copy::MOST_LABELS;
use crate::rulebook::rule::{COOLDOWN, OFFER_TIMEOUT};
use crate::rulebook::schema::arms::{HALF, SPREAD, VARIANT, WHOLE};
use crate::rulebook::schema::calendar;
use crate::rulebook::schema::conditions;
use crate::rulebook::schema::pacing;
use crate::rulebook::schema::shape::{ANY, Key, Mapping, Shape, Writer, key, open, or};
use crate::rulebook::schema::timelines;
use crate::rulebook::triggers::{MODES, PRIORITY};

pub(in crate::rulebook::schema) static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "the version of this kind of file"),
        key("triggers", Shape::List(&Shape::Map(&TRIGGER), 0, ANY), "when to offer what"),
    ],
    required: &["version", "triggers"],
    also: None,
};

static TRIGGER: Mapping = Mapping {
    keys: &[
        key(
            "id",
            Shape::Pattern(r"^[A-Za-z0-9_.:-]{1,128}$"),
            "stable: cooldowns, caps, analytics and tests hang on it",
        ),
        key("name", Shape::Words, "for people; the id when none is written"),
        key("owner", Shape::Words, "whom to ask"),
        or(
            "priority",
            Shape::Whole(0, 100),
            || PRIORITY.into(),
            "higher first; ties by file path, then position",
        ),
        or(
            "mode",
            Shape::Names(modes),
            || "live".into(),
            "live is offered; shadow is decided and noted, never shown; draft is checked and tested; paused rests",
        ),
        key(
            "page",
            Shape::Several(&Shape::Page, 1),
            "where it may be offered, one or several; `:name` stands for one segment. Anywhere if not written",
        ),
        key(
            "when",
            Shape::Raw(conditions::when),
            "a list of conditions, all of which must hold, or one expression over `session`",
        ),
        key(
            "builtin",
            Shape::Names(|| builtin::NAMES.to_vec()),
            "one of the published SDK's own detectors, instead of `when`",
        ),
        key(
            "params",
            Shape::Raw(|_| json!({})),
            "the builtin's parameters, under the SDK's own names",
        ),
        key("offer", Shape::Map(&OFFER), "what is offered"),
        key(
            "schedule",
            Shape::Map(&calendar::SCHEDULE),
            "when it may be offered by the calendar and the clock; at any time if not written",
        ),
        or(
            "cooldown",
            Shape::Span,
            || COOLDOWN.to_string().into(),
            "how long it rests after an offer, up to 366d; its tour's when none is written",
        ),
        key(
            "again_after",
            Shape::Span,
            "how long the same person is left alone after an offer, else the same session; only `cooldown` if not written",
        ),
        key("tags", pacing::TAGS, "words that the product's frequency caps go by, one or several"),
        key(
            "group",
            pacing::GROUP,
            "a person sees one offer, or its tour, of a group at a time, whatever the session",
        ),
        key("frequency", pacing::CAPS, "how often it may come, in sliding windows"),
        key(
            "on_dismiss",
            pacing::GROWTH,
            "how long the person is left alone after a \"No thanks\", longer each time, or `never`",
        ),
        key("on_ignore", pacing::REST, "likewise when the offer went unanswered"),
        key("on_accept", pacing::REST, "likewise when it was accepted"),
        key("on_abandon", pacing::REST, "likewise when its tour was left"),
        key("on_fail", pacing::REST, "likewise when its tour could not go on"),
        key("on_complete", pacing::REST, "likewise when its tour was finished"),
        key(
            "reset",
            Shape::Map(&pacing::RESET),
            "what the person does that makes all of these void",
        ),
        key("snooze", Shape::Map(&pacing::SNOOZE), "how it may be put off"),
        key("goal", Shape::Map(&GOAL), "what its offers hope that the person will do"),
        or(
            "rollout",
            Shape::Either(&[Shape::Pattern(WHOLE), Shape::Map(&SPREAD)]),
            || "100%".into(),
            "the share of people it is offered to; raising it keeps those who are in",
        ),
        or(
            "holdout",
            Shape::Pattern(HALF),
            || "0%".into(),
            "the share of people it is withheld from, for comparison; up to 50%",
        ),
        or("judge", Shape::Flag, || false.into(), "ask the model before offering"),
        key(
            "tests",
            Shape::List(&timelines::TEST, 0, ANY),
            "what a person does, and what a poll must then answer; this trigger runs alone",
        ),
    ],
    required: &["id"],
    also: Some(trigger),
};

static GOAL: Mapping = Mapping {
    keys: &[
        key("event", Shape::Words, "the type of the action: `import_succeeded`"),
        key(
            "within",
            Shape::Span,
            "how long after the offer was on the screen, else made; from 1s to 1d",
        ),
    ],
    required: &["event", "within"],
    also: None,
};

static OFFER: Mapping = Mapping {
    also: Some(|_| json!({ "dependencies": { "accept": ["dismiss"], "dismiss": ["accept"] } })),
    ..open(&OFFER_KEYS)
};

static OFFER_KEYS: [Key; 7] = [
    key(
        "body",
        Shape::Body,
        "what the toast says, at most 150 characters; `{user.NAME|default(\"there\")}`, `{account.NAME}`, `{page.title}` and `{page.path}` are filled in",
    ),
    key("accept", Shape::Words, "the button that takes the offer"),
    key("dismiss", Shape::Words, "the button that declines it"),
    key(
        "labels",
        Shape::List(&Shape::Words, 1, MOST_LABELS),
        "the buttons in one list, instead of `accept` and `dismiss`",
    ),
    key("tour", Shape::Text, "the tour behind the first button: an id from the catalogue"),
    or(
        "timeout",
        Shape::Span,
        || OFFER_TIMEOUT.to_string().into(),
        "how long it waits for an answer, from 1s to 1d; its tour's when none is written",
    ),
    key(
        "variants",
        Shape::List(&Shape::Map(&VARIANT), 1, ANY),
        "ways to say it that are compared: each says what differs, the rest is the offer's",
    ),
];

/// Some keys of a trigger: what is not written stays as it is.
pub(in crate::rulebook::schema) fn edit(writer: &Writer) -> Json {
    let kept: Vec<_> =
        TRIGGER.keys.iter().filter(|key| !matches!(key.name, "id" | "tests")).collect();
    let mut properties: serde_json::Map<String, Json> =
        kept.iter().map(|key| (key.name.to_owned(), writer.described(key))).collect();
    let mut offer = writer.mapping(&open(&OFFER_KEYS));
    if let Json::Object(members) = &mut offer {
        members.insert("description".into(), "what is offered, edited key by key".into());
    }
    properties.insert("offer".into(), offer);
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn modes() -> Vec<&'static str> {
    MODES.iter().map(|(name, _)| *name).collect()
}

/// A condition and words of its own, or a builtin, which speaks for itself.
fn trigger(writer: &Writer) -> Json {
    let params = [(0, &PING_PONG), (1, &DWELL), (2, &SECTION)].map(|(place, params)| {
        let name = builtin::NAMES.get(place);
        let then = json!({ "properties": { "params": writer.mapping(params) }, "required": params.required });
        let needs = if params.required.is_empty() { json!([]) } else { json!(["params"]) };
        let mut then = then;
        if let Some(members) = then.as_object_mut() {
            members.insert("required".into(), needs);
        }
        json!({ "if": { "properties": { "builtin": { "const": name } }, "required": ["builtin"] }, "then": then })
    });
    let own_words = json!({
        "required": ["when", "offer"],
        "properties": { "offer": {
            "required": ["body"],
            "anyOf": [{ "required": ["labels"] }, { "required": ["accept", "dismiss"] }],
        } },
    });
    json!({ "if": { "required": ["builtin"] }, "else": own_words, "allOf": params })
}

// ---- the SDK's detectors, which take numbers however they are written

static POSITIVE: [Shape; 4] = [
    Shape::Whole(1, i64::MAX),
    Shape::Raw(|_| json!({ "type": "number", "minimum": 1 })),
    Shape::Raw(|_| json!({ "enum": [true, null] })),
    NUMERIC,
];
static SECONDS: [Shape; 3] = [
    Shape::Raw(|_| json!({ "type": "number", "exclusiveMinimum": 0 })),
    Shape::Raw(|_| json!({ "enum": [true, null] })),
    NUMERIC,
];
static WORD: [Shape; 2] = [Shape::Text, Shape::Null];
const NUMERIC: Shape = Shape::Pattern(r"^\s*\+?[0-9.eE+-]*[1-9][0-9.eE+-]*\s*$");

static PING_PONG: Mapping = open(&[
    or("min_cycles", Shape::Either(&POSITIVE), || 1.into(), "how many times forth and back"),
    or(
        "hesitation_min_distinct",
        Shape::Either(&POSITIVE),
        || 3.into(),
        "or so many different URLs",
    ),
    key("url_must_contain", Shape::Either(&WORD), "a text that the URLs must contain"),
    key(
        "either_leg_must_contain",
        Shape::Either(&WORD),
        "a text that one of the two URLs must contain",
    ),
]);

static DWELL: Mapping = open(&[
    key("dwell_threshold_seconds", Shape::Either(&SECONDS), "seconds on one URL"),
    key(
        "user_page_dwell_max_actions",
        Shape::Either(&POSITIVE),
        "more actions than this are no lingering",
    ),
    key("dwell_proactive_body", Shape::Either(&[Shape::Body, Shape::Null]), "what the toast says"),
]);

static SECTION: Mapping = Mapping {
    required: &["section_playbook"],
    ..open(&[
        key(
            "section_url_rules",
            Shape::Either(&[Shape::List(&Shape::Map(&URL_RULE), 0, ANY), Shape::Null]),
            "which section a URL belongs to, by its beginning",
        ),
        key("section_url_fallback_id", Shape::Either(&WORD), "the section of every other URL"),
        key(
            "section_playbook",
            Shape::Table("", &Shape::Either(&[Shape::Body, Shape::Map(&SECTION_WORDS)]), 0),
            "what the toast says, by section",
        ),
        key(
            "current_section_id",
            Shape::Either(&WORD),
            "the section the person is in, whatever the URL",
        ),
    ])
};

static URL_RULE: Mapping = Mapping {
    required: &["prefix", "section_id"],
    ..open(&[
        key("prefix", Shape::Words, "how the URL begins"),
        key("section_id", Shape::Words, "the section"),
    ])
};

static SECTION_KEYS: [Key; 4] = [
    key("body", Shape::Body, "what the toast says"),
    key("proactive_body", Shape::Raw(|_| json!({})), "the SDK's older name of `body`"),
    key("reply_option_labels", Shape::List(&Shape::Words, 0, ANY), "its buttons"),
    key(
        "quick_reply_labels",
        Shape::List(&Shape::Words, 0, ANY),
        "the SDK's older name of `reply_option_labels`",
    ),
];

/// The older name counts, and is looked at, where the newer one is not written.
static SECTION_WORDS: Mapping = Mapping {
    also: Some(|writer| {
        let older = json!({ "proactive_body": writer.shape(&Shape::Body) });
        json!({ "anyOf": [
            { "required": ["body"] },
            { "required": ["proactive_body"], "properties": older },
        ] })
    }),
    ..open(&SECTION_KEYS)
};
