//! The agent state machine: five states, a strict table of events (an event counts only from its
//! listed state), and one deadline per state after which time alone leads back to thinking.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// What docent is doing in one conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Watching; the only state from which an offer may start.
    #[default]
    Thinking,
    /// The person is chatting.
    ReactiveAssistance,
    /// An offer is on the screen, unanswered.
    ProactiveAssistance,
    /// A tour is running.
    GuidanceExecution,
    /// Dismissed or abandoned; silent for a while.
    ConservativeAssistance,
}

impl AgentState {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thinking => "thinking",
            Self::ReactiveAssistance => "reactive_assistance",
            Self::ProactiveAssistance => "proactive_assistance",
            Self::GuidanceExecution => "guidance_execution",
            Self::ConservativeAssistance => "conservative_assistance",
        }
    }
}

/// What a front end reports with `POST /agent_state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum AgentEvent {
    /// The person sent a chat message.
    UserSent,
    /// The chatbot finished its reply.
    BotResponseCompleted,
    /// The offer is on the screen.
    ProactiveShown,
    /// The person closed the offer.
    ProactiveDismissed,
    /// "Later": the trigger rests for a while.
    ProactiveSnoozed {
        /// For how long; `None` leaves that to the trigger.
        rest: Option<Span>,
    },
    /// Accepted, chat only.
    ProactiveAcceptedChat,
    /// Accepted, a tour starts.
    ProactiveAcceptedTour,
    /// The tour ran to its end.
    TourCompleted,
    /// The person left the tour.
    TourAbandoned,
    /// The tour could not go on (a target is missing); not the person's doing.
    TourFailed {
        /// The step that failed, from zero.
        step: Option<u32>,
        /// The runner's own words.
        reason: Option<String>,
    },
    /// "Don't show me help again": nothing is offered to this person any more.
    ProactiveOptedOut,
    /// They want to be offered help again.
    ProactiveOptedIn,
    /// Forget this machine.
    Reset,
}

impl AgentEvent {
    /// Every event's name on the wire, in the order of the table.
    pub const NAMES: [&'static str; 13] = [
        "user_sent",
        "bot_response_completed",
        "proactive_shown",
        "proactive_dismissed",
        "proactive_snoozed",
        "proactive_accepted_chat",
        "proactive_accepted_tour",
        "tour_completed",
        "tour_abandoned",
        "tour_failed",
        "proactive_opted_out",
        "proactive_opted_in",
        "reset",
    ];

    /// The name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UserSent => "user_sent",
            Self::BotResponseCompleted => "bot_response_completed",
            Self::ProactiveShown => "proactive_shown",
            Self::ProactiveDismissed => "proactive_dismissed",
            Self::ProactiveSnoozed { .. } => "proactive_snoozed",
            Self::ProactiveAcceptedChat => "proactive_accepted_chat",
            Self::ProactiveAcceptedTour => "proactive_accepted_tour",
            Self::TourCompleted => "tour_completed",
            Self::TourAbandoned => "tour_abandoned",
            Self::TourFailed { .. } => "tour_failed",
            Self::ProactiveOptedOut => "proactive_opted_out",
            Self::ProactiveOptedIn => "proactive_opted_in",
            Self::Reset => "reset",
        }
    }
}

/// How long states last; the product's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachinePolicy {
    /// The first dismissal's silence.
    pub conservative_base: Span,
    /// What each further dismissal adds.
    pub conservative_step: Span,
    /// From this many dismissals on, silence lasts for the session; 0 means never.
    pub silent_after: u32,
    /// A chat whose reply never completed.
    pub stale_reactive: Span,
    /// A tour that never ended.
    pub stale_guidance: Span,
    /// Whether a typed chat message takes the place of a pending offer.
    pub typed_chat_overrides_offer: bool,
}

impl Default for MachinePolicy {
    /// 600 s, plus 300 s each, silent at the third (seed 2, SDK 0.7.3); stale after 300 s and 1800 s.
    fn default() -> Self {
        Self {
            conservative_base: Span::from_seconds(600),
            conservative_step: Span::from_seconds(300),
            silent_after: 3,
            stale_reactive: Span::from_seconds(300),
            stale_guidance: Span::from_seconds(1_800),
            typed_chat_overrides_offer: false,
        }
    }
}

/// One conversation's machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Where it stands.
    pub state: AgentState,
    /// Since when.
    pub since: Timestamp,
    /// When time alone leads back to thinking; absent in thinking, `FOREVER` for a session's rest.
    pub until: Option<Timestamp>,
    /// Dismissals and abandoned tours so far; never falls.
    pub dismissals: u32,
}

