//! "Don't show me help again": heard at once, in every session of the person, for good.
#![cfg(test)]

mod common;

use common::{Docent, EAGER, PLAIN};
use serde_json::{Value, json};

const EAGERLY: &[(&str, &str)] = &[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)];
const TIMED: &[&str] = &["--virtual-clock", "--listen", "127.0.0.1:0"];
const OUT: &str = "proactive_opted_out";
const BACK: &str = "proactive_opted_in";

async fn arrive(docent: &Docent, session: &str, user: Option<&str>) -> String {
    let batch = json!({ "type": "actions", "session_id": session, "user_id": user,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    docent.verdict(session).await
}

#[tokio::test]
async fn an_offer_on_the_screen_is_over_and_none_follows() {
    let docent = Docent::timed(EAGERLY);
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
    assert_eq!(docent.event("s", OUT).await, (None, "thinking".to_owned()));
    for seconds in [0.0, 3_600.0, 86_000.0] {
        docent.advance(seconds).await;
        docent.visit("s", &["/a", "/b"]).await;
        let polled = docent.poll("s").await;
        assert_eq!(polled["proactive_skip_reason"], "consent:denied");
        assert_eq!(polled["pending_offer"], Value::Null);
    }
    docent.visit("other", &["/a"]).await;
    assert_eq!(docent.verdict("other").await, "eager", "somebody else");
    assert_eq!(docent.event("s", BACK).await.0, None);
    assert_eq!(docent.verdict("s").await, "eager");
}

#[tokio::test]
async fn it_is_heard_in_sessions_that_are_open_and_in_those_to_come() {
    let redelivers = "version: 1\nproducts:\n  acme: { proactive: { redeliver: true } }\n";
    for settings in [PLAIN, redelivers] {
        let docent = Docent::timed(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)]);
        assert_eq!(arrive(&docent, "open", Some("ada")).await, "eager");
        assert_eq!(arrive(&docent, "one", Some("ada")).await, "eager");
        docent.event("one", OUT).await;
        let polled = docent.poll("open").await;
        let told = (&polled["proactive_skip_reason"], &polled["pending_offer"]);
        assert_eq!(told, (&json!("consent:denied"), &Value::Null), "{settings}");
        assert_eq!(polled["proactive_trigger"], Value::Null, "{settings}");
        docent.advance(86_400.0).await;
        assert_eq!(arrive(&docent, "next", Some("ada")).await, "consent:denied");
        assert_eq!(arrive(&docent, "grace", Some("grace")).await, "eager", "somebody else");
        // Taken back in a third session: all of them hear of it.
        docent.event("next", BACK).await;
        assert_eq!(docent.verdict("next").await, "eager");
        docent.visit("one", &["/a"]).await;
        assert_eq!(docent.verdict("one").await, "eager");
    }
}

