//! The gate: what a handler calls before its work. It asks [`access`], then the limits, counts and
//! logs who is turned away, and hands over who was let in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use tracing::info;

use crate::domain::action::Trust;
use crate::domain::time::Timestamp;
use crate::http::access::{Access, Ask, Denied, Grant, RouteClass, Signature, access};
use crate::http::body::{self, LARGEST, LARGEST_SIGNED};
use crate::http::error::ApiError;
use crate::http::keys::{Authorization, Credentials};
use crate::http::limits::Limiters;
use crate::http::origin::Address;
use crate::http::path::{Prefix, query};
use crate::http::token::verify;
use crate::rulebook::settings::{Limits, ProductSettings, Secret, Settings};
use crate::runtime::metrics::{Metrics, Refused};

const TOKEN: HeaderName = HeaderName::from_static("x-docent-session");

/// The address at the other end of the connection, as a request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A request that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The product it is about; always there but on operators' and open routes.
    pub product: Option<Arc<str>>,
    /// Why it may be here.
    pub grant: Grant,
    /// How far activity that it brings is believed.
    pub trust: Trust,
}

/// How a push is checked: the header that holds the signature, and whether it is one by the keys.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    /// The header's name, in lower case.
    pub header: &'static str,
    /// Whether the header, under one of the keys, vouches for the body.
    pub holds: fn(keys: &[Secret], header: &[u8], body: &[u8]) -> bool,
}

/// One listener's gate.
#[derive(Debug)]
pub struct Gate {
    address: Address,
    metrics: Arc<Metrics>,
    limiters: RwLock<Arc<Limiters>>,
}

impl Gate {
    /// A gate for a listener that can be reached so.
    pub fn new(address: Address, limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self { address, metrics, limiters: RwLock::new(Arc::new(Limiters::new(limits))) }
    }

    /// Whom the listener can be reached by.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Lets a request in, or says why not. `named` is the product in the route, decoded.
    pub fn admit(
        &self,
        settings: &Settings,
        parts: &Parts,
        class: RouteClass,
        named: Option<&str>,
    ) -> Result<Admitted, ApiError> {
        self.client_asks(settings, parts)?;
        self.judge(settings, parts, class, named, Signature::Absent)
    }

    /// The same for a push, whose body says more than its keys: reads it whole, 1 MiB when it is
    /// signed and 64 KiB otherwise.
    pub async fn admit_push(
        &self,
        settings: &Settings,
        parts: &Parts,
        body: Body,
        class: RouteClass,
        named: &str,
        seal: Seal,
    ) -> Result<(Admitted, Bytes), ApiError> {
        self.client_asks(settings, parts)?;
        let keys = settings.products.get(named).map(|product| &*product.keys.webhook);
        let keys = keys.ok_or_else(ApiError::unknown_product)?;
        let Some(header) = parts.headers.get(seal.header) else {
            let admitted = self.judge(settings, parts, class, Some(named), Signature::Absent)?;
            let whole = admitted.trust == Trust::Trusted;
            let limit = if whole { LARGEST_SIGNED } else { LARGEST };
            return Ok((admitted, body::read(body, limit).await?));
        };
        let bytes = body::read(body, LARGEST_SIGNED).await?;
        let good = (seal.holds)(keys, header.as_bytes(), &bytes);
        let signature = if good { Signature::Good } else { Signature::Bad };
        let admitted = self.judge(settings, parts, class, Some(named), signature)?;
        if admitted.trust == Trust::Browser && bytes.len() > LARGEST {
            return Err(ApiError::too_large(LARGEST));
        }
        Ok((admitted, bytes))
    }

    /// One more request about this session; 429 when there are too many.
    pub fn session_asks(&self, product: &str, session: &str) -> Result<(), ApiError> {
        let asked = self.limiters().session_asks(product, session);
        asked.map_err(|seconds| self.too_many(seconds))
    }

    /// The user whom the request's session token vouches for. `None` when the product signs no
    /// sessions; 401 when it does and the token is missing or wrong.
    pub fn voucher(
        &self,
        (product, settings): (&str, &ProductSettings),
        parts: &Parts,
        session: &str,
        now: Timestamp,
    ) -> Result<Option<String>, ApiError> {
        let keys = &settings.keys.session_signing;
        if keys.is_empty() {
            return Ok(None);
        }
        let header =
            parts.headers.get(TOKEN).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let token = header.map(Into::into).or_else(|| query(&parts.uri, "st"));
        let refused = |detail: String| {
            self.metrics.refused(Refused::Auth);
            ApiError::unauthorized(detail)
        };
        let Some(token) = token else {
            return Err(refused("this product's front end needs a session token".to_owned()));
        };
        let user = verify(keys, product, session, &token, now);
        user.map(|user| Some(user.to_owned())).map_err(|error| refused(error.to_string()))
    }

