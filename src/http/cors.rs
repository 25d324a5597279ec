//! CORS: which pages may read an answer. An allow-list per product; nothing for operators' routes.

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::origin::{Address, is_allowed};
use crate::http::path::{Prefix, decoded};
use crate::rulebook::settings::{ProductSettings, Settings};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");
const HEADERS: HeaderValue =
    HeaderValue::from_static("content-type, authorization, x-docent-session");
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id, retry-after");
/// Browsers ask again after ten minutes (contract 2.16).
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const BY_ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// First pieces of the routes that carry their product in the path.
const WITH_PRODUCT: [&str; 5] = ["context", "agent_state", "events", "tours", "stream"];
/// First pieces of operators' routes, whose answers no page may read.
const FOR_OPERATORS: [&str; 4] = ["admin", "__clock", "metrics", "dashboard"];

/// The value to allow a page with: the page's own origin, if the product that the route is about
/// allows it.
pub fn allowed<'h>(
    settings: &Settings,
    prefix: &Prefix,
    path: &str,
    origin: &'h HeaderValue,
    address: Address,
) -> Option<&'h HeaderValue> {
    let product = product_of(settings, prefix, path)?;
    is_allowed(&product.allowed_origins, origin.to_str().ok()?, address).then_some(origin)
}

fn product_of<'s>(
    settings: &'s Settings,
    prefix: &Prefix,
    path: &str,
) -> Option<&'s ProductSettings> {
    let mut pieces = path.trim_start_matches('/').split('/');
    let first = pieces.next().unwrap_or_default();
    if FOR_OPERATORS.contains(&first) {
        return None;
    }
    let second = pieces.next().filter(|_| WITH_PRODUCT.contains(&first));
    // `/context/{user}` is a chatbot's route and names no product.
    let named = second.filter(|_| first != "context" || pieces.next().is_some());
    if let Some(named) = named {
        return settings.products.get(&*decoded(named).ok()?);
    }
    match &prefix.product {
        Some(prefixed) => settings.products.get(prefixed.as_str()),
        None if settings.products.len() == 1 => settings.products.values().next(),
        None => None,
    }
}

/// Lets the page read the answer.
pub fn allow(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Tells caches that the answer depends on the page that asked.
pub fn vary(headers: &mut HeaderMap) {
    headers.append(VARY, BY_ORIGIN);
}

/// The answer to a preflight of an allowed page.
pub fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(products: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (id, origin) in products {
            let allowed_origins = vec![(*origin).to_owned()];
            let product = ProductSettings { allowed_origins, ..ProductSettings::default() };
            settings.products.insert((*id).into(), product);
        }
        settings
    }

    #[test]
    fn the_product_of_the_route_says_which_pages_may_read() {
        let two = settings(&[("acme", "https://a.test"), ("b c", "https://b.test")]);
        let one = settings(&[("acme", "https://a.test")]);
        let (a, b) = (
            HeaderValue::from_static("https://a.test"),
            HeaderValue::from_static("https://b.test"),
        );
        let table = [
            (&two, None, "/context/acme/ps_1", &a, true),
            (&two, None, "/context/acme/ps_1", &b, false),
            (&two, None, "/events/b%20c", &b, true),
            (&two, Some("acme"), "/context/user", &a, true),
            (&two, None, "/context/acme", &a, false),
            (&two, None, "/retrieval", &a, false),
            (&one, None, "/retrieval", &a, true),
            (&one, None, "/context/unknown/ps_1", &a, false),
            (&one, None, "/admin/rules", &a, false),
            (&one, None, "/__clock", &a, false),
        ];
        for (settings, product, path, origin, expected) in table {
            let prefix = Prefix { key: None, product: product.map(str::to_owned) };
            let found = allowed(settings, &prefix, path, origin, Address::Public);
            assert_eq!(found, expected.then_some(origin), "{path} {origin:?}");
        }
    }

    #[test]
    fn a_preflight_says_what_the_seeds_clients_need() {
        let response = preflight();
        assert_eq!(response.status(), 204);
        let headers = response.headers();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET, POST, OPTIONS");
        assert_eq!(
            headers[ACCESS_CONTROL_ALLOW_HEADERS],
            "content-type, authorization, x-docent-session"
        );
        assert_eq!(headers[ACCESS_CONTROL_MAX_AGE], "600");
    }
}
