//! The keys of `docent.yaml`. Every default is that of `settings.rs`.

use serde_json::json;

use crate::rulebook::redact::InputValues;
use crate::rulebook::schema::arms::{HALF, half};
use crate::rulebook::schema::calendar;
use crate::rulebook::schema::locales::TAG;
use crate::rulebook::schema::pacing::PRODUCT_CAPS;
use crate::rulebook::schema::server::{ADMIN, JOURNAL, LIMITS};
use crate::rulebook::schema::shape::{ANY, Key, Mapping, Shape, key, open, or};
use crate::rulebook::settings::{Proactive, ProductSettings, Settings};

/// `host:port`, or `[host]:port`.
const ADDRESS: &str = r"^([^:]+|\[[^\]]+\]):[0-9]+$";
const STORE: &str = r"^memory$|^embedded:.*\S|^rediss?(\+cluster|\+sentinel)?://[^#]*[^/#:@,]";
const ORIGIN: &str = r"^\*$|^[a-z]+://[^/?#]+$";
const URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?:";
/// A folder of the workspace: relative, without `..`.
const FOLDER: &str = r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\]*\S[^\\]*$";
const ONE_DAY: &str = "up to 1d";

const MANY: Shape = Shape::Whole(0, 1_000_000);

pub(in crate::rulebook::schema) static WORKSPACE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "the version of this kind of file"),
        or(
            "listen",
            Shape::Pattern(ADDRESS),
            || Settings::default().listen.into(),
            "host and port; a change needs a restart",
        ),
        key("admin", Shape::Map(&ADMIN), "operators' routes"),
        or(
            "store",
            Shape::Pattern(STORE),
            || Settings::default().store.into(),
            "where records live: `memory`, `embedded:` and a folder, from the workspace, or a Redis, \
             `redis://HOST:PORT`; a change needs a restart",
        ),
        or(
            "durability",
            Shape::Either(&[Shape::Names(|| vec!["immediate"]), Shape::Span]),
            || Settings::default().durability.to_string().into(),
            "when a change counts as kept: `immediate`, once it is on disk, or the time whose \
             changes a crash may take, up to 10s; a change needs a restart",
        ),
        or(
            "wait_replicas",
            Shape::Whole(0, 16),
            || Settings::default().wait_replicas.into(),
            "replicas of a Redis that must have a change before it is answered; a change needs a \
             restart",
        ),
        key(
            "journal",
            Shape::Either(&[Shape::Names(|| vec!["off"]), Shape::Map(&JOURNAL)]),
            "what is written down of what happened, for explanations and replays, or `off`; a \
             change needs a restart",
        ),
        key(
            "limits",
            Shape::Map(&LIMITS),
            "what the process may take; a change needs a restart, but for `actions_per_batch`",
        ),
        key(
            "products",
            Shape::Table(r"^[A-Za-z0-9_.-]{1,128}$", &PRODUCT, 1),
            "each product's settings, by its id",
        ),
    ],
    required: &["version", "products"],
    also: None,
};

static PRODUCT: Shape = Shape::Either(&[Shape::Null, Shape::Map(&SETTINGS)]);

