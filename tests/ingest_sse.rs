//! The upstream client against a real HTTP server that misbehaves in every way the contract names.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests join what they spawn, or abort it")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use docent::domain::action::Delivery;
use docent::ingest::backoff::Backoff;
use docent::ingest::sse::{Pace, Upstream};
use docent::ingest::status::{Phase, SourceReport, SourceStatus};
use docent::rulebook::settings::{Secret, Source};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// One way to answer.
#[derive(Clone)]
enum Answer {
    Status(u16, &'static [(&'static str, &'static str)]),
    /// `200 text/event-stream` with these chunks, then the end.
    Events(Vec<Bytes>),
    /// The same, and then silence.
    Open(Vec<Bytes>),
    /// The same, and then the connection breaks.
    Broken(Vec<Bytes>),
    /// Accepted, but never answered.
    Never,
}

fn events(chunks: &[&str]) -> Vec<Bytes> {
    chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk.as_bytes())).collect()
}

fn batch(session: &str) -> String {
    let json = json!({"type": "actions", "session_id": session, "actions": [{"title": "é"}]});
    format!("data: {json}\n\n")
}

/// A server that answers each request with the next answer, the last one for ever.
struct Server {
    url: String,
    asked: mpsc::UnboundedReceiver<(Uri, HeaderMap)>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(answers: Vec<Answer>) -> Server {
    let (tell, asked) = mpsc::unbounded_channel();
    let turn = Arc::new(AtomicUsize::new(0));
    let answer = move |request: Request| {
        let _ = tell.send((request.uri().clone(), request.headers().clone()));
        let at = turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        respond(answers.get(at).unwrap().clone())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer);
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Server { url, asked, task }
}

async fn respond(answer: Answer) -> Response {
    let media_type = [("content-type", "text/event-stream; charset=utf-8")];
    let good = |chunks: Vec<Bytes>| stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
    match answer {
        Answer::Status(code, headers) => {
            let mut response = StatusCode::from_u16(code).unwrap().into_response();
            for (name, value) in headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
        Answer::Events(chunks) => (media_type, Body::from_stream(good(chunks))).into_response(),
        Answer::Open(chunks) => {
            let body = Body::from_stream(good(chunks).chain(stream::pending()));
            (media_type, body).into_response()
        }
        Answer::Broken(chunks) => {
            // Waiting once lets the server send what it has before the end.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("broken"))
            });
            (media_type, Body::from_stream(good(chunks).chain(broken))).into_response()
        }
        Answer::Never => std::future::pending().await,
    }
}

/// A reader under test; what it delivers is told on `heard`.
struct Reader {
    status: Arc<SourceStatus>,
    heard: mpsc::UnboundedReceiver<Delivery>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

/// As patient as the default, but for the backoff: a test's server is back at once.
fn pace() -> Pace {
    let soon = Duration::from_millis(1);
    Pace { backoff: Backoff::new(soon, soon), ..Pace::default() }
}

fn client() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn read(url: &str, token: Option<&str>, pace: Pace) -> Reader {
    let upstream = Upstream {
        source: Source { url: url.into(), token: token.map(|token| Secret(token.into())) },
        product: "acme".into(),
        client: client(),
        status: Arc::default(),
        pace,
    };
    let (tell, heard) = mpsc::unbounded_channel();
    let (status, cancel) = (upstream.status.clone(), CancellationToken::new());
    let stop = cancel.clone();
    let task = tokio::spawn(async move {
        let tell = &tell;
        upstream.run(|delivery| async move { tell.send(delivery).unwrap() }, &stop).await;
    });
    Reader { status, heard, cancel, task }
}

impl Reader {
    async fn session(&mut self) -> String {
        match self.heard.recv().await.unwrap() {
            Delivery::Actions(batch) => batch.session_id.unwrap(),
            Delivery::Summary(summary) => format!("summary of {}", summary.session_id.unwrap()),
        }
    }

