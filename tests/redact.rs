//! What is redacted is in no record, no rule sees it, and `docent check` says so.
#![cfg(test)]

mod common;

use std::fs;
use std::process::Command;

use common::Docent;
use serde_json::{Value, json};

const SETTINGS: &str = r"version: 1
products:
  acme:
    redact: { query: [tab], patterns: ['\b\d{16}\b', '[a-z]+@[a-z.]+'] }
";
const RULES: &str = r#"
version: 1
triggers:
  - id: tab
    when: [{ query: { name: tab, is: cards } }]
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
  - id: token
    priority: 90
    when: session.query("token") != ""
    offer: { body: "Never", accept: "Show me how", dismiss: "No thanks" }
"#;
const CARD: &str = "4111111111111111";

#[tokio::test]
async fn what_is_redacted_is_in_no_record_and_no_rule_sees_it() {
    let docent = Docent::timed(&[("docent.yaml", SETTINGS), ("rules/r.yaml", RULES)]);
    let url = format!("https://app.test/billing/{CARD}?tab=cards&token=s3cret#access=s3cret");
    let batch = json!({ "type": "actions", "session_id": "s", "user_id": "ada", "actions": [{
        "type": "input", "title": format!("Card {CARD}"), "description": format!("Typed {CARD}"),
        "canonical_url": url, "raw_url": url,
        "properties": { "value": CARD, "to": "eve@b.example", "from": url },
    }]});
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    assert_eq!(docent.verdict("s").await, "tab");
    let all = docent.get("/admin/users/acme/ada/export").await.1;
    let action = &all["sessions"][0]["state"]["actions"][0];
    assert_eq!(action["url"], "https://app.test/billing/redacted?tab=cards");
    assert_eq!(action["title"], "Card [redacted]");
    let told = all["sessions"][0]["context"]["chunks"][0]["text"].as_str().unwrap();
    assert!(told.contains("Typed [redacted]"), "{told}");
    for secret in [CARD, "s3cret", "eve@"] {
        assert!(!all.to_string().contains(secret), "{secret} {all}");
    }
    // What one rulebook redacts, the same batch without `redact` tells as before.
    docent.write("docent.yaml", "version: 1\nproducts: { acme: {} }\n");
    let reloaded = |_, body: &Value| body["active"]["revision"].as_u64() > Some(1);
    docent.until("/admin/rules", reloaded).await;
    docent.visit("t", &["/a?token=x"]).await;
    assert_eq!(docent.verdict("t").await, "token");
}

#[tokio::test]
async fn what_people_put_into_forms_is_in_no_record_and_no_journal() {
    let settings = "version: 1\njournal: { sample: 100% }\nproducts:\n  acme:\n    redact: { input_values: mask }\n";
    let docent = Docent::timed(&[("docent.yaml", settings), ("rules/r.yaml", RULES)]);
    let action = |kind: &str| {
        json!({ "type": kind, "title": "Typed hunter2", "canonical_url": "/a",
        "description": "Typed hunter2", "properties": { "value": "hunter2", "field": "password" } })
    };
    let batch = |kind: &str| {
        json!({ "type": "actions", "session_id": kind, "user_id": "ada",
        "actions": [action(kind)] })
    };
    for kind in ["input", "click"] {
        assert_eq!(docent.post("/events/acme", batch(kind)).await.0, 200);
    }
    // The journal is written a moment later.
    let told = |_: u16, all: &Value| all["journal"].as_array().is_some_and(|l| l.len() == 4);
    let all = docent.until("/admin/users/acme/ada/export", told).await;
    let (typed, clicked): (Vec<_>, Vec<_>) = ["sessions", "journal"]
        .iter()
        .flat_map(|part| all[*part].as_array().unwrap())
        .partition(|part| part["id"] == "input" || part["s"] == "input");
    assert!((typed.len(), clicked.len()) == (3, 3), "{all}");
    for part in typed {
        assert!(!part.to_string().contains("hunter2"), "{part}");
    }
    assert!(clicked.iter().any(|part| part.to_string().contains("hunter2")), "a click is no input");
    assert!(all["journal"].to_string().contains("password"), "which field it was stays");
}

#[test]
fn a_rule_that_asks_for_what_is_dropped_is_told() {
    let workspace = common::workspace(&[("docent.yaml", SETTINGS), ("rules/r.yaml", RULES)]);
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
        let output = command.arg("check").arg(workspace.path()).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let said = check();
    assert!(
        said.contains("`redact` drops the parameter `token` before any rule sees it"),
        "{said}"
    );
    assert!(!said.contains("drops the parameter `tab`"), "{said}");
    let settings = SETTINGS.replace("[tab]", "[tab, token]");
    fs::write(workspace.path().join("docent.yaml"), settings).unwrap();
    assert!(!check().contains("drops the parameter"));
}
