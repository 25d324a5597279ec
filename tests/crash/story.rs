//! A person's visit while the server may go at any moment, and what has to be remembered of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

/// A server that is shared may be slow to be found again; this is too slow.
const BOUND: Duration = Duration::from_secs(20);
/// Before asking again.
const AWHILE: Duration = Duration::from_millis(20);
/// How long a batch is surely known to be a duplicate.
const KNOWN: Duration = Duration::from_secs(240);

/// What one person was told.
#[derive(Debug, Default)]
pub(crate) struct Story {
    begun: Option<Instant>,
    /// Batches that were acknowledged, of either session.
    pub(crate) batches: Vec<Value>,
    pub(crate) session: String,
    /// The same person elsewhere.
    pub(crate) other: String,
    /// An offer was handed out.
    pub(crate) offered: bool,
    /// Its dismissal was acknowledged.
    pub(crate) dismissed: bool,
}

/// Asks one server; `None` once it is gone.
pub(crate) struct Asking<'a> {
    pub(crate) client: &'a Client,
    pub(crate) base: &'a str,
    pub(crate) answered: &'a AtomicU64,
    /// A 503 ends a visit like a lost connection; without, it fails the test.
    pub(crate) patient: bool,
    /// Whether the store is elsewhere: a 503 then means that nobody knows yet, and to ask again.
    pub(crate) shared: bool,
}

impl Asking<'_> {
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let body = response.json().await.ok()?;
        self.answered.fetch_add(1, Ordering::Relaxed);
        Some((status, body))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        self.send(self.client.post(format!("{}{path}", self.base)).json(body)).await
    }

    pub(crate) async fn poll(&self, session: &str) -> Option<(u16, Value)> {
        let path = format!("/context/acme/{session}?conversation_id=proactive%3A{session}");
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    /// One person's visit, as far as it comes.
    pub(crate) async fn live(&self, story: &mut Story, name: &str) -> Option<()> {
        story.begun = Some(Instant::now());
        (story.session, story.other) = (format!("s_{name}"), format!("o_{name}"));
        for (number, session) in [(0, &story.session), (1, &story.session), (2, &story.other)] {
            let batch = json!({
                "type": "actions", "session_id": session, "user_id": format!("u_{name}"),
                "forwarded_at": 1_760_000_000 + number,
                "actions": [{ "type": "pageview", "canonical_url": format!("/{number}") }],
            });
            let (status, body) = self.post("/events/acme", &batch).await?;
            self.goes_on(status)?;
            assert_eq!((status, &body["duplicate"]), (200, &json!(false)), "{body}");
            story.batches.push(batch);
        }
        let (status, body) = self.poll(&story.session).await?;
        self.goes_on(status)?;
        assert_eq!(status, 200, "{body}");
        assert!(!body["proactive_trigger"].is_null(), "{body}");
        story.offered = true;
        let path = format!("/agent_state/acme/proactive%3A{}", story.session);
        let (status, body) = self.post(&path, &json!({ "event": "proactive_dismissed" })).await?;
        self.goes_on(status)?;
        assert_eq!((status, &body["reason"]), (200, &Value::Null), "{body}");
        story.dismissed = true;
        Some(())
    }

    fn goes_on(&self, status: u16) -> Option<()> {
        (!self.patient || status != 503).then_some(())
    }

    /// Asks until there is an answer, where the store may not be found at once.
    async fn told(&self, ask: impl AsyncFn() -> Option<(u16, Value)>) -> (u16, Value) {
        let begun = Instant::now();
        loop {
            let told = ask().await.unwrap();
            if !self.shared || told.0 != 503 || begun.elapsed() > BOUND {
                return told;
            }
            tokio::time::sleep(AWHILE).await;
        }
    }

    /// Everything that was acknowledged is still so.
    pub(crate) async fn remembers(&self, story: &Story) {
        let fresh = story.begun.is_some_and(|begun| begun.elapsed() < KNOWN);
        for batch in story.batches.iter().filter(|_| fresh) {
            let (status, body) = self.told(async || self.post("/events/acme", batch).await).await;
            assert_eq!((status, &body["duplicate"]), (200, &json!(true)), "{story:?}");
        }
        if !story.offered {
            return self.offers_one(story).await;
        }
        let (_, body) = self.told(async || self.poll(&story.session).await).await;
        assert!(body["proactive_trigger"].is_null(), "offered twice: {body} {story:?}");
        if story.dismissed {
            assert_eq!(body["proactive_skip_reason"], "fsm:conservative_cooldown", "{story:?}");
        }
        let (_, body) = self.told(async || self.poll(&story.other).await).await;
        assert!(body["proactive_trigger"].is_null(), "beyond the quota: {body} {story:?}");
    }

    /// Whether an offer was made whose answer was lost is not known; there is one at most.
    async fn offers_one(&self, story: &Story) {
        let mut offers = BTreeSet::new();
        for session in [&story.session, &story.other].repeat(2) {
            let (status, body) = self.told(async || self.poll(session).await).await;
            assert_eq!(status, 200, "{body}");
            let told = [&body["proactive_trigger"], &body["pending_offer"]];
            let told = told.into_iter().filter_map(|offer| offer["offer_id"].as_str());
            offers.extend(told.map(str::to_owned));
        }
        assert!(offers.len() <= 1, "{offers:?} {story:?}");
    }
}
