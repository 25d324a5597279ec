//! The front: what happens to every request before and after its route. Prefixes come off, a
//! preflight is answered, and every answer gets its headers; no layers, one function.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, ORIGIN};
use http::{HeaderName, HeaderValue, Method, Request};
use tower::ServiceExt;
use tracing::info;

use crate::http::access::Denied;
use crate::http::cors;
use crate::http::error::{ApiError, options};
use crate::http::gate::Gate;
use crate::http::path::{Prefix, split_prefix, with_path};
use crate::rulebook::settings::Settings;
use crate::runtime::metrics::{Metrics, Refused};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The front of one listener.
#[derive(Debug)]
pub struct Front {
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    router: Router,
    start: u64,
    number: AtomicU64,
}

impl Front {
    /// A front before these routes.
    pub fn new(gate: Arc<Gate>, metrics: Arc<Metrics>, router: Router) -> Self {
        let start = RandomState::new().hash_one(0);
        Self { gate, metrics, router, start, number: AtomicU64::new(0) }
    }

    /// Answers a request under these settings.
    pub async fn answer(&self, settings: &Settings, request: Request<Body>) -> Response {
        let (prefix, request) = match unprefixed(request) {
            Ok(parts) => parts,
            Err(error) => return self.finish(error.into_response()),
        };
        let origin = request.headers().get(ORIGIN).cloned();
        let allowed = origin.as_ref().and_then(|origin| {
            cors::allowed(settings, &prefix, request.uri().path(), origin, self.gate.address())
        });
        let mut response = if request.method() == Method::OPTIONS {
            self.options(&request, allowed)
        } else {
            self.route(prefix, request).await
        };
        if let Some(origin) = allowed {
            cors::allow(response.headers_mut(), origin);
        }
        self.finish(response)
    }

    async fn route(&self, prefix: Prefix, mut request: Request<Body>) -> Response {
        if prefix != Prefix::default() {
            request.extensions_mut().insert(prefix);
        }
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn options(&self, request: &Request<Body>, allowed: Option<&HeaderValue>) -> Response {
        let preflight = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let Some(origin) = request.headers().get(ORIGIN).filter(|_| preflight) else {
            return options("GET, HEAD, POST, OPTIONS");
        };
        if allowed.is_some() {
            return cors::preflight();
        }
        self.metrics.refused(Refused::Origin);
        let origin = origin.to_str().unwrap_or_default();
        info!(reason = Refused::Origin.as_str(), origin, "turned away a preflight");
        ApiError::forbidden(Denied::Origin.to_string()).into_response()
    }

    fn finish(&self, mut response: Response) -> Response {
        self.metrics.response(response.status().as_u16());
        let headers = response.headers_mut();
        cors::vary(headers);
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, NO_STORE);
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}", self.start.wrapping_add(number));
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}

/// The request as its route knows it, and what stood before the route.
fn unprefixed(mut request: Request<Body>) -> Result<(Prefix, Request<Body>), ApiError> {
    let (prefix, route) = split_prefix(request.uri().path())?;
    if prefix != Prefix::default() {
        let uri = with_path(request.uri(), route);
        *request.uri_mut() = uri.ok_or_else(|| ApiError::unreadable("the path is malformed"))?;
    }
    Ok((prefix, request))
}
