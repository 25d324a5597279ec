//! What an edit of a workspace changes, in words that anybody on the team can read.

mod clauses;
mod rule;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rulebook::rule::Rule;
use crate::rulebook::{Product, Rulebook};

/// What became of one trigger, tour, prompt or product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `trigger`, `tour`, `prompt`, `settings`, `translations`.
    pub kind: &'static str,
    /// Its id; a product's with what is its.
    pub id: Arc<str>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new; in one line.
    Added(String),
    /// It is gone.
    Removed,
    /// It is another; a line for each thing that is.
    Changed(Vec<String>),
}

/// Everything that two rulebooks do not share, by product; triggers first.
pub fn changes(base: &Rulebook, head: &Rulebook) -> Vec<(Arc<str>, Vec<Change>)> {
    let ids: BTreeSet<&Arc<str>> = base.products.keys().chain(head.products.keys()).collect();
    let several = ids.len() > 1;
    let mut found = Vec::new();
    for id in ids {
        let (before, after) = (base.products.get(id), head.products.get(id));
        let changes = match (before, after) {
            (Some(before), Some(after)) => of_product(before, after),
            (None, Some(after)) => {
                let triggers = after.rules.iter().map(added);
                let product = Fate::Added(format!("its triggers: {}", after.rules.len()));
                let product = Change { kind: "product", id: Arc::clone(id), fate: product };
                std::iter::once(product).chain(triggers).collect()
            }
            _ => vec![Change { kind: "product", id: Arc::clone(id), fate: Fate::Removed }],
        };
        found.push((if several { Arc::clone(id) } else { Arc::default() }, changes));
    }
    found.push((Arc::default(), prompts(base, head)));
    found.retain(|(_, changes)| !changes.is_empty());
    found
}

fn of_product(before: &Product, after: &Product) -> Vec<Change> {
    let mut changes = Vec::new();
    for rule in &after.rules {
        match before.rules.iter().find(|known| known.id == rule.id) {
            None => changes.push(added(rule)),
            Some(known) => {
                changes.extend(changed("trigger", &rule.id, rule::changes(known, rule)));
            }
        }
    }
    let gone = before.rules.iter().filter(|rule| after.rules.iter().all(|new| new.id != rule.id));
    changes.extend(gone.map(|rule| removed("trigger", &rule.id)));
    changes.extend(tours(before, after));
    let (old, new) = (&before.settings, &after.settings);
    changes.extend(changed("settings", &after.id, settings::changes(old, new)));
    let tags = before.locales.list.iter().chain(after.locales.list.iter()).map(|one| &one.tag);
    for tag in tags.collect::<BTreeSet<_>>() {
        let of =
            |product: &Product| product.locales.list.iter().find(|one| one.tag == *tag).cloned();
        changes.extend(match (of(before), of(after)) {
            (None, _) => Some(Change {
                kind: "translations",
                id: Arc::clone(tag),
                fate: Fate::Added("another language".to_owned()),
            }),
            (_, None) => Some(removed("translations", tag)),
            (old, new) => {
                let lines = if old == new { Vec::new() } else { vec!["other words".to_owned()] };
                changed("translations", tag, lines)
            }
        });
    }
    changes
}

fn tours(before: &Product, after: &Product) -> Vec<Change> {
    let ids: BTreeSet<_> = before.tours.keys().chain(after.tours.keys()).collect();
    let change = |id: &Arc<str>| match (before.tours.get(id), after.tours.get(id)) {
        (None, Some(tour)) => {
            let fate = Fate::Added(format!("“{}”, {}", tour.name, steps(tour.steps.len())));
            Some(Change { kind: "tour", id: Arc::clone(id), fate })
        }
        (Some(_), None) => Some(removed("tour", id)),
        (Some(old), Some(new)) if old != new => {
            let (one, other) = (old.steps.len(), new.steps.len());
            let lines = match one == other {
                true if old.steps == new.steps => "says of itself other things".to_owned(),
                true => "has other steps".to_owned(),
                false => format!("has {}, had {one}", steps(other)),
            };
            changed("tour", id, vec![lines])
        }
        _ => None,
    };
    ids.into_iter().filter_map(change).collect()
}

fn steps(count: usize) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
}

fn prompts(base: &Rulebook, head: &Rulebook) -> Vec<Change> {
    let names: BTreeSet<_> = base.prompts.keys().chain(head.prompts.keys()).collect();
    let change = |name: &Arc<str>| match (base.prompts.get(name), head.prompts.get(name)) {
        (None, Some(prompt)) => {
            let fate = Fate::Added(prompt.description.clone());
            Some(Change { kind: "prompt", id: Arc::clone(name), fate })
        }
        (Some(_), None) => Some(removed("prompt", name)),
        (Some(old), Some(new)) if old != new => {
            let version = Facet::words("version", &new.version)
                .against(&Facet::words("version", &old.version));
            changed("prompt", name, vec![version.unwrap_or_else(|| "other words".to_owned())])
        }
        _ => None,
    };
    names.into_iter().filter_map(change).collect()
}

fn added(rule: &Rule) -> Change {
    Change { kind: "trigger", id: Arc::clone(&rule.id), fate: Fate::Added(rule::summary(rule)) }
}

fn removed(kind: &'static str, id: &Arc<str>) -> Change {
    Change { kind, id: Arc::clone(id), fate: Fate::Removed }
}

fn changed(kind: &'static str, id: &Arc<str>, lines: Vec<String>) -> Option<Change> {
    let changed = || Change { kind, id: Arc::clone(id), fate: Fate::Changed(lines.clone()) };
    (!lines.is_empty()).then(changed)
}

/// One thing that can be said of something, in words or, where words would be long, not.
struct Facet {
    name: &'static str,
    value: String,
    is_words: bool,
}

impl Facet {
    fn words(name: &'static str, value: impl ToString) -> Self {
        Self { name, value: value.to_string(), is_words: true }
    }

    fn some<T: ToString>(name: &'static str, value: Option<T>) -> Self {
        Self::words(name, value.map(|value| value.to_string()).unwrap_or_default())
    }

    fn opaque(name: &'static str, value: impl std::fmt::Debug) -> Self {
        Self { name, value: format!("{value:?}"), is_words: false }
    }

    /// What is said where the old one was otherwise.
    fn against(&self, old: &Self) -> Option<String> {
        let Self { name, value, is_words } = self;
        if *value == old.value {
            return None;
        }
        let none =
            |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
        Some(match is_words {
            true => format!("{name}: {}, was {}", none(value), none(&old.value)),
            false => format!("{name}: another"),
        })
    }
}

/// A line for each facet that is another; both have the same ones in the same order.
fn differences(before: &[Facet], after: &[Facet]) -> Vec<String> {
    before.iter().zip(after).filter_map(|(old, new)| new.against(old)).collect()
}
