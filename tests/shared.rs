//! Several docents, each a process of its own, on one Redis: together they decide as one would,
//! and each says what it lacks when Redis is not there.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "what a server does when it fails is another test's, too")]
#[path = "redis/server.rs"]
mod server;

use std::fs;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

use common::{Docent, EAGER, workspace};
use server::{Server, wait_until};

fn settings(store: &str, proactive: &str) -> String {
    format!(
        "version: 1\nstore: {store}\nlimits: {{ per_session: 10000/s, per_client: 100000/s }}\n\
         products:\n  acme:\n    proactive: {proactive}\n"
    )
}

fn docents<const N: usize>(store: &str, proactive: &str) -> [Docent; N] {
    let settings = settings(store, proactive);
    [(); N].map(|()| Docent::serve(&[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)]))
}

fn batch(session: &str, user: &str, number: usize) -> Value {
    json!({
        "type": "actions", "session_id": session, "user_id": user,
        "forwarded_at": 1_760_000_000 + number,
        "actions": [{ "type": "pageview", "canonical_url": format!("/{number}") }],
    })
}

/// Polls every session through every docent at once; how often each was offered something.
async fn polled(docents: &[Docent], sessions: &[String], times: usize) -> Vec<u64> {
    let polls = sessions.iter().map(|session| async move {
        let polls = (0..times).map(|time| docents[time % docents.len()].poll(session));
        let offers = join_all(polls).await;
        offers.iter().filter(|body| !body["proactive_trigger"].is_null()).count() as u64
    });
    join_all(polls).await
}

