//! What one session tells of a person becomes part of their memory.

use std::sync::Arc;

use crate::domain::records::User;
use crate::domain::session::{Session, TriggerMemory};
use crate::domain::time::Timestamp;
use crate::engine::gates::DAY;

/// A session turned out to be this person's: its firings and outcomes are theirs. Twice is once.
pub fn adopt(user: &mut User, session: &Session, now: Timestamp) {
    user.seq += 1;
    user.fired.absorb(&session.fired, now, DAY);
    for (trigger, memory) in &session.triggers {
        merge(user.triggers.entry(Arc::clone(trigger)).or_default(), memory);
    }
}

fn merge(into: &mut TriggerMemory, from: &TriggerMemory) {
    into.fired = into.fired.max(from.fired);
    into.rests_until = into.rests_until.max(from.rests_until);
    for (outcome, at) in &from.outcomes {
        let last = into.outcomes.entry(*outcome).or_insert(*at);
        *last = (*last).max(*at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offer::Outcome;

    #[test]
    fn what_a_stranger_did_counts_once_they_are_known() {
        let at = Timestamp::from_millis;
        let mut session = Session::default();
        session.fired.charge(&"of_1".into(), at(5), DAY);
        let memory = session.memory(&"once".into());
        memory.fired = Some(at(5));
        memory.outcomes.insert(Outcome::Dismissed, at(9));
        let mut user = User::default();
        adopt(&mut user, &session, at(20));
        let once = user.clone();
        adopt(&mut user, &session, at(20));
        assert_eq!((&user.fired, &user.triggers), (&once.fired, &once.triggers), "twice is once");
        assert_eq!(user.triggers["once"].outcomes[&Outcome::Dismissed], at(9));
        assert!(user.fired.full_until(1, DAY, at(20)).is_some());
    }
}