/// Takes what a trusted source says of somebody, without anything that they did.
async fn introduce(docent: &Docent, session: &str, user: Option<&str>, email: Option<&str>) {
    let batch = json!({ "type": "actions", "session_id": session, "user_id": user, "email": email,
        "actions": [] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
}

#[tokio::test]
async fn it_reaches_every_name_that_the_person_is_known_by() {
    let docent = Docent::timed(EAGERLY);
    let address = Some("Ada@b.example");
    introduce(&docent, "both", Some("ada"), address).await;
    // This one learns the address only after the word was said.
    introduce(&docent, "later", Some("eve"), None).await;
    for session in ["both", "later"] {
        docent.event(session, OUT).await;
    }
    introduce(&docent, "later", None, Some("eve@b.example")).await;
    for (session, email) in [("one", "ada@b.example"), ("two", "EVE@b.example")] {
        introduce(&docent, session, None, Some(email)).await;
        docent.visit(session, &["/a"]).await;
        assert_eq!(docent.verdict(session).await, "consent:denied", "{email}");
    }
    introduce(&docent, "other", None, Some("grace@b.example")).await;
    docent.visit("other", &["/a"]).await;
    assert_eq!(docent.verdict("other").await, "eager", "somebody else");
    let docent = docent.again(TIMED);
    introduce(&docent, "three", None, address).await;
    docent.visit("three", &["/a"]).await;
    assert_eq!(docent.verdict("three").await, "consent:denied");
    docent.event("both", BACK).await;
    assert_eq!(docent.verdict("three").await, "eager", "taken back for all of them");
    assert_eq!(docent.verdict("two").await, "consent:denied");
}

#[tokio::test]
async fn an_explanation_comes_to_what_the_poll_says() {
    let docent = Docent::timed(EAGERLY);
    arrive(&docent, "one", Some("ada")).await;
    docent.event("one", OUT).await;
    for erased in [false, true] {
        if erased {
            let path = "/admin/users/acme/ada";
            assert_eq!(common::answer(docent.request("DELETE", path)).await.0, 200);
        }
        let quiet = format!("quiet {erased}");
        introduce(&docent, &quiet, Some("ada"), None).await;
        for (visits, verdict) in [(0, "no_trigger"), (1, "consent:denied")] {
            docent.visit(&quiet, &["/a"][..visits]).await;
            assert_eq!(docent.verdict(&quiet).await, verdict);
            let path = format!("/context/acme/{quiet}?explain=1").replace(' ', "%20");
            let told = docent.get(&path).await.1;
            assert_eq!(told["verdict"], verdict, "{told}");
            let gate = &told["gates"][2];
            assert_eq!(gate["hold"], "consent:denied", "{told}");
            assert_eq!(gate["note"].is_string(), visits == 0, "{told}");
        }
    }
}

#[tokio::test]
async fn what_somebody_unknown_said_is_theirs_once_they_are_known() {
    let docent = Docent::timed(EAGERLY);
    assert_eq!(docent.event("before", OUT).await.0, None, "before anything else is known");
    assert_eq!(arrive(&docent, "before", None).await, "consent:denied");
    assert_eq!(arrive(&docent, "before", Some("ada")).await, "consent:denied");
    assert_eq!(arrive(&docent, "after", Some("ada")).await, "consent:denied");
}

#[tokio::test]
async fn it_counts_whatever_is_going_on_and_whichever_offer_it_names() {
    let docent = Docent::timed(EAGERLY);
    let path = "/agent_state/acme/proactive%3As";
    docent.event("s", "user_sent").await;
    let body = json!({ "event": OUT, "offer_id": "of_long_gone" });
    let (status, told) = docent.post(path, body).await;
    let expected = (200, &json!(true), &json!("reactive_assistance"));
    assert_eq!((status, &told["transitioned"], &told["state"]), expected, "{told}");
    docent.event("s", "bot_response_completed").await;
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "consent:denied");
    docent.event("s", "reset").await;
    assert_eq!(docent.verdict("s").await, "consent:denied", "a reset is no consent");
}

#[tokio::test]
async fn a_chat_thread_speaks_for_its_session_and_one_of_nobody_for_nobody() {
    let docent = Docent::timed(EAGERLY);
    assert_eq!(
        docent.post("/agent_state/acme/chat", json!({ "event": OUT })).await.1["reason"],
        "unknown_session"
    );
    docent.visit("s", &["/a"]).await;
    let polled = docent.get("/context/acme/s?conversation_id=chat").await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "eager", "{polled}");
    let told = docent.post("/agent_state/acme/chat", json!({ "event": OUT })).await.1;
    assert_eq!((&told["reason"], &told["state"]), (&Value::Null, &json!("thinking")));
    assert_eq!(docent.verdict("s").await, "consent:denied");
}

#[tokio::test]
async fn testers_are_heard_too_and_an_explanation_shows_the_gate() {
    let testers = "version: 1\nproducts:\n  acme: { testers: [ada] }\n";
    let docent = Docent::timed(&[("docent.yaml", testers), ("rules/eager.yaml", EAGER)]);
    arrive(&docent, "one", Some("ada")).await;
    docent.event("one", OUT).await;
    assert_eq!(arrive(&docent, "two", Some("ada")).await, "consent:denied");
    let told = docent.get("/context/acme/two?explain=1").await.1;
    let gate = &told["gates"][2];
    assert_eq!(told["verdict"], "consent:denied");
    assert_eq!((&gate["gate"], &gate["hold"]), (&json!("consent"), &json!("consent:denied")));
}

#[tokio::test]
async fn it_outlives_a_restart() {
    let docent = Docent::timed(EAGERLY);
    arrive(&docent, "one", Some("ada")).await;
    docent.event("one", OUT).await;
    docent.event("nobody", OUT).await;
    let docent = docent.again(TIMED);
    assert_eq!(arrive(&docent, "two", Some("ada")).await, "consent:denied");
    assert_eq!(arrive(&docent, "nobody", None).await, "consent:denied");
    let metrics = docent.get("/metrics").await.1;
    assert!(metrics.as_str().unwrap().contains("consent:denied"), "{metrics}");
}
