//! An SSE server that is not ours streams a thousand sessions, and each is decided as the
//! published SDK's own registry decides it.
#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Docent, answer, repository};

/// The instant of judgement: after any date on which this runs, in whole seconds.
const NOW: u64 = 2_000_000_000;

/// Windows, section rules and playbook are those of tests/upstream/server.py.
const RULES: &str = r#"
version: 1
triggers:
  - id: canonical_url_ping_pong
    builtin: canonical_url_ping_pong
  - id: user_page_dwell
    builtin: user_page_dwell
  - id: section_playbook_match
    builtin: section_playbook_match
    params:
      section_url_rules:
        - { prefix: "https://app.acme.test/projects", section_id: projects }
        - { prefix: "https://app.acme.test/billing", section_id: billing }
        - { prefix: "https://app.acme.test/settings", section_id: settings }
      section_playbook:
        projects: "Projects are where work happens."
        billing:
          body: "Billing, explained in a minute."
          reply_option_labels: ["Explain", "No thanks"]
"#;

/// tests/upstream/server.py on a free port; it ends with the test.
struct Upstream {
    child: Child,
    url: String,
}

impl Upstream {
    fn start() -> Self {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), |dir| dir);
        let python = repository().join(target).join("venv/bin/python");
        assert!(python.exists(), "no Python packages at {}: run `make test`", python.display());
        let mut child = Command::new(python)
            .arg(repository().join("tests/upstream/server.py"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://"), "the upstream ended before it listened");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "needs the Python packages that `make test` installs"]
async fn a_thousand_streamed_sessions_are_decided_as_the_sdk_decides_them() {
    let upstream = Upstream::start();
    let docent = docent_reading(&upstream);
    let (status, body) = docent.post("/__clock", json!({ "now": NOW })).await;
    assert_eq!(status, 200, "{body}");
    let begin = docent::runtime::client::shared()
        .unwrap()
        .post(format!("{}/begin?now={NOW}", upstream.url));
    let (status, begun) = answer(begin).await;
    assert_eq!(status, 200, "{begun}");
    let expected = begun["decisions"].as_object().unwrap();
    assert_eq!(expected.len(), 1_000);
    arrived(&docent, begun["batches"].as_u64().unwrap()).await;

    let mut verdicts = BTreeMap::new();
    let mut different = Vec::new();
    for (session, decision) in expected {
        let body = docent.poll(session).await;
        let decided = decided(&body);
        *verdicts.entry(decision["trigger_id"].as_str().unwrap_or("none")).or_insert(0) += 1;
        if decided != *decision {
            different.push(format!("{session}: the SDK {decision}, docent {body}"));
        }
    }
    assert!(different.is_empty(), "{} differ, such as {:#?}", different.len(), different.first());
    // The comparison is worth its name only while every verdict occurs often.
    assert!(verdicts.len() == 4 && verdicts.values().all(|n| *n >= 100), "{verdicts:?}");
}

fn docent_reading(upstream: &Upstream) -> Docent {
    let settings = format!(
        "version: 1
limits: {{ per_client: 100000/s }}
products:
  acme:
    builtins: {{ lookback: 120s, max_actions: 15 }}
    sources:
      - sse: {{ url: \"{}\", token: upstream-token }}
",
        upstream.url
    );
    Docent::timed(&[("docent.yaml", &settings), ("rules/builtins.yaml", RULES)])
}

/// Waits until every batch has been taken in.
async fn arrived(docent: &Docent, batches: u64) {
    docent
        .until("/metrics", |_, metrics| {
            let taken = metrics.as_str().unwrap_or_default().lines().filter_map(|line| {
                let (name, count) = line.rsplit_once(' ')?;
                name.starts_with("docent_batches_total").then(|| count.parse::<u64>().ok())?
            });
            taken.sum::<u64>() == batches
        })
        .await;
}

/// The members that the SDK's result has, too; null when docent stays silent.
fn decided(body: &Value) -> Value {
    let offer = &body["proactive_trigger"];
    if offer.is_null() {
        assert_eq!(body["proactive_skip_reason"], "no_trigger", "{body}");
        return Value::Null;
    }
    let member = |name: &str| (name.to_owned(), offer[name].clone());
    ["trigger_id", "body", "reply_option_labels", "metadata"].map(member).into_iter().collect()
}