impl Machine {
    /// A machine that came to a state at `now`, after so many dismissals; the silence after one has
    /// had at least that one.
    pub fn begun(
        state: AgentState,
        dismissals: u32,
        policy: &MachinePolicy,
        now: Timestamp,
    ) -> Self {
        let silent = state == AgentState::ConservativeAssistance;
        let dismissals = if silent { dismissals.max(1) } else { dismissals };
        let mut machine = Self { dismissals, ..Self::default() };
        let until = machine.deadline(state, policy, now);
        machine.enter(state, until, now);
        machine
    }

    /// The state at `now`: a deadline that has come leads to thinking (inclusive), as of that
    /// deadline, whenever somebody looks. Returns the state that ended, if one did.
    pub fn settle(&mut self, now: Timestamp) -> Option<AgentState> {
        let until = self.until.filter(|until| *until <= now)?;
        let ended = self.state;
        self.enter(AgentState::Thinking, None, until);
        Some(ended)
    }

    /// An offer was made; it lapses at `expires`.
    pub fn offer(&mut self, expires: Timestamp, now: Timestamp) {
        self.enter(AgentState::ProactiveAssistance, Some(expires), now);
    }

    /// Applies an event at `now`, after settling. `true` when the table lists it for this state.
    pub fn apply(&mut self, event: &AgentEvent, policy: &MachinePolicy, now: Timestamp) -> bool {
        self.settle(now);
        if matches!(event, AgentEvent::Reset) {
            *self = Self { since: now, ..Self::default() };
            return true;
        }
        let Some(next) = next(self.state, event, policy) else { return false };
        if next == self.state {
            return true;
        }
        if next == AgentState::ConservativeAssistance {
            self.dismissals = self.dismissals.saturating_add(1);
        }
        let until = self.deadline(next, policy, now);
        self.enter(next, until, now);
        true
    }

    /// Whether this event leads from an offer, or from its tour, to where the machine stands: who
    /// says it again may have had no answer.
    pub fn is_led_by(&self, event: &AgentEvent, policy: &MachinePolicy) -> bool {
        let froms = [AgentState::ProactiveAssistance, AgentState::GuidanceExecution];
        froms.iter().any(|from| next(*from, event, policy) == Some(self.state))
    }

    fn deadline(
        &self,
        next: AgentState,
        policy: &MachinePolicy,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let after = |span: Span| (!span.is_zero()).then(|| now.plus(span));
        match next {
            AgentState::Thinking | AgentState::ProactiveAssistance => None,
            AgentState::ReactiveAssistance => after(policy.stale_reactive),
            AgentState::GuidanceExecution => after(policy.stale_guidance),
            AgentState::ConservativeAssistance => Some(self.silence(policy, now)),
        }
    }

    fn silence(&self, policy: &MachinePolicy, now: Timestamp) -> Timestamp {
        if policy.silent_after > 0 && self.dismissals >= policy.silent_after {
            return Timestamp::FOREVER;
        }
        let further = policy.conservative_step.times(self.dismissals.saturating_sub(1));
        now.plus(policy.conservative_base.plus(further))
    }

    fn enter(&mut self, state: AgentState, until: Option<Timestamp>, now: Timestamp) {
        self.state = state;
        self.since = now;
        self.until = until;
    }
}

