//! `POST /agent_state/{product}/{conversation}`: an event in, what it came to out (contract 2.4).

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::machine::{AgentEvent, AgentState};
use crate::domain::text::first_chars;
use crate::domain::time::Span;
use crate::http::body::json;
use crate::http::error::ApiError;
use crate::http::path::LONGEST_ID;
use crate::rulebook::suggest::nearest;

/// A tour runner's reason is kept to so many characters.
const LONGEST_REASON: usize = 200;

/// What a front end reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What happened.
    pub event: AgentEvent,
    /// The offer it is about, where the client says.
    pub offer_id: Option<String>,
}

/// The request as documented; it is read more leniently, see [`report`].
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AgentEvent)]
pub struct ReportBody {
    /// One of the events' names.
    #[schema(example = "proactive_dismissed")]
    pub event: String,
    /// The offer it is about; one that is not current is answered `stale_offer`.
    pub offer_id: Option<String>,
    /// With `proactive_snoozed`: seconds until the trigger may come again; its own `snooze.default`,
    /// else an hour, when absent.
    #[schema(minimum = 0)]
    pub for_s: Option<f64>,
    /// With `tour_failed`: the step, from zero.
    pub step: Option<u32>,
    /// With `tour_failed`: the runner's own words.
    pub reason: Option<String>,
}

/// What an event came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AgentEventResult)]
pub struct ReportedBody {
    /// The event was understood.
    pub ok: bool,
    /// Its name.
    pub event: &'static str,
    /// Whether it counted.
    pub transitioned: bool,
    /// The state before.
    pub from_state: &'static str,
    /// The state now.
    pub state: &'static str,
    /// Why it did not count: `invalid_transition`, `stale_offer` or `unknown_session`.
    pub reason: Option<&'static str>,
}

impl ReportedBody {
    /// The answer to an event that led from one state to another, or was not heard for a reason.
    pub const fn new(
        event: &AgentEvent,
        from: AgentState,
        to: AgentState,
        reason: Option<&'static str>,
    ) -> Self {
        Self {
            ok: true,
            event: event.name(),
            transitioned: reason.is_none(),
            from_state: from.as_str(),
            state: to.as_str(),
            reason,
        }
    }
}

/// Reads a body, whatever content type it was sent as (beacons send text). Members that are not
/// ours are ignored; 422 for everything else that is wrong.
pub fn report(body: &[u8]) -> Result<Reported, ApiError> {
    let Value::Object(members) = json(body)? else {
        return Err(ApiError::unprocessable("the body is not an object"));
    };
    let Some(name) = members.get("event").and_then(Value::as_str) else {
        return Err(ApiError::unprocessable("`event` is missing or not a string"));
    };
    let offer_id = match members.get("offer_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) if id.len() <= LONGEST_ID => Some(id.clone()),
        Some(_) => return Err(ApiError::unprocessable("`offer_id` is not an id")),
    };
    Ok(Reported { event: event(name, &members)?, offer_id })
}

fn event(name: &str, members: &Map<String, Value>) -> Result<AgentEvent, ApiError> {
    Ok(match name {
        "user_sent" => AgentEvent::UserSent,
        "bot_response_completed" => AgentEvent::BotResponseCompleted,
        "proactive_shown" => AgentEvent::ProactiveShown,
        "proactive_dismissed" => AgentEvent::ProactiveDismissed,
        "proactive_snoozed" => AgentEvent::ProactiveSnoozed { rest: rest(members)? },
        "proactive_accepted_chat" => AgentEvent::ProactiveAcceptedChat,
        "proactive_accepted_tour" => AgentEvent::ProactiveAcceptedTour,
        "tour_completed" => AgentEvent::TourCompleted,
        "tour_abandoned" => AgentEvent::TourAbandoned,
        "tour_failed" => AgentEvent::TourFailed { step: step(members), reason: reason(members) },
        "proactive_opted_out" => AgentEvent::ProactiveOptedOut,
        "proactive_opted_in" => AgentEvent::ProactiveOptedIn,
        "reset" => AgentEvent::Reset,
        unknown => return Err(unknown_event(unknown)),
    })
}

fn rest(members: &Map<String, Value>) -> Result<Option<Span>, ApiError> {
    let Some(said) = members.get("for_s").filter(|said| !said.is_null()) else { return Ok(None) };
    let seconds = said.as_f64().filter(|seconds| *seconds >= 0.0);
    let seconds =
        seconds.ok_or_else(|| ApiError::unprocessable("`for_s` is not a number of seconds"))?;
    // A cast from float saturates, so an absurd wish becomes a very long one.
    Ok(Some(Span::from_millis((seconds * 1_000.0).round() as i64)))
}

