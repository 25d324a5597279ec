//! Goals of offers: opened when an offer is made, moved when it is shown, reached by what the
//! person does in the same session. Each counts once.

use crate::domain::goal::{GOALS_KEPT, OpenGoal};
use crate::domain::offer::{Offer, Outcome};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;

/// An offer was made: its goal is open from now on.
pub(crate) fn open(session: &mut Session, offer: &Offer, now: Timestamp) {
    let Some(goal) = OpenGoal::of(offer) else { return };
    session.goals.retain(|goal| !goal.is_over(now));
    if session.goals.len() == GOALS_KEPT {
        session.goals.pop_front();
    }
    session.goals.push_back(goal);
}

/// An offer is on the screen: what is hoped for counts from here.
pub(crate) fn shown(session: &mut Session, offer: &str, now: Timestamp) {
    let open = session.goals.iter_mut().find(|goal| *goal.offer == *offer);
    open.into_iter().for_each(|goal| goal.since = now);
}

/// The person did something of this type: the goals that are reached by it go to `reached`.
pub(crate) fn reach(session: &mut Session, kind: &str, at: Timestamp, reached: &mut Vec<OpenGoal>) {
    let before = reached.len();
    session.goals.retain(|goal| {
        let is_it = goal.is_reached(kind, at);
        if is_it {
            reached.push(goal.clone());
        }
        !is_it
    });
    for goal in reached.iter().skip(before) {
        session.memory(&goal.trigger).outcomes.insert(Outcome::Reached, at);
    }
}
