//! `docent.yaml` as checked: the server's settings and each product's, with their defaults.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::bucket::Share;
use crate::domain::circuit::CircuitPolicy;
use crate::domain::health::HealthPolicy;
use crate::domain::machine::MachinePolicy;
use crate::domain::time::Span;
use crate::rulebook::arms::Holdout;
use crate::rulebook::pacing::caps::Cap;
use crate::rulebook::redact::Redact;
use crate::rulebook::schedule::QuietHours;
use crate::rulebook::zone::{Zone, ZoneChoice};

/// The whole of `docent.yaml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `host:port`; a change needs a restart.
    pub listen: String,
    /// Operators' routes.
    pub admin: Admin,
    /// Where records live; a change needs a restart.
    pub store: String,
    /// When a change counts as kept: `immediate`, or an interval as `100ms`; a change needs a
    /// restart.
    pub durability: Durability,
    /// Replicas of a Redis that must have a change before it is answered; a change needs a restart.
    pub wait_replicas: u32,
    /// What is written down of what happened, or `off`; a change needs a restart.
    pub journal: Option<Journal>,
    /// What the process may take.
    pub limits: Limits,
    /// By id, at least one.
    pub products: BTreeMap<Arc<str>, ProductSettings>,
}

/// When a durable store answers for a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After the commit that holds it: an answer means that it is on disk.
    #[default]
    Immediate,
    /// Before; a crash may lose what came in this time.
    Interval(Span),
}

impl std::fmt::Display for Durability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Immediate => f.write_str("immediate"),
            Self::Interval(span) => write!(f, "{span}"),
        }
    }
}

/// What is written down of what happened, for explanations and replays.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    /// Empty: `journal/` in the folder of an embedded store, and beside any other no journal.
    pub folder: String,
    /// How long it is kept.
    pub keep: Span,
    /// Bytes of it that are kept; the oldest go.
    pub max_size: u64,
    /// The share of sessions of which every poll is written down; of the rest, those of note.
    pub sample: Share,
}

/// 30 days (DESIGN.md, section 10), 2 GiB, one session in ten.
impl Default for Journal {
    fn default() -> Self {
        let (keep, sample) = (Span::from_seconds(30 * 86_400), Share::of(1_000));
        Self { folder: String::new(), keep, max_size: 2 << 30, sample }
    }
}

impl Journal {
    /// Its folder as somebody would write it, beside this store; `None` where it has none.
    pub fn beside(&self, store: &str) -> Option<String> {
        if !self.folder.is_empty() {
            return Some(self.folder.clone());
        }
        store.strip_prefix("embedded:").map(|path| format!("{path}/journal"))
    }
}

/// Operators' routes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admin {
    /// Empty: they share the main listener, on loopback only.
    pub listen: String,
    /// Bearer tokens.
    pub tokens: Vec<Secret>,
}

/// A key or token; prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Arc<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What the process may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Sessions kept.
    pub max_sessions: u64,
    /// Bytes of records kept.
    pub max_memory: u64,
    /// Activity lives this long after its last write.
    pub session_ttl: Span,
    /// Dismissals, cooldowns and counters live this long.
    pub ledger_ttl: Span,
    /// Requests of one session.
    pub per_session: Rate,
    /// Requests of one client address.
    pub per_client: Rate,
    /// Addresses or CIDR blocks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Actions of one batch that are kept; the oldest go.
    pub actions_per_batch: usize,
}

/// `5/s`: so many requests in one second, minute or hour; bursts are ten times that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// In this time.
    pub per: Span,
}

/// One product's settings; they reload with its rules.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductSettings {
    /// The folder of its rules, relative to the workspace.
    pub rules: String,
    /// The folder of its tours.
    pub tours: String,
    /// The folder of its segments.
    pub segments: String,
    /// The language its rules are written in, as BCP 47.
    pub locale: Arc<str>,
    /// The folder of its translations.
    pub locales: String,
    /// When a tour counts as broken.
    pub target_health: HealthPolicy,
    /// `https://app.example.com`, or `*`.
    pub allowed_origins: Vec<String>,
    /// Who may ask.
    pub keys: Keys,
    /// The zone of its clock, as IANA names it.
    pub timezone: Zone,
    /// When nothing is offered, whatever matches.
    pub quiet_hours: Option<QuietHours>,
    /// When something may be offered at all.
    pub proactive: Proactive,
    /// Frequency caps over its triggers.
    pub frequency: Vec<Cap>,
    /// What rules can look back on.
    pub activity: Activity,
    /// The SDK's windows, for the SDK's builtins alone.
    pub builtins: Windows,
    /// What chatbots get.
    pub retrieval: Retrieval,
    /// Where activity comes from, beside pushes.
    pub sources: Vec<Source>,
    /// What of activity is never kept nor seen by rules.
    pub redact: Redact,
    /// Who sees drafts, without spacing: e-mails, user ids or session ids.
    pub testers: Vec<Arc<str>>,
    /// Who is offered nothing at all, for comparison.
    pub holdout: Holdout,
}

