//! Operators: the rulebook in force, and what on disk was refused.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use serde_json::{Value, json};

use crate::http::error::ApiError;
use crate::http::site::Desk;
use crate::http::status::stale;
use crate::http::{health, json as answer};
use crate::library::status::{Active, Candidate, Watching};
use crate::rulebook::rule::Mode;
use crate::rulebook::{Product, Rulebook};

/// The active revision with its rules, the rejected candidate with its findings, the watcher and
/// the upstreams.
pub(crate) async fn rules(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let rulebook = desk.admit_operator(&parts)?;
    let status = desk.app.live.status();
    Ok(answer::ok(&json!({
        "active": active(&status.active),
        "stale": status.stale.as_ref().map(stale),
        "candidate": status.candidate.as_ref().map(candidate),
        "watcher": watcher(&status.watcher),
        "products": products(&rulebook),
        "sources": health::sources(&desk.app),
    })))
}

fn active(active: &Active) -> Value {
    let paused = active.paused.iter();
    let paused = paused.map(|(product, rule)| json!({ "product": &**product, "rule": &**rule }));
    json!({
        "revision": active.revision,
        "digest": &*active.digest,
        "sources": &*active.sources,
        "loaded_at": active.loaded_at.as_seconds(),
        "rules": active.rules,
        "tours": active.tours,
        "prompts": active.prompts,
        "paused": paused.collect::<Vec<_>>(),
        "findings": active.findings,
    })
}

fn candidate(candidate: &Candidate) -> Value {
    json!({
        "digest": candidate.digest.as_deref(),
        "rejected_at": candidate.rejected_at.as_seconds(),
        "attempts": candidate.attempts,
        "findings": candidate.findings,
    })
}

fn watcher(watcher: &Watching) -> Value {
    json!({
        "mode": watcher.mode.to_string(),
        "last_event_at": watcher.last_event_at.map(|at| at.as_seconds()),
        "last_check_at": watcher.last_check_at.map(|at| at.as_seconds()),
        "restarts": watcher.restarts,
    })
}

fn products(rulebook: &Rulebook) -> Value {
    let mut products: Vec<&Arc<Product>> = rulebook.products.values().collect();
    products.sort_by_key(|product| &product.id);
    let all = products.into_iter().map(|product| (product.id.to_string(), rules_of(product)));
    Value::Object(all.collect())
}

fn rules_of(product: &Product) -> Value {
    let rules = product.rules.iter().map(|rule| {
        json!({
            "id": &*rule.id,
            "name": rule.name,
            "owner": rule.owner,
            "priority": rule.priority,
            "mode": mode(rule.mode),
            "pages": rule.pages.iter().map(|page| page.as_str()).collect::<Vec<_>>(),
            "file": &*rule.written.file,
            "line": rule.written.line,
        })
    });
    Value::Array(rules.collect())
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Shadow => "shadow",
        Mode::Draft => "draft",
        Mode::Paused => "paused",
    }
}
