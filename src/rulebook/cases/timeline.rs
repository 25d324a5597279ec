//! The timeline of a test: the entries of what it extends, then its own, in order of time.

use crate::domain::time::Span;
use crate::rulebook::case::{Given, Moment, What};
use crate::rulebook::cases::extends::Draft;
use crate::rulebook::cases::possible::SoFar;
use crate::rulebook::cases::{Stage, entry};
use crate::rulebook::reader::{Fields, Findings, span};
use crate::rulebook::yaml::Node;

/// The entries of one test, and whose they are.
#[derive(Debug)]
pub(super) struct Part<'n> {
    pub name: &'n str,
    pub items: Vec<Node>,
}

/// Every entry; what is wrong is left out. A test's own part expects something.
pub(super) fn read<'n>(
    own: &Draft<'_>,
    parts: &[Part<'n>],
    (given, stage): (&Given, &Stage<'n>),
    findings: &mut Findings<'_>,
) -> Vec<Moment> {
    let so_far = SoFar::new(findings.count());
    let mut reading =
        Reading { latest: Span::ZERO, above: None, edited: None, so_far, moments: Vec::new() };
    let before = findings.count();
    let mut inherited = 0;
    for part in parts {
        inherited = reading.moments.len();
        part.items.iter().for_each(|item| reading.take(item, given, stage, findings));
        reading.above = Some(part.name);
    }
    let asks = |moment: &Moment| {
        use What::{Fires, Goal, Shadows, Silent};
        matches!(moment.what, Fires(_) | Silent(_) | Shadows(_) | Goal { .. })
    };
    let asked = reading.moments.iter().skip(inherited).any(asks);
    if let Some(node) = own.timeline.filter(|_| own.test && !asked && findings.count() == before) {
        let help = "add an entry with `fires:`, `silent:` or `goal:`".to_owned();
        findings.error(node, "checks-nothing", "this test expects nothing", Some(help));
    }
    reading.moments
}

struct Reading<'n> {
    latest: Span,
    /// The test whose entries have just ended; none between entries of one test.
    above: Option<&'n str>,
    /// The stage after the last reload.
    edited: Option<Stage<'n>>,
    so_far: SoFar,
    moments: Vec<Moment>,
}

impl<'n> Reading<'n> {
    fn take(&mut self, item: &Node, given: &Given, stage: &Stage<'n>, findings: &mut Findings<'_>) {
        let Some(fields) = Fields::of(item, "an entry", entry::KEYS, findings) else { return };
        let at = fields.need("at", findings).and_then(|node| self.time(node, findings));
        let current = self.edited.as_ref().unwrap_or(stage);
        let whats = entry::read(&fields, current, findings);
        let Some(at) = at else { return };
        for what in whats {
            let moment = Moment { at, what, line: item.at.line };
            let expected = fields.get("fires").or(fields.get("silent")).unwrap_or(item);
            self.so_far.take(&moment, expected, (given, stage), findings);
            if let What::Reload(rules) = &moment.what {
                self.edited = Some(stage.after(rules));
            }
            self.moments.push(moment);
        }
    }

    fn time(&mut self, node: &Node, findings: &mut Findings<'_>) -> Option<Span> {
        let at = span(node, findings)?;
        let above = self.above.take();
        if at < self.latest {
            let latest = self.latest;
            let (message, help) = match above {
                None => (
                    format!("`{at}` comes before `{latest}`, the entry above"),
                    "write the entries in order of time",
                ),
                Some(name) => (
                    format!("`{at}` comes before `{latest}`, where `{name}` ends"),
                    "its entries come first, and `at` counts from their start",
                ),
            };
            findings.error(node, "time-goes-back", message, Some(help.to_owned()));
        }
        self.latest = self.latest.max(at);
        Some(at)
    }
}
