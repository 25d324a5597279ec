//! The answer to a poll (contract 2.3.1, and DESIGN.md, section 5, for what is ours).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::machine::AgentState;
use crate::domain::offer::Offer;
use crate::domain::time::{Span, Timestamp};

/// The seeds' clients ask every twenty seconds.
const USUAL: Span = Span::from_seconds(20);
/// Even when nothing can change: settings and rules reload.
const LONGEST: Span = Span::from_seconds(300);
/// Asking more often than this is of no use to a person.
const SHORTEST: Span = Span::from_seconds(1);

/// The answer to `GET /context/{product}/{session}`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Poll)]
pub struct PollBody<'a> {
    /// As asked.
    pub product_id: &'a str,
    /// As asked.
    pub session_id: &'a str,
    /// As asked, else `proactive:{session_id}`.
    pub conversation_id: &'a str,
    /// The machine's state now.
    #[schema(example = "proactive_assistance")]
    pub agent_state: &'static str,
    /// What to show, if anything.
    pub proactive_trigger: Option<OfferBody<'a>>,
    /// Why there is nothing to show; null exactly when there is something.
    #[schema(example = "no_trigger")]
    pub proactive_skip_reason: Option<&'a str>,
    /// The unanswered offer that is the reason for silence.
    pub pending_offer: Option<OfferBody<'a>>,
    /// Asking again sooner than in so many milliseconds cannot matter, unless the person acts.
    pub next_poll_ms: i64,
}

/// An offer, for the screen.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Offer)]
pub struct OfferBody<'a> {
    /// The rule that made it; stable.
    pub trigger_id: &'a str,
    /// At most 150 characters.
    pub body: &'a str,
    /// Accept, then dismiss; never blank.
    #[schema(value_type = Vec<String>)]
    pub reply_option_labels: &'a [Arc<str>],
    /// The language of the body, as BCP 47; absent where the product has one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "nb-NO")]
    pub locale: Option<&'a str>,
    /// This one offer; to be sent back with events about it.
    pub offer_id: &'a str,
    /// Which variant of its rule this is; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<&'a str>,
    /// The tour to start on acceptance.
    pub tour_id: Option<&'a str>,
    /// Unix seconds: unanswered until then, it is gone.
    pub expires_at: f64,
    /// Seconds it waits for an answer, from when it was made.
    pub interaction_timeout_s: f64,
    /// Seconds the trigger rests after this.
    pub cooldown_s: f64,
    /// What a builtin says about its match; never null.
    #[schema(value_type = Object)]
    pub metadata: &'a Map<String, Value>,
}

impl<'a> From<&'a Offer> for OfferBody<'a> {
    fn from(offer: &'a Offer) -> Self {
        Self {
            trigger_id: &offer.trigger,
            body: &offer.body,
            reply_option_labels: &offer.labels,
            locale: offer.locale.as_deref(),
            offer_id: &offer.id,
            variant: offer.variant.as_deref(),
            tour_id: offer.tour.as_deref(),
            expires_at: offer.expires_at.as_seconds(),
            interaction_timeout_s: offer.expires_at.since(offer.made_at).as_seconds(),
            cooldown_s: offer.cooldown.as_seconds(),
            metadata: &offer.metadata,
        }
    }
}

/// Whom a poll asked about, with the conversation filled in where the client named none.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The product.
    pub product: &'a str,
    /// The browser session.
    pub session: &'a str,
    /// The conversation.
    pub conversation: &'a str,
}

impl<'a> PollBody<'a> {
    /// The answer for a decision and its skip reason; `offer` is what it offers (anew or again),
    /// `pending` what it waits for.
    pub fn new(
        asked: Asked<'a>,
        decision: &Decision,
        reason: Option<&'a str>,
        state: AgentState,
        offer: Option<&'a Offer>,
        pending: Option<&'a Offer>,
        now: Timestamp,
    ) -> Self {
        Self {
            product_id: asked.product,
            session_id: asked.session,
            conversation_id: asked.conversation,
            agent_state: state.as_str(),
            proactive_trigger: offer.map(OfferBody::from),
            proactive_skip_reason: reason,
            pending_offer: pending.map(OfferBody::from),
            next_poll_ms: next_poll(decision, now).as_millis(),
        }
    }
}

