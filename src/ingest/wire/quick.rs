//! The usual message in one pass, without a tree of values. What is unusual in any way is left to the
//! tolerant reader, which comes to the same for the rest.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::action::{Batch, Delivery, RawAction, Summary};
use crate::domain::text::first_chars;
use crate::domain::traits::SEGMENTS;
use crate::ingest::wire::{
    DESCRIPTION_CHARS, Decoded, ID_BYTES, KIND_CHARS, SUMMARY_CHARS, TITLE_CHARS, URL_CHARS,
    address_of, bare_url, properties, segments, traits,
};

/// A message whose members all have the type that they should have; `None` for any other.
pub(super) fn read(json: &[u8]) -> Option<Decoded> {
    let text = std::str::from_utf8(json).ok()?;
    let Object(message) = serde_json::from_str::<Object<Message>>(text).ok()?;
    message.decoded()
}

/// A JSON object; a list of its members' values is none.
struct Object<T>(T);

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    product_id: Option<String>,
    session_id: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    conversation_id: Option<String>,
    count: Option<u64>,
    actions: Option<Vec<Object<Act>>>,
    traits: Option<Value>,
    segments: Option<Value>,
    account_id: Option<String>,
    account_traits: Option<Value>,
    locale: Option<String>,
    timezone: Option<String>,
    forwarded_at: Option<f64>,
    summary: Option<String>,
    replaces: Option<i64>,
}

#[derive(Deserialize)]
struct Act {
    title: Option<String>,
    description: Option<String>,
    canonical_url: Option<String>,
    raw_url: Option<String>,
    index: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    timestamp_start: Option<f64>,
    timestamp_end: Option<f64>,
    properties: Option<Value>,
}

impl Message {
    fn decoded(self) -> Option<Decoded> {
        let product = self.product_id.clone();
        let (delivery, warnings) = match &*self.kind {
            "actions" => {
                let (batch, warnings) = self.batch()?;
                (Delivery::Actions(batch), warnings)
            }
            "summary" => (Delivery::Summary(self.summary()?), 0),
            _ => return None,
        };
        Some(Decoded { product, delivery, warnings })
    }

    fn batch(self) -> Option<(Batch, u32)> {
        let said = self.actions.unwrap_or_default();
        let mut warnings = u32::from(self.count.is_some_and(|count| count != said.len() as u64));
        let actions = said.into_iter().map(|Object(act)| act.action(&mut warnings)).collect();
        let mut known = traits(self.traits.as_ref(), &mut warnings);
        let segments = segments(self.segments.as_ref(), &mut warnings);
        known.extend(segments.map(|segments| (SEGMENTS.to_owned(), segments)));
        let batch = Batch {
            session_id: name(self.session_id)?,
            user_id: name(self.user_id)?,
            email: address_of(name(self.email)?),
            conversation_id: id(self.conversation_id)?,
            actions,
            traits: known,
            account_id: name(self.account_id)?,
            account_traits: traits(self.account_traits.as_ref(), &mut warnings),
            locale: word(self.locale),
            timezone: word(self.timezone),
            forwarded_at: self.forwarded_at.unwrap_or_default(),
        };
        Some((batch, warnings))
    }

    fn summary(self) -> Option<Summary> {
        Some(Summary {
            session_id: name(self.session_id)?,
            text: cut(self.summary, SUMMARY_CHARS),
            replaces: self.replaces.unwrap_or_default(),
            forwarded_at: self.forwarded_at.unwrap_or_default(),
        })
    }
}

impl Act {
    fn action(self, warnings: &mut u32) -> RawAction {
        RawAction {
            title: cut(self.title, TITLE_CHARS),
            description: cut(self.description, DESCRIPTION_CHARS),
            canonical_url: cut(self.canonical_url, URL_CHARS),
            raw_url: bare_url(cut(self.raw_url, URL_CHARS)),
            index: self.index.unwrap_or_default(),
            kind: cut(self.kind, KIND_CHARS),
            timestamp_start: self.timestamp_start.unwrap_or_default(),
            timestamp_end: self.timestamp_end.unwrap_or_default(),
            properties: properties(self.properties.as_ref(), warnings),
        }
    }
}

/// An id, if one is there; nothing at all when it is too long to be one.
#[expect(clippy::option_option, reason = "the outer one leaves the message to the tolerant reader")]
fn id(said: Option<String>) -> Option<Option<String>> {
    let long = said.as_ref().is_some_and(|id| id.len() > ID_BYTES);
    (!long).then_some(said)
}

/// The same, and an empty one says nothing.
#[expect(clippy::option_option, reason = "as `id`")]
fn name(said: Option<String>) -> Option<Option<String>> {
    Some(id(said)?.filter(|id| !id.is_empty()))
}

fn word(said: Option<String>) -> Option<String> {
    Some(cut(said, KIND_CHARS)).filter(|word| !word.is_empty())
}

fn cut(said: Option<String>, limit: usize) -> String {
    let mut text = said.unwrap_or_default();
    // So many bytes are no more characters.
    if text.len() > limit {
        text.truncate(first_chars(&text, limit).len());
    }
    text
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}
