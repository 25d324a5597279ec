//! All records, out of Redis and into it, for backups and copies: a walk with SCAN, node by node,
//! sessions first, and rows put as another store had them.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use futures_util::future::try_join_all;
use redis::cluster_routing::SingleNodeRoutingInfo;
use redis::{ErrorKind, FromRedisValue, Pipeline, RedisError, Value, cmd, from_redis_value, pipe};
use tokio::time::timeout;

use crate::domain::bulletin::Bulletin;
use crate::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::memory::marks::EVERY_SLOT;
use crate::store::memory::row::{Row, SessionRow};
use crate::store::raw::{Clash, Page, Place, Put, Raw, Sight, kind_named, rows};
use crate::store::record::Record;
use crate::store::redis::failure::Failure;
use crate::store::redis::names::parts;
use crate::store::redis::stored::Stored;
use crate::store::redis::wire::{PATIENCE, Wire};
use crate::store::redis::{Asked, Redis, Stamp};
use crate::store::{Step, StoreError};

/// Keys that one step of a walk looks at.
const MANY: usize = 200;
/// Rows that are put at the same time: each is asked for and then written.
const AT_ONCE: usize = 32;
/// What each of the two walks through a node looks for. Sessions come first.
const PASSES: [&str; 2] = ["docent:{*}:session", "docent:{*}:*"];

/// A server with keys; none is named when there is one.
pub(super) type Node = Option<(String, u16)>;

/// The slots of a cluster, each in one range.
const SLOTS: u64 = 16_384;

/// The servers that hold keys, and the way to them.
pub(super) struct Ways {
    pub(super) wire: Wire,
    /// In the same order each time.
    nodes: Vec<Node>,
    /// Stands for which they are and what each has.
    servers: u64,
}

impl Redis {
    /// Some records from a place on, see [`crate::store::Store::page`].
    pub(crate) async fn page(&self, from: &Place) -> Result<Page, StoreError> {
        let failed = |failure: Failure| StoreError::Unread { reason: failure.reason };
        let wire = self.link.up().await.map_err(failed)?.wire;
        let read = async {
            let unread = |error: RedisError| failed(Failure::of(&error));
            let mut ways = Ways::through(wire).await.map_err(unread)?;
            let Some((names, next)) = ways.scan(from, &PASSES).await? else {
                return Ok(Page::default());
            };
            let first = ways.pass(from) == 0;
            let names = names.into_iter().filter(|name| first || !name.ends_with("}:session"));
            let node = ways.node(from);
            let records = records(&mut ways.wire, &node, names.collect()).await;
            Ok(Page { records: records.map_err(unread)?, next })
        };
        timeout(PATIENCE, read).await.unwrap_or(Err(StoreError::Slow))
    }

