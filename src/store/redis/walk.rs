//! All records, out of Redis and into it, for backups and copies: a walk with SCAN, node by node,
//! sessions first, and rows put as another store had them.

use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, Value, cmd, from_redis_value, pipe,
};
use tokio::time::timeout;

use crate::domain::bulletin::Bulletin;
use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::memory::marks::EVERY_SLOT;
use crate::store::memory::row::{Row, SessionRow};
use crate::store::raw::{Clash, Page, Place, Put, Raw, kind_named, rows};
use crate::store::record::Record;
use crate::store::redis::failure::Failure;
use crate::store::redis::names::parts;
use crate::store::redis::stored::{Lifetimes, Stored};
use crate::store::redis::wire::{PATIENCE, Wire};
use crate::store::redis::{Asked, Redis};
use crate::store::{Step, StoreError};

/// Keys that one step of a walk looks at.
const MANY: usize = 200;
/// What each of the two walks through a node looks for. Sessions come first.
const PASSES: [&str; 2] = ["docent:{*}:session", "docent:{*}:*"];

/// A server with keys; none is named when there is one.
type Node = Option<(String, u16)>;

impl Redis {
    /// Some records from a place on, see [`crate::store::Store::page`].
    pub(crate) async fn page(&self, from: &Place) -> Result<Page, StoreError> {
        let failed = |failure: Failure| StoreError::Unread { reason: failure.reason };
        let mut wire = self.link.up().await.map_err(failed)?.wire;
        let read = async {
            let nodes = nodes(&mut wire).await?;
            let (pass, node) = (from.part / nodes.len().max(1), from.part % nodes.len().max(1));
            let (Some(pattern), Some(node)) = (PASSES.get(pass), nodes.get(node)) else {
                return Ok(Page::default());
            };
            let (cursor, names) = scan(&mut wire, node, from.number, pattern).await?;
            let names = names.into_iter().filter(|name| pass == 0 || !name.ends_with("}:session"));
            let records = records(&mut wire, node, names.collect()).await?;
            let last = from.part + 1 == PASSES.len() * nodes.len();
            let next = match cursor {
                0 if last => None,
                0 => Some(Place { part: from.part + 1, ..Place::default() }),
                number => Some(Place { part: from.part, number, after: None }),
            };
            Ok::<_, RedisError>(Page { records, next })
        };
        match timeout(PATIENCE, read).await {
            Ok(page) => page.map_err(|error| failed(Failure::of(&error))),
            Err(_) => Err(StoreError::Slow),
        }
    }

    /// Puts records as another store had them.
    pub(crate) async fn put(&self, records: &[Raw], clash: Clash) -> Result<Put, StoreError> {
        let mut put = Put::default();
        for row in rows(records) {
            put.add(self.put_row(row, clash).await?);
        }
        Ok(put)
    }

    async fn put_row(&self, row: &[Raw], clash: Clash) -> Result<Put, StoreError> {
        match row.first().map(|raw| raw.kind) {
            Some(Session::KIND | Context::KIND) => self.place::<SessionRow>(row, clash).await,
            Some(User::KIND) => self.place::<Option<User>>(row, clash).await,
            Some(Account::KIND) => self.place::<Option<Account>>(row, clash).await,
            Some(Product::KIND) => self.place::<Option<Product>>(row, clash).await,
            Some(Conversation::KIND) => self.place::<Option<Conversation>>(row, clash).await,
            Some(EmailIndex::KIND) => self.place::<Option<EmailIndex>>(row, clash).await,
            Some(Bulletin::KIND) => self.place::<Option<Bulletin>>(row, clash).await,
            _ => Ok(Put { unreadable: row.len() as u64, ..Put::default() }),
        }
    }

