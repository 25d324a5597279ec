//! What of activity is never kept, nor seen by any rule: parameters of URLs that are not on a list,
//! and whatever matches a pattern. Patterns are matched in linear time, whatever they and the texts
//! are.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::domain::action::{Batch, Delivery, RawAction, Summary};
use crate::domain::page::without_query;
use crate::rulebook::reader::{Fields, Findings, list, name_of, one_or_several, words};
use crate::rulebook::yaml::Node;

/// Types of actions that put something into a form.
const INPUTS: [&str; 9] =
    ["input", "change", "select", "submit", "paste", "keydown", "keypress", "keyup", "blur"];
/// What properties with what was put in are called, whatever their case.
const VALUES: [&str; 12] = [
    "value",
    "values",
    "text",
    "typed",
    "content",
    "input",
    "input_value",
    "old_value",
    "new_value",
    "previous_value",
    "attr__value",
    "$el_text",
];
/// A shorter value is too common to be looked for in titles and descriptions.
const TELLING: usize = 3;
/// What a pattern may grow to when it is made ready, in bytes: far more than any that people read.
const LARGEST: usize = 256 << 10;
/// In place of what matched, in texts.
const MASK: &str = "[redacted]";
/// The same in URLs, where brackets mean something.
const MASK_IN_URL: &str = "redacted";

/// A product's `redact`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redact {
    /// The parameters of URLs that stay, by name; `None` keeps URLs as they are sent.
    pub query: Option<Vec<String>>,
    /// What is masked in titles, descriptions, URLs, summaries and the texts of properties.
    pub patterns: Vec<Pattern>,
    /// What people put into forms.
    pub inputs: InputValues,
}

/// What becomes of the values that people put into forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputValues {
    /// They are kept as they are sent.
    #[default]
    Keep,
    /// They are masked, also where a title or description repeats them.
    Mask,
}

impl InputValues {
    /// Every name, as settings write it.
    pub const NAMES: [&str; 2] = ["keep", "mask"];
}

/// A regular expression, as it was written and ready to use.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl Redact {
    /// Whether rules never see a parameter of this name.
    pub fn drops(&self, parameter: &str) -> bool {
        self.query.as_ref().is_some_and(|kept| kept.iter().all(|kept| kept != parameter))
    }

    /// What is left of a delivery.
    pub fn apply<'d>(&self, delivery: &'d Delivery) -> Cow<'d, Delivery> {
        if *self == Self::default() {
            return Cow::Borrowed(delivery);
        }
        Cow::Owned(match delivery {
            Delivery::Actions(batch) => {
                let actions = batch.actions.iter().map(|action| self.action(action)).collect();
                Delivery::Actions(Batch { actions, ..batch.clone() })
            }
            Delivery::Summary(summary) => {
                Delivery::Summary(Summary { text: self.text(&summary.text), ..summary.clone() })
            }
        })
    }

    fn action(&self, action: &RawAction) -> RawAction {
        if self.inputs == InputValues::Mask && INPUTS.contains(&&*action.kind.to_lowercase()) {
            return self.plain(&without_input(action));
        }
        self.plain(action)
    }

    fn plain(&self, action: &RawAction) -> RawAction {
        let properties = action.properties.iter();
        RawAction {
            title: self.text(&action.title),
            description: self.text(&action.description),
            canonical_url: self.url(&action.canonical_url),
            raw_url: self.url(&action.raw_url),
            properties: properties.map(|(name, value)| (name.clone(), self.value(value))).collect(),
            ..action.clone()
        }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.contains("://") => Value::String(self.url(text)),
            Value::String(text) => Value::String(self.text(text)),
            Value::Number(number) => {
                let (written, left) = (number.to_string(), self.text(&number.to_string()));
                if left == written { value.clone() } else { Value::String(left) }
            }
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let members = members.iter();
                Value::Object(
                    members.map(|(name, value)| (name.clone(), self.value(value))).collect(),
                )
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        self.masked(text, MASK)
    }

    fn url(&self, url: &str) -> String {
        match &self.query {
            Some(kept) => self.masked(&only(url, kept), MASK_IN_URL),
            None => self.masked(url, MASK_IN_URL),
        }
    }

    fn masked(&self, text: &str, mask: &str) -> String {
        self.patterns.iter().fold(text.to_owned(), |text, Pattern(pattern)| {
            match pattern.replace_all(&text, mask) {
                Cow::Borrowed(_) => text,
                Cow::Owned(masked) => masked,
            }
        })
    }
}

/// An action without what was put in.
fn without_input(action: &RawAction) -> RawAction {
    let is_value = |name: &str| VALUES.contains(&&*name.to_lowercase());
    let said = action.properties.iter().filter(|(name, _)| is_value(name));
    let texts: Vec<String> = said
        .map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .filter(|text| text.chars().nth(TELLING - 1).is_some())
        .collect();
    let bare =
        |text: &str| texts.iter().fold(text.to_owned(), |text, typed| text.replace(typed, MASK));
    let left = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Null => Value::Null,
            _ if is_value(name) => MASK.into(),
            Value::String(text) => Value::String(bare(text)),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    RawAction {
        title: bare(&action.title),
        description: bare(&action.description),
        properties: action.properties.iter().map(left).collect(),
        ..action.clone()
    }
}

