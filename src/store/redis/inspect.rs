//! A look at a server before it is used: whether docent can work with it, and what an operator
//! should know.

use redis::aio::ConnectionLike;
use redis::{RedisError, Script, Value, cmd};

use crate::store::redis::failure::{Failure, READ_ONLY};
use crate::store::redis::names::FORMAT as FORMAT_KEY;
use crate::store::redis::wire::Wire;

/// The layout of keys and values. It rises when an older docent could not read it.
const FORMAT: u64 = 1;

/// What does not stop docent but may surprise somebody, one sentence each.
pub(super) type Advice = Vec<String>;

/// Whether docent can work with what is at the other end.
pub(super) async fn inspect(wire: &mut Wire) -> Result<Advice, Failure> {
    let told = cmd("INFO").query_async::<Value>(wire).await.map_err(|error| Failure::of(&error))?;
    let mut lines = Vec::new();
    gather(&told, &mut lines);
    let says = |line: &str| lines.iter().any(|known| known == line);
    if says("role:slave") {
        return Err(Failure::passing(READ_ONLY));
    }
    if says("loading:1") {
        return Err(Failure::passing("Redis is still loading its data"));
    }
    if says("cluster_enabled:1") && !wire.repeats() {
        return Err(Failure::lasting(
            "this Redis is part of a cluster; write `redis+cluster://HOST:PORT,HOST:PORT`",
        ));
    }
    format(wire).await?;
    // Without it nothing could be written, and a server may allow SET and no scripts.
    let allowed = Script::new("return 1").key(FORMAT_KEY).invoke_async::<Value>(wire).await;
    allowed.map_err(|error| Failure::of(&error))?;
    let mut advice = Vec::new();
    let policy = lines.iter().find_map(|line| line.strip_prefix("maxmemory_policy:"));
    if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
        advice.push(format!(
            "Redis may drop records when its memory is full (maxmemory-policy is {policy}), and \
             people would be offered again what they have dismissed; set it to noeviction"
        ));
    }
    if says("aof_enabled:0") {
        advice.push(
            "Redis keeps no append-only file, so a crash of it takes back what docent has \
             acknowledged since its last snapshot; set `appendonly yes`"
                .to_owned(),
        );
    }
    Ok(advice)
}

/// The lines of an answer to INFO, of every node that gave one.
fn gather(value: &Value, lines: &mut Vec<String>) {
    let mut add = |text: &str| lines.extend(text.lines().map(|line| line.trim().to_owned()));
    match value {
        Value::BulkString(bytes) => add(&String::from_utf8_lossy(bytes)),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => add(text),
        Value::Array(values) => values.iter().for_each(|value| gather(value, lines)),
        Value::Map(nodes) => nodes.iter().for_each(|(_, value)| gather(value, lines)),
        _ => {}
    }
}

/// Refuses what a newer docent wrote; marks what nobody wrote as ours.
async fn format(wire: &mut Wire) -> Result<(), Failure> {
    let failed = |error: RedisError| Failure::of(&error);
    let asked = cmd("GET").arg(FORMAT_KEY).query_async::<Option<String>>(wire).await;
    match asked.map_err(failed)? {
        None => stamp(wire).await.map_err(failed),
        Some(found) => match found.parse::<u64>() {
            Ok(found) if found <= FORMAT => Ok(()),
            _ => Err(Failure::lasting(format!(
                "its records were written by a newer docent (format {found}; this version knows \
                 {FORMAT}); run that version, or give this one a database of its own"
            ))),
        },
    }
}

/// Writes the layout's number: the smallest write there is.
pub(super) async fn stamp(wire: &mut impl ConnectionLike) -> Result<(), RedisError> {
    cmd("SET").arg(FORMAT_KEY).arg(FORMAT).query_async(wire).await
}
