//! `--verify` of a busy day: many people at once, through real docents with every rule that is shipped
//! and more, while rules change and sessions are forgotten; and every decision is made again.
//! `DOCENT_VERIFY_DECISIONS` says how many at least; for 100,000 add `--profile long`.

use std::io::Write as _;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::common::{Docent, shipped, write};
use crate::recorded::docent;
use crate::server::Server;

const CLIENTS: u64 = 32;
/// Sessions of one client that live side by side.
const SESSIONS: u64 = 6;
/// Polls after which a client goes on with other sessions.
const LIFE: u64 = 150;
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
const EVENTS: [&str; 9] = [
    "proactive_shown",
    "proactive_dismissed",
    "proactive_accepted_tour",
    "proactive_accepted_chat",
    "proactive_snoozed",
    "tour_completed",
    "tour_failed",
    "user_sent",
    "reset",
];
/// More than the shipped rules use: caps, groups by chance, exclusive groups, quotas, rests.
const MORE: &str = r#"
version: 1
triggers:
  - id: capped
    priority: 10
    when: [{ count: { type: pageview, at_least: 2, within: 10m } }]
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks", timeout: 20s }
    cooldown: 10s
    frequency: [{ per: user, limit: 2, window: 1h }, { per: account, limit: 9, window: 30m }, { per: product, limit: 40, window: 5m }]
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
  - id: varied
    priority: 20
    page: /import
    group: one
    when: [{ trait: { name: plan, in: [free, pro] } }]
    offer: { body: "One", variants: [{ id: a }, { id: b, body: "Two" }], accept: "Yes please", dismiss: "No thanks", timeout: 15s }
    goal: { event: click, within: 5m }
    on_dismiss: { cooldown: 1m }
    reset: { on: error }
  - id: remembered
    priority: 30
    group: one
    when: [{ seen: { trigger: varied, outcome: dismissed } }]
    offer: { body: "And now?", accept: "Yes please", dismiss: "No thanks", timeout: 1m }
    frequency: [{ per: session, limit: 2, window: 10m }]
"#;
const PROACTIVE: &str = "{ min_interval: 20s, conservative: { base: 40s, step: 20s }, \
     quotas: { product_per_minute: 60, session_per_hour: 9, user_per_day: 12 } }";

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

/// A store that is shared may keep somebody waiting; this is too long.
const BOUND: Duration = Duration::from_secs(20);

