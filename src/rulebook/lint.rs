//! Warnings about rules that are well formed and yet hardly meant: conditions that can never hold,
//! rules that another one hides, words without effect. Each is said only where it is certain.

mod calendar;
mod caps;
mod clash;
mod condition;
mod pages;
mod pairs;
mod places;
mod product;
mod redacted;
mod segments;
mod signals;
mod tests_written;

use std::sync::Arc;

use crate::domain::time::Timestamp;
use crate::rulebook::finding::Finding;
use crate::rulebook::lint::places::Places;
use crate::rulebook::settings::Settings;
use crate::rulebook::{Product, Rulebook, Sources};

/// Warnings kept of one file: whoever gave cause for more knows it by then.
const MOST: usize = 200;

/// What a lint looks at.
struct Desk<'s> {
    settings: &'s Settings,
    sources: &'s Sources,
    places: Places<'s>,
    found: Vec<Finding>,
}

/// Every warning about a rulebook, by file, line and column. `sources` are those it was compiled
/// from.
pub fn lint(book: &Rulebook, sources: &Sources) -> Vec<Finding> {
    each(book, sources, |product, desk| {
        about(product, desk);
        segments::unused(book, product, desk);
    })
}

/// What time has passed, or soon will: schedules that are over, and that end within 14 days. That
/// is nobody's mistake, so only who asks for it is told.
pub fn dated(book: &Rulebook, sources: &Sources, now: Timestamp) -> Vec<Finding> {
    each(book, sources, |product, desk| {
        product.rules.iter().for_each(|rule| calendar::ends(product, rule, now, desk));
    })
}

fn each(
    book: &Rulebook,
    sources: &Sources,
    about: impl Fn(&Product, &mut Desk<'_>),
) -> Vec<Finding> {
    let places = Places::of(sources);
    let mut desk = Desk { settings: &book.settings, sources, places, found: Vec::new() };
    for product in book.products.values() {
        about(product, &mut desk);
    }
    let mut found = desk.found;
    found.sort();
    // Two products may share a folder.
    found.dedup();
    let mut file = (Arc::from(""), 0);
    found.retain(|finding| {
        if file.0 != finding.file {
            file = (Arc::clone(&finding.file), 0);
        }
        file.1 += 1;
        file.1 <= MOST
    });
    found
}

fn about(product: &Product, desk: &mut Desk<'_>) {
    product::quotas(product, desk);
    caps::of_product(product, desk);
    let spoken_of = tests_written::spoken_of(product, desk);
    calendar::tags(product, desk);
    calendar::quiet_clock(product, desk);
    for rule in &product.rules {
        condition::check(product, rule, desk);
        product::rollout(rule, desk);
        product::cooldown(product, rule, desk);
        caps::of_rule(product, rule, desk);
        product::tour(product, rule, desk);
        product::traits(product, rule, desk);
        product::references(product, rule, desk);
        signals::check(product, rule, desk);
        redacted::check(product, rule, desk);
        calendar::hours(product, rule, desk);
        tests_written::check(&spoken_of, rule, desk);
    }
    pairs::check(product, desk);
}