/// A URL with these parameters alone, and without its fragment, which browsers put tokens into.
fn only(url: &str, kept: &[String]) -> String {
    let bare = without_query(url);
    let query = url.get(bare.len()..).and_then(|rest| rest.strip_prefix('?')).unwrap_or_default();
    let query = query.split('#').next().unwrap_or_default();
    let is_kept = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        kept.iter().any(|kept| kept == name)
    };
    let left: Vec<&str> = query.split('&').filter(is_kept).collect();
    if left.is_empty() { bare.to_owned() } else { format!("{bare}?{}", left.join("&")) }
}

/// A product's `redact` as far as it can be read.
pub(in crate::rulebook) fn read(node: &Node, findings: &mut Findings<'_>) -> Option<Redact> {
    let fields = Fields::of(node, "`redact`", &["query", "patterns", "input_values"], findings)?;
    let mut redact = Redact::default();
    let names = |node: &Node, findings: &mut Findings<'_>| {
        let names = one_or_several(node).iter();
        Some(Some(names.filter_map(|name| words(name, findings).map(str::to_owned)).collect()))
    };
    fields.fill("query", &mut redact.query, names, findings);
    let patterns = |node: &Node, findings: &mut Findings<'_>| {
        Some(list(node, findings).iter().filter_map(|item| pattern(item, findings)).collect())
    };
    fields.fill("patterns", &mut redact.patterns, patterns, findings);
    let inputs = |node: &Node, findings: &mut Findings<'_>| {
        let name = name_of(node, "way to keep inputs", &InputValues::NAMES, findings)?;
        Some(if name == "mask" { InputValues::Mask } else { InputValues::Keep })
    };
    fields.fill("input_values", &mut redact.inputs, inputs, findings);
    Some(redact)
}

fn pattern(node: &Node, findings: &mut Findings<'_>) -> Option<Pattern> {
    let written = words(node, findings)?;
    match RegexBuilder::new(written).size_limit(LARGEST).build() {
        Ok(regex) if regex.is_match("") => {
            let message = format!("`{written}` matches nothing at all, and so everywhere");
            let help = "write what must be there: `+` in place of `*`".to_owned();
            findings.error(node, "bad-regex", message, Some(help));
            None
        }
        Ok(regex) => Some(Pattern(regex)),
        Err(error) => {
            let said = error.to_string();
            let why = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("`{written}` is no regular expression: {why}");
            let help = "a card number is '\\b\\d{16}\\b'; there are no look-arounds and no \
                        back-references"
                .to_owned();
            findings.error(node, "bad-regex", message, Some(help));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_the_parameters_on_the_list_alone() {
        let kept = ["tab".to_owned(), "q".to_owned()];
        for (url, left) in [
            (
                "https://a.test/b?tab=1&token=s3cret&q=x#access_token=s",
                "https://a.test/b?tab=1&q=x",
            ),
            ("/b?token=s3cret", "/b"),
            ("/b#token", "/b"),
            ("/b", "/b"),
            ("/b?tab", "/b?tab"),
            ("/b?tabs=1&&q", "/b?q"),
            ("", ""),
        ] {
            assert_eq!(only(url, &kept), left, "{url}");
        }
    }

    #[test]
    fn what_matches_is_masked_wherever_it_stands() {
        let pattern = Pattern(Regex::new(r"\b\d{16}\b").unwrap());
        let redact = Redact { patterns: vec![pattern], ..Redact::default() };
        let card = "4111111111111111";
        let properties = serde_json::json!({ "card": card, "deep": [card], "number": 4_111_111_111_111_111_u64 });
        let action = RawAction {
            title: format!("Card {card}"),
            description: format!("Typed {card}"),
            canonical_url: format!("/cards/{card}?n={card}"),
            properties: properties.as_object().unwrap().clone(),
            ..RawAction::default()
        };
        let batch = Batch { actions: vec![action], ..Batch::default() };
        let Delivery::Actions(left) = redact.apply(&Delivery::Actions(batch)).into_owned() else {
            panic!()
        };
        assert_eq!(left.actions[0].title, "Card [redacted]");
        assert_eq!(left.actions[0].canonical_url, "/cards/redacted?n=redacted");
        assert!(!format!("{left:?}").contains("4111"), "{left:?}");
    }

    #[test]
    fn what_was_put_into_a_form_is_masked_and_what_it_was_put_into_is_not() {
        let typed = |kind: &str| RawAction {
            kind: kind.into(),
            title: "Typed hunter2 into Password".into(),
            description: "hunter2, an o".into(),
            properties: serde_json::json!({
                "value": "hunter2", "Old_Value": 1234, "typed": "o", "field": "password", "n": 3,
                "note": "was hunter2",
            })
            .as_object()
            .unwrap()
            .clone(),
            ..RawAction::default()
        };
        let left = |inputs, kind| Redact { inputs, ..Redact::default() }.action(&typed(kind));
        for kind in ["input", "Change", "submit"] {
            let left = left(InputValues::Mask, kind);
            assert_eq!(left.title, "Typed [redacted] into Password", "{kind}");
            assert_eq!(left.description, "[redacted], an o", "a letter is everywhere");
            let expected = serde_json::json!({
                "value": MASK, "Old_Value": MASK, "typed": MASK, "field": "password", "n": 3,
                "note": "was [redacted]",
            });
            assert_eq!(Value::Object(left.properties), expected);
        }
        assert_eq!(left(InputValues::Mask, "click"), typed("click"));
        assert_eq!(left(InputValues::Keep, "input"), typed("input"));
    }
}
