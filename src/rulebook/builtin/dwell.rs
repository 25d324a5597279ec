//! `user_page_dwell`: somebody lingers on one URL and does little (contract 4.3).

use serde_json::{Map, Value, json};

use crate::domain::action::Action;
use crate::domain::text::{cap_body, first_chars, strip};
use crate::rulebook::builtin::Hit;
use crate::rulebook::builtin::params::{float, int};

/// The SDK's words.
pub const BODY: &str = "Still on this page — want a quick tip?";
/// Seconds (SDK 0.13.0).
const THRESHOLD: f64 = 60.0;
/// Actions on the URL (SDK 0.13.0).
const MAX_ACTIONS: i64 = 5;
/// Characters of the URL that the metadata keep (SDK 0.13.0).
const URL_CHARS: usize = 512;

/// The detector's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPageDwell {
    /// `dwell_threshold_seconds`; zero or less never fires.
    pub threshold_s: f64,
    /// `user_page_dwell_max_actions`: more actions than this are no lingering.
    pub max_actions: i64,
    /// `dwell_proactive_body`: stripped and at most 150 characters, never blank.
    pub body: String,
}

impl UserPageDwell {
    /// Takes the SDK's names and coercions: an absent, null or unreadable value is the default.
    pub fn from_params(params: &Map<String, Value>) -> Self {
        let text = params.get("dwell_proactive_body").and_then(Value::as_str).map(strip);
        let max = params.get("user_page_dwell_max_actions").and_then(int);
        let threshold = params.get("dwell_threshold_seconds").and_then(float);
        Self {
            threshold_s: threshold.unwrap_or(THRESHOLD),
            max_actions: max.filter(|max| *max > 0).unwrap_or(MAX_ACTIONS),
            body: cap_body(text.filter(|text| !text.is_empty()).unwrap_or(BODY)).to_owned(),
        }
    }

    /// Looks at the newest run of actions on one URL; `now` in Unix seconds.
    pub fn detect(&self, actions: &[&Action], now: f64) -> Option<Hit> {
        let last = actions.last()?;
        let here = strip(&last.url);
        let run = actions.iter().rev().take_while(|action| strip(&action.url) == here);
        let (mut count, mut first) = (0_i64, last);
        for action in run {
            (count, first) = (count + 1, action);
        }
        if self.threshold_s <= 0.0 || here.is_empty() || count > self.max_actions {
            return None;
        }
        let span = last.ended - first.started;
        let elapsed = if span <= 0.0 && count == 1 { now - first.started } else { span };
        let seconds = elapsed.max(0.0);
        if seconds < self.threshold_s {
            return None;
        }
        let metadata = json!({
            "user_page_dwell_seconds": round3(seconds),
            "user_page_dwell_action_count": count,
            "user_page_dwell_max_actions": self.max_actions,
            "dwell_threshold_seconds": self.threshold_s,
            "user_page_dwell_canonical_url": first_chars(&last.url, URL_CHARS),
        });
        let metadata = metadata.as_object().cloned().unwrap_or_default();
        Some(Hit { body: self.body.clone(), labels: Vec::new(), metadata })
    }
}

/// Three decimals, decided on the exact binary value.
fn round3(number: f64) -> f64 {
    format!("{number:.3}").parse().unwrap_or(number)
}