    async fn place<W: Row>(&self, row: &[Raw], clash: Clash) -> Result<Put, StoreError> {
        let (count, kinds) = (row.len() as u64, W::kinds());
        let mut slots = Vec::with_capacity(row.len());
        let mut written = Timestamp::from_millis(i64::MIN);
        for raw in row {
            let slot = kinds.iter().position(|kind| *kind == raw.kind);
            let read = slot.and_then(|slot| W::default().unpack(slot, &raw.bytes).ok());
            let (Some(slot), Some(at)) = (slot, read) else {
                return Ok(Put { unreadable: count, ..Put::default() });
            };
            slots.push((slot, raw));
            written = written.max(at);
        }
        let Some(first) = row.first() else { return Ok(Put::default()) };
        let ages = first.kind != Bulletin::KIND;
        let lives = if ages { self.lives } else { Lifetimes::ENDLESS };
        let asked = Asked { carried: true, ..Asked::new::<W>(first.key(), EVERY_SLOT, lives) };
        let step = |held: &mut W, stored: &Stored| {
            let newer = !stored.version.is_absent() && stored.written > written;
            let same = stored.written == written
                && slots.iter().all(|(slot, raw)| stored.holds(*slot, &raw.bytes));
            if clash == Clash::NewerStays && (newer || same) {
                return Step::Keep(Put { kept: count, ..Put::default() });
            }
            for (slot, raw) in &slots {
                // It was readable a moment ago.
                drop(held.unpack(*slot, &raw.bytes));
            }
            Step::Write(Put { written: count, ..Put::default() })
        };
        self.bounded(asked, written, step).await
    }
}

/// The servers that have keys, in the same order each time.
async fn nodes(wire: &mut Wire) -> Result<Vec<Node>, RedisError> {
    if !wire.repeats() {
        return Ok(vec![None]);
    }
    let ranges: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query_async(wire).await?;
    let master = |range: Vec<Value>| {
        let Some(Value::Array(master)) = range.into_iter().nth(2) else { return None };
        let mut master = master.into_iter();
        let host = from_redis_value(master.next()?).ok()?;
        Some(Some((host, from_redis_value(master.next()?).ok()?)))
    };
    let mut nodes: Vec<Node> = ranges.into_iter().filter_map(master).collect();
    nodes.sort();
    nodes.dedup();
    Ok(nodes)
}

fn at(host: &str, port: u16) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port }
}

async fn scan(
    wire: &mut Wire,
    node: &Node,
    cursor: u64,
    pattern: &str,
) -> Result<(u64, Vec<String>), RedisError> {
    let mut scan = cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(MANY);
    let found = ask(wire, node, scan).await?;
    // What is not text was not written by docent.
    let (cursor, names): (u64, Vec<Vec<u8>>) = from_redis_value(found)?;
    Ok((cursor, names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect()))
}

async fn ask(wire: &mut Wire, node: &Node, command: Cmd) -> Result<Value, RedisError> {
    match (wire, node) {
        (Wire::Cluster(wire), Some((host, port))) => {
            wire.route_command(command, RoutingInfo::SingleNode(at(host, *port))).await
        }
        (wire, _) => command.query_async(wire).await,
    }
}

/// The records of these rows.
async fn records(wire: &mut Wire, node: &Node, names: Vec<String>) -> Result<Vec<Raw>, RedisError> {
    let rows: Vec<_> = names.iter().filter_map(|name| Some((name, parts(name)?))).collect();
    let mut asks = pipe();
    for (name, (_, _, kind)) in &rows {
        asks.cmd("HMGET").arg(name).arg("version").arg("written").arg(fields(kind));
    }
    let answers = if rows.is_empty() { Vec::new() } else { ask_all(wire, node, asks).await? };
    let mut records = Vec::with_capacity(rows.len());
    for ((_, (product, id, kind)), answer) in rows.into_iter().zip(answers) {
        let kinds = fields(kind);
        let slots: Vec<_> = (0..kinds.len()).collect();
        let damaged = || (ErrorKind::UnexpectedReturnType, "a row in Redis is damaged");
        let stored = Stored::read(answer, &slots).ok_or_else(damaged)?;
        for (slot, bytes) in stored.records() {
            let Some(kind) = kinds.get(slot).and_then(|kind| kind_named(kind)) else { continue };
            let (product, id) = (product.as_str().into(), id.as_str().into());
            records.push(Raw { kind, product, id, bytes });
        }
    }
    Ok(records)
}

async fn ask_all(wire: &mut Wire, node: &Node, asks: Pipeline) -> Result<Vec<Value>, RedisError> {
    match (wire, node) {
        (Wire::Cluster(wire), Some((host, port))) => {
            let count = asks.cmd_iter().count();
            wire.route_pipeline(asks, 0, count, at(host, *port)).await
        }
        (wire, _) => {
            Vec::<Value>::from_redis_value(asks.query_async(wire).await?).map_err(Into::into)
        }
    }
}

/// The fields of a row's records.
fn fields(kind: &str) -> Vec<&str> {
    if kind == Session::KIND { SessionRow::kinds() } else { vec![kind] }
}
