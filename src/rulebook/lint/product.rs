//! What a rule says against its product's settings, tours, triggers and sources.

use crate::domain::bucket::Share;
use crate::rulebook::Product;
use crate::rulebook::condition::{Condition, Subject};
use crate::rulebook::lint::Desk;
use crate::rulebook::lint::pages::any_overlap;
use crate::rulebook::rule::{Mode, Rule, When};
use crate::rulebook::suggest::nearest;
use crate::rulebook::workspace::FILE;
use crate::rulebook::yaml::{Spot, Value};

/// A live rule that nobody is in.
pub(super) fn rollout(rule: &Rule, desk: &mut Desk<'_>) {
    if rule.mode == Mode::Live && rule.arms.rollout == Share::NOBODY {
        let message = format!("`{}` is live and offered to nobody: its rollout is 0%", rule.id);
        let help = "raise it, or write `mode: paused`";
        desk.warn(rule, "rollout", "rollout-to-nobody", message, help);
    }
}

/// A cooldown that the spacing of all offers makes meaningless.
pub(super) fn cooldown(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let (cooldown, spacing) = (rule.offer.cooldown, product.settings.proactive.min_interval);
    if cooldown >= spacing || desk.places.key(rule, "cooldown").is_none() {
        return;
    }
    let message = format!(
        "a cooldown of {cooldown} has no effect: no two offers are closer than `min_interval`, {spacing}"
    );
    let help = format!("remove it, or write more than {spacing}");
    desk.warn(rule, "cooldown", "cooldown-without-effect", message, &help);
}

/// A tour that runs on none of the pages where it is offered.
pub(super) fn tour(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let tour = rule.offer.tour.as_ref().and_then(|id| product.tours.get(id));
    let Some(route) = tour.and_then(|tour| tour.route.as_ref()) else { return };
    if rule.pages.is_empty() || any_overlap(&rule.pages, std::slice::from_ref(route)) {
        return;
    }
    let id = rule.offer.tour.as_deref().unwrap_or_default();
    let message =
        format!("the tour `{id}` runs on `{route}`, where `{}` is never offered", rule.id);
    let help = format!("add `{route}` to the rule's `page`, or offer another tour");
    let place =
        desk.places.key(rule, "offer").and_then(|offer| offer.get("tour")).map(|node| node.at);
    match place {
        Some(spot) => desk.warn_at(&rule.written.file, spot, "tour-elsewhere", message, &help),
        None => desk.warn(rule, "offer", "tour-elsewhere", message, &help),
    }
}

/// A trait, where nobody who is believed delivers any: browsers are not (DESIGN.md, section 10).
pub(super) fn traits(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let keys = &product.settings.keys;
    let believed = !product.settings.sources.is_empty()
        || !keys.webhook.is_empty()
        || !keys.secret.is_empty()
        || is_loopback(&desk.settings.listen);
    let When::Condition(condition) = &rule.when else { return };
    if believed {
        return;
    }
    let Some(name) = needed_trait(condition) else { return };
    let message =
        format!("nothing delivers the trait `{name}`: browsers are not believed about people");
    let help = "add a source, or `keys.webhook` for signed pushes";
    desk.warn(rule, "when", "never-delivered", message, help);
}

/// Where pushes need no key.
fn is_loopback(listen: &str) -> bool {
    ["127.", "localhost:", "[::1]:"].iter().any(|start| listen.starts_with(start))
}

/// A trait without which the condition cannot hold.
fn needed_trait(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::Trait(_, name, _) => Some(name),
        Condition::All(parts) => parts.iter().find_map(needed_trait),
        Condition::Segment(segment) => needed_trait(&segment.when),
        Condition::Not(part) => match &**part {
            Condition::Trait(_, name, _) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// `seen` of a trigger that is not there, where another is nearly called so. A trigger that is gone
/// may well be remembered.
pub(super) fn references(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let When::Condition(condition) = &rule.when else { return };
    let mut named = Vec::new();
    seen(condition, &mut named);
    for name in named {
        let ids = || product.rules.iter().map(|rule| &*rule.id);
        if ids().any(|id| id == name) {
            continue;
        }
        let Some(meant) = nearest(name, ids()) else { continue };
        let message = format!("no trigger is called `{name}`");
        desk.warn(rule, "when", "unknown-trigger", message, &format!("did you mean `{meant}`?"));
    }
}

fn seen<'c>(condition: &'c Condition, named: &mut Vec<&'c str>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| seen(part, named));
        }
        Condition::Not(part) => seen(part, named),
        Condition::Segment(segment) => seen(&segment.when, named),
        Condition::Seen(seen) => {
            if let Subject::Trigger(id) = &seen.of {
                named.push(id);
            }
        }
        _ => {}
    }
}

/// A quota of zero among others: it means "no limit", which is hardly why one was singled out.
pub(super) fn quotas(product: &Product, desk: &mut Desk<'_>) {
    let root = desk.places.file(FILE);
    let quotas = root
        .and_then(|root| root.get("products")?.get(&product.id)?.get("proactive")?.get("quotas"));
    let Some(Value::Map(entries)) = quotas.map(|quotas| &quotas.value) else { return };
    let is_zero = |value: &Value| matches!(value, Value::Int(0));
    // All at zero are the defaults, written out.
    if entries.len() == 3 && entries.iter().all(|(_, value)| is_zero(&value.value)) {
        return;
    }
    let zeros: Vec<(String, Spot)> = entries
        .iter()
        .filter(|(_, value)| is_zero(&value.value))
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.at)))
        .collect();
    for (key, spot) in zeros {
        let message = format!("`{key}: 0` means no limit");
        let help = "remove it; to offer nothing at all, write `enabled: false`";
        desk.warn_at(FILE, spot, "zero-means-no-limit", message, help);
    }
}