    /// Forgets clients and sessions that have long been quiet; to be called once a minute.
    pub fn tidy(&self) {
        self.limiters().tidy();
    }

    fn client_asks(&self, settings: &Settings, parts: &Parts) -> Result<(), ApiError> {
        let limiters = self.limiters_of(&settings.limits);
        let client = limiters.client(peer(parts), &parts.headers);
        limiters.client_asks(client).map_err(|seconds| self.too_many(seconds))
    }

    fn judge(
        &self,
        settings: &Settings,
        parts: &Parts,
        class: RouteClass,
        named: Option<&str>,
        signature: Signature,
    ) -> Result<Admitted, ApiError> {
        let prefix = parts.extensions.get::<Prefix>();
        let base = prefix.and_then(|prefix| prefix.key.as_deref());
        let credentials = Credentials::of(&parts.headers, base, query(&parts.uri, "key"));
        let ask = Ask {
            class,
            named,
            prefixed: prefix.and_then(|prefix| prefix.product.as_deref()),
            credentials: &credentials,
            signature,
            origin: text(&parts.headers, ORIGIN),
            host: text(&parts.headers, HOST)
                .or_else(|| parts.uri.authority().map(|host| host.as_str())),
            address: self.address,
        };
        match access(settings, &ask) {
            Ok(Access { product, grant, trust }) => Ok(Admitted { product, grant, trust }),
            Err(denied) => Err(self.turn_away(denied, &ask, parts.uri.path())),
        }
    }

    fn turn_away(&self, denied: Denied, ask: &Ask<'_>, path: &str) -> ApiError {
        if let Some(reason) = reason(denied) {
            self.metrics.refused(reason);
            let origin = ask.origin.unwrap_or_default();
            info!(reason = reason.as_str(), class = ?ask.class, origin, "turned away: {denied}");
        }
        let error = ApiError::new(denied.status(), denied.to_string());
        if path == "/retrieval" { with_dify_code(error, denied, ask.credentials) } else { error }
    }

    fn too_many(&self, seconds: u64) -> ApiError {
        self.metrics.refused(Refused::Rate);
        ApiError::too_many(seconds)
    }

