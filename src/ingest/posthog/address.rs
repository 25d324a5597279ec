//! Addresses without what changes from person to person: no query, no fragment, no credentials,
//! and `:id` where a path names one thing among many.

use url::Url;

/// Hexadecimal segments of this length and more are ids.
const HEX_ID: usize = 16;

/// The address without query, fragment and credentials: `https://a.test/p/7?x#y` is
/// `https://a.test/p/7`.
pub(super) fn bare(url: &str) -> String {
    let url = url.trim();
    let before = url.find(['?', '#']).map_or(url, |end| url.split_at(end).0);
    let (origin, path) = split(before);
    match (origin.split_once("://"), origin.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}{path}"),
        _ => before.to_owned(),
    }
}

/// The same with `:id` for segments that are numbers, UUIDs, long hexadecimals or e-mail
/// addresses: `https://a.test/p/:id`.
pub(super) fn canonical(url: &str) -> String {
    let bare = bare(url);
    let (origin, path) = split(&bare);
    let named = path.split('/').map(|segment| if is_id(segment) { ":id" } else { segment });
    format!("{origin}{}", named.collect::<Vec<_>>().join("/"))
}

/// The host of an absolute `http(s)` address.
pub(super) fn host(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    url.host_str().filter(|_| is_web).map(str::to_owned)
}

/// `https://a.test` and `/p/7`; a bare path has no origin.
fn split(url: &str) -> (&str, &str) {
    let Some(scheme) = url.find("://") else { return ("", url) };
    let host = scheme + "://".len();
    let path = url.get(host..).and_then(|rest| rest.find('/')).map(|at| host + at);
    url.split_at_checked(path.unwrap_or(url.len())).unwrap_or((url, ""))
}

fn is_id(segment: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        || (segment.len() >= HEX_ID && is_hex(segment))
        || is_uuid(segment)
        || segment.contains('@')
        || segment.contains("%40")
}

fn is_uuid(segment: &str) -> bool {
    let lengths = segment.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && segment.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_person_to_person_is_left_out() {
        for (url, expected) in [
            ("https://a.test/projects/42", "https://a.test/projects/:id"),
            ("https://a.test/projects/42/", "https://a.test/projects/:id/"),
            ("https://a.test/p/42/e/7?tab=a#top", "https://a.test/p/:id/e/:id"),
            ("/u/0190b8a2-7c1e-7abc-8def-0123456789ab/x", "/u/:id/x"),
            ("/u/0190B8A2-7C1E-7ABC-8DEF-0123456789AB", "/u/:id"),
            ("/u/0190b8a2-7c1e-7abc-8def-0123456789ag", "/u/0190b8a2-7c1e-7abc-8def-0123456789ag"),
            ("/c/507f1f77bcf86cd799439011", "/c/:id"),
            ("/c/0123456789abcdef", "/c/:id"),
            ("/c/0123456789abcde", "/c/0123456789abcde"),
            ("/c/facade", "/c/facade"),
            ("/v2/projects", "/v2/projects"),
            ("/members/ann@acme.test", "/members/:id"),
            ("/members/ann%40acme.test", "/members/:id"),
            ("https://ann:pw@a.test/x?y", "https://a.test/x"),
            ("https://a.test:8080/1", "https://a.test:8080/:id"),
            ("https://a.test", "https://a.test"),
            ("https://a.test?x=1", "https://a.test"),
            ("https://10.0.0.1/", "https://10.0.0.1/"),
            (" /x ", "/x"),
            ("", ""),
            ("?x", ""),
            ("://", "://"),
        ] {
            assert_eq!(canonical(url), expected, "{url}");
        }
        assert_eq!(bare("https://a.test/projects/42?x#y"), "https://a.test/projects/42");
    }

    #[test]
    fn only_the_web_has_hosts() {
        for (url, expected) in [
            ("https://a.test/x", Some("a.test")),
            ("http://A.test:80", Some("a.test")),
            ("$direct", None),
            ("mailto:ann@a.test", None),
            ("/x", None),
            ("", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }
}
