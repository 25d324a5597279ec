//! One product's part of `docent.yaml`.

use crate::domain::circuit::CircuitPolicy;
use crate::domain::health::HealthPolicy;
use crate::domain::machine::MachinePolicy;
use crate::domain::time::Span;
use crate::rulebook::arms;
use crate::rulebook::locales;
use crate::rulebook::pacing::caps::of_product;
use crate::rulebook::reader::{Fields, Findings, between, flag, list, number, span, words};
use crate::rulebook::settings::{
    Activity, Keys, Proactive, ProductSettings, Quotas, Retrieval, Source, Windows,
};
use crate::rulebook::workspace::not_available;
use crate::rulebook::workspace::testers::testers;
use crate::rulebook::workspace::values::{folder, origins, percent, secret, secrets, web_address};
use crate::rulebook::yaml::{Node, Value};
use crate::rulebook::{redact, schedule, zone};

const KEYS: &[&str] = &[
    "rules",
    "tours",
    "segments",
    "locale",
    "locales",
    "target_health",
    "allowed_origins",
    "keys",
    "timezone",
    "quiet_hours",
    "proactive",
    "frequency",
    "activity",
    "builtins",
    "retrieval",
    "sources",
    "sinks",
    "redact",
    "testers",
    "holdout",
];
const PROACTIVE: &[&str] = &[
    "enabled",
    "redeliver",
    "min_interval",
    "circuit",
    "quotas",
    "conservative",
    "typed_chat_overrides_offer",
];
/// The seeds' hook ignores a trigger for so long after an answer (contract, A-71).
const CLIENT_SUPPRESSION: Span = Span::from_seconds(30);
const DAY: Span = Span::from_seconds(86_400);

/// The settings as far as they can be read.
pub(super) fn read(node: &Node, findings: &mut Findings<'_>) -> ProductSettings {
    let mut product = ProductSettings::default();
    if node.value == Value::Null {
        return product;
    }
    let Some(fields) = Fields::of(node, "a product", KEYS, findings) else { return product };
    fields.fill("rules", &mut product.rules, folder, findings);
    fields.fill("tours", &mut product.tours, folder, findings);
    fields.fill("segments", &mut product.segments, folder, findings);
    fields.fill("locale", &mut product.locale, locales::tag, findings);
    fields.fill("locales", &mut product.locales, folder, findings);
    fields.fill("target_health", &mut product.target_health, target_health, findings);
    fields.fill("allowed_origins", &mut product.allowed_origins, origins, findings);
    fields.fill("keys", &mut product.keys, keys, findings);
    fields.fill("timezone", &mut product.timezone, zone::read, findings);
    let quiet = |node: &Node, f: &mut Findings<'_>| schedule::quiet_hours(node, f).map(Some);
    fields.fill("quiet_hours", &mut product.quiet_hours, quiet, findings);
    let gates = product.proactive.clone();
    let read = |node: &Node, f: &mut Findings<'_>| proactive(node, gates, f);
    fields.fill("proactive", &mut product.proactive, read, findings);
    close_together(&fields, &product.proactive, findings);
    fields.fill("frequency", &mut product.frequency, |n, f| Some(of_product(n, f)), findings);
    fields.fill("activity", &mut product.activity, activity, findings);
    fields.fill("builtins", &mut product.builtins, windows, findings);
    fields.fill("retrieval", &mut product.retrieval, retrieval, findings);
    fields.fill("sources", &mut product.sources, sources, findings);
    fields.fill("redact", &mut product.redact, redact::read, findings);
    fields.fill("testers", &mut product.testers, testers, findings);
    fields.fill("holdout", &mut product.holdout, arms::holdout, findings);
    if let Some(node) = fields.get("sinks")
        && !list(node, findings).is_empty()
    {
        not_available(node, "sending activity on", "write `sinks: []`".into(), findings);
    }
    product
}

fn target_health(node: &Node, findings: &mut Findings<'_>) -> Option<HealthPolicy> {
    let known = ["max_failed", "min_attempts", "window"];
    let fields = Fields::of(node, "`target_health`", &known, findings)?;
    let mut policy = HealthPolicy::default();
    let window = between(Span::from_seconds(3_600), DAY.times(7));
    fields.fill("max_failed", &mut policy.max_failed, percent, findings);
    fields.fill("min_attempts", &mut policy.min_attempts, number(1..=1_000_000), findings);
    fields.fill("window", &mut policy.window, window, findings);
    Some(policy)
}

fn keys(node: &Node, findings: &mut Findings<'_>) -> Option<Keys> {
    let known = ["publishable", "secret", "webhook", "session_signing"];
    let fields = Fields::of(node, "`keys`", &known, findings)?;
    let mut keys = Keys::default();
    fields.fill("publishable", &mut keys.publishable, secrets, findings);
    fields.fill("secret", &mut keys.secret, secrets, findings);
    fields.fill("webhook", &mut keys.webhook, secrets, findings);
    fields.fill("session_signing", &mut keys.session_signing, secrets, findings);
    Some(keys)
}

