//! Live rules without a test that they fire, or that they stay silent.

use std::collections::HashSet;

use crate::rulebook::Product;
use crate::rulebook::case::{Moment, What};
use crate::rulebook::lint::Desk;
use crate::rulebook::rule::{Mode, Rule};

pub(super) fn check(spoken_of: &HashSet<&str>, rule: &Rule, desk: &mut Desk<'_>) {
    if rule.mode != Mode::Live || spoken_of.contains(&*rule.id) {
        return;
    }
    let has = |wanted: fn(&Moment) -> bool| {
        rule.cases.iter().any(|case| case.timeline.iter().any(wanted))
    };
    let key = if rule.cases.is_empty() { "id" } else { "tests" };
    if !has(|moment| matches!(moment.what, What::Fires(_))) {
        let message = format!("no test sees `{}` fire", rule.id);
        let help = format!("add a test that ends with `{{ at: 60s, fires: {} }}`", rule.id);
        desk.warn(rule, key, "no-firing-test", message, &help);
    }
    if !has(|moment| matches!(moment.what, What::Silent(_))) {
        let message = format!("no test sees `{}` stay silent", rule.id);
        let help = "add a test that ends with `{ at: 60s, silent: no_trigger }`";
        desk.warn(rule, key, "no-silent-test", message, help);
    }
}

/// Every word of the tests of the whole rulebook: they may see whatever is missing beside a rule
/// that they name.
pub(super) fn spoken_of<'s>(product: &Product, desk: &Desk<'s>) -> HashSet<&'s str> {
    let folder = &product.settings.rules;
    let tests = desk.sources.files.iter().filter(|(path, _)| {
        path.starts_with(&**folder) && (path.ends_with(".test.yaml") || path.ends_with(".test.yml"))
    });
    let texts = tests.filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok());
    let outside = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    texts.flat_map(|text| text.split(outside)).collect()
}
