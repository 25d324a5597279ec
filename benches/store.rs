//! What a disk costs: acknowledged batches a second beside raw commits of the same size on the same
//! engine in the same run, and reading a store back. `cargo bench --bench store`;
//! `DOCENT_BENCH_SESSIONS` says how many sessions are read back, `DOCENT_BENCH_FOLDER` on which
//! disk.
#![expect(clippy::expect_used, reason = "a benchmark may panic")]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use docent::domain::action::Action;
use docent::domain::records::{Chunk, Context};
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::settings::{Durability, Limits};
use docent::runtime::environment::variable;
use docent::store::{Key, Step, Store};
use redb::{Builder, TableDefinition};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);
/// How long each figure is measured.
const LONG: Duration = Duration::from_secs(5);
/// Batches under way at a time.
const CLIENTS: [usize; 3] = [1, 32, 256];
/// Sessions that the batches are for.
const SESSIONS: u64 = 20_000;
/// Actions that each session has.
const ACTIONS: u64 = 20;

fn action(session: u64, number: u64) -> Action {
    let page: Arc<str> = format!("/page-{}", (session + number) % 50).into();
    Action {
        at: NOW,
        kind: if number.is_multiple_of(3) { "pageview" } else { "click" }.into(),
        title: format!("Button {}", number % 7).into(),
        url: Arc::clone(&page),
        page,
        started: 1_760_000_000.5,
        ended: 1_760_000_001.5,
        forwarded: 1_760_000_002.5,
        properties: None,
    }
}

/// A session with its actions, one more batch of four, and the chunk of that.
fn batch(state: &mut Option<Session>, context: &mut Option<Context>, session: u64) -> Step<()> {
    let state = state.get_or_insert_default();
    let from = if state.actions.is_empty() { 0 } else { ACTIONS - 4 };
    state.seq += 1;
    state.actions.extend((from..ACTIONS).map(|number| action(session, number)));
    while state.actions.len() as u64 > ACTIONS {
        state.actions.pop_front();
    }
    let context = context.get_or_insert_default();
    let text = format!("Session {session}: 4 actions\n{}", "[0] click: Pressed save\n".repeat(4));
    let chunk = Chunk { number: context.next, at: NOW, text: text.into(), summary: false };
    context.next += 1;
    context.chunks.push_back(chunk);
    while context.chunks.len() > 5 {
        context.chunks.pop_front();
    }
    Step::Write(())
}

fn folder() -> TempDir {
    match variable("DOCENT_BENCH_FOLDER") {
        Some(on) => TempDir::new_in(on),
        None => tempfile::tempdir(),
    }
    .expect("a folder")
}

fn open(folder: &Path, durability: Durability) -> Store {
    let limits = Limits { max_memory: 64 << 30, ..Limits::default() };
    Store::open_in(folder, "embedded:data", durability, &limits).expect("a store")
}

/// Batches a second that so many clients have acknowledged.
async fn acknowledged(clients: usize, durability: Durability) -> f64 {
    let folder = folder();
    let store = Arc::new(open(folder.path(), durability));
    let (next, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        tasks.spawn(async move {
            while begun.elapsed() < LONG {
                // Neighbours in time are no neighbours in the file.
                let session = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(7_919) % SESSIONS;
                let id = format!("ps_{session}");
                let key = Key { product: "acme", id: &id };
                let step = |state: &mut _, context: &mut _| batch(state, context, session);
                store.update_session(key, NOW, step).await.expect("a commit");
            }
        });
    }
    tasks.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    store.close().await.expect("an end");
    next.load(Ordering::Relaxed) as f64 / seconds
}

/// Pairs of values a second that redb alone commits, so many in one commit.
fn raw(clients: usize, bytes: usize) -> f64 {
    let folder = folder();
    let mut builder = Builder::new();
    let database = builder.set_cache_size(64 << 20).create(folder.path().join("raw.redb"));
    let database = database.expect("a file");
    let table: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("raw");
    let (mut written, begun, value) = (0_u64, Instant::now(), vec![7; bytes]);
    while begun.elapsed() < LONG {
        let transaction = database.begin_write().expect("a transaction");
        let mut open = transaction.open_table(table).expect("a table");
        for _ in 0..clients {
            let session = written.wrapping_mul(7_919) % SESSIONS;
            let (state, context) = (format!("ps_{session}"), format!("context_{session}"));
            open.insert(("acme", &*state), &*value).expect("a value");
            open.insert(("acme", &*context), &*value).expect("a value");
            written += 1;
        }
        drop(open);
        transaction.commit().expect("a commit");
    }
    written as f64 / begun.elapsed().as_secs_f64()
}

/// Milliseconds that the disk takes to say that a page is on it.
fn fdatasync() -> f64 {
    let folder = folder();
    let mut file = File::create(folder.path().join("page")).expect("a file");
    let (begun, rounds) = (Instant::now(), 500);
    for _ in 0..rounds {
        file.seek(SeekFrom::Start(0)).expect("a start");
        file.write_all(&[7; 4_096]).expect("a page");
        file.sync_data().expect("a sync");
    }
    begun.elapsed().as_secs_f64() * 1_000.0 / f64::from(rounds)
}

/// Seconds to read so many sessions back, and the size of their file in MiB.
async fn recovery(sessions: u64) -> (f64, u64) {
    let folder = folder();
    let store = open(folder.path(), Durability::Interval(Span::from_millis(100)));
    for session in 0..sessions {
        let id = format!("ps_{session}");
        let step = |state: &mut _, context: &mut _| batch(state, context, session);
        store.update_session(Key { product: "acme", id: &id }, NOW, step).await.expect("a commit");
    }
    store.close().await.expect("an end");
    let held = store.figures();
    drop(store);
    let size = folder.path().join("data/docent.redb").metadata().map_or(0, |file| file.len());
    let begun = Instant::now();
    let store = open(folder.path(), Durability::Immediate);
    let seconds = begun.elapsed().as_secs_f64();
    let back = store.figures();
    assert_eq!(back.sessions, held.sessions, "all of them");
    println!("bytes a session: {} before, {} after", held.bytes / sessions, back.bytes / sessions);
    (seconds, size >> 20)
}

fn main() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    println!("fdatasync of a page: {:.3} ms", fdatasync());
    // What a session and its context of this benchmark are on disk, on average.
    let bytes = 1_800;
    for clients in CLIENTS {
        let immediate = runtime.block_on(acknowledged(clients, Durability::Immediate));
        let interval = Durability::Interval(Span::from_millis(100));
        let interval = runtime.block_on(acknowledged(clients, interval));
        let raw = raw(clients, bytes);
        println!(
            "{clients} clients: {immediate:.0} batches/s immediate ({:.0} % of raw), \
             {interval:.0} with 100ms, {raw:.0} raw",
            100.0 * immediate / raw
        );
    }
    let sessions = variable("DOCENT_BENCH_SESSIONS");
    let sessions = sessions.map_or(100_000, |sessions| sessions.parse().expect("a number"));
    let (seconds, size) = runtime.block_on(recovery(sessions));
    println!("{sessions} sessions of {ACTIONS} actions, {size} MiB: read back in {seconds:.1} s");
}
