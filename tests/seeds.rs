//! The published documents' own commands and front-end code, byte for byte, against docent.
//! tests/seeds/ holds them as they were copied; a shell and a small browser run them.
#![cfg(test)]

mod common;
mod shown;

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Docent, repository};

const ORIGIN: &str = "https://app.acme.test";
/// An id that arrives whole only when it is decoded exactly once.
const SESSION: &str = "3350%3A822 é/?&";

/// Rules that fire at once, one for each way of writing labels.
const RULES: &str = r#"
version: 1
triggers:
  - id: labelled
    page: /labelled
    when: [{ visits: { page: /labelled, at_least: 1, within: 10m } }]
    offer: { body: "Need a hand?", accept: "Guide me", dismiss: "Not now" }
  - id: listed
    page: /listed
    when: [{ visits: { page: /listed, at_least: 1, within: 10m } }]
    offer: { body: "Need a hand?", labels: ["Yes, show me"] }
  - id: wordless
    page: /wordless
    builtin: canonical_url_ping_pong
"#;

#[tokio::test]
#[ignore = "needs curl; `make test` has it"]
async fn the_published_curl_commands_answer_as_printed() {
    let docent = Docent::serve(&[("docent.yaml", common::PLAIN), ("rules/rules.yaml", RULES)]);
    let batch = json!({
        "type": "actions", "product_id": "acme", "session_id": "ps_abc123",
        "email": "user@example.com", "count": 1, "forwarded_at": 1.0,
        "actions": [{
            "type": "pageview", "title": "Page Load: Projects",
            "description": "Opened the project list", "canonical_url": "/projects",
        }],
    });
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");

    let script = include_str!("seeds/retrieval.sh");
    let script = script.replace("https://your-server.example.com", &docent.base);
    let examples = shown::examples(&script);
    let answers: Vec<Value> =
        examples.iter().map(|example| serde_json::from_str(&example.run()).unwrap()).collect();
    let [by_session, by_email, unknown] = &answers[..] else { panic!("{answers:?}") };
    let content = "Session ps_abc123 — 1 actions\n\
                   [0] pageview: Opened the project list — /projects";
    assert_eq!(by_session["records"].as_array().unwrap().len(), 1);
    assert_eq!(by_session["records"][0]["content"], content);
    assert_eq!(by_session, by_email);
    assert_eq!(*unknown, json!({ "records": [] }));
}

#[tokio::test]
#[ignore = "needs Node.js and the npm packages that `make test` installs"]
async fn without_redelivery_the_published_toast_shows_until_the_next_poll() {
    let page = Page::open("false").await;
    let steps = page.play(SESSION, "/labelled", &["poll", "poll", "poll"]).await;
    assert_eq!(steps[0].toast(), ["Need a hand?", "Guide me", "Not now"]);
    for step in &steps[1..] {
        assert_eq!((&step.0["toast"], step.reason()), (&Value::Null, "fsm:wrong_state"));
    }
}

#[tokio::test]
#[ignore = "needs Node.js and the npm packages that `make test` installs"]
async fn with_redelivery_the_published_toast_shows_until_it_is_answered() {
    let page = Page::open("true").await;
    let steps = page.play(SESSION, "/labelled", &["poll", "poll", "poll", "dismiss", "poll"]).await;
    let offered: Vec<&Value> =
        steps[..3].iter().map(|step| &step.answer()["proactive_trigger"]).collect();
    assert_eq!(offered[0]["trigger_id"], "labelled");
    assert!(offered.iter().all(|offer| *offer == offered[0]), "{offered:?}");
    for step in &steps[..3] {
        assert_eq!(step.toast(), ["Need a hand?", "Guide me", "Not now"]);
    }
    assert_eq!(steps[3].moved_to(), Some("conservative_assistance"));
    assert_eq!(
        (&steps[4].0["toast"], steps[4].reason()),
        (&Value::Null, "fsm:conservative_cooldown")
    );
}

#[tokio::test]
#[ignore = "needs Node.js and the npm packages that `make test` installs"]
async fn the_published_handlers_move_the_machine_whether_offers_are_redelivered_or_not() {
    const CONSERVATIVE: Option<&str> = Some("conservative_assistance");
    const GUIDANCE: Option<&str> = Some("guidance_execution");
    const REACTIVE: Option<&str> = Some("reactive_assistance");
    const THINKING: Option<&str> = Some("thinking");
    let timelines: [(&[Press], &str); 4] = [
        (&[("dismiss", CONSERVATIVE), ("proactive_dismissed", None)], "fsm:conservative_cooldown"),
        // The chat that an accepted tour opens reports its messages; the tour holds the gate.
        (
            &[("accept", GUIDANCE), ("user_sent", None), ("bot_response_completed", None)],
            "fsm:wrong_state",
        ),
        (&[("accept", GUIDANCE), ("complete", THINKING)], "resilience:min_interval"),
        (&[("accept", GUIDANCE), ("abandon", CONSERVATIVE)], "fsm:conservative_cooldown"),
    ];
    for redeliver in ["false", "true"] {
        let page = Page::open(redeliver).await;
        for (number, (timeline, reason)) in timelines.iter().enumerate() {
            let presses = timeline.iter().map(|(press, _)| *press);
            let steps: Vec<&str> = ["poll"].into_iter().chain(presses).chain(["poll"]).collect();
            let steps = page.play(&format!("ps_{number}"), "/labelled", &steps).await;
            for ((press, state), step) in timeline.iter().zip(&steps[1..]) {
                assert_eq!(step.moved_to(), *state, "{redeliver}: {timeline:?} at {press}");
            }
            assert_eq!(steps.last().unwrap().reason(), *reason, "{redeliver}: {timeline:?}");
        }
        let chat = ["user_sent", "poll", "bot_response_completed", "poll", "reset", "poll"];
        let steps = page.play("ps_chat", "/labelled", &chat).await;
        assert_eq!((steps[0].moved_to(), steps[1].reason()), (REACTIVE, "fsm:wrong_state"));
        assert_eq!((steps[2].moved_to(), steps[3].toast()[0].as_str()), (THINKING, "Need a hand?"));
        assert_eq!((steps[4].moved_to(), steps[5].reason()), (THINKING, "resilience:min_interval"));
    }
}