/// Keys by class; each class may hold several, for rotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// For browsers.
    pub publishable: Vec<Secret>,
    /// For chatbots and operators of this product.
    pub secret: Vec<Secret>,
    /// Sign pushes.
    pub webhook: Vec<Secret>,
    /// Sign session tokens.
    pub session_signing: Vec<Secret>,
}

/// The gates' settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Proactive {
    /// Whether anything is offered at all.
    pub enabled: bool,
    /// Say the pending offer again at each poll until it is answered.
    pub redeliver: bool,
    /// Between two offers of a session.
    pub min_interval: Span,
    /// The pause after failed deliveries.
    pub circuit: CircuitPolicy,
    /// Caps, 0 meaning no limit.
    pub quotas: Quotas,
    /// The state machine's times.
    pub machine: MachinePolicy,
}

/// Caps over sliding windows; 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Offers of the product in a minute.
    pub product_per_minute: u32,
    /// Offers of a session in an hour.
    pub session_per_hour: u32,
    /// Offers to a user in a day.
    pub user_per_day: u32,
}

/// What rules can look back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Older actions go.
    pub keep: Span,
    /// Beyond this many, the oldest go.
    pub max_actions: usize,
}

/// The SDK's context windows (contract 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Batches forwarded longer ago are not seen.
    pub lookback: Span,
    /// The newest so many actions are seen.
    pub max_actions: usize,
}

/// What chatbots get.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrieval {
    /// Chunks kept per session.
    pub max_chunks: usize,
    /// Silence after which a burst of batches becomes one chunk; zero writes each.
    pub debounce: Span,
    /// A record's title; `{time}` is the chunk's instant.
    pub title: String,
    /// Whether an e-mail finds its newest session.
    pub by_email: bool,
}

/// An upstream that streams activity.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Base URL, or one that already contains `/stream/`.
    pub url: String,
    /// Bearer token; empty sends none.
    pub token: Option<Secret>,
}

impl ProductSettings {
    /// Whether something here goes by what is remembered of the person.
    pub fn asks_of_person(&self) -> bool {
        self.quiet_hours.as_ref().is_some_and(|quiet| quiet.zone == ZoneChoice::User)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 1_000_000,
            max_memory: 4 << 30,
            session_ttl: Span::from_seconds(24 * 3_600),
            ledger_ttl: Span::from_seconds(30 * 24 * 3_600),
            per_session: Rate { requests: 5, per: Span::from_seconds(1) },
            per_client: Rate { requests: 500, per: Span::from_seconds(1) },
            trusted_proxies: Vec::new(),
            actions_per_batch: 1_000,
        }
    }
}

impl Default for ProductSettings {
    fn default() -> Self {
        Self {
            rules: "rules/".into(),
            tours: "tours/".into(),
            locale: "en".into(),
            locales: "locales/".into(),
            segments: "segments/".into(),
            target_health: HealthPolicy::default(),
            allowed_origins: Vec::new(),
            keys: Keys::default(),
            timezone: Zone::UTC,
            quiet_hours: None,
            proactive: Proactive::default(),
            frequency: Vec::new(),
            activity: Activity { keep: Span::from_seconds(30 * 60), max_actions: 200 },
            builtins: Windows { lookback: Span::from_seconds(120), max_actions: 50 },
            retrieval: Retrieval {
                max_chunks: 50,
                debounce: Span::ZERO,
                title: "events @ {time}".into(),
                by_email: true,
            },
            sources: Vec::new(),
            redact: Redact::default(),
            testers: Vec::new(),
            holdout: Holdout::default(),
        }
    }
}

impl Default for Proactive {
    fn default() -> Self {
        Self {
            enabled: true,
            redeliver: false,
            min_interval: Span::from_seconds(300),
            circuit: CircuitPolicy::default(),
            quotas: Quotas::default(),
            machine: MachinePolicy::default(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            admin: Admin::default(),
            store: "embedded:./data".into(),
            durability: Durability::Immediate,
            wait_replicas: 0,
            journal: Some(Journal::default()),
            limits: Limits::default(),
            products: BTreeMap::new(),
        }
    }
}
