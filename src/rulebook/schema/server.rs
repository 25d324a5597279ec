//! The keys of `docent.yaml` that are about the server as a whole: operators' routes, the journal,
//! limits. Every default is that of `settings.rs`.

use serde_json::{Value as Json, json};

use crate::rulebook::schema::arms::WHOLE;
use crate::rulebook::schema::shape::{Mapping, Shape, open, or};
use crate::rulebook::settings::{Journal, Limits, Rate};

const SIZE: &str = r"^[0-9]+\s*([KMGT]iB|[KMG]?B)$";
const RATE: &str = r"^\s*\+?0*[1-9][0-9]*\s*/\s*[smh]\s*$";

pub(in crate::rulebook::schema) static ADMIN: Mapping = open(&[
    or(
        "listen",
        Shape::Pattern(r"^$|^([^:]+|\[[^\]]+\]):[0-9]+$"),
        || "".into(),
        "an address of their own; empty: the main one, on loopback only",
    ),
    or("tokens", Shape::Several(&Shape::Words, 0), || json!([]), "bearer tokens, one or several"),
]);

pub(in crate::rulebook::schema) static JOURNAL: Mapping = open(&[
    or(
        "folder",
        Shape::Text,
        || "".into(),
        "its folder, from the workspace; empty: `journal/` in the folder of an embedded store, and \
         beside any other no journal",
    ),
    or(
        "keep",
        Shape::Span,
        || Journal::default().keep.to_string().into(),
        "how long it is kept, from 1h to 366d",
    ),
    or(
        "max_size",
        Shape::Either(&[Shape::Whole(1 << 20, i64::MAX), Shape::Pattern(SIZE)]),
        || "2GiB".into(),
        "bytes of it that are kept, 1MiB or more; the oldest go",
    ),
    or(
        "sample",
        Shape::Pattern(WHOLE),
        || Journal::default().sample.to_string().into(),
        "the share of sessions of which every poll is written down; of the rest, those of note",
    ),
]);

pub(in crate::rulebook::schema) static LIMITS: Mapping = open(&[
    or(
        "max_sessions",
        Shape::Whole(1, i64::MAX),
        || Limits::default().max_sessions.into(),
        "sessions kept",
    ),
    or(
        "max_memory",
        Shape::Either(&[Shape::Whole(1, i64::MAX), Shape::Pattern(SIZE)]),
        || "4GiB".into(),
        "bytes of records kept",
    ),
    or(
        "session_ttl",
        Shape::Span,
        || Limits::default().session_ttl.to_string().into(),
        "how long activity lives after its last write, from 1m to 366d",
    ),
    or(
        "ledger_ttl",
        Shape::Span,
        || Limits::default().ledger_ttl.to_string().into(),
        "how long dismissals, cooldowns and counters live, from 1m to 366d",
    ),
    or(
        "per_session",
        Shape::Pattern(RATE),
        || rate(Limits::default().per_session),
        "requests of one session; bursts are ten times that",
    ),
    or(
        "per_client",
        Shape::Pattern(RATE),
        || rate(Limits::default().per_client),
        "requests of one client address; bursts are ten times that",
    ),
    or(
        "trusted_proxies",
        Shape::Several(&Shape::Words, 0),
        || json!([]),
        "addresses or blocks whose `X-Forwarded-For` is believed",
    ),
    or(
        "actions_per_batch",
        Shape::Whole(1, 100_000),
        || Limits::default().actions_per_batch.into(),
        "actions kept of one batch; the oldest go",
    ),
]);

fn rate(rate: Rate) -> Json {
    let unit = match rate.per.as_seconds() as i64 {
        1 => "s",
        60 => "m",
        _ => "h",
    };
    format!("{}/{unit}", rate.requests).into()
}
