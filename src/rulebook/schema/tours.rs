//! The keys of tours, and of a prompt's front matter.

use serde_json::json;

use crate::rulebook::schema::shape::{ANY, Key, Mapping, Shape, key, open, or};
use crate::rulebook::tours::PLACEMENTS;

/// `[A-Za-z0-9_-]{1,128}`, and not the word for no tour.
const ID: Shape = Shape::Pattern(r"^(?!none$)[A-Za-z0-9_-]{1,128}$");

pub(in crate::rulebook::schema) static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "the version of this kind of file"),
        key("tours", Shape::List(&Shape::Map(&TOUR), 0, ANY), "guided walkthroughs"),
    ],
    required: &["version", "tours"],
    also: None,
};

static TOUR: Mapping = Mapping {
    keys: &[
        key("id", ID, "stable: triggers, the chatbot's [TOUR:id] and analytics hang on it"),
        key("name", Shape::Words, "for people"),
        key("use_when", Shape::Words, "when a chatbot should suggest it"),
        key("not_for", Shape::Words, "what it must not be suggested for"),
        key("description", Shape::Words, "the older name of `use_when`"),
        key("route", Shape::Page, "the page it starts on"),
        key("steps", Shape::List(&Shape::Map(&STEP), 1, ANY), "what it shows, in order"),
        key("timeout", Shape::Span, "how long an offer of it waits for an answer, from 1s to 1d"),
        key("cooldown", Shape::Span, "how long its trigger rests after an offer, up to 1d"),
    ],
    required: &["id", "name", "steps"],
    also: Some(
        |_| json!({ "oneOf": [{ "required": ["use_when"] }, { "required": ["description"] }] }),
    ),
};

static STEP: Mapping = Mapping {
    keys: &[
        key("target", Shape::Words, "a CSS selector; `data-tour-id` survives a redesign"),
        key("title", Shape::Words, "the heading of the step"),
        key("content", Shape::Words, "what the person should do"),
        or(
            "placement",
            Shape::Names(|| PLACEMENTS.to_vec()),
            || "auto".into(),
            "where the step stands beside its target",
        ),
    ],
    required: &["target", "title", "content"],
    also: None,
};

static PROMPT_KEYS: [Key; 3] = [
    key("name", ID, "by which it is asked for"),
    key("version", Shape::Either(&[Shape::Words, Shape::Number]), "logged with every call"),
    key("description", Shape::Words, "what it is for"),
];

pub(in crate::rulebook::schema) static PROMPT: Mapping =
    Mapping { required: &["name", "version", "description"], ..open(&PROMPT_KEYS) };