async fn visited(docents: &[Docent], sessions: &[String], user: impl Fn(usize) -> String) {
    let visits = sessions.iter().enumerate().map(|(number, session)| {
        let docent = &docents[number % docents.len()];
        let batch = batch(session, &user(number), number);
        async move { assert_eq!(docent.post("/events/acme", batch).await.0, 200) }
    });
    join_all(visits).await;
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}_{number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn one_session_polled_through_four_docents_is_offered_one_thing() {
    let server = Server::start(&[]);
    let docents = docents::<4>(&server.url(), "{}");
    let sessions = names("s", 12);
    visited(&docents, &sessions, |number| format!("u_{number}")).await;
    assert_eq!(polled(&docents, &sessions, 16).await, vec![1; 12]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn quotas_hold_over_all_docents_together() {
    let server = Server::start(&[]);
    let docents =
        docents::<3>(&server.url(), "{ quotas: { product_per_minute: 7, user_per_day: 1 } }");
    // Three sessions of each person, on different docents.
    let sessions = names("s", 30);
    visited(&docents, &sessions, |number| format!("u_{}", number / 3)).await;
    let offers = polled(&docents, &sessions, 6).await;
    let persons = offers.chunks(3).map(|sessions| sessions.iter().sum::<u64>());
    let persons: Vec<u64> = persons.collect();
    assert!(persons.iter().all(|offers| *offers <= 1), "{persons:?}");
    let all: u64 = persons.iter().sum();
    assert!((1..=7).contains(&all), "{all} offers in one minute");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn batches_through_several_docents_are_all_kept_once() {
    let server = Server::start(&[]);
    let docents = docents::<3>(&server.url(), "{}");
    let sessions = names("s", 8);
    let send = |number: usize, session: &str, docent: usize| {
        docents[docent % 3].post("/events/acme", batch(session, "u_1", number))
    };
    for expected in [false, true] {
        let sent = sessions.iter().flat_map(|session| {
            (0..24).map(move |number| send(number, session, number + usize::from(expected)))
        });
        for (status, body) in join_all(sent).await {
            assert_eq!((status, &body["duplicate"]), (200, &json!(expected)), "{body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn without_redis_requests_are_refused_for_a_moment_and_docent_is_not_ready() {
    let mut server = Server::start(&[]);
    let [docent] = docents::<1>(&server.url(), "{}");
    visited(std::slice::from_ref(&docent), &names("s", 1), |_| "u".into()).await;
    server.kill();
    let path = "/context/acme/s_0?conversation_id=proactive%3As_0";
    for (method, path) in [("GET", path), ("POST", "/events/acme")] {
        let request = docent.request(method, path).json(&batch("s_0", "u", 9));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 503, "{path}");
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
        let body: Value = response.json().await.unwrap();
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.starts_with("the store cannot read: Redis "), "{detail}");
        assert!(!detail.contains("127.0.0.1"), "{detail}");
    }
    let body = docent.until("/readyz", |status, _| status == 503).await;
    let reason = "the store cannot read or write: Redis cannot be reached";
    assert!(body.to_string().contains(reason), "{body}");
    let metrics = docent.get("/metrics").await.1;
    assert!(!metrics.as_str().unwrap().contains("docent_sessions"), "{metrics}");
    assert_eq!(docent.get("/healthz").await.0, 200);
    server.resume();
    docent.until("/readyz", |status, _| status == 200).await;
    visited(std::slice::from_ref(&docent), &names("s", 1), |_| "u".into()).await;
    docent.poll("s_0").await;
}

/// The command of `docs/redis.md` that makes a user for docent, with these permissions besides.
fn documented(more: &str) -> Vec<String> {
    let page = fs::read_to_string(common::repository().join("docs/redis.md")).unwrap();
    let line = page.lines().find(|line| line.starts_with("ACL SETUSER docent ")).unwrap();
    let line = line.replace("PASSWORD", "sesame");
    line.split_whitespace().chain(more.split_whitespace()).map(str::to_owned).collect()
}

fn run(arguments: &[&str]) -> String {
    let docent = Command::new(env!("CARGO_BIN_EXE_docent")).args(arguments).output().unwrap();
    let said = [docent.stdout, docent.stderr].concat();
    assert!(docent.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
    String::from_utf8(said).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_user_with_the_documented_permissions_is_enough() {
    let (single, cluster) = (Server::start(&[]), server::Cluster::replicated());
    let of_a_cluster: Vec<&Server> = cluster.0.iter().collect();
    let at = |address: String| format!("docent:sesame@{address}");
    let hosts: Vec<_> = of_a_cluster.iter().map(|server| server.address()).collect();
    for (url, waiting, servers, more) in [
        (format!("redis://{}", at(single.address())), "", vec![&single], ""),
        (
            format!("redis+cluster://{}", at(hosts.join(","))),
            "\nwait_replicas: 1",
            of_a_cluster,
            "+cluster|slots +asking +wait +client|info",
        ),
    ] {
        let store = format!("{url}{waiting}");
        for server in &servers {
            let command = documented(more);
            let () = server.ask(&command.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let [one, other] = docents::<2>(&store, "{}");
        visited(&[one, other], &names("s", 20), |number| format!("u_{number}")).await;
        let [one, other] = docents::<2>(&store, "{}");
        assert_eq!(one.verdict("s_1").await, "eager");
        assert_eq!(other.event("s_1", "proactive_dismissed").await.0, None);
        let page = |body: (u16, Value)| body.1.to_string();
        server::until("the other to hear", async || {
            one.visit("s_heard", &["/a"]).await;
            page(other.get("/").await).contains("s_heard")
        })
        .await;
        let pause = json!({ "enabled": false });
        let paused = one.request("PUT", "/admin/products/acme/proactive").json(&pause);
        assert_eq!(paused.send().await.unwrap().status(), 200);
        server::until("the pause", async || other.verdict("s_2").await == "not_enabled").await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        run(&["status", "--url", &one.base]);
        run(&["backup", &file("all"), "--url", &one.base]);
        let (away, back) = (format!("embedded:{}", file("data")), ["store", "copy"]);
        drop([one, other]);
        let said = run(&[&back[..], &[&url, &away]].concat());
        assert!(said.contains("verified: every record is there"), "{said}");
        run(&[&back[..], &[&away, &url, "--exact"]].concat());
        run(&["restore", &file("all"), "--store", &url, "--replace"]);
        for server in servers {
            let refused: Vec<redis::Value> = server.ask(&["ACL", "LOG"]);
            assert!(refused.is_empty(), "{refused:?}");
        }
    }
}

/// What a docent that cannot start says, and its exit code.
fn refused(store: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = workspace(&[("docent.yaml", &settings(store, "{}"))]);
    let output = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--listen", "127.0.0.1:0", "--workspace"])
        .arg(folder.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
#[ignore = "needs redis-server; `make test` installs it"]
fn a_wrong_password_ends_the_start_and_is_nowhere_to_be_read() {
    let server = Server::start(&["--requirepass", "open-sesame"]);
    let (code, said) = refused(&format!("redis://:hunter2@{}", server.address()), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: the store refuses docent: Redis does not accept"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

/// A Redis that may drop records, or forget them, is used, and its operator is told.
#[test]
#[ignore = "needs redis-server; `make test` installs it"]
fn a_redis_that_may_drop_records_is_warned_of() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    let folder = workspace(&[("docent.yaml", &settings(&server.url(), "{}"))]);
    let log = folder.path().join("log");
    let mut docent = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--listen", "127.0.0.1:0", "--workspace"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    wait_until("the warnings", || {
        let said = fs::read_to_string(&log).unwrap();
        ["maxmemory-policy is allkeys-lru", "set it to noeviction", "set `appendonly yes`"]
            .iter()
            .all(|advice| said.contains(advice))
    });
    docent.kill().unwrap();
    docent.wait().unwrap();
}

/// A certificate authority and a server's certificate of it, for loopback.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1").unwrap();
    let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for command in [
        format!("{new} -x509 -keyout ca.key -out ca.crt -subj /CN=ca"),
        format!("{new} -keyout server.key -out server.csr -subj /CN=localhost"),
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
         -extfile names -out server.crt"
            .to_owned(),
    ] {
        let made = Command::new("openssl")
            .args(command.split_whitespace())
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "openssl {command}");
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server and openssl; `make test` installs them"]
async fn tls_is_spoken_with_whom_the_system_trusts_and_nobody_else() {
    let folder = certificates();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let mut server = Server::prepared(&[
        "--port",
        "0",
        "--tls-cert-file",
        &file("server.crt"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.crt"),
        "--tls-auth-clients",
        "no",
    ]);
    let port = server.port.to_string();
    server.options(&["--tls-port", &port]);
    server.launch();
    wait_until("the server to listen", || TcpStream::connect(("127.0.0.1", server.port)).is_ok());
    let store = format!("rediss://localhost:{port}");
    let (code, said) = refused(&store, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the TLS certificate of Redis is not accepted"), "{said}");
    let settings = settings(&store, "{}");
    let files = [("docent.yaml", settings.as_str()), ("rules/eager.yaml", EAGER)];
    let trusting = [("SSL_CERT_FILE", file("ca.crt"))];
    let trusting = trusting.each_ref().map(|(name, value)| (*name, value.as_str()));
    let docent = Docent::start(&files, &["--listen", "127.0.0.1:0"], &trusting);
    docent.until("/readyz", |status, _| status == 200).await;
    visited(std::slice::from_ref(&docent), &names("s", 1), |_| "u".into()).await;
    assert_eq!(docent.verdict("s_0").await, "eager");
}