    /// The report once it is as `wanted` says.
    async fn until(&self, wanted: impl Fn(&SourceReport) -> bool) -> SourceReport {
        loop {
            let report = self.status.report();
            if wanted(&report) {
                return report;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn the_request_is_the_contracts() {
    let mut server = server(vec![Answer::Open(vec![])]).await;
    let reader = read(&server.url, Some("secret"), pace());
    let (uri, headers) = server.asked.recv().await.unwrap();
    assert_eq!(uri.path(), "/stream/acme");
    assert_eq!(headers["accept"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["authorization"], "Bearer secret");
    reader.until(|report| report.phase == Phase::Streaming).await;
    reader.stop().await;
}

#[tokio::test]
async fn a_blank_token_sends_no_authorization() {
    let mut server = server(vec![Answer::Status(401, &[])]).await;
    for token in [None, Some(""), Some(" ")] {
        let url = format!("{}/v1/stream/other", server.url);
        let reader = read(&url, token, pace());
        let (uri, headers) = server.asked.recv().await.unwrap();
        assert_eq!(uri.path(), "/v1/stream/other");
        assert!(!headers.contains_key("authorization"));
        reader.task.await.unwrap();
    }
}

#[tokio::test]
async fn refusals_for_good_end_the_reading_and_say_so() {
    for code in [401, 403, 404, 204, 400] {
        let server = server(vec![Answer::Status(code, &[("retry-after", "0")])]).await;
        let reader = read(&server.url, None, pace());
        reader.task.await.unwrap();
        let report = reader.status.report();
        let reason = format!("the upstream answers {code}");
        assert_eq!((report.phase, report.reason), (Phase::Fatal, Some(reason)));
        assert_eq!(report.reconnects, 0);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_end_the_reading_and_tell_no_secret() {
    for (url, token) in [("no url", None), ("http://127.0.0.1:9", Some("two\nlines"))] {
        let reader = read(url, token, pace());
        reader.task.await.unwrap();
        let report = reader.status.report();
        assert_eq!(report.phase, Phase::Fatal);
        let reason = report.reason.unwrap();
        assert!(!reason.contains("lines") && !reason.contains("127.0.0.1"), "{reason}");
    }
}

#[tokio::test]
async fn other_refusals_are_tried_again() {
    let html: &[_] = &[("content-type", "text/html")];
    let codes = [500, 503, 502, 429, 408, 425, 405, 301, 206];
    let mut answers: Vec<_> = codes.map(|code| Answer::Status(code, &[])).into();
    answers.push(Answer::Status(200, html));
    answers.push(Answer::Status(200, &[]));
    answers.push(Answer::Open(events(&[&batch("s")])));
    let server = server(answers).await;
    let mut reader = read(&server.url, None, pace());
    assert_eq!(reader.session().await, "s");
    let report = reader.until(|report| report.phase == Phase::Streaming).await;
    assert_eq!((report.reconnects, report.reason), (11, None));
    reader.stop().await;
}

#[tokio::test]
async fn an_upstream_that_asks_for_time_is_given_it() {
    for code in [503, 429] {
        let server = server(vec![Answer::Status(code, &[("retry-after", "120")])]).await;
        let reader = read(&server.url, None, pace());
        let report = reader.until(|report| report.phase == Phase::Waiting).await;
        assert_eq!(report.wait, Some(Duration::from_secs(120)));
        assert_eq!(report.reason, Some(format!("the upstream answers {code}")));
        reader.stop().await;
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_waited_for() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let long = Duration::from_secs(1_000);
    let pace = Pace { backoff: Backoff::new(long, long), ..Pace::default() };
    let reader = read(&format!("http://{nobody}"), None, pace);
    let report = reader.until(|report| report.phase == Phase::Waiting).await;
    assert!(report.reason.unwrap().starts_with("cannot connect: "));
    assert!(report.wait.unwrap() >= long && report.wait.unwrap() <= long.mul_f64(1.1));
    reader.stop().await;
}

#[tokio::test]
async fn a_server_that_closes_after_each_frame_is_read_frame_by_frame() {
    let answers = ["a", "b", "c"].map(|session| Answer::Events(events(&[&batch(session)])));
    let server = server(answers.into()).await;
    let mut reader = read(&server.url, None, pace());
    for session in ["a", "b", "c", "c"] {
        assert_eq!(reader.session().await, session);
    }
    let report = reader.status.report();
    assert!(report.reconnects >= 3 && report.garbage == 0, "{report:?}");
    reader.stop().await;
}

#[tokio::test]
async fn a_break_in_the_middle_of_a_frame_loses_that_frame_alone() {
    let whole = batch("b");
    let (half, _) = whole.split_at(20);
    let answers =
        vec![Answer::Broken(events(&[&batch("a"), half])), Answer::Open(events(&[&batch("c")]))];
    let server = server(answers).await;
    let mut reader = read(&server.url, None, pace());
    assert_eq!(reader.session().await, "a");
    assert_eq!(reader.session().await, "c");
    reader.stop().await;
}

#[tokio::test]
async fn a_silent_upstream_is_left_and_tried_again() {
    let server = server(vec![Answer::Never, Answer::Open(events(&[&batch("a")]))]).await;
    let short = Duration::from_millis(200);
    let mut reader =
        read(&server.url, None, Pace { silence: short, answer_within: short, ..pace() });
    assert_eq!(reader.session().await, "a");
    assert_eq!(reader.session().await, "a");
    assert!(reader.status.report().reconnects >= 2);
    let report = reader.until(|report| report.phase == Phase::Waiting).await;
    assert_eq!(report.reason.as_deref(), Some("the upstream fell silent"));
    reader.stop().await;
}

#[tokio::test]
async fn only_a_good_frame_or_a_long_connection_shortens_the_waits_again() {
    let (beat, good) = ("event: heartbeat\ndata: \n\n", batch("a"));
    let (at_once, later) = (Duration::ZERO, Duration::from_secs(60));
    let table = [
        (good.as_str(), later, false),
        (beat, later, true),
        ("data: {\n\n", later, true),
        (beat, at_once, false),
    ];
    for (chunk, recovered_after, grows) in table {
        let server = server(vec![Answer::Broken(events(&[chunk]))]).await;
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1_000));
        let reader = read(&server.url, None, Pace { backoff, recovered_after, ..pace() });
        let longest = std::cell::Cell::new(Duration::ZERO);
        let saw = |report: &SourceReport| {
            longest.set(longest.get().max(report.wait.unwrap_or_default()));
            report.reconnects >= 8
        };
        reader.until(saw).await;
        assert_eq!(longest.get() > Duration::from_millis(2), grows, "{chunk}");
        reader.stop().await;
    }
}

#[tokio::test]
async fn garbage_is_skipped_and_counted_and_the_stream_lives_on() {
    let good = batch("good");
    let odd_name = good.replace("data:", "event: foo\ndata:");
    let crlf = good.replace('\n', "\r\n");
    let beat = good.replace("data:", "event: heartbeat\ndata:");
    let two_lines = "data: {\"type\":\"summary\",\ndata: \"session_id\":\"good\"}\n\n";
    let script: [(&str, u64, Option<&str>); 14] = [
        ("\u{feff}: hello\n\n", 0, None),
        ("data: no json\n\n", 1, None),
        ("data: [1,2]\n\n", 1, None),
        ("data: null\n\n", 1, None),
        ("data: 5\n\n", 1, None),
        ("data: {\"type\":\"actions\",\"actions\":[7]}\n\n", 1, None),
        ("data: {\"type\":\"usertour_trigger\"}\n\n", 0, None),
        ("data: {\"type\":\"ACTIONS\"}\n\n", 0, None),
        ("event: heartbeat\ndata: \n\ndata:  \n\nid: 9\nretry: 1\n\n", 0, None),
        (&beat, 0, None),
        (&odd_name, 0, Some("good")),
        (&crlf, 0, Some("good")),
        (two_lines, 0, Some("summary of good")),
        (&good, 0, Some("good")),
    ];
    let whole: String = script.iter().map(|(text, ..)| *text).collect();
    let chopped: Vec<Bytes> = whole.as_bytes().chunks(3).map(Bytes::copy_from_slice).collect();
    let server = server(vec![Answer::Open(chopped)]).await;
    let mut reader = read(&server.url, None, pace());
    for (_, _, session) in script.iter().filter(|(_, _, session)| session.is_some()) {
        assert_eq!(Some(reader.session().await.as_str()), *session);
    }
    let report = reader.status.report();
    assert_eq!(report.garbage, script.iter().map(|(_, garbage, _)| garbage).sum::<u64>());
    assert_eq!((report.deliveries, report.reconnects), (4, 0));
    assert!(report.last_frame_ago.is_some());
    reader.stop().await;
}

#[tokio::test]
async fn while_a_delivery_is_worked_on_nothing_more_is_handed_on() {
    let server = server(vec![Answer::Open(events(&[&batch("a"), &batch("b")]))]).await;
    let upstream = Upstream {
        source: Source { url: server.url.clone(), token: None },
        product: "acme".into(),
        client: client(),
        status: Arc::default(),
        pace: pace(),
    };
    let (tell, mut heard) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let status = upstream.status.clone();
    let stop = cancel.clone();
    let task = tokio::spawn(async move {
        upstream.run(|_| async { tell.send(()).await.unwrap() }, &stop).await;
    });
    while status.report().deliveries < 2 {
        tokio::task::yield_now().await;
    }
    // The second delivery waits for room; cancelling waits for the delivery.
    cancel.cancel();
    heard.recv().await.unwrap();
    heard.recv().await.unwrap();
    task.await.unwrap();
    assert_eq!(heard.recv().await, None);
}
