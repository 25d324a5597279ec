//! Lists of tests, under a trigger or in a file of their own: timelines of what a person does and
//! what a poll must then answer. A test is put together from what it extends, then filled in for
//! each cell of its matrix, then read.

pub(in crate::rulebook) mod entry;
mod extends;
pub(in crate::rulebook) mod given;
mod matrix;
mod possible;
pub mod reload;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::rulebook::case::{Case, Given, Moment};
use crate::rulebook::cases::extends::{Draft, chains, starts};
use crate::rulebook::cases::reload::Editable;
use crate::rulebook::cases::timeline::Part;
use crate::rulebook::ids::Ids;
use crate::rulebook::reader::{Fields, Findings, list, words};
use crate::rulebook::rule::{Mode, Rule};
use crate::rulebook::settings::Proactive;
use crate::rulebook::triggers::{self, Around};
use crate::rulebook::yaml::Node;

/// Entries of all the tests of one list, what they extend and their matrices counted in.
const MOST_MOMENTS: usize = 20_000;

/// What a list of tests is about.
#[derive(Clone, Debug)]
pub struct Stage<'s> {
    /// What they may speak of.
    pub scope: Scope<'s>,
    /// The skip reasons of the caps they meet; `None` when some could not be read.
    pub caps: Option<&'s [Arc<str>]>,
    /// The gates' settings they run under.
    pub proactive: &'s Proactive,
    /// What their triggers refer to.
    pub around: &'s Around<'s>,
    /// The triggers they may edit.
    pub editable: Editable<'s>,
    /// The rules they run with, unless they have one alone.
    pub rules: &'s [Rule],
}

impl Stage<'_> {
    /// Every id there is, where all of them could be read.
    fn ids(&self) -> Option<&Ids> {
        match self.scope {
            Scope::Whole(ids) => ids,
            Scope::Alone { .. } => None,
        }
    }

    /// The stage once these rules are in force: a rule alone has other clauses.
    fn after(&self, edited: &[Arc<Rule>]) -> Self {
        let mut stage = self.clone();
        if let (Scope::Alone { clauses, .. }, Some(rule)) = (&mut stage.scope, edited.first()) {
            *clauses = Some(triggers::clauses(&rule.when));
        }
        // It may have brought caps of its own.
        stage.caps = None;
        stage
    }

    /// How a trigger takes part, where that is known.
    fn mode(&self, trigger: &str) -> Option<Mode> {
        self.rules.iter().find(|rule| *rule.id == *trigger).map(|rule| rule.mode)
    }
}

/// What tests may speak of.
#[derive(Clone, Debug)]
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

/// The tests of a list, in order. `named` holds what they may start from beside each other.
pub fn read(
    node: &Node,
    named: Option<&Node>,
    stage: &Stage<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Case> {
    let mut drafts = named.map(|node| starts(node, findings)).unwrap_or_default();
    for item in list(node, findings) {
        drafts.extend(draft(item, findings));
    }
    names(&drafts, findings);
    let chains = chains(&drafts, findings);
    let places = drafts.iter().enumerate().filter(|(_, draft)| draft.broken);
    let faulty = places.map(|(place, _)| place).collect();
    let mut reading = Reading { stage, drafts: &drafts, faulty, moments: 0 };
    // What is extended comes first, so that its mistakes are said once.
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|place| chains.get(*place).map_or(0, Vec::len));
    let mut cases: Vec<(usize, Case)> = Vec::new();
    let extended: BTreeSet<usize> =
        chains.iter().flat_map(|chain| chain.iter().rev().skip(1).copied()).collect();
    for place in order {
        let chain = chains.get(place).map_or(&[][..], |chain| chain);
        if drafts.get(place).is_some_and(|draft| draft.test) || !extended.contains(&place) {
            cases.extend(reading.cases(chain, findings).into_iter().map(|case| (place, case)));
        }
    }
    cases.sort_by_key(|(place, _)| *place);
    cases.into_iter().map(|(_, case)| case).collect()
}

fn draft<'n>(item: &'n Node, findings: &mut Findings<'_>) -> Option<Draft<'n>> {
    const KEYS: &[&str] = &["name", "extends", "given", "matrix", "timeline"];
    let fields = Fields::of(item, "a test", KEYS, findings)?;
    Some(Draft {
        node: item,
        name: fields.need("name", findings).and_then(|node| words(node, findings)),
        extends: fields.get("extends"),
        given: fields.get("given").cloned(),
        matrix: fields.get("matrix"),
        timeline: fields.need("timeline", findings),
        test: true,
        broken: false,
    })
}

