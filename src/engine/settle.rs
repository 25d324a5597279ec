//! What time alone changes in a session: an unanswered offer lapses, a silence ends.

use crate::domain::machine::AgentState;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::is_own;
use crate::engine::memory::note;

/// Whether time has changed something by now that nobody has seen yet.
pub fn is_due(session: &Session, now: Timestamp) -> bool {
    session.machine.until.is_some_and(|until| until <= now)
}

/// Settles, and tells whose offer nobody answered, if that is what ended.
pub fn lapse(session: &mut Session, now: Timestamp) -> Option<Offer> {
    session.machine.until.filter(|until| *until <= now)?;
    let open = session.offer_where(is_own);
    let ended = settle(session, now);
    open.filter(|_| ended == Some(AgentState::ProactiveAssistance))
}

/// Brings the session's own machine to `now`. Repeatable: whoever looks later finds the same.
/// Returns the state that ended, if one did.
pub fn settle(session: &mut Session, now: Timestamp) -> Option<AgentState> {
    let due = session.machine.until?;
    let ended = session.machine.settle(now)?;
    session.seq += 1;
    let offer = session.offer.take_if(|offer| is_own(offer));
    if let Some(offer) = offer {
        session.groups.leave(&offer.id);
        if ended == AgentState::ProactiveAssistance {
            note(session.memory(&offer.trigger), &offer, Outcome::Ignored, due);
        }
    }
    Some(ended)
}
