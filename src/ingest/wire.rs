//! One JSON message of an upstream or a push (contract 2.2), read tolerantly: unknown members are
//! ignored, wrong types coerced or defaulted and counted. Only a message that is no object, or
//! that holds an action that is none, is refused.

mod quick;

use serde_json::{Map, Value};

use crate::domain::action::{Batch, Delivery, RawAction, Summary};
use crate::domain::properties::admit;
use crate::domain::text::{address, first_chars};
use crate::domain::traits::{self as known, SEGMENTS};

/// Longest title kept, in Unicode scalar values.
pub const TITLE_CHARS: usize = 512;
/// Longest description kept, in Unicode scalar values.
pub const DESCRIPTION_CHARS: usize = 2_048;
/// Longest URL kept, in Unicode scalar values.
pub const URL_CHARS: usize = 2_048;
/// Longest action type kept, in Unicode scalar values.
pub const KIND_CHARS: usize = 64;
/// Longest summary kept, in Unicode scalar values.
pub const SUMMARY_CHARS: usize = 16_384;
/// Longest id in bytes; a longer one counts as missing, for a cut id may be somebody else's.
pub const ID_BYTES: usize = 512;
/// Most traits kept of one batch.
pub const TRAITS_KEPT: usize = 64;
/// Longest name and longest text of a trait, in Unicode scalar values.
pub const TRAIT_CHARS: usize = 256;

/// A message that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The product that it names, whatever is asked.
    pub product: Option<String>,
    /// What it delivers.
    pub delivery: Delivery,
    /// Members that had to be coerced, defaulted or noted as contradictory.
    pub warnings: u32,
}

/// Why a message is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not JSON at all.
    #[error("the message is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but a list, a number, null, …
    #[error("the message is not a JSON object")]
    NotAnObject,
    /// An element of `actions` is something else than an action.
    #[error("`actions[{0}]` is not an object")]
    ActionNotAnObject(usize),
}

/// What a message delivers; `None` when its `type` is not one we know.
pub fn delivery(json: &Value) -> Result<Option<Delivery>, WireError> {
    Ok(decode(json)?.map(|decoded| decoded.delivery))
}

/// The same from the bytes of a body or frame, with the count of what had to be mended.
pub fn decode_bytes(json: &[u8]) -> Result<Option<Decoded>, WireError> {
    if let Some(usual) = quick::read(json) {
        return Ok(Some(usual));
    }
    decode(&serde_json::from_slice(json).map_err(WireError::NotJson)?)
}

/// The same from parsed JSON.
pub fn decode(json: &Value) -> Result<Option<Decoded>, WireError> {
    let object = json.as_object().ok_or(WireError::NotAnObject)?;
    let mut reader = Reader { object, warnings: 0 };
    let delivery = match object.get("type").and_then(Value::as_str) {
        Some("actions") => Delivery::Actions(reader.batch()?),
        Some("summary") => Delivery::Summary(reader.summary()),
        _ => return Ok(None),
    };
    let product = object.get("product_id").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Decoded { product, delivery, warnings: reader.warnings }))
}

/// Reads the members of one object and counts what it had to mend.
struct Reader<'a> {
    object: &'a Map<String, Value>,
    warnings: u32,
}

impl<'a> Reader<'a> {
    fn batch(&mut self) -> Result<Batch, WireError> {
        let actions = self.actions()?;
        let claimed =
            self.present("count").map(|count| count.as_u64() == Some(actions.len() as u64));
        self.warn_if(claimed == Some(false));
        let mut known = traits(self.present("traits"), &mut self.warnings);
        let segments = segments(self.present("segments"), &mut self.warnings);
        known.extend(segments.map(|segments| (SEGMENTS.to_owned(), segments)));
        Ok(Batch {
            session_id: self.id("session_id").filter(|id| !id.is_empty()),
            user_id: self.id("user_id").filter(|id| !id.is_empty()),
            email: address_of(self.id("email")),
            conversation_id: self.id("conversation_id"),
            actions,
            traits: known,
            account_id: self.id("account_id").filter(|id| !id.is_empty()),
            account_traits: traits(self.present("account_traits"), &mut self.warnings),
            locale: self.word("locale"),
            timezone: self.word("timezone"),
            forwarded_at: self.seconds("forwarded_at"),
        })
    }

    fn summary(&mut self) -> Summary {
        Summary {
            session_id: self.id("session_id").filter(|id| !id.is_empty()),
            text: self.text("summary", SUMMARY_CHARS),
            replaces: self.integer("replaces"),
            forwarded_at: self.seconds("forwarded_at"),
        }
    }

    fn actions(&mut self) -> Result<Vec<RawAction>, WireError> {
        let Some(value) = self.present("actions") else { return Ok(Vec::new()) };
        let Some(elements) = value.as_array() else {
            self.warn_if(true);
            return Ok(Vec::new());
        };
        elements.iter().enumerate().map(|(at, element)| self.action(at, element)).collect()
    }

