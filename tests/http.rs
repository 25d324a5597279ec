//! The surface under good and bad input, against the real server.
#![cfg(test)]

mod common;

use common::{Docent, EAGER, PLAIN, answer};
use serde_json::{Value, json};

fn plain() -> Docent {
    Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)])
}

#[tokio::test]
async fn a_poll_carries_the_members_of_the_contract() {
    let docent = plain();
    let silent = docent.poll("s").await;
    assert_eq!(silent["proactive_trigger"], Value::Null);
    assert_eq!(silent["proactive_skip_reason"], "no_trigger");
    docent.visit("s", &["/a"]).await;
    let fired = docent.poll("s").await;
    assert_eq!(fired["product_id"], "acme");
    assert_eq!(fired["session_id"], "s");
    assert_eq!(fired["conversation_id"], "proactive:s");
    assert_eq!(fired["agent_state"], "proactive_assistance");
    assert_eq!(fired["proactive_skip_reason"], Value::Null);
    let trigger = &fired["proactive_trigger"];
    assert_eq!(trigger["trigger_id"], "eager");
    assert_eq!(trigger["body"], "Need a hand?");
    assert_eq!(trigger["reply_option_labels"], json!(["Show me how", "No thanks"]));
    assert_eq!(trigger["metadata"], json!({}));
    assert_eq!(
        (&trigger["interaction_timeout_s"], &trigger["cooldown_s"]),
        (&json!(60.0), &json!(30.0))
    );
    assert!(trigger["offer_id"].as_str().unwrap().starts_with("of_"));
}

#[tokio::test]
async fn simultaneous_polls_yield_exactly_one_offer() {
    let docent = plain();
    for round in 0..20 {
        let session = format!("s{round}");
        docent.visit(&session, &["/a"]).await;
        let polls = (0..8).map(|_| docent.verdict(&session));
        let verdicts = futures_util::future::join_all(polls).await;
        let offers = verdicts.iter().filter(|verdict| *verdict == "eager").count();
        assert_eq!(offers, 1, "{verdicts:?}");
        assert!(verdicts.iter().all(|verdict| verdict == "eager" || verdict == "fsm:wrong_state"));
    }
}

#[tokio::test]
async fn only_a_get_fires() {
    let docent = plain();
    docent.visit("s", &["/a"]).await;
    for method in ["HEAD", "OPTIONS", "POST"] {
        let (status, _) = answer(docent.request(method, "/context/acme/s")).await;
        assert_eq!(
            status,
            if method == "POST" {
                405
            } else if method == "HEAD" {
                200
            } else {
                204
            }
        );
    }
    assert_eq!(docent.verdict("s").await, "eager");
}

#[tokio::test]
async fn path_parameters_are_decoded_exactly_once() {
    let docent = plain();
    docent.visit("3350%3A822", &["/a"]).await;
    let (_, body) = docent.get("/context/acme/3350%253A822").await;
    assert_eq!(body["session_id"], "3350%3A822");
    assert_eq!(body["proactive_trigger"]["trigger_id"], "eager");
    let (_, body) = docent
        .post(
            "/agent_state/acme/proactive%3A3350%253A822",
            json!({ "event": "proactive_dismissed" }),
        )
        .await;
    assert_eq!(body["state"], "conservative_assistance");
    let (status, body) = docent.get("/context/acme/%ff").await;
    assert_eq!(status, 400, "{body}");
    assert!(body["detail"].is_string());
}