    /// Puts records as another store had them.
    pub(crate) async fn put(&self, records: &[Raw], clash: Clash) -> Result<Put, StoreError> {
        let (mut put, rows) = (Put::default(), rows(records).collect::<Vec<_>>());
        for some in rows.chunks(AT_ONCE) {
            let puts = some.iter().map(|row| self.put_row(row, clash));
            for one in try_join_all(puts).await? {
                put.add(one);
            }
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
        let lives = self.lives.of(first.kind != Bulletin::KIND);
        let asked = Asked::new::<W>(first.key(), EVERY_SLOT, lives);
        let asked = Asked { stamp: Stamp::Carried, ..asked };
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

impl Ways {
    /// The servers that there are now.
    pub(super) async fn through(mut wire: Wire) -> Result<Self, RedisError> {
        if !wire.repeats() {
            return Ok(Self { wire, nodes: vec![None], servers: 0 });
        }
        let told: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query_async(&mut wire).await?;
        let incomplete =
            (ErrorKind::UnexpectedReturnType, "the cluster does not tell where all keys are");
        let mut ranges =
            told.into_iter().map(range).collect::<Option<Vec<_>>>().unwrap_or_default();
        let covered: u64 =
            ranges.iter().map(|(first, last, _)| (last + 1).saturating_sub(*first)).sum();
        if covered != SLOTS {
            return Err(incomplete.into());
        }
        ranges.sort();
        let servers = number_of(&ranges);
        let mut nodes: Vec<Node> = ranges.into_iter().map(|(_, _, master)| Some(master)).collect();
        nodes.sort();
        nodes.dedup();
        Ok(Self { wire, nodes, servers })
    }

    /// The pass that a place belongs to: a walk goes through all servers once for each pattern.
    fn pass(&self, place: &Place) -> usize {
        place.part / self.nodes.len().max(1)
    }

    /// The server of a place.
    pub(super) fn node(&self, place: &Place) -> Node {
        self.nodes.get(place.part % self.nodes.len().max(1)).cloned().flatten()
    }

    /// The next names of a walk and where it goes on; `None` behind its end. The place on a server
    /// means something to that very process alone.
    pub(super) async fn scan(
        &mut self,
        from: &Place,
        patterns: &[&str],
    ) -> Result<Option<(Vec<String>, Option<Place>)>, StoreError> {
        let unread = |error| StoreError::Unread { reason: Failure::of(&error).reason };
        let servers = self.servers;
        if from.of.is_some_and(|seen| seen.servers != servers) {
            return Err(StoreError::Moved);
        }
        let Some(pattern) = patterns.get(self.pass(from)) else { return Ok(None) };
        let (cursor, names, process) = self.scanned(from, pattern).await.map_err(unread)?;
        if from.number != 0 && from.of.is_some_and(|seen| seen.process != process) {
            return Err(StoreError::Moved);
        }
        let of = Some(Sight { servers, process });
        let next = match cursor {
            0 if from.part + 1 == patterns.len() * self.nodes.len() => None,
            0 => Some(Place { part: from.part + 1, of, ..Place::default() }),
            number => Some(Place { part: from.part, number, of, after: None }),
        };
        Ok(Some((names, next)))
    }

    /// Where a scan goes on, what it found, and what stands for the process that told: it is asked
    /// in the same breath.
    async fn scanned(
        &mut self,
        from: &Place,
        pattern: &str,
    ) -> Result<(u64, Vec<String>, u64), RedisError> {
        let mut asks = pipe();
        asks.cmd("SCAN").arg(from.number).arg("MATCH").arg(pattern).arg("COUNT").arg(MANY);
        asks.cmd("INFO").arg("server");
        let node = self.node(from);
        let mut told = ask_all(&mut self.wire, &node, asks).await?.into_iter();
        let mut next = || told.next().unwrap_or(Value::Nil);
        // What is not text was not written by docent.
        let (cursor, names): (u64, Vec<Vec<u8>>) = from_redis_value(next())?;
        let names = names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect();
        let about: String = from_redis_value(next())?;
        let silent = (ErrorKind::UnexpectedReturnType, "Redis does not tell its `run_id`");
        let process = about.lines().find_map(|line| line.strip_prefix("run_id:")).ok_or(silent)?;
        Ok((cursor, names, number_of(process.trim())))
    }
}

fn number_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// First and last slot, and the master that has them.
fn range(told: Vec<Value>) -> Option<(u64, u64, (String, u16))> {
    let mut told = told.into_iter();
    let (first, last) =
        (from_redis_value(told.next()?).ok()?, from_redis_value(told.next()?).ok()?);
    let Some(Value::Array(master)) = told.next() else { return None };
    let mut master = master.into_iter();
    let host = from_redis_value(master.next()?).ok()?;
    Some((first, last, (host, from_redis_value(master.next()?).ok()?)))
}

fn at(host: &str, port: u16) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port }
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

pub(super) async fn ask_all(
    wire: &mut Wire,
    node: &Node,
    asks: Pipeline,
) -> Result<Vec<Value>, RedisError> {
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
