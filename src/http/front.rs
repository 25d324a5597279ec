//! The front: what happens to every request before and after its route. Prefixes come off, a
//! preflight is answered, and every answer gets its headers; no layers, one function.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, ORIGIN};
use http::{HeaderName, HeaderValue, Method, Request};
use tower::ServiceExt;
use tracing::info;

use crate::http::access::Denied;
use crate::http::error::{ApiError, options};
use crate::http::gate::Gate;
use crate::http::path::{Prefix, split_prefix, with_path};
use crate::http::site::Desk;
use crate::http::{context, cors};
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
    /// Set where polls are answered: nearly every request is one, and needs no looking up.
    polls: Option<Arc<Desk>>,
    start: u64,
    number: AtomicU64,
}

impl Front {
    /// A front before these routes.
    pub fn new(gate: Arc<Gate>, metrics: Arc<Metrics>, router: Router) -> Self {
        let start = RandomState::new().hash_one(0);
        Self { gate, metrics, router, polls: None, start, number: AtomicU64::new(0) }
    }

    /// Answers polls past the routes, as their own route would.
    pub(crate) fn polling(self, desk: Arc<Desk>) -> Self {
        Self { polls: Some(desk), ..self }
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
        if let Some(desk) = self.polls.as_ref().filter(|_| context::is_poll(&request)) {
            // A box is the same few lines of memory for every connection, and warm.
            let polled = Box::pin(context::poll(State(Arc::clone(desk)), request));
            return polled.await.into_response();
        }
        match Box::pin(self.router.clone().oneshot(request)).await {
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
        if let Ok(id) = HeaderValue::from_bytes(&hex(self.start.wrapping_add(number))) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}

/// Sixteen hexadecimal digits.
fn hex(number: u64) -> [u8; 16] {
    std::array::from_fn(|place| {
        let digit = (number >> (60 - 4 * place)) as u8 & 15;
        if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }
    })
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

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http::HeaderMap;
    use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, VARY};
    use http_body_util::BodyExt;

    use super::*;
    use crate::http::origin::Address;
    use crate::rulebook::settings::{Limits, ProductSettings};

    fn settings() -> Settings {
        let allowed_origins = vec!["https://app.test".to_owned()];
        let product = ProductSettings { allowed_origins, ..ProductSettings::default() };
        let mut settings = Settings::default();
        settings.products.insert("acme".into(), product);
        settings
    }

    /// Says which path and prefix a route sees.
    async fn echo(request: Request<Body>) -> String {
        let prefix = request.extensions().get::<Prefix>().cloned().unwrap_or_default();
        format!(
            "{} {} {}",
            request.uri(),
            prefix.key.unwrap_or_default(),
            prefix.product.unwrap_or_default()
        )
    }

    async fn ask(method: &str, uri: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
        let metrics = Arc::new(Metrics::new());
        let gate = Gate::new(Address::Public, &Limits::default(), Arc::clone(&metrics));
        let router =
            Router::new().route("/retrieval", get(echo)).route("/context/{p}/{s}", get(echo));
        let front = Front::new(Arc::new(gate), Arc::clone(&metrics), router);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = front.answer(&settings(), request.body(Body::empty()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let refused = metrics.encode().contains("docent_refused_total{reason=\"origin\"} 1");
        assert_eq!(refused, parts.status == 403, "a refused preflight is counted");
        (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn a_route_never_sees_what_stood_before_it() {
        let (status, headers, body) = ask("GET", "/k/sk_1/p/acme/retrieval?x=1", &[]).await;
        assert_eq!((status, body.as_str()), (200, "/retrieval?x=1 sk_1 acme"));
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[REQUEST_ID].len(), 16);
        assert_eq!(hex(0x0123_4567_89ab_cdef), *b"0123456789abcdef");
        assert_eq!(ask("GET", "/k/%ff/retrieval", &[]).await.0, 400);
    }

    #[tokio::test]
    async fn an_answer_may_be_read_by_an_allowed_page_and_no_other() {
        let context = "/context/acme/ps_1";
        let (_, headers, _) = ask("GET", context, &[("origin", "https://app.test")]).await;
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.test");
        assert_eq!(headers[VARY], "origin");
        let (_, headers, _) = ask("GET", context, &[("origin", "https://evil.test")]).await;
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        let (_, headers, _) = ask("GET", "/nowhere", &[("origin", "https://app.test")]).await;
        assert!(headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "errors can be read too");
    }

    #[tokio::test]
    async fn a_preflight_is_answered_before_any_route() {
        let wish = ("access-control-request-method", "POST");
        let context = "/k/pk_1/context/acme/ps_1";
        let (status, headers, body) =
            ask("OPTIONS", context, &[("origin", "https://app.test"), wish]).await;
        assert_eq!((status, body.as_str()), (204, ""));
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.test");
        let (status, headers, _) =
            ask("OPTIONS", context, &[("origin", "https://evil.test"), wish]).await;
        assert_eq!(status, 403);
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        let (status, headers, _) = ask("OPTIONS", context, &[]).await;
        assert_eq!(status, 204);
        assert!(headers.contains_key(ALLOW));
    }
}
