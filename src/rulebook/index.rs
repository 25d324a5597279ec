//! Which rules a page concerns. Pages that rules name literally are looked up; any other page asks
//! only the rules that have a pattern or no page at all.

use std::collections::HashMap;

use crate::domain::page::PagePattern;
use crate::rulebook::Product;
use crate::rulebook::rule::Rule;

/// Places in the product's rules, in priority order.
#[derive(Clone, Debug, Default)]
pub struct PageIndex {
    /// For every page that some rule names literally: all rules for it.
    literal: HashMap<Box<str>, Box<[usize]>>,
    /// The rules that may match a page nobody names.
    open: Box<[usize]>,
}

impl PageIndex {
    /// The index of these rules, which are in priority order.
    pub fn of(rules: &[Rule]) -> Self {
        let open: Box<[usize]> = places(rules, |rule| {
            rule.pages.is_empty() || !rule.pages.iter().all(PagePattern::is_literal)
        });
        let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, rule) in rules.iter().enumerate() {
            for page in rule.pages.iter().filter(|page| page.is_literal()) {
                named.entry(page.as_str()).or_default().push(place);
            }
        }
        let literal = named.into_iter().map(|(page, mut here)| {
            let is_for = |place: &usize| rules.get(*place).is_some_and(|rule| rule.is_for(page));
            here.extend(open.iter().copied().filter(is_for));
            here.sort_unstable();
            here.dedup();
            (page.into(), here.into())
        });
        Self { literal: literal.collect(), open }
    }
}

fn places(rules: &[Rule], is_meant: impl Fn(&Rule) -> bool) -> Box<[usize]> {
    let meant = rules.iter().enumerate().filter(|(_, rule)| is_meant(rule));
    meant.map(|(place, _)| place).collect()
}

impl Product {
    /// Places of the rules for this page, in priority order.
    pub fn candidates<'a>(&'a self, page: &'a str) -> impl Iterator<Item = usize> + 'a {
        let shorter = page.strip_suffix('/').filter(|shorter| !shorter.is_empty());
        let known = self.index.literal.get(shorter.unwrap_or(page));
        let (places, certain) = match known {
            Some(places) => (places, true),
            None => (&self.index.open, false),
        };
        let applies = move |place: &usize| {
            certain || self.rules.get(*place).is_some_and(|rule| rule.is_for(page))
        };
        places.iter().copied().filter(applies)
    }
}

impl Rule {
    /// Whether it may be offered on this page.
    pub fn is_for(&self, page: &str) -> bool {
        self.pages.is_empty() || self.pages.iter().any(|pattern| pattern.matches(page))
    }
}
