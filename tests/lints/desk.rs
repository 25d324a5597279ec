//! A workspace of a few rules, and what is said of it.

use std::collections::BTreeMap;

use docent::rulebook::Sources;
use docent::rulebook::compile::compile;
use docent::rulebook::finding::{Finding, Severity};
use docent::rulebook::lint::lint;

pub(crate) const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";
const TOURS: &str = "version: 1
tours:
  - { id: pay, name: P, use_when: U, route: /billing, steps: [{ target: a, title: T, content: C }] }
  - { id: add, name: A, use_when: U, route: '/projects/:slug', steps: [{ target: a, title: T, content: C }] }
  - { id: free, name: F, use_when: U, steps: [{ target: a, title: T, content: C }] }
";
pub(crate) const OFFER: &str = "offer: { body: B, accept: A, dismiss: D }";
pub(crate) const BOTH_TESTS: &str = "tests: [{ name: n, timeline: [{ at: 0s, silent: true }, { at: 0s, page: / }, { at: 1s, fires: ID }] }]";

pub(crate) fn found(workspace: &str, files: &[(&str, &str)]) -> Vec<Finding> {
    let own = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let mut all = BTreeMap::from([
        ("docent.yaml".to_owned(), workspace.as_bytes().to_vec()),
        ("tours/t.yaml".to_owned(), TOURS.as_bytes().to_vec()),
    ]);
    all.extend(own);
    let sources = Sources { files: all };
    let (book, errors) = compile(&sources, &|_| None);
    let book = book.unwrap_or_else(|| panic!("{errors:#?}\n{files:?}"));
    assert!(errors.iter().all(|finding| finding.severity == Severity::Warning));
    lint(&book, &sources)
}

/// Rules `r0`, `r1`, … one a line from line 3 on, each with these keys, an offer and both tests.
pub(crate) fn rules(keys: &[&str]) -> String {
    let line = |(at, keys): (usize, &&str)| {
        let id = format!("r{at}");
        let offer = if keys.contains("offer:") { String::new() } else { format!(", {OFFER}") };
        let tests = BOTH_TESTS.replace("ID", &id);
        format!("  - {{ id: {id}, {keys}{offer}, {tests} }}\n")
    };
    let lines: String = keys.iter().enumerate().map(line).collect();
    format!("version: 1\ntriggers:\n{lines}")
}

pub(crate) fn codes(workspace: &str, keys: &[&str]) -> Vec<(&'static str, usize)> {
    let found = found(workspace, &[("rules/r.yaml", &rules(keys))]);
    found.iter().map(|finding| (finding.code, finding.line)).collect()
}

/// Each of `caught` gives this code alone, on the last rule's line; none of `left` gives any.
pub(crate) fn holds(code: &str, caught: &[&[&str]], left: &[&[&str]]) {
    assert!(caught.len() >= 2 && left.len() >= 2, "too few examples of {code}");
    for keys in caught {
        assert_eq!(codes(PLAIN, keys), [(code, 2 + keys.len())], "{keys:?}");
    }
    for keys in left {
        assert_eq!(codes(PLAIN, keys), [], "{keys:?}");
    }
}
