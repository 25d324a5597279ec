//! What operators do while people are there: upgrade one instance after the other and go back, move
//! to another store and back. Every batch, cooldown, dismissal and quota is still known afterwards.
//!
//! The later version is this test's own process: the same code, told to write records as a version
//! that knows one more field. `DOCENT_OTHER_BINARY` names an earlier docent to upgrade from instead.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "what a server does when it fails is another test's, too")]
#[path = "redis/server.rs"]
mod server;
#[path = "crash/story.rs"]
mod story;

use std::env;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use futures_util::future::join_all;
use tempfile::TempDir;

use common::{Docent, workspace};
use server::{Server, until};
use story::{Asking, Story};

const RULES: &str = r#"
version: 1
triggers:
  - id: eager
    when:
      - count: { type: pageview, at_least: 1, within: 30m }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
    again_after: 7d
"#;
/// Clients at a time.
const CLIENTS: usize = 4;
/// What the test's own process is started with when it stands for the later version.
const ARGUMENTS: &str = "DOCENT_LATER_ARGUMENTS";

/// Which of two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Earlier,
    Later,
}

/// An earlier docent, named from outside; then the one that was built is the later.
fn other() -> Option<String> {
    docent::runtime::environment::variable("DOCENT_OTHER_BINARY")
}

fn command(version: Version) -> Command {
    let built = || Command::new(env!("CARGO_BIN_EXE_docent"));
    match (version, other()) {
        (Version::Earlier, Some(earlier)) => Command::new(earlier),
        (Version::Earlier, None) | (Version::Later, Some(_)) => built(),
        (Version::Later, None) => {
            let mut shell = Command::new("sh");
            let run = format!(
                "{ARGUMENTS}=\"$*\" exec \"$0\" a_later_version_is_this_process --exact \
                 --include-ignored --nocapture"
            );
            shell.arg("-c").arg(run).arg(env::current_exe().unwrap());
            shell
        }
    }
}

/// Started again as a process, this test is docent; started as a test it looks at that.
#[test]
fn a_later_version_is_this_process() {
    if let Some(arguments) = docent::runtime::environment::variable(ARGUMENTS) {
        docent::store::codec::write_as_a_later_version();
        let code = docent::cli::run_with(["docent"].into_iter().chain(arguments.split(' ')));
        std::process::exit(code.into());
    }
    let Output { status, stdout, .. } = command(Version::Later).arg("--version").output().unwrap();
    let said = String::from_utf8(stdout).unwrap();
    assert!(status.success() && said.contains("\ndocent 0."), "{said}");
}

fn files(store: &str) -> TempDir {
    let settings = format!(
        "version: 1\nstore: {store}\nlimits: {{ per_session: 10000/s, per_client: 100000/s }}\n\
         products:\n  acme:\n    proactive: {{ quotas: {{ user_per_day: 1 }} }}\n"
    );
    workspace(&[("docent.yaml", &settings), ("rules/eager.yaml", RULES)])
}

fn start(version: Version, folder: TempDir) -> Docent {
    Docent::start_by(command(version), folder, &["--listen", "127.0.0.1:0"], &[])
}

/// People who come while all this happens, each to an instance that is there at the moment.
#[derive(Default)]
struct People {
    bases: Mutex<Vec<String>>,
    turn: AtomicUsize,
    answered: AtomicU64,
    told: Mutex<Vec<Story>>,
    enough: AtomicBool,
}

impl People {
    fn base(&self) -> String {
        let bases = self.bases.lock().unwrap();
        bases[self.turn.fetch_add(1, Ordering::Relaxed) % bases.len()].clone()
    }

    fn replace(&self, bases: &[&Docent]) {
        *self.bases.lock().unwrap() = bases.iter().map(|docent| docent.base.clone()).collect();
    }

    /// Visits until it is enough. One that a stop cuts off is remembered as far as it came.
    async fn come(&self) {
        let client = docent::runtime::client::shared().unwrap();
        let clients = (0..CLIENTS).map(async |client_number| {
            while !self.enough.load(Ordering::Relaxed) {
                let base = self.base();
                let answered = &self.answered;
                let asking =
                    Asking { client: &client, base: &base, answered, patient: true, shared: true };
                let name = format!("{client_number}_{}", self.turn.load(Ordering::Relaxed));
                let mut story = Story::default();
                asking.live(&mut story, &name).await;
                self.told.lock().unwrap().push(story);
            }
        });
        join_all(clients).await;
    }

    async fn at_least(&self, more: usize) {
        let before = self.told.lock().unwrap().len();
        until("people to come", async || self.told.lock().unwrap().len() >= before + more).await;
    }

    /// Whatever they were told is known to each of these.
    async fn are_remembered_by(&self, docents: &[&Docent]) -> usize {
        let client = docent::runtime::client::shared().unwrap();
        let stories = std::mem::take(&mut *self.told.lock().unwrap());
        for (place, stories) in stories.chunks(32).enumerate() {
            let base = &docents[place % docents.len()].base;
            let answered = &self.answered;
            let asking = Asking { client: &client, base, answered, patient: false, shared: true };
            join_all(stories.iter().map(|story| asking.remembers(story))).await;
        }
        let dismissed = stories.iter().filter(|story| story.dismissed).count();
        self.told.lock().unwrap().extend(stories);
        dismissed
    }
}

