//! What one rule does to another of its product.

use crate::domain::bucket::Share;
use crate::domain::page::PagePattern;
use crate::rulebook::Product;
use crate::rulebook::condition::Condition;
use crate::rulebook::lint::Desk;
use crate::rulebook::lint::clash::possible;
use crate::rulebook::lint::condition::{is_certain, pages};
use crate::rulebook::lint::pages::{all_covered, overlap};
use crate::rulebook::rule::{Mode, Rule, When};

/// Pairs looked at: those of some 700 rules. Beyond them nothing is said.
const MOST: usize = 250_000;

pub(super) fn check(product: &Product, desk: &mut Desk<'_>) {
    let mut before: Vec<Offering<'_>> = Vec::new();
    let mut pairs = 0;
    for rule in product.rules.iter().filter(|rule| rule.mode == Mode::Live) {
        let When::Condition(condition) = &rule.when else { continue };
        let one = Offering { rule, condition, here: pages(rule) };
        pairs += before.len();
        if pairs > MOST {
            return;
        }
        let hides = before.iter().find(|first| one.is_hidden_by(first, product));
        if let Some(first) = hides {
            let message =
                format!("`{}` is never offered: `{}` always comes first", rule.id, first.rule.id);
            let help = format!(
                "give `{}` the higher priority, or `{}` a condition, page or `again_after` of its own",
                rule.id, first.rule.id
            );
            desk.warn(rule, "id", "shadowed", message, &help);
        } else if let Some((first, page)) =
            before.iter().find_map(|first| Some((first, one.ties_with(first, product)?)))
        {
            let message = format!(
                "`{}` and `{}` have priority {} on `{page}`, and both may match",
                first.rule.id, rule.id, rule.priority
            );
            let help =
                format!("give one of them another `priority`; now `{}` comes first", first.rule.id);
            desk.warn(rule, "id", "priority-tie", message, &help);
        }
        before.push(one);
    }
}

/// A live rule with a condition.
struct Offering<'r> {
    rule: &'r Rule,
    condition: &'r Condition,
    here: Condition,
}

impl Offering<'_> {
    /// Whether `first` matches whenever this does, and never rests while this may be offered.
    fn is_hidden_by(&self, first: &Self, product: &Product) -> bool {
        let rule = first.rule;
        let never_rests = rule.again_after.is_none()
            && rule.offer.cooldown <= product.settings.proactive.min_interval
            && !rule.judge
            && !self.is_paced(first, product)
            && rule.arms.rollout == Share::EVERYBODY;
        let everywhere = rule.pages.is_empty()
            || (!self.rule.pages.is_empty() && all_covered(&rule.pages, &self.rule.pages));
        let goals = [(self.condition, true), (first.condition, false)];
        never_rests
            && everywhere
            && is_certain(first.condition)
            && self.can_match(product)
            && !possible(&[(&self.here, true)], &goals, &product.settings.activity)
    }

    /// Whether the pacing of `first` may hold it back while this may be offered.
    fn is_paced(&self, first: &Self, product: &Product) -> bool {
        let pacing = &first.rule.pacing;
        let alone =
            |cap: &&usize| product.caps.get(**cap).is_some_and(|cap| !cap.concerns(self.rule));
        pacing.group.is_some() || !pacing.backoff.is_none() || pacing.caps.iter().any(|c| alone(&c))
    }

    fn can_match(&self, product: &Product) -> bool {
        let goal = [(self.condition, true)];
        possible(&[(&self.here, true)], &goal, &product.settings.activity)
    }

    /// A page, written in both rules, where nothing but their order decides.
    fn ties_with(&self, first: &Self, product: &Product) -> Option<PagePattern> {
        if self.rule.priority != first.rule.priority {
            return None;
        }
        let pages = &first.rule.pages;
        let met = |page: &&PagePattern| pages.iter().any(|other| overlap(page, other));
        let page = self.rule.pages.iter().find(met)?;
        let goals = [(self.condition, true), (first.condition, true), (&first.here, true)];
        let both = possible(&[(&self.here, true)], &goals, &product.settings.activity);
        both.then(|| page.clone())
    }
}
