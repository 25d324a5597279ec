//! `variants:` of an offer: ways to say it that are compared. Each says what it says otherwise; the
//! rest is the offer's.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rulebook::arms::Variant;
use crate::rulebook::copy::{body, label, several};
use crate::rulebook::ids::tour_id;
use crate::rulebook::reader::{Fields, Findings, list, number};
use crate::rulebook::rule::Copy;
use crate::rulebook::triggers::{Around, tour};
use crate::rulebook::yaml::Node;

const KEYS: &[&str] = &["id", "weight", "body", "accept", "dismiss", "labels", "tour"];
/// Beyond this nobody could tell weights apart.
pub(in crate::rulebook) const MOST_WEIGHT: i64 = 10_000;

/// The variants of an offer.
pub(in crate::rulebook) fn read(
    node: &Node,
    offer: &Copy,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Variant> {
    let (before, items) = (findings.count(), list(node, findings));
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut variants = Vec::new();
    for item in items {
        let Some(fields) = Fields::of(item, "a variant", KEYS, findings) else { continue };
        let id = fields.need("id", findings).and_then(|node| {
            let id = tour_id(node, findings)?;
            if let Some(line) = lines.insert(id, node.at.line) {
                let message = format!("two variants are called `{id}`");
                let help = format!("choose another; the first is on line {line}");
                findings.error(node, "duplicate-id", message, Some(help));
            }
            Some(Arc::from(id))
        });
        let mut weight = 1;
        fields.fill("weight", &mut weight, number(0..=MOST_WEIGHT), findings);
        let copy = copy(&fields, offer, around, findings);
        variants.extend(id.map(|id| Variant { id, weight, copy }));
    }
    if findings.count() > before {
        return variants;
    }
    if items.is_empty() {
        let help = "write at least one, or remove `variants`".to_owned();
        findings.error(node, "empty-list", "there are no variants", Some(help));
    } else if variants.iter().all(|variant| variant.weight == 0) {
        let message = "every variant has the weight 0, so that nobody would see any";
        let help = "give at least one a `weight` of 1 or more".to_owned();
        findings.error(node, "no-weight", message, Some(help));
    }
    variants
}

fn copy(
    fields: &Fields<'_>,
    offer: &Copy,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Copy {
    let mut copy = offer.clone();
    if let Some(node) = fields.get("body") {
        copy.body = body(node, findings);
    }
    if let Some(node) = fields.get("tour") {
        copy.tour = tour(node, around.tour_ids, findings);
    }
    if let Some(node) = fields.get("labels") {
        if let Some(node) = fields.get("accept").or(fields.get("dismiss")) {
            let message = "a variant has `labels` or `accept` and `dismiss`";
            findings.error(node, "conflict", message, Some("keep `accept` and `dismiss`".into()));
        }
        let labels = several(node, findings);
        copy.labels = labels.into_iter().filter_map(|node| label(node, findings)).collect();
    }
    for (place, key) in ["accept", "dismiss"].into_iter().enumerate() {
        let Some(node) = fields.get(key) else { continue };
        let Some(label) = label(node, findings) else { continue };
        let count = copy.labels.len();
        match copy.labels.get_mut(place) {
            Some(known) => *known = label,
            None if count == place => copy.labels.push(label),
            None => {
                let message = "the offer has no `accept`, and neither has this variant";
                findings.error(node, "missing-key", message, Some("add `accept:`".into()));
            }
        }
    }
    copy
}
