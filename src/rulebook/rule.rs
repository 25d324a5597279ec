//! A rule as checked: what a trigger is after every reference is resolved and every unit read.

use std::sync::Arc;

use crate::domain::goal::Goal;
use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::arms::{Arms, Variant};
use crate::rulebook::builtin::Builtin;
use crate::rulebook::case::Case;
use crate::rulebook::condition::Condition;
use crate::rulebook::condition::spelling::Spelling;
use crate::rulebook::pacing::Pacing;
use crate::rulebook::schedule::Schedule;
use crate::rulebook::template::Text;

/// How long an offer waits for an answer unless its rule or tour says otherwise.
pub const OFFER_TIMEOUT: Span = Span::from_seconds(60);
/// How long a trigger rests after firing unless its rule or tour says otherwise (SDK 0.13.0).
pub const COOLDOWN: Span = Span::from_seconds(30);

/// One trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Stable; state and analytics hang on it.
    pub id: Arc<str>,
    /// For people; the id when none is written.
    pub name: String,
    /// Whom to ask.
    pub owner: Option<String>,
    /// 0 to 100, higher first.
    pub priority: u8,
    /// Whether and how it takes part.
    pub mode: Mode,
    /// Where it may be offered; empty means anywhere.
    pub pages: Vec<PagePattern>,
    /// When it matches.
    pub when: When,
    /// The condition in its author's words; empty for a builtin.
    pub spelling: Arc<Spelling>,
    /// What it offers.
    pub offer: Copy,
    /// When it may be offered by the calendar and the clock; at any time when none is written.
    pub schedule: Option<Schedule>,
    /// Who gets it.
    pub arms: Arms,
    /// Rest after a firing, per user, else per session.
    pub again_after: Option<Span>,
    /// How often it may come, and whom it leaves alone.
    pub pacing: Pacing,
    /// What its offers hope that the person will do.
    pub goal: Option<Goal>,
    /// Ask the model before firing.
    pub judge: bool,
    /// Where it is written.
    pub written: Written,
    /// Its `tests:`.
    pub cases: Arc<[Case]>,
}

/// What makes a rule match.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// A condition tree, from leaves or from a Rhai expression.
    Condition(Condition),
    /// One of the published SDK's detectors.
    Builtin(Builtin),
}

/// Whether and how a rule takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Offered.
    #[default]
    Live,
    /// Being tried out: decided as if it were live, noted and counted, never shown, never charged.
    Shadow,
    /// Being written.
    Draft,
    /// Switched off.
    Paused,
}

/// What a rule offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// At most 150 characters; absent only for a builtin, which then speaks the SDK's words.
    pub body: Option<Text>,
    /// Accept, then dismiss; empty for a builtin that brings its own.
    pub labels: Vec<Text>,
    /// A tour of the catalogue.
    pub tour: Option<Arc<str>>,
    /// How long it waits for an answer.
    pub timeout: Span,
    /// How long the trigger rests after firing, per session.
    pub cooldown: Span,
    /// Ways to say it that are compared; of each the bucket decides who sees it.
    pub variants: Vec<Variant>,
}

impl Copy {
    /// Everything that is said to a person.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.body.iter().chain(&self.labels)
    }
}

impl Rule {
    /// What is offered to one person or another: the variants where there are some.
    pub fn copies(&self) -> impl Iterator<Item = &Copy> {
        let plain = self.offer.variants.is_empty().then_some(&self.offer);
        plain.into_iter().chain(self.offer.variants.iter().map(|variant| &variant.copy))
    }

    /// Everything that is said to one person or another.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.copies().flat_map(Copy::texts)
    }
}

/// Where something is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Relative to the workspace.
    pub file: Arc<str>,
    /// From one.
    pub line: usize,
}
