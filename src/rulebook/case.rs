//! A rule's `tests:`, as read and checked. Running them is the engine's business.

use crate::domain::decision::Hold;
use crate::domain::time::Span;

/// One named timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// In order of time.
    pub timeline: Vec<Moment>,
}

/// One entry of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Since the start of the timeline.
    pub at: Span,
    /// What happens or is expected then.
    pub what: What,
    /// The line it is written on.
    pub line: usize,
}

/// What happens or is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The person opens a page.
    Page(String),
    /// The person does something.
    Act {
        /// `click`, `error`, …
        kind: String,
        /// What a person would call it.
        title: String,
        /// Where, when not on the current page.
        page: Option<String>,
        /// So many times at once.
        repeat: u32,
    },
    /// The front end reports an event.
    Event(String),
    /// A poll is expected to return this trigger.
    Fires(String),
    /// A poll is expected to stay silent, for this reason when one is written.
    Silent(Option<Hold>),
    /// Something becomes known of the person.
    Trait(String, serde_json::Value),
}
