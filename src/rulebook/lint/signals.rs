//! Types of actions that nothing known delivers: one letter away from a known one, or by the name
//! that PostHog gives them. Any client may send types of its own, so nothing else is said.

use crate::rulebook::Product;
use crate::rulebook::condition::{Clock, Condition, Counted, Step, Tally};
use crate::rulebook::lint::Desk;
use crate::rulebook::rule::{Rule, When};
use crate::rulebook::suggest::surely;

/// A type that docent gives a meaning or a way in delivers, and PostHog's name of it, which
/// `/webhook` translates. What has none comes from a front end's own code, by `/events`, or from an
/// upstream.
pub(super) const SIGNALS: [(&str, Option<&str>); 21] = [
    ("change", None),
    ("click", None),
    ("copy", Some("$copy_autocapture")),
    ("dead_click", Some("$dead_click")),
    ("error", None),
    ("exception", Some("$exception")),
    ("exit_intent", None),
    ("field_focus", None),
    ("focus", None),
    ("form_error", None),
    ("input", None),
    ("no_results", None),
    ("pageview", Some("$pageview")),
    ("rage_click", Some("$rageclick")),
    ("scroll", None),
    ("scroll_depth", None),
    ("search", None),
    ("search_no_results", None),
    ("select", None),
    ("submit", None),
    ("validation_error", None),
];
/// Shorter names are near one another by chance.
const SHORTEST: usize = 5;

pub(super) fn check(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let When::Condition(condition) = &rule.when else { return };
    let mut kinds = Vec::new();
    gather(condition, &mut kinds);
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        if SIGNALS.iter().any(|(known, _)| *known == kind) {
            continue;
        }
        let translated = SIGNALS.iter().find(|(_, posthog)| *posthog == Some(kind));
        if let Some((ours, _)) = translated {
            // An upstream may pass PostHog's names on.
            if product.settings.sources.is_empty() {
                let message = format!("PostHog's `{kind}` arrives as `{ours}`");
                let help = format!("write `{ours}`, unless your own front end sends `{kind}`");
                desk.warn(rule, "when", "never-delivered", message, &help);
            }
        } else if let Some(meant) = misspelt(kind) {
            let message = format!("nothing docent knows of delivers the type `{kind}`");
            desk.warn(rule, "when", "unknown-type", message, &format!("did you mean `{meant}`?"));
        }
    }
}

/// The known type that is one letter away.
fn misspelt(kind: &str) -> Option<&'static str> {
    let known = SIGNALS.iter().map(|(known, _)| *known);
    let meant = surely(kind, known).filter(|_| kind.chars().count() >= SHORTEST)?;
    (strsim::damerau_levenshtein(kind, meant) <= 1).then_some(meant)
}

/// The types that a condition reads by name.
fn gather<'c>(condition: &'c Condition, kinds: &mut Vec<&'c str>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| gather(part, kinds));
        }
        Condition::Not(part) => gather(part, kinds),
        Condition::Segment(segment) => gather(&segment.when, kinds),
        Condition::Tally(Tally { of: Counted::Actions { kind, .. }, .. }, _) => kinds.push(kind),
        Condition::Tally(Tally { of: Counted::Failures { failure, success }, .. }, _) => {
            kinds.extend([&**failure, &**success]);
        }
        Condition::Since(kind, _) | Condition::Elapsed(Clock::Since(kind), _) => kinds.push(kind),
        Condition::Sequence(sequence) => {
            let absent = sequence.absent.as_ref().map(|(step, _)| step);
            let steps = sequence.steps.iter().chain(&sequence.until).chain(absent);
            kinds.extend(steps.filter_map(|step| match step {
                Step::Kind(kind) => Some(&**kind),
                Step::Page(_) => None,
            }));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_in_order_and_far_enough_apart() {
        assert!(SIGNALS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(SIGNALS.iter().all(|(known, _)| misspelt(known) == Some(known) || known.len() < 5));
    }
}
