//! Caps and rests that have no effect, that starve a rule, or that outlast what is remembered.

use crate::domain::tally::Per;
use crate::domain::time::Span;
use crate::rulebook::Product;
use crate::rulebook::condition::{Condition, Subject};
use crate::rulebook::lint::Desk;
use crate::rulebook::pacing::caps::{Cap, Of};
use crate::rulebook::rule::{Mode, Rule, When};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::workspace::FILE;
use crate::rulebook::yaml::{Spot, Value};

/// A product's caps.
pub(super) fn of_product(product: &Product, desk: &mut Desk<'_>) {
    for cap in &product.settings.frequency {
        if let Some((kind, name)) = missing(product, cap) {
            let message =
                format!("the cap `{}` counts nothing: no trigger has this {kind}", cap.id);
            let rules = product.rules.iter().map(|rule| &rule.pacing);
            let known: Vec<&str> = match &cap.of {
                Of::Tag(_) => rules.flat_map(|pacing| &pacing.tags).map(|tag| &**tag).collect(),
                _ => rules.filter_map(|pacing| pacing.group.as_deref()).collect(),
            };
            let help = did_you_mean(name, known)
                .unwrap_or_else(|| format!("remove it, or give a trigger the {kind} `{name}`"));
            warn(product, cap, "cap-without-effect", message, &help, desk);
        }
        let memory = desk.settings.limits.ledger_ttl;
        if outlasts(cap.window, memory) {
            warn(product, cap, "beyond-memory", beyond("window", cap.window, memory), REMEDY, desk);
        }
    }
}

/// A rule's own caps and rests, and what the product's do to it.
pub(super) fn of_rule(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let memory = desk.settings.limits.ledger_ttl;
    let pacing = &rule.pacing;
    for cap in &pacing.frequency {
        if outlasts(cap.window, memory) {
            let message = beyond("window", cap.window, memory);
            desk.warn(rule, "frequency", "beyond-memory", message, REMEDY);
        }
        let concerning = pacing.caps.iter().filter_map(|place| product.caps.get(*place));
        let others = concerning.filter(|other| other.id != cap.id);
        if let Some(other) = others.into_iter().find(|other| is_reached_first(other, cap)) {
            let message =
                format!("the cap `{}` is never reached: `{}` refuses before it", cap.id, other.id);
            let help = "remove it, or write a lower `limit`";
            desk.warn(rule, "frequency", "cap-without-effect", message, help);
        }
    }
    let dismissed = pacing.backoff.dismissed.map(|growth| match growth.factor > 1.0 {
        true if growth.max != Span::FOREVER => growth.max,
        _ => growth.cooldown,
    });
    if let Some(rest) = dismissed.filter(|rest| outlasts(*rest, memory)) {
        let message = beyond("rest", rest, memory);
        desk.warn(rule, "on_dismiss", "beyond-memory", message, REMEDY);
    }
    starved(product, rule, desk);
}

const REMEDY: &str = "write less, or a longer `limits.ledger_ttl`";

fn beyond(what: &str, span: Span, memory: Span) -> String {
    format!("a {what} of {span} is longer than people are remembered, `ledger_ttl`: {memory}")
}

/// What lasts for good says so on purpose.
fn outlasts(span: Span, memory: Span) -> bool {
    span != Span::FOREVER && span > memory
}

/// The tag or group that no trigger has.
fn missing<'c>(product: &Product, cap: &'c Cap) -> Option<(&'static str, &'c str)> {
    let mut rules = product.rules.iter();
    let (kind, name) = match &cap.of {
        Of::All | Of::Trigger(_) => return None,
        Of::Tag(tag) => ("tag", tag),
        Of::Group(group) => ("group", group),
    };
    let is_meant = |rule: &Rule| match cap.of {
        Of::Tag(_) => rule.pacing.tags.contains(name),
        _ => rule.pacing.group.as_ref() == Some(name),
    };
    (!rules.any(is_meant)).then_some((kind, &**name))
}

/// Whether one cap always refuses when the other would: it counts at least the same offers, over as
/// long a time, and lets no more through.
fn is_reached_first(first: &Cap, cap: &Cap) -> bool {
    first.per == cap.per && first.limit <= cap.limit && first.window >= cap.window
}

/// A rule that follows on another one, where a cap lets through only the first of the two for good.
fn starved(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let When::Condition(condition) = &rule.when else { return };
    let mut before = Vec::new();
    needed(condition, &mut before);
    let once =
        |cap: &&Cap| cap.limit == 1 && cap.window == Span::FOREVER && cap.per != Per::Session;
    for (first, cap) in before.iter().filter(|_| rule.mode == Mode::Live).filter_map(|id| {
        let first = product.rules.iter().find(|first| *first.id == **id)?;
        let concerns = |cap: &&Cap| cap.concerns(first) && cap.concerns(rule);
        Some((first, product.caps.iter().filter(once).find(concerns)?))
    }) {
        let (id, first, cap) = (&rule.id, &first.id, &cap.id);
        let message = format!(
            "`{id}` never fires: it needs an offer of `{first}` before it, and the cap `{cap}` lets one through for good"
        );
        let help = format!("raise the cap's `limit`, give it a `window`, or exempt `{id}`");
        desk.warn(rule, "when", "cap-starved", message, &help);
    }
}

/// The triggers that must have been offered for the condition to hold.
fn needed<'c>(condition: &'c Condition, found: &mut Vec<&'c str>) {
    match condition {
        Condition::All(parts) => parts.iter().for_each(|part| needed(part, found)),
        Condition::Segment(segment) => needed(&segment.when, found),
        Condition::Seen(seen) => {
            if let Subject::Trigger(id) = &seen.of {
                found.push(id);
            }
        }
        _ => {}
    }
}

fn warn(
    product: &Product,
    cap: &Cap,
    code: &'static str,
    message: String,
    help: &str,
    desk: &mut Desk<'_>,
) {
    let root = desk.places.file(FILE);
    let list = root.and_then(|root| root.get("products")?.get(&product.id)?.get("frequency"));
    let items = match list.map(|list| &list.value) {
        Some(Value::Seq(items)) => items.as_slice(),
        _ => &[],
    };
    let whole = Spot { line: cap.line, column: 1, length: 1 };
    let place = items.iter().map(|item| item.at).find(|at| at.line == cap.line);
    desk.warn_at(FILE, place.unwrap_or(whole), code, message, help);
}
