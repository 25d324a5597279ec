//! `GET /admin/status`: what this instance serves, and those that share its store.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use serde_json::{Map, Value, json};

use crate::app::{Denied, Peer};
use crate::http::error::ApiError;
use crate::http::site::Desk;
use crate::http::wire::proactive::PausedBody;
use crate::http::{health, json as answer};
use crate::library::status::{Candidate, Stale};
use crate::rulebook::finding::{Finding, Severity};
use crate::runtime::clock::Clock;

/// One instance in full, and its peers in short.
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let rulebook = desk.admit_operator(&parts)?;
    let app = &desk.app;
    let fleet = app.fleet(Clock::wall().now()).await.map_err(Denied::from)?;
    let (status, now) = (app.live.status(), app.clock.now());
    let mut paused = Map::new();
    for product in rulebook.settings.products.keys() {
        if let Some(pause) = app.pause_of(product, now) {
            paused.insert(product.to_string(), json!(PausedBody::from(&pause)));
        }
    }
    let resting = status.active.paused.iter();
    let resting = resting.map(|(product, rule)| json!({ "product": &**product, "rule": &**rule }));
    Ok(answer::ok(&json!({
        "instance": &*fleet.own,
        "version": env!("CARGO_PKG_VERSION"),
        "revision": status.active.revision,
        "digest": &*status.active.digest,
        "since": status.active.loaded_at.as_seconds(),
        "stale": status.stale.as_ref().map(stale),
        "candidate": status.candidate.as_ref().map(candidate),
        "paused": paused,
        "paused_rules": resting.collect::<Vec<_>>(),
        "store": { "kind": app.store.kind(), "trouble": app.store.trouble() },
        "sources": health::sources(app),
        "instances": fleet.peers.iter().map(peer).collect::<Vec<_>>(),
    })))
}

pub(crate) fn stale(stale: &Stale) -> Value {
    json!({ "revision": stale.revision, "kept_at": stale.kept_at.as_seconds() })
}

fn candidate(candidate: &Candidate) -> Value {
    let errors = candidate.findings.iter().filter(|found| found.severity == Severity::Error);
    let first = errors.clone().next().map(|found| {
        let Finding { file, line, column, message, .. } = found;
        format!("{file}:{line}:{column}: {message}")
    });
    json!({
        "digest": candidate.digest.as_deref(),
        "rejected_at": candidate.rejected_at.as_seconds(),
        "errors": errors.count(),
        "first": first,
    })
}

fn peer(peer: &Peer) -> Value {
    let said = &peer.said;
    json!({
        "instance": &*peer.name,
        "address": &*said.address,
        "version": &*said.version,
        "revision": said.revision,
        "digest": &*said.digest,
        "since": said.since.as_seconds(),
        "stale": said.stale,
        "refused": said.refused,
        "seen_s_ago": peer.ago.as_seconds(),
        "silent": peer.silent,
    })
}
