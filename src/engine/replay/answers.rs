//! What people are taken to answer to offers that they may never have seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::time::{Span, Timestamp};
use crate::engine::replay::recording::{Recorded, What};

/// How long somebody looks at an offer before they answer.
const LOOK: Span = Span::from_seconds(5);
/// How long an accepted tour, or chat, goes on.
const GUIDANCE: Span = Span::from_seconds(60);

/// What becomes of offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assume {
    /// As recorded of this trigger in this session; ignored where nothing is.
    Recorded,
    /// Nobody answers.
    Ignored,
    /// "No thanks", after five seconds.
    Dismissed,
    /// "Yes", after five seconds; its tour, or the chat, is over a minute later.
    Accepted,
}

/// What is to happen, and how long after the offer.
pub(super) type Course = Vec<(Span, AgentEvent)>;

/// What was answered to each trigger's offers, in their order.
#[derive(Debug, Default)]
pub(super) struct Answers {
    recorded: BTreeMap<Arc<str>, Vec<Course>>,
    asked: BTreeMap<Arc<str>, usize>,
}

impl Answers {
    /// Those of one session.
    pub(super) fn of(recorded: &Recorded) -> Self {
        let mut answers = Self::default();
        let mut current: Option<(Arc<str>, Timestamp)> = None;
        for moment in &recorded.moments {
            match &moment.what {
                What::Offered(trigger) => {
                    answers.recorded.entry(Arc::clone(trigger)).or_default().push(Course::new());
                    current = Some((Arc::clone(trigger), moment.at));
                }
                What::Reported(_, event) if is_answer(event) => {
                    let Some((trigger, at)) = &current else { continue };
                    let courses = answers.recorded.get_mut(trigger);
                    if let Some(course) = courses.and_then(|courses| courses.last_mut()) {
                        course.push((moment.at.since(*at), AgentEvent::clone(event)));
                    }
                }
                _ => {}
            }
        }
        answers
    }

    /// What becomes of this offer.
    pub(super) fn to(&mut self, offer: &Offer, assume: Assume) -> Course {
        let look =
            LOOK.min(Span::from_millis(offer.expires_at.since(offer.made_at).as_millis() / 2));
        let then = look.plus(GUIDANCE);
        let tour = offer.tour.is_some();
        match assume {
            Assume::Ignored => Course::new(),
            Assume::Dismissed => vec![(look, AgentEvent::ProactiveDismissed)],
            Assume::Accepted if tour => {
                vec![(look, AgentEvent::ProactiveAcceptedTour), (then, AgentEvent::TourCompleted)]
            }
            Assume::Accepted => vec![
                (look, AgentEvent::ProactiveAcceptedChat),
                (then, AgentEvent::BotResponseCompleted),
            ],
            Assume::Recorded => {
                let asked = self.asked.entry(Arc::clone(&offer.trigger)).or_default();
                let courses = self.recorded.get(&offer.trigger);
                let course = courses.and_then(|known| known.get(*asked).or(known.last()));
                *asked += 1;
                course.cloned().unwrap_or_default()
            }
        }
    }
}

/// Whether an event answers an offer; the rest is about chats.
pub(super) const fn is_answer(event: &AgentEvent) -> bool {
    Outcome::of(event, false).is_some()
}
