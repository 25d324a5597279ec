//! The virtual clock's one route; it is there only where `--virtual-clock` was given.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use serde_json::json;

use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json as answer;
use crate::http::site::Desk;
use crate::http::wire::clock::{Move, demand_json, wish};

/// `{"now": 1760000000.0}` or `{"advance_s": 300}`; answers with the time it is then.
pub(crate) async fn move_to(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let clock = &desk.app.clock;
    if !clock.is_virtual() {
        return Err(ApiError::not_found("Not Found"));
    }
    desk.admit_operator(&parts)?;
    demand_json(&parts.headers)?;
    match wish(&body::read(body, LARGEST).await?)? {
        Move::To(now) => clock.set(now),
        Move::By(span) => clock.advance(span),
    };
    Ok(answer::ok(&json!({ "now": clock.now().as_seconds() })))
}
