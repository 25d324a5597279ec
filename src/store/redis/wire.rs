//! Connections: to one server, to the master that sentinels name, to a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture, TlsMode, Value, cmd, from_redis_value,
};

use crate::rulebook::address::{Address, Topology};
use crate::store::redis::failure::Failure;

/// How long a server may take to answer one command, and to be connected to.
pub(super) const ANSWER: Duration = Duration::from_secs(1);
/// How long a step may take with all its tries.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long connecting may take with all that belongs to it.
const CONNECT: Duration = Duration::from_secs(3);
/// Tries of one command in a cluster, while slots move or a node is replaced.
const CLUSTER_RETRIES: u32 = 3;
/// Between two of them, at least and at most, in milliseconds.
const CLUSTER_PAUSE: (u64, u64) = (20, 200);

/// A connection; clones share it, and their commands are sent without waiting for each other.
#[derive(Clone)]
pub(super) enum Wire {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Wire {
    /// Connects to what an address names, within a bounded time.
    pub(super) async fn connect(address: &Address) -> Result<Self, Failure> {
        match tokio::time::timeout(CONNECT, Self::dial(address)).await {
            Ok(dialled) => dialled,
            Err(_) => Err(Failure::silent()),
        }
    }

    async fn dial(address: &Address) -> Result<Self, Failure> {
        let failed = |error: RedisError| Failure::of(&error);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER));
        let client = match &address.topology {
            Topology::Cluster => {
                let wire = cluster(address).map_err(failed)?.get_async_connection().await;
                let wire = wire.map_err(failed)?;
                return Ok(Self::Cluster(wire));
            }
            Topology::Single => {
                let server = address.servers().into_iter().next().unwrap_or_default();
                Client::open(server).map_err(failed)?
            }
            Topology::Sentinel(name) => match master(address, name).await {
                Ok(master) => master,
                Err(error) => {
                    let failure = Failure::of(&error);
                    // Theirs and the master's word sound the same.
                    return Err(match failure.lasting && refuses(address, &config).await {
                        true => Failure::lasting(SENTINELS_REFUSE),
                        false => failure,
                    });
                }
            },
        };
        let wire = client.get_multiplexed_async_connection_with_config(&config).await;
        Ok(Self::Single(wire.map_err(failed)?))
    }

    /// What tells the connections to a cluster's masters from any that replace them: the id and
    /// port of each. Nothing elsewhere, where none is replaced behind one's back.
    pub(super) async fn ends(&self) -> Result<Ends, RedisError> {
        let Self::Cluster(wire) = self else { return Ok(Ends::new()) };
        let mut asked = cmd("CLIENT");
        asked.arg("INFO");
        let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let told = wire.clone().route_command(asked, everywhere).await?;
        let told: BTreeMap<String, String> = from_redis_value(told)?;
        Ok(told.into_iter().map(|(node, info)| (node, end(&info))).collect())
    }

    /// Whether the client itself may send a command again whose answer it has lost.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }
}

/// By the address of a master.
pub(super) type Ends = BTreeMap<String, String>;

/// `id=7 addr=127.0.0.1:40112` of what a server says of a client.
fn end(info: &str) -> String {
    info.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn cluster(address: &Address) -> Result<ClusterClient, RedisError> {
    ClusterClientBuilder::new(address.servers())
        .connection_timeout(ANSWER)
        .response_timeout(ANSWER)
        .retries(CLUSTER_RETRIES)
        .min_retry_wait(CLUSTER_PAUSE.0)
        .max_retry_wait(CLUSTER_PAUSE.1)
        .build()
}

/// Where the master is, as the first sentinel says that knows one; nothing without sentinels.
pub(super) async fn master_of(address: &Address) -> Option<String> {
    let Topology::Sentinel(name) = &address.topology else { return None };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER))
        .set_response_timeout(Some(ANSWER));
    let ask = async |sentinel: String| {
        let client = Client::open(sentinel).ok()?;
        let mut wire = client.get_multiplexed_async_connection_with_config(&config).await.ok()?;
        let mut named = cmd("SENTINEL");
        named.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let (host, port) = named.query_async::<Option<(String, u16)>>(&mut wire).await.ok()??;
        Some(format!("{host}:{port}"))
    };
    let first = async {
        for sentinel in address.sentinels() {
            if let Some(master) = ask(sentinel).await {
                return Some(master);
            }
        }
        None
    };
    tokio::time::timeout(ANSWER, first).await.ok().flatten()
}

const SENTINELS_REFUSE: &str = "the sentinels ask for a password of their own, and `store` has none \
     or another; write `redis+sentinel://…/NAME?sentinel_password=${SENTINEL_PASSWORD}`";

/// Whether a sentinel answers, and takes no command of docent.
async fn refuses(address: &Address, config: &AsyncConnectionConfig) -> bool {
    for sentinel in address.sentinels() {
        let Ok(client) = Client::open(sentinel) else { continue };
        let wire = client.get_multiplexed_async_connection_with_config(config).await;
        let answer = match wire {
            Ok(mut wire) => cmd("PING").query_async::<Value>(&mut wire).await,
            Err(error) => Err(error),
        };
        if answer.is_err_and(|error| Failure::of(&error).lasting) {
            return true;
        }
    }
    false
}

async fn master(address: &Address, name: &str) -> Result<Client, RedisError> {
    let server = address.servers().into_iter().next().unwrap_or_default();
    let server: ConnectionInfo = server.into_connection_info()?;
    let mut node = SentinelNodeConnectionInfo::default()
        .set_redis_connection_info(server.redis_settings().clone());
    if address.tls {
        node = node.set_tls_mode(TlsMode::Secure);
    }
    Sentinel::build(address.sentinels())?.async_master_for(name, Some(&node)).await
}

impl ConnectionLike for Wire {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(wire) => wire.req_packed_command(command),
            Self::Cluster(wire) => wire.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(wire) => wire.req_packed_commands(commands, offset, count),
            Self::Cluster(wire) => wire.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(wire) => wire.get_db(),
            Self::Cluster(wire) => wire.get_db(),
        }
    }
}
