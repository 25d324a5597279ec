//! JSON answers.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::http::error::ApiError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Room for the usual answer to a poll.
const USUAL: usize = 512;

/// 200 with this body.
pub(crate) fn ok<T: Serialize>(body: &T) -> Response {
    let mut bytes = Vec::with_capacity(USUAL);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            response
        }
        // Our own types have string keys and finite numbers; this cannot be reached by a request.
        Err(error) => ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            .into_response(),
    }
}