fn names(drafts: &[Draft<'_>], findings: &mut Findings<'_>) {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for draft in drafts {
        let Some(name) = draft.name.map(str::trim) else { continue };
        if let Some(line) = lines.insert(name, draft.node.at.line) {
            let node = draft.node.get("name").unwrap_or(draft.node);
            let message = format!("two tests are called `{name}`");
            let help = format!("choose another name; the first is on line {line}");
            findings.error(node, "duplicate-id", message, Some(help));
        }
    }
}

struct Reading<'r, 'n> {
    stage: &'r Stage<'r>,
    drafts: &'r [Draft<'n>],
    /// Places whose mistakes have been said.
    faulty: BTreeSet<usize>,
    moments: usize,
}

impl Reading<'_, '_> {
    /// The cases of the last of a chain: one for each cell of the matrix.
    fn cases(&mut self, chain: &[usize], findings: &mut Findings<'_>) -> Vec<Case> {
        let Some(own) = chain.last().and_then(|place| self.drafts.get(*place)) else {
            return Vec::new();
        };
        if chain.iter().any(|place| self.faulty.contains(place)) {
            return Vec::new();
        }
        let before = findings.count();
        let cases = self.every(own, chain, findings);
        if findings.count() > before {
            self.faulty.extend(chain.last());
        }
        if own.test {
            return cases;
        }
        if let Some(name) = own.name {
            let message = format!("no test extends `{name}`");
            let help = format!("write `extends: {name}` in a test, or remove it");
            findings.warning(own.node, "unused-start", message, Some(help));
        }
        Vec::new()
    }

    fn every(
        &mut self,
        own: &Draft<'_>,
        chain: &[usize],
        findings: &mut Findings<'_>,
    ) -> Vec<Case> {
        let drafts = self.drafts;
        let links = || chain.iter().filter_map(|place| drafts.get(*place));
        let before = findings.count();
        let variables = links()
            .filter_map(|draft| draft.matrix)
            .fold(Vec::new(), |all, node| matrix::joined(all, matrix::read(node, findings)));
        if findings.count() > before {
            return Vec::new();
        }
        let given = links().filter_map(|draft| draft.given.clone());
        let given = given.reduce(|beneath, own| beneath.with(&own));
        let cells = matrix::cells(&variables, own.matrix.unwrap_or(own.node), findings);
        if cells.is_empty() {
            return Vec::new();
        }
        let (mut cases, mut used) = (Vec::new(), BTreeSet::new());
        for cell in cells {
            let filled = |node: &Node, used: &mut BTreeSet<String>, f: &mut Findings<'_>| {
                if cell.is_empty() { node.clone() } else { matrix::fill(node, &cell, used, f) }
            };
            let mut parts = Vec::new();
            for draft in links() {
                let items = draft.timeline.map_or(&[][..], |node| list(node, findings));
                let items = items.iter().map(|item| filled(item, &mut used, findings)).collect();
                parts.push(Part { name: draft.name.unwrap_or_default(), items });
            }
            let given = given.as_ref().map(|node| filled(node, &mut used, findings));
            if findings.count() > before {
                return Vec::new();
            }
            let case = self.case(own, given.as_ref(), &parts, findings);
            if findings.count() > before || self.is_too_much(own, case.timeline.len(), findings) {
                return Vec::new();
            }
            cases.push(Case { name: matrix::title(case.name.trim(), &cell), ..case });
        }
        matrix::unused(&variables, &used, findings);
        cases
    }

    fn case(
        &self,
        own: &Draft<'_>,
        given: Option<&Node>,
        parts: &[Part<'_>],
        findings: &mut Findings<'_>,
    ) -> Case {
        let given = given.and_then(|node| given::read(node, self.stage, findings));
        let given: Given = given.unwrap_or_default();
        let timeline: Vec<Moment> = timeline::read(own, parts, (&given, self.stage), findings);
        let name = own.name.unwrap_or_default().to_owned();
        Case { name, line: own.node.at.line, given, timeline }
    }

    fn is_too_much(&mut self, own: &Draft<'_>, more: usize, findings: &mut Findings<'_>) -> bool {
        self.moments = self.moments.saturating_add(more);
        if self.moments <= MOST_MOMENTS {
            return false;
        }
        let message = format!("the tests have more than {MOST_MOMENTS} entries up to here");
        let help = "extend shorter tests, or cut a matrix".to_owned();
        findings.error(own.node, "too-many", message, Some(help));
        true
    }
}
