//! `docent.yaml` with everything at its default, written from the defaults themselves. Every struct
//! is taken apart whole, so a new setting does not compile before it stands here.

use docent::domain::circuit::CircuitPolicy;
use docent::domain::health::HealthPolicy;
use docent::domain::machine::MachinePolicy;
use docent::domain::time::Span;
use docent::rulebook::arms::Holdout;
use docent::rulebook::settings::{
    Activity, Admin, Journal, Keys, Limits, Proactive, ProductSettings, Quotas, Rate, Retrieval,
    Secret, Settings, Windows,
};

use crate::docs::source::said;

const FILE: &str = "src/rulebook/settings.rs";
const MACHINE: &str = "src/domain/machine.rs";
/// Where the comments begin.
const COLUMN: usize = 42;

/// Lines of YAML with a comment each.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, depth: usize, key: &str, value: &str, comment: &str) {
        let value = if value.is_empty() { String::new() } else { format!(" {value}") };
        let written = format!("{}{key}:{value}", "  ".repeat(depth));
        self.0.push_str(&format!("{written:COLUMN$} # {comment}\n"));
    }

    /// A setting that is called in YAML as in the code.
    fn own(&mut self, depth: usize, item: &str, key: &str, value: impl ToString) {
        self.add(depth, key, &value.to_string(), &said(FILE, item, key));
    }
}

/// The whole of it.
pub(crate) fn defaults() -> String {
    let Settings { listen, admin, store, durability, wait_replicas, journal, limits, products: _ } =
        Settings::default();
    let Admin { listen: admin_listen, tokens } = admin;
    let mut lines = Lines::default();
    lines.add(0, "version", "1", "Of this file's format");
    lines.own(0, "Settings", "listen", listen);
    lines.own(0, "Settings", "admin", "");
    lines.own(1, "Admin", "listen", quoted(&admin_listen));
    lines.own(1, "Admin", "tokens", none(&tokens));
    lines.own(0, "Settings", "store", store);
    lines.own(0, "Settings", "durability", durability);
    lines.own(0, "Settings", "wait_replicas", wait_replicas);
    lines.own(0, "Settings", "journal", "");
    let Journal { folder, keep, max_size, sample } = journal.unwrap();
    lines.own(1, "Journal", "folder", quoted(&folder));
    lines.own(1, "Journal", "keep", keep);
    lines.own(1, "Journal", "max_size", gibibytes(max_size));
    lines.own(1, "Journal", "sample", sample);
    lines.own(0, "Settings", "limits", "");
    of_limits(limits, &mut lines);
    lines.own(0, "Settings", "products", "");
    lines.add(1, "acme", "", "Its id, which stands in every URL");
    of_product(ProductSettings::default(), &mut lines);
    lines.0
}

fn of_limits(limits: Limits, lines: &mut Lines) {
    let Limits {
        max_sessions,
        max_memory,
        session_ttl,
        ledger_ttl,
        per_session,
        per_client,
        trusted_proxies,
        actions_per_batch,
    } = limits;
    lines.own(1, "Limits", "max_sessions", max_sessions);
    lines.own(1, "Limits", "max_memory", gibibytes(max_memory));
    lines.own(1, "Limits", "session_ttl", session_ttl);
    lines.own(1, "Limits", "ledger_ttl", ledger_ttl);
    lines.own(1, "Limits", "per_session", rate(per_session));
    lines.own(1, "Limits", "per_client", rate(per_client));
    lines.own(1, "Limits", "trusted_proxies", none(&trusted_proxies));
    lines.own(1, "Limits", "actions_per_batch", actions_per_batch);
}

fn of_keys(keys: Keys, lines: &mut Lines) {
    let Keys { publishable, secret, webhook, session_signing } = keys;
    for (key, secrets) in [
        ("publishable", publishable),
        ("secret", secret),
        ("webhook", webhook),
        ("session_signing", session_signing),
    ] {
        lines.own(3, "Keys", key, none::<Secret>(&secrets));
    }
}

