//! A decision remembered beside the session it was made for, so that a poll costs nothing while
//! nothing changes. It is no part of the session: never stored, and equal to every other.

use std::sync::Arc;

use crate::domain::decision::Decision;
use crate::domain::time::Timestamp;

/// Sequence numbers of what a decision saw: the session, the person's memory, their account's.
pub type Seen = [u64; 3];

/// The last decision about a session's own conversation, if one is remembered.
#[derive(Clone, Debug, Default)]
pub struct LastAnswer(Option<Answered>);

#[derive(Clone, Debug)]
struct Answered {
    digest: Arc<str>,
    seq: Seen,
    at: Timestamp,
    decision: Decision,
}

impl LastAnswer {
    /// The decision of this rulebook about what has these sequence numbers, while it stands. A clock
    /// that went back knows of none.
    pub fn recall(&self, digest: &str, seq: Seen, now: Timestamp) -> Option<Decision> {
        let last = self.0.as_ref()?;
        let same = last.seq == seq && last.at <= now && now < last.decision.changes();
        (same && *last.digest == *digest).then_some(last.decision)
    }

    /// When the remembered decision was made.
    pub fn made_at(&self) -> Option<Timestamp> {
        self.0.as_ref().map(|last| last.at)
    }

    /// Remembers a decision made at `at`.
    pub fn keep(&mut self, digest: &Arc<str>, seq: Seen, at: Timestamp, decision: Decision) {
        self.0 = Some(Answered { digest: Arc::clone(digest), seq, at, decision });
    }
}

/// Two sessions do not differ by what somebody has asked.
impl PartialEq for LastAnswer {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::{Hold, Shadow, Verdict};

    #[test]
    fn an_answer_stands_for_its_rulebook_its_state_and_its_time() {
        let at = Timestamp::from_millis;
        let verdict = Verdict::Hold(Hold::NoTrigger);
        let (until, shadow) = (at(200), Shadow::NONE);
        let decision = Decision { verdict, rule: None, cap: None, until, shadow };
        let mut last = LastAnswer::default();
        assert_eq!(last.recall("d", [7, 2, 5], at(100)), None);
        last.keep(&"d".into(), [7, 2, 5], at(100), decision);
        for (digest, seq, now, known) in [
            ("d", [7, 2, 5], 100, true),
            ("d", [7, 2, 5], 199, true),
            ("d", [7, 2, 5], 200, false),
            ("d", [7, 2, 5], 99, false),
            ("d", [8, 2, 5], 150, false),
            ("d", [7, 3, 5], 150, false),
            ("d", [7, 2, 6], 150, false),
            ("e", [7, 2, 5], 150, false),
        ] {
            let expected = known.then_some(decision);
            assert_eq!(last.recall(digest, seq, at(now)), expected, "{digest} {seq:?} {now}");
        }
    }
}
