//! Pages as authors write them.

use crate::domain::page::{PagePattern, page_of};
use crate::rulebook::reader::{Findings, one_or_several, words};
use crate::rulebook::yaml::Node;

/// One pattern, `/projects/:slug`; whatever could never match a page is a finding.
pub fn pattern(node: &Node, findings: &mut Findings<'_>) -> Option<PagePattern> {
    let written = words(node, findings)?;
    if let Some((message, help)) = trouble(written) {
        findings.error(node, "bad-page", message, Some(help));
        if let Some(meant) = meant(written) {
            findings.repair(written, &meant);
        }
        return None;
    }
    Some(PagePattern::new(written))
}

/// One pattern or several; what is wrong is left out.
pub fn patterns(node: &Node, findings: &mut Findings<'_>) -> Vec<PagePattern> {
    let items = one_or_several(node);
    if items.is_empty() {
        let help = "remove `page` to offer it anywhere".to_owned();
        findings.error(node, "empty-list", "this list of pages is empty", Some(help));
    }
    items.iter().filter_map(|item| pattern(item, findings)).collect()
}

/// The page that is meant when a slash alone is wrong: the first is missing, or one is too many at
/// an end. What may be a host is none.
pub(in crate::rulebook) fn meant(written: &str) -> Option<String> {
    let clean = written.trim_matches('/');
    let page = format!("/{clean}");
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '/' | ':' | '-' | '_' | '.');
    let first = clean.split('/').next().unwrap_or_default();
    let is_host = !written.starts_with('/') && first.contains('.');
    (!is_host && !clean.is_empty() && clean.chars().all(legal) && trouble(&page).is_none())
        .then_some(page)
}

/// Why a pattern could never match a page, and what to write instead.
pub(in crate::rulebook) fn trouble(written: &str) -> Option<(String, String)> {
    let page = page_of(written);
    let plain = format!("write `{}`", if page.is_empty() { "/" } else { page });
    if !written.starts_with('/') {
        let slashed = format!("write `/{}`", page.trim_start_matches('/'));
        let help = if written.contains("://") { plain } else { slashed };
        return Some((format!("the page `{written}` does not begin with `/`"), help));
    }
    if written.contains(['?', '#']) {
        return Some((format!("`{written}` has a query or fragment, and pages have none"), plain));
    }
    if written != "/" && written.ends_with('/') {
        return Some((format!("`{written}` ends with `/`, and pages never do"), plain));
    }
    if written.contains("//") {
        return Some((format!("`{written}` has an empty segment"), "write one `/`".into()));
    }
    if written.contains('*') {
        let help = "write `:name` for one segment of any text".to_owned();
        return Some((format!("`*` means nothing in the page `{written}`"), help));
    }
    None
}
