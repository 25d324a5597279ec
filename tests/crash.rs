//! `kill -9` under load: whatever was acknowledged is there after the next start, and no offer is
//! made twice. `DOCENT_CRASH_ROUNDS` says how many rounds; each takes about a second.
#![cfg(test)]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "redis/server.rs"]
mod server;
mod crash {
    mod shared;
}
#[path = "full/disk.rs"]
mod disk;
#[path = "crash/story.rs"]
mod story;

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use disk::{FILE_LIMIT, SmallDisk};
use story::{Asking, Story};

const SETTINGS: &str = "
version: 1
store: embedded:./data
limits: { per_session: 10000/s, per_client: 100000/s }
products:
  acme:
    proactive: { quotas: { user_per_day: 1 } }
";
const RULES: &str = r#"
version: 1
triggers:
  - id: eager
    when:
      - count: { type: pageview, at_least: 1, within: 30m }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
    again_after: 7d
"#;
/// The store of [`SETTINGS`].
const EMBEDDED: &str = "embedded:./data";
/// Clients at a time.
const CLIENTS: usize = 8;
/// Requests that are answered before the process is killed, at most.
const MOST: u64 = 400;

struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(workspace: &Path, shell: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{shell} exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_docent")])
            .args(["serve", "--listen", "127.0.0.1:0", "--workspace"])
            .arg(workspace)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some(base) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break base.trim_end_matches('/').to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, base }
    }

    fn kill(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn workspace(store: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = SETTINGS.replace(EMBEDDED, store);
    fs::write(folder.path().join("docent.yaml"), settings).unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rules/eager.yaml"), RULES).unwrap();
    folder
}

/// What a run by hand is for.
fn say(figures: &str) {
    writeln!(std::io::stderr(), "{figures}").unwrap();
}

fn rounds() -> u64 {
    docent::runtime::environment::variable("DOCENT_CRASH_ROUNDS")
        .map_or(20, |rounds| rounds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_no_offer_is_made_twice() {
    let rounds = rounds();
    let (folder, random) = (workspace(EMBEDDED), RandomState::new());
    let client = docent::runtime::client::shared().unwrap();
    let mut told: Vec<Story> = Vec::new();
    for round in 0..rounds {
        say(&format!("round {round}, {} visits so far", told.len()));
        let mut server = Server::start(folder.path(), "");
        let (base, answered) = (server.base.clone(), AtomicU64::new(0));
        let asking = Asking {
            client: &client,
            base: &base,
            answered: &answered,
            patient: false,
            shared: false,
        };
        let newest = told.len().saturating_sub(100);
        join_all(told[newest..].iter().map(|story| asking.remembers(story))).await;
        answered.store(0, Ordering::Relaxed);
        let last = random.hash_one(round) % MOST;
        let clients = (0..CLIENTS).map(|number| {
            let asking = &asking;
            async move {
                let mut stories = Vec::new();
                loop {
                    let mut story = Story::default();
                    let name = format!("{round}_{number}_{}", stories.len());
                    let lived = asking.live(&mut story, &name).await;
                    stories.push(story);
                    if lived.is_none() {
                        return stories;
                    }
                }
            }
        });
        let killing = async {
            while answered.load(Ordering::Relaxed) < last {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            server.kill();
        };
        let (stories, ()) = tokio::join!(join_all(clients), killing);
        told.extend(stories.into_iter().flatten());
    }
    let server = Server::start(folder.path(), "");
    let (base, answered) = (server.base.clone(), AtomicU64::new(0));
    let asking =
        Asking { client: &client, base: &base, answered: &answered, patient: false, shared: false };
    for stories in told.chunks(100) {
        join_all(stories.iter().map(|story| asking.remembers(story))).await;
    }
    let dismissed = told.iter().filter(|story| story.dismissed).count();
    assert!(dismissed > rounds as usize * 4, "{dismissed}");
    say(&format!("{rounds} rounds, {} visits, {dismissed} to their end", told.len()));
}

/// What changes something is refused, what does not is served, and all is well again once there is
/// room.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_changes_are_refused_and_the_rest_is_served() {
    let folder = workspace(EMBEDDED);
    let client = docent::runtime::client::shared().unwrap();
    let disk = SmallDisk::at(&folder.path().join("data"), 4 << 10);
    let mut server = Server::start(folder.path(), if disk.is_some() { "" } else { FILE_LIMIT });
    let (base, answered) = (server.base.clone(), AtomicU64::new(0));
    let asking =
        Asking { client: &client, base: &base, answered: &answered, patient: false, shared: false };
    let batch = |number: u64| {
        json!({
            "type": "actions", "session_id": format!("s_{number}"), "forwarded_at": 1 + number,
            "actions": [{ "type": "pageview", "canonical_url": "/a",
                "description": "words ".repeat(2_000) }],
        })
    };
    let mut number = 0;
    let refusal = loop {
        let (status, body) = asking.post("/events/acme", &batch(number)).await.unwrap();
        if status != 200 {
            assert_eq!(status, 503, "{body}");
            break body;
        }
        number += 1;
        assert!(number < 2_000, "it never fills");
    };
    let detail = refusal["detail"].as_str().unwrap();
    assert!(detail.starts_with("the store cannot write: "), "{detail}");
    let ready = async || {
        let (status, body) = asking.send(client.get(format!("{base}/readyz"))).await.unwrap();
        (status, body.to_string())
    };
    let (status, body) = ready().await;
    assert!(status == 503 && body.contains("the store cannot write"), "{body}");
    let (status, _) = asking.post("/events/acme", &batch(number)).await.unwrap();
    assert_eq!(status, 503, "asking again is no way around it");
    let (status, body) = asking.poll("nobody").await.unwrap();
    assert_eq!((status, &body["proactive_skip_reason"]), (200, &json!("no_trigger")), "{body}");

    let pid = server.child.id().to_string();
    match &disk {
        Some(disk) => disk.grow(64 << 10),
        None => {
            let room = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
            assert!(room.unwrap().success());
        }
    }
    while ready().await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, _) = asking.post("/events/acme", &batch(number)).await.unwrap();
    assert_eq!(status, 200);
    server.kill();
    let server = Server::start(folder.path(), "");
    let base = server.base.clone();
    let asking =
        Asking { client: &client, base: &base, answered: &answered, patient: false, shared: false };
    for number in 0..=number {
        let (_, body) = asking.post("/events/acme", &batch(number)).await.unwrap();
        assert_eq!(body["duplicate"], true, "{number}");
    }
}

/// A second docent on the same folder does not start, and says why; the first goes on.
#[tokio::test]
async fn two_do_not_share_a_folder_and_a_stop_loses_nothing() {
    let folder = workspace(EMBEDDED);
    let settings = SETTINGS.replace("limits:", "durability: 10s\nlimits:");
    fs::write(folder.path().join("docent.yaml"), settings).unwrap();
    let client = docent::runtime::client::shared().unwrap();
    let mut server = Server::start(folder.path(), "");
    let second = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--listen", "127.0.0.1:0", "--workspace"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("are in use by another docent"), "{said}");

    let (base, answered) = (server.base.clone(), AtomicU64::new(0));
    let asking =
        Asking { client: &client, base: &base, answered: &answered, patient: false, shared: false };
    let mut story = Story::default();
    asking.live(&mut story, "last").await.unwrap();
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(server.child.wait().unwrap().success());
    let server = Server::start(folder.path(), "");
    let base = server.base.clone();
    Asking { client: &client, base: &base, answered: &answered, patient: false, shared: false }
        .remembers(&story)
        .await;
}