/// While `work` is done people come; afterwards that is over.
async fn meanwhile<T>(people: &People, work: impl Future<Output = T>) -> T {
    people.enough.store(false, Ordering::Relaxed);
    let work = async {
        let done = work.await;
        people.enough.store(true, Ordering::Relaxed);
        done
    };
    tokio::join!(people.come(), work).1
}

/// How many records in Redis have a field that only the later version knows.
fn later_records(server: &Server) -> usize {
    let names: Vec<String> = server.ask(&["KEYS", "docent:{acme/*}:*"]);
    let later = |name: &&String| {
        let row: Vec<Vec<u8>> = server.ask(&["HVALS", name]);
        row.iter().any(|value| value.windows(11).any(|word| word == b"later_field"))
    };
    names.iter().filter(later).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn four_instances_are_upgraded_and_rolled_back_one_by_one() {
    let server = Server::start(&[]);
    let mut fleet: Vec<Docent> =
        (0..4).map(|_| start(Version::Earlier, files(&server.url()))).collect();
    let people = People::default();
    for version in [Version::Later, Version::Earlier] {
        people.replace(&fleet.iter().collect::<Vec<_>>());
        meanwhile(&people, async {
            for place in 0..fleet.len() {
                people.at_least(10).await;
                let next = start(version, files(&server.url()));
                next.until("/readyz", |status, _| status == 200).await;
                let mut last = std::mem::replace(&mut fleet[place], next);
                people.replace(&fleet.iter().collect::<Vec<_>>());
                last.stop();
            }
            people.at_least(10).await;
        })
        .await;
        if version == Version::Later && other().is_none() {
            assert!(later_records(&server) > 20, "the later version writes what it knows");
        }
        let dismissed = people.are_remembered_by(&fleet.iter().collect::<Vec<_>>()).await;
        assert!(dismissed > 40, "{dismissed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_upgraded_and_rolled_back() {
    let people = People::default();
    let mut folder = files("embedded:./data");
    for version in [Version::Earlier, Version::Later, Version::Earlier, Version::Later] {
        let mut docent = start(version, folder);
        people.are_remembered_by(&[&docent]).await;
        people.replace(&[&docent]);
        meanwhile(&people, people.at_least(20)).await;
        docent.stop();
        folder = docent.into_workspace();
    }
    let dismissed = people.are_remembered_by(&[&start(Version::Earlier, folder)]).await;
    assert!(dismissed >= 60, "{dismissed}");
}

/// `docent store copy`, in a folder.
fn copying(folder: &TempDir, from: &str, to: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    command.args(["store", "copy", from, to, "--format", "json"]).current_dir(folder.path());
    command.stdin(Stdio::null());
    command
}

fn exactly(mut command: Command) -> Command {
    command.arg("--exact");
    command
}

/// Off the runtime, since people go on coming.
async fn copied(mut command: Command) -> (Option<i32>, serde_json::Value) {
    let copy = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output { status, stdout, stderr } = copy.await.unwrap();
    let told = serde_json::from_slice(&stdout);
    (status.code(), told.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr))))
}

/// As the page says: copied while the first store is in use, and again once it is at rest.
async fn moved(
    people: &People,
    mut docent: Docent,
    (from, at_rest): (&str, &str),
    to: &str,
) -> Docent {
    people.replace(&[&docent]);
    let first = meanwhile(people, async {
        people.at_least(20).await;
        // The first try is interrupted, the next goes on.
        let mut torn = copying(&docent.workspace, from, to).stdout(Stdio::null()).spawn().unwrap();
        people.at_least(1).await;
        let _gone = torn.kill();
        let _reaped = torn.wait();
        let first = copied(copying(&docent.workspace, from, to)).await;
        people.at_least(20).await;
        first.1
    })
    .await;
    docent.stop();
    let (code, last) = copied(exactly(copying(&docent.workspace, at_rest, to))).await;
    assert_eq!((code, &last["verified"]), (Some(0), &true.into()), "{last}");
    let number = |told: &serde_json::Value, name: &str| told[name].as_u64().unwrap();
    assert!(number(&first, "written") + number(&first, "kept") > 40, "{first}");
    assert!(number(&last, "kept") > 20 && number(&last, "written") > 20, "{last}");
    let settings = docent.workspace.path().join("docent.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let store = text.lines().find(|line| line.starts_with("store: ")).unwrap();
    std::fs::write(&settings, text.replace(store, &format!("store: {to}"))).unwrap();
    let next = start_in(docent.into_workspace());
    next.until("/readyz", |status, _| status == 200).await;
    assert!(people.are_remembered_by(&[&next]).await > 20);
    next
}

fn start_in(folder: TempDir) -> Docent {
    Docent::start_in(folder, &["--listen", "127.0.0.1:0"], &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn people_move_from_a_folder_to_redis_and_back() {
    let (server, people) = (Server::start(&[]), People::default());
    let docent = start_in(files("embedded:./data"));
    let (base, url) = (docent.base.clone(), server.url());
    let docent = moved(&people, docent, (&base, "embedded:./data"), &url).await;
    moved(&people, docent, (&url, &url), "embedded:./back").await;
}
