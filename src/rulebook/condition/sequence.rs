//! Sequences: steps that happened in order, what voids them, and what did not follow.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::action::Action;
use crate::domain::page::PagePattern;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::View;
use crate::rulebook::condition::activity::{next_arrival, seen};

/// Steps in order, anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Oldest first; without any, the sequence never holds.
    pub steps: Vec<Step>,
    /// The window that holds all of them.
    pub within: Span,
    /// Voids what happened before it.
    pub until: Option<Step>,
    /// Did not follow the last step for so long. What follows at exactly its end does follow.
    pub absent: Option<(Step, Span)>,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An action of this type.
    Kind(Arc<str>),
    /// Coming to a page.
    Page(PagePattern),
}

impl Step {
    /// A step as written: what begins with `/` is a page, all else a type.
    pub fn new(text: &str) -> Self {
        if text.starts_with('/') {
            Self::Page(PagePattern::new(text))
        } else {
            Self::Kind(text.into())
        }
    }

    /// The step as written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Kind(kind) => kind,
            Self::Page(page) => page.as_str(),
        }
    }

    /// Whether the action at this place meets it.
    pub fn is_met(&self, actions: &VecDeque<Action>, place: usize) -> bool {
        let older = actions.range(..place.min(actions.len())).rev();
        actions.get(place).is_some_and(|action| self.is(action, older))
    }

    fn is<'a>(&self, action: &Action, older: impl Iterator<Item = &'a Action>) -> bool {
        match self {
            Self::Kind(kind) => action.kind == *kind,
            Self::Page(page) => page.matches(&action.page) && is_arrival(action, older),
        }
    }
}

impl Sequence {
    /// These steps in this window, and nothing more.
    pub const fn new(steps: Vec<Step>, within: Span) -> Self {
        Self { steps, within, until: None, absent: None }
    }

    /// Whether the wait for the absent step outlasts the window, so that it never holds.
    pub(in crate::rulebook::condition) fn outlasts(&self) -> bool {
        self.absent.as_ref().is_some_and(|(_, wait)| *wait >= self.within)
    }

    /// Whether it holds, and until when that stands.
    ///
    /// Each action that may be the last step makes it hold from the end of its wait until its
    /// first step leaves the window. An older one starts and ends no later, so that going back in
    /// time, overlapping stretches grow towards now.
    pub(in crate::rulebook::condition) fn stands(&self, view: &View<'_>) -> (bool, Timestamp) {
        let arrival = next_arrival(view);
        let wait = self.absent.as_ref().map_or(Span::ZERO, |(_, wait)| *wait);
        let mut holds: Option<(Timestamp, Timestamp)> = None;
        let mut followed: Option<Timestamp> = None;
        let mut older = seen(view);
        while let Some(action) = older.next().filter(|action| self.counts(action, &older, view)) {
            let due = action.at.plus(wait);
            let last = self.steps.last().is_some_and(|step| step.is(action, older.clone()));
            if last && followed.is_none_or(|at| at > due) {
                let Some(start) = self.start(action.at, older.clone(), view) else { break };
                holds = stretched(holds, (due, start.plus(self.within)));
                if let Some((_, end)) = holds.filter(|(from, _)| *from <= view.now) {
                    return (true, end.min(arrival));
                }
            }
            if self.absent.as_ref().is_some_and(|(step, _)| step.is(action, older.clone())) {
                followed = Some(action.at);
            }
        }
        (false, holds.map_or(arrival, |(from, _)| from.min(arrival)))
    }

    /// Whether the action is in the window and after whatever voids the sequence.
    fn counts<'a>(
        &self,
        action: &Action,
        older: &(impl Iterator<Item = &'a Action> + Clone),
        view: &View<'_>,
    ) -> bool {
        let voids = self.until.as_ref().is_some_and(|step| step.is(action, older.clone()));
        action.at.plus(self.within) > view.now && !voids
    }

    /// The instant of the first step, where the last one was met at `last`.
    fn start<'a>(
        &self,
        last: Timestamp,
        mut older: impl Iterator<Item = &'a Action> + Clone,
        view: &View<'_>,
    ) -> Option<Timestamp> {
        let mut wanted = self.steps.iter().rev().skip(1).peekable();
        let mut first = last;
        while let Some(step) = wanted.peek() {
            let action = older.next().filter(|action| self.counts(action, &older, view))?;
            if step.is(action, older.clone()) {
                first = action.at;
                wanted.next();
            }
        }
        Some(first)
    }
}

type Stretch = (Timestamp, Timestamp);

/// The earliest stretch so far, after one more that starts and ends no later than all of them.
fn stretched(known: Option<Stretch>, (from, end): Stretch) -> Option<Stretch> {
    if from >= end {
        return known;
    }
    match known {
        Some((later, last)) if later <= end => Some((from, last)),
        _ => Some((from, end)),
    }
}

fn is_arrival<'a>(action: &Action, mut older: impl Iterator<Item = &'a Action>) -> bool {
    let before = older.find(|action| !action.page.is_empty());
    !action.page.is_empty() && before.is_none_or(|before| before.page != action.page)
}

#[cfg(test)]
mod tests;
