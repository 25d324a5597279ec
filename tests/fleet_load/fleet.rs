//! The instances as their clients see them: some answer, and which do changes.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use docent::runtime::clock::Clock;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::common::{Docent, workspace};

/// How many there are.
pub(crate) const INSTANCES: usize = 4;
/// The one whose clock is ahead, and by how many seconds.
const AHEAD: (usize, f64) = (INSTANCES - 1, 3.0);
/// A halted instance is given up on.
const PATIENCE: Duration = Duration::from_secs(3);
/// Whatever happens, somebody answers within this.
const BOUND: Duration = Duration::from_secs(120);
/// Before somebody else is asked.
pub(crate) const AWHILE: Duration = Duration::from_millis(50);

/// Arguments of an instance.
pub(crate) fn arguments(instance: usize) -> &'static [&'static str] {
    const BOTH: &[&str] = &["--listen", "127.0.0.1:0", "--virtual-clock"];
    if instance == AHEAD.0 { BOTH } else { &["--listen", "127.0.0.1:0"] }
}

/// Where they are, and how they have answered.
pub(crate) struct Fleet {
    client: Client,
    bases: RwLock<[String; INSTANCES]>,
    random: RandomState,
    drawn: AtomicU64,
    answers: AtomicU64,
    refusals: AtomicU64,
    silences: AtomicU64,
}

impl Fleet {
    pub(crate) async fn start(settings: &str, rules: &str) -> (Vec<Docent>, Self) {
        let files = [("docent.yaml", settings), ("rules/eager.yaml", rules)];
        let docents: Vec<Docent> = (0..INSTANCES)
            .map(|instance| Docent::start_in(workspace(&files), arguments(instance), &[]))
            .collect();
        let bases = std::array::from_fn(|instance| docents[instance].base.clone());
        let fleet = Self {
            client: docent::runtime::client::shared().unwrap(),
            bases: RwLock::new(bases),
            random: RandomState::new(),
            drawn: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            silences: AtomicU64::new(0),
        };
        fleet.recovers().await;
        (docents, fleet)
    }

    pub(crate) fn moved(&self, instance: usize, base: &str) {
        self.bases.write().unwrap()[instance] = base.to_owned();
    }

    fn base(&self, instance: usize) -> String {
        self.bases.read().unwrap()[instance % INSTANCES].clone()
    }

    fn any(&self) -> usize {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        (self.random.hash_one(drawn) % INSTANCES as u64) as usize
    }

    /// Asks once; `None` when nobody answers, or that it cannot at present.
    async fn once(&self, request: RequestBuilder) -> Option<Value> {
        let silent = || self.silences.fetch_add(1, Ordering::Relaxed);
        let Ok(response) = request.timeout(PATIENCE).send().await else {
            silent();
            return None;
        };
        let status = response.status().as_u16();
        let Ok(body) = response.json::<Value>().await else {
            silent();
            return None;
        };
        if status == 503 {
            self.refusals.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        assert_eq!(status, 200, "{body}");
        self.answers.fetch_add(1, Ordering::Relaxed);
        Some(body)
    }

    /// Polls one instance once.
    pub(crate) async fn glance(&self, instance: usize, at: (&str, &str)) -> Option<Value> {
        let ((product, session), base) = (at, self.base(instance));
        let query = format!("conversation_id=proactive%3A{session}");
        self.once(self.client.get(format!("{base}/context/{product}/{session}?{query}"))).await
    }

    /// Polls until one answers.
    pub(crate) async fn poll(&self, product: &str, session: &str) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(body) = self.glance(self.any(), (product, session)).await {
                return body;
            }
            assert!(begun.elapsed() < BOUND, "nobody answers for {session}");
            sleep(AWHILE).await;
        }
    }

    /// Says it until one acknowledges, and how often it was said.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (Value, usize) {
        let begun = Instant::now();
        let mut times = 0;
        loop {
            times += 1;
            let base = self.base(self.any());
            let request = self.client.post(format!("{base}{path}")).json(body);
            if let Some(body) = self.once(request).await {
                return (body, times);
            }
            assert!(begun.elapsed() < BOUND, "nobody acknowledges {path} {body}");
            sleep(AWHILE).await;
        }
    }

    /// All are ready, by themselves.
    pub(crate) async fn recovers(&self) {
        let begun = Instant::now();
        for instance in 0..INSTANCES {
            while !(self.is_ready(instance).await
                && self.glance(instance, ("acme", "nobody")).await.is_some())
            {
                assert!(begun.elapsed() < BOUND, "instance {instance} does not recover");
                sleep(AWHILE).await;
            }
        }
    }

    async fn is_ready(&self, instance: usize) -> bool {
        let request = self.client.get(format!("{}/readyz", self.base(instance)));
        let answer = request.timeout(PATIENCE).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// A dismissal that was acknowledged stands, whoever is asked.
    pub(crate) async fn remembers(&self, session: &str) {
        let body = self.poll("acme", session).await;
        let told = &body["proactive_skip_reason"];
        assert_eq!(told, "fsm:conservative_cooldown", "{session}: {body}");
        assert!(crate::offer_in(&body).is_none(), "{session}: {body}");
    }

    /// Its clock stands still by itself.
    pub(crate) async fn keeps_one_clock_ahead(&self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let now = Clock::wall().now().as_seconds() + AHEAD.1;
            let request = self.client.post(format!("{}/__clock", self.base(AHEAD.0)));
            let moved = request.json(&json!({ "now": now })).timeout(PATIENCE).send().await;
            drop(moved);
            sleep(AWHILE).await;
        }
    }

    /// Answers, refusals, and requests that nobody answered.
    pub(crate) fn figures(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.answers), read(&self.refusals), read(&self.silences))
    }
}
