//! Workspaces with timelines, run by the engine.

use docent::rulebook::compile::compile;
use docent::rulebook::finding::{Finding, Severity};
use docent::rulebook::{Rulebook, Sources};

pub(crate) const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";
pub(crate) const LINGER: &str = "  - id: linger
    page: /billing
    mode: draft
    when: [{ dwell: 20s }, { count: { type: click, at_least: 2, within: 5m } }]
    offer: { body: \"Need a hand?\", accept: Yes please, dismiss: No thanks }
    again_after: 1d
";

pub(crate) const LOOKS: &str =
    "{ at: 0s, page: /billing }\n{ at: 1s, action: click, title: Pay, repeat: 2 }\n";

pub(crate) const TWO: &str = "version: 1
triggers:
  - id: hello
    priority: 90
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks }
    again_after: 30d
    goal: { event: paid, within: 1h }
  - id: after
    when: [{ seen: { trigger: hello, outcome: OUTCOME } }]
    offer: { body: Again, accept: Yes please, dismiss: No thanks }
";
/// The rulebook and the errors.
pub(crate) fn read(files: &[(&str, &str)]) -> (Option<Rulebook>, Vec<Finding>) {
    let bytes = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    let sources = Sources { files: files.iter().map(bytes).collect() };
    let (rulebook, mut findings) = compile(&sources, &|_| None);
    findings.retain(|finding| finding.severity == Severity::Error);
    (rulebook, findings)
}

pub(crate) fn rulebook(files: &[(&str, &str)]) -> Rulebook {
    let (rulebook, findings) = read(files);
    rulebook.unwrap_or_else(|| panic!("{findings:#?}"))
}
