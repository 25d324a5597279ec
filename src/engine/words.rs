//! The words of an offer: the rule's own, else its detector's, with what is known of the person
//! filled in, in a language they read. Plain text comes out, never markup.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::text::{BODY_MAX_CHARS, shorten};
use crate::rulebook::Product;
use crate::rulebook::builtin::Hit;
use crate::rulebook::condition::{View, Whose};
use crate::rulebook::copy::MOST_LABELS;
use crate::rulebook::locale::{self, Voice};
use crate::rulebook::rule::{Copy, Rule};
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
    /// The language of the body; nothing where the product has one alone.
    pub locale: Option<Arc<str>>,
}

/// The words for this person now; nothing when a placeholder without a default has no value.
pub fn words(
    product: &Product,
    rule: &Rule,
    copy: &Copy,
    view: &View<'_>,
    hit: Option<&Hit>,
) -> Option<Words> {
    let voice = voice(product, rule, view);
    let source = (!product.locales.is_empty()).then_some(&product.locales.source);
    let (locale, body) = match said_body(rule, copy, &voice) {
        Some((tag, body)) => (tag.or(source), filled(body, view)?),
        None => (source, hit.map_or(NO_WORDS, |hit| &hit.body).into()),
    };
    let own = &copy.labels;
    let detected = hit.filter(|_| own.is_empty()).map_or(&[][..], |hit| &hit.labels);
    let labels = (0..own.len().max(detected.len())).map(|place| {
        match (said_label(rule, copy, &voice, place), detected.get(place)) {
            (Some(text), _) => filled(text, view),
            (None, label) => label.map(|label| Arc::from(&**label)),
        }
    });
    Some(Words { body, labels: labels.collect::<Option<_>>()?, locale: locale.cloned() })
}

/// Whether every placeholder of the words for this person, in every variant, has a value or a
/// default. Allocates nothing where there are none.
pub fn has_words(product: &Product, rule: &Rule, view: &View<'_>) -> bool {
    let voice = voice(product, rule, view);
    rule.copies().all(|copy| {
        let body = said_body(rule, copy, &voice).map(|(_, body)| body);
        // A detector's own labels are translated, too, though the rule writes none.
        let labels = (0..MOST_LABELS).filter_map(|at| said_label(rule, copy, &voice, at));
        body.into_iter().chain(labels).all(|text| {
            let mut needed = text.placeholders().filter(|one| one.default.is_none());
            needed.all(|placeholder| value(&placeholder.variable, view).is_some())
        })
    })
}

/// A variant's own body, which nobody translates; else the translated one with its language, else
/// the rule's.
fn said_body<'a>(
    rule: &Rule,
    copy: &'a Copy,
    voice: &Voice<'a>,
) -> Option<(Option<&'a Arc<str>>, &'a Text)> {
    let translated = voice.body().filter(|_| copy.body == rule.offer.body);
    let translated = translated.map(|(tag, body)| (Some(tag), body));
    translated.or_else(|| copy.body.as_ref().map(|body| (None, body)))
}

/// The same for the button at this place.
fn said_label<'a>(
    rule: &Rule,
    copy: &'a Copy,
    voice: &Voice<'a>,
    place: usize,
) -> Option<&'a Text> {
    let own = copy.labels.get(place);
    voice.label(place).filter(|_| own == rule.offer.labels.get(place)).or(own)
}

/// Which language this person is spoken to in: their trait says, else their browser, else it is
/// the rules' own.
fn voice<'a>(product: &'a Product, rule: &'a Rule, view: &View<'a>) -> Voice<'a> {
    if product.locales.is_empty() {
        return product.locales.voice(&rule.id, []);
    }
    let said = view.known(Whose::Person, locale::TRAIT).and_then(Json::as_str);
    product.locales.voice(&rule.id, said.into_iter().chain(view.session.locale.as_deref()))
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
        Variable::User(name) => view.known(Whose::Person, name).and_then(said),
        Variable::Account(name) => view.known(Whose::Account, name).and_then(said),
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