static SETTINGS: Mapping = open(&[
    or("rules", Shape::Pattern(FOLDER), || product().rules.into(), "the folder of its triggers"),
    or("tours", Shape::Pattern(FOLDER), || product().tours.into(), "the folder of its tours"),
    or(
        "segments",
        Shape::Pattern(FOLDER),
        || product().segments.into(),
        "the folder of its segments",
    ),
    or("locale", TAG, || json!(&*product().locale), "the language its triggers are written in"),
    or(
        "locales",
        Shape::Pattern(FOLDER),
        || product().locales.into(),
        "the folder of its translations",
    ),
    key(
        "target_health",
        Shape::Map(&TARGET_HEALTH),
        "when a tour that keeps failing is not offered",
    ),
    or(
        "allowed_origins",
        Shape::Several(&Shape::Pattern(ORIGIN), 0),
        || json!([]),
        "where browsers may ask from: `https://app.example.com`, or `*`",
    ),
    key("keys", Shape::Map(&KEYS), "who may ask; each class may hold several, for rotation"),
    or(
        "timezone",
        Shape::Words,
        || "UTC".into(),
        "the zone of its clock, as IANA names it: `Europe/Oslo`",
    ),
    key(
        "quiet_hours",
        Shape::Map(&calendar::QUIET_HOURS),
        "hours of a day or week at which nothing is offered",
    ),
    key("proactive", Shape::Map(&PROACTIVE), "the gates before any trigger"),
    or("frequency", PRODUCT_CAPS, || json!([]), "how often a person may be offered something"),
    key("activity", Shape::Map(&ACTIVITY), "what triggers can look back on"),
    key("builtins", Shape::Map(&BUILTINS), "the windows of the SDK's detectors"),
    key("retrieval", Shape::Map(&RETRIEVAL), "what chatbots get"),
    or(
        "sources",
        Shape::List(&Shape::Map(&SOURCE), 0, ANY),
        || json!([]),
        "where activity comes from, beside pushes",
    ),
    or("sinks", Shape::List(&Shape::Null, 0, 0), || json!([]), "not available in this version"),
    key("redact", Shape::Map(&REDACT), "what of activity is never kept nor seen by rules"),
    or(
        "testers",
        Shape::Several(&Shape::Words, 0),
        || json!([]),
        "who sees drafts, without spacing: e-mails, user ids or session ids",
    ),
    or(
        "holdout",
        Shape::Either(&[Shape::Pattern(HALF), Shape::Map(&HOLDOUT)]),
        || "0%".into(),
        "the share of people who are offered nothing, for comparison; up to 50%",
    ),
]);

static TARGET_HEALTH: Mapping = open(&[
    or(
        "max_failed",
        Shape::Pattern(r"^\s*\+?0*(100|[0-9]{1,2})\s*%\s*$"),
        || format!("{}%", product().target_health.max_failed).into(),
        "more than so many of those who started it could not go on; `100%` means never",
    ),
    or(
        "min_attempts",
        Shape::Whole(1, 1_000_000),
        || product().target_health.min_attempts.into(),
        "of at least so many",
    ),
    or(
        "window",
        Shape::Span,
        || product().target_health.window.to_string().into(),
        "in this time, from 1h to 7d",
    ),
]);

static HOLDOUT: Mapping = Mapping {
    required: &["percent"],
    ..open(&[
        key(
            "percent",
            Shape::Either(&[Shape::Raw(half), Shape::Pattern(HALF)]),
            "from 0 to 50, with at most two decimals",
        ),
        key(
            "until",
            Shape::Pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
            "the day it ends, at midnight in UTC",
        ),
    ])
};

static KEYS: Mapping = open(&[
    secrets("publishable", "for browsers"),
    secrets("secret", "for chatbots and operators of this product"),
    secrets("webhook", "sign pushes"),
    secrets("session_signing", "sign session tokens"),
]);

pub(in crate::rulebook::schema) static PROACTIVE: Mapping = open(&[
    or(
        "enabled",
        Shape::Flag,
        || Proactive::default().enabled.into(),
        "whether anything is offered at all",
    ),
    or(
        "redeliver",
        Shape::Flag,
        || Proactive::default().redeliver.into(),
        "say the pending offer again at each poll until it is answered",
    ),
    or(
        "min_interval",
        Shape::Span,
        || Proactive::default().min_interval.to_string().into(),
        "between two offers of a session",
    ),
    key("circuit", Shape::Map(&CIRCUIT), "silence after failed deliveries"),
    key("quotas", Shape::Map(&QUOTAS), "caps over sliding windows; 0 means no limit"),
    key("conservative", Shape::Map(&CONSERVATIVE), "silence after a \"No thanks\""),
    or(
        "typed_chat_overrides_offer",
        Shape::Flag,
        || Proactive::default().machine.typed_chat_overrides_offer.into(),
        "whether a person who writes to the chatbot takes back a pending offer",
    ),
]);

