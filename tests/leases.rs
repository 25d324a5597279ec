//! Several instances and one upstream: one of them reads it, another takes over when that one is
//! gone, and neither a crash nor a rolling restart loses what the upstream says.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "an upstream of a test ends with it")]

mod common;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "redis/server.rs"]
mod server;

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::common::Docent;
use crate::server::{Server, until};

const RULES: &str = "version: 1\ntriggers:\n  - id: seen\n    when: [{ count: { type: pageview, exactly: 1, within: 10m } }]\n    \
     offer: { body: Hello, accept: Show me, dismiss: No thanks }\n";

/// An upstream that says everything to everybody who listens, and knows who does.
#[derive(Clone)]
struct Upstream {
    url: String,
    says: broadcast::Sender<Bytes>,
    /// Connections that are open now.
    open: Arc<AtomicUsize>,
    /// The fewest that were open at once since [`Upstream::forget`].
    fewest: Arc<Mutex<usize>>,
}

/// One connection; it ends when the stream is dropped.
struct Guest(Upstream);

impl Drop for Guest {
    fn drop(&mut self) {
        let left = self.0.open.fetch_sub(1, Ordering::SeqCst) - 1;
        let mut fewest = self.0.fewest.lock().unwrap();
        *fewest = left.min(*fewest);
    }
}

impl Upstream {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, fewest) = (Arc::default(), Arc::new(Mutex::new(usize::MAX)));
        let upstream = Self { url, says: broadcast::channel(64).0, open, fewest };
        let host = upstream.clone();
        let router =
            Router::new().fallback(move |headers: HeaderMap| {
                let host = host.clone();
                let stranger =
                    headers.get("authorization").is_some_and(|key| key == "Bearer stranger");
                async move {
                    if stranger { StatusCode::FORBIDDEN.into_response() } else { host.welcome() }
                }
            });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        upstream
    }

    fn welcome(&self) -> Response {
        self.open.fetch_add(1, Ordering::SeqCst);
        let (guest, hears) = (Guest(self.clone()), self.says.subscribe());
        let first = stream::once(async { Ok(Bytes::from_static(b": welcome\n\n")) });
        let rest = stream::unfold((guest, hears), |(guest, mut hears)| async move {
            let said = hears.recv().await.ok()?;
            Some((Ok::<_, Infallible>(said), (guest, hears)))
        });
        let media_type = [("content-type", "text/event-stream")];
        (media_type, Body::from_stream(first.chain(rest))).into_response()
    }

    fn forget(&self) {
        *self.fewest.lock().unwrap() = usize::MAX;
    }

    /// Waits until exactly so many listen.
    async fn heard_by(&self, count: usize) {
        let here = || self.open.load(Ordering::SeqCst);
        until("as many readers as there should be", async || here() == count).await;
    }

    /// Says one page view of a session, twice: an upstream may repeat itself.
    fn tells_of(&self, session: &str) {
        let action = json!({ "type": "pageview", "canonical_url": "/projects" });
        let batch = json!({ "type": "actions", "session_id": session, "forwarded_at": 1.5, "actions": [action] });
        for _ in 0..2 {
            let _nobody = self.says.send(Bytes::from(format!("data: {batch}\n\n")));
        }
    }
}

fn docent(upstream: &Upstream, redis: &Server) -> Docent {
    docent_with_token("friend", upstream, redis)
}

fn docent_with_token(token: &str, upstream: &Upstream, redis: &Server) -> Docent {
    let settings = format!(
        "version: 1\nstore: \"{}\"\nproducts:\n  acme: {{ sources: [{{ sse: {{ url: \"{}\", token: {token} }} }}] }}\n",
        redis.url(),
        upstream.url
    );
    Docent::serve(&[("docent.yaml", &settings), ("rules/r.yaml", RULES)])
}

/// What this instance offers a session, once it does: nothing unless its one page view counts once.
async fn offered(docent: &Docent, session: &str) {
    until("an offer", async || docent.poll(session).await["proactive_trigger"] != Value::Null)
        .await;
}

async fn phase(docent: &Docent) -> String {
    let (_, metrics) = docent.get("/metrics").await;
    let metrics = metrics.as_str().unwrap_or_default().to_owned();
    let line =
        metrics.lines().find(|line| line.starts_with("docent_source") && line.ends_with(" 1"));
    line.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn one_instance_reads_an_upstream_and_another_takes_over() {
    let (redis, upstream) = (Server::start(&[]), Upstream::start().await);
    let first = docent(&upstream, &redis);
    upstream.heard_by(1).await;
    let second = docent(&upstream, &redis);
    until("the second to stand by", async || phase(&second).await.contains("standby")).await;
    upstream.tells_of("ps_1");
    offered(&second, "ps_1").await;
    assert_eq!(upstream.open.load(Ordering::SeqCst), 1, "both read");

    // As `kill -9`.
    drop(first);
    upstream.heard_by(0).await;
    upstream.heard_by(1).await;
    upstream.tells_of("ps_2");
    offered(&second, "ps_2").await;

    // A rolling restart: whoever comes next is connected before the one who goes leaves.
    let third = docent(&upstream, &redis);
    until("the third to stand by", async || phase(&third).await.contains("standby")).await;
    upstream.forget();
    let mut second = second;
    second.stop();
    upstream.heard_by(1).await;
    assert_eq!(*upstream.fewest.lock().unwrap(), 1, "for a moment nobody read");
    upstream.tells_of("ps_3");
    offered(&third, "ps_3").await;
}

/// It is said once, and nobody could tell the upstream to say it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn what_an_upstream_says_while_the_store_is_away_is_kept_afterwards() {
    let mut redis = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let upstream = Upstream::start().await;
    let docent = docent(&upstream, &redis);
    upstream.heard_by(1).await;
    redis.kill();
    upstream.tells_of("ps_1");
    docent.until("/readyz", |status, _| status == 503).await;
    redis.resume();
    docent.until("/readyz", |status, _| status == 200).await;
    offered(&docent, "ps_1").await;
}

/// A holder that the upstream refuses keeps nobody else from reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn who_is_refused_lets_another_read() {
    let (redis, upstream) = (Server::start(&[]), Upstream::start().await);
    let refused = docent_with_token("stranger", &upstream, &redis);
    until("it to be refused", async || phase(&refused).await.contains("fatal")).await;
    let reader = docent(&upstream, &redis);
    upstream.heard_by(1).await;
    upstream.tells_of("ps_1");
    offered(&refused, "ps_1").await;
    assert!(phase(&refused).await.contains("fatal"), "its operator is told");
    drop(reader);
}
