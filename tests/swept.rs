//! Erasure reaches journals: no byte of a person stays in any segment, of any instance, and every
//! other line does; what is left replays as before.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "what a server does when it fails is another test's")]
#[path = "redis/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Docent, EAGER, workspace};
use docent::engine::pseudonym::of_email;
use docent::runtime::clock::Clock;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use server::Server;

const EMAIL: &str = "ada@b.example";
/// What says something of Ada, wherever it stands.
const HERS: [&str; 9] = [
    "u_ada",
    "ps_ada",
    "s_before",
    "s_early",
    EMAIL,
    "Ada's",
    "/secret-of-ada",
    "ada%40b",
    "thread-of-ada",
];
const TIMED: &[&str] = &["--virtual-clock", "--listen", "127.0.0.1:0"];

fn settings(store: &str) -> String {
    format!(
        "version: 1\nstore: {store}\njournal: {{ folder: kept, sample: 100% }}\n\
         limits: {{ per_session: 10000/s, per_client: 100000/s }}\nproducts:\n  acme: {{}}\n"
    )
}

fn docent(store: &str, arguments: &[&str]) -> Docent {
    let settings = settings(store);
    Docent::start(&[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)], arguments, &[])
}

async fn arrive(docent: &Docent, session: &str, who: Value, page: &str) {
    let mut batch = json!({ "type": "actions", "session_id": session,
        "actions": [{ "type": "pageview", "title": format!("{page} seen"), "canonical_url": page }] });
    batch.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
    let (status, body) = docent.post("/events/acme", batch).await;
    assert_eq!(status, 200, "{body}");
    docent.verdict(session).await;
}

/// Ada in two sessions, one of which began before anybody knew her, and others.
async fn a_day(docent: &Docent) {
    let ada = json!({ "user_id": "u_ada", "email": EMAIL, "conversation_id": "thread-of-ada" });
    for round in 0..3 {
        arrive(docent, "grace", json!({ "user_id": "u_grace" }), &format!("/a/{round}")).await;
        arrive(docent, "s_before", json!({}), &format!("/b/{round}")).await;
        arrive(docent, "nobody", json!({}), &format!("/c/{round}")).await;
    }
    arrive(docent, "ps_ada", ada.clone(), "/secret-of-ada").await;
    docent.event("ps_ada", "proactive_dismissed").await;
    arrive(docent, "s_before", ada, "/Ada's?mail=ada%40b.example").await;
    arrive(docent, "grace", json!({ "user_id": "u_grace" }), "/a").await;
    // The last line of the day.
    docent.event("grace", "user_sent").await;
}

/// Every line of a folder, whatever its segment, with every other byte of it.
fn lines(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What a crash left half written is nobody's to read.
        let Ok(bytes) = fs::read(&path) else { continue };
        if path.extension().is_some_and(|ending| ending == "part") {
            continue;
        }
        let text = String::from_utf8(plain(&path, bytes)).unwrap();
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.retain(|line| line.contains("\"d\":\""));
    lines.sort();
    lines
}

fn plain(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    match path.extension().is_some_and(|ending| ending == "zst") {
        true => zstd::stream::decode_all(&*bytes).unwrap(),
        false => bytes,
    }
}

fn bytes(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.push_str(path.to_str().unwrap());
        let bytes = plain(&path, fs::read(&path).unwrap());
        all.push_str(&String::from_utf8_lossy(&bytes));
    }
    all
}

fn tells(text: &str) -> Vec<String> {
    let pseudonym = of_email(EMAIL);
    let name = pseudonym.split('@').next().unwrap().to_owned();
    let all = HERS.iter().map(|text| (*text).to_owned()).chain([name]);
    all.filter(|secret| text.contains(secret)).collect()
}

