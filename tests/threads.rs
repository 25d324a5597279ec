//! Offers in chat threads beside the toast's own conversation: each has its machine, and none
//! speaks of another's offer.
#![cfg(test)]

mod common;

use common::{Docent, EAGER, PLAIN};
use serde_json::{Value, json};

/// A poll about a chat thread.
async fn poll(docent: &Docent, session: &str, thread: &str) -> Value {
    let (status, body) =
        docent.get(&format!("/context/acme/{session}?conversation_id={thread}")).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn report(docent: &Docent, thread: &str, event: &str) -> Value {
    docent.post(&format!("/agent_state/acme/{thread}"), json!({ "event": event })).await.1
}

async fn with(settings: &str) -> Docent {
    let docent = Docent::timed(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)]);
    docent.visit("s", &["/a"]).await;
    docent
}

#[tokio::test]
async fn a_thread_whose_offer_lapsed_is_seen_thinking() {
    let docent = with(PLAIN).await;
    let fired = poll(&docent, "s", "dify-7").await;
    assert_eq!(fired["proactive_trigger"]["trigger_id"], "eager");
    docent.advance(60.0).await;
    let later = poll(&docent, "s", "dify-7").await;
    assert_eq!(later["agent_state"], "thinking", "{later}");
    assert_eq!(later["proactive_skip_reason"], "resilience:min_interval");
}

#[tokio::test]
async fn a_chat_in_one_thread_leaves_the_toasts_offer_alone() {
    let docent = with(PLAIN).await;
    poll(&docent, "s", "dify-7").await;
    docent.advance(300.0).await;
    assert_eq!(docent.verdict("s").await, "eager");
    let sent = report(&docent, "dify-7", "user_sent").await;
    assert_eq!(sent["state"], "reactive_assistance");
    let toast = docent.poll("s").await;
    assert_eq!(toast["pending_offer"]["trigger_id"], "eager", "{toast}");
}

#[tokio::test]
async fn a_thread_shows_its_own_offer_and_no_other() {
    let often =
        "version: 1\nproducts:\n  acme: { proactive: { redeliver: true, min_interval: 0s } }\n";
    let rules = EAGER.replace("    when:", "    cooldown: 1s\n    when:");
    let docent = Docent::timed(&[("docent.yaml", often), ("rules/eager.yaml", &rules)]);
    docent.visit("s", &["/a"]).await;
    let own = docent.poll("s").await;
    docent.advance(1.0).await;
    let thread = poll(&docent, "s", "dify-7").await;
    assert_ne!(own["proactive_trigger"]["offer_id"], thread["proactive_trigger"]["offer_id"]);
    let toast = docent.poll("s").await;
    assert_eq!(toast["proactive_trigger"], Value::Null, "the thread's offer, said as the toast's");
    assert_eq!(toast["proactive_skip_reason"], "fsm:wrong_state");
    let dismissed = docent.event("s", "proactive_dismissed").await;
    assert_eq!(dismissed.1, "conservative_assistance");
    let again = poll(&docent, "s", "dify-7").await;
    assert_eq!(again["proactive_trigger"], thread["proactive_trigger"], "still unanswered");
}