/// When asking again can matter. Holds that only time lifts are worth waiting for; everything else
/// may change with the person's next action. A verdict of this instant alone (an offer, a builtin's
/// silence, a failed rule) says nothing about the next.
fn next_poll(decision: &Decision, now: Timestamp) -> Span {
    let changes = decision.changes();
    let wait = if changes > now { changes.since(now) } else { USUAL };
    let most = match decision.verdict {
        Verdict::Hold(
            Hold::ScopeInvalid
            | Hold::NotEnabled
            | Hold::ConsentDenied
            | Hold::ConservativeCooldown
            | Hold::CircuitOpen
            | Hold::MinInterval
            | Hold::ProductPerMinute
            | Hold::SessionPerHour
            | Hold::UserPerDay,
        ) => LONGEST,
        _ => USUAL,
    };
    wait.clamp(SHORTEST, most)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::decision::Shadow;
    use crate::domain::offer::Terms;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);
    const ASKED: Asked<'static> =
        Asked { product: "acme", session: "ps_1", conversation: "proactive:ps_1" };

    fn offer() -> Offer {
        let metadata = json!({"matched": ["strict_ping_pong"]});
        Offer {
            id: "of_1".into(),
            trigger: "canonical_url_ping_pong".into(),
            body: "Need my expert help?".into(),
            labels: vec!["Show me how".into(), "No thanks".into()],
            tour: Some("create-project".into()),
            conversation: "proactive:ps_1".into(),
            made_at: NOW,
            expires_at: NOW.plus(Span::from_seconds(60)),
            cooldown: Span::from_seconds(30),
            metadata: metadata.as_object().unwrap().clone(),
            goal: None,
            locale: None,
            variant: None,
            tester: false,
            terms: Terms::default(),
        }
    }

    fn decision(verdict: Verdict, seconds: i64) -> Decision {
        let until = NOW.plus(Span::from_seconds(seconds));
        Decision { verdict, rule: None, cap: None, until, shadow: Shadow::NONE }
    }

    #[test]
    fn an_offer_is_the_seeds_object_and_ours() {
        let (offer, fired) = (offer(), decision(Verdict::Fire(0), 0));
        let state = AgentState::ProactiveAssistance;
        let body = PollBody::new(ASKED, &fired, None, state, Some(&offer), None, NOW);
        let expected = r#"{"product_id":"acme","session_id":"ps_1","conversation_id":"proactive:ps_1","agent_state":"proactive_assistance","proactive_trigger":{"trigger_id":"canonical_url_ping_pong","body":"Need my expert help?","reply_option_labels":["Show me how","No thanks"],"offer_id":"of_1","tour_id":"create-project","expires_at":1760000060.0,"interaction_timeout_s":60.0,"cooldown_s":30.0,"metadata":{"matched":["strict_ping_pong"]}},"proactive_skip_reason":null,"pending_offer":null,"next_poll_ms":20000}"#;
        assert_eq!(serde_json::to_string(&body).unwrap(), expected);
    }

    #[test]
    fn silence_has_a_reason_and_may_point_at_what_is_pending() {
        let offer = offer();
        let held = decision(Verdict::Hold(Hold::WrongState), 12);
        let state = AgentState::ProactiveAssistance;
        let body =
            PollBody::new(ASKED, &held, Some("fsm:wrong_state"), state, None, Some(&offer), NOW);
        let body = serde_json::to_value(&body).unwrap();
        assert_eq!(body["proactive_trigger"], Value::Null);
        assert_eq!(body["proactive_skip_reason"], "fsm:wrong_state");
        assert_eq!(body["pending_offer"]["offer_id"], "of_1");
        assert_eq!(body["next_poll_ms"], 12_000);
    }

    #[test]
    fn the_next_poll_waits_for_what_only_time_can_change() {
        let held = |hold, seconds| next_poll(&decision(Verdict::Hold(hold), seconds), NOW);
        assert_eq!(held(Hold::MinInterval, 240), Span::from_seconds(240));
        assert_eq!(held(Hold::ConservativeCooldown, 9_000), LONGEST);
        assert_eq!(held(Hold::NoTrigger, 9_000), USUAL);
        assert_eq!(held(Hold::NoTrigger, 0), USUAL);
        let soon =
            Decision { until: NOW.plus(Span::from_millis(1)), ..decision(Verdict::Redeliver, 0) };
        assert_eq!(next_poll(&soon, NOW), SHORTEST);
        let forever =
            Decision { until: Timestamp::FOREVER, ..decision(Verdict::Hold(Hold::NotEnabled), 0) };
        assert_eq!(next_poll(&forever, NOW), LONGEST);
    }
}
