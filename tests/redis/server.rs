//! Real Redis servers for tests: each on a free loopback port with a folder of its own, ended by
//! its process when the test ends.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use docent::rulebook::settings::{Durability, Limits};
use docent::store::Store;
use redis::{Client, Connection, FromRedisValue, RedisError};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a server may take to come up, or a test to see what it waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server.
pub(crate) struct Server {
    child: Option<Child>,
    options: Vec<String>,
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
}

impl Server {
    /// Starts one that keeps nothing on disk, with these options besides.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut server = Self::prepared(options);
        server.resume();
        server
    }

    /// One that is yet to be started.
    pub(crate) fn prepared(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self { child: None, options, port: free_port(), folder: tempfile::tempdir().unwrap() }
    }

    /// Options beside those it has.
    pub(crate) fn options(&mut self, options: &[&str]) {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
    }

    /// Starts it, again, where it was, and waits until it answers anything at all.
    pub(crate) fn resume(&mut self) {
        self.launch();
        wait_until(
            "the server to answer",
            || !matches!(self.ping(), Err(error) if error.is_io_error()),
        );
    }

    /// Starts it and does not wait.
    pub(crate) fn launch(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is not installed");
        self.child = Some(child);
    }

    fn ping(&self) -> Result<(), RedisError> {
        let client = Client::open(self.url())?;
        redis::cmd("PING").exec(&mut client.get_connection_with_timeout(Duration::from_secs(1))?)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until it has all that its master has.
    pub(crate) fn follows(&self) {
        wait_until("the replica to follow", || {
            let info: String = self.ask(&["INFO", "replication"]);
            info.contains("master_link_status:up")
        });
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    pub(crate) fn connection(&self) -> Connection {
        Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Asks the server itself, past docent.
    pub(crate) fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).query(&mut self.connection()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Three masters that share the slots, and behind them a replica of each if there are replicas.
pub(crate) struct Cluster(pub(crate) Vec<Server>);

/// Of a cluster that has no replicas yet.
const MASTERS: usize = 3;

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::with(MASTERS)
    }

    pub(crate) fn replicated() -> Self {
        let cluster = Self::with(2 * MASTERS);
        let (masters, replicas) = cluster.0.split_at(MASTERS);
        for (master, replica) in masters.iter().zip(replicas) {
            let id: String = master.ask(&["CLUSTER", "MYID"]);
            let () = replica.ask(&["CLUSTER", "REPLICATE", &id]);
        }
        for replica in replicas {
            replica.follows();
        }
        cluster
    }

    fn with(nodes: usize) -> Self {
        let servers: Vec<_> = (0..nodes)
            .map(|_| Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]))
            .collect();
        let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (server, (from, to)) in servers.iter().zip(slots) {
            let () = server.ask(&["CLUSTER", "ADDSLOTSRANGE", from, to]);
        }
        let (first, others) = servers.split_first().unwrap();
        for server in others {
            let () = first.ask(&["CLUSTER", "MEET", "127.0.0.1", &server.port.to_string()]);
        }
        for server in &servers {
            wait_until("the cluster to form", || {
                let info: String = server.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok")
                    && info.contains(&format!("cluster_known_nodes:{nodes}"))
            });
        }
        Self(servers)
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.0.iter().map(Server::address).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }
}

/// A master, its replicas, and a sentinel that knows the master as `main`.
pub(crate) struct Watched {
    pub(crate) master: Server,
    pub(crate) replicas: Vec<Server>,
    pub(crate) sentinel: Server,
}

impl Watched {
    /// With two replicas.
    pub(crate) fn start() -> Self {
        Self::with(2)
    }

    pub(crate) fn with(replicas: usize) -> Self {
        let master = Server::start(&[]);
        let of = ["--replicaof", "127.0.0.1", &master.port.to_string()];
        let replicas: Vec<_> = (0..replicas).map(|_| Server::start(&of)).collect();
        let mut sentinel = Server::prepared(&[]);
        let (port, watched) = (sentinel.port, master.port);
        let file = sentinel.folder.path().join("sentinel.conf");
        let lines = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {watched} 1\n\
             sentinel down-after-milliseconds main 1500\nsentinel failover-timeout main 3000\n"
        );
        std::fs::write(&file, lines).unwrap();
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        sentinel.child = Some(child);
        wait_until("the sentinel to know the replicas", || {
            sentinel.ping().is_ok()
                && sentinel.ask::<Vec<redis::Value>>(&["SENTINEL", "REPLICAS", "main"]).len()
                    == replicas.len()
        });
        replicas.iter().for_each(Server::follows);
        Self { master, replicas, sentinel }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+sentinel://{}/main", self.sentinel.address())
    }
}

/// Opens a store and waits until it has looked at its server.
pub(crate) async fn open(url: &str) -> Store {
    let store = try_open(url);
    store.reached().await.unwrap();
    store
}

pub(crate) fn try_open(url: &str) -> Store {
    let limits = Limits::default();
    Store::open_in(std::path::Path::new(""), url, Durability::Immediate, &limits).unwrap()
}

/// For what has no runtime, or nothing else to do on it.
#[expect(clippy::disallowed_methods, reason = "it blocks its own test alone")]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(Duration::from_millis(20));
    }
}

/// Waits without holding up the runtime that the store's task lives on.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port nobody listens on, low enough that a cluster's second port exists, too.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}
