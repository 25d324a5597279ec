//! Properties: what a sender tells of one action beyond its words, by name. Scalars, few and
//! short, and none that names a person: what a rule never sees it cannot leak.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::page::without_query;
use crate::domain::text::first_chars;

/// Names kept of one action; the first ones.
pub const KEPT: usize = 16;
/// Longest name, and longest text, in Unicode scalar values. A longer name is not taken, a longer
/// text is cut.
pub const CHARS: usize = 128;

/// What is known of an action, by name. Never empty; shared by actions that tell the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Properties(Box<[(Box<str>, Value)]>);

impl Properties {
    /// Holds what was admitted; `None` when that is nothing.
    pub fn of(told: &Map<String, Value>) -> Option<Self> {
        let pairs = told.iter().map(|(name, value)| (name.as_str().into(), value.clone()));
        Some(Self(pairs.collect())).filter(|properties| !properties.0.is_empty())
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Bytes of its names and texts.
    pub fn bytes(&self) -> usize {
        let text = |value: &Value| value.as_str().map_or(0, str::len);
        self.iter().map(|(name, value)| name.len() + text(value)).sum()
    }
}

/// What of these members may be kept, and whether that is less than was said. A null says nothing.
/// URLs and paths lose query and fragment; a text with an e-mail address in it is not taken.
pub fn admit<'m>(
    said: impl Iterator<Item = (&'m String, &'m Value)>,
) -> (Map<String, Value>, bool) {
    let (mut told, mut less) = (Map::new(), false);
    for (name, value) in said.filter(|(_, value)| !value.is_null()) {
        match admitted(value).filter(|_| told.len() < KEPT && is_name(name)) {
            Some(value) => drop(told.insert(name.clone(), value)),
            None => less = true,
        }
    }
    (told, less)
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().nth(CHARS).is_none()
}

fn admitted(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(text) if names_a_person(text) => None,
        Value::String(text) => {
            let is_place = text.starts_with('/') || text.contains("://");
            let text = if is_place { without_query(text) } else { text };
            Some(first_chars(text, CHARS).into())
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether an e-mail address is in it.
fn names_a_person(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = text.split_at(at);
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%');
        let after = after.trim_start_matches('@');
        let domain = after.find(|c| !is_part(c)).map_or(after, |end| after.split_at(end).0);
        let domain = domain.trim_matches('.');
        before.ends_with(is_part)
            && domain.split_once('.').is_some_and(|(name, _)| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use serde_json::json;

    fn taken(said: Value) -> (Value, bool) {
        let (told, less) = admit(said.as_object().unwrap().iter());
        (Value::Object(told), less)
    }

    #[test]
    fn scalars_are_taken_and_what_says_who_somebody_is_is_not() {
        for (said, told, less) in [
            (json!({"form": "import", "rows": 120}), json!({"form": "import", "rows": 120}), false),
            (json!({"ok": true, "none": null}), json!({"ok": true}), false),
            (json!({"list": [1], "deep": {}, "a": 1}), json!({"a": 1}), true),
            (json!({"to": "ann@acme.test", "cc": "Ann <ann.b+c@acme.co.uk>"}), json!({}), true),
            (
                json!({"at": "@ann", "mention": "a@b", "team": "@acme.test"}),
                json!({"at": "@ann", "mention": "a@b", "team": "@acme.test"}),
                false,
            ),
            (
                json!({"next": "https://a.test/b?token=1#c", "to": "/b?c=d"}),
                json!({"next": "https://a.test/b", "to": "/b"}),
                false,
            ),
            (json!({"why": "really?"}), json!({"why": "really?"}), false),
            (json!({" ": 1}), json!({}), true),
        ] {
            assert_eq!(taken(said.clone()), (told, less), "{said}");
        }
    }

    #[test]
    fn there_is_an_end_to_it() {
        let many: Map<_, _> = (10..40).map(|n| (format!("p{n}"), json!(n))).collect();
        let (told, less) = admit(many.iter());
        assert_eq!((told.len(), less), (KEPT, true));
        let long =
            Map::from_iter([("a".to_owned(), json!("x".repeat(300))), ("b".repeat(129), json!(1))]);
        let (told, less) = admit(long.iter());
        assert_eq!(
            (told, less),
            (Map::from_iter([("a".to_owned(), json!("x".repeat(CHARS)))]), true)
        );
    }

    #[test]
    fn what_tells_nothing_costs_nothing() {
        assert_eq!(Properties::of(&Map::new()), None);
        assert_eq!(size_of::<Option<Arc<Properties>>>(), size_of::<usize>());
        let told = json!({"form": "import", "rows": 120});
        let properties = Properties::of(told.as_object().unwrap()).unwrap();
        assert_eq!(properties.get("rows"), Some(&json!(120)));
        assert_eq!((properties.get("row"), properties.bytes()), (None, 14));
    }
}
