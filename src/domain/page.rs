//! Pages: where in the product a person is. A page is the path of a URL without query, fragment
//! and trailing slash; a pattern says on which pages something holds.

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
