//! Backup, restore and copy through the real binary, while docent serves and while it does not.
#![cfg(test)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Docent, EAGER, PLAIN};
use docent::rulebook::settings::Limits;
use docent::store::Store;
use redb::{Database, TableDefinition};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

const MEMORY: &str = "version: 1\nstore: memory\nproducts:\n  acme: {}\n";
const KEYED: &str = "version: 1
admin: { tokens: [op_token] }
products:
  acme: { keys: { secret: sk_acme, publishable: pk_acme } }
  other: { rules: other/, keys: { secret: sk_other } }
";

fn eager(settings: &str) -> Docent {
    Docent::serve(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)])
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    run_as(arguments, &[])
}

fn run_as(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    command.args(arguments).envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// With this file as its standard input.
fn run_with(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    let input = fs::File::open(input).unwrap();
    let output = command.args(arguments).stdin(input).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn named(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// A product whose offers are counted.
const COUNTED: &str =
    "version: 1\nproducts:\n  acme: { proactive: { quotas: { product_per_minute: 9 } } }\n";

/// A docent that has something to lose, and a backup of it.
async fn saved(folder: &TempDir) -> (Docent, String) {
    let docent = eager(COUNTED);
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
    docent.event("s", "proactive_dismissed").await;
    let pause = json!({ "enabled": false, "reason": "moving" });
    let request = docent.request("PUT", "/admin/products/acme/proactive").json(&pause);
    assert_eq!(common::answer(request).await.0, 200);
    let file = named(folder, "backup");
    let (code, said) = run(&["backup", &file, "--url", &docent.base]);
    let told = format!("saved 5 records (bulletin 2, context 1, product 1, session 1) to {file}\n");
    assert_eq!((code, said), (Some(0), told));
    assert!(!Path::new(&format!("{file}.partial")).exists());
    (docent, file)
}

async fn remembers(docent: &Docent) {
    assert_eq!(docent.verdict("s").await, "not_enabled");
    let request = docent.request("PUT", "/admin/products/acme/proactive");
    assert_eq!(common::answer(request.json(&json!({ "enabled": true }))).await.0, 200);
    assert_eq!(docent.verdict("s").await, "fsm:conservative_cooldown");
    let ask = json!({ "knowledge_id": "s", "query": "", "retrieval_setting": {} });
    assert_eq!(docent.post("/retrieval", ask).await.1["records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_backup_of_a_running_docent_goes_into_another() {
    let folder = tempdir().unwrap();
    let (_first, file) = saved(&folder).await;
    let other = eager(MEMORY);
    let (code, said) = run(&["restore", &file, "--url", &other.base]);
    let told = "restored 4 records; 1 already there, the same or newer\n";
    assert_eq!((code, &*said), (Some(0), told), "its own rulebook is newer");
    remembers(&other).await;
    // It has records now.
    let (code, said) = run(&["restore", &file, "--url", &other.base]);
    assert!(code == Some(1) && said.contains("the store has records already"), "{said}");
    other.visit("t", &["/a"]).await;
    let (code, said) = run_with(&["restore", "-", "--url", &other.base, "--replace"], &file);
    assert_eq!((code, &*said), (Some(0), "restored 5 records\n"));
    remembers(&other).await;
    assert_eq!(other.verdict("t").await, "eager", "what the backup does not have stays");
}

#[tokio::test]
async fn a_backup_goes_into_a_store_at_rest_and_on_to_the_next() {
    let folder = tempdir().unwrap();
    let (mut first, file) = saved(&folder).await;
    let store = |docent: &Docent| format!("embedded:{}", named(&docent.workspace, "data"));
    let (code, said) = run_with(&["restore", "-", "--store", &store(&first), "--replace"], &file);
    assert!(code == Some(1) && said.contains("are in use by another docent"), "{said}");
    first.stop();
    let (code, said) = run(&["restore", &file, "--store", &store(&first)]);
    assert!(code == Some(1) && said.contains("the store has records already"), "{said}");

    let rest = format!("embedded:{}", named(&folder, "rest"));
    let key = [("DOCENT_KEY", "what the running one asks for")];
    let (code, said) = run_as(&["restore", &file, "--store", &rest], &key);
    assert_eq!((code, &*said), (Some(0), "restored 5 records\n"));
    let mut second = eager(PLAIN);
    second.stop();
    let told = "5 records (bulletin 2, context 1, product 1, session 1): 4 written, 1 already there
verified: every record is there
";
    let (code, said) = run(&["store", "copy", &rest, &store(&second)]);
    assert_eq!((code, &*said), (Some(0), told));
    let (code, said) = run(&["store", "copy", &rest, &store(&second), "--format", "json"]);
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &answer["written"], &answer["kept"]), (Some(0), &json!(0), &json!(5)));
    remembers(&second.again_at_rest(&["--listen", "127.0.0.1:0"])).await;
}

/// Whatever wrote it: a copy that lacks something is no copy of all.
#[test]
fn a_record_that_cannot_be_read_is_told_of_at_the_end() {
    let folder = tempdir().unwrap();
    let [from, to] = ["from", "to"].map(|name| named(&folder, name));
    drop(Store::open(&format!("embedded:{from}"), &Limits::default()).unwrap());
    let database = Database::open(format!("{from}/docent.redb")).unwrap();
    let users = TableDefinition::<'_, (&str, &str), &[u8]>::new("user");
    let write = database.begin_write().unwrap();
    write.open_table(users).unwrap().insert(("acme", "u_1"), &[7_u8; 3][..]).unwrap();
    write.commit().unwrap();
    drop(database);
    let stores = [from, to].map(|folder| format!("embedded:{folder}"));
    let (code, said) = run(&["store", "copy", &stores[0], &stores[1]]);
    let told = "1 record (user 1): 0 written, 0 already there
not whole: 1 record cannot be read by this version and stayed behind; the others are there
";
    assert_eq!((code, &*said), (Some(1), told));
}

#[test]
fn what_cannot_be_copied_says_so() {
    let folder = tempdir().unwrap();
    let nowhere = format!("embedded:{}", named(&folder, "nowhere"));
    let other = format!("embedded:{}", named(&folder, "other"));
    let known = format!("embedded:{}", named(&folder, "known"));
    drop(Store::open(&known, &Limits::default()).unwrap());
    let file = format!("embedded:{}", named(&folder, "known/docent.redb"));
    for (from, to, why) in [
        (&*nowhere, &*other, "there is no store in"),
        ("memory", &*other, "`memory` ends with its docent"),
        ("postgres://x", &*other, "`postgres` names no store"),
        (&*known, &*known, "both are the same store"),
        (&*file, &*other, "it is a file: name its folder"),
        (&*known, &*file, "it is a file, and a store is a folder"),
        ("redis://127.0.0.1:1", &*other, "cannot read the first store: Redis cannot be reached"),
        (&*known, "redis://127.0.0.1:1", "cannot write to the second store: Redis cannot"),
        ("http://127.0.0.1:1", &*other, "cannot reach docent at http://127.0.0.1:1"),
    ] {
        let (code, said) = run(&["store", "copy", from, to]);
        assert!(code == Some(1) && said.contains(why), "{said}");
        assert!(!said.contains("the copy is not whole"), "nothing was begun: {said}");
    }
    assert!(!folder.path().join("nowhere").exists(), "looking makes nothing");
}

#[tokio::test]
async fn a_torn_or_foreign_file_changes_nothing() {
    let folder = tempdir().unwrap();
    let (_first, file) = saved(&folder).await;
    let whole = fs::read(&file).unwrap();
    let other = eager(MEMORY);
    for (bytes, why) in [
        (&whole[..whole.len() - 1], "the backup is not whole"),
        (&whole[..whole.len() / 2], "the backup is not whole"),
        (&b"hello"[..], "this is no backup of docent"),
        (&b""[..], "this is no backup of docent"),
    ] {
        let torn = named(&folder, "torn");
        fs::write(&torn, bytes).unwrap();
        let (code, said) = run(&["restore", &torn, "--url", &other.base]);
        assert!(code == Some(1) && said.contains(why), "{said}");
        // Whoever sends it by other means is told, too.
        let request = other.request("POST", "/admin/restore?replace=1");
        let request = request.header("content-type", "application/zstd").body(bytes.to_vec());
        let (status, answer) = common::answer(request).await;
        assert!(status == 422 && answer["detail"].as_str().unwrap().contains(why), "{answer}");
    }
    assert_eq!(other.verdict("s").await, "no_trigger");
    let (code, said) = run(&["restore", &file, "--url", "http://127.0.0.1:1"]);
    assert!(code == Some(1) && said.contains("cannot reach docent"), "{said}");
    let (code, said) = run(&["backup", &named(&folder, "none"), "--url", "http://127.0.0.1:1"]);
    assert!(code == Some(1) && said.contains("cannot reach docent"), "{said}");
    assert!(!folder.path().join("none").exists() && !folder.path().join("none.partial").exists());
}

#[tokio::test]
async fn operators_alone_carry_records() {
    let docent = eager(KEYED);
    let ask = |method: &str, path: &str, key: &str, kind: &str| {
        let request = docent.request(method, path).bearer_auth(key).header("content-type", kind);
        let request = request.body("");
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let (save, back, kind) = ("/admin/backup", "/admin/restore", "application/zstd");
    for (method, path, key, kind, status) in [
        ("GET", save, "op_token", "", 200),
        ("GET", save, "sk_acme", "", 403),
        ("GET", save, "pk_acme", "", 403),
        ("GET", save, "wrong", "", 401),
        ("POST", back, "sk_acme", kind, 403),
        ("POST", back, "wrong", kind, 401),
        ("POST", back, "op_token", "application/json", 415),
        ("POST", back, "op_token", kind, 422),
        ("GET", back, "op_token", kind, 405),
    ] {
        assert_eq!(ask(method, path, key, kind).await, status, "{method} {path} {key} {kind}");
    }
}

/// Somebody who is known comes, and says whether they want offers.
async fn arrives(docent: &Docent, user: &str, event: Option<&str>) -> String {
    let batch = json!({ "type": "actions", "session_id": format!("of {user}"), "user_id": user,
        "email": format!("{user}@b.example"),
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    let session = format!("of%20{user}");
    let verdict = docent.verdict(&session).await;
    if let Some(event) = event {
        docent.event(&session, event).await;
    }
    verdict
}

async fn known(docent: &Docent, user: &str) -> usize {
    let all = docent.get(&format!("/admin/users/acme/{user}/export")).await.1;
    ["users", "sessions", "emails"]
        .iter()
        .map(|kind| all[*kind].as_array().map_or(0, Vec::len))
        .sum()
}

async fn erased(docent: &Docent, user: &str) {
    let request = docent.request("DELETE", &format!("/admin/users/acme/{user}"));
    assert_eq!(common::answer(request).await.0, 200);
}

const OUT: Option<&str> = Some("proactive_opted_out");

#[tokio::test]
async fn nobody_comes_back_who_was_erased_after_the_backup_was_made() {
    let folder = tempdir().unwrap();
    let mut docent = eager(PLAIN);
    for user in ["ada", "grace"] {
        arrives(&docent, user, OUT).await;
    }
    let file = named(&folder, "backup");
    assert_eq!(run(&["backup", &file, "--url", &docent.base]).0, Some(0));
    erased(&docent, "ada").await;
    let (code, said) = run(&["restore", &file, "--url", &docent.base, "--replace"]);
    assert!(
        code == Some(0) && said.contains("; 4 of people who were erased since, left out"),
        "{said}"
    );
    assert_eq!((known(&docent, "ada").await, known(&docent, "grace").await), (0, 3));
    assert_eq!(arrives(&docent, "ada", None).await, "consent:denied", "that stays known");
    // The same with no docent in between, and for a copy.
    erased(&docent, "ada").await;
    docent.stop();
    let store = |docent: &Docent| format!("embedded:{}", named(&docent.workspace, "data"));
    let old = format!("embedded:{}", named(&folder, "old"));
    assert_eq!(run(&["restore", &file, "--store", &old]).0, Some(0));
    for carried in [
        run(&["restore", &file, "--store", &store(&docent), "--replace"]),
        run(&["store", "copy", &old, &store(&docent)]),
    ] {
        assert!(
            carried.0 == Some(0) && carried.1.contains(" 4 of people who were erased"),
            "{carried:?}"
        );
    }
    let docent = docent.again_at_rest(&["--listen", "127.0.0.1:0"]);
    assert_eq!((known(&docent, "ada").await, known(&docent, "grace").await), (0, 3));
}

#[tokio::test]
async fn a_store_with_another_salt_loses_no_word_and_no_erasure() {
    let folder = tempdir().unwrap();
    let (first, second) = (eager(PLAIN), eager(PLAIN));
    for (docent, user, event) in [
        (&first, "ada", OUT),
        (&first, "bob", OUT),
        (&second, "ada", None),
        (&second, "eve", OUT),
        (&second, "joe", OUT),
    ] {
        arrives(docent, user, event).await;
    }
    erased(&first, "ada").await;
    erased(&second, "joe").await;
    let file = named(&folder, "backup");
    assert_eq!(run(&["backup", &file, "--url", &first.base]).0, Some(0));
    let (code, said) = run(&["restore", &file, "--url", &second.base, "--replace"]);
    assert!(code == Some(0) && said.contains("4 of people who were erased"), "{said}");
    assert_eq!((known(&second, "ada").await, known(&second, "bob").await), (0, 3));
    // What the second knew, what the first knew, and both once more after another journey.
    let file = named(&folder, "again");
    assert_eq!(run(&["backup", &file, "--url", &second.base]).0, Some(0));
    let third = eager(PLAIN);
    arrives(&third, "zoe", OUT).await;
    assert_eq!(run(&["restore", &file, "--url", &third.base, "--replace"]).0, Some(0));
    for docent in [&second, &third] {
        for user in ["ada", "bob", "eve", "joe"] {
            assert_eq!(arrives(docent, user, None).await, "consent:denied", "{user}");
        }
        assert_eq!(arrives(docent, "kim", None).await, "eager");
    }
    assert_eq!(arrives(&third, "zoe", None).await, "consent:denied");
}
