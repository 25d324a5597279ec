//! What one rule does to another of its product. Rules of other pages cannot meet, so each is
//! compared with those of its own alone.

use std::collections::HashMap;

use crate::domain::bucket::Share;
use crate::domain::page::PagePattern;
use crate::rulebook::Product;
use crate::rulebook::condition::Condition;
use crate::rulebook::lint::Desk;
use crate::rulebook::lint::clash::possible;
use crate::rulebook::lint::condition::{is_certain, pages};
use crate::rulebook::lint::pages::{all_covered, overlap};
use crate::rulebook::rule::{Mode, Rule, When};

/// Earlier rules that one is compared with, by what each may do to it: the first that are offered
/// where it is. Beyond them nothing is said, so that 4,000 rules of one page take no longer each
/// than 64 do.
const MOST: usize = 64;

pub(super) fn check(product: &Product, desk: &mut Desk<'_>) {
    let mut before = Before::default();
    for rule in product.rules.iter().filter(|rule| rule.mode == Mode::Live) {
        let When::Condition(condition) = &rule.when else { continue };
        let one = Offering { rule, condition, here: pages(rule) };
        let hides = before.hiding(rule).find(|first| one.is_hidden_by(first, product));
        if let Some(first) = hides.filter(|_| one.can_match(product)) {
            let message =
                format!("`{}` is never offered: `{}` always comes first", rule.id, first.rule.id);
            let help = format!(
                "give `{}` the higher priority, or `{}` a condition, page or `again_after` of its own",
                rule.id, first.rule.id
            );
            desk.warn(rule, "id", "shadowed", message, &help);
        } else if let Some((first, page)) =
            before.tying(rule).find_map(|first| Some((first, one.ties_with(first, product)?)))
        {
            let message = format!(
                "`{}` and `{}` have priority {} on `{page}`, and both may match",
                first.rule.id, rule.id, rule.priority
            );
            let help =
                format!("give one of them another `priority`; now `{}` comes first", first.rule.id);
            desk.warn(rule, "id", "priority-tie", message, &help);
        }
        before.take(one, product);
    }
}

/// A live rule with a condition.
struct Offering<'r> {
    rule: &'r Rule,
    condition: &'r Condition,
    here: Condition,
}

/// The rules before one, by where they are offered.
#[derive(Default)]
struct Before<'r> {
    all: Vec<Offering<'r>>,
    hiding: Shelves<Place<'r>>,
    tying: Shelves<(u8, Place<'r>)>,
}

/// Places of rules, in order.
type Shelves<K> = HashMap<K, Vec<usize>>;

/// Where a rule is offered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place<'r> {
    Everywhere,
    /// On this page.
    Page(&'r str),
    /// On the pages of a pattern of so many segments.
    Pattern(usize),
    /// On some page of so many segments.
    Deep(usize),
}

impl<'r> Place<'r> {
    /// Where a rule with this page stands: its page, or the pattern's length; and that of either.
    fn of(page: &'r PagePattern) -> [Self; 2] {
        let (text, deep) = (page.as_str(), page.as_str().split('/').count());
        let own = if page.is_literal() { Self::Page(text) } else { Self::Pattern(deep) };
        [own, Self::Deep(deep)]
    }

    /// Where rules stand that may be offered on such a page.
    fn met(page: &'r PagePattern) -> Vec<Self> {
        let deep = page.as_str().split('/').count();
        match page.is_literal() {
            true => vec![Self::Page(page.as_str()), Self::Pattern(deep)],
            false => vec![Self::Deep(deep)],
        }
    }
}

impl<'r> Before<'r> {
    fn take(&mut self, one: Offering<'r>, product: &Product) {
        let (place, rule) = (self.all.len(), one.rule);
        let hides = one.never_rests(product) && is_certain(one.condition);
        for at in rule.pages.iter().flat_map(Place::of) {
            self.tying.entry((rule.priority, at)).or_default().push(place);
            if hides {
                self.hiding.entry(at).or_default().push(place);
            }
        }
        if hides && rule.pages.is_empty() {
            self.hiding.entry(Place::Everywhere).or_default().push(place);
        }
        self.all.push(one);
    }

    /// Those that may cover all the pages of a rule, and so its first.
    fn hiding(&self, rule: &'r Rule) -> impl Iterator<Item = &Offering<'r>> {
        let here = rule.pages.first().map(Place::met).unwrap_or_default();
        let shelves = here.into_iter().chain([Place::Everywhere]);
        self.first(shelves.filter_map(|place| self.hiding.get(&place)))
    }

    /// Those of its priority that share a page with a rule.
    fn tying(&self, rule: &'r Rule) -> impl Iterator<Item = &Offering<'r>> {
        let shelves = rule.pages.iter().flat_map(Place::met);
        self.first(shelves.filter_map(|place| self.tying.get(&(rule.priority, place))))
    }

    fn first<'s>(
        &'s self,
        shelves: impl Iterator<Item = &'s Vec<usize>>,
    ) -> impl Iterator<Item = &'s Offering<'r>> {
        let mut places: Vec<usize> =
            shelves.flat_map(|shelf| shelf.iter().take(MOST).copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.truncate(MOST);
        places.into_iter().filter_map(|place| self.all.get(place))
    }
}

impl Offering<'_> {
    /// Whether it is ready whenever it matches, but for its pacing.
    fn never_rests(&self, product: &Product) -> bool {
        let rule = self.rule;
        rule.again_after.is_none()
            && rule.offer.cooldown <= product.settings.proactive.min_interval
            && !rule.judge
            && rule.arms.rollout == Share::EVERYBODY
    }

    /// Whether `first`, which never rests and always has an answer, matches whenever this does.
    fn is_hidden_by(&self, first: &Self, product: &Product) -> bool {
        let rule = first.rule;
        let everywhere = rule.pages.is_empty()
            || (!self.rule.pages.is_empty() && all_covered(&rule.pages, &self.rule.pages));
        let goals = [(self.condition, true), (first.condition, false)];
        everywhere
            && !self.is_paced(first, product)
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
