//! One session on its way through a replay: what comes next, and when its front end polls.

use std::collections::VecDeque;

use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::AgentEvent;
use crate::domain::session::Session;
use crate::domain::time::{Span, Timestamp};
use crate::engine::replay::answers::{Answers, Course};
use crate::engine::replay::recording::{Moment, Recorded};
use crate::engine::replay::{Play, Played};
use crate::engine::world::Resident;
use crate::rulebook::settings::Limits;

/// A session that is lived through.
pub(super) struct Seat<'r> {
    pub(super) recorded: &'r Recorded,
    pub(super) resident: Resident,
    pub(super) answers: Answers,
    pub(super) played: Played,
    /// What the last poll was held by.
    pub(super) last_held: Option<Decision>,
    moments: std::slice::Iter<'r, Moment>,
    due: VecDeque<(Timestamp, AgentEvent)>,
    polls: Polls,
    written: Timestamp,
}

/// When a front end polls whose polls are not recorded.
#[derive(Clone, Copy, Debug, Default)]
struct Polls {
    /// The last batch: polls come at whole intervals from it.
    from: Timestamp,
    /// The page is taken to be closed then.
    until: Timestamp,
    next: Option<Timestamp>,
}

/// What comes next in a session.
pub(super) enum Next<'r> {
    Heard(&'r Moment),
    Answer(AgentEvent),
    Poll,
}

impl<'r> Seat<'r> {
    pub(super) fn new(recorded: &'r Recorded) -> Self {
        Self {
            recorded,
            resident: Resident::new(&recorded.id),
            answers: Answers::of(recorded),
            played: Played::default(),
            last_held: None,
            moments: recorded.moments.iter(),
            due: VecDeque::new(),
            polls: Polls::default(),
            written: recorded.start(),
        }
    }

    /// When the next thing happens; of one instant what was heard first, polls last.
    pub(super) fn when(&self) -> Option<Timestamp> {
        let heard = self.moments.as_slice().first().map(|moment| moment.at);
        let due = self.due.front().map(|(at, _)| *at);
        heard.into_iter().chain(due).chain(self.polls.next).min()
    }

    /// Takes the next thing.
    pub(super) fn take(&mut self, now: Timestamp) -> Next<'r> {
        if let Some(moment) = self.moments.as_slice().first().filter(|moment| moment.at == now) {
            self.moments.next();
            return Next::Heard(moment);
        }
        match self.due.front() {
            Some((at, _)) if *at == now => match self.due.pop_front() {
                Some((_, event)) => Next::Answer(event),
                None => Next::Poll,
            },
            _ => Next::Poll,
        }
    }

    /// What time has taken, as the store would have: activity first, then everything.
    pub(super) fn age(&mut self, limits: &Limits, now: Timestamp) {
        let age = now.since(self.written);
        if age >= limits.ledger_ttl {
            self.resident = Resident::new(&self.recorded.id);
            self.written = now;
        } else if age >= limits.session_ttl {
            self.resident.session.strip_activity();
        }
    }

    /// It stood so when its recording began; later it stands as it came to.
    pub(super) fn stand(&mut self, state: &Session) {
        if self.resident.session.seq == 0 {
            self.resident.session = state.clone();
        }
    }

    /// It was removed, and begins again with nothing.
    pub(super) fn forget(&mut self) {
        self.resident = Resident::new(&self.recorded.id);
        (self.last_held, self.polls) = (None, Polls::default());
        self.due.clear();
    }

    /// Nothing more happens in it; what it held is given back.
    pub(super) fn leave(&mut self) {
        self.resident = Resident::new(&self.recorded.id);
        self.answers = Answers::default();
    }

    /// Something was written.
    pub(super) fn wrote(&mut self, now: Timestamp) {
        self.written = now;
    }

    /// A batch came: the page is open, and its front end asks at once.
    pub(super) fn attend(&mut self, play: &Play<'_>, now: Timestamp) {
        if !self.recorded.polled {
            self.polls = Polls { from: now, until: now.plus(play.linger), next: Some(now) };
        }
    }

    /// The state changed without a batch; the next poll sees it.
    pub(super) fn changed(&mut self, play: &Play<'_>, now: Timestamp) {
        self.poll_from(play, now);
    }

    /// A poll was answered. Where nobody else's doing matters (`alone`), polls that cannot come to
    /// anything else are passed over.
    pub(super) fn polled(
        &mut self,
        play: &Play<'_>,
        (decision, alone): (&Decision, bool),
        now: Timestamp,
    ) {
        let holds = alone && matches!(decision.verdict, Verdict::Hold(_) | Verdict::Redeliver);
        let earliest = if holds { decision.changes() } else { now };
        self.poll_from(play, earliest.max(now.plus(Span::from_millis(1))));
    }

    /// The next poll is the first at or after this instant.
    fn poll_from(&mut self, play: &Play<'_>, earliest: Timestamp) {
        let Polls { from, until, .. } = self.polls;
        if self.recorded.polled || until == Timestamp::default() {
            return;
        }
        let every = play.poll_every.as_millis().max(1);
        let steps = (earliest.since(from).as_millis() + (every - 1)) / every;
        let next = from.plus(Span::from_millis(steps.saturating_mul(every)));
        self.polls.next = Some(next).filter(|next| *next < until);
    }

    /// What is going to become of the offer just made.
    pub(super) fn expect(&mut self, course: Course, now: Timestamp) {
        let due = course.into_iter().map(|(after, event)| (now.plus(after), event));
        // An earlier offer is over, and what would have come of it with it.
        self.due = due.collect();
    }
}
