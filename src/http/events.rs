//! `POST /events/{product}` and `POST /webhook/{product}`: activity comes in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::Request;

use crate::domain::action::{Delivery, Trust};
use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::gate::Seal;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::{Desk, Visit};
use crate::http::wire::activity::{AcceptedBody, PosthogBody, check_browser};
use crate::ingest::{posthog as destination, signature, wire};

const PUSH: Seal = Seal { header: signature::CONNECTOR_HEADER, holds: signature::is_signed };
const POSTHOG: Seal = Seal { header: signature::POSTHOG_HEADER, holds: signature::is_from_posthog };

/// One message: a signed push, or a browser's batch.
pub(crate) async fn push(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let [product] = ids::<1>(parts.uri.path())?;
    let (visit, bytes) = admit(&desk, &parts, body, RouteClass::Events, &product, PUSH).await?;
    let decoded = wire::decode_bytes(&bytes);
    let decoded = decoded.map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let source = source(visit.admitted.trust);
    let Some(delivery) = decoded.map(|decoded| decoded.delivery) else {
        desk.app.metrics.batch(&visit.product.id, source, "ignored");
        return Ok(json::ok(&AcceptedBody::ignored()));
    };
    let voucher = voucher(&desk, &visit, &parts, &delivery)?;
    let app = Arc::clone(&desk.app);
    let taken = app.see_through(async move {
        let (trust, voucher) = (visit.admitted.trust, voucher.as_deref());
        let advanced =
            desk.app.deliver(&visit.product, &delivery, trust, voucher, visit.now).await?;
        desk.app.metrics.batch(&visit.product.id, source, advanced.result());
        Ok(json::ok(&AcceptedBody::new(&delivery, advanced.accepted, advanced.duplicate)))
    });
    taken.await
}

/// One call of a PostHog destination: an event, or a list of them, for any sessions.
pub(crate) async fn posthog(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let [product] = ids::<1>(parts.uri.path())?;
    let (visit, bytes) = admit(&desk, &parts, body, RouteClass::Webhook, &product, POSTHOG).await?;
    let intake = destination::read(&bytes);
    let intake = intake.map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let app = Arc::clone(&desk.app);
    let taken = app.see_through(async move {
        let (mut accepted, mut duplicates) = (0, 0);
        let Visit { product, now, .. } = visit;
        for batch in intake.batches {
            let delivery = Delivery::Actions(batch);
            let taken = desk.app.deliver(&product, &delivery, Trust::Trusted, None, now);
            let advanced = taken.await?;
            desk.app.metrics.batch(&product.id, "posthog", advanced.result());
            accepted += advanced.accepted;
            duplicates += usize::from(advanced.duplicate);
        }
        Ok(json::ok(&PosthogBody::new(accepted, duplicates, intake.dropped)))
    });
    taken.await
}

async fn admit(
    desk: &Desk,
    parts: &http::request::Parts,
    body: Body,
    class: RouteClass,
    product: &str,
    seal: Seal,
) -> Result<(Visit, Bytes), ApiError> {
    let rulebook = desk.app.live.current();
    let settings = &rulebook.settings;
    let (admitted, bytes) =
        desk.gate.admit_push(settings, parts, body, class, product, seal).await?;
    Ok((desk.visit(&rulebook, admitted)?, bytes))
}

/// What a browser sends is checked, limited and, where the product signs sessions, vouched for.
fn voucher(
    desk: &Desk,
    visit: &Visit,
    parts: &http::request::Parts,
    delivery: &Delivery,
) -> Result<Option<String>, ApiError> {
    if visit.admitted.trust == Trust::Trusted {
        return Ok(None);
    }
    check_browser(delivery)?;
    let session = delivery.session().unwrap_or_default();
    desk.gate.session_asks(&visit.product.id, session)?;
    let signed = (&*visit.product.id, &visit.product.settings);
    desk.gate.voucher(signed, parts, session, visit.now)
}

const fn source(trust: Trust) -> &'static str {
    match trust {
        Trust::Trusted => "push",
        Trust::Browser => "browser",
    }
}
