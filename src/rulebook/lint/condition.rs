//! Conditions that can never hold, and conditions that always do.

use crate::rulebook::Product;
use crate::rulebook::condition::{Condition, ValueTest};
use crate::rulebook::lint::Desk;
use crate::rulebook::lint::clash::{Wanted, possible};
use crate::rulebook::rule::{Rule, When};
use crate::rulebook::settings::Activity;
use crate::rulebook::yaml::{Spot, Value};

/// The pages of a rule, as a condition.
pub(super) fn pages(rule: &Rule) -> Condition {
    if rule.pages.is_empty() {
        Condition::Always(true)
    } else {
        Condition::Page(rule.pages.clone())
    }
}

/// Whether the condition is true or false whatever is known, and cannot fail.
pub(super) fn is_certain(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(is_certain),
        Condition::Not(part) => is_certain(part),
        Condition::Segment(segment) => is_certain(&segment.when),
        Condition::Always(_)
        | Condition::Page(_)
        | Condition::Elapsed(..)
        | Condition::Seen(_)
        | Condition::Trait(_, _, ValueTest::Exists)
        | Condition::Told(_, ValueTest::Exists)
        | Condition::Sequence(_)
        | Condition::Query(_)
        | Condition::FormStruggle { .. }
        | Condition::FirstTime { default: Some(_), .. } => true,
        Condition::Tally(tally, _) => !tally.is_vague(),
        _ => false,
    }
}

pub(super) fn check(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let (When::Condition(condition), limits) = (&rule.when, &product.settings.activity) else {
        return;
    };
    let here = pages(rule);
    let known = [(&here, true)];
    if !possible(&known, &[(condition, true)], limits) {
        never(&known, rule, condition, limits, desk);
    } else if always(&known, condition, limits) {
        let message = format!("the condition of `{}` always holds here", rule.id);
        let help = "say what the person must have done: this offers at the first poll";
        desk.warn(rule, "when", "always-true", message, help);
    } else {
        for (at, part) in parts(condition).iter().enumerate() {
            one(at, part, rule, limits, desk);
        }
    }
}

/// Something that is wrong with one condition of the list by itself.
fn one(at: usize, part: &Condition, rule: &Rule, limits: &Activity, desk: &mut Desk<'_>) {
    if always(&[], part, limits) {
        let spot = place(rule, at, desk);
        let help = "remove it; for \"never happened\" write `at_most: 0`";
        let message = format!("{} always holds", named(part, spot));
        warn(rule, spot, "always-true", message, help, desk);
        return;
    }
    let Condition::Any(choices) = part else { return };
    let here = pages(rule);
    for choice in choices {
        if !possible(&[(&here, true)], &[(choice, true)], limits) {
            let spot = place(rule, at, desk);
            let message = format!("`{choice}` can never hold, so this choice is none");
            warn(rule, spot, "never-true", message, "correct it, or remove it", desk);
        }
    }
}

fn always(known: &[Wanted<'_>], condition: &Condition, limits: &Activity) -> bool {
    is_certain(condition) && !possible(known, &[(condition, false)], limits)
}

/// Names the first part that cannot hold with those before it.
fn never(
    known: &[Wanted<'_>],
    rule: &Rule,
    condition: &Condition,
    limits: &Activity,
    desk: &mut Desk<'_>,
) {
    let parts = parts(condition);
    let wanted: Vec<_> = parts.iter().map(|part| (part, true)).collect();
    let up_to = |count: &usize| !possible(known, wanted.get(..=*count).unwrap_or(&[]), limits);
    let at = (0..parts.len()).find(up_to);
    let spot = at.and_then(|at| place(rule, at, desk));
    let part = at.and_then(|at| parts.get(at)).unwrap_or(condition);
    let alone = !possible(&[], &[(part, true)], limits);
    let on_page = !possible(known, &[(part, true)], limits);
    let why = match (alone, on_page) {
        (true, _) => "",
        (false, true) => " on the rule's pages",
        (false, false) => " together with what is above it",
    };
    let part = named(part, spot);
    let message = format!("{part} can never hold{why}, so `{}` never fires", rule.id);
    warn(rule, spot, "never-true", message, "correct the one or the other", desk);
}

/// What has a place of its own needs no name; the rest is spelled out.
fn named(part: &Condition, spot: Option<Spot>) -> String {
    if spot.is_some() { "this".to_owned() } else { format!("`{part}`") }
}

fn parts(condition: &Condition) -> &[Condition] {
    match condition {
        Condition::All(parts) => parts,
        one => std::slice::from_ref(one),
    }
}

/// The item of the rule's list that says this part; none where parts and items are not the same.
fn place(rule: &Rule, at: usize, desk: &mut Desk<'_>) -> Option<Spot> {
    let Value::Seq(items) = &desk.places.key(rule, "when")?.value else { return None };
    let When::Condition(condition) = &rule.when else { return None };
    // A list of one stands for its item, whose parts are no items.
    (items.len() == parts(condition).len()).then(|| items.get(at).map(|item| item.at)).flatten()
}

fn warn(
    rule: &Rule,
    spot: Option<Spot>,
    code: &'static str,
    message: String,
    help: &str,
    desk: &mut Desk<'_>,
) {
    match spot {
        Some(spot) => desk.warn_at(&rule.written.file, spot, code, message, help),
        None => desk.warn(rule, "when", code, message, help),
    }
}
