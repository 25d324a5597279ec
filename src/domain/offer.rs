//! Offers: a trigger shown to one person, with an id and a life.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::goal::Goal;
use crate::domain::machine::AgentEvent;
use crate::domain::time::{Span, Timestamp};

/// One offer, with its own text and deadlines: a reload does not change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Derived from product, session, its sequence number and the trigger.
    pub id: Arc<str>,
    /// The rule that made it.
    pub trigger: Arc<str>,
    /// What the toast says.
    pub body: Arc<str>,
    /// The language of the body, as BCP 47, where the product has several.
    #[serde(default)]
    pub locale: Option<Arc<str>>,
    /// Accept, then dismiss; never blank.
    pub labels: Vec<Arc<str>>,
    /// The tour to start on acceptance.
    pub tour: Option<Arc<str>>,
    /// The conversation whose machine it moved.
    pub conversation: Arc<str>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it lapses unanswered.
    pub expires_at: Timestamp,
    /// The trigger's rest after this firing.
    pub cooldown: Span,
    /// What a builtin says about its match; an object, never null.
    pub metadata: Map<String, Value>,
    /// What the person is hoped to do.
    #[serde(default)]
    pub goal: Option<Goal>,
    /// Which of its rule's variants it is, where it has some.
    #[serde(default)]
    pub variant: Option<Arc<str>>,
    /// Whether it was made to a tester, and stays out of every figure.
    #[serde(default)]
    pub tester: bool,
    /// What its rule said of its life when it was made.
    #[serde(default)]
    pub terms: Terms,
}

/// What a rule says of its offer's life; a reload does not change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// No other of this group is offered meanwhile.
    pub group: Option<Arc<str>>,
    /// How long a snooze rests the trigger when the front end does not say.
    pub snooze: Option<Span>,
    /// How often in a row it may be snoozed; the next counts as a dismissal.
    pub most_snoozes: Option<u32>,
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// On the screen.
    Shown,
    /// Accepted, with or without a tour.
    Accepted,
    /// Closed by the person.
    Dismissed,
    /// Put off.
    Snoozed,
    /// Lapsed unanswered.
    Ignored,
    /// Its tour ran to the end.
    Completed,
    /// Its tour was left.
    Abandoned,
    /// Its tour could not go on.
    Failed,
    /// The person did what the offer hoped for, in time.
    Reached,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Shown,
        Self::Accepted,
        Self::Dismissed,
        Self::Snoozed,
        Self::Ignored,
        Self::Completed,
        Self::Abandoned,
        Self::Failed,
        Self::Reached,
    ];

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// The name in rules and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
            Self::Snoozed => "snoozed",
            Self::Ignored => "ignored",
            Self::Completed => "completed",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
            Self::Reached => "reached",
        }
    }

    /// What an event that counted says of the offer, if it speaks of one. `goes_on` says that the
    /// offer is not over: "don't show me help again" turns down the one on the screen, not a tour
    /// that runs.
    pub const fn of(event: &AgentEvent, goes_on: bool) -> Option<Self> {
        match event {
            AgentEvent::ProactiveShown => Some(Self::Shown),
            AgentEvent::ProactiveDismissed => Some(Self::Dismissed),
            AgentEvent::ProactiveSnoozed { .. } => Some(Self::Snoozed),
            AgentEvent::ProactiveAcceptedChat | AgentEvent::ProactiveAcceptedTour => {
                Some(Self::Accepted)
            }
            AgentEvent::TourCompleted => Some(Self::Completed),
            AgentEvent::TourAbandoned => Some(Self::Abandoned),
            AgentEvent::TourFailed { .. } => Some(Self::Failed),
            AgentEvent::ProactiveOptedOut if !goes_on => Some(Self::Dismissed),
            AgentEvent::ProactiveOptedOut
            | AgentEvent::ProactiveOptedIn
            | AgentEvent::UserSent
            | AgentEvent::BotResponseCompleted
            | AgentEvent::Reset => None,
        }
    }
}
