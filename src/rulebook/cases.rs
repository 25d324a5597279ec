//! Lists of tests, under a trigger or in a file of their own: timelines of what a person does and
//! what a poll must then answer.

mod entry;
pub(in crate::rulebook) mod given;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::time::Span;
use crate::rulebook::case::{Case, Given, Moment, What};
use crate::rulebook::ids::Ids;
use crate::rulebook::reader::{Fields, Findings, list, span, words};
use crate::rulebook::settings::Proactive;
use crate::rulebook::yaml::Node;

/// What a list of tests is about.
#[derive(Debug)]
pub struct Stage<'s> {
    /// What they may speak of.
    pub scope: Scope<'s>,
    /// The skip reasons of the caps they meet; `None` when some could not be read.
    pub caps: Option<&'s [Arc<str>]>,
    /// The gates' settings they run under.
    pub proactive: &'s Proactive,
}

/// What tests may speak of.
#[derive(Debug)]
pub enum Scope<'s> {
    /// One trigger, alone.
    Alone {
        /// The trigger, where its id could be read.
        id: Option<&'s str>,
        /// Its clauses as an explanation writes them, where its condition could be read.
        clauses: Option<Vec<String>>,
    },
    /// Every trigger of a product; `None` when some could not be read, and a name may be right.
    Whole(Option<&'s Ids>),
}

/// The tests of a list.
pub fn read(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Vec<Case> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for item in list(node, findings) {
        let Some(fields) = Fields::of(item, "a test", &["name", "given", "timeline"], findings)
        else {
            continue;
        };
        let name = fields.need("name", findings).and_then(|node| {
            let name = words(node, findings)?;
            if let Some(line) = names.insert(name, node.at.line) {
                let message = format!("two tests are called `{name}`");
                let help = format!("choose another name; the first is on line {line}");
                findings.error(node, "duplicate-id", message, Some(help));
            }
            Some(name)
        });
        let mut given = Given::default();
        fields.fill("given", &mut given, |node, f| given::read(node, stage, f), findings);
        let timeline = fields.need("timeline", findings);
        let timeline = timeline.map(|node| self::timeline(node, stage, findings));
        if let (Some(name), Some(timeline)) = (name, timeline) {
            cases.push(Case { name: name.trim().to_owned(), line: item.at.line, given, timeline });
        }
    }
    cases
}

fn timeline(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Vec<Moment> {
    let (mut moments, mut latest, before) = (Vec::new(), Span::ZERO, findings.count());
    for item in list(node, findings) {
        let Some(fields) = Fields::of(item, "an entry", &entry::KEYS, findings) else { continue };
        let at = fields.need("at", findings).and_then(|node| {
            let at = span(node, findings)?;
            if at < latest {
                let message = format!("`{at}` comes before `{latest}`, the entry above");
                let help = "write the entries in order of time".to_owned();
                findings.error(node, "time-goes-back", message, Some(help));
            }
            latest = latest.max(at);
            Some(at)
        });
        let whats = entry::read(&fields, stage, findings);
        let line = item.at.line;
        moments.extend(
            at.into_iter().flat_map(|at| {
                whats.iter().map(move |what| Moment { at, what: what.clone(), line })
            }),
        );
    }
    let asks = |moment: &Moment| {
        matches!(
            moment.what,
            What::Fires(_) | What::Silent(_) | What::Shadows(_) | What::Goal { .. }
        )
    };
    if findings.count() == before && !moments.iter().any(asks) {
        let help = "add an entry with `fires:`, `silent:` or `goal:`".to_owned();
        findings.error(node, "checks-nothing", "this test expects nothing", Some(help));
    }
    moments
}
