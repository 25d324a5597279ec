//! What operators' tools read: health, readiness, metrics, the description of the interface.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use serde_json::{Value, json};

use crate::app::App;
use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::site::Desk;
use crate::http::wire::health::HealthBody;
use crate::http::wire::isoformat::isoformat;
use crate::http::{json, openapi};
use crate::ingest::status::Phase;
use crate::journal::Journal;
use crate::runtime::metrics::CONTENT_TYPE as OPENMETRICS;

/// 200 while the process answers at all.
pub(crate) async fn alive() -> Response {
    json::ok(&HealthBody::alive())
}

/// 200 while docent can do its work, `degraded` with reasons when something needs a person; 503
/// once it is winding down, and while the store cannot read or write.
pub(crate) async fn ready(
    State(desk): State<Arc<Desk>>,
    request: Request<axum::body::Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let rulebook = desk.app.live.current();
    desk.gate.admit(&rulebook.settings, &parts, RouteClass::Open, None)?;
    if desk.app.is_draining() {
        let body = HealthBody::unavailable(vec!["docent is shutting down".to_owned()]);
        return Ok((StatusCode::SERVICE_UNAVAILABLE, json::ok(&body)).into_response());
    }
    if let Some(reason) = desk.app.store.trouble() {
        let what = if desk.app.store.is_readable() { "write" } else { "read or write" };
        let body = HealthBody::unavailable(vec![format!("the store cannot {what}: {reason}")]);
        return Ok((StatusCode::SERVICE_UNAVAILABLE, json::ok(&body)).into_response());
    }
    Ok(json::ok(&HealthBody::ready(reasons(&desk.app))))
}

/// What does not work as it should, one sentence each.
fn reasons(app: &App) -> Vec<String> {
    let status = app.live.status();
    let mut reasons = Vec::new();
    if let Some(stale) = &status.stale {
        reasons.push(format!(
            "the workspace on disk was broken at start: revision {} of {} is served, as the store \
             kept it",
            stale.revision,
            isoformat(stale.kept_at),
        ));
    }
    if let Some(candidate) = &status.candidate {
        let findings = candidate.findings.len();
        reasons.push(format!(
            "the workspace on disk was refused: {findings} findings, see /admin/rules"
        ));
    }
    if let Some(reason) = app.journal().and_then(Journal::trouble) {
        reasons.push(format!(
            "the journal cannot be written: {reason}; docent serves, and what happens meanwhile is not written down"
        ));
    }
    for (product, rule) in &status.active.paused {
        reasons.push(format!("rule `{rule}` of product `{product}` is paused: it kept failing"));
    }
    for (product, number, report) in app.sources.reports() {
        if !matches!(report.phase, Phase::Streaming | Phase::Connecting | Phase::Standby) {
            let (phase, why) = (report.phase.as_str(), report.reason.unwrap_or_default());
            reasons.push(format!("source {number} of product `{product}` is {phase}: {why}"));
        }
    }
    reasons
}

/// The OpenAPI document of every route here.
pub(crate) async fn interface() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], openapi::text()).into_response()
}

/// Everything counted, as OpenMetrics text; for operators.
pub(crate) async fn metrics(
    State(desk): State<Arc<Desk>>,
    request: Request<axum::body::Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    desk.admit_operator(&parts)?;
    desk.app.gauge();
    let text = desk.app.metrics.encode();
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS))], text).into_response())
}

/// Every upstream and how it fares, for operators.
pub(crate) fn sources(app: &App) -> Vec<Value> {
    let report =
        |(product, number, report): (Arc<str>, usize, crate::ingest::status::SourceReport)| {
            json!({
                "product": &*product,
                "source": number,
                "state": report.phase.as_str(),
                "reason": report.reason,
                "frames": report.frames,
                "deliveries": report.deliveries,
                "garbage": report.garbage,
                "reconnects": report.reconnects,
                "last_frame_s_ago": report.last_frame_ago.map(|ago| ago.as_secs_f64()),
            })
        };
    app.sources.reports().into_iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt;

    use super::*;
    use crate::domain::time::Timestamp;
    use crate::http::origin::Address;
    use crate::http::site::Site;
    use crate::library::live::Live;
    use crate::rulebook::Sources;
    use crate::runtime::clock::Clock;
    use crate::runtime::metrics::Metrics;
    use crate::store::Store;

    #[tokio::test]
    async fn docent_is_not_ready_once_it_winds_down_but_still_alive() {
        let settings = b"version: 1\nproducts: { acme: {} }\n".to_vec();
        let sources = Sources { files: [("docent.yaml".to_owned(), settings)].into() };
        let live = Live::start(sources, |_| None, Timestamp::default()).unwrap();
        let store = Store::open("memory", &live.current().settings.limits).unwrap();
        let (live, store, metrics) = (Arc::new(live), Arc::new(store), Arc::new(Metrics::new()));
        let app = Arc::new(App::new(live, store, Clock::wall(), metrics));
        let site = Site::whole(Arc::clone(&app), Address::Loopback);
        let ask = async |path: &str| {
            let request = Request::get(path).header("host", "localhost").body(Body::empty());
            let response = site.answer(request.unwrap()).await;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice::<Value>(&body).unwrap())
        };
        assert_eq!(ask("/readyz").await, (200, json!({ "status": "ok" })));
        app.drain();
        let (status, body) = ask("/readyz").await;
        assert_eq!((status, &body["status"]), (503, &json!("unavailable")), "{body}");
        assert_eq!(ask("/healthz").await.0, 200);
    }
}
