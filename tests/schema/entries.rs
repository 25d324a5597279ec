//! One entry of a timeline for each thing that can happen.

use serde_json::{Value, json};

pub(crate) fn entries() -> impl Iterator<Item = Value> {
    [
        json!({ "at": "0s", "page": "/a" }),
        json!({ "at": "0s", "action": "click" }),
        json!({ "at": "0s", "event": "reset" }),
        json!({ "at": "0s", "event": "proactive_snoozed", "for": "1m" }),
        json!({ "at": "0s", "event": "tour_failed" }),
        json!({ "at": "0s", "trait": { "plan": "pro" } }),
        json!({ "at": "0s", "user": "u" }),
        json!({ "at": "0s", "account": "a" }),
        json!({ "at": "0s", "fires": "words" }),
        json!({ "at": "0s", "silent": true }),
    ]
    .into_iter()
}
