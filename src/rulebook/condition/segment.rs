//! Segments: conditions with a name, written once. A condition that asks for one holds all of it, so
//! that a poll looks nothing up and an explanation shows every clause.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::traits::SEGMENTS;
use crate::rulebook::condition::{Condition, Term, ValueTest, Whose};
use crate::rulebook::suggest::did_you_mean;

/// Every segment that a condition may ask for: what it takes to be in it, by its id.
pub type Segments = BTreeMap<Arc<str>, Arc<Condition>>;

/// Clauses of a condition with its segments.
pub(in crate::rulebook) const MOST_CLAUSES: usize = 1_000;

/// A segment as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmented {
    /// Its id.
    pub id: Arc<str>,
    /// What it takes to be in it.
    pub when: Arc<Condition>,
    /// Whether what cannot be told is taken as no: an expression is two-valued.
    pub certain: bool,
}

/// A part of a condition.
#[derive(Clone, Copy, Debug)]
pub(in crate::rulebook) enum Part<'c> {
    /// A condition of its own.
    Condition(&'c Condition),
    /// A value that an expression compares.
    Term(&'c Term),
}

/// The segment of this id; message and help when there is none. When some could not be read, the
/// id may well be right.
pub(in crate::rulebook) fn segment(
    id: &str,
    certain: bool,
    known: Option<&Segments>,
) -> Result<Segmented, (String, String)> {
    let when = match known {
        Some(known) => known.get(id).cloned().ok_or_else(|| {
            let ids = || known.keys().map(|id| &**id);
            let help = did_you_mean(id, ids()).unwrap_or_else(|| match ids().next() {
                Some(_) => format!("the segments are `{}`", ids().collect::<Vec<_>>().join("`, `")),
                None => "write it into a file of `segments/`".to_owned(),
            });
            (format!("no segment is called `{id}`"), help)
        })?,
        None => Arc::new(Condition::Always(false)),
    };
    Ok(Segmented { id: id.into(), when, certain })
}

impl Condition {
    /// Somebody else says who is in it.
    pub(in crate::rulebook) fn given(id: &str) -> Self {
        Self::Trait(Whose::Person, SEGMENTS.into(), ValueTest::Has(id.into()))
    }

    /// Whether somebody else says who is in it.
    pub(in crate::rulebook) fn is_given(&self) -> bool {
        matches!(self, Self::Trait(_, name, ValueTest::Has(_)) if **name == *SEGMENTS)
    }

    /// Hands over this condition and every one inside it.
    pub(in crate::rulebook) fn each<'c>(&'c self, take: &mut dyn FnMut(&'c Self)) {
        self.parts(&mut |part| {
            if let Part::Condition(condition) = part {
                take(condition);
            }
        });
    }

    /// Hands over this condition and everything inside it.
    pub(in crate::rulebook) fn parts<'c>(&'c self, take: &mut dyn FnMut(Part<'c>)) {
        take(Part::Condition(self));
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.parts(take)),
            Self::Not(part) => part.parts(take),
            Self::Segment(segment) => segment.when.parts(take),
            Self::Compare(parts) => {
                parts.0.parts(take);
                parts.2.parts(take);
            }
            Self::Text(parts) => {
                parts.0.parts(take);
                parts.2.parts(take);
            }
            Self::Holds(term) => term.parts(take),
            _ => {}
        }
    }

    /// The same to change them, those inside first: what takes the place of another is not looked
    /// into.
    pub(in crate::rulebook) fn each_mut(&mut self, change: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter_mut().for_each(|part| part.each_mut(change));
            }
            Self::Not(part) => part.each_mut(change),
            Self::Segment(segment) => Arc::make_mut(&mut segment.when).each_mut(change),
            Self::Compare(parts) => {
                parts.0.each_mut(change);
                parts.2.each_mut(change);
            }
            Self::Text(parts) => {
                parts.0.each_mut(change);
                parts.2.each_mut(change);
            }
            Self::Holds(term) => term.each_mut(change),
            _ => {}
        }
        change(self);
    }

    /// The segments that are asked for, those inside others too.
    pub(in crate::rulebook) fn segments(&self) -> Segments {
        let mut found = Segments::new();
        self.each(&mut |part| {
            if let Self::Segment(segment) = part {
                found.insert(Arc::clone(&segment.id), Arc::clone(&segment.when));
            }
        });
        found
    }
}

impl Term {
    fn parts<'c>(&'c self, take: &mut dyn FnMut(Part<'c>)) {
        take(Part::Term(self));
        match self {
            Self::Truth(condition) => condition.parts(take),
            Self::Length(term) | Self::Negate(term) => term.parts(take),
            Self::Arithmetic(parts) => {
                parts.0.parts(take);
                parts.2.parts(take);
            }
            _ => {}
        }
    }

    fn each_mut(&mut self, change: &mut dyn FnMut(&mut Condition)) {
        match self {
            Self::Truth(condition) => condition.each_mut(change),
            Self::Length(term) | Self::Negate(term) => term.each_mut(change),
            Self::Arithmetic(parts) => {
                parts.0.each_mut(change);
                parts.2.each_mut(change);
            }
            _ => {}
        }
    }
}