fn step(members: &Map<String, Value>) -> Option<u32> {
    members.get("step")?.as_u64()?.try_into().ok()
}

fn reason(members: &Map<String, Value>) -> Option<String> {
    Some(first_chars(members.get("reason")?.as_str()?, LONGEST_REASON).to_owned())
}

fn unknown_event(name: &str) -> ApiError {
    let shown = first_chars(name, 64);
    let nearest = nearest(&shown.to_lowercase(), AgentEvent::NAMES);
    let help = nearest.map_or_else(String::new, |known| format!(", did you mean `{known}`?"));
    ApiError::unprocessable(format!("unknown event `{shown}`{help}"))
        .with("reason", "unknown_event")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<AgentEvent, u16> {
        report(body.as_bytes()).map(|read| read.event).map_err(|error| error.status.as_u16())
    }

    #[test]
    fn every_event_of_the_table_is_read_by_its_name() {
        for name in AgentEvent::NAMES {
            let body = format!(r#"{{"event":"{name}","for_s":1.5,"flow_id":"x","trigger_id":7}}"#);
            assert_eq!(read(&body).map(|event| event.name()), Ok(name));
        }
        let snoozed = AgentEvent::ProactiveSnoozed { rest: Some(Span::from_millis(1_500)) };
        assert_eq!(read(r#"{"event":"proactive_snoozed","for_s":1.5}"#), Ok(snoozed));
        let failed = AgentEvent::TourFailed { step: Some(2), reason: Some("no target".into()) };
        assert_eq!(read(r#"{"event":"tour_failed","step":2,"reason":"no target"}"#), Ok(failed));
        let vague = AgentEvent::TourFailed { step: None, reason: None };
        assert_eq!(read(r#"{"event":"tour_failed","step":-1,"reason":7}"#), Ok(vague));
        let unsaid = AgentEvent::ProactiveSnoozed { rest: None };
        assert_eq!(read(r#"{"event":"proactive_snoozed"}"#), Ok(unsaid));
        let forever = AgentEvent::ProactiveSnoozed { rest: Some(Span::FOREVER) };
        assert_eq!(read(r#"{"event":"proactive_snoozed","for_s":1e300}"#), Ok(forever));
    }

    #[test]
    fn what_is_no_event_is_unprocessable() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "{\"event\"",
            r#"{"event":5}"#,
            r#"{"event":"Reset"}"#,
            r#"{"event":" reset"}"#,
            r#"{"event":"proactive_snoozed","for_s":-1}"#,
            r#"{"event":"proactive_snoozed","for_s":"60"}"#,
            r#"{"event":"reset","offer_id":5}"#,
        ] {
            assert_eq!(read(body), Err(422), "{body}");
        }
    }

    #[test]
    fn an_unknown_event_says_which_was_meant() {
        let error = report(br#"{"event":"proactive_dismised"}"#).unwrap_err();
        assert!(error.detail.contains("did you mean `proactive_dismissed`"), "{}", error.detail);
        assert_eq!(error.extra["reason"], "unknown_event");
        let error = report(br#"{"event":"frobnicate"}"#).unwrap_err();
        assert!(!error.detail.contains("did you mean"), "{}", error.detail);
    }

    #[test]
    fn an_offer_may_be_named() {
        let named = report(br#"{"event":"reset","offer_id":"of_1"}"#).unwrap();
        assert_eq!(named.offer_id.as_deref(), Some("of_1"));
        assert_eq!(report(br#"{"event":"reset","offer_id":null}"#).unwrap().offer_id, None);
    }

    #[test]
    fn the_answer_tells_whether_it_counted() {
        let (from, to) = (AgentState::GuidanceExecution, AgentState::Thinking);
        let counted = ReportedBody::new(&AgentEvent::Reset, from, to, None);
        assert_eq!(
            serde_json::to_string(&counted).unwrap(),
            r#"{"ok":true,"event":"reset","transitioned":true,"from_state":"guidance_execution","state":"thinking","reason":null}"#
        );
        let unheard = ReportedBody::new(&AgentEvent::UserSent, to, to, Some("invalid_transition"));
        assert!(!unheard.transitioned);
    }
}