    fn action(&mut self, at: usize, element: &Value) -> Result<RawAction, WireError> {
        let object = element.as_object().ok_or(WireError::ActionNotAnObject(at))?;
        let mut members = Reader { object, warnings: 0 };
        let action = RawAction {
            title: members.text("title", TITLE_CHARS),
            description: members.text("description", DESCRIPTION_CHARS),
            // As sent, query and all: the SDK's detectors compare it to the letter.
            canonical_url: members.text("canonical_url", URL_CHARS),
            raw_url: bare_url(members.text("raw_url", URL_CHARS)),
            index: members.integer("index"),
            kind: members.text("type", KIND_CHARS),
            timestamp_start: members.seconds("timestamp_start"),
            timestamp_end: members.seconds("timestamp_end"),
            properties: properties(members.present("properties"), &mut members.warnings),
        };
        self.warnings = self.warnings.saturating_add(members.warnings);
        Ok(action)
    }

    /// A short text that says something.
    fn word(&mut self, name: &str) -> Option<String> {
        Some(self.text(name, KIND_CHARS)).filter(|word| !word.is_empty())
    }

    /// A text; numbers and booleans as they are written, anything else empty.
    fn text(&mut self, name: &str, limit: usize) -> String {
        let (text, mended) = match self.present(name) {
            None => return String::new(),
            Some(Value::String(text)) => return first_chars(text, limit).to_owned(),
            Some(Value::Number(number)) => (number.to_string(), true),
            Some(Value::Bool(flag)) => (flag.to_string(), true),
            Some(_) => (String::new(), true),
        };
        self.warn_if(mended);
        text
    }

    /// An id; a number is read as it is written, 0 and anything else is no id.
    fn id(&mut self, name: &str) -> Option<String> {
        let id = match self.present(name)? {
            Value::String(text) if text.len() <= ID_BYTES => return Some(text.clone()),
            Value::Number(number) if number.as_f64() != Some(0.0) => Some(number.to_string()),
            _ => None,
        };
        self.warn_if(true);
        id
    }

    /// Seconds: a number, or one written as text; never NaN, never infinite.
    fn seconds(&mut self, name: &str) -> f64 {
        let Some(value) = self.present(name) else { return 0.0 };
        let as_number = value.as_f64().filter(|number| number.is_finite());
        self.warn_if(as_number.is_none());
        as_number
            .or_else(|| value.as_str()?.trim().parse().ok())
            .filter(|number| number.is_finite())
            .unwrap_or(0.0)
    }

    fn integer(&mut self, name: &str) -> i64 {
        let Some(value) = self.present(name) else { return 0 };
        let integer = value.as_i64();
        self.warn_if(integer.is_none());
        integer.unwrap_or(0)
    }

    /// A member that is there and not null.
    fn present(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn warn_if(&mut self, mended: bool) {
        self.warnings = self.warnings.saturating_add(u32::from(mended));
    }
}

/// An address as it is kept; a blank one says nothing.
fn address_of(said: Option<String>) -> Option<String> {
    said.map(|said| address(&said).into_owned()).filter(|address| !address.is_empty())
}

/// Without query and fragment.
fn bare_url(mut url: String) -> String {
    url.truncate(url.find(['?', '#']).unwrap_or(url.len()));
    url
}

/// Scalars by name; anything else says nothing that a rule could read.
fn traits(said: Option<&Value>, warnings: &mut u32) -> Map<String, Value> {
    let mut traits = Map::new();
    let Some(said) = said else { return traits };
    let members = said.as_object();
    let mut lost = u32::from(members.is_none());
    for (name, value) in members.into_iter().flatten() {
        match value {
            Value::Null => continue,
            Value::Bool(_) | Value::Number(_) | Value::String(_)
                if traits.len() < TRAITS_KEPT && name.len() <= TRAIT_CHARS =>
            {
                traits.insert(name.clone(), bounded(value));
            }
            _ => lost = lost.saturating_add(1),
        }
    }
    *warnings = warnings.saturating_add(lost);
    traits
}

/// The segments that the sender has put the person in; an empty list takes them out of all.
fn segments(said: Option<&Value>, warnings: &mut u32) -> Option<Value> {
    let list = said?.as_array();
    let (segments, less) = list.map_or((None, true), |list| {
        let (segments, less) = known::segments(list);
        (Some(segments), less)
    });
    *warnings = warnings.saturating_add(u32::from(less));
    segments
}

/// Scalars by name, without what says who somebody is.
fn properties(said: Option<&Value>, warnings: &mut u32) -> Map<String, Value> {
    let Some(said) = said else { return Map::new() };
    let members = said.as_object();
    let (told, less) = admit(members.into_iter().flatten());
    *warnings = warnings.saturating_add(u32::from(less || members.is_none()));
    told
}

fn bounded(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(first_chars(text, TRAIT_CHARS).to_owned()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
