//! `docent serve` as an operator meets it: reloads, refusals, upstreams, exit codes.
#![cfg(test)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use common::{Docent, EAGER, PLAIN, repository, workspace};
use serde_json::{Value, json};

fn docent_command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    out + &String::from_utf8_lossy(&output.stderr)
}

async fn body_said(docent: &Docent, session: &str) -> Option<String> {
    docent.visit(session, &["/a"]).await;
    let poll = docent.poll(session).await;
    poll["proactive_trigger"]["body"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn an_edited_rule_speaks_its_new_words_and_a_broken_one_its_last_good_ones() {
    let docent = Docent::serve(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    assert_eq!(body_said(&docent, "a").await.as_deref(), Some("Need a hand?"));

    docent.write("rules/eager.yaml", &EAGER.replace("Need a hand?", "Shall I show you?"));
    docent.until("/admin/rules", |_, rules| rules["active"]["revision"] == 2).await;
    assert_eq!(body_said(&docent, "b").await.as_deref(), Some("Shall I show you?"));

    docent.write("rules/eager.yaml", &EAGER.replace("pageview, at_least", "pageview, at_leest"));
    let rules = docent.until("/admin/rules", |_, rules| !rules["candidate"].is_null()).await;
    let finding = &rules["candidate"]["findings"][0];
    assert_eq!((&finding["file"], &finding["line"]), (&json!("rules/eager.yaml"), &json!(6)));
    assert!(finding["help"].as_str().unwrap().contains("at_least"), "{finding}");
    assert_eq!(body_said(&docent, "c").await.as_deref(), Some("Shall I show you?"));
    let (status, ready) = docent.get("/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &json!("degraded")));
    let (_, metrics) = docent.get("/metrics").await;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("docent_candidate_findings{severity=\"error\"} 1"), "{metrics}");
    assert!(metrics.contains("docent_reloads_total{result=\"refused\"} 1"), "{metrics}");

    docent.write("rules/eager.yaml", EAGER);
    docent.until("/readyz", |_, ready| ready["status"] == "ok").await;
    assert_eq!(body_said(&docent, "d").await.as_deref(), Some("Need a hand?"));
}

#[tokio::test]
async fn a_pending_offer_and_its_session_survive_a_reload() {
    let docent = Docent::serve(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    docent.visit("s", &["/a"]).await;
    let offer = docent.poll("s").await["proactive_trigger"].clone();
    docent.write("rules/eager.yaml", &EAGER.replace("Need a hand?", "Something else"));
    docent.until("/admin/rules", |_, rules| rules["active"]["revision"] == 2).await;
    assert_eq!(docent.poll("s").await["pending_offer"], offer, "it keeps its own words");
    assert_eq!(docent.event("s", "proactive_dismissed").await.1, "conservative_assistance");
}

#[tokio::test]
async fn product_settings_reload_with_the_rules() {
    let docent = Docent::serve(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    docent.write(
        "docent.yaml",
        "version: 1\nproducts:\n  acme:\n    proactive: { enabled: false }\n",
    );
    docent.until("/admin/rules", |_, rules| rules["active"]["revision"] == 2).await;
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "not_enabled");
}

#[tokio::test]
async fn an_upstream_that_refuses_is_seen_by_operators() {
    let settings = "version: 1\nproducts:\n  acme:\n    sources:\n      - sse: { url: \"http://127.0.0.1:1\" }\n";
    let docent = Docent::serve(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)]);
    let ready = docent.until("/readyz", |_, ready| ready["status"] == "degraded").await;
    assert!(
        ready["reasons"][0].as_str().unwrap().contains("source 0 of product `acme`"),
        "{ready}"
    );
    let (_, rules) = docent.get("/admin/rules").await;
    assert_eq!(rules["sources"][0]["state"], "waiting");
    let (_, metrics) = docent.get("/metrics").await;
    let line = "docent_source{product=\"acme\",source=\"0\",state=\"waiting\"} 1";
    assert!(metrics.as_str().unwrap().contains(line));

    docent.write("docent.yaml", PLAIN);
    docent.until("/readyz", |_, ready| ready["status"] == "ok").await;
    let (_, metrics) = docent.get("/metrics").await;
    let metrics = metrics.as_str().unwrap();
    assert!(!metrics.contains(line), "a source that is gone is in no state");
}

#[tokio::test]
async fn an_explanation_fires_nothing_and_tells_what_is_missing() {
    let rule = EAGER.replace("count: { type: pageview, at_least: 1, within: 30m }", "dwell: 60s");
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", &rule)]);
    docent.visit("s", &["/a"]).await;
    docent.advance(48.0).await;
    let (status, told) = docent.get("/context/acme/s?explain=1").await;
    assert_eq!((status, &told["verdict"]), (200, &json!("no_trigger")), "{told}");
    let clause = &told["rules"][0]["clauses"][0];
    assert_eq!((&clause["holds"], &clause["found"]), (&json!(false), &json!("48s")), "{told}");
    docent.advance(12.0).await;
    let (_, told) = docent.get("/context/acme/s?explain=1").await;
    assert_eq!(told["verdict"], "eager");
    assert_eq!(told["gates"].as_array().unwrap().len(), 9);
    assert_eq!(docent.verdict("s").await, "eager", "the explanation took nothing away");
}

#[tokio::test]
async fn a_person_asks_what_keeps_a_trigger_back() {
    let rule = EAGER.replace("count: { type: pageview, at_least: 1, within: 30m }", "dwell: 60s");
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", &rule)]);
    docent.visit("s/1", &["/a"]).await;
    docent.advance(48.0).await;
    let ask = |more: &[&str]| {
        let url = format!("--url={}", docent.base);
        text(&docent_command(&[&["explain", "s/1", url.as_str()], more].concat()))
    };
    let all = ask(&[]);
    for part in ["no_trigger", "ok    min_interval", "eager: silent", "no ", "found 48s", "in 12s"]
    {
        assert!(all.contains(part), "{part} is not in\n{all}");
    }
    let one = ask(&["--rule", "eager"]);
    assert_eq!(one.trim(), "`eager` needs dwell 1m; found 48s, may change in 12s");
    let now = docent.post("/__clock", json!({ "advance_s": 0 })).await.1["now"].as_f64().unwrap();
    let later = ask(&["--rule", "eager", "--at", &(now + 12.0).to_string()]);
    assert_eq!(later.trim(), "nothing: `eager` would fire now");
    assert!(ask(&["--rule", "eger"]).contains("no trigger `eger`"));
    assert_eq!(docent.verdict("s%2F1").await, "no_trigger", "asking changes nothing");
}

#[tokio::test]
async fn posthog_events_become_a_session() {
    let docent = Docent::timed(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    let event = json!({ "event": "$pageview", "session_id": "ph_1", "distinct_id": "u_1",
        "current_url": "https://app.test/projects/42?tab=a", "timestamp": "2026-01-01T00:00:00Z" });
    let (status, taken) = docent.post("/webhook/acme", event).await;
    assert_eq!((status, &taken["accepted"]), (200, &json!(1)), "{taken}");
    let question = json!({ "knowledge_id": "ph_1", "query": "", "retrieval_setting": {} });
    let (_, found) = docent.post("/retrieval", question).await;
    let content = found["records"][0]["content"].as_str().unwrap();
    assert!(content.contains("/projects/:id") && !content.contains("tab=a"), "{content}");
    assert_eq!(docent.verdict("ph_1").await, "eager");
}

#[test]
fn a_workspace_with_mistakes_is_refused_with_its_lines() {
    let broken = EAGER.replace("offer:", "ofer:");
    let folder = workspace(&[("docent.yaml", PLAIN), ("rules/eager.yaml", &broken)]);
    let path = folder.path().to_str().unwrap();
    for command in [vec!["serve", "--workspace", path], vec!["check", path]] {
        let output = docent_command(&command);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(said.contains("rules/eager.yaml") && said.contains("`offer`"), "{said}");
    }
    let output = docent_command(&["check", path, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["valid"]), (Some(2), &json!(false)));
    assert_eq!(report["findings"][0]["line"], 7);
}

#[test]
fn what_cannot_be_read_is_another_matter_than_what_is_wrong() {
    for command in [["check", "/no/such/folder"], ["serve", "--workspace=/no/such/folder"]] {
        let output = docent_command(&command);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    }
}

#[test]
fn the_shipped_workspace_has_no_mistake() {
    let output = docent_command(&["check", repository().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("0 errors, 0 warnings"), "{}", text(&output));
}

#[test]
fn a_public_address_needs_more_than_defaults() {
    let folder = workspace(&[("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]);
    let path = folder.path().to_str().unwrap();
    let output = docent_command(&["serve", "--workspace", path, "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("allowed_origins"), "{}", text(&output));
    let output =
        docent_command(&["serve", "--workspace", path, "--listen", "0.0.0.0:0", "--virtual-clock"]);
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn time_can_be_moved_on_this_machine_alone() {
    let settings = format!("admin: {{ listen: \"0.0.0.0:0\", tokens: [op] }}\n{PLAIN}");
    let folder = workspace(&[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)]);
    let path = folder.path().to_str().unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--workspace", path, "--listen", "127.0.0.1:0", "--virtual-clock"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let _gone = serve.kill();
    let said = text(&serve.wait_with_output().unwrap());
    assert!(first.is_empty() && said.contains("loopback"), "{first}{said}");
}

#[test]
fn a_store_that_is_none_is_a_clear_error() {
    let settings = format!("store: postgres://127.0.0.1/\n{PLAIN}");
    let folder = workspace(&[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)]);
    let output = docent_command(&["serve", "--workspace", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("`postgres` is no store"), "{}", text(&output));
}

#[tokio::test]
async fn an_empty_store_file_is_told_of_and_docent_goes_on() {
    let files = [("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER), ("data/docent.redb", "")];
    let folder = workspace(&files);
    let log = folder.path().join("log");
    let shell = format!("exec 2>'{}';", log.display());
    let docent = Docent::start_under(&shell, folder, &["--listen", "127.0.0.1:0"]);
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
    let said = fs::read_to_string(&log).unwrap();
    let warns = said.contains("The store's file was empty") && said.contains("docent restore");
    assert!(warns && said.contains("docent.redb"), "{said}");
}
