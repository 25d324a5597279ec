//! Lines of one session in the order in which they were lived, life by life: a session that was
//! forgotten begins again with the numbers it had.

use crate::engine::tape::{Entry, Line};

/// The lives of one session, each in order. The lines may come from several segments and instances,
/// in any order.
pub fn lives(mut lines: Vec<Line>) -> Vec<Vec<Line>> {
    lines.sort_by_key(|line| line.at);
    let mut lives: Vec<Vec<Line>> = Vec::new();
    let mut over = true;
    for line in lines {
        let is_state = |line: &Line| matches!(line.entry, Entry::State(_));
        let born = is_state(&line) && line.seq == 0;
        // Two first steps at once may be told the wrong way round: without a state before it, what
        // came before a birth is part of that life.
        let begun = lives.last().is_some_and(|life: &Vec<Line>| life.iter().any(is_state));
        if over || (born && begun) {
            lives.push(Vec::new());
        }
        over = matches!(line.entry, Entry::Erase);
        if let Some(life) = lives.last_mut() {
            life.push(line);
        }
    }
    for life in &mut lives {
        let erased = life.pop_if(|line| matches!(line.entry, Entry::Erase));
        life.sort_by_key(Line::order);
        // The state of a later segment tells what the lines before it have told.
        life.extend(erased);
    }
    lives
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::session::Session;
    use crate::domain::time::Timestamp;
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
