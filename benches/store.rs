//! What a disk costs: acknowledged batches a second beside raw commits of the same size on the same
//! engine in the same run, and reading a store back. `cargo bench --bench store`;
//! `DOCENT_BENCH_SESSIONS` says how many sessions are read back (0: none), `DOCENT_BENCH_CLIENTS`
//! how many clients write (`32,256`; empty: none), `DOCENT_BENCH_FOLDER` on which disk.
#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark may panic")]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

mod sample;

use std::env::current_exe;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use docent::domain::time::Span;
use docent::rulebook::settings::{Durability, Limits};
use docent::runtime::environment::variable;
use docent::store::{Key, Store, StoreError};
use redb::{Builder, TableDefinition};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::sample::{ACTIONS, LONG, NOW, acknowledged, batch, scattered};

/// Names the folder to a process that reads it back.
const READ: &str = "DOCENT_BENCH_READ";

fn folder() -> TempDir {
    match variable("DOCENT_BENCH_FOLDER") {
        Some(on) => TempDir::new_in(on),
        None => tempfile::tempdir(),
    }
    .expect("a folder")
}

fn open(folder: &Path, durability: Durability) -> Store {
    let most = (u64::MAX, 64 << 30);
    let limits = Limits { max_sessions: most.0, max_memory: most.1, ..Limits::default() };
    Store::open_in(folder, "embedded:data", durability, &limits).expect("a store")
}

/// Batches a second with this durability.
async fn durable(clients: usize, durability: Durability) -> f64 {
    let folder = folder();
    let store = Arc::new(open(folder.path(), durability));
    let figure = acknowledged(&store, clients).await;
    store.close().await.expect("an end");
    figure
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
            let session = scattered(written);
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

/// Bytes of this process that are in memory; 0 where the system does not tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

/// Writes so many sessions; bytes that the store counts for one.
async fn fill(folder: &Path, sessions: u64) -> u64 {
    let store = open(folder, Durability::Interval(Span::from_millis(100)));
    for session in 0..sessions {
        let id = format!("ps_{session}");
        let step = |state: &mut _, context: &mut _| batch(state, context, session);
        // Here nothing is measured; a disk that is slow has all of it in the end.
        match store.update_session(Key { product: "acme", id: &id }, NOW, step).await {
            Ok(()) | Err(StoreError::Slow) => {}
            Err(error) => panic!("{error}"),
        }
    }
    while let Err(StoreError::Slow) = store.close().await {}
    assert_eq!(store.figures().sessions, sessions, "all of them");
    store.figures().bytes / sessions
}

/// Reads so many sessions back, in a process of its own, which alone tells what they weigh.
async fn recovery(sessions: u64) {
    let folder = folder();
    let counted = fill(folder.path(), sessions).await;
    let size = folder.path().join("data/docent.redb").metadata().map_or(0, |file| file.len());
    println!("{sessions} sessions of {ACTIONS} actions, {} MiB, {counted} bytes each", size >> 20);
    let mut reader = Command::new(current_exe().expect("this program"));
    let read = reader.env(READ, folder.path()).status().expect("a reader");
    assert!(read.success(), "{read}");
}

/// What reading a folder back takes, in seconds and in bytes of this process.
fn read_back(folder: &Path) {
    let (begun, before) = (Instant::now(), resident());
    let store = open(folder, Durability::Immediate);
    let (seconds, back, resident) = (begun.elapsed(), store.figures(), resident() - before);
    println!(
        "read back in {:.1} s; bytes a session: {} by docent's count, {} by the system's",
        seconds.as_secs_f64(),
        back.bytes / back.sessions,
        resident / back.sessions,
    );
}

fn main() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    if let Some(folder) = variable(READ) {
        return read_back(Path::new(&folder));
    }
    println!("fdatasync of a page: {:.3} ms", fdatasync());
    // What a session and its context of this benchmark are on disk, on average.
    let bytes = 1_800;
    let clients = variable("DOCENT_BENCH_CLIENTS").unwrap_or_else(|| "1,32,256".to_owned());
    for clients in clients.split(',').filter(|clients| !clients.is_empty()) {
        let clients = clients.parse().expect("a number");
        let immediate = runtime.block_on(durable(clients, Durability::Immediate));
        let interval = Durability::Interval(Span::from_millis(100));
        let interval = runtime.block_on(durable(clients, interval));
        let raw = raw(clients, bytes);
        println!(
            "{clients} clients: {immediate:.0} batches/s immediate ({:.0} % of raw), \
             {interval:.0} with 100ms, {raw:.0} raw",
            100.0 * immediate / raw
        );
    }
    let sessions = variable("DOCENT_BENCH_SESSIONS");
    let sessions = sessions.map_or(100_000, |sessions| sessions.parse().expect("a number"));
    if sessions > 0 {
        runtime.block_on(recovery(sessions));
    }
}