fn is_hers(line: &str) -> bool {
    ["ps_ada", "s_before", "s_early"]
        .map(|id| format!("\"s\":\"{id}\""))
        .iter()
        .any(|session| line.contains(session))
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn verified(workspace: &Path, journals: &[&Path]) -> String {
    let mut arguments = vec!["replay", "--verify", "--rules", workspace.to_str().unwrap()];
    arguments.extend(journals.iter().map(|journal| journal.to_str().unwrap()));
    let (code, said) = run(&arguments);
    assert_eq!(code, Some(0), "{said}");
    said
}

async fn until(what: &str, ask: impl Fn() -> bool) {
    let started = Instant::now();
    while !ask() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn kept(docent: &Docent) -> PathBuf {
    docent.workspace.path().join("kept")
}

async fn erase(docent: &Docent, whom: &str) -> (u16, Value) {
    common::answer(docent.request("DELETE", &format!("/admin/{whom}"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_hers_stays_and_every_other_line_does() {
    let docent = docent("embedded:./data", TIMED);
    a_day(&docent).await;
    docent.advance(3_601.0).await;
    let closed = |path: PathBuf| path.extension().is_some_and(|ending| ending == "zst");
    let is_closed =
        || fs::read_dir(kept(&docent)).unwrap().any(|entry| closed(entry.unwrap().path()));
    until("a closed segment", is_closed).await;
    docent.advance(60.0).await;
    a_day(&docent).await;
    let days = || lines(&kept(&docent)).iter().filter(|line| line.contains("user_sent")).count();
    until("both days", || days() == 2).await;
    let before = lines(&kept(&docent));
    docent.advance(5.0).await;
    let (status, told) = erase(&docent, "users/acme/u_ada").await;
    let others: Vec<_> = before.iter().filter(|line| !is_hers(line)).cloned().collect();
    let hers = before.len() - others.len();
    assert_eq!((status, &told["journals"][0]["swept"]), (200, &json!(true)), "{told}");
    assert_eq!(told["journal_lines"], hers, "{told}");
    assert_eq!(lines(&kept(&docent)), others, "byte by byte");
    assert_eq!(tells(&bytes(&kept(&docent))), [""; 0]);
    // She may start afresh, under the same names, and be recorded again.
    docent.advance(5.0).await;
    arrive(&docent, "ps_ada", json!({ "user_id": "u_ada" }), "/again").await;
    arrive(&docent, "grace", json!({ "user_id": "u_grace" }), "/z").await;
    until("her new lines", || lines(&kept(&docent)).iter().filter(|l| is_hers(l)).count() == 3)
        .await;
    docent.advance(5.0).await;
    let before = lines(&kept(&docent));
    let (_, told) = erase(&docent, "sessions/acme/ps_ada").await;
    assert_eq!(told["journal_lines"], 3, "{told}");
    let after = lines(&kept(&docent));
    assert!(before.iter().all(|line| is_hers(line) != after.contains(line)));
    let mut docent = docent;
    docent.stop();
    let (workspace, kept) = (docent.workspace.path(), kept(&docent));
    assert_eq!(tells(&bytes(&kept)), [""; 0]);
    let said = verified(workspace, &[&kept]);
    assert!(said.contains("of 2 sessions, all as recorded") && !said.contains("lost"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_store_no_longer_knows_is_found_by_the_names_in_its_lines() {
    let docent = docent("embedded:./data", TIMED);
    a_day(&docent).await;
    docent.post("/admin/sessions/acme/s_before/forget", json!({})).await;
    docent.post("/admin/sessions/acme/ps_ada/forget", json!({})).await;
    docent.advance(5.0).await;
    let pseudonym = of_email(EMAIL);
    until("the end", || bytes(&kept(&docent)).contains("\"erase\"")).await;
    assert!(bytes(&kept(&docent)).contains(&pseudonym));
    let (status, told) = erase(&docent, &format!("emails/acme/{EMAIL}")).await;
    assert!(status == 200 && told["journal_lines"].as_u64() > Some(10), "{told}");
    let left = tells(&bytes(&kept(&docent)));
    assert_eq!(left, [""; 0], "{}", bytes(&kept(&docent)));
    // Somebody of whom nothing is known anywhere.
    assert_eq!(erase(&docent, "users/acme/u_nobody").await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_has_the_lines_of_the_journal_too() {
    let docent = docent("embedded:./data", TIMED);
    a_day(&docent).await;
    until("the lines", || lines(&kept(&docent)).iter().filter(|line| is_hers(line)).count() > 10)
        .await;
    let (status, told) = docent.get("/admin/users/acme/u_ada/export").await;
    assert_eq!((status, &told["journal_has_more"]), (200, &json!(false)));
    let shown = told["journal"].as_array().unwrap();
    let hers = lines(&kept(&docent)).into_iter().filter(|line| is_hers(line));
    let hers: Vec<Value> = hers.map(|line| serde_json::from_str(&line).unwrap()).collect();
    assert_eq!(shown.len(), hers.len());
    assert!(hers.iter().all(|line| shown.contains(line)));
    assert!(!told.to_string().contains("u_grace") && told["journals_elsewhere"] == json!([]));
}

/// A segment of many sessions, each with a state and a batch.
fn segment(folder: &Path, number: usize, sessions: usize) {
    // An hour ago, or it would be too old to be kept.
    let at = Clock::wall().now().as_millis() - 3_600_000;
    let mut text = String::new();
    for session in 0..sessions {
        let id = format!("s_{number}_{session}");
        let who = if session % 50 == 7 { "\"user\":\"u_ada\"," } else { "" };
        let (head, rest) =
            (format!("{{\"v\":1,\"at\":{at},\"p\":\"acme\",\"s\":\"{id}\""), "\"d\":\"x\"");
        text.push_str(&format!("{head},{rest},\"state\":{{}}}}\n"));
        text.push_str(&format!(
            "{head},\"l\":1,{rest},\"batch\":{{{who}\"acts\":[{{\"k\":\"pageview\",\"u\":\"/{id}\"}}]}}}}\n"
        ));
    }
    let name = format!("old-{}-{number:06}.jsonl", at / 1_000);
    if number.is_multiple_of(3) {
        return fs::write(folder.join(name), text).unwrap();
    }
    let bytes = zstd::stream::encode_all(text.as_bytes(), 3).unwrap();
    fs::write(folder.join(format!("{name}.zst")), bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_middle_of_a_sweep_loses_no_other_line_and_the_next_start_goes_on() {
    let settings = settings("embedded:./data");
    let mut docent = Docent::start(
        &[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)],
        &["--listen", "127.0.0.1:0"],
        &[],
    );
    let folder = kept(&docent);
    (0..6).for_each(|number| segment(&folder, number, 6_000));
    let before = lines(&folder);
    let sessions: BTreeSet<String> = before
        .iter()
        .filter(|line| line.contains("u_ada"))
        .map(|line| line.split("\"s\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect();
    let is_hers = |line: &str| {
        line.split("\"s\":\"")
            .nth(1)
            .is_some_and(|s| sessions.contains(s.split('"').next().unwrap()))
    };
    let theirs: Vec<_> =
        before.iter().filter(|line| line.contains("\"s\"") && !is_hers(line)).collect();
    let files = |folder: &Path| -> BTreeSet<(PathBuf, u64)> {
        let entries = fs::read_dir(folder).unwrap().filter_map(Result::ok);
        let old = entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with("old-"));
        let whole = old.filter(|entry| !entry.file_name().to_str().unwrap().ends_with(".part"));
        whole.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.ino()))).collect()
    };
    let first = files(&folder);
    let request = docent.request("DELETE", "/admin/users/acme/u_ada");
    // It takes longer than anybody waits here, and is known to be wanted long before.
    let _late = request.timeout(Duration::from_secs(1)).send().await;
    let mut between = 0;
    for round in 1..first.len() {
        // Each time one segment later, as soon as that has taken its own place.
        until("one more", || files(&folder).difference(&first).count() >= round).await;
        docent.kill();
        let left = lines(&folder);
        let others: Vec<_> =
            left.iter().filter(|line| line.contains("\"s\"") && !is_hers(line)).collect();
        assert_eq!(others.len(), theirs.len(), "after round {round}");
        assert_eq!(others, theirs, "after round {round}");
        between += usize::from(left.iter().any(|line| is_hers(line)));
        docent = docent.again_at_rest(&["--listen", "127.0.0.1:0"]);
    }
    assert!(between > 1, "{between} crashes came in the middle");
    until("all of hers is gone", || !lines(&folder).iter().any(|line| is_hers(line))).await;
    docent.stop();
    let left = lines(&folder);
    let others: Vec<_> = left.iter().filter(|line| line.contains("\"s\"")).collect();
    assert_eq!(others, theirs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn all_instances_sweep_their_journals_and_one_that_was_down_when_it_starts() {
    let server = Server::start(&[]);
    let start = |name: &'static str| {
        docent(&server.url(), &["--listen", "127.0.0.1:0", "--instance", name])
    };
    let (one, two, mut three) = (start("one"), start("two"), start("three"));
    for docent in [&one, &two, &three, &one, &two] {
        a_day(docent).await;
    }
    // A session that the second saw before anybody knew her, and that the store has forgotten.
    arrive(&two, "s_early", json!({}), "/early").await;
    arrive(&one, "s_early", json!({ "user_id": "u_ada" }), "/early").await;
    one.post("/admin/sessions/acme/s_early/forget", json!({})).await;
    three.kill();
    let folders = [kept(&one), kept(&two), kept(&three)];
    until("lines everywhere", || folders.iter().all(|folder| !tells(&bytes(folder)).is_empty()))
        .await;
    let (_, told) = one.get("/admin/users/acme/u_ada/export").await;
    let elsewhere = told["journals_elsewhere"].as_array().unwrap();
    assert!(elsewhere.contains(&json!("two")) && !told["journal"].as_array().unwrap().is_empty());
    // A line that was torn off as the third died.
    let torn = fs::read_dir(&folders[2]).unwrap().map(|entry| entry.unwrap().path());
    let torn = torn.into_iter().find(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let mut torn = fs::File::options().append(true).open(torn.unwrap()).unwrap();
    torn.write_all(b"{\"v\":1,\"at\":1,\"p\":\"acme\",\"s\":\"ps_ada\",\"d\":\"").unwrap();
    drop(torn);
    let others = |folder: &Path| {
        let all = lines(folder).into_iter();
        all.filter(|line| !is_hers(line) && !line.contains("ps_ada")).collect::<Vec<_>>()
    };
    let before = folders.each_ref().map(|folder| others(folder));
    let (status, told) = erase(&one, "users/acme/u_ada").await;
    assert_eq!(status, 200, "{told}");
    let swept = |name: &str| {
        let all = told["journals"].as_array().unwrap();
        all.iter()
            .find(|journal| journal["instance"] == name)
            .map(|journal| journal["swept"].clone())
    };
    assert_eq!((swept("one"), swept("two")), (Some(json!(true)), Some(json!(true))), "{told}");
    assert_eq!(tells(&bytes(&folders[0])), [""; 0]);
    let left = tells(&bytes(&folders[1]));
    assert!(left.iter().all(|left| left == "s_early"), "{left:?}");
    // What the first found in its lines alone, it tells the others.
    until("the second hears of it", || tells(&bytes(&folders[1])).is_empty()).await;
    assert_ne!(tells(&bytes(&folders[2])), [""; 0], "it is down");
    let three = three.again_at_rest(&["--listen", "127.0.0.1:0", "--instance", "three"]);
    until("the third sweeps", || tells(&bytes(&folders[2])).is_empty()).await;
    for (folder, before) in folders.iter().zip(&before) {
        assert!(others(folder).iter().filter(|line| before.contains(line)).count() == before.len());
    }
    let [first, second, third] = &folders;
    let said = verified(one.workspace.path(), &[first, second, third]);
    assert!(said.contains("all as recorded"), "{said}");
    drop(three);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_swept_by_hand() {
    let mut docent = docent("embedded:./data", TIMED);
    a_day(&docent).await;
    docent.advance(1.0).await;
    let copy = workspace(&[]);
    until("her lines", || tells(&bytes(&kept(&docent))).len() >= 3).await;
    for entry in fs::read_dir(kept(&docent)).unwrap() {
        let entry = entry.unwrap();
        let to = copy.path().join(entry.file_name());
        fs::copy(entry.path(), &to).unwrap();
        // As a crash leaves a segment that was just compressed.
        let compressed = zstd::stream::encode_all(&*fs::read(&to).unwrap(), 3).unwrap();
        fs::write(to.with_extension("jsonl.zst"), compressed).unwrap();
    }
    erase(&docent, "users/acme/u_ada").await;
    let store = format!("embedded:{}", docent.workspace.path().join("data").display());
    let (folder, sweep) = (copy.path().to_str().unwrap(), ["journal", "sweep"]);
    let sweep = [sweep[0], sweep[1], folder, "--store", &store];
    let (code, said) = run(&sweep);
    assert!(code == Some(1) && said.contains("are in use by another docent"), "{said}");
    docent.stop();
    let (code, said) = run(&sweep);
    assert!(code == Some(0) && said.contains("from 1 segment"), "{said}");
    assert_eq!(tells(&bytes(copy.path())), [""; 0]);
    assert_eq!(run(&sweep), (Some(0), "removed 0 lines from 0 segments\n".to_owned()));
    verified(docent.workspace.path(), &[copy.path()]);
    let (code, said) = run(&["journal", "sweep", "/nowhere/at/all", "--store", &store]);
    assert!(code == Some(1) && said.contains("there is no folder"), "{said}");
}
