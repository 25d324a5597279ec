//! Which rules a page concerns.

use crate::rulebook::Product;
use crate::rulebook::rule::Rule;

impl Product {
    /// Places of the rules for this page, in priority order.
    pub fn candidates<'a>(&'a self, page: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.rules
            .iter()
            .enumerate()
            .filter(move |(_, rule)| rule.is_for(page))
            .map(|(place, _)| place)
    }
}

impl Rule {
    /// Whether it may be offered on this page.
    pub fn is_for(&self, page: &str) -> bool {
        self.pages.is_empty() || self.pages.iter().any(|pattern| pattern.matches(page))
    }
}
