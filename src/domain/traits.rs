//! Traits: what is known of a person, by name. Scalars, and only so many.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// What is known, by name.
pub type Traits = BTreeMap<Arc<str>, Value>;

/// Names kept; beyond them nothing new is learnt.
pub const KEPT: usize = 64;

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
