//! Pages: where in the product a person is. A page is the path of a URL without query, fragment
//! and trailing slash; a pattern says on which pages something holds.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The page of a URL or bare path: `https://app.test/projects/7/?tab=a#top` is `/projects/7`.
/// Empty when the text names no path at all.
pub fn page_of(url: &str) -> &str {
    let before = without_query(url.trim());
    let path = match before.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| rest.split_at(at).1),
        None => before,
    };
    match path.trim_end_matches('/') {
        "" if path.is_empty() => "",
        "" => "/",
        trimmed => trimmed,
    }
}

/// A URL without query and fragment, where tokens and e-mails travel.
pub fn without_query(url: &str) -> &str {
    url.split_at(url.find(['?', '#']).unwrap_or(url.len())).0
}

/// The value of a parameter of a URL, its first one of this name; empty for a bare name. `+` and
/// percent escapes are read, and what is then no UTF-8 is replaced by `U+FFFD`.
pub fn query_value<'u>(url: &'u str, name: &str) -> Option<Cow<'u, str>> {
    let (before, _) = url.split_once('#').unwrap_or((url, ""));
    let (_, query) = before.split_once('?')?;
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut pairs =
        parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    let (_, value) = pairs.find(|(found, _)| decoded(found) == name)?;
    Some(decoded(value))
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, escaped(after)) {
            (b'%', Some(escaped)) => escaped,
            (b'+', _) => (b' ', after),
            (byte, _) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The byte of two hexadecimal digits, and what comes after them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = text.split_first_chunk::<2>()?;
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    let byte = u8::try_from(high? * 16 + low?).ok()?;
    Some((byte, after))
}

/// `/projects/:slug`: literal segments, and `:name` for one segment of any text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PagePattern {
    text: Arc<str>,
}

impl PagePattern {
    /// Takes the pattern as written; see [`PagePattern::matches`] for what it means.
    pub fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern has no `:name` in it.
    pub fn is_literal(&self) -> bool {
        !self.text.split('/').any(|segment| segment.starts_with(':'))
    }

    /// Whether `path` matches, one trailing slash more or not; case matters.
    pub fn matches(&self, path: &str) -> bool {
        same_segments(&self.text, path)
            || path.strip_suffix('/').is_some_and(|shorter| same_segments(&self.text, shorter))
    }
}

fn same_segments(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(name), Some(text)) if name.starts_with(':') && !text.is_empty() => {}
            (Some(literal), Some(text)) if literal == text => {}
            _ => return false,
        }
    }
}

impl fmt::Display for PagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_path_alone() {
        for (url, page) in [
            ("https://app.test/projects/7/?tab=a#top", "/projects/7"),
            ("https://app.test", "/"),
            ("https://app.test?x=1", "/"),
            ("/projects/", "/projects"),
            ("/", "/"),
            ("", ""),
            ("?x=1", ""),
        ] {
            assert_eq!(page_of(url), page, "{url}");
        }
    }

    #[test]
    fn a_parameter_is_its_first_value_read() {
        let url = "https://app.test/b?tab=a%20b+c&x&tab=2&n%C3%A4me=%zz%4&&y=1=2#top?q=3";
        for (name, value) in [
            ("tab", Some("a b c")),
            ("x", Some("")),
            ("näme", Some("%zz%4")),
            ("y", Some("1=2")),
            ("q", None),
            ("", None),
            ("Tab", None),
        ] {
            assert_eq!(query_value(url, name).as_deref(), value, "{name}");
        }
        assert_eq!(query_value("/b", "tab"), None);
    }

    /// Contract 2.15, recorded from the seed's own `matchesRoute`.
    #[test]
    fn patterns_match_as_the_seeds_client_matches() {
        let table = [
            ("/projects", "/projects", true),
            ("/projects", "/projects/", true),
            ("/projects", "/projects//", false),
            ("/projects", "/Projects", false),
            ("/projects", "/projects?x=1", false),
            ("/projects", "/projects/1", false),
            ("/projects/", "/projects", false),
            ("/projects/", "/projects/", true),
            ("/projects/", "/projects//", true),
            ("/projects/:slug", "/projects/a", true),
            ("/projects/:slug", "/projects/a/", true),
            ("/projects/:slug", "/projects/", false),
            ("/projects/:slug", "/projects/a/b", false),
            ("/p/:a/e/:b", "/p/1/e/2", true),
            ("/", "/", true),
            ("/", "//", true),
            ("/", "", false),
            ("", "", true),
            ("", "/", true),
            ("/a.b", "/axb", false),
            ("/x/:", "/x/y", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(PagePattern::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }
}
