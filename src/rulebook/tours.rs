//! `tours/*.yaml` to tours.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::domain::tour::{Step, Tour};
use crate::rulebook::ids::{Ids, tour_id};
use crate::rulebook::pages::pattern;
use crate::rulebook::reader::{Fields, Findings, between, list, name_of, version, words};
use crate::rulebook::yaml::Node;

const KEYS: &[&str] =
    &["id", "name", "use_when", "not_for", "description", "route", "steps", "timeout", "cooldown"];
const STEP: &[&str] = &["target", "title", "content", "placement"];
pub(in crate::rulebook) const PLACEMENTS: [&str; 5] = ["top", "bottom", "left", "right", "auto"];

/// The tours of one file. `ids` holds those of the product's other files, and afterwards these too,
/// with the ids of tours that have mistakes.
pub fn read(root: &Node, ids: &mut Ids, findings: &mut Findings<'_>) -> Vec<Tour> {
    let Some(fields) = Fields::of(root, "a tour file", &["version", "tours"], findings) else {
        return Vec::new();
    };
    version(&fields, findings);
    let items = fields.need("tours", findings).map_or(&[][..], |node| list(node, findings));
    items.iter().filter_map(|item| tour(item, ids, findings)).collect()
}

fn tour(node: &Node, ids: &mut Ids, findings: &mut Findings<'_>) -> Option<Tour> {
    let fields = Fields::of(node, "a tour", KEYS, findings)?;
    let id = fields.need("id", findings).and_then(|node| {
        let id = tour_id(node, findings)?;
        ids.claim(node, id, findings)
    });
    let name = sentence(&fields, "name", findings);
    let use_when = use_when(&fields, findings);
    let route = fields.get("route").map(|node| pattern(node, findings));
    let steps = fields.need("steps", findings).and_then(|node| steps(node, findings));
    let (mut timeout, mut cooldown) = (None, None);
    let some = |read: Option<Span>| read.map(Some);
    let (second, day) = (Span::from_seconds(1), Span::from_seconds(86_400));
    fields.fill("timeout", &mut timeout, |n, f| some(between(second, day)(n, f)), findings);
    fields.fill("cooldown", &mut cooldown, |n, f| some(between(Span::ZERO, day)(n, f)), findings);
    let (route, steps) = (route.flatten(), steps?);
    Some(Tour {
        id: id?,
        version: version_of(route.as_ref(), &steps),
        name: name?,
        use_when: use_when?,
        not_for: match fields.get("not_for") {
            Some(node) => Some(words(node, findings)?.to_owned()),
            None => None,
        },
        route,
        steps,
        timeout,
        cooldown,
    })
}

/// Eight hex digits of what people are shown.
fn version_of(route: Option<&PagePattern>, steps: &[Step]) -> Arc<str> {
    let mut hash = Sha256::new();
    hash.update(route.map(PagePattern::to_string).unwrap_or_default());
    for Step { target, title, content, placement } in steps {
        for part in [target, title, content, placement] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    let hex: String = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    hex.into()
}

fn sentence(fields: &Fields<'_>, key: &str, findings: &mut Findings<'_>) -> Option<String> {
    let node = fields.need(key, findings)?;
    words(node, findings).map(|text| text.trim().to_owned())
}

/// `use_when`, or the seeds' `description`.
fn use_when(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Option<String> {
    match (fields.get("use_when"), fields.get("description")) {
        (Some(_), Some(node)) => {
            let help = "keep `use_when`; `description` is its older name".to_owned();
            findings.error(node, "conflict", "a tour has `use_when` or `description`", Some(help));
            None
        }
        (None, Some(_)) => sentence(fields, "description", findings),
        _ => sentence(fields, "use_when", findings),
    }
}

fn steps(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Step>> {
    let items = list(node, findings);
    if items.is_empty() && node.as_str().is_none() {
        findings.error(node, "empty-list", "a tour has at least one step", None);
    }
    Some(items.iter().filter_map(|item| step(item, findings)).collect())
}

fn step(node: &Node, findings: &mut Findings<'_>) -> Option<Step> {
    let fields = Fields::of(node, "a step", STEP, findings)?;
    let target = sentence(&fields, "target", findings);
    let title = sentence(&fields, "title", findings);
    let content = sentence(&fields, "content", findings);
    let placement = match fields.get("placement") {
        Some(node) => name_of(node, "placement", &PLACEMENTS, findings)?,
        None => "auto",
    };
    Some(Step { target: target?, title: title?, content: content?, placement: placement.into() })
}
