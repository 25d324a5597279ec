//! What a shared store costs: acknowledged batches a second on a Redis that is started for it,
//! beside the same commands and beside plain SETs of as many bytes on the same server in the same
//! run. `cargo bench --bench redis` needs `redis-server`; `DOCENT_BENCH_CLIENTS` says how many
//! clients write (`32,256`), `DOCENT_BENCH_FOLDER` on which disk.
#![expect(clippy::expect_used, reason = "a benchmark may panic")]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

mod sample;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use docent::rulebook::settings::{Durability, Limits};
use docent::runtime::environment::variable;
use docent::store::Store;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script, Value, cmd};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::sample::{NOW, acknowledged, scattered, throughput};

/// Bytes of a session and of its context in this benchmark, on average.
const STATE: usize = 2_900;
const CONTEXT: usize = 650;

/// A server with an append-only file in a folder of its own; it ends with this.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    async fn start(fsync: &str) -> Self {
        let folder = match variable("DOCENT_BENCH_FOLDER") {
            Some(on) => TempDir::new_in(on),
            None => tempfile::tempdir(),
        };
        let folder = folder.expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.expect("a port").port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", fsync])
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is not installed");
        let server = Self { child, port, _folder: folder };
        let client = Client::open(server.url()).expect("an address");
        while client.get_connection().is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        server
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn connection(&self) -> MultiplexedConnection {
        let client = Client::open(self.url()).expect("an address");
        // However slow the disk is.
        let patient = AsyncConnectionConfig::new().set_response_timeout(None);
        let connected = client.get_multiplexed_async_connection_with_config(&patient);
        connected.await.expect("a connection")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Batches a second through docent.
async fn docent(server: &Server, clients: usize) -> f64 {
    let at = std::path::Path::new("");
    let store = Store::open_in(at, &server.url(), Durability::Immediate, &Limits::default());
    let store = Arc::new(store.expect("a store"));
    store.reached().await.expect("a server");
    acknowledged(&store, clients).await
}

/// The commands of a batch with as many bytes: a read, and docent's own script.
async fn commands(server: &Server, clients: usize) -> f64 {
    let script = Arc::new(Script::new(include_str!("../src/store/redis/script.lua")));
    let (state, context) = (Arc::new(vec![7_u8; STATE]), Arc::new(vec![7_u8; CONTEXT]));
    let wire = server.connection().await;
    let job = move |number: u64| {
        let (script, mut wire) = (Arc::clone(&script), wire.clone());
        let (state, context) = (Arc::clone(&state), Arc::clone(&context));
        async move {
            let row = format!("raw:{}", scattered(number));
            let mut read = cmd("HMGET");
            read.arg(&row).arg("version").arg("written").arg("session").arg("context");
            let found = read.query_async::<Vec<Option<Vec<u8>>>>(&mut wire).await.expect("a row");
            let version = found.into_iter().next().flatten().unwrap_or_default();
            let after = [&number.to_be_bytes(), version.get(..56).unwrap_or(&version)].concat();
            let mut call = script.key(row);
            call.arg(version).arg(after).arg(NOW.as_millis()).arg(172_800_000);
            call.arg("session").arg("set").arg(&*state);
            call.arg("context").arg("set").arg(&*context);
            call.invoke_async::<Value>(&mut wire).await.expect("a write");
        }
    };
    throughput(clients, job).await
}

/// Plain writes of as many bytes.
async fn sets(server: &Server, clients: usize) -> f64 {
    let (value, wire) = (Arc::new(vec![7_u8; STATE + CONTEXT]), server.connection().await);
    let job = move |number: u64| {
        let (value, mut wire) = (Arc::clone(&value), wire.clone());
        async move {
            let key = format!("set:{}", scattered(number));
            cmd("SET").arg(key).arg(&*value).exec_async(&mut wire).await.expect("a write");
        }
    };
    throughput(clients, job).await
}

fn main() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    let clients = variable("DOCENT_BENCH_CLIENTS").unwrap_or_else(|| "32,256".to_owned());
    for fsync in ["always", "everysec"] {
        let server = runtime.block_on(Server::start(fsync));
        for clients in clients.split(',') {
            let clients = clients.parse().expect("a number");
            let docent = runtime.block_on(docent(&server, clients));
            let commands = runtime.block_on(commands(&server, clients));
            let sets = runtime.block_on(sets(&server, clients));
            println!(
                "appendfsync {fsync}, {clients} clients: {docent:.0} batches/s ({:.0} % of the \
                 same commands by themselves: {commands:.0}; SET of as many bytes: {sets:.0})",
                100.0 * docent / commands
            );
        }
    }
}
