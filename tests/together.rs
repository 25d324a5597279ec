//! Operating several docents, each a process of its own, on one Redis: what one is told holds for
//! all, and one tells of all.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "what a server does when it fails is another test's")]
#[path = "redis/server.rs"]
mod server;

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use common::{Docent, EAGER, workspace};
use server::{Server, until};

fn started(server: &Server, name: &str) -> Docent {
    let settings = format!("version: 1\nstore: {}\nproducts:\n  acme: {{}}\n", server.url());
    let files = [("docent.yaml", &*settings), ("rules/eager.yaml", EAGER)];
    Docent::start(&files, &["--listen", "127.0.0.1:0", "--instance", name], &[])
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_pause_said_to_one_holds_for_all_also_for_those_that_start_later() {
    let server = Server::start(&[]);
    let (one, two) = (started(&server, "one"), started(&server, "two"));
    two.visit("s", &["/a"]).await;
    assert_eq!(run(&["pause", "acme", "--url", &one.base, "--reason", "deploy"]).0, Some(0));
    assert_eq!(one.verdict("s").await, "not_enabled", "at once");
    let route = "/admin/products/acme/proactive";
    two.until(route, |_, told| told["enabled"] == false).await;
    assert_eq!(two.verdict("s").await, "not_enabled");
    let three = started(&server, "three");
    assert_eq!(three.verdict("s").await, "not_enabled", "from the first poll on");
    assert_eq!(run(&["resume", "acme", "--url", &three.base]).0, Some(0));
    one.until(route, |_, told| told["enabled"] == true).await;
    assert_eq!(one.verdict("s").await, "eager");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn one_tells_of_all_and_waits_for_all() {
    let server = Server::start(&[]);
    let (one, mut two) = (started(&server, "one"), started(&server, "two"));
    let names = |status: &Value| {
        let all = status["instances"].as_array().unwrap().iter();
        all.map(|other| other["instance"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    one.until("/admin/status", |_, status| names(status) == ["one", "two"]).await;
    let keen = EAGER.replace("eager", "keen");
    one.write("rules/eager.yaml", &keen);
    let status = one.until("/admin/status", |_, status| status["revision"] == 2).await;
    let digest = status["digest"].as_str().unwrap().to_owned();
    let wait = |patience: &str| {
        run(&["status", "--url", &one.base, "--wait", &digest, "--timeout", patience])
    };
    assert_eq!(wait("100ms").0, Some(5), "the other serves what it served");
    two.write("rules/eager.yaml", &keen);
    let (code, said) = wait("30s");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("one: revision 2") && said.contains("two: revision 2"), "{said}");
    assert!(said.contains("store redis"), "{said}");
    // Who stops says goodbye.
    two.stop();
    until("the other is gone", async || names(&one.get("/admin/status").await.1) == ["one"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_machine_with_a_broken_disk_starts_from_what_another_kept() {
    let server = Server::start(&[]);
    let one = started(&server, "one");
    one.visit("s", &["/a"]).await;
    assert_eq!(one.verdict("s").await, "eager");
    let arguments = ["--listen", "127.0.0.1:0", "--store", &server.url()];
    let broken = [("docent.yaml", "products: {"), ("rules/eager.yaml", "x")];
    // It is kept a moment after it came into force.
    until("it is kept", async || {
        let workspace = workspace(&broken);
        let folder = workspace.path().to_str().unwrap().to_owned();
        let serve = ["-k", "1", "5", env!("CARGO_BIN_EXE_docent"), "serve", "--workspace", &folder];
        let mut command = Command::new("timeout");
        let output = command.args(serve).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains("docent listens on")
    })
    .await;
    let two = Docent::start(&broken, &arguments, &[]);
    two.visit("t", &["/a"]).await;
    assert_eq!(two.verdict("t").await, "eager");
    assert_eq!(two.get("/readyz").await.1["status"], json!("degraded"));
}