fn of_product(product: ProductSettings, lines: &mut Lines) {
    let ProductSettings {
        rules,
        tours,
        segments,
        locale,
        locales,
        target_health,
        allowed_origins,
        keys,
        timezone,
        quiet_hours,
        proactive,
        frequency,
        activity,
        builtins,
        retrieval,
        sources,
        redact,
        testers,
        holdout,
    } = product;
    lines.own(2, "ProductSettings", "rules", rules);
    lines.own(2, "ProductSettings", "tours", tours);
    lines.own(2, "ProductSettings", "segments", segments);
    lines.own(2, "ProductSettings", "locale", locale);
    lines.own(2, "ProductSettings", "locales", locales);
    lines.own(2, "ProductSettings", "target_health", "");
    of_health(target_health, lines);
    lines.own(2, "ProductSettings", "allowed_origins", none(&allowed_origins));
    lines.own(2, "ProductSettings", "keys", "");
    of_keys(keys, lines);
    lines.own(2, "ProductSettings", "timezone", timezone.name());
    assert!(quiet_hours.is_none(), "a default that is not shown");
    lines.own(2, "ProductSettings", "proactive", "");
    of_proactive(proactive, lines);
    lines.own(2, "ProductSettings", "frequency", none(&frequency));
    let Activity { keep, max_actions } = activity;
    lines.own(2, "ProductSettings", "activity", "");
    lines.own(3, "Activity", "keep", keep);
    lines.own(3, "Activity", "max_actions", max_actions);
    let Windows { lookback, max_actions } = builtins;
    lines.own(2, "ProductSettings", "builtins", "");
    lines.own(3, "Windows", "lookback", lookback);
    lines.own(3, "Windows", "max_actions", max_actions);
    let Retrieval { max_chunks, debounce, title, by_email } = retrieval;
    lines.own(2, "ProductSettings", "retrieval", "");
    lines.own(3, "Retrieval", "max_chunks", max_chunks);
    lines.own(3, "Retrieval", "debounce", debounce);
    lines.own(3, "Retrieval", "title", quoted(&title));
    lines.own(3, "Retrieval", "by_email", by_email);
    lines.own(2, "ProductSettings", "sources", none(&sources));
    lines.add(2, "sinks", "[]", "Not available in this version");
    assert!(redact == <_>::default(), "a default that is not shown");
    lines.own(2, "ProductSettings", "redact", "{}");
    lines.own(2, "ProductSettings", "testers", none(&testers));
    assert_eq!(holdout, Holdout::default());
    lines.own(2, "ProductSettings", "holdout", "0%");
}

fn of_health(health: HealthPolicy, lines: &mut Lines) {
    let HealthPolicy { max_failed, min_attempts, window } = health;
    let said_of = |key| said("src/domain/health.rs", "HealthPolicy", key);
    lines.add(3, "max_failed", &format!("{max_failed}%"), &said_of("max_failed"));
    lines.add(3, "min_attempts", &min_attempts.to_string(), &said_of("min_attempts"));
    lines.add(3, "window", &window.to_string(), &said_of("window"));
}

fn of_proactive(proactive: Proactive, lines: &mut Lines) {
    let Proactive { enabled, redeliver, min_interval, circuit, quotas, machine } = proactive;
    lines.own(3, "Proactive", "enabled", enabled);
    lines.own(3, "Proactive", "redeliver", redeliver);
    lines.own(3, "Proactive", "min_interval", min_interval);
    let CircuitPolicy { failures, pause } = circuit;
    let said_of = |key| said("src/domain/circuit.rs", "CircuitPolicy", key);
    lines.own(3, "Proactive", "circuit", "");
    lines.add(4, "failures", &failures.to_string(), &said_of("failures"));
    lines.add(4, "pause", &pause.to_string(), &said_of("pause"));
    let Quotas { product_per_minute, session_per_hour, user_per_day } = quotas;
    lines.own(3, "Proactive", "quotas", "");
    lines.own(4, "Quotas", "product_per_minute", product_per_minute);
    lines.own(4, "Quotas", "session_per_hour", session_per_hour);
    lines.own(4, "Quotas", "user_per_day", user_per_day);
    let MachinePolicy {
        conservative_base: base,
        conservative_step: step,
        silent_after,
        stale_reactive: _,
        stale_guidance: _,
        typed_chat_overrides_offer: overrides,
    } = machine;
    let said_of = |key| said(MACHINE, "MachinePolicy", key);
    lines.add(3, "conservative", "", "Silence after a dismissal or a tour that was left");
    lines.add(4, "base", &base.to_string(), &said_of("conservative_base"));
    lines.add(4, "step", &step.to_string(), &said_of("conservative_step"));
    lines.add(4, "silent_after", &silent_after.to_string(), &said_of("silent_after"));
    let key = "typed_chat_overrides_offer";
    lines.add(3, key, &overrides.to_string(), &said_of(key));
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn none<T>(list: &[T]) -> &'static str {
    assert!(list.is_empty(), "a default that is not shown");
    "[]"
}

fn gibibytes(bytes: u64) -> String {
    assert_eq!(bytes % (1 << 30), 0);
    format!("{}GiB", bytes >> 30)
}

fn rate(rate: Rate) -> String {
    assert_eq!(rate.per, Span::from_seconds(1));
    format!("{}/s", rate.requests)
}
