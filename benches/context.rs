//! `/context` beside a bare handler that returns constant bytes of the same size, both on one core
//! behind the same accept loop: `cargo bench --bench context`. Keys, CORS, limits and metrics are
//! on; 100 rules over 50 pages; nothing changes between polls.
#![expect(clippy::expect_used, reason = "a benchmark may panic")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use docent::app::App;
use docent::http::origin::Address;
use docent::http::serve::{Patience, serve};
use docent::http::site::Site;
use docent::library::live::Live;
use docent::rulebook::Sources;
use docent::runtime::clock::Clock;
use docent::runtime::metrics::Metrics;
use docent::runtime::tasks::Tasks;
use docent::store::Store;
use http::Request;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// Connections that each have one request under way.
const CONNECTIONS: usize = 64;
/// They take turns in so many groups: while the answers of one are read the others keep the server
/// busy, so that it never waits for us.
const GROUPS: usize = 4;

const SETTINGS: &str = "version: 1\nlimits: { per_session: 1000000000/s, per_client: 1000000000/s }\n\
     products:\n  acme:\n    allowed_origins: [https://app.test]\n    keys: { publishable: [pk_1, pk_2] }\n";

fn sources() -> Sources {
    let mut rules = String::from("version: 1\ntriggers:\n");
    for rule in 0..100 {
        let page = rule % 50;
        rules.push_str(&format!(
            "  - id: rule-{rule}\n    page: /page-{page}\n    when: [{{ dwell: 20m }}, {{ ping_pong: 9 }}]\n    \
             offer: {{ body: Hello, accept: Yes please, dismiss: No thanks }}\n"
        ));
    }
    let files = BTreeMap::from([
        ("docent.yaml".to_owned(), SETTINGS.as_bytes().to_vec()),
        ("rules/bench.yaml".to_owned(), rules.into_bytes()),
    ]);
    Sources { files }
}

fn site() -> Arc<Site> {
    let clock = Clock::wall();
    let live = Live::start(sources(), |_| None, clock.now()).expect("rules without a mistake");
    let store = Store::open("memory", &live.current().settings.limits).expect("memory");
    let app = App::new(Arc::new(live), Arc::new(store), clock, Arc::new(Metrics::new()));
    Arc::new(Site::whole(Arc::new(app), Address::Loopback))
}

/// Starts a server on a core of its own and says where.
fn start<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = axum::response::Response> + Send + 'static,
{
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            told.send(listener.local_addr().expect("an address")).expect("a listener");
            let tasks = Tasks::new();
            serve(listener, &tasks, tasks.stopping(), Patience::default(), answer).await;
        });
    });
    address.recv().expect("an address")
}

/// Browsers, each with a keep-alive connection.
struct Clients {
    streams: Vec<TcpStream>,
    request: Vec<u8>,
    /// The size of one answer, and of its body.
    answer: (usize, usize),
}

impl Clients {
    fn new(address: SocketAddr, path: &str) -> Self {
        let stream = |_| {
            let stream = TcpStream::connect(address).expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            stream
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\norigin: https://app.test\r\nauthorization: Bearer pk_2\r\n\r\n"
        );
        let mut streams: Vec<_> = (0..CONNECTIONS).map(stream).collect();
        let answer = measure(streams.first_mut().expect("a connection"), request.as_bytes());
        Self { streams, request: request.into_bytes(), answer }
    }

    /// A first request on every connection.
    fn begin(mut self) -> Self {
        for stream in &mut self.streams {
            stream.write_all(&self.request).expect("a request");
        }
        self
    }

    /// The answer to the last request and a new one on every connection. Of a group the last is
    /// waited for first: waking us once for each answer would be the server's work, too.
    fn exchange(&mut self) {
        let mut buffer = [0; 4_096];
        for group in self.streams.chunks_mut(CONNECTIONS / GROUPS) {
            for stream in group.iter_mut().rev() {
                let mut left = self.answer.0;
                while left > 0 {
                    let read = stream.read(&mut buffer).expect("an answer");
                    assert!(read > 0 && read <= left, "answers of one size");
                    left -= read;
                }
            }
            for stream in group {
                stream.write_all(&self.request).expect("a request");
            }
        }
    }
}

/// The size of one answer, and of its body, read to the last byte.
fn measure(stream: &mut TcpStream, request: &[u8]) -> (usize, usize) {
    stream.write_all(request).expect("a request");
    let (mut seen, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut buffer).expect("an answer");
        seen.extend(buffer.iter().take(read));
        let text = String::from_utf8_lossy(&seen);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        if body.len() >= length {
            return (seen.len(), length);
        }
    }
}

fn context() -> SocketAddr {
    let site = site();
    start(move |request| {
        let site = Arc::clone(&site);
        async move { site.answer(request).await }
    })
}

fn bare(size: usize) -> SocketAddr {
    let bytes = bytes::Bytes::from(vec![b'x'; size]);
    let router = Router::new().route("/context/{product}/{session}", get(async move || bytes));
    start(move |request| {
        let router = router.clone();
        async move { router.oneshot(request).await.unwrap_or_else(|never| match never {}) }
    })
}

/// A session with twenty actions on one of the pages.
fn act(address: SocketAddr) {
    let action = r#"{"type":"click","title":"Save","canonical_url":"/page-7"}"#;
    let actions = [action; 20].join(",");
    let body = format!(r#"{{"type":"actions","session_id":"ps_1","actions":[{actions}]}}"#);
    let mut stream = TcpStream::connect(address).expect("a connection");
    let length = body.len();
    let head = format!(
        "POST /events/acme HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).expect("a batch");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains(r#""accepted":20"#), "{answer}");
}

fn polls(criterion: &mut Criterion) {
    const PATH: &str = "/context/acme/ps_1?conversation_id=proactive%3Aps_1";
    let address = context();
    act(address);
    let size = Clients::new(address, PATH).answer.1;
    let bare = bare(size);
    let mut group = criterion.benchmark_group("context");
    group.throughput(Throughput::Elements(CONNECTIONS as u64));
    for (name, address) in [("bare axum handler", bare), ("docent", address)] {
        group.bench_function(name, |bencher| {
            let mut clients = Clients::new(address, PATH).begin();
            bencher.iter(|| clients.exchange());
        });
    }
    group.finish();
}

criterion_group!(benches, polls);
criterion_main!(benches);
