//! A rule's `builtin` and `params`, under the SDK's own names.

use serde_json::{Map, Value as Json};

use crate::domain::text::{BODY_MAX_CHARS, strip};
use crate::rulebook::builtin::Builtin;
use crate::rulebook::builtin::dwell::UserPageDwell;
use crate::rulebook::builtin::ping_pong::PingPong;
use crate::rulebook::builtin::section::SectionPlaybook;
use crate::rulebook::reader::{Fields, Findings, list, name_of, text, words, wrong_type};
use crate::rulebook::yaml::{Node, Value};

pub(in crate::rulebook) const NAMES: [&str; 3] =
    ["canonical_url_ping_pong", "user_page_dwell", "section_playbook_match"];

/// What a parameter must be.
#[derive(Clone, Copy)]
enum Kind {
    /// A whole number, one or more.
    Positive,
    /// A number greater than zero.
    Seconds,
    /// Text.
    Text,
    /// Text of at most 150 characters.
    Body,
    /// A list of `{ prefix, section_id }`.
    UrlRules,
    /// Section to words.
    Book,
}

type Parameter = (&'static str, Kind);

const PING_PONG: &[Parameter] = &[
    ("min_cycles", Kind::Positive),
    ("hesitation_min_distinct", Kind::Positive),
    ("url_must_contain", Kind::Text),
    ("either_leg_must_contain", Kind::Text),
];
const DWELL: &[Parameter] = &[
    ("dwell_threshold_seconds", Kind::Seconds),
    ("user_page_dwell_max_actions", Kind::Positive),
    ("dwell_proactive_body", Kind::Body),
];
const SECTION: &[Parameter] = &[
    ("section_url_rules", Kind::UrlRules),
    ("section_url_fallback_id", Kind::Text),
    ("section_playbook", Kind::Book),
    ("current_section_id", Kind::Text),
];

/// See [`crate::rulebook::builtin::read`].
pub(in crate::rulebook::builtin) fn read(
    name: &Node,
    params: Option<&Node>,
    findings: &mut Findings<'_>,
) -> Option<Builtin> {
    let builtin = name_of(name, "builtin", &NAMES, findings)?;
    let known = match builtin {
        "canonical_url_ping_pong" => PING_PONG,
        "user_page_dwell" => DWELL,
        _ => SECTION,
    };
    let params = match params {
        Some(params) => checked(params, known, findings)?,
        None => Map::new(),
    };
    match builtin {
        "canonical_url_ping_pong" => Some(Builtin::PingPong(ping_pong(&params))),
        "user_page_dwell" => Some(Builtin::UserPageDwell(UserPageDwell::from_params(&params))),
        _ if !params.contains_key("section_playbook") => {
            let help = "add `params: { section_playbook: { billing: \"Need a hand?\" } }`";
            let message = "a section playbook needs `section_playbook`";
            findings.error(name, "missing-key", message, Some(help.to_owned()));
            None
        }
        _ => Some(Builtin::SectionPlaybook(SectionPlaybook::from_params(&params))),
    }
}

fn ping_pong(params: &Map<String, Json>) -> PingPong {
    let default = PingPong::default();
    let number = |key, default| params.get(key).and_then(int).unwrap_or(default);
    let text =
        |key| params.get(key).and_then(Json::as_str).map(strip).unwrap_or_default().to_owned();
    PingPong {
        min_cycles: number("min_cycles", default.min_cycles),
        hesitation_min_distinct: number("hesitation_min_distinct", default.hesitation_min_distinct),
        url_must_contain: text("url_must_contain"),
        either_leg_must_contain: text("either_leg_must_contain"),
    }
}

/// The parameters as JSON; a null is its default.
fn checked(
    params: &Node,
    known: &[Parameter],
    findings: &mut Findings<'_>,
) -> Option<Map<String, Json>> {
    let before = findings.count();
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    let fields = Fields::of(params, "this builtin", &names, findings)?;
    let mut values = Map::new();
    for (name, kind) in known {
        let Some(node) = fields.get(name) else { continue };
        if node.value != Value::Null {
            kind.check(node, findings);
            values.insert((*name).to_owned(), node.to_json());
        }
    }
    (findings.count() == before).then_some(values)
}

impl Kind {
    fn check(self, node: &Node, findings: &mut Findings<'_>) {
        let value = node.to_json();
        match self {
            Self::Positive if int(&value).is_some_and(|number| number >= 1) => {}
            Self::Positive => wrong_type(node, "a whole number, one or more,", None, findings),
            Self::Seconds if float(&value).is_some_and(|seconds| seconds > 0.0) => {}
            Self::Seconds => {
                let help = "the SDK counts seconds: `60`".to_owned();
                wrong_type(node, "a number greater than zero", Some(help), findings);
            }
            Self::Text => {
                text(node, findings);
            }
            Self::Body => body(node, findings),
            Self::UrlRules => list(node, findings).iter().for_each(|rule| url_rule(rule, findings)),
            Self::Book => book(node, findings),
        }
    }
}

fn body(node: &Node, findings: &mut Findings<'_>) {
    let Some(words) = words(node, findings) else { return };
    let length = strip(words).chars().count();
    if length > BODY_MAX_CHARS {
        let message = format!("the body has {length} characters; a toast holds {BODY_MAX_CHARS}");
        findings.error(node, "body-too-long", message, Some("shorten it".to_owned()));
    }
}

fn url_rule(rule: &Node, findings: &mut Findings<'_>) {
    let Some(fields) = Fields::of(rule, "a URL rule", &["prefix", "section_id"], findings) else {
        return;
    };
    for key in ["prefix", "section_id"] {
        if let Some(node) = fields.need(key, findings) {
            words(node, findings);
        }
    }
}

fn book(node: &Node, findings: &mut Findings<'_>) {
    const KEYS: [&str; 4] = ["body", "proactive_body", "reply_option_labels", "quick_reply_labels"];
    let Value::Map(rows) = &node.value else {
        return wrong_type(node, "a mapping of sections to words", None, findings);
    };
    for (_, row) in rows {
        if !matches!(row.value, Value::Map(_)) {
            body(row, findings);
            continue;
        }
        let Some(fields) = Fields::of(row, "a section", &KEYS, findings) else { continue };
        match fields.get("body").or_else(|| fields.get("proactive_body")) {
            Some(node) => body(node, findings),
            None => drop(fields.need("body", findings)),
        }
        for key in ["reply_option_labels", "quick_reply_labels"] {
            let Some(labels) = fields.get(key) else { continue };
            for label in list(labels, findings) {
                words(label, findings);
            }
        }
    }
}

/// A number as the SDK coerces it: numbers, truths and numeric text.
pub(in crate::rulebook::builtin) fn float(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Json::String(text) => strip(text).parse().ok(),
        _ => None,
    }
}

/// A whole number as the SDK coerces it: fractions are cut off, text must be whole.
pub(in crate::rulebook::builtin) fn int(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n as i64)),
        Json::Bool(truth) => Some(i64::from(*truth)),
        Json::String(text) => strip(text).parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
