//! A PostHog destination's events (contract 2.12) as batches of actions. Each event is one object
//! of thirteen flat members; a body holds one or a list of them. What says nothing about what a
//! person did is dropped and counted, and so is what belongs to no session.

mod address;
mod element;
mod event;
pub mod export;
mod instant;
mod phrase;

pub use instant::seconds;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::action::Batch;
use crate::domain::text::address;
use crate::ingest::posthog::event::{Event, Meaning};
use crate::ingest::wire::ID_BYTES;

/// What a body came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// One per session, by session id; a batch without actions tells only who the person is.
    pub batches: Vec<Batch>,
    /// What is not in them.
    pub dropped: Dropped,
}

/// Events left out, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Nothing a person did: `$pageleave`, `$feature_flag_called`, …
    pub low_signal: u32,
    /// No `session_id`, or one longer than ids may be.
    pub no_session: u32,
    /// Not an object, or without a name.
    pub garbage: u32,
}

/// Why a body is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum PosthogError {
    /// Not JSON at all.
    #[error("the body is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// Neither an event nor a list of them.
    #[error("the body is neither a JSON object nor a list of objects")]
    NoEvents,
}

/// What the raw body of a destination's request tells.
pub fn read(body: &[u8]) -> Result<Intake, PosthogError> {
    let json: Value = serde_json::from_slice(body).map_err(PosthogError::NotJson)?;
    match &json {
        Value::Object(_) => Ok(gather(std::slice::from_ref(&json))),
        Value::Array(events) => Ok(gather(events)),
        _ => Err(PosthogError::NoEvents),
    }
}

fn gather(events: &[Value]) -> Intake {
    let mut sessions: BTreeMap<String, Vec<Batch>> = BTreeMap::new();
    let mut dropped = Dropped::default();
    for json in events {
        match json.as_object().map_or(Fate::Garbage, |members| fate(&Event { members })) {
            Fate::Batch(batch) => {
                let session = batch.session_id.clone().unwrap_or_default();
                sessions.entry(session).or_default().push(*batch);
            }
            Fate::LowSignal => dropped.low_signal += 1,
            Fate::NoSession => dropped.no_session += 1,
            Fate::Garbage => dropped.garbage += 1,
        }
    }
    let merge = |batches: Vec<Batch>| {
        batches.into_iter().reduce(|earlier, later| Batch::merge(earlier, &later))
    };
    Intake { batches: sessions.into_values().filter_map(merge).collect(), dropped }
}

/// What becomes of one event.
enum Fate {
    /// What it tells of its session.
    Batch(Box<Batch>),
    LowSignal,
    NoSession,
    Garbage,
}

fn fate(event: &Event<'_>) -> Fate {
    if event.name().is_empty() {
        return Fate::Garbage;
    }
    let action = match event.meaning() {
        Meaning::Nothing => return Fate::LowSignal,
        Meaning::Identity => None,
        Meaning::Action(action) => Some(*action),
    };
    let session = event.text("session_id");
    if session.is_empty() || session.len() > ID_BYTES {
        return Fate::NoSession;
    }
    Fate::Batch(Box::new(Batch {
        session_id: Some(session),
        user_id: Some(event.text("distinct_id")).filter(|id| is_id(id)),
        email: Some(address(&event.text("email")).into_owned())
            .filter(|email| is_id(email) && email.contains('@')),
        actions: action.into_iter().collect(),
        // A destination sends no time of its own; the event's makes a repeated one known.
        forwarded_at: event.time(),
        ..Batch::default()
    }))
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_BYTES
}

#[cfg(test)]
mod tests;
