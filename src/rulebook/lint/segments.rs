//! Segments that nothing asks for.

use std::collections::BTreeSet;

use crate::rulebook::condition::Condition;
use crate::rulebook::lint::Desk;
use crate::rulebook::rule::When;
use crate::rulebook::{Product, Rulebook};

/// Several products may share a folder of segments.
pub(super) fn unused(book: &Rulebook, product: &Product, desk: &mut Desk<'_>) {
    let mut used = BTreeSet::new();
    let sharing = book.products.values();
    for other in sharing.filter(|other| other.settings.segments == product.settings.segments) {
        let rules = other.rules.iter().filter_map(|rule| match &rule.when {
            When::Condition(condition) => Some(condition),
            When::Builtin(_) => None,
        });
        rules.for_each(|condition| gather(condition, &mut used));
        other.segments.iter().for_each(|segment| gather(&segment.when, &mut used));
    }
    for segment in product.segments.iter().filter(|segment| !used.contains(&*segment.id)) {
        let message = format!("nothing asks for the segment `{}`", segment.id);
        let help = format!("remove it, or write `segment: {}` into a condition", segment.id);
        desk.warn_at(&segment.file, segment.at, "unused-segment", message, &help);
    }
}

fn gather<'c>(condition: &'c Condition, used: &mut BTreeSet<&'c str>) {
    condition.each(&mut |part| {
        if let Condition::Segment(segment) = part {
            used.insert(&*segment.id);
        }
    });
}
