//! JSON answers.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::http::error::ApiError;

/// 200 with this body.
pub(crate) fn ok<T: Serialize>(body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
        }
        // Our own types have string keys and finite numbers; this cannot be reached by a request.
        Err(error) => ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            .into_response(),
    }
}
