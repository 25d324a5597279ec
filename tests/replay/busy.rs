//! `--verify` of a busy day: many people at once, through a real docent with every rule it ships,
//! and every decision of it is made again. `DOCENT_VERIFY_DECISIONS` says how many at least.

use std::io::Write as _;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{Docent, shipped, write};
use crate::recorded::docent;

const CLIENTS: u64 = 32;
/// Sessions of one client that live side by side.
const SESSIONS: u64 = 6;
const PAGES: [&str; 8] = [
    "/projects",
    "/projects/7",
    "/billing",
    "/import",
    "/reports?tab=2#top",
    "/settings/members",
    "/settings/account",
    "/elsewhere",
];
const KINDS: [&str; 6] = ["pageview", "pageview", "click", "error", "form_error", "rage_click"];
const EVENTS: [&str; 7] = [
    "proactive_shown",
    "proactive_dismissed",
    "proactive_accepted_tour",
    "proactive_accepted_chat",
    "tour_completed",
    "tour_failed",
    "reset",
];
/// More than the shipped rules use: caps, groups by chance, quotas, rests per person.
const MORE: &str = r#"
version: 1
triggers:
  - id: capped
    priority: 10
    when: [{ count: { type: pageview, at_least: 2, within: 10m } }]
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks", timeout: 20s }
    cooldown: 10s
    frequency: [{ per: user, limit: 2, window: 1h }, { per: product, limit: 40, window: 5m }]
  - id: withheld
    page: /elsewhere
    holdout: 30%
    rollout: 50%
    when: [{ dwell: 3s }]
    offer: { body: "Lost?", accept: "A little", dismiss: "No thanks" }
    again_after: 5m
  - id: shadowed
    mode: shadow
    page: /reports
    when: [{ errors: 1 }]
    offer: { body: "Trouble?", accept: "Yes please", dismiss: "No thanks" }
"#;

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

async fn act(served: &Docent, dice: &mut Dice, session: &str, person: u64, now: f64) {
    let actions: Vec<Value> = (0..=dice.below(3))
        .map(|place| {
            let (kind, page) = (dice.one_of(&KINDS), dice.one_of(&PAGES));
            let at = now - dice.below(30) as f64 + place as f64;
            json!({
                "type": kind, "title": page, "canonical_url": format!("https://app.example.com{page}"),
                "timestamp_start": at, "properties": { "amount": dice.below(9) },
            })
        })
        .collect();
    let mut batch = json!({ "type": "actions", "session_id": session, "actions": actions });
    if dice.below(2) == 0 {
        batch["user_id"] = format!("u_{}", person % 40).into();
        batch["email"] = format!("u{}@example.com", person % 40).into();
    }
    if dice.below(4) == 0 {
        batch["traits"] = json!({ "plan": dice.one_of(&["free", "pro", "enterprise"]) });
    }
    if dice.below(3) == 0 {
        batch["forwarded_at"] = dice.below(20).into();
    }
    let (status, body) = served.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
}

/// Six sessions of one client, one step after the other: mostly polls.
async fn client(served: &Docent, number: u64, polls: u64) -> u64 {
    let mut dice = Dice(number);
    let (mut made, mut polled) = (0, 0);
    while polled < polls {
        let session = format!("ps_{number}_{}_{}", polled / 150, dice.below(SESSIONS));
        match dice.below(10) {
            0 | 1 => {
                let (_, clock) = served.post("/__clock", json!({ "advance_s": 0.25 })).await;
                let now = clock["now"].as_f64().unwrap();
                act(served, &mut dice, &session, number, now).await;
            }
            2 => {
                let event = dice.one_of(&EVENTS);
                let path = format!("/agent_state/acme/proactive%3A{session}");
                let (status, body) = served.post(&path, json!({ "event": event })).await;
                assert!(status < 500, "{body}");
            }
            _ => {
                let conversation = match dice.below(12) {
                    0 => format!("chat_{number}"),
                    _ => format!("proactive%3A{session}"),
                };
                let path = format!("/context/acme/{session}?conversation_id={conversation}");
                let (status, body) = served.get(&path).await;
                assert_eq!(status, 200, "{body}");
                made += u64::from(!body["proactive_trigger"].is_null());
                polled += 1;
            }
        }
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_day_is_decided_again_as_it_was() {
    let least: u64 = docent::runtime::environment::variable("DOCENT_VERIFY_DECISIONS")
        .map_or(6_000, |decisions| decisions.parse().unwrap());
    let workspace = shipped();
    let settings = "version: 1\njournal: { sample: 100% }\n\
         limits: { per_session: 10000/s, per_client: 100000/s }\n\
         products:\n  acme:\n    proactive:\n      min_interval: 30s\n      \
         conservative: { base: 40s, step: 20s }\n      quotas: { product_per_minute: 60, session_per_hour: 9, user_per_day: 12 }\n";
    write(workspace.path(), "docent.yaml", settings);
    write(workspace.path(), "rules/more.yaml", MORE);
    let arguments = ["--virtual-clock", "--listen", "127.0.0.1:0"];
    let mut served = Docent::start_in(workspace, &arguments, &[]);
    let clients = (0..CLIENTS).map(|number| client(&served, number, least.div_ceil(CLIENTS)));
    let made: u64 = join_all(clients).await.into_iter().sum();
    let (_, metrics) = served.get("/metrics").await;
    let dropped = r#"docent_journal_lines_total{result="dropped"} 0"#;
    assert!(metrics.as_str().unwrap().contains(dropped), "{metrics}");
    served.stop();
    let arguments = ["replay", "data/journal", "--verify", "--format", "json"];
    let (code, told, errors) = docent(served.workspace.path(), &arguments, "");
    assert_eq!((code, &*errors), (0, ""), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["ok"] == true && told["same"].as_u64() >= Some(least), "{told}");
    assert!(made > 50, "{made} offers");
    writeln!(std::io::stderr(), "{made} offers; {told}").unwrap();
}
