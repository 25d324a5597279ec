//! The words of an offer: the rule's own, else its detector's, with what is known of the person
//! filled in. Plain text comes out, never markup.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::text::{BODY_MAX_CHARS, shorten};
use crate::rulebook::builtin::Hit;
use crate::rulebook::condition::View;
use crate::rulebook::rule::Rule;
use crate::rulebook::template::{Piece, Placeholder, Text, Variable};

/// Words for a builtin that found nothing to say; never shown for a rule with a body.
const NO_WORDS: &str = "Need a hand?";
/// What PostHog's page views are called, before the page; see `ingest::posthog`.
const PAGE_VIEW: &str = "Page view: ";

/// What an offer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// At most 150 characters.
    pub body: Arc<str>,
    /// Accept, then dismiss.
    pub labels: Vec<Arc<str>>,
}

/// The words for this person now; nothing when a placeholder without a default has no value.
pub fn words(rule: &Rule, view: &View<'_>, hit: Option<&Hit>) -> Option<Words> {
    let said = hit.map_or(NO_WORDS, |hit| &hit.body);
    let body = match &rule.offer.body {
        Some(body) => filled(body, view)?,
        None => said.into(),
    };
    let labels = match hit {
        Some(hit) if rule.offer.labels.is_empty() => {
            hit.labels.iter().map(|l| Arc::from(&**l)).collect()
        }
        _ => rule.offer.labels.iter().map(|label| filled(label, view)).collect::<Option<_>>()?,
    };
    Some(Words { body, labels })
}

/// Whether every placeholder of the rule's words has a value or a default. Allocates nothing where
/// there are none.
pub fn has_words(rule: &Rule, view: &View<'_>) -> bool {
    let texts = rule.offer.body.iter().chain(&rule.offer.labels);
    let mut needed = texts.flat_map(Text::placeholders).filter(|one| one.default.is_none());
    needed.all(|placeholder| value(&placeholder.variable, view).is_some())
}

fn filled(text: &Text, view: &View<'_>) -> Option<Arc<str>> {
    let pieces = match text {
        Text::Plain(words) => return Some(Arc::clone(words)),
        Text::Pieces(pieces) => pieces,
    };
    let mut filled = String::new();
    for piece in &**pieces {
        match piece {
            Piece::Words(words) => filled.push_str(words),
            Piece::Value(Placeholder { variable, default }) => {
                match (value(variable, view), default) {
                    (Some(value), _) => filled.push_str(&value),
                    (None, Some(default)) => filled.push_str(default),
                    (None, None) => return None,
                }
            }
        }
    }
    Some(shorten(&filled, BODY_MAX_CHARS).into())
}

/// What a placeholder stands for now; nothing when that is not known, or blank.
fn value(variable: &Variable, view: &View<'_>) -> Option<String> {
    match variable {
        Variable::User(name) => view.known(name).and_then(said),
        // Nothing is remembered of accounts yet.
        Variable::Account(_) => None,
        Variable::PageTitle => page_title(view).and_then(one_line),
        Variable::PagePath => one_line(view.session.page()),
    }
}

/// What the newest page view of the current page is called. A path is no title.
fn page_title<'a>(view: &View<'a>) -> Option<&'a str> {
    let place = view.session.place.as_ref()?;
    let mut here = view
        .session
        .actions
        .iter()
        .rev()
        .filter(|action| *action.page == *place.page && !action.title.is_empty());
    let title = &*here.find(|action| &*action.kind == "pageview")?.title;
    let title = title.strip_prefix(PAGE_VIEW).unwrap_or(title);
    Some(title).filter(|title| !title.starts_with('/'))
}

fn said(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => one_line(text),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The text with single spaces and without control characters; nothing when it is blank.
fn one_line(text: &str) -> Option<String> {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
