//! `docent.yaml` to settings. Every default stands in `settings.rs`; here is what a file may say
//! and what it must not.

mod journal;
mod product;
mod store;
mod testers;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::time::Span;
use crate::rulebook::address::is_redis;
use crate::rulebook::reader::{Fields, Findings, between, number, text, version, wrong_type};
use crate::rulebook::settings::{Admin, Limits, ProductSettings, Settings};
pub(in crate::rulebook) use crate::rulebook::workspace::product::proactive;
use crate::rulebook::workspace::values::{address, proxies, rate, secrets, size};
use crate::rulebook::yaml::{Node, Value};

/// The file's name, at the root of a workspace.
pub const FILE: &str = "docent.yaml";

const KEYS: &[&str] = &[
    "version",
    "listen",
    "admin",
    "store",
    "durability",
    "wait_replicas",
    "journal",
    "limits",
    "products",
    "llm",
];
const LIMITS: &[&str] = &[
    "max_sessions",
    "max_memory",
    "session_ttl",
    "ledger_ttl",
    "per_session",
    "per_client",
    "trusted_proxies",
    "actions_per_batch",
];

/// The settings as far as they can be read: what is wrong is a finding and keeps its default, so
/// that the files of the workspace can be checked all the same.
pub fn read(root: &Node, findings: &mut Findings<'_>) -> Settings {
    let mut settings = Settings::default();
    let Some(fields) = Fields::of(root, "the workspace", KEYS, findings) else {
        return settings;
    };
    version(&fields, findings);
    fields.fill("listen", &mut settings.listen, address, findings);
    fields.fill("admin", &mut settings.admin, admin, findings);
    fields.fill("store", &mut settings.store, store::store, findings);
    fields.fill("durability", &mut settings.durability, store::durability, findings);
    fields.fill("wait_replicas", &mut settings.wait_replicas, number(0..=16), findings);
    if let Some(node) = fields.get("wait_replicas").filter(|_| settings.wait_replicas > 0)
        && !is_redis(&settings.store)
    {
        let help = "remove it, or write where Redis is: `store: redis://HOST:PORT`".to_owned();
        findings.warning(
            node,
            "no-replicas",
            "`store` is no Redis, so it has no replicas",
            Some(help),
        );
    }
    fields.fill("journal", &mut settings.journal, journal::journal, findings);
    fields.fill("limits", &mut settings.limits, limits, findings);
    if fields.need("products", findings).is_some() {
        fields.fill("products", &mut settings.products, products, findings);
    }
    if let Some(node) = fields.get("llm") {
        let help = "remove `llm`; summaries are extractive without it".to_owned();
        not_available(node, "a language model", help, findings);
    }
    settings
}

/// The folders that each product has, in the order [`folders`] names them; also their usual names.
pub const FOLDERS: [&str; 4] = ["rules", "tours", "locales", "segments"];

/// The folders a workspace names for rules, tours, translations and segments, even when it has mistakes.
pub fn folders(root: &Node) -> Vec<String> {
    let Some(Value::Map(products)) = root.get("products").map(|node| &node.value) else {
        return Vec::new();
    };
    let mut ignored = Findings::new(FILE, "");
    let mut named = Vec::new();
    for (_, product) in products {
        for key in FOLDERS {
            let written = product.get(key).and_then(|node| values::folder(node, &mut ignored));
            named.push(written.unwrap_or_else(|| format!("{key}/")));
        }
    }
    named
}

fn not_available(node: &Node, what: &str, help: String, findings: &mut Findings<'_>) {
    let message = format!("{what} is not available in this version");
    findings.error(node, "not-available", message, Some(help));
}

fn admin(node: &Node, findings: &mut Findings<'_>) -> Option<Admin> {
    let fields = Fields::of(node, "`admin`", &["listen", "tokens"], findings)?;
    let mut admin = Admin::default();
    // Empty is a value of its own: the main listener.
    let own = |node: &Node, findings: &mut Findings<'_>| match node.as_str() {
        Some("") => Some(String::new()),
        _ => address(node, findings),
    };
    fields.fill("listen", &mut admin.listen, own, findings);
    fields.fill("tokens", &mut admin.tokens, secrets, findings);
    Some(admin)
}

fn limits(node: &Node, findings: &mut Findings<'_>) -> Option<Limits> {
    let fields = Fields::of(node, "`limits`", LIMITS, findings)?;
    let mut limits = Limits::default();
    let ttl = || between(Span::from_seconds(60), Span::from_seconds(366 * 86_400));
    fields.fill("max_sessions", &mut limits.max_sessions, number(1..=i64::MAX), findings);
    fields.fill("max_memory", &mut limits.max_memory, size, findings);
    fields.fill("session_ttl", &mut limits.session_ttl, ttl(), findings);
    fields.fill("ledger_ttl", &mut limits.ledger_ttl, ttl(), findings);
    fields.fill("per_session", &mut limits.per_session, rate, findings);
    fields.fill("per_client", &mut limits.per_client, rate, findings);
    fields.fill("trusted_proxies", &mut limits.trusted_proxies, proxies, findings);
    fields.fill("actions_per_batch", &mut limits.actions_per_batch, number(1..=100_000), findings);
    Some(limits)
}

fn products(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<BTreeMap<Arc<str>, ProductSettings>> {
    let Value::Map(entries) = &node.value else {
        let help = "write the product's id as a key, and its settings under it".to_owned();
        wrong_type(node, "a mapping of products", Some(help), findings);
        return None;
    };
    if entries.is_empty() {
        let message = "the workspace has no product";
        findings.error(node, "no-products", message, Some("add one: `acme: {}`".into()));
    }
    let mut products = BTreeMap::new();
    for (key, value) in entries {
        if let (Some(id), settings) = (product_id(key, findings), product::read(value, findings)) {
            products.insert(id, settings);
        }
    }
    Some(products)
}

fn product_id(key: &Node, findings: &mut Findings<'_>) -> Option<Arc<str>> {
    let id = text(key, findings)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !id.is_empty() && id.len() <= 128 && id.chars().all(legal) {
        return Some(id.into());
    }
    let help = "use at most 128 letters, digits and `_ - .`".to_owned();
    findings.error(key, "bad-id", format!("`{id}` cannot be a product's id"), Some(help));
    None
}
