//! One entry of a timeline for each thing that can happen, and leaves in their long form.

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

/// Leaves in their long form.
pub(crate) fn long_forms() -> impl Iterator<Item = Value> {
    [
        json!({ "ping_pong": { "times": 2 } }),
        json!({ "dwell": { "at_least": "1s" } }),
        json!({ "idle": { "at_most": "1s" } }),
        json!({ "count": { "type": "click", "where": { "a": { "gt": 1 } } } }),
        json!({ "visits": { "exactly": 2 } }),
        json!({ "errors": { "within": "1m" } }),
        json!({ "rage_clicks": { "within": "1m" } }),
        json!({ "seen": { "trigger": "a", "within": "7d" } }),
        json!({ "sequence": { "of": ["/a"] } }),
        json!({ "query": { "name": "tab" } }),
        json!({ "page_loop": { "within": "1m" } }),
        json!({ "quick_back": { "within": "1m" } }),
        json!({ "dead_click": { "within": "1m" } }),
        json!({ "error_click": { "within": "1m" } }),
        json!({ "form_struggle": { "within": "1m" } }),
        json!({ "scroll_depth": { "at_least": 50 } }),
        json!({ "exit_intent": { "within": "1m" } }),
        json!({ "no_results": { "within": "1m" } }),
        json!({ "first_time": { "of": "click" } }),
        json!({ "title": { "is": "Save" } }),
        json!({ "summary": { "in": ["a"] } }),
        json!({ "age": { "at_least": "1s" } }),
        json!({ "action_count": { "exactly": 2 } }),
        json!({ "distinct_pages": { "at_least": 2 } }),
    ]
    .into_iter()
}
