//! One JSON message of an upstream or a push (contract 2.2), read tolerantly: unknown members are
//! ignored, wrong types coerced or defaulted and counted. Only a message that is no object, or
//! that holds an action that is none, is refused.

use serde_json::{Map, Value};

use crate::domain::action::{Batch, Delivery, RawAction, Summary};
use crate::domain::text::first_chars;

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
    Ok(Some(Decoded { delivery, warnings: reader.warnings }))
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
        Ok(Batch {
            session_id: self.id("session_id").filter(|id| !id.is_empty()),
            user_id: self.id("user_id").filter(|id| !id.is_empty()),
            email: self.id("email").filter(|email| !email.is_empty()),
            conversation_id: self.id("conversation_id"),
            actions,
            traits: self.traits(),
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
        let mut raw_url = members.text("raw_url", URL_CHARS);
        raw_url.truncate(raw_url.find(['?', '#']).unwrap_or(raw_url.len()));
        let action = RawAction {
            title: members.text("title", TITLE_CHARS),
            description: members.text("description", DESCRIPTION_CHARS),
            // As sent, query and all: the SDK's detectors compare it to the letter.
            canonical_url: members.text("canonical_url", URL_CHARS),
            raw_url,
            index: members.integer("index"),
            kind: members.text("type", KIND_CHARS),
            timestamp_start: members.seconds("timestamp_start"),
            timestamp_end: members.seconds("timestamp_end"),
        };
        self.warnings = self.warnings.saturating_add(members.warnings);
        Ok(action)
    }

    /// Scalars by name; anything else says nothing that a rule could read.
    fn traits(&mut self) -> Map<String, Value> {
        let Some(value) = self.present("traits") else { return Map::new() };
        let members = value.as_object();
        let mut traits = Map::new();
        for (name, value) in members.into_iter().flatten() {
            match value {
                Value::Null => continue,
                Value::Bool(_) | Value::Number(_) | Value::String(_)
                    if traits.len() < TRAITS_KEPT && name.len() <= TRAIT_CHARS =>
                {
                    traits.insert(name.clone(), bounded(value));
                }
                _ => self.warn_if(true),
            }
        }
        self.warn_if(members.is_none());
        traits
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

fn bounded(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(first_chars(text, TRAIT_CHARS).to_owned()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(json: Value) -> (Batch, u32) {
        match decode(&json).unwrap().unwrap() {
            Decoded { delivery: Delivery::Actions(batch), warnings } => (batch, warnings),
            other => panic!("no batch: {other:?}"),
        }
    }

    fn first(action: Value) -> (RawAction, u32) {
        let (mut batch, warnings) = batch(json!({"type": "actions", "actions": [action]}));
        (batch.actions.remove(0), warnings)
    }

    #[test]
    fn a_full_batch_is_read_without_a_warning() {
        let (batch, warnings) = batch(json!({
            "type": "actions", "product_id": "acme", "session_id": "ps_7", "user_id": "u_1",
            "email": "ann@acme.test", "conversation_id": "c_1", "count": 1, "forwarded_at": 1000.5,
            "traits": {"plan": "pro", "seats": 3, "trial": false},
            "actions": [{
                "title": "Page Load: Invoices", "description": "Opened the invoice list",
                "canonical_url": "https://app.acme.test/invoices?page=2", "index": 4,
                "type": "pageview", "timestamp_start": 999, "timestamp_end": 999.25,
                "raw_url": "https://app.acme.test/invoices?token=x#top", "session_id": "ps_7",
            }],
        }));
        let expected = Batch {
            session_id: Some("ps_7".into()),
            user_id: Some("u_1".into()),
            email: Some("ann@acme.test".into()),
            conversation_id: Some("c_1".into()),
            actions: vec![RawAction {
                title: "Page Load: Invoices".into(),
                description: "Opened the invoice list".into(),
                canonical_url: "https://app.acme.test/invoices?page=2".into(),
                raw_url: "https://app.acme.test/invoices".into(),
                index: 4,
                kind: "pageview".into(),
                timestamp_start: 999.0,
                timestamp_end: 999.25,
            }],
            traits: json!({"plan": "pro", "seats": 3, "trial": false}).as_object().unwrap().clone(),
            forwarded_at: 1000.5,
        };
        assert_eq!((batch, warnings), (expected, 0));
    }

    #[test]
    fn the_type_alone_is_a_valid_empty_batch() {
        assert_eq!(batch(json!({"type": "actions"})), (Batch::default(), 0));
        let nulls = json!({"type": "actions", "session_id": null, "actions": null, "count": null,
            "forwarded_at": null, "traits": null});
        assert_eq!(batch(nulls), (Batch::default(), 0));
    }

    #[test]
    fn unknown_types_deliver_nothing() {
        for json in [
            json!({}),
            json!({"type": "ACTIONS"}),
            json!({"type": "usertour_trigger"}),
            json!({"type": 1, "actions": [5]}),
        ] {
            assert!(decode(&json).unwrap().is_none(), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[]", "null", "5", "\"actions\"", "[{\"type\":\"actions\"}]"] {
            let refused = decode_bytes(text.as_bytes());
            assert!(matches!(refused, Err(WireError::NotAnObject)), "{text}");
        }
        for bytes in [&b""[..], b"{", b"\xff{}", "[".repeat(10_000).as_bytes()] {
            assert!(matches!(decode_bytes(bytes), Err(WireError::NotJson(_))), "{bytes:?}");
        }
        let json = json!({"type": "actions", "actions": [{}, "click"]});
        assert!(matches!(decode(&json), Err(WireError::ActionNotAnObject(1))));
    }

    #[test]
    fn empty_ids_say_nothing_but_an_empty_conversation_is_kept() {
        let ids = json!({"type": "actions", "session_id": "", "user_id": "", "email": "",
            "conversation_id": ""});
        let (batch, warnings) = batch(ids);
        let expected = Batch { conversation_id: Some(String::new()), ..Batch::default() };
        assert_eq!((batch, warnings), (expected, 0));
    }

    #[test]
    fn ids_of_other_types_are_mended() {
        let long = "x".repeat(ID_BYTES + 1);
        for (given, expected) in [
            (json!(42), Some("42")),
            (json!(0), None),
            (json!(true), None),
            (json!(["s"]), None),
            (json!(long), None),
        ] {
            let (batch, warnings) = batch(json!({"type": "actions", "session_id": given}));
            assert_eq!((batch.session_id.as_deref(), warnings), (expected, 1), "{given}");
        }
    }

    #[test]
    fn texts_and_times_of_other_types_are_coerced_or_defaulted() {
        for (given, expected) in [
            (json!(5), "5"),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!(["a"]), ""),
            (json!({}), ""),
        ] {
            let (action, warnings) = first(json!({"title": given}));
            assert_eq!((action.title.as_str(), warnings), (expected, 1), "{given}");
        }
        for (given, expected) in [
            (json!("12.5"), 12.5),
            (json!(" 7 "), 7.0),
            (json!("soon"), 0.0),
            (json!("nan"), 0.0),
            (json!("1e999"), 0.0),
            (json!(true), 0.0),
            (json!([1]), 0.0),
        ] {
            let (action, warnings) = first(json!({"timestamp_start": given}));
            assert_eq!(action.timestamp_start.to_bits(), f64::to_bits(expected), "{given}");
            assert_eq!(warnings, 1, "{given}");
        }
        for given in [json!("3"), json!(2.5), json!(1e300), json!(null)] {
            let (action, _) = first(json!({"index": given}));
            assert_eq!(action.index, 0, "{given}");
        }
    }

    #[test]
    fn a_count_that_disagrees_is_noted_and_actions_of_another_type_are_none() {
        let (batch_a, warnings) = batch(json!({"type": "actions", "actions": [{}], "count": 7}));
        assert_eq!((batch_a.actions.len(), warnings), (1, 1));
        let (batch_b, warnings) = batch(json!({"type": "actions", "actions": "many"}));
        assert_eq!((batch_b.actions.len(), warnings), (0, 1));
    }

    #[test]
    fn traits_are_scalars_and_few() {
        let (batch_a, warnings) =
            batch(json!({"type": "actions", "traits": {"a": 1, "b": null, "c": [1], "d": {}}}));
        assert_eq!((Value::Object(batch_a.traits), warnings), (json!({"a": 1}), 2));
        let many: Map<_, _> = (0..100).map(|n| (format!("t{n}"), json!("x".repeat(999)))).collect();
        let (batch_b, warnings) = batch(json!({"type": "actions", "traits": many}));
        assert_eq!((batch_b.traits.len(), warnings), (TRAITS_KEPT, 36));
        let longest = batch_b.traits.values().map(|v| v.as_str().unwrap().len()).max();
        assert_eq!(longest, Some(TRAIT_CHARS));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let long = "é".repeat(10_000);
        let (action, warnings) = first(json!({"title": long, "description": long,
            "canonical_url": long, "raw_url": long, "type": long}));
        let lengths = [&action.title, &action.description, &action.canonical_url, &action.raw_url]
            .map(|text| text.chars().count());
        assert_eq!(lengths, [TITLE_CHARS, DESCRIPTION_CHARS, URL_CHARS, URL_CHARS]);
        assert_eq!((action.kind.chars().count(), warnings), (KIND_CHARS, 0));
    }

    #[test]
    fn a_summary_is_read_with_the_same_defaults() {
        let full = json!({"type": "summary", "session_id": "s", "summary": "Looked around.",
            "replaces": 12, "forwarded_at": 5.0});
        let expected = Summary {
            session_id: Some("s".into()),
            text: "Looked around.".into(),
            replaces: 12,
            forwarded_at: 5.0,
        };
        assert_eq!(delivery(&full).unwrap(), Some(Delivery::Summary(expected)));
        let bare = json!({"type": "summary"});
        assert_eq!(delivery(&bare).unwrap(), Some(Delivery::Summary(Summary::default())));
    }
}
