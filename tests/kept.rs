//! A start while the workspace on disk is broken, and what `docent status` says of it.
#![cfg(test)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Docent, EAGER, PLAIN};
use serde_json::{Value, json};

const ANYWHERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

fn eager(settings: &str) -> Docent {
    Docent::serve(&[("docent.yaml", settings), ("rules/eager.yaml", EAGER)])
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// A start that must fail: its exit code, and what it said.
fn fails(workspace: &Path) -> (Option<i32>, String) {
    let folder = workspace.to_str().unwrap();
    run(&["serve", "--listen", "127.0.0.1:0", "--log", "human", "--workspace", folder])
}

/// Waits until the rulebook in force is in the store, where a stop finds it.
async fn at_rest(mut docent: Docent) -> Docent {
    docent.visit("s", &["/a"]).await;
    assert_eq!(docent.verdict("s").await, "eager");
    docent.stop();
    docent
}

#[tokio::test]
async fn a_broken_workspace_starts_from_the_last_good_one() {
    let docent = at_rest(eager(PLAIN)).await;
    docent.write("rules/eager.yaml", "triggers: [");
    let docent = docent.again_at_rest(&ANYWHERE);
    docent.visit("t", &["/a"]).await;
    assert_eq!(docent.verdict("t").await, "eager");
    let (status, ready) = docent.get("/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &json!("degraded")));
    let reasons = ready["reasons"].to_string();
    assert!(reasons.contains("was broken at start: revision 1 of "), "{reasons}");
    assert!(reasons.contains("1 findings, see /admin/rules"), "{reasons}");
    let rules = docent.get("/admin/rules").await.1;
    assert_eq!(rules["stale"]["revision"], 1);
    assert_eq!(rules["candidate"]["findings"][0]["file"], "rules/eager.yaml");
    let (code, said) = run(&["status", "--url", &docent.base]);
    assert_eq!(code, Some(0));
    assert!(said.contains("  stale: started from revision 1, kept at 20"), "{said}");
    assert!(said.contains("  refused what is on disk: 1 error; rules/eager.yaml:"), "{said}");
    // As soon as the disk is sound it is what counts.
    docent.write("rules/eager.yaml", &EAGER.replace("eager", "keen"));
    docent.until("/readyz", |_, ready| *ready == json!({ "status": "ok" })).await;
    assert_eq!(docent.get("/admin/rules").await.1["stale"], Value::Null);
    docent.visit("u", &["/a"]).await;
    assert_eq!(docent.verdict("u").await, "keen");
    // And it is what is kept from then on.
    let docent = docent.again(&ANYWHERE);
    docent.visit("v", &["/a"]).await;
    assert_eq!(docent.verdict("v").await, "keen");
}

#[tokio::test]
async fn the_disk_may_come_back_as_it_was() {
    let docent = at_rest(eager(PLAIN)).await;
    docent.write("docent.yaml", "products: {");
    let docent = docent.again_at_rest(&ANYWHERE);
    assert_ne!(docent.get("/admin/status").await.1["stale"], Value::Null);
    docent.write("docent.yaml", PLAIN);
    docent.until("/readyz", |_, ready| *ready == json!({ "status": "ok" })).await;
    let status = docent.get("/admin/status").await.1;
    assert_eq!((&status["stale"], &status["revision"]), (&Value::Null, &json!(1)));
}

#[tokio::test]
async fn a_workspace_that_is_gone_is_broken_as_well() {
    let docent = at_rest(eager(PLAIN)).await;
    fs::remove_dir_all(docent.workspace.path().join("rules")).unwrap();
    fs::remove_file(docent.workspace.path().join("docent.yaml")).unwrap();
    let docent = docent.again_at_rest(&ANYWHERE);
    docent.visit("t", &["/a"]).await;
    assert_eq!(docent.verdict("t").await, "eager");
}

#[tokio::test]
async fn a_store_elsewhere_is_found_by_its_option() {
    let arguments = [&ANYWHERE[..], &["--store", "embedded:elsewhere"]].concat();
    let files = [("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)];
    let docent = at_rest(Docent::start(&files, &arguments, &[])).await;
    assert!(docent.workspace.path().join("elsewhere/docent.redb").exists());
    docent.write("docent.yaml", "products: {");
    assert_eq!(fails(docent.workspace.path()).0, Some(2), "nothing is kept in ./data");
    assert!(!docent.workspace.path().join("data").exists(), "looking makes nothing");
    let docent = docent.again_at_rest(&arguments);
    assert_eq!(docent.verdict("nobody").await, "no_trigger");
}

#[tokio::test]
async fn without_anything_kept_a_broken_workspace_does_not_start() {
    let docent = at_rest(eager("version: 1\nstore: memory\nproducts: { acme: {} }\n")).await;
    docent.write("rules/eager.yaml", "triggers: [");
    let (code, said) = fails(docent.workspace.path());
    assert_eq!(code, Some(2), "{said}");
}

/// Files are kept as they are written, so what a variable held is in no store.
#[tokio::test]
async fn no_secret_is_kept() {
    let settings = "version: 1
admin: { tokens: [\"${DOCENT_TEST_TOKEN}\"] }
products:
  acme: {}
";
    let files = [("docent.yaml", settings), ("rules/eager.yaml", EAGER)];
    let secret = [("DOCENT_TEST_TOKEN", "hunter2-hunter2")];
    let docent = at_rest(Docent::start(&files, &ANYWHERE, &secret)).await;
    let data = fs::read(docent.workspace.path().join("data/docent.redb")).unwrap();
    let holds = |text: &str| data.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("${DOCENT_TEST_TOKEN}") && !holds("hunter2"));
    // A variable that is missing is a mistake of what is kept, too.
    let (code, said) = fails(docent.workspace.path());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the last good rulebook cannot be served either"), "{said}");
}

#[tokio::test]
async fn status_waits_until_all_serve_the_same() {
    let (one, two) = (eager(PLAIN), eager(PLAIN));
    let urls = ["status", "--url", &one.base, "--url", &two.base];
    let digest = one.get("/admin/status").await.1["digest"].as_str().unwrap().to_owned();
    let wait = |more: &[&str]| run(&[&urls[..], more].concat());
    assert_eq!(wait(&["--wait", digest.get(..8).unwrap(), "--timeout", "10s"]).0, Some(0));
    let keen = EAGER.replace("eager", "keen");
    one.write("rules/eager.yaml", &keen);
    one.until("/admin/status", |_, status| status["revision"] == 2).await;
    let digest = one.get("/admin/status").await.1["digest"].as_str().unwrap().to_owned();
    let (code, said) = wait(&["--wait", &digest, "--timeout", "300ms"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(&format!("not every instance serves `{digest}`")), "{said}");
    two.write("rules/eager.yaml", &keen);
    let (code, said) = wait(&["--wait", &digest, "--format", "json"]);
    let answers: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, answers.as_array().map(Vec::len)), (Some(0), Some(2)));
    assert_eq!(answers[1]["status"]["digest"], digest);
    assert_eq!(wait(&["--wait", "2"]).0, Some(0), "by number");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for never in ["", "HEAD", "abcdef", "0", "012", "+5", "ABCDEF01", &format!("{digest}0"), commit]
    {
        let (code, said) = wait(&["--wait", never]);
        assert!(code == Some(2) && said.contains("`docent check` prints"), "{never}: {said}");
    }
    let (code, said) = run(&["status", "--url", &one.base, "--url", "http://127.0.0.1:1"]);
    assert!(code == Some(1) && said.contains("cannot reach docent"), "{said}");
}

#[tokio::test]
async fn status_says_what_is_paused_and_by_whom_it_is_asked() {
    let settings = "version: 1\nadmin: { tokens: [op] }\nproducts: { acme: {}, other: {} }\n";
    let docent = Docent::start(
        &[("docent.yaml", settings), ("rules/eager.yaml", EAGER)],
        &[&ANYWHERE[..], &["--instance", "web-1"]].concat(),
        &[],
    );
    let (code, said) = run(&["status", "--url", &docent.base]);
    assert_eq!((code, &*said), (Some(1), "error: this route needs a key\n"));
    let key = ["--url", &docent.base, "--key", "op"];
    let pause = ["pause", "other", "--reason", "deploy"];
    assert_eq!(run(&[&pause[..], &key].concat()).0, Some(0));
    let (_, said) = run(&[&["status"][..], &key].concat());
    assert!(said.starts_with("web-1: revision 1 ("), "{said}");
    assert!(said.contains(", store embedded\n"), "{said}");
    assert!(said.contains("  paused `other` until `docent resume`: deploy\n"), "{said}");
    let interface = docent.get("/openapi.json").await.1;
    assert!(interface["paths"]["/admin/status"]["get"].is_object());
}