/// The strict table (contract 3.3): the state an event leads to, `None` where it does not count. A
/// word on being offered anything always counts; one against it ends an open offer.
fn next(state: AgentState, event: &AgentEvent, policy: &MachinePolicy) -> Option<AgentState> {
    use AgentEvent as E;
    use AgentState as S;
    match (state, event) {
        (S::Thinking, E::UserSent) => Some(S::ReactiveAssistance),
        (S::ProactiveAssistance, E::UserSent) if policy.typed_chat_overrides_offer => {
            Some(S::ReactiveAssistance)
        }
        (S::ReactiveAssistance, E::BotResponseCompleted) => Some(S::Thinking),
        (S::ProactiveAssistance, E::ProactiveShown) => Some(S::ProactiveAssistance),
        (S::ProactiveAssistance, E::ProactiveDismissed) => Some(S::ConservativeAssistance),
        (S::ProactiveAssistance, E::ProactiveSnoozed { .. }) => Some(S::Thinking),
        (S::ProactiveAssistance, E::ProactiveAcceptedChat) => Some(S::ReactiveAssistance),
        (S::ProactiveAssistance, E::ProactiveAcceptedTour) => Some(S::GuidanceExecution),
        (S::GuidanceExecution, E::TourCompleted | E::TourFailed { .. }) => Some(S::Thinking),
        (S::GuidanceExecution, E::TourAbandoned) => Some(S::ConservativeAssistance),
        (S::ProactiveAssistance, E::ProactiveOptedOut) => Some(S::Thinking),
        (state, E::ProactiveOptedOut | E::ProactiveOptedIn) => Some(state),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    fn at(state: AgentState) -> Machine {
        Machine { state, since: T0, until: None, dismissals: 0 }
    }

    /// Contract 3.3, the strict rows, with our own three events below.
    #[test]
    fn an_event_counts_only_from_its_listed_state() {
        use AgentState as S;
        let states = [
            S::Thinking,
            S::ReactiveAssistance,
            S::ProactiveAssistance,
            S::GuidanceExecution,
            S::ConservativeAssistance,
        ];
        let snooze = AgentEvent::ProactiveSnoozed { rest: Some(Span::from_seconds(60)) };
        let failed = AgentEvent::TourFailed { step: None, reason: None };
        let table = [
            (AgentEvent::UserSent, S::Thinking, S::ReactiveAssistance),
            (AgentEvent::BotResponseCompleted, S::ReactiveAssistance, S::Thinking),
            (AgentEvent::ProactiveShown, S::ProactiveAssistance, S::ProactiveAssistance),
            (AgentEvent::ProactiveDismissed, S::ProactiveAssistance, S::ConservativeAssistance),
            (snooze, S::ProactiveAssistance, S::Thinking),
            (AgentEvent::ProactiveAcceptedChat, S::ProactiveAssistance, S::ReactiveAssistance),
            (AgentEvent::ProactiveAcceptedTour, S::ProactiveAssistance, S::GuidanceExecution),
            (AgentEvent::TourCompleted, S::GuidanceExecution, S::Thinking),
            (AgentEvent::TourAbandoned, S::GuidanceExecution, S::ConservativeAssistance),
            (failed, S::GuidanceExecution, S::Thinking),
        ];
        for (event, from, to) in &table {
            for state in states {
                let mut machine = at(state);
                let counted = machine.apply(event, &MachinePolicy::default(), T0);
                assert_eq!(counted, state == *from, "{} from {state:?}", event.name());
                assert_eq!(machine.state, if counted { *to } else { state });
            }
        }
    }

    #[test]
    fn a_word_on_being_offered_anything_counts_in_every_state() {
        use AgentState as S;
        let (out, back) = (AgentEvent::ProactiveOptedOut, AgentEvent::ProactiveOptedIn);
        for (from, event, to) in [
            (S::ProactiveAssistance, &out, S::Thinking),
            (S::ProactiveAssistance, &back, S::ProactiveAssistance),
            (S::Thinking, &out, S::Thinking),
            (S::ReactiveAssistance, &out, S::ReactiveAssistance),
            (S::GuidanceExecution, &out, S::GuidanceExecution),
            (S::ConservativeAssistance, &out, S::ConservativeAssistance),
            (S::ConservativeAssistance, &back, S::ConservativeAssistance),
        ] {
            let mut machine = at(from);
            assert!(machine.apply(event, &MachinePolicy::default(), T0));
            assert_eq!((machine.state, machine.dismissals), (to, 0), "{from:?} {}", event.name());
        }
    }

    #[test]
    fn silence_grows_with_each_dismissal_and_the_third_lasts() {
        let policy = MachinePolicy::default();
        let mut machine = Machine::default();
        for (dismissals, seconds) in [(1, Some(600)), (2, Some(900)), (3, None)] {
            machine.offer(Timestamp::FOREVER, T0);
            assert!(machine.apply(&AgentEvent::ProactiveDismissed, &policy, T0));
            let until = seconds.map_or(Timestamp::FOREVER, |s| T0.plus(Span::from_seconds(s)));
            assert_eq!((machine.dismissals, machine.until), (dismissals, Some(until)));
            machine.state = AgentState::Thinking;
        }
    }

    #[test]
    fn a_deadline_lifts_exactly_when_it_comes() {
        let mut machine = Machine::default();
        machine.offer(T0.plus(Span::from_seconds(60)), T0);
        assert_eq!(machine.settle(T0.plus(Span::from_millis(59_999))), None);
        assert_eq!(
            machine.settle(T0.plus(Span::from_seconds(60))),
            Some(AgentState::ProactiveAssistance)
        );
        assert_eq!(machine.state, AgentState::Thinking);
        assert_eq!(machine.dismissals, 0);
    }

    #[test]
    fn reset_forgets_an_endless_silence() {
        let policy = MachinePolicy { silent_after: 1, ..MachinePolicy::default() };
        let mut machine = Machine::default();
        machine.offer(Timestamp::FOREVER, T0);
        machine.apply(&AgentEvent::ProactiveDismissed, &policy, T0);
        assert_eq!(machine.until, Some(Timestamp::FOREVER));
        assert!(machine.apply(&AgentEvent::Reset, &policy, T0));
        assert_eq!(machine, Machine { since: T0, ..Machine::default() });
    }
}
