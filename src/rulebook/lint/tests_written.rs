//! Live rules without a test that they fire, or that they stay silent.

use crate::rulebook::Product;
use crate::rulebook::case::{Moment, What};
use crate::rulebook::lint::Desk;
use crate::rulebook::rule::{Mode, Rule};

pub(super) fn check(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    if rule.mode != Mode::Live || is_tested_elsewhere(product, rule, desk) {
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

/// Whether a test of the whole rulebook speaks of the rule: it may see whatever is missing here.
fn is_tested_elsewhere(product: &Product, rule: &Rule, desk: &Desk<'_>) -> bool {
    let folder = &product.settings.rules;
    desk.sources.files.iter().any(|(path, bytes)| {
        path.starts_with(&**folder)
            && (path.ends_with(".test.yaml") || path.ends_with(".test.yml"))
            && String::from_utf8_lossy(bytes).contains(&*rule.id)
    })
}