#[tokio::test]
#[ignore = "needs Node.js and the npm packages that `make test` installs"]
async fn the_published_toast_never_shows_a_blank_button() {
    let page = Page::open("true").await;
    for (path, accept, dismiss) in [
        ("/labelled", "Guide me", "Not now"),
        // What the server leaves open the toast fills in.
        ("/listed", "Yes, show me", "No thanks"),
        ("/wordless", "Show me how", "No thanks"),
    ] {
        let steps = page.play(&format!("ps{}", path.replace('/', "_")), path, &["poll"]).await;
        assert_eq!(steps[0].toast()[1..], [accept, dismiss], "{path}");
    }
}

#[tokio::test]
#[ignore = "needs Node.js and the npm packages that `make test` installs"]
async fn a_page_of_another_origin_reads_nothing_and_moves_nothing() {
    let page = Page::open("true").await;
    page.look_at("ps_1", "/labelled").await;
    let steps = page.run("https://elsewhere.test", "ps_1", &["poll", "user_sent"]).await;
    assert_eq!(steps[0].0["toast"], Value::Null);
    assert_eq!(steps[0].0["answers"][0]["refused"], "answer");
    assert_eq!(steps[1].0["answers"][0]["refused"], "preflight");
    let steps = page.run(ORIGIN, "ps_1", &["poll"]).await;
    assert_eq!(steps[0].toast()[0], "Need a hand?");
}

/// A step, and the state it moves the machine to, if it moves it.
type Press<'a> = (&'a str, Option<&'a str>);

/// A keyless docent on an address of this machine that is not loopback, and a browser on a page
/// of the allowed origin. The traffic does not leave the machine.
struct Page {
    docent: Docent,
}

/// What one step of tests/seeds/browser.mjs came to.
struct Step(Value);

impl Page {
    async fn open(redeliver: &str) -> Self {
        let settings = format!(
            "version: 1\nproducts:\n  acme:\n    allowed_origins: [\"{ORIGIN}\"]\n    \
             proactive: {{ redeliver: {redeliver} }}\n"
        );
        let files = [("docent.yaml", settings.as_str()), ("rules/rules.yaml", RULES)];
        let listen = format!("{}:0", own_address());
        Self { docent: Docent::start(&files, &["--listen", &listen], &[]) }
    }

    /// The person opens a page, looks elsewhere and comes back.
    async fn look_at(&self, session: &str, path: &str) {
        let view = |path| json!({ "type": "pageview", "title": path, "canonical_url": path });
        let views = [path, "/", path].map(view);
        let batch = json!({ "type": "actions", "session_id": session, "actions": views });
        let request = self.docent.request("POST", "/events/acme").header("origin", ORIGIN);
        let (status, body) = common::answer(request.json(&batch)).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn play(&self, session: &str, path: &str, steps: &[&str]) -> Vec<Step> {
        self.look_at(session, path).await;
        self.run(ORIGIN, session, steps).await
    }

    async fn run(&self, origin: &str, session: &str, steps: &[&str]) -> Vec<Step> {
        let esbuild = repository().join("node_modules/esbuild");
        assert!(esbuild.exists(), "no npm packages here: run `make test`, or `npm ci`");
        let browser = repository().join("tests/seeds/browser.mjs");
        let output = Command::new("node")
            .arg(browser)
            .args([&self.docent.base, origin, "acme", session])
            .args(steps)
            .stderr(Stdio::inherit())
            .output()
            .expect("Node.js 20 or newer is needed");
        assert!(output.status.success(), "{steps:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        let told: Vec<Step> =
            lines.lines().map(|line| Step(serde_json::from_str(line).unwrap())).collect();
        assert_eq!(told.len(), steps.len());
        told
    }
}

impl Step {
    /// The only answer that came in.
    fn answer(&self) -> &Value {
        let answers = self.0["answers"].as_array().unwrap();
        assert!(answers.len() == 1 && answers[0]["status"] == 200, "{}", self.0);
        &answers[0]["body"]
    }

    fn reason(&self) -> &str {
        self.answer()["proactive_skip_reason"].as_str().unwrap_or("null")
    }

    /// The state after an event, unless the event did not count.
    fn moved_to(&self) -> Option<&str> {
        let answer = self.answer();
        match answer["reason"].as_str() {
            Some(reason) => {
                assert_eq!(reason, "invalid_transition");
                None
            }
            None => answer["state"].as_str(),
        }
    }

    /// Body, accept, dismiss.
    fn toast(&self) -> [String; 3] {
        ["body", "accept", "dismiss"].map(|part| {
            let text = self.0["toast"][part].as_str();
            text.unwrap_or_else(|| panic!("no {part}: {}", self.0)).to_owned()
        })
    }
}

/// The first IPv4 address of this machine that is not loopback.
fn own_address() -> String {
    let script = "console.log(Object.values(require('os').networkInterfaces()).flat()
        .find((a) => a.family === 'IPv4' && !a.internal)?.address ?? '')";
    let output = Command::new("node").args(["-e", script]).output();
    let output = output.expect("Node.js 20 or newer is needed");
    let address = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(!address.is_empty(), "this machine has no address beside loopback");
    address
}
