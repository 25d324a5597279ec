//! Sweeps where names are shared, lines are still under way, or the store has lost who was erased.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{Docent, EAGER};
use docent::app::App;
use docent::domain::bucket::Share;
use docent::domain::bulletin::{Bulletin, Erasure};
use docent::domain::time::{Span, Timestamp};
use docent::engine::erasure::{Erasures, erasure};
use docent::engine::tape::{Entry, Line, Settled};
use docent::journal::{Journal, Terms};
use docent::library::live::Live;
use docent::rulebook::Sources;
use docent::runtime::clock::Clock;
use docent::runtime::metrics::Metrics;
use docent::store::erasures::{all, append};
use docent::store::{Key, Step, Store};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const EMAIL: &str = "family@b.example";

fn erased(names: &[&str], sessions: &[&str], seconds: i64) -> Erasure {
    let set = |texts: &[&str]| texts.iter().map(|text| Arc::from(*text)).collect::<BTreeSet<_>>();
    let at = START.plus(Span::from_seconds(seconds));
    erasure(&"salt".into(), "acme", &set(names), &set(sessions), at)
}

fn journal(folder: &Path) -> Journal {
    let (keep, max_size) = (Span::from_seconds(30 * 86_400), 1 << 30);
    let terms = Terms { folder: folder.to_owned(), keep, max_size, sample: Share::EVERYBODY };
    Journal::start(terms, || START).unwrap()
}

fn post(journal: &Journal, session: &str, seconds: i64, entry: Entry) {
    let at = START.plus(Span::from_seconds(seconds));
    let (product, session) = (Arc::from("acme"), Arc::from(session));
    let place = journal.place(&product, &session, "d");
    let (seq, left, digest) = (0, 1, "d".into());
    let line = Line { at, product, session, seq, left, digest, entry };
    journal.post(place, vec![line], &Arc::default());
}

fn of(user: &str) -> Entry {
    Entry::Settle(Settled { voucher: Some(user.into()) })
}

fn nobody() -> Entry {
    Entry::Settle(Settled::default())
}

/// Every line of a folder.
fn lines(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let text = match path.extension().and_then(|ending| ending.to_str()) {
            Some("zst") => zstd::stream::decode_all(&*bytes).unwrap(),
            Some("jsonl") => bytes,
            _ => continue,
        };
        lines.extend(String::from_utf8(text).unwrap().lines().map(str::to_owned));
    }
    lines
}

fn count(folder: &Path, session: &str) -> usize {
    let whose = format!("\"s\":\"{session}\"");
    lines(folder).iter().filter(|line| line.contains(&whose)).count()
}

/// A sweep may look at the disk before or after what was posted a moment ago is there.
#[test]
fn lines_that_are_still_under_way_leave_with_the_rest() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        (0..round * 5).for_each(|_| post(&journal, "other", 0, nobody()));
        post(&journal, "hers", 1, nobody());
        post(&journal, "named", 1, nobody());
        post(&journal, "named", 1, of("u_ada"));
        let erasures = Erasures::from_iter([erased(&["u_ada"], &["hers", "late"], 10)]);
        let swept = journal.sweep(&erasures).unwrap();
        let named: Vec<_> = swept.named.iter().map(|((_, session), _)| &**session).collect();
        assert_eq!((swept.lines, named), (3, vec!["named"]), "round {round}");
        // Of a request that was under way; and of a new life.
        post(&journal, "late", 5, nobody());
        post(&journal, "late", 11, Entry::State(Box::default()));
        drop(journal);
        let left = ["other", "hers", "named", "late"].map(|session| count(folder.path(), session));
        assert_eq!(left, [round * 5, 0, 0, 1], "round {round}");
    }
}

