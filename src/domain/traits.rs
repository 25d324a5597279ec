//! Traits: what is known of a person, by name. Scalars, and only so many.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// What is known, by name.
pub type Traits = BTreeMap<Arc<str>, Value>;

/// Under this name stands a list of the segments that somebody else has put the person in. Every
/// source that is believed about people can say it, and it is kept, erased and exported with the
/// rest.
pub const SEGMENTS: &str = "segments";
/// Segments of one person that are kept.
pub const SEGMENTS_KEPT: usize = 64;
/// Longest id of a segment.
pub const SEGMENT_CHARS: usize = 128;

/// Names kept; beyond them nothing new is learnt.
pub const KEPT: usize = 64;

/// The list of segments as kept: each text once, so many and no longer ones. The second says whether
/// something was left out.
pub fn segments(said: &[Value]) -> (Value, bool) {
    let mut kept: Vec<&str> = Vec::new();
    for id in said.iter().filter_map(Value::as_str) {
        let fits = !id.is_empty() && id.chars().count() <= SEGMENT_CHARS;
        if fits && kept.len() < SEGMENTS_KEPT && !kept.contains(&id) {
            kept.push(id);
        }
    }
    let less = kept.len() < said.len();
    (kept.into(), less)
}

/// Takes what was said; null forgets. `true` when that was news.
pub fn learn(known: &mut Traits, said: &Map<String, Value>) -> bool {
    let mut news = false;
    for (name, value) in said {
        let held = known.get(&**name);
        match value {
            Value::Null => news |= known.remove(&**name).is_some(),
            _ if held == Some(value) => {}
            _ if held.is_some() || known.len() < KEPT => {
                known.insert(name.as_str().into(), value.clone());
                news = true;
            }
            _ => {}
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_word_counts_null_forgets_and_there_is_an_end() {
        let said = |value: Value| value.as_object().cloned().unwrap();
        let mut known = Traits::new();
        assert!(learn(&mut known, &said(json!({ "plan": "free", "seats": 3 }))));
        assert!(!learn(&mut known, &said(json!({ "plan": "free", "trial": null }))));
        assert!(learn(&mut known, &said(json!({ "plan": "pro", "seats": null }))));
        assert_eq!(known, Traits::from([("plan".into(), json!("pro"))]));
        let many: Map<_, _> = (0..99).map(|n| (format!("t{n}"), json!(n))).collect();
        learn(&mut known, &many);
        assert_eq!(known.len(), KEPT);
        assert!(learn(&mut known, &said(json!({ "plan": "team" }))), "a known name still learns");
    }
}
