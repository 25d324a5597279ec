//! Keys: how a request carries one, and whose it is. Comparisons take the same time for every key
//! of a length.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

use crate::rulebook::settings::{Secret, Settings};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyClass {
    /// Browsers; not a secret.
    Publishable,
    /// Chatbots, and operators of one product.
    Secret,
    /// Operators of the whole server.
    Admin,
    /// Signs pushes; never sent.
    Webhook,
    /// Signs session tokens; never sent.
    SessionSigning,
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'s> {
    /// What it is for.
    pub class: KeyClass,
    /// Its product; none for an operator's token.
    pub product: Option<&'s Arc<str>>,
}

/// What an `Authorization` header holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// No header.
    #[default]
    Absent,
    /// Neither `Bearer <key>` nor `Basic <user:key>`.
    Malformed,
    /// A key.
    Key(Cow<'a, str>),
}

/// Every key a request carries.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// From the header.
    pub header: Authorization<'a>,
    /// From `/k/{key}/…`.
    pub base: Option<&'a str>,
    /// From `?key=`; only publishable keys travel so.
    pub query: Option<Cow<'a, str>>,
}

/// Keys stay out of logs.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

impl<'a> Credentials<'a> {
    /// Reads the header; the other two places are given.
    pub fn of(headers: &'a HeaderMap, base: Option<&'a str>, query: Option<Cow<'a, str>>) -> Self {
        let header = headers.get(AUTHORIZATION).map_or(Authorization::Absent, |value| {
            value
                .to_str()
                .ok()
                .and_then(authorized)
                .map_or(Authorization::Malformed, Authorization::Key)
        });
        Self { header, base, query: query.filter(|key| !key.is_empty()) }
    }

    /// The keys in header and base URL: whatever class they are of.
    pub fn sent(&self) -> impl Iterator<Item = &str> {
        let header = match &self.header {
            Authorization::Key(key) => Some(&**key),
            Authorization::Absent | Authorization::Malformed => None,
        };
        header.into_iter().chain(self.base)
    }

    /// Every key; the last may come from the query and is good only as a publishable one.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.sent().chain(self.query.as_deref())
    }
}

fn authorized(value: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        Cow::Borrowed(rest)
    } else if scheme.eq_ignore_ascii_case("basic") {
        Cow::Owned(String::from_utf8(base64(rest)?).ok()?.split_once(':')?.1.to_owned())
    } else {
        return None;
    };
    (!key.is_empty()).then_some(key)
}

/// Standard Base64 with or without padding; `None` for anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len()), 0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = (bits << 6 | u32::try_from(value).ok()?) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    (held < 6).then_some(bytes)
}

/// Whether the key is one of these.
pub fn is_among(keys: &[Secret], presented: &str) -> bool {
    keys.iter().fold(false, |found, key| found | is_same(key, presented))
}

fn is_same(key: &Secret, presented: &str) -> bool {
    !key.0.is_empty() && bool::from(key.0.as_bytes().ct_eq(presented.as_bytes()))
}

/// Whether this is a key of that product and class.
pub fn is_of(settings: &Settings, product: &str, class: KeyClass, presented: &str) -> bool {
    let keys = settings.products.get(product).map(|product| &product.keys);
    keys.is_some_and(|keys| {
        let keys = match class {
            KeyClass::Publishable => &keys.publishable,
            KeyClass::Secret => &keys.secret,
            KeyClass::Webhook => &keys.webhook,
            KeyClass::SessionSigning => &keys.session_signing,
            KeyClass::Admin => return false,
        };
        is_among(keys, presented)
    })
}

/// Everyone whose key this is: usually nobody or one.
pub fn owners<'s>(settings: &'s Settings, presented: &str) -> Vec<Owner<'s>> {
    let mut found = Vec::new();
    if is_among(&settings.admin.tokens, presented) {
        found.push(Owner { class: KeyClass::Admin, product: None });
    }
    for (product, settings) in &settings.products {
        let keys = &settings.keys;
        let classes = [
            (KeyClass::Publishable, &keys.publishable),
            (KeyClass::Secret, &keys.secret),
            (KeyClass::Webhook, &keys.webhook),
            (KeyClass::SessionSigning, &keys.session_signing),
        ];
        let known = classes.into_iter().filter(|(_, keys)| is_among(keys, presented));
        found.extend(known.map(|(class, _)| Owner { class, product: Some(product) }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> Authorization<'static> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        match Credentials::of(&headers, None, None).header {
            Authorization::Key(key) => Authorization::Key(Cow::Owned(key.into_owned())),
            Authorization::Malformed => Authorization::Malformed,
            Authorization::Absent => Authorization::Absent,
        }
    }

    #[test]
    fn a_key_comes_as_bearer_or_as_basic_password() {
        for (value, key) in [
            ("Bearer sk_1", Some("sk_1")),
            ("bearer  sk_1 ", Some("sk_1")),
            ("Basic YW55b25lOnNrXzE=", Some("sk_1")),
            ("Basic OnNrXzE", Some("sk_1")),
            ("Basic YTpiOmM=", Some("b:c")),
            ("Bearer", None),
            ("Bearer ", None),
            ("sk_1", None),
            ("Digest sk_1", None),
            ("Basic c2tfMQ==", None),
            ("Basic ###", None),
            ("Basic A", None),
        ] {
            let expected =
                key.map_or(Authorization::Malformed, |key| Authorization::Key(key.into()));
            assert!(header(value) == expected, "{value}");
        }
        assert!(Credentials::of(&HeaderMap::new(), None, None).header == Authorization::Absent);
    }

    #[test]
    fn every_byte_survives_base64() {
        assert_eq!(base64("AP/+gA=="), Some(vec![0, 255, 254, 128]));
        assert_eq!(base64(""), Some(vec![]));
    }

    #[test]
    fn an_empty_key_is_nobodys() {
        let keys = [Secret("".into()), Secret("pk_1".into())];
        assert!(!is_among(&keys, ""));
        assert!(is_among(&keys, "pk_1"));
        assert!(!is_among(&keys, "pk_10"));
    }
}
