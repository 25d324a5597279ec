//! The journal of a real docent: what was acknowledged is in it, in segments that are rotated,
//! compressed and let go; a full disk and a crash cost lines, and nothing else.
#![cfg(test)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use common::{Docent, EAGER, workspace};
use docent::engine::tape::{Entry, Line};
use docent::journal::read::{Reading, read, segments};
use serde_json::json;
use tokio::time::{Instant, sleep};

const SETTINGS: &str = "version: 1\njournal: JOURNAL\nproducts:\n  acme: {}\n";
const ALL: &str = "{ sample: 100% }";

fn files(journal: &str) -> [(&'static str, String); 2] {
    [("docent.yaml", SETTINGS.replace("JOURNAL", journal)), ("rules/eager.yaml", EAGER.to_owned())]
}

fn docent(journal: &str) -> Docent {
    let files = files(journal);
    Docent::timed(&files.each_ref().map(|(path, text)| (*path, text.as_str())))
}

fn folder(docent: &Docent) -> PathBuf {
    docent.workspace.path().join("data/journal")
}

/// The lines of each segment.
fn told(folder: &Path) -> Vec<(PathBuf, Vec<Line>, Reading)> {
    let tell = |path: PathBuf| {
        let mut lines = Vec::new();
        // A segment may just be making place for its compressed self.
        let reading = read(&path, &mut |line| lines.push(line)).ok()?;
        Some((path, lines, reading))
    };
    segments(folder).unwrap_or_default().into_iter().filter_map(tell).collect()
}

fn lines(folder: &Path) -> Vec<Line> {
    told(folder).into_iter().flat_map(|(_, lines, _)| lines).collect()
}

/// Waits, at most ten seconds, until this is so.
async fn until<T>(what: &str, ask: impl Fn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(15), "never: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What a line is about, in a word.
fn word(line: &Line) -> String {
    match &line.entry {
        Entry::State(_) => "state".to_owned(),
        Entry::Batch(batch) if batch.delivery.is_none() => "duplicate".to_owned(),
        Entry::Batch(_) => "batch".to_owned(),
        Entry::Event(event) => event.event.name().to_owned(),
        Entry::Settle(_) => "settle".to_owned(),
        Entry::Decision(polled) if polled.made => "offer".to_owned(),
        Entry::Decision(polled) => polled.came.verdict.to_string(),
        Entry::Erase => "erase".to_owned(),
        Entry::Reload { .. } => "reload".to_owned(),
        Entry::Gap { .. } => "gap".to_owned(),
    }
}

fn words(folder: &Path, session: &str) -> Vec<String> {
    lines(folder).iter().filter(|line| *line.session == *session).map(word).collect()
}

async fn a_visit(docent: &Docent, session: &str) {
    let batch = json!({
        "type": "actions", "session_id": session, "email": "ann@acme.test",
        "forwarded_at": 1_760_000_000.5, "traits": { "contact": "Ann <ann@acme.test>" },
        "actions": [{ "type": "pageview", "title": "Mail to ann@acme.test",
            "canonical_url": "https://app.test/a?token=s3cret&mail=ann%40acme.test" }],
    });
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_there_in_order_and_tells_no_address() {
    let mut docent = docent(ALL);
    a_visit(&docent, "ps_1").await;
    a_visit(&docent, "ps_1").await;
    assert_eq!(docent.verdict("ps_1").await, "eager");
    assert_eq!(docent.verdict("ps_1").await, "fsm:wrong_state");
    docent.event("ps_1", "proactive_dismissed").await;
    docent.event("ps_1", "tour_completed").await;
    docent.post("/admin/sessions/acme/ps_1/forget", json!({})).await;
    docent.verdict("nobody").await;
    docent.visit("ps_1", &["/b"]).await;
    let folder = folder(&docent);
    let expected = [
        "state",
        "batch",
        "duplicate",
        "offer",
        "fsm:wrong_state",
        "proactive_dismissed",
        "tour_completed",
        "erase",
        "state",
        "batch",
    ];
    until("every line", || (words(&folder, "ps_1").len() == expected.len()).then_some(())).await;
    assert_eq!(words(&folder, "ps_1"), expected);
    assert_eq!(words(&folder, ""), ["reload"]);
    assert_eq!(words(&folder, "nobody"), [""; 0]);
    let all = lines(&folder);
    let (digest, mine) = (&all[0].digest, all.iter().filter(|line| *line.session == *"ps_1"));
    assert!(mine.clone().all(|line| line.digest == *digest && digest.len() == 16));
    for pair in mine.collect::<Vec<_>>().windows(2) {
        assert_eq!(pair[1].seq, pair[0].left, "{pair:#?}");
    }
    docent.stop();
    let workspace = docent.workspace.path();
    let closed = told(&workspace.join("data/journal"));
    assert_eq!(closed.len(), 1, "{closed:?}");
    let (path, lines, _) = &closed[0];
    assert!(path.to_str().unwrap().ends_with(".jsonl.zst") && *lines == all, "{path:?}");
    let bytes = zstd::stream::decode_all(fs::File::open(path).unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for secret in ["ann@acme", "ann%40acme", "s3cret"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_most_sessions_only_what_is_of_note_is_kept() {
    let docent = docent("{ sample: 0% }");
    docent.visit("ps_1", &["/a"]).await;
    assert_eq!(docent.verdict("ps_1").await, "eager");
    assert_eq!(docent.verdict("ps_1").await, "fsm:wrong_state");
    docent.advance(61.0).await;
    assert_eq!(docent.verdict("ps_1").await, "resilience:min_interval");
    docent.verdict("ps_1").await;
    docent.advance(300.0).await;
    assert_eq!(docent.verdict("ps_1").await, "eager");
    let folder = folder(&docent);
    let expected = ["state", "batch", "offer", "settle", "offer"];
    let seen = until("the second offer", || {
        Some(words(&folder, "ps_1")).filter(|words| words.len() >= expected.len())
    })
    .await;
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_or_when_it_is_off_nothing_is_written() {
    let off = docent("off");
    off.visit("ps_1", &["/a"]).await;
    assert!(!folder(&off).exists());
    let memory = [("docent.yaml", "version: 1\nstore: memory\nproducts: { acme: {} }\n")];
    let memory = Docent::timed(&memory);
    memory.visit("ps_1", &["/a"]).await;
    assert!(!memory.workspace.path().join("data").exists());
    let elsewhere =
        "version: 1\nstore: memory\njournal: { folder: kept/here }\nproducts: { acme: {} }\n";
    let elsewhere = Docent::timed(&[("docent.yaml", elsewhere)]);
    elsewhere.visit("ps_1", &["/a"]).await;
    let folder = elsewhere.workspace.path().join("kept/here");
    until("a batch", || (words(&folder, "ps_1") == ["state", "batch"]).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_is_closed_after_an_hour_and_gone_after_its_time() {
    let docent = docent("{ sample: 100%, keep: 1h }");
    let folder = folder(&docent);
    docent.visit("ps_1", &["/a"]).await;
    until("the first", || (words(&folder, "ps_1").len() == 2).then_some(())).await;
    docent.advance(3_600.0).await;
    let closed = |path: &Path| path.to_str().is_some_and(|path| path.ends_with(".zst"));
    let first = until("the first closed", || {
        told(&folder).into_iter().map(|(path, ..)| path).find(|path| closed(path))
    })
    .await;
    docent.visit("ps_1", &["/b"]).await;
    let words = until("the second", || {
        let second = told(&folder).into_iter().find(|(path, ..)| !closed(path))?;
        Some(second.1.iter().map(word).collect::<Vec<_>>())
    })
    .await;
    assert_eq!(words, ["state", "batch"], "it replays alone");
    docent.advance(3_600.0 * 3.0).await;
    until("the first gone", || (!first.exists()).then_some(())).await;
    let (status, body) = docent.get("/readyz").await;
    assert_eq!((status, &body), (200, &json!({ "status": "ok" })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_leaves_is_read_to_its_torn_end() {
    let mut docent = docent(ALL);
    a_visit(&docent, "ps_1").await;
    docent.verdict("ps_1").await;
    let open = folder(&docent);
    until("the offer", || (words(&open, "ps_1") == ["state", "batch", "offer"]).then_some(()))
        .await;
    docent.kill();
    let workspace = docent.workspace.path();
    let found = told(&workspace.join("data/journal"));
    assert_eq!(found.len(), 1);
    let (path, before, reading) = &found[0];
    assert!(!reading.torn && before.len() == 4, "{before:#?}");
    let mut text = fs::read(path).unwrap();
    text.extend_from_slice(b"{\"v\":1,\"at\":17600000");
    fs::write(path, text).unwrap();
    let (_, after, reading) = told(&workspace.join("data/journal")).remove(0);
    assert!(reading.torn && reading.broken.is_empty() && after == *before);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_docent_serves_and_says_so_and_goes_on_by_itself() {
    let settings = "version: 1\nstore: memory\njournal: { folder: journal, sample: 100% }\nproducts: { acme: {} }\n";
    let folder = workspace(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)]);
    let arguments = ["--virtual-clock", "--listen", "127.0.0.1:0"];
    let docent = Docent::start_under("trap '' XFSZ; ulimit -S -f 0;", folder, &arguments);
    docent.visit("ps_1", &["/a"]).await;
    assert_eq!(docent.verdict("ps_1").await, "eager");
    let degraded = |_: u16, body: &serde_json::Value| body["status"] == "degraded";
    let body = docent.until("/readyz", degraded).await;
    let reason = body["reasons"][0].as_str().unwrap_or_default();
    assert!(reason.contains("the journal cannot be written"), "{body}");
    assert_eq!(docent.event("ps_1", "proactive_dismissed").await.0, None);
    let (_, metrics) = docent.get("/metrics").await;
    let dropped = "docent_journal_lines_total{result=\"dropped\"}";
    assert!(metrics.as_str().unwrap().contains(dropped), "{metrics}");
    // Room again.
    let pid = docent.pid().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(raised.unwrap().success());
    let started = Instant::now();
    while docent.get("/readyz").await.1["status"] != "ok" {
        assert!(started.elapsed() < Duration::from_secs(15), "it does not recover");
        docent.visit("ps_1", &["/b"]).await;
        sleep(Duration::from_millis(100)).await;
    }
    let folder = docent.workspace.path().join("journal");
    let told =
        until("two lines", || Some(words(&folder, "ps_1")).filter(|told| told.len() > 1)).await;
    assert_eq!(told[..2], ["state", "batch"], "{told:?}");
    assert!(words(&folder, "").contains(&"gap".to_owned()));
}

fn explain(workspace: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["explain", "--workspace"])
        .arg(workspace)
        .arg("--journal")
        .arg(workspace.join("data/journal"))
        .args(arguments)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_session_is_explained_at_any_time() {
    let mut docent = docent(ALL);
    docent.post("/__clock", json!({ "now": 1_760_000_000.0 })).await;
    a_visit(&docent, "ps_1").await;
    docent.advance(10.0).await;
    docent.verdict("ps_1").await;
    docent.advance(10.0).await;
    docent.event("ps_1", "proactive_dismissed").await;
    let open = folder(&docent);
    until("the dismissal", || {
        words(&open, "ps_1").contains(&"proactive_dismissed".into()).then_some(())
    })
    .await;
    docent.kill();
    let workspace = docent.workspace.path();
    let said = |arguments: &[&str]| {
        let Output { status, stdout, stderr } = explain(workspace, arguments);
        (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
    };
    for (arguments, code, words) in [
        (vec!["ps_1", "--at", "2025-10-09T08:53:25Z"], 0, vec!["would offer `eager`", "not known"]),
        (
            vec!["--session", "ps_1", "--at", "1760000015"],
            0,
            vec!["fsm:wrong_state", "offered `eager`"],
        ),
        (vec!["ps_1"], 0, vec!["fsm:conservative_cooldown, may change in 10m", "yes  "]),
        (vec!["ps_1", "--rule", "eager"], 0, vec!["not looked at while the gate `state` holds"]),
        (vec!["ps_1", "--format", "json"], 0, vec!["\"verdict\":\"fsm:conservative_cooldown\""]),
        (
            vec!["ps_1", "--at", "1759999999"],
            1,
            vec!["tells of `ps_1` from 2025-10-09T08:53:20", "of nothing by"],
        ),
        (vec!["ps_2"], 1, vec!["knows no session `ps_2`", "for example of `ps_1`"]),
        (vec!["ps_1", "--at", "soon"], 1, vec!["`soon` is no instant", "-5m"]),
        (vec!["ps_1", "--rule", "egaer"], 1, vec!["no trigger `egaer`"]),
    ] {
        let (found, text) = said(&arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        words.iter().for_each(|word| assert!(text.contains(word), "{arguments:?}: {text}"));
    }
    assert!(!said(&["ps_1"]).1.contains("they differ"));
    fs::write(workspace.join("rules/eager.yaml"), EAGER.replace("30m", "20m")).unwrap();
    assert!(said(&["ps_1"]).1.contains("they differ"));
}
