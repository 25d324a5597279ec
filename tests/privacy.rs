//! `docs/privacy.md` has a row for every stored field, and no other; the log names nobody.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use docent::domain::bulletin::Grave;
use docent::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use docent::domain::session::Session;
use serde::Serialize;
use serde_json::{Value, json};

/// The fields of a record; those of its identity by themselves.
fn fields<R: Serialize + Default>() -> BTreeSet<String> {
    let record = serde_json::to_value(R::default()).unwrap();
    let members = record.as_object().unwrap().iter();
    let paths = members.flat_map(|(name, value)| match (&**name, value) {
        ("identity", Value::Object(parts)) => {
            parts.keys().map(|part| format!("identity.{part}")).collect()
        }
        _ => vec![name.clone()],
    });
    paths.collect()
}

#[test]
fn every_stored_field_has_its_row() {
    let page = fs::read_to_string(common::repository().join("docs/privacy.md")).unwrap();
    for (section, known) in [
        ("A session", fields::<Session>()),
        ("A session's context, which a chatbot may read", fields::<Context>()),
        ("A person", fields::<User>()),
        ("An account", fields::<Account>()),
        ("A chat thread", fields::<Conversation>()),
        ("An e-mail address", fields::<EmailIndex>()),
        ("A product", fields::<Product>()),
        ("What stays for good, under a hash", fields::<Grave>()),
    ] {
        let part = page.split(&format!("\n## {section}\n")).nth(1).expect(section);
        let part = part.split("\n## ").next().unwrap();
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `"));
        let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
        for row in &rows {
            let says =
                row.len() == 3 && row[1].ends_with('.') && ["yes |", "no |"].contains(&row[2]);
            assert!(says, "{section}: {row:?}");
        }
        let shown: BTreeSet<String> =
            rows.iter().map(|row| row[0].trim_end_matches('`').to_owned()).collect();
        assert_eq!(shown, known, "`{section}` of docs/privacy.md: write a row for each field");
    }
}

#[tokio::test]
async fn the_log_and_the_metrics_of_a_story_name_nobody() {
    let workspace =
        common::workspace(&[("docent.yaml", common::PLAIN), ("rules/e.yaml", common::EAGER)]);
    let log = workspace.path().join("log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--listen", "127.0.0.1:0", "--workspace"])
        .arg(workspace.path())
        .env("DOCENT_LOG", "docent=trace,info")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    use std::io::{BufRead as _, BufReader};
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = lines
        .find_map(|line| {
            let line = line.unwrap();
            let base = line.split_whitespace().find(|word| word.starts_with("http://"))?;
            Some(base.trim_end_matches('/').to_owned())
        })
        .unwrap();
    let reader = std::thread::spawn(move || lines.for_each(drop));
    let client = docent::runtime::client::shared().unwrap();
    let ask = async |method: &str, path: &str, body: Value| {
        let request = client.request(method.parse().unwrap(), format!("{base}{path}"));
        common::answer(request.json(&body)).await
    };
    let batch = json!({ "type": "actions", "session_id": "ps_zebra", "user_id": "u_zebra",
        "email": "zebra@b.example", "traits": { "name": "Zebra" }, "actions": [{
        "type": "pageview", "title": "Zebra's page", "canonical_url": "/zebra?token=zebra" }] });
    assert_eq!(ask("POST", "/events/acme", batch).await.0, 200);
    let polled = ask("GET", "/context/acme/ps_zebra", Value::Null).await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "eager", "{polled}");
    let event = json!({ "event": "proactive_opted_out" });
    assert_eq!(ask("POST", "/agent_state/acme/proactive%3Aps_zebra", event).await.0, 200);
    assert_eq!(ask("POST", "/agent_state/acme/zebra", json!({ "event": "zebra" })).await.0, 422);
    assert_eq!(ask("GET", "/context/acme/ps_zebra?explain=1", Value::Null).await.0, 200);
    let metrics = ask("GET", "/metrics", Value::Null).await.1.to_string();
    assert_eq!(ask("GET", "/admin/emails/acme/zebra@b.example/export", Value::Null).await.0, 200);
    assert_eq!(ask("DELETE", "/admin/users/acme/u_zebra", Value::Null).await.0, 200);
    let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(told.success() && child.wait().unwrap().success());
    reader.join().unwrap();
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("Erased all that was kept of a person"), "{log}");
    for (what, text) in [("log", &log), ("metrics", &metrics)] {
        for secret in ["zebra", "Zebra"] {
            assert!(!text.contains(secret), "the {what} tells `{secret}`:\n{text}");
        }
    }
}
