//! The walk-throughs of the contract (3.9), over HTTP against the real server on a virtual clock.
#![cfg(test)]

mod common;

use common::{Docent, EAGER, PLAIN};
use serde_json::json;

async fn offered() -> Docent {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
    docent
}

fn state(reason: Option<&str>, state: &str) -> (Option<String>, String) {
    (reason.map(str::to_owned), state.to_owned())
}

const INVALID: Option<&str> = Some("invalid_transition");

#[tokio::test]
async fn a_an_accepted_tour_holds_the_gate_until_it_ends() {
    let docent = offered().await;
    assert_eq!(docent.verdict("s").await, "fsm:wrong_state");
    let accepted = docent.event("s", "proactive_accepted_tour").await;
    assert_eq!(accepted, state(None, "guidance_execution"));
    assert_eq!(docent.verdict("s").await, "fsm:wrong_state");
    assert_eq!(docent.event("s", "user_sent").await, state(INVALID, "guidance_execution"));
    assert_eq!(
        docent.event("s", "bot_response_completed").await,
        state(INVALID, "guidance_execution")
    );
    assert_eq!(docent.verdict("s").await, "fsm:wrong_state");
    assert_eq!(docent.event("s", "tour_completed").await, state(None, "thinking"));
    assert_eq!(docent.verdict("s").await, "resilience:min_interval");
    docent.advance(299.9).await;
    assert_eq!(docent.verdict("s").await, "resilience:min_interval");
    docent.advance(0.1).await;
    assert_eq!(docent.verdict("s").await, "eager");
}

#[tokio::test]
async fn b_an_accepted_chat_is_over_when_the_bot_has_replied() {
    let docent = offered().await;
    let accepted = docent.event("s", "proactive_accepted_chat").await;
    assert_eq!(accepted, state(None, "reactive_assistance"));
    assert_eq!(docent.verdict("s").await, "fsm:wrong_state");
    assert_eq!(docent.event("s", "user_sent").await, state(INVALID, "reactive_assistance"));
    assert_eq!(docent.event("s", "bot_response_completed").await, state(None, "thinking"));
    assert_eq!(docent.verdict("s").await, "resilience:min_interval");
}

#[tokio::test]
async fn c_a_dismissal_is_answered_with_ten_minutes_of_silence() {
    let docent = offered().await;
    let dismissed = docent.event("s", "proactive_dismissed").await;
    assert_eq!(dismissed, state(None, "conservative_assistance"));
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    docent.advance(599.9).await;
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    docent.advance(0.1).await;
    assert_eq!(docent.verdict("s").await, "eager");
}

#[tokio::test]
async fn d_an_ignored_offer_lapses_and_a_late_answer_does_not_count() {
    let docent = offered().await;
    docent.advance(59.9).await;
    assert_eq!(docent.verdict("s").await, "fsm:wrong_state");
    docent.advance(0.1).await;
    assert_eq!(docent.verdict("s").await, "resilience:min_interval");
    assert_eq!(docent.event("s", "proactive_dismissed").await, state(INVALID, "thinking"));
    docent.advance(240.0).await;
    assert_eq!(docent.verdict("s").await, "eager", "a late answer counts as no dismissal");
}

