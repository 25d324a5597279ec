//! Why a message of a recording tells nothing that can be replayed, said to whoever made it. Live
//! ingestion takes the same messages as they are: it has a clock of its own.

use serde_json::{Map, Value};

use crate::domain::action::{Delivery, RawAction};
use crate::ingest::wire::ID_BYTES;

/// 1 January 2100, in seconds: what counts milliseconds lies far beyond it.
pub const LATEST: f64 = 4_102_444_800.0;

/// Longest part of a wrong text that is shown, in characters.
const SHOWN: usize = 40;

/// The members that tell when an action was.
const ENDS: [&str; 2] = ["timestamp_end", "timestamp_start"];

/// A time that can only have been meant in milliseconds.
pub(super) fn in_milliseconds(delivery: &Delivery) -> Option<String> {
    let said =
        |name: String| Some(format!("`{name}` is in milliseconds; times are seconds since 1970"));
    let (forwarded, actions): (f64, &[RawAction]) = match delivery {
        Delivery::Actions(batch) => (batch.forwarded_at, &batch.actions),
        Delivery::Summary(summary) => (summary.forwarded_at, &[]),
    };
    if forwarded > LATEST {
        return said("forwarded_at".to_owned());
    }
    actions.iter().enumerate().find_map(|(place, action)| {
        let ends = [action.timestamp_end, action.timestamp_start];
        let (name, _) = ENDS.into_iter().zip(ends).find(|(_, seconds)| *seconds > LATEST)?;
        said(format!("actions[{place}].{name}"))
    })
}

/// Why a message has no session.
pub(super) fn without_session(line: &[u8]) -> String {
    let message = members(line);
    match message.get("session_id") {
        None | Some(Value::Null) => "the message has no `session_id`".to_owned(),
        Some(_) => format!("`session_id` is no id: write a text of 1 to {ID_BYTES} bytes"),
    }
}

/// Why nothing says when a message was received.
pub(super) fn without_time(line: &[u8]) -> String {
    let message = members(line);
    let actions = message.get("actions").and_then(Value::as_array).into_iter().flatten();
    let of_actions =
        actions.filter_map(Value::as_object).enumerate().flat_map(|(place, action)| {
            ENDS.map(|name| (format!("actions[{place}].{name}"), action.get(name)))
        });
    let all = std::iter::once(("forwarded_at".to_owned(), message.get("forwarded_at")));
    let mut wrong = all.chain(of_actions).filter_map(|(name, value)| match value? {
        Value::Null | Value::Number(_) => None,
        Value::String(text) => {
            let text: String = text.chars().take(SHOWN).collect();
            Some(format!("`{name}` is the text `{text}`; times are seconds since 1970"))
        }
        _ => Some(format!("`{name}` is no number; times are seconds since 1970")),
    });
    wrong
        .next()
        .unwrap_or_else(|| "neither `forwarded_at` nor an action's time is there".to_owned())
}

fn members(line: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(line).unwrap_or_default()
}