/// The gates' settings: what is written, and else what `proactive` has.
pub(in crate::rulebook) fn proactive(
    node: &Node,
    mut proactive: Proactive,
    findings: &mut Findings<'_>,
) -> Option<Proactive> {
    let fields = Fields::of(node, "`proactive`", PROACTIVE, findings)?;
    let Proactive { circuit, quotas, machine, .. } = proactive.clone();
    fields.fill("enabled", &mut proactive.enabled, flag, findings);
    fields.fill("redeliver", &mut proactive.redeliver, flag, findings);
    fields.fill("min_interval", &mut proactive.min_interval, span, findings);
    let read = |node: &Node, f: &mut Findings<'_>| self::circuit(node, circuit, f);
    fields.fill("circuit", &mut proactive.circuit, read, findings);
    let read = |node: &Node, f: &mut Findings<'_>| self::quotas(node, quotas, f);
    fields.fill("quotas", &mut proactive.quotas, read, findings);
    let read = |node: &Node, f: &mut Findings<'_>| conservative(node, machine, f);
    fields.fill("conservative", &mut proactive.machine, read, findings);
    let overrides = &mut proactive.machine.typed_chat_overrides_offer;
    fields.fill("typed_chat_overrides_offer", overrides, flag, findings);
    Some(proactive)
}

/// Clients keep an answered trigger from view for a while of their own.
fn close_together(product: &Fields<'_>, proactive: &Proactive, findings: &mut Findings<'_>) {
    let written = product.get("proactive").and_then(|node| node.get("min_interval"));
    if let Some(node) = written.filter(|_| proactive.min_interval < CLIENT_SUPPRESSION) {
        let message = "clients may ignore a trigger for 30s after it was answered";
        findings.warning(node, "short-interval", message, Some("write `30s` or more".into()));
    }
}

fn circuit(
    node: &Node,
    mut circuit: CircuitPolicy,
    findings: &mut Findings<'_>,
) -> Option<CircuitPolicy> {
    let fields = Fields::of(node, "`circuit`", &["failures", "pause"], findings)?;
    fields.fill("failures", &mut circuit.failures, number(0..=1_000_000), findings);
    fields.fill("pause", &mut circuit.pause, span, findings);
    Some(circuit)
}

fn quotas(node: &Node, mut quotas: Quotas, findings: &mut Findings<'_>) -> Option<Quotas> {
    let known = ["product_per_minute", "session_per_hour", "user_per_day"];
    let fields = Fields::of(node, "`quotas`", &known, findings)?;
    let most = || number(0..=1_000_000);
    fields.fill("product_per_minute", &mut quotas.product_per_minute, most(), findings);
    fields.fill("session_per_hour", &mut quotas.session_per_hour, most(), findings);
    fields.fill("user_per_day", &mut quotas.user_per_day, most(), findings);
    Some(quotas)
}

fn conservative(
    node: &Node,
    mut machine: MachinePolicy,
    findings: &mut Findings<'_>,
) -> Option<MachinePolicy> {
    let known = ["base", "step", "silent_after"];
    let fields = Fields::of(node, "`conservative`", &known, findings)?;
    fields.fill("base", &mut machine.conservative_base, span, findings);
    fields.fill("step", &mut machine.conservative_step, span, findings);
    fields.fill("silent_after", &mut machine.silent_after, number(0..=1_000_000), findings);
    Some(machine)
}

fn activity(node: &Node, findings: &mut Findings<'_>) -> Option<Activity> {
    let fields = Fields::of(node, "`activity`", &["keep", "max_actions"], findings)?;
    let mut activity = ProductSettings::default().activity;
    fields.fill("keep", &mut activity.keep, between(Span::from_seconds(1), DAY), findings);
    fields.fill("max_actions", &mut activity.max_actions, number(1..=1_000), findings);
    Some(activity)
}

fn windows(node: &Node, findings: &mut Findings<'_>) -> Option<Windows> {
    let fields = Fields::of(node, "`builtins`", &["lookback", "max_actions"], findings)?;
    let mut windows = ProductSettings::default().builtins;
    fields.fill("lookback", &mut windows.lookback, between(Span::ZERO, DAY), findings);
    fields.fill("max_actions", &mut windows.max_actions, number(1..=1_000), findings);
    Some(windows)
}

fn retrieval(node: &Node, findings: &mut Findings<'_>) -> Option<Retrieval> {
    let known = ["max_chunks", "debounce", "title", "by_email"];
    let fields = Fields::of(node, "`retrieval`", &known, findings)?;
    let mut retrieval = ProductSettings::default().retrieval;
    let title = |node: &Node, findings: &mut Findings<'_>| words(node, findings).map(str::to_owned);
    fields.fill("max_chunks", &mut retrieval.max_chunks, number(1..=1_000), findings);
    let pause = between(Span::ZERO, Span::from_seconds(600));
    fields.fill("debounce", &mut retrieval.debounce, pause, findings);
    fields.fill("title", &mut retrieval.title, title, findings);
    fields.fill("by_email", &mut retrieval.by_email, flag, findings);
    Some(retrieval)
}

fn sources(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Source>> {
    Some(list(node, findings).iter().filter_map(|item| source(item, findings)).collect())
}

fn source(node: &Node, findings: &mut Findings<'_>) -> Option<Source> {
    let outer = Fields::of(node, "a source", &["sse"], findings)?;
    let fields = Fields::of(outer.need("sse", findings)?, "`sse`", &["url", "token"], findings)?;
    let url = fields.need("url", findings).and_then(|node| web_address(node, findings));
    // An empty token is a value of its own: none is sent.
    let token = match fields.get("token").filter(|node| node.as_str() != Some("")) {
        Some(node) => Some(secret(node, findings)?),
        None => None,
    };
    Some(Source { url: url?, token })
}
