//! The virtual clock's one route; it is there only where `--virtual-clock` was given.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::domain::time::{Span, Timestamp};
use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json as answer;
use crate::http::site::Desk;

/// `{"now": 1760000000.0}` or `{"advance_s": 300}`; answers with the time it is then.
pub async fn move_to(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let clock = &desk.app.clock;
    if !clock.is_virtual() {
        return Err(ApiError::not_found("Not Found"));
    }
    desk.admit_operator(&parts)?;
    let json_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !json_type.is_some_and(|value| value.starts_with("application/json")) {
        let detail = "the content type must be application/json";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let wanted = body::json(&body::read(body, LARGEST).await?)?;
    let to = wanted.get("now").and_then(Value::as_f64).and_then(Timestamp::from_seconds);
    let by = wanted.get("advance_s").and_then(Value::as_f64).filter(|by| *by >= 0.0);
    match (to, by) {
        (Some(to), None) => clock.set(to),
        (None, Some(by)) => clock.advance(Span::from_millis((by * 1_000.0).round() as i64)),
        _ => {
            let detail = "write {\"now\": <unix seconds>} or {\"advance_s\": <seconds>}";
            return Err(ApiError::unprocessable(detail));
        }
    };
    Ok(answer::ok(&json!({ "now": clock.now().as_seconds() })))
}
