//! Paths: what stands in a request's path, decoded exactly once after it is split, and the two
//! prefixes that stand before a route: `/k/{key}` and `/p/{product}`.

use std::borrow::Cow;
use std::fmt;

use http::Uri;
use http::uri::PathAndQuery;

/// Longest id in a path or a body, in bytes (DESIGN.md, section 10).
pub const LONGEST_ID: usize = 512;

/// Why a piece of a path cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The bytes behind the percent signs are no text.
    #[error("the path is not valid UTF-8 after decoding")]
    NotUtf8,
    /// Longer than [`LONGEST_ID`].
    #[error("an id in the path is longer than 512 bytes")]
    TooLong,
    /// Fewer pieces than the route has.
    #[error("the path is too short")]
    TooShort,
}

/// The `N` pieces of a path after its first, each decoded once: of `/context/acme/ps_1/stream`,
/// two are `acme` and `ps_1`.
pub fn ids<const N: usize>(path: &str) -> Result<[Cow<'_, str>; N], PathError> {
    let mut pieces = path.trim_start_matches('/').split('/').skip(1);
    let mut found = [const { Cow::Borrowed("") }; N];
    for slot in &mut found {
        *slot = decoded(pieces.next().ok_or(PathError::TooShort)?)?;
        if slot.len() > LONGEST_ID {
            return Err(PathError::TooLong);
        }
    }
    Ok(found)
}

/// Percent-decodes once. A percent sign without two hex digits stands for itself, as in browsers.
pub fn decoded(text: &str) -> Result<Cow<'_, str>, PathError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if both_hex(*high, *low).is_some() => {
                bytes.extend(both_hex(*high, *low));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| PathError::NotUtf8)
}

fn both_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// The first value of a name in a query string, decoded once (`+` is a space).
pub fn query<'q>(uri: &'q Uri, name: &str) -> Option<Cow<'q, str>> {
    // Most queries have no such name; telling so costs no decoding.
    let query = uri.query().filter(|query| query.contains(name))?;
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// What stood before the route.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Prefix {
    /// From `/k/{key}`: a key in the base URL, for clients that can send no header.
    pub key: Option<String>,
    /// From `/p/{product}`.
    pub product: Option<String>,
}

/// The key stays out of logs.
impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_ref().map(|_| "[redacted]");
        f.debug_struct("Prefix").field("key", &key).field("product", &self.product).finish()
    }
}

/// Takes `/k/{key}` and `/p/{product}`, in either order, off a path; the rest is the route.
pub fn split_prefix(path: &str) -> Result<(Prefix, &str), PathError> {
    let (mut prefix, mut rest) = (Prefix::default(), path);
    loop {
        let (slot, after) = match (rest.strip_prefix("/k/"), rest.strip_prefix("/p/")) {
            (Some(after), _) if prefix.key.is_none() => (&mut prefix.key, after),
            (_, Some(after)) if prefix.product.is_none() => (&mut prefix.product, after),
            _ => return Ok((prefix, rest)),
        };
        let end = after.find('/').unwrap_or(after.len());
        let (piece, route) = after.split_at(end);
        *slot = Some(decoded(piece)?.into_owned());
        rest = if route.is_empty() { "/" } else { route };
    }
}

/// The same address with another path; `None` when that is no path.
pub fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let whole = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(whole.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_decoded_exactly_once() {
        for (raw, id) in [
            ("proactive%3Aps_1", "proactive:ps_1"),
            ("3350%253A822", "3350%3A822"),
            ("%20", " "),
            ("a%2Fb", "a/b"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%+1", "%+1"),
            ("caf%C3%A9", "café"),
            ("a+b", "a+b"),
        ] {
            let path = format!("/context/acme/{raw}");
            assert_eq!(ids::<2>(&path), Ok(["acme".into(), id.into()]), "{raw}");
        }
        assert_eq!(ids::<1>("/tours/%ff"), Err(PathError::NotUtf8));
        assert_eq!(ids::<2>("/context/acme"), Err(PathError::TooShort));
    }

    #[test]
    fn an_id_is_measured_in_bytes_after_decoding() {
        let fits = format!("/tours/{}", "%61".repeat(LONGEST_ID));
        assert!(ids::<1>(&fits).is_ok());
        assert_eq!(ids::<1>(&format!("{fits}a")), Err(PathError::TooLong));
    }

    #[test]
    fn prefixes_come_off_in_either_order_and_once_each() {
        let table = [
            ("/retrieval", None, None, "/retrieval"),
            ("/p/acme/retrieval", None, Some("acme"), "/retrieval"),
            ("/k/sk_1/retrieval", Some("sk_1"), None, "/retrieval"),
            ("/k/sk_1/p/acme/tours/acme", Some("sk_1"), Some("acme"), "/tours/acme"),
            ("/p/acme/k/sk_1/", Some("sk_1"), Some("acme"), "/"),
            ("/k/sk%2F1", Some("sk/1"), None, "/"),
            ("/k/a/k/b/c", Some("a"), None, "/k/b/c"),
            ("/kind/of", None, None, "/kind/of"),
        ];
        for (path, key, product, route) in table {
            let prefix = Prefix { key: key.map(Into::into), product: product.map(Into::into) };
            assert_eq!(split_prefix(path), Ok((prefix, route)), "{path}");
        }
    }

    #[test]
    fn a_key_in_the_base_url_is_never_printed() {
        let (prefix, _) = split_prefix("/k/sk_secret/retrieval").unwrap();
        assert!(!format!("{prefix:?}").contains("sk_secret"));
    }

    #[test]
    fn a_query_is_read_by_name_and_survives_the_loss_of_a_prefix() {
        let uri: Uri =
            "/k/x/context/a/b?conversation_id=proactive%3Aps_1&st=a%2Bb".parse().unwrap();
        let uri = with_path(&uri, "/context/a/b").unwrap();
        assert_eq!(uri.path(), "/context/a/b");
        assert_eq!(query(&uri, "conversation_id").as_deref(), Some("proactive:ps_1"));
        assert_eq!(query(&uri, "st").as_deref(), Some("a+b"));
        assert_eq!(query(&uri, "key"), None);
    }
}