fn app(folder: &Path) -> Arc<App> {
    let files = [("docent.yaml", "version: 1\nproducts:\n  acme: {}\n"), ("rules/r.yaml", EAGER)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let live = Live::start(Sources { files: files.into() }, |_| None, START).unwrap();
    let store = Store::open("memory", &live.current().settings.limits).unwrap();
    let (clock, metrics) = (Clock::standing_at(START), Arc::new(Metrics::new()));
    let app = App::new(Arc::new(live), Arc::new(store), clock, metrics);
    Arc::new(app.journalling(Some(journal(folder))))
}

/// As a Redis does that fails over to a server which did not have the last writes yet.
async fn lose(store: &Store, number: u64) {
    let id = format!("erasure:{number}");
    let gone = |slot: &mut Option<Bulletin>| Step::Write(slot.take().is_some());
    assert!(store.update(Key { product: "", id: &id }, START, gone).await.unwrap());
}

#[tokio::test]
async fn who_is_erased_under_a_number_that_was_lost_is_swept_too() {
    let folder = tempfile::tempdir().unwrap();
    let before = journal(folder.path());
    for session in ["one", "two", "three", "four"] {
        post(&before, session, 1, nobody());
    }
    drop(before);
    let (app, path) = (app(folder.path()), folder.path());
    let first = [erased(&[], &["one"], 10), erased(&[], &["two"], 11)];
    for (erasure, after) in first.iter().zip(0..) {
        append(&app.store, erasure, after).await.unwrap();
    }
    assert!(app.sweep_journal().await.unwrap() && !app.sweep_journal().await.unwrap());
    assert_eq!(["one", "two", "three"].map(|session| count(path, session)), [0, 0, 1]);
    // Another instance, which had not heard of the second yet.
    lose(&app.store, 2).await;
    assert_eq!(append(&app.store, &erased(&[], &["three"], 12), 1).await.unwrap(), 2);
    assert!(app.sweep_journal().await.unwrap());
    assert_eq!(["three", "four"].map(|session| count(path, session)), [0, 1]);
    // And one that had.
    lose(&app.store, 2).await;
    let last = erased(&[], &["four"], 13);
    assert_eq!(append(&app.store, &last, 2).await.unwrap(), 2, "nobody looks behind a gap");
    assert_eq!(all(&app.store).await.unwrap(), [first[0].clone(), last]);
    assert!(app.sweep_journal().await.unwrap());
    assert_eq!(count(path, "four"), 0);
    // All of it is gone, and nobody is erased.
    lose(&app.store, 2).await;
    lose(&app.store, 1).await;
    assert!(!app.sweep_journal().await.unwrap() && !app.sweep_journal().await.unwrap());
}

async fn arrive(docent: &Docent, session: &str, who: Value) {
    let mut batch = json!({ "type": "actions", "session_id": session,
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    batch.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    docent.verdict(session).await;
}

fn run(arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

async fn until(what: &str, ask: impl Fn() -> bool) {
    let started = Instant::now();
    while !ask() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Two people of one address: the user id says who it is, in the store, in journals and in backups.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shares_an_address_keeps_what_is_theirs() {
    let settings = "version: 1\nstore: embedded:./data\n\
        journal: { folder: kept, sample: 100% }\nproducts:\n  acme: {}\n";
    let files = [("docent.yaml", settings), ("rules/eager.yaml", EAGER)];
    let docent = Docent::start(&files, &["--virtual-clock", "--listen", "127.0.0.1:0"], &[]);
    let kept: PathBuf = docent.workspace.path().join("kept");
    arrive(&docent, "ada", json!({ "user_id": "u_ada", "email": EMAIL })).await;
    arrive(&docent, "bob", json!({ "user_id": "u_bob", "email": EMAIL })).await;
    // Two of which the address alone is known at first.
    arrive(&docent, "bob_later", json!({ "email": EMAIL })).await;
    arrive(&docent, "either", json!({ "email": EMAIL })).await;
    arrive(&docent, "bob_later", json!({ "user_id": "u_bob" })).await;
    let file = docent.workspace.path().join("backup");
    let file = file.to_str().unwrap();
    run(&["backup", file, "--url", &docent.base]);
    // Journals tell of sessions that the store has forgotten.
    for session in ["bob", "bob_later", "either"] {
        docent.post(&format!("/admin/sessions/acme/{session}/forget"), json!({})).await;
    }
    docent.advance(5.0).await;
    let forgotten = || lines(&kept).iter().filter(|line| line.contains("\"erase\"")).count();
    until("three are forgotten", || forgotten() == 3).await;
    let bobs = || ["bob", "bob_later"].map(|session| count(&kept, session));
    let before = bobs();
    let (_, told) = docent.get("/admin/users/acme/u_ada/export").await;
    assert!(!told.to_string().contains("bob"), "{told}");
    let erase = docent.request("DELETE", "/admin/users/acme/u_ada");
    let (status, told) = common::answer(erase).await;
    assert_eq!((status, &told["journals"][0]["swept"]), (200, &json!(true)), "{told}");
    assert_eq!(bobs(), before);
    assert_eq!(["ada", "either"].map(|session| count(&kept, session)), [0, 0]);
    run(&["restore", file, "--url", &docent.base, "--replace"]);
    for (session, status) in [("bob", 200), ("bob_later", 200), ("ada", 404), ("either", 404)] {
        let path = format!("/admin/sessions/acme/{session}/export");
        assert_eq!(docent.get(&path).await.0, status, "{session}");
    }
    // Whoever names the address means all of them.
    let erase = docent.request("DELETE", &format!("/admin/emails/acme/{EMAIL}"));
    assert_eq!(common::answer(erase).await.0, 200);
    until("all of them are gone", || bobs() == [0, 0]).await;
}
