//! Errors as clients see them: a status and `{"detail": …}`, the shape that FastAPI clients expect.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::app::Denied;
use crate::http::path::PathError;

/// What went wrong, for the client. Never holds a secret, a body or an e-mail.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// One sentence, lower case, no full stop.
    pub detail: String,
    /// Members beside `detail`.
    pub extra: Map<String, Value>,
    /// After how many seconds to come back, where that helps.
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// An error of this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), extra: Map::new(), retry_after: None }
    }

    /// 400: the request cannot be read at all.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401; the answer carries the challenge that HTTP demands.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// 403: known, but not for this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 404 in the words of contract 2.3.2.
    pub fn unknown_product() -> Self {
        Self::not_found("Unknown product")
    }

    /// 422: readable, but not what this route takes.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 413 with the limit, in bytes.
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 429: come back after so many seconds.
    pub fn too_many(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests").retry_after(seconds)
    }

    /// 503: come back after so many seconds.
    pub fn unavailable(detail: impl Into<String>, seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(seconds)
    }

    /// With one more member beside `detail`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }
}

impl From<PathError> for ApiError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::NotUtf8 => Self::unreadable(error.to_string()),
            PathError::TooLong => Self::unprocessable(error.to_string()),
            PathError::TooShort => Self::not_found("Not Found"),
        }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let detail = denied.to_string();
        match denied {
            Denied::AnotherUser => Self::forbidden(detail),
            Denied::Busy | Denied::Store(_) => Self::unavailable(detail, 1),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut members = Map::with_capacity(1 + self.extra.len());
        members.insert("detail".to_owned(), Value::String(self.detail));
        members.extend(self.extra);
        let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (self.status, json, Value::Object(members).to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// 404 for a path that is no route.
pub async fn no_such_route() -> ApiError {
    ApiError::not_found("Not Found")
}

/// 405 for a method that the route does not have; the router adds `Allow`.
pub async fn no_such_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// 200 and nothing: a HEAD where a GET would have consequences.
pub async fn head() -> StatusCode {
    StatusCode::OK
}

/// 204 with what a route allows, for an OPTIONS that is no preflight.
pub fn options(allow: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(allow))]).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::{HeaderMap, Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn read(response: Response) -> (u16, HeaderMap, Value) {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn every_error_is_a_detail_with_its_headers() {
        let error = ApiError::unavailable("the store does not answer", 0).with("reason", "store");
        let (status, headers, body) = read(error.into_response()).await;
        assert_eq!((status, headers[RETRY_AFTER].as_bytes()), (503, b"1".as_slice()));
        let expected =
            serde_json::json!({"detail": "the store does not answer", "reason": "store"});
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn a_route_without_the_method_says_which_it_has() {
        let router: Router = Router::new()
            .route("/context/{product}/{session}", get(|| async { "fired" }).head(head))
            .fallback(no_such_route)
            .method_not_allowed_fallback(no_such_method);
        let ask = |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty());
            router.clone().oneshot(request.unwrap())
        };
        let (status, headers, body) = read(ask("POST", "/context/a/b").await.unwrap()).await;
        assert_eq!((status, body["detail"].as_str()), (405, Some("Method Not Allowed")));
        assert!(headers[ALLOW].to_str().unwrap().contains("GET"));
        let (status, _, body) = read(ask("GET", "/context/acme/").await.unwrap()).await;
        assert_eq!((status, body["detail"].as_str()), (404, Some("Not Found")));
        let head = ask("HEAD", "/context/a/b").await.unwrap();
        assert_eq!(head.status(), 200);
        assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}