/// Asks again while nobody knows.
async fn told(ask: impl AsyncFn() -> (u16, Value)) -> (u16, Value) {
    let begun = Instant::now();
    loop {
        let (status, body) = ask().await;
        if status != 503 || begun.elapsed() > BOUND {
            return (status, body);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// One client: six sessions, one step after the other, each through any instance.
struct Client<'d> {
    served: &'d [Docent],
    number: u64,
    dice: Dice,
    last: Option<Value>,
}

impl Client<'_> {
    fn any(&mut self) -> &Docent {
        &self.served[self.dice.below(self.served.len() as u64) as usize]
    }

    /// Time goes on, and somebody does something.
    async fn act(&mut self, session: &str) {
        let mut now = 0.0;
        for served in self.served {
            let (_, clock) = served.post("/__clock", json!({ "advance_s": 0.25 })).await;
            now = clock["now"].as_f64().unwrap();
        }
        let again = self.last.take().filter(|_| self.dice.below(9) == 0);
        let batch = again.unwrap_or_else(|| self.batch(session, now));
        let served = self.any();
        let (status, body) = told(async || served.post("/events/acme", batch.clone()).await).await;
        assert_eq!(status, 200, "{body}");
        self.last = Some(batch);
    }

    fn batch(&mut self, session: &str, now: f64) -> Value {
        let person = self.number % 40;
        let dice = &mut self.dice;
        if dice.below(25) == 0 {
            return json!({ "type": "summary", "session_id": session, "summary": "Asked about invoices" });
        }
        let action = |place: u64, dice: &mut Dice| {
            let (kind, page) = (dice.one_of(&KINDS), dice.one_of(&PAGES));
            let at = now - dice.below(30) as f64 + place as f64;
            json!({
                "type": kind, "title": page, "canonical_url": format!("https://app.example.com{page}"),
                "timestamp_start": at, "properties": { "amount": dice.below(9) },
            })
        };
        let actions: Vec<Value> = (0..=dice.below(3)).map(|place| action(place, dice)).collect();
        let mut batch = json!({ "type": "actions", "session_id": session, "actions": actions });
        if dice.below(2) == 0 {
            batch["user_id"] = format!("u_{person}").into();
            batch["email"] = format!("u{person}@example.com").into();
        }
        if dice.below(3) == 0 {
            batch["account_id"] = format!("a_{}", person % 7).into();
        }
        if dice.below(4) == 0 {
            batch["traits"] = json!({ "plan": dice.one_of(&["free", "pro", "enterprise"]) });
        }
        if dice.below(3) == 0 {
            batch["forwarded_at"] = (now - 1.0 - dice.below(20) as f64).into();
        }
        batch
    }

    /// The chat thread or the toast, as a path names it.
    fn conversation(&mut self, session: &str) -> String {
        match self.dice.below(12) {
            0 => format!("chat_{}", self.number),
            _ => format!("proactive%3A{session}"),
        }
    }

    async fn answer(&mut self, session: &str) {
        let path = format!("/agent_state/acme/{}", self.conversation(session));
        let event = json!({ "event": self.dice.one_of(&EVENTS), "for_s": 90 });
        let served = self.any();
        let (status, body) = told(async || served.post(&path, event.clone()).await).await;
        assert!(status < 500, "{body}");
    }

    /// Whether something was offered.
    async fn ask(&mut self, session: &str) -> bool {
        let conversation = self.conversation(session);
        let path = format!("/context/acme/{session}?conversation_id={conversation}");
        let served = self.any();
        let (status, body) = told(async || served.get(&path).await).await;
        assert_eq!(status, 200, "{body}");
        !body["proactive_trigger"].is_null()
    }

    /// So many polls, and what happens between them; how many offers came.
    async fn live(mut self, polls: u64) -> u64 {
        let (mut made, mut polled) = (0, 0);
        while polled < polls {
            let life = polled / LIFE;
            let session = format!("ps_{}_{life}_{}", self.number, self.dice.below(SESSIONS));
            match self.dice.below(20) {
                0..4 => self.act(&session).await,
                4 | 5 => self.answer(&session).await,
                // Clocks that differ would leave open what came first.
                6 if self.served.len() == 1 && self.dice.below(40) == 0 => {
                    let path = format!("/admin/sessions/acme/{session}/forget");
                    let (status, body) = self.any().post(&path, json!({})).await;
                    assert!(matches!(status, 200 | 404), "{body}");
                }
                _ => {
                    made += u64::from(self.ask(&session).await);
                    polled += 1;
                    self.edit(polled, polls).await;
                }
            }
        }
        made
    }

    /// The first client edits a rule for a while.
    async fn edit(&self, polled: u64, polls: u64) {
        let edited =
            || MORE.replace("Need a hand?", "Want a hand?").replace("dwell: 3s", "dwell: 4s");
        let (text, revision) = match polled.checked_sub(polls / 3) {
            Some(0) => (edited(), 2),
            Some(20) => (MORE.to_owned(), 3),
            _ => return,
        };
        if self.number > 0 {
            return;
        }
        for served in self.served {
            served.write("rules/more.yaml", &text);
        }
        let begun = Instant::now();
        for served in self.served {
            while served.get("/admin/status").await.1["revision"] != revision {
                assert!(begun.elapsed() < Duration::from_secs(100), "no revision {revision}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn least() -> u64 {
    docent::runtime::environment::variable("DOCENT_VERIFY_DECISIONS")
        .map_or(6_000, |decisions| decisions.parse().unwrap())
}

/// The shipped rules and more, with this store, and a journal in small segments.
fn busy_workspace(store: &str) -> TempDir {
    let workspace = shipped();
    // Nothing may have to go before it is looked at.
    let size = 16 + least() / 400;
    let settings = format!(
        "version: 1\nstore: {store}\n\
         journal: {{ folder: journal, sample: 100%, max_size: {size}MiB }}\n\
         limits: {{ per_session: 10000/s, per_client: 100000/s }}\n\
         products:\n  acme:\n    proactive: {PROACTIVE}\n"
    );
    write(workspace.path(), "docent.yaml", &settings);
    write(workspace.path(), "rules/more.yaml", MORE);
    workspace
}

/// A busy day of these instances, verified.
async fn verified(mut served: Vec<Docent>, least: u64) {
    // What other rules decide for a while is not looked at.
    let polls = (least + least / 10).div_ceil(CLIENTS) + 40;
    let clients = (0..CLIENTS).map(|number| {
        Client { served: &served, number, dice: Dice(number), last: None }.live(polls)
    });
    let made: u64 = join_all(clients).await.into_iter().sum();
    let dropped = r#"docent_journal_lines_total{result="dropped"} 0"#;
    for served in &mut served {
        let (_, metrics) = served.get("/metrics").await;
        assert!(metrics.as_str().unwrap().contains(dropped), "{metrics}");
        served.stop();
    }
    let journals = served.iter().map(|served| served.workspace.path().join("journal"));
    let journals: Vec<String> = journals.map(|path| path.display().to_string()).collect();
    let mut arguments = vec!["replay", "--verify", "--format", "json"];
    arguments.extend(journals.iter().map(String::as_str));
    let begun = Instant::now();
    let (code, told, errors) = docent(served[0].workspace.path(), &arguments, "");
    let took = begun.elapsed();
    assert_eq!((code, &*errors), (0, ""), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["ok"] == true && told["same"].as_u64() >= Some(least), "{told}");
    for nothing in ["differ", "strayed", "lost", "missing", "unreadable"] {
        assert_eq!(told[nothing], 0, "{nothing}: {told}");
    }
    assert!(told["by_other_rules"].as_u64() > Some(0), "{told}");
    assert!(made > 50, "{made} offers");
    writeln!(std::io::stderr(), "{made} offers; {told} in {took:?}").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_day_is_decided_again_as_it_was() {
    let arguments = ["--virtual-clock", "--listen", "127.0.0.1:0"];
    let served = Docent::start_in(busy_workspace("embedded:data"), &arguments, &[]);
    verified(vec![served], least()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_busy_day_of_four_instances_is_decided_again_as_it_was() {
    let server = Server::start(&[]);
    let served = ["one", "two", "three", "four"].map(|name| {
        let arguments = ["--virtual-clock", "--listen", "127.0.0.1:0", "--instance", name];
        Docent::start_in(busy_workspace(&server.url()), &arguments, &[])
    });
    verified(served.into(), least()).await;
}
