//! `/admin/products/{product}/proactive`: pause a product, resume it, and ask whether it is paused.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::app::Denied;
use crate::http::access::RouteClass;
use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::{Desk, Visit};
use crate::http::wire::clock::demand_json;
use crate::http::wire::proactive::{ProactiveBody, wish};

/// Whether the product offers anything.
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let [_, product] = ids::<2>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::Operator, Some(&product))?;
    Ok(answer(&desk, &visit))
}

/// Pauses or resumes it; kept when the answer comes.
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let [_, product] = ids::<2>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::Operator, Some(&product))?;
    demand_json(&parts.headers)?;
    let pause = wish(&body::read(body, LARGEST).await?, &visit.product, visit.now)?;
    desk.app.set_pause(&visit.product, pause, visit.now).await.map_err(Denied::from)?;
    Ok(answer(&desk, &visit))
}

fn answer(desk: &Desk, visit: &Visit) -> Response {
    let pause = desk.app.pause_of(&visit.product.id, visit.now);
    json::ok(&ProactiveBody::of(&visit.product, pause.as_ref()))
}
