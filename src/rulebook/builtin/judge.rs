//! A judge's reply (contract 4.8): what a model answers when it is asked whether now is the moment.
//! It lives beside the builtins because it is the SDK's format, read exactly as the SDK reads it.

use serde_json::{Map, Value};

use crate::domain::text::{cap_body, strip};

const SCHEMA_VERSION: &str = "1.0";
const INTENTS: [&str; 3] = ["assist", "coaching_tip", "none"];

/// A reply as read; whatever is missing or unreadable counts as a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeReply {
    /// `1.0` unless the model says otherwise.
    pub schema_version: String,
    /// Whether to speak at all.
    pub send: bool,
    /// Whether now is the moment.
    pub proactive_valid_timing: bool,
    /// What to say, stripped.
    pub short_user_message: String,
    /// Why, in the model's words or ours.
    pub reasoning: String,
    /// `assist`, `coaching_tip` or `none`.
    pub proactive_intent: &'static str,
}

impl Default for JudgeReply {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            send: false,
            proactive_valid_timing: false,
            short_user_message: String::new(),
            reasoning: String::new(),
            proactive_intent: "none",
        }
    }
}

impl JudgeReply {
    /// Reads a model's text, in a fenced block or not; anything at all is a reply.
    pub fn parse(raw: &str) -> Self {
        let text = unfenced(strip(raw));
        if text.is_empty() {
            return Self::default();
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(reply)) => Self::from_object(&reply),
            Ok(_) => Self::unreadable("judge_payload_not_object"),
            Err(_) => Self::unreadable("invalid_json_from_model"),
        }
    }

    /// What to say, at most 150 characters, when the judge lets the offer through.
    pub fn delivery(&self) -> Option<&str> {
        let message = cap_body(&self.short_user_message);
        (self.send && self.proactive_valid_timing && !message.is_empty()).then_some(message)
    }

    fn unreadable(reasoning: &str) -> Self {
        Self { reasoning: reasoning.to_owned(), ..Self::default() }
    }

    fn from_object(reply: &Map<String, Value>) -> Self {
        let flag = |key: &str| reply.get(key) == Some(&Value::Bool(true));
        let text = |key: &str| reply.get(key).map(said).unwrap_or_default();
        let intent = text("proactive_intent");
        let version = text("schema_version");
        let messages = ["short_user_message", "what_to_send", "body"];
        let message = messages.into_iter().map(text).find(|message| !message.is_empty());
        Self {
            schema_version: if version.is_empty() { SCHEMA_VERSION.to_owned() } else { version },
            send: flag("send"),
            proactive_valid_timing: flag("proactive_valid_timing"),
            short_user_message: message.unwrap_or_default(),
            reasoning: text("reasoning"),
            proactive_intent: INTENTS.into_iter().find(|known| *known == intent).unwrap_or("none"),
        }
    }
}

/// The text inside an opening fence at the very start and a closing one at the very end.
fn unfenced(text: &str) -> &str {
    const FENCE: &str = "```";
    let Some(inside) = text.strip_prefix(FENCE) else { return text };
    let named = inside.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("json"));
    let inside = if named { inside.get(4..).unwrap_or_default() } else { inside };
    strip(inside.strip_suffix(FENCE).unwrap_or(inside))
}

/// A scalar as text, stripped; what is empty or null says nothing.
fn said(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::String(text) => strip(text).to_owned(),
        Value::Number(number) if number.as_f64() == Some(0.0) => String::new(),
        other => other.to_string(),
    }
}