    fn limiters(&self) -> Arc<Limiters> {
        Arc::clone(&self.limiters.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The limiters, made anew when a reload changed the limits.
    fn limiters_of(&self, limits: &Limits) -> Arc<Limiters> {
        let current = self.limiters();
        if current.are_of(limits) {
            return current;
        }
        let mut slot = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        if !slot.are_of(limits) {
            *slot = Arc::new(Limiters::new(limits));
        }
        Arc::clone(&slot)
    }
}

fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    // What is no text is no origin that could be allowed, and no host that could be ours.
    headers.get(name).map(|value| value.to_str().unwrap_or("null"))
}

const fn reason(denied: Denied) -> Option<Refused> {
    match denied {
        Denied::UnknownProduct | Denied::NoProduct | Denied::TwoProducts => None,
        Denied::Origin => Some(Refused::Origin),
        Denied::Host => Some(Refused::Host),
        _ => Some(Refused::Auth),
    }
}

/// Dify's own codes: 1001, no usable header; 1002, not authorized.
fn with_dify_code(error: ApiError, denied: Denied, credentials: &Credentials<'_>) -> ApiError {
    let sent = matches!(credentials.header, Authorization::Key(_)) || credentials.base.is_some();
    match error.status.as_u16() {
        401 | 403 => {
            let code = if sent { 1002 } else { 1001 };
            error.with("error_code", code).with("error_msg", denied.to_string())
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::http::token::mint;
    use crate::rulebook::settings::{Keys, Rate};

    const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    fn keys(key: &str) -> Vec<Secret> {
        vec![Secret(key.into())]
    }

    fn settings() -> Settings {
        let mut settings = Settings::default();
        let keys = Keys {
            publishable: keys("pk"),
            secret: keys("sk"),
            webhook: keys("wh"),
            session_signing: keys("ss"),
        };
        settings
            .products
            .insert("acme".into(), ProductSettings { keys, ..ProductSettings::default() });
        settings
    }

    fn gate(settings: &Settings) -> Gate {
        Gate::new(Address::Public, &settings.limits, Arc::new(Metrics::new()))
    }

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::builder().uri(uri), |request, (name, value)| {
            request.header(*name, *value)
        });
        request.body(()).unwrap().into_parts().0
    }

    fn counted(gate: &Gate, reason: &str) -> bool {
        gate.metrics.encode().contains(&format!("docent_refused_total{{reason=\"{reason}\"}} 1"))
    }

    #[test]
    fn retrieval_adds_difys_codes_and_other_routes_do_not() {
        let settings = settings();
        for (uri, header, status, code) in [
            ("/retrieval", None, 401, Some(1001)),
            ("/retrieval", Some("sk"), 401, Some(1001)),
            ("/retrieval", Some("Bearer wrong"), 401, Some(1002)),
            ("/retrieval", Some("Bearer pk"), 403, Some(1002)),
            ("/reply/ann", Some("Bearer pk"), 403, None),
        ] {
            let headers: Vec<_> =
                header.map(|value| ("authorization", value)).into_iter().collect();
            let gate = gate(&settings);
            let refused = gate.admit(&settings, &parts(uri, &headers), RouteClass::Chatbot, None);
            let error = refused.unwrap_err();
            assert_eq!(error.status, status, "{uri} {header:?}");
            assert_eq!(error.extra.get("error_code").and_then(|code| code.as_i64()), code);
            assert!(counted(&gate, "auth"));
        }
        let right = parts("/retrieval", &[("authorization", "Bearer sk")]);
        let admitted = gate(&settings).admit(&settings, &right, RouteClass::Chatbot, None).unwrap();
        assert_eq!(admitted.product.as_deref(), Some("acme"));
    }

    #[test]
    fn a_client_that_asks_too_often_is_told_when_to_come_back() {
        let mut settings = settings();
        settings.limits.per_client =
            Rate { requests: 1, per: crate::domain::time::Span::from_seconds(3_600) };
        let gate = gate(&settings);
        let asked = parts("/healthz", &[]);
        let ask = || gate.admit(&settings, &asked, RouteClass::Open, None);
        assert!((0..10).all(|_| ask().is_ok()));
        let error = ask().unwrap_err();
        assert_eq!(error.status, 429);
        assert!(error.retry_after.is_some_and(|seconds| seconds > 3_500));
        assert!(counted(&gate, "rate"));
        let mut generous = settings.clone();
        generous.limits.per_client.requests = 100;
        assert!(gate.admit(&generous, &asked, RouteClass::Open, None).is_ok(), "limits reload");
    }

    #[test]
    fn a_session_token_vouches_where_the_product_signs_sessions() {
        let settings = settings();
        let (gate, product) = (gate(&settings), &settings.products["acme"]);
        let ask = |parts: &Parts| gate.voucher(("acme", product), parts, "ps_1", NOW);
        let token = mint(&keys("ss")[0], "acme", "ps_1", "ann", 1_760_000_600).unwrap();
        let header = parts("/context/acme/ps_1", &[("x-docent-session", &token)]);
        assert_eq!(ask(&header), Ok(Some("ann".into())));
        assert_eq!(ask(&parts(&format!("/x?st={token}"), &[])), Ok(Some("ann".into())));
        assert_eq!(ask(&parts("/x?st=ann.1.ab", &[])).unwrap_err().status, 401);
        assert_eq!(ask(&parts("/x", &[])).unwrap_err().status, 401);
        let unsigned = ProductSettings::default();
        assert_eq!(gate.voucher(("acme", &unsigned), &parts("/x", &[]), "ps_1", NOW), Ok(None));
    }

    const SEAL: Seal = Seal { header: "x-signature", holds: |_, header, _| header == b"good" };

    async fn push(headers: &[(&str, &str)], size: usize) -> Result<(Trust, usize), u16> {
        let (settings, parts) = (settings(), parts("/events/acme", headers));
        let (gate, body) = (gate(&settings), Body::from(vec![b' '; size]));
        let pushed =
            gate.admit_push(&settings, &parts, body, RouteClass::Events, "acme", SEAL).await;
        pushed
            .map(|(admitted, bytes)| (admitted.trust, bytes.len()))
            .map_err(|error| error.status.as_u16())
    }

    #[tokio::test]
    async fn a_signed_body_may_be_large_and_a_browsers_may_not() {
        let (signed, key) = (("x-signature", "good"), ("authorization", "Bearer pk"));
        assert_eq!(push(&[signed], LARGEST_SIGNED).await, Ok((Trust::Trusted, LARGEST_SIGNED)));
        assert_eq!(push(&[signed], LARGEST_SIGNED + 1).await, Err(413));
        assert_eq!(push(&[key], LARGEST).await, Ok((Trust::Browser, LARGEST)));
        assert_eq!(push(&[key], LARGEST + 1).await, Err(413));
        assert_eq!(push(&[("x-signature", "bad"), key], 1).await, Err(401));
        assert_eq!(push(&[], 1).await, Err(401));
    }
}