#[tokio::test]
async fn bad_requests_get_a_clear_answer() {
    let docent = plain();
    let json_type = ("content-type", "application/json");
    let table: [(&str, &str, &str, u16); 20] = [
        ("GET", "/context/nobody/s", "", 404),
        ("POST", "/agent_state/nobody/c", r#"{"event":"reset"}"#, 404),
        ("POST", "/agent_state/acme/c", r#"{"event":"proactive_snozed"}"#, 422),
        ("POST", "/agent_state/acme/c", r#"{"event":"Reset"}"#, 422),
        ("POST", "/agent_state/acme/c", r#"{"event":5}"#, 422),
        ("POST", "/agent_state/acme/c", "[]", 422),
        ("POST", "/agent_state/acme/c", "{", 422),
        ("POST", "/agent_state/acme/c", "", 422),
        ("POST", "/retrieval", "", 422),
        ("POST", "/retrieval", r#"{"knowledge_id":7,"query":"","retrieval_setting":{}}"#, 422),
        ("POST", "/retrieval", r#"{"knowledge_id":"s","query":""}"#, 422),
        ("GET", "/retrieval", "", 405),
        ("GET", "/agent_state/acme/c", "", 405),
        ("GET", "/nowhere", "", 404),
        ("GET", "/tours/nobody", "", 404),
        ("POST", "/events/nobody", r#"{"type":"actions"}"#, 404),
        ("POST", "/events/acme", "[]", 422),
        ("POST", "/events/acme", "{", 422),
        ("POST", "/webhook/acme", "{", 422),
        ("POST", "/webhook/acme", "5", 422),
    ];
    for (method, path, body, expected) in table {
        let request =
            docent.request(method, path).header(json_type.0, json_type.1).body(body.to_owned());
        let (status, answer) = answer(request).await;
        assert_eq!(status, expected, "{method} {path} {body}: {answer}");
        assert!(!answer["detail"].is_null(), "{method} {path} {body}: {answer}");
    }
    let (_, body) =
        docent.post("/agent_state/acme/c", json!({ "event": "proactive_snozed" })).await;
    assert!(body.to_string().contains("proactive_snoozed"), "a suggestion: {body}");
}

#[tokio::test]
async fn blank_ids_and_foreign_toasts_are_out_of_scope() {
    let docent = plain();
    for path in ["/context/acme/%20", "/context/acme/s?conversation_id=proactive%3Aother"] {
        let (status, body) = docent.get(path).await;
        assert_eq!(
            (status, body["proactive_skip_reason"].as_str()),
            (200, Some("scope_invalid")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn odd_batches_are_taken_as_the_contract_says() {
    let docent = plain();
    let accepted = |body: Value| async { docent.post("/events/acme", body).await };
    for (body, count) in [
        (json!({ "type": "actions" }), 0),
        (json!({ "type": "actions", "session_id": null, "actions": [{ "title": "x" }] }), 0),
        (
            json!({ "type": "actions", "session_id": "a", "actions": [{ "title": 5, "timestamp_start": "7" }] }),
            1,
        ),
        (json!({ "type": "actions", "session_id": "a", "count": 99, "actions": [{}] }), 1),
        (json!({ "type": "usertour_trigger", "session_id": "a" }), 0),
    ] {
        let (status, answer) = accepted(body.clone()).await;
        assert_eq!((status, &answer["accepted"]), (200, &json!(count)), "{body}: {answer}");
    }
    let far = json!({ "type": "actions", "session_id": "far", "forwarded_at": 9e18, "actions": [
        { "type": "pageview", "canonical_url": "/a", "timestamp_start": -5e300, "timestamp_end": 9e300 },
        { "type": "pageview", "canonical_url": "/a", "timestamp_start": 9e12 },
    ] });
    assert_eq!(accepted(far).await.0, 200);
    assert_eq!(docent.verdict("far").await, "eager");
}

#[tokio::test]
async fn ten_thousand_actions_neither_panic_nor_grow_a_session() {
    let docent = plain();
    let actions = vec![json!({ "type": "click", "title": "x", "canonical_url": "/a" }); 10_000];
    let body = json!({ "type": "actions", "session_id": "s", "count": 10_000, "actions": actions });
    let (status, answer) = docent.post("/events/acme", body).await;
    assert_eq!((status, &answer["accepted"]), (200, &json!(1_000)), "{answer}");
    assert_eq!(docent.verdict("s").await, "no_trigger");
}

#[tokio::test]
async fn the_same_batch_twice_counts_once() {
    let rule = EAGER.replace("at_least: 1,", "at_least: 2,");
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", &rule)]);
    let batch = json!({ "type": "actions", "session_id": "s", "forwarded_at": 5.0,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    let (_, first) = docent.post("/events/acme", batch.clone()).await;
    let (_, second) = docent.post("/events/acme", batch.clone()).await;
    assert_eq!((&first["accepted"], &second["duplicate"]), (&json!(1), &json!(true)));
    assert_eq!(docent.verdict("s").await, "no_trigger");
    docent.advance(300.0).await;
    docent.post("/events/acme", batch).await;
    assert_eq!(docent.verdict("s").await, "eager", "after five minutes it is news again");
}

#[tokio::test]
async fn sessions_and_products_do_not_leak() {
    let two = "version: 1\nproducts:\n  acme: {}\n  other: { rules: none/, tours: none/ }\n";
    let docent = Docent::timed(&[("docent.yaml", two), ("rules/eager.yaml", EAGER)]);
    docent.visit("s", &["/a"]).await;
    let (_, body) = docent.get("/context/other/s").await;
    assert_eq!(body["proactive_skip_reason"], "no_trigger");
    assert_eq!(docent.verdict("t").await, "no_trigger");
    let ask = |path: &'static str| {
        docent.post(path, json!({ "knowledge_id": "s", "query": "", "retrieval_setting": {} }))
    };
    assert_eq!(ask("/p/acme/retrieval").await.1["records"].as_array().unwrap().len(), 1);
    assert_eq!(ask("/p/other/retrieval").await.1["records"], json!([]));
    assert_eq!(ask("/retrieval").await.0, 422, "two products, none named");
}

#[tokio::test]
async fn a_chatbot_reads_newest_first_by_session_or_email() {
    let docent = plain();
    for (at, page) in [(1.0, "/a"), (2.0, "/b")] {
        let batch = json!({ "type": "actions", "session_id": "ps_7", "email": "ada@example.test",
            "forwarded_at": at, "actions": [{ "type": "pageview", "description": "Opened it",
            "canonical_url": page }] });
        docent.post("/events/acme", batch).await;
    }
    let ask = |id: &str, setting: Value| {
        docent.post(
            "/retrieval",
            json!({ "knowledge_id": id, "query": "q", "retrieval_setting": setting }),
        )
    };
    let (status, body) = ask("ps_7", json!({})).await;
    assert_eq!(status, 200);
    let records = body["records"].as_array().unwrap();
    assert_eq!(records[0]["content"], "Session ps_7 — 1 actions\n[0] pageview: Opened it — /b");
    assert_eq!((&records[0]["score"], &records[0]["metadata"]), (&json!(1.0), &json!({})));
    assert!(records[0]["title"].as_str().unwrap().starts_with("events @ "));
    let sizes = [
        ("ada@example.test", json!({}), 2),
        ("ADA@example.test", json!({}), 2),
        ("unknown", json!({}), 0),
        ("", json!({}), 0),
        ("ps_7", json!({ "top_k": 1 }), 1),
        ("ps_7", json!({ "top_k": "1" }), 1),
        ("ps_7", json!({ "top_k": -1 }), 0),
        ("ps_7", json!({ "top_k": 1e12 }), 2),
        ("ps_7", json!({ "score_threshold": 1.0 }), 2),
        ("ps_7", json!({ "score_threshold": 1.0000001 }), 0),
    ];
    for (id, setting, expected) in sizes {
        let (_, body) = ask(id, setting.clone()).await;
        assert_eq!(body["records"].as_array().unwrap().len(), expected, "{id} {setting}");
    }
    assert_eq!(ask("ps_7", json!({ "top_k": 2.5 })).await.0, 422);
    assert_eq!(ask("ps_7", json!({ "top_k": null })).await.0, 422);
}

#[tokio::test]
async fn a_query_is_neither_told_to_chatbots_nor_seen_by_rules() {
    let rule = EAGER.replace(
        "      - count: { type: pageview, at_least: 1, within: 30m }",
        "      - rhai: session.url.contains(\"s3cret\")",
    );
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", &rule)]);
    docent.visit("s", &["https://app.test/a?token=s3cret"]).await;
    assert_eq!(docent.verdict("s").await, "no_trigger");
    let question = json!({ "knowledge_id": "s", "query": "", "retrieval_setting": {} });
    let (_, body) = docent.post("/retrieval", question).await;
    let told = body["records"][0]["content"].as_str().unwrap();
    assert!(told.ends_with(" — https://app.test/a"), "{told}");
}

#[tokio::test]
async fn a_clock_that_runs_ahead_does_not_pin_an_email_to_a_session() {
    let docent = plain();
    for (session, forwarded_at) in [("old", 9e12), ("new", 0.0)] {
        let batch = json!({ "type": "actions", "session_id": session, "email": "ada@example.test",
            "forwarded_at": forwarded_at, "actions": [{ "type": "pageview" }] });
        assert_eq!(docent.post("/events/acme", batch).await.0, 200);
        docent.advance(1.0).await;
    }
    let question =
        json!({ "knowledge_id": "ada@example.test", "query": "", "retrieval_setting": {} });
    let (_, body) = docent.post("/retrieval", question).await;
    assert!(body["records"][0]["content"].as_str().unwrap().starts_with("Session new"), "{body}");
}

#[tokio::test]
async fn a_summary_from_upstream_is_kept_as_context() {
    let docent = plain();
    docent.visit("s", &["/a"]).await;
    let summary = json!({ "type": "summary", "session_id": "s", "summary": "Looks for invoices." });
    assert_eq!(docent.post("/events/acme", summary).await.0, 200);
    let question = json!({ "knowledge_id": "s", "query": "", "retrieval_setting": {} });
    let (_, body) = docent.post("/retrieval", question).await;
    let records = body["records"].as_array().unwrap();
    assert_eq!(records[0]["content"], "Looks for invoices.");
    assert_eq!(records.len(), 2, "it replaces nothing");
}

#[tokio::test]
async fn a_rule_that_divides_by_zero_harms_no_other() {
    let rules = r#"
version: 1
triggers:
  - id: broken
    priority: 90
    page: /b
    when: 10 / session.count("never", "5m") > 1
    offer: { body: "Broken", accept: "Yes", dismiss: "No" }
  - id: sound
    page: /a
    when: session.count("pageview", "5m") >= 1
    offer: { body: "Sound", accept: "Yes", dismiss: "No" }
"#;
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/r.yaml", rules)]);
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "sound");
    docent.visit("t", &["/b"]).await;
    for _ in 0..20 {
        assert_eq!(docent.verdict("t").await, "evaluation_error");
    }
    assert_eq!(docent.verdict("t").await, "no_trigger", "twenty errors in a row pause it");
    let (_, status) = docent.get("/admin/rules").await;
    assert!(status.to_string().contains("broken"), "the pause is named: {status}");
}

#[tokio::test]
async fn operators_see_health_metrics_and_the_interface() {
    let docent = plain();
    assert_eq!(docent.get("/healthz").await, (200, json!({ "status": "ok" })));
    let (status, ready) = docent.get("/readyz").await;
    assert_eq!((status, ready["status"].as_str()), (200, Some("ok")));
    docent.visit("s", &["/a"]).await;
    docent.verdict("s").await;
    let (status, metrics) = docent.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(metrics.as_str().unwrap().contains("\ndocent_sessions{} "), "{metrics}");
    let (status, interface) = docent.get("/openapi.json").await;
    assert_eq!(status, 200);
    for path in [
        "/context/{product_id}/{session_id}",
        "/agent_state/{product_id}/{conversation_id}",
        "/retrieval",
    ] {
        assert!(interface["paths"][path].is_object(), "{path}");
    }
    let page = docent.get("/").await;
    assert_eq!(page.0, 200);
    assert!(page.1.as_str().unwrap().contains("eager"), "the last decisions are shown");
}
