//! `rules/*.test.yaml`: tests of a product's whole rulebook.

use std::sync::Arc;

use crate::rulebook::case::Case;
use crate::rulebook::cases::reload::Editable;
use crate::rulebook::cases::{self, Scope, Stage};
use crate::rulebook::ids::Ids;
use crate::rulebook::reader::{Fields, Findings, name_of, version};
use crate::rulebook::rule::Rule;
use crate::rulebook::settings::Proactive;
use crate::rulebook::triggers;
use crate::rulebook::yaml::Node;

/// Whose rulebook a file may test.
#[derive(Clone, Copy, Debug)]
pub struct Around<'p> {
    /// The product that is being read; empty when no product is known.
    pub product: &'p str,
    /// Every product whose rules lie in this folder.
    pub sharing: &'p [&'p str],
    /// Its triggers; `None` when some could not be read.
    pub ids: Option<&'p Ids>,
    /// The skip reasons of its caps; `None` when some could not be read.
    pub caps: Option<&'p [Arc<str>]>,
    /// Its gates' settings.
    pub proactive: &'p Proactive,
    /// What its triggers refer to.
    pub triggers: &'p triggers::Around<'p>,
    /// The roots of their files.
    pub roots: &'p [Node],
    /// Those that could be read.
    pub rules: &'p [Rule],
}

/// The tests of one file that are this product's.
pub fn read(root: &Node, around: &Around<'_>, findings: &mut Findings<'_>) -> Vec<Case> {
    const KEYS: &[&str] = &["version", "product", "given", "tests"];
    let Some(fields) = Fields::of(root, "a test file", KEYS, findings) else { return Vec::new() };
    version(&fields, findings);
    let whose = whose(&fields, around, findings);
    if whose.is_some_and(|product| product != around.product) {
        return Vec::new();
    }
    let scope = Scope::Whole(around.ids.filter(|_| whose.is_some()));
    let editable = Editable::Several(around.roots);
    let (caps, proactive, rules) = (around.caps, around.proactive, around.rules);
    let stage = Stage { scope, caps, proactive, around: around.triggers, editable, rules };
    let tests = fields.need("tests", findings);
    tests.map(|node| cases::read(node, fields.get("given"), &stage, findings)).unwrap_or_default()
}

/// The product a file names, or the only one there is; nothing when that is a mistake.
fn whose<'p>(
    fields: &Fields<'_>,
    around: &Around<'p>,
    findings: &mut Findings<'_>,
) -> Option<&'p str> {
    let node = match (fields.get("product"), around.sharing) {
        (Some(node), _) => node,
        (None, [_, second, ..]) => {
            let message = "several products have their rules here, and no `product` is named";
            let help =
                format!("add `product: {second}`, or another of `{}`", around.sharing.join("`, `"));
            findings.error(fields.node(), "missing-key", message, Some(help));
            return None;
        }
        (None, _) => return Some(around.product),
    };
    if around.product.is_empty() {
        return Some(around.product);
    }
    name_of(node, "product with rules in this folder", around.sharing, findings)
}
