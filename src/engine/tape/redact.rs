//! What a line must not tell: e-mail addresses become pseudonyms, the values in a URL's query and
//! fragment become hashes, except of parameters that some rule asks for. The same text becomes the
//! same text, so that what is equal stays equal.

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::text::first_chars;
use crate::engine::pseudonym::{in_text, of_email};
use crate::engine::tape::Line;

/// Members that hold a URL as it was sent: of an action of a batch, and of a state.
const URLS: [&str; 2] = ["u", "url"];
/// A member that says who somebody is, in whatever form.
const EMAIL: &str = "email";
/// Hex digits of a hashed value.
const DIGITS: usize = 8;

/// The line as JSON, without its end and without what it must not tell. `asked` are the parameters
/// of URLs that rules read.
///
/// # Errors
/// As [`Line::write`].
pub fn told(line: &Line, asked: &[Arc<str>]) -> Result<String, serde_json::Error> {
    let text = line.write()?;
    let tells = |byte: &u8| matches!(byte, b'@' | b'?' | b'#' | b'%');
    if !text.as_bytes().iter().any(tells) && !text.contains("\"email\"") {
        return Ok(text);
    }
    let mut value = serde_json::from_str(&text)?;
    veil("", &mut value, asked);
    serde_json::to_string(&value)
}

fn veil(name: &str, value: &mut Value, asked: &[Arc<str>]) {
    match value {
        Value::String(text) if name == EMAIL => *text = of_email(text),
        Value::String(text) if URLS.contains(&name) => {
            *text = in_text(&without_values(text, asked)).into_owned();
        }
        Value::String(text) => {
            if let std::borrow::Cow::Owned(told) = in_text(text) {
                *text = told;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| veil(name, item, asked)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, value)| veil(name, value, asked));
            if members.keys().any(|name| matches!(in_text(name), std::borrow::Cow::Owned(_))) {
                let all = std::mem::take(members);
                let renamed = all.into_iter().map(|(name, v)| (in_text(&name).into_owned(), v));
                *members = renamed.collect::<Map<_, _>>();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `/a?tab=~1f…#~9c…`
fn without_values(url: &str, asked: &[Arc<str>]) -> String {
    let (before, fragment) = url.split_once('#').map_or((url, None), |(b, f)| (b, Some(f)));
    let (place, query) = before.split_once('?').map_or((before, None), |(p, q)| (p, Some(q)));
    let mut told = place.to_owned();
    if let Some(query) = query {
        let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
            Some((name, value)) if !asked.iter().any(|asked| **asked == *name) => {
                format!("{name}={}", hashed(value))
            }
            _ => parameter.to_owned(),
        });
        told.push('?');
        told.push_str(&parameters.collect::<Vec<_>>().join("&"));
    }
    if let Some(fragment) = fragment {
        told.push('#');
        told.push_str(&hashed(fragment));
    }
    told
}

/// `~` and 8 hex digits; nothing of nothing, and once is enough.
fn hashed(value: &str) -> String {
    if value.is_empty() || (value.starts_with('~') && value.len() == DIGITS + 1) {
        return value.to_owned();
    }
    let digest = Sha256::digest(value.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("~{}", first_chars(&hex, DIGITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_the_names_and_the_values_that_rules_ask_for() {
        let asked = ["tab".into()];
        for (url, kept, gone) in [
            ("/a?tab=plan&token=s3cret", "/a?tab=plan&token=~", "s3cret"),
            ("https://a.test/b#access_token=s3cret", "https://a.test/b#~", "s3cret"),
            ("/a?plain", "/a?plain", "="),
        ] {
            let told = without_values(url, &asked);
            assert!(told.starts_with(kept) && !told.contains(gone), "{told}");
            assert_eq!(without_values(&told, &asked), told, "twice is once");
        }
    }
}