static CIRCUIT: Mapping = open(&[
    or("failures", MANY, || Proactive::default().circuit.failures.into(), "after so many"),
    or(
        "pause",
        Shape::Span,
        || Proactive::default().circuit.pause.to_string().into(),
        "for so long",
    ),
]);

static QUOTAS: Mapping = open(&[
    or(
        "product_per_minute",
        MANY,
        || Proactive::default().quotas.product_per_minute.into(),
        "offers of the product in a minute",
    ),
    or(
        "session_per_hour",
        MANY,
        || Proactive::default().quotas.session_per_hour.into(),
        "offers of a session in an hour",
    ),
    or(
        "user_per_day",
        MANY,
        || Proactive::default().quotas.user_per_day.into(),
        "offers to a user in a day",
    ),
]);

static CONSERVATIVE: Mapping = open(&[
    or(
        "base",
        Shape::Span,
        || Proactive::default().machine.conservative_base.to_string().into(),
        "after the first",
    ),
    or(
        "step",
        Shape::Span,
        || Proactive::default().machine.conservative_step.to_string().into(),
        "more after each further one",
    ),
    or(
        "silent_after",
        MANY,
        || Proactive::default().machine.silent_after.into(),
        "after so many, no offers in that session",
    ),
]);

static ACTIVITY: Mapping = open(&[
    or("keep", Shape::Span, || product().activity.keep.to_string().into(), ONE_DAY),
    or(
        "max_actions",
        Shape::Whole(1, 1_000),
        || product().activity.max_actions.into(),
        "beyond so many, the oldest go",
    ),
]);

static BUILTINS: Mapping = open(&[
    or(
        "lookback",
        Shape::Span,
        || product().builtins.lookback.to_string().into(),
        "batches forwarded longer ago are not seen; up to 1d",
    ),
    or(
        "max_actions",
        Shape::Whole(1, 1_000),
        || product().builtins.max_actions.into(),
        "the newest so many actions are seen",
    ),
]);

static RETRIEVAL: Mapping = open(&[
    or(
        "max_chunks",
        Shape::Whole(1, 1_000),
        || product().retrieval.max_chunks.into(),
        "chunks kept of a session",
    ),
    or(
        "debounce",
        Shape::Span,
        || product().retrieval.debounce.to_string().into(),
        "silence after which a burst of batches becomes one chunk, up to 10m; 0s writes each",
    ),
    or(
        "title",
        Shape::Words,
        || product().retrieval.title.into(),
        "a record's title; `{time}` is the chunk's instant",
    ),
    or(
        "by_email",
        Shape::Flag,
        || product().retrieval.by_email.into(),
        "whether an e-mail address finds its newest session",
    ),
]);

static REDACT: Mapping = open(&[
    key(
        "query",
        Shape::Several(&Shape::Words, 0),
        "the parameters of URLs that stay, by name; without it URLs are kept as they are sent",
    ),
    or(
        "patterns",
        Shape::List(&Shape::Words, 0, ANY),
        || json!([]),
        "regular expressions; what matches in titles, descriptions, URLs, summaries and properties is masked",
    ),
    or(
        "input_values",
        Shape::Names(|| InputValues::NAMES.to_vec()),
        || "keep".into(),
        "what people put into forms: with `mask` it is masked wherever an action tells it",
    ),
]);

static SOURCE: Mapping = Mapping {
    required: &["sse"],
    ..open(&[key("sse", Shape::Map(&SSE), "an upstream that streams activity")])
};

static SSE: Mapping = Mapping {
    keys: &[
        key("url", Shape::Pattern(URL), "its base URL, or one that already contains `/stream/`"),
        or("token", Shape::Text, || "".into(), "its bearer token; empty sends none"),
    ],
    required: &["url"],
    also: None,
};

const fn secrets(name: &'static str, doc: &'static str) -> Key {
    or(name, Shape::Several(&Shape::Words, 0), || json!([]), doc)
}

fn product() -> ProductSettings {
    ProductSettings::default()
}
