//! Tests of rules, as read and checked. Running them is the engine's business.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::decision::Hold;
use crate::domain::machine::{AgentEvent, AgentState};
use crate::domain::time::Span;
use crate::rulebook::rule::Rule;
use crate::rulebook::schedule::Point;
use crate::rulebook::settings::Proactive;

/// The session that a timeline is about.
pub const SESSION: &str = "ps_1";

/// One named timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// The line it begins on.
    pub line: usize,
    /// What stands when it starts.
    pub given: Given,
    /// In order of time.
    pub timeline: Vec<Moment>,
}

/// What stands when a timeline starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// When its timeline starts; by the product's clock, where no offset is written.
    pub now: Option<Point>,
    /// The browser's time zone.
    pub timezone: Option<String>,
    /// The product's own id of the person.
    pub user: Option<String>,
    /// Their e-mail.
    pub email: Option<String>,
    /// The browser's language.
    pub locale: Option<String>,
    /// What is known of them.
    pub traits: Map<String, Value>,
    /// The company or workspace they belong to.
    pub account: Option<String>,
    /// What is known of that.
    pub account_traits: Map<String, Value>,
    /// Where the agent stands, since this instant.
    pub state: Option<AgentState>,
    /// Dismissals and abandoned tours so far; at least one when the state is the silence after one.
    pub dismissals: Option<u32>,
    /// Whether the person is a tester.
    pub tester: bool,
    /// The bucket of every draw; in every rollout, no control group and the first variant if none.
    pub bucket: Option<u16>,
    /// The gates' settings, where the test has its own.
    pub proactive: Option<Box<Proactive>>,
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
        /// What else is told of it, by name.
        properties: Map<String, Value>,
        /// Where, when not on the current page.
        page: Option<String>,
        /// So many times at once.
        repeat: u32,
    },
    /// The front end reports an event.
    Event {
        /// With its members.
        event: AgentEvent,
        /// Whether the state machine is expected to heed it.
        counts: bool,
    },
    /// A poll is expected to make an offer.
    Fires(Offered),
    /// A poll is expected to note that this shadow trigger would have been offered.
    Shadows(String),
    /// A poll is expected to stay silent.
    Silent(Quiet),
    /// The goal of a trigger's offer is expected to have been reached by now, or not.
    Goal {
        /// The trigger.
        trigger: String,
        /// Whether it has.
        reached: bool,
    },
    /// Something becomes known of the person.
    Trait(String, Value),
    /// The person is identified by the product's own id.
    User(String),
    /// The person's e-mail becomes known.
    Email(String),
    /// The account the person belongs to becomes known.
    Account(String),
    /// Something becomes known of that account.
    AccountTrait(String, Value),
    /// A new revision comes into force: these rules, by their ids, in place of what they were.
    Reload(Vec<Arc<Rule>>),
}

/// The offer that is expected; what is absent is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// The trigger that makes it.
    pub trigger: String,
    /// What the toast says.
    pub body: Option<String>,
    /// Its buttons.
    pub labels: Option<Vec<String>>,
    /// The tour behind it.
    pub tour: Option<String>,
    /// The variant it is.
    pub variant: Option<String>,
}

/// The silence that is expected; what is absent is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quiet {
    /// Why.
    pub hold: Option<Hold>,
    /// The skip reason of the cap that holds, where the test names one.
    pub cap: Option<Arc<str>>,
    /// How long it stands without new activity; [`Span::FOREVER`] for good.
    pub next: Option<Span>,
    /// Words of a clause that does not hold.
    pub clause: Option<String>,
}

/// One file of tests of a product's whole rulebook.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Relative to the workspace.
    pub file: Arc<str>,
    /// In the order written.
    pub cases: Arc<[Case]>,
}
