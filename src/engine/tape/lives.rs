//! The order in which what is told of one session was lived, life by life: a session that was
//! forgotten begins again with the numbers it had.

use crate::domain::time::Timestamp;
use crate::engine::tape::{Entry, Line};

/// The place of a step in a life: by the sequence number it saw, at each the state first, then what
/// left it as it was, then the step that changed it, by the number that it left. Recordings that do
/// not count have none, and time decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    /// The sequence number seen.
    pub seen: u64,
    /// 0 for a state, 1 for what changed nothing, 2 for a change.
    pub rank: u8,
    /// The sequence number left behind.
    pub left: u64,
}

/// What a step means for the life that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// A life begins with it.
    Birth,
    /// It tells how the session stands.
    State,
    /// It happened in it.
    Within,
    /// The life is over.
    End,
}

/// Something that is told of one session.
pub trait Step {
    /// When it was.
    fn at(&self) -> Timestamp;
    /// Its place in its life.
    fn number(&self) -> Number;
    /// What it means for that.
    fn bearing(&self) -> Bearing;
}

impl Step for Line {
    fn at(&self) -> Timestamp {
        self.at
    }

    fn number(&self) -> Number {
        let rank = match self.entry {
            Entry::State(_) => 0,
            _ if self.left == self.seq => 1,
            _ => 2,
        };
        Number { seen: self.seq, rank, left: self.left }
    }

    fn bearing(&self) -> Bearing {
        match self.entry {
            Entry::State(_) if self.seq == 0 => Bearing::Birth,
            Entry::State(_) => Bearing::State,
            Entry::Erase => Bearing::End,
            _ => Bearing::Within,
        }
    }
}

/// The lives of one session, each in order. The steps may come from several segments and instances,
/// in any order; those of one number and instant stay in the order given.
pub fn lives<S: Step>(mut steps: Vec<S>) -> Vec<Vec<S>> {
    steps.sort_by_key(Step::at);
    let mut lives: Vec<Vec<S>> = Vec::new();
    // Whether the last life is over, and whether it was told how it began.
    let (mut over, mut begun) = (true, false);
    for step in steps {
        let bearing = step.bearing();
        // Two first steps at once may be told the wrong way round: without a state before it, what
        // came before a birth is part of that life.
        if over || (bearing == Bearing::Birth && begun) {
            lives.push(Vec::new());
            begun = false;
        }
        over = bearing == Bearing::End;
        begun |= matches!(bearing, Bearing::Birth | Bearing::State);
        if let Some(life) = lives.last_mut() {
            life.push(step);
        }
    }
    for life in &mut lives {
        let end = life.pop_if(|step| step.bearing() == Bearing::End);
        life.sort_by_key(|step| (step.number(), step.at()));
        life.extend(end);
    }
    lives
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::session::Session;
    use crate::engine::tape::Settled;

    fn line(at: i64, seq: u64, left: u64, entry: Entry) -> Line {
        let (at, digest) = (Timestamp::from_millis(at), Arc::default());
        Line { at, product: "acme".into(), session: "ps_1".into(), seq, left, digest, entry }
    }

    #[test]
    fn a_forgotten_session_begins_again_and_clocks_may_differ_a_little() {
        let state = || Entry::State(Box::<Session>::default());
        let step = || Entry::Settle(Settled::default());
        let told = vec![
            line(9, 1, 2, step()),
            line(10, 0, 0, state()),
            line(10, 0, 1, step()),
            line(20, 2, 0, Entry::Erase),
            line(30, 0, 0, state()),
            line(30, 0, 1, step()),
            line(40, 1, 1, state()),
            line(39, 1, 1, step()),
        ];
        let lives = lives(told);
        let seen: Vec<Vec<(u64, u64)>> =
            lives.iter().map(|life| life.iter().map(|l| (l.seq, l.left)).collect()).collect();
        assert_eq!(
            seen,
            [vec![(0, 0), (0, 1), (1, 2), (2, 0)], vec![(0, 0), (0, 1), (1, 1), (1, 1)]]
        );
        assert!(matches!(lives[1][2].entry, Entry::State(_)));
    }
}
