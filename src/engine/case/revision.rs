//! A save in the middle of a timeline: edited rules come into force, and what happened stays.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::engine::case::Player;
use crate::rulebook::condition::Asks;
use crate::rulebook::index::PageIndex;
use crate::rulebook::pacing::caps;
use crate::rulebook::rule::Rule;

impl Player<'_> {
    /// A new revision comes into force, with a digest of its own.
    pub(super) fn reload(&mut self, edited: &[Arc<Rule>]) {
        let product = self.product.to_mut();
        product.digest = format!("{}+", product.digest).into();
        for rule in &mut product.rules {
            if let Some(edited) = edited.iter().find(|edited| edited.id == rule.id) {
                let written = rule.written.clone();
                *rule = Rule { written, ..(**edited).clone() };
            }
        }
        let place = |rule: &Rule| (Arc::clone(&rule.written.file), rule.written.line);
        product.rules.sort_by_key(|rule| (Reverse(rule.priority), place(rule)));
        product.caps = caps::table(&product.settings.frequency, &mut product.rules);
        product.index = PageIndex::of(&product.rules);
        product.asks = Asks::of(&product.rules, product.asks.kept);
        let filed = self.filed;
        // An edited rule shows nothing of the one in the file.
        let unedited = |rule: &Rule| {
            let same =
                |old: &Rule| old.id == rule.id && old.when == rule.when && old.pages == rule.pages;
            filed.rules.iter().position(same)
        };
        self.places = Some(product.rules.iter().map(unedited).collect());
    }

    /// The place in the files of a rule in force.
    pub(super) fn filed(&self, place: usize) -> Option<usize> {
        match &self.places {
            None => Some(place),
            Some(places) => places.get(place).copied().flatten(),
        }
    }
}
