//! One event: its members, and the action it stands for.

use serde_json::{Map, Value};

use crate::domain::action::RawAction;
use crate::domain::properties::admit;
use crate::domain::text::{first_chars, strip};
use crate::ingest::posthog::phrase::{Deed, deed};
use crate::ingest::posthog::{address, instant};
use crate::ingest::wire::{DESCRIPTION_CHARS, KIND_CHARS, TITLE_CHARS, URL_CHARS};

/// Events that say who somebody is, and nothing of what they did.
const IDENTITY: [&str; 5] = ["$identify", "$set", "$set_once", "$create_alias", "$groupidentify"];

/// What an event comes to.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Something a person did.
    Action(Box<RawAction>),
    /// Who somebody is.
    Identity,
    /// Nothing that helps to decide.
    Nothing,
}

/// An event's members, as the destination's template names them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    pub(super) members: &'a Map<String, Value>,
}

impl<'a> Event<'a> {
    /// `$pageview`, `$autocapture`, `project created`; empty when missing.
    pub(super) fn name(&self) -> &'a str {
        strip(self.members.get("event").and_then(Value::as_str).unwrap_or(""))
    }

    /// A member as text without white space around it; empty when it is null, missing or a list.
    pub(super) fn text(&self, name: &str) -> String {
        match self.members.get(name) {
            Some(Value::String(text)) => strip(text).to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// Unix seconds; 0 when missing or unreadable.
    pub(super) fn time(&self) -> f64 {
        self.members.get("timestamp").and_then(instant::seconds).unwrap_or(0.0)
    }

    pub(super) fn meaning(&self) -> Meaning {
        if IDENTITY.contains(&self.name()) {
            return Meaning::Identity;
        }
        match deed(self) {
            Some(deed) => Meaning::Action(Box::new(self.action(deed))),
            None => Meaning::Nothing,
        }
    }

    /// The event's own properties; those that PostHog adds start with `$`.
    fn properties(&self) -> Map<String, Value> {
        let members = self.members.get("properties").and_then(Value::as_object);
        let own = members.into_iter().flatten().filter(|(name, _)| !name.starts_with('$'));
        admit(own).0
    }

    fn action(&self, deed: Deed) -> RawAction {
        let url = self.text("current_url");
        let (start, end) = (self.time(), self.time());
        RawAction {
            title: first_chars(&deed.title, TITLE_CHARS).to_owned(),
            description: first_chars(&deed.description, DESCRIPTION_CHARS).to_owned(),
            canonical_url: first_chars(&address::canonical(&url), URL_CHARS).to_owned(),
            raw_url: first_chars(&address::bare(&url), URL_CHARS).to_owned(),
            index: 0,
            kind: first_chars(&deed.kind, KIND_CHARS).to_owned(),
            timestamp_start: start,
            timestamp_end: end,
            properties: self.properties(),
        }
    }
}
