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
        let places = |is_for: &dyn Fn(&Rule) -> bool| -> Box<[usize]> {
            rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| is_for(rule))
                .map(|(place, _)| place)
                .collect()
        };
        let named = rules.iter().flat_map(|rule| &rule.pages).filter(|page| page.is_literal());
        let literal = named
            .map(|page| (page.as_str().into(), places(&|rule| rule.is_for(page.as_str()))))
            .collect();
        let open =
            |rule: &Rule| rule.pages.is_empty() || !rule.pages.iter().all(PagePattern::is_literal);
        Self { literal, open: places(&open) }
    }
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
