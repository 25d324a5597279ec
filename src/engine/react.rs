//! Reactions: what a front end's event does to a machine and to what a session remembers.

use crate::domain::consent::Consent;
use crate::domain::machine::{AgentEvent, AgentState, Machine, MachinePolicy};
use crate::domain::offer::{Offer, Outcome};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::is_own;
use crate::engine::goals;
use crate::engine::memory::{note, put_off};
use crate::engine::settle::{lapse, settle};

/// What an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The state before, settled.
    pub from: AgentState,
    /// The state after.
    pub to: AgentState,
    /// Until when the offer that the event is about stays live; `None` when it is over.
    pub goes_on: Option<Timestamp>,
    /// Why nothing happened, if nothing did.
    pub unheard: Option<Unheard>,
}

/// Why an event did not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// The table does not list it for this state.
    InvalidTransition,
    /// It names an offer that is not current.
    StaleOffer,
    /// A person's word in a conversation that no session is known of: nobody knows who said it.
    UnknownSession,
}

impl Unheard {
    /// The reason on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidTransition => "invalid_transition",
            Self::StaleOffer => "stale_offer",
            Self::UnknownSession => "unknown_session",
        }
    }
}

/// What an event in the session's own conversation came to, and the offers that it tells about.
#[derive(Clone, Debug, PartialEq)]
pub struct Hearing {
    /// What it came to.
    pub reaction: Reaction,
    /// The offer that it is about.
    pub subject: Option<Offer>,
    /// An offer whose time had run out by then.
    pub lapsed: Option<Offer>,
}

/// Hears an event for the session's own conversation.
pub fn hear(
    session: &mut Session,
    event: &AgentEvent,
    offer: Option<&str>,
    policy: &MachinePolicy,
    now: Timestamp,
) -> Hearing {
    let lapsed = lapse(session, now);
    let subject = session.offer_where(is_own);
    let reaction = react(session, event, offer, policy, now);
    Hearing { reaction, subject, lapsed }
}

/// An event for the session's own conversation.
pub fn react(
    session: &mut Session,
    event: &AgentEvent,
    offer: Option<&str>,
    policy: &MachinePolicy,
    now: Timestamp,
) -> Reaction {
    settle(session, now);
    let own = session.offer.as_ref().filter(|offer| is_own(offer));
    let current = own.map(|offer| &*offer.id);
    let reaction = move_machine(&mut session.machine, current, event, offer, policy, now);
    if reaction.unheard.is_none() {
        remember(session, event, is_own, reaction.goes_on, now);
    }
    reaction
}

/// Moves one machine; `current` is the offer that it is about, `named` the one the event names.
pub fn move_machine(
    machine: &mut Machine,
    current: Option<&str>,
    event: &AgentEvent,
    named: Option<&str>,
    policy: &MachinePolicy,
    now: Timestamp,
) -> Reaction {
    machine.settle(now);
    let from = machine.state;
    let is_word = Consent::said(event, now).is_some();
    if named.is_some() && named != current && !is_word {
        return Reaction { from, to: from, goes_on: None, unheard: Some(Unheard::StaleOffer) };
    }
    let counted = machine.apply(event, policy, now);
    let unheard = (!counted).then_some(Unheard::InvalidTransition);
    let live = [AgentState::ProactiveAssistance, AgentState::GuidanceExecution];
    let goes_on =
        live.contains(&machine.state).then(|| machine.until.unwrap_or(Timestamp::FOREVER));
    Reaction { from, to: machine.state, goes_on, unheard }
}

/// Writes into the session what an event that counted says of its offer, if it is the one meant,
/// and until when that `goes_on`, if it does.
pub fn remember(
    session: &mut Session,
    event: &AgentEvent,
    is_meant: impl Fn(&Offer) -> bool,
    goes_on: Option<Timestamp>,
    now: Timestamp,
) {
    session.seq += 1;
    session.consent = session.consent.max(Consent::said(event, now));
    let Some(offer) = session.offer_where(is_meant) else { return };
    match goes_on {
        Some(until) => session.groups.go_on(&offer.id, until),
        None => {
            session.offer = None;
            session.groups.leave(&offer.id);
        }
    }
    let Some(outcome) = Outcome::of(event, goes_on.is_some()) else { return };
    let memory = session.memory(&offer.trigger);
    note(memory, &offer, outcome, now);
    if outcome == Outcome::Shown {
        goals::shown(session, &offer.id, now);
        return;
    }
    if let Some(until) = put_off(&offer, event, now) {
        memory.rests_until = Some(until);
    }
}