async fn outcomes(docent: &Docent) -> Vec<String> {
    let (_, metrics) = docent.get("/metrics").await;
    let lines = metrics.as_str().unwrap().lines();
    let outcomes = lines.filter_map(|line| line.strip_prefix("docent_outcomes_total{"));
    outcomes.filter_map(|line| line.split("outcome=\"").nth(1)).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_offer_is_counted_as_ignored_once_and_only_where_nobody_answered() {
    let docent = offered().await;
    docent.advance(60.0).await;
    docent.event("s", "proactive_dismissed").await;
    docent.verdict("s").await;
    assert_eq!(outcomes(&docent).await, ["ignored\"} 1"], "also where a late answer came first");

    let docent = offered().await;
    docent.event("s", "proactive_accepted_tour").await;
    docent.advance(1_800.0).await;
    docent.verdict("s").await;
    assert_eq!(outcomes(&docent).await, ["accepted\"} 1"], "a tour that never ended was accepted");
}

#[tokio::test]
async fn e_an_abandoned_tour_counts_as_a_dismissal() {
    let docent = offered().await;
    docent.event("s", "proactive_accepted_tour").await;
    assert_eq!(docent.event("s", "tour_abandoned").await, state(None, "conservative_assistance"));
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    docent.advance(600.0).await;
    assert_eq!(docent.verdict("s").await, "eager");
}

#[tokio::test]
async fn the_third_dismissal_silences_the_session_until_a_reset() {
    let docent = offered().await;
    for wait in [600.0, 900.0] {
        docent.event("s", "proactive_dismissed").await;
        docent.advance(wait - 0.1).await;
        assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
        docent.advance(0.1).await;
        docent.visit("s", &["/a"]).await;
        assert_eq!(docent.verdict("s").await, "eager");
    }
    docent.event("s", "proactive_dismissed").await;
    docent.advance(20.0 * 3_600.0).await;
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    assert_eq!(docent.event("s", "reset").await, state(None, "thinking"));
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
}

#[tokio::test]
async fn our_own_events_snooze_show_and_forgive_a_failed_tour() {
    let docent = offered().await;
    assert_eq!(docent.event("s", "proactive_shown").await, state(None, "proactive_assistance"));
    let (_, body) = docent
        .post(
            "/agent_state/acme/proactive%3As",
            json!({ "event": "proactive_snoozed", "for_s": 900 }),
        )
        .await;
    assert_eq!(body["state"], "thinking");
    docent.advance(300.0).await;
    assert_eq!(docent.verdict("s").await, "trigger_cooldown", "it rests until the snooze is over");
    docent.advance(600.0).await;
    assert_eq!(docent.verdict("s").await, "eager");
    docent.event("s", "proactive_accepted_tour").await;
    let failed = json!({ "event": "tour_failed", "step": 0, "reason": "no such element" });
    let (_, body) = docent.post("/agent_state/acme/proactive%3As", failed).await;
    assert_eq!(body["state"], "thinking");
    docent.advance(300.0).await;
    assert_eq!(docent.verdict("s").await, "eager", "a missing target is no dismissal");
}

#[tokio::test]
async fn an_event_for_another_offer_is_stale() {
    let docent = offered().await;
    let stale = json!({ "event": "proactive_dismissed", "offer_id": "of_of_yesterday" });
    let (status, body) = docent.post("/agent_state/acme/proactive%3As", stale).await;
    assert_eq!((status, body["reason"].as_str()), (200, Some("stale_offer")));
    assert_eq!(body["state"], "proactive_assistance");
}

#[tokio::test]
async fn the_pending_offer_is_named_and_with_redeliver_said_again() {
    let docent = offered().await;
    let silent = docent.poll("s").await;
    assert_eq!(silent["proactive_trigger"], json!(null));
    assert_eq!(silent["pending_offer"]["trigger_id"], "eager");

    let settings = "version: 1\nproducts:\n  acme:\n    proactive: { redeliver: true }\n";
    let docent = Docent::timed(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)]);
    docent.visit("s", &["/a"]).await;
    let first = docent.poll("s").await;
    docent.advance(20.0).await;
    let second = docent.poll("s").await;
    assert_eq!(first["proactive_trigger"], second["proactive_trigger"], "the same object again");
    assert_eq!(second["proactive_skip_reason"], json!(null));
    docent.event("s", "proactive_dismissed").await;
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
}

#[tokio::test]
async fn a_real_chat_thread_has_a_machine_of_its_own() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    docent.visit("s", &["/a"]).await;
    let (_, body) = docent.post("/agent_state/acme/dify-7", json!({ "event": "user_sent" })).await;
    assert_eq!(body["state"], "reactive_assistance");
    let (_, body) = docent.get("/context/acme/s?conversation_id=dify-7").await;
    assert_eq!(body["proactive_skip_reason"], "fsm:wrong_state");
    assert_eq!(docent.verdict("s").await, "eager", "the toast is not blocked by it");
}
