//! What rules count across sessions: found in one session, kept with the person. The same batch, or
//! the same session, twice is once.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::action::Action;
use crate::domain::happened::{self, Happened};
use crate::domain::records::User;
use crate::domain::session::Session;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::Step;

/// What a session tells, each thing with the step it meets.
pub type History = Vec<(Arc<str>, Happened)>;

/// Which of the session's actions that are meant, by their place, meet one of these steps.
pub fn history(
    steps: &[Step],
    session: &Session,
    id: &str,
    is_meant: impl Fn(usize, &Action) -> bool,
) -> History {
    let actions = &session.actions;
    let mut history = History::new();
    for place in 0..if steps.is_empty() { 0 } else { actions.len() } {
        let Some(action) = actions.get(place).filter(|action| is_meant(place, action)) else {
            continue;
        };
        let met = steps.iter().filter(|step| step.is_met(actions, place));
        let number = session.action_count.saturating_sub((actions.len() - place) as u64);
        history.extend(met.map(|step| {
            (step.as_str().into(), Happened { at: action.at, mark: mark(id, number) })
        }));
    }
    history
}

/// The same for the same action of the same session, and hardly ever for two.
fn mark(session: &str, number: u64) -> u32 {
    let digest = Sha256::new().chain_update(session).chain_update(number.to_be_bytes()).finalize();
    digest.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Takes a history into the person's memory, where nothing older than `keep` stays; whether that
/// is news.
pub fn remember(user: &mut User, history: &History, keep: Span, now: Timestamp) -> bool {
    let mut news = false;
    for (step, happened) in history {
        let known = user.happened.entry(Arc::clone(step)).or_default();
        news |= happened::remember(known, *happened);
    }
    if news {
        let oldest = now.minus(keep);
        user.happened.values_mut().for_each(|known| known.retain(|one| one.at > oldest));
        user.happened.retain(|_, known| !known.is_empty());
        user.seq += 1;
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let mut session = Session { action_count: 7, ..Session::default() };
        for (at, kind, page) in
            [(1, "view", "/a"), (2, "export", "/a"), (2, "export", "/a"), (3, "view", "/b/1")]
        {
            session.actions.push_back(Action {
                at: Timestamp::from_millis(at),
                kind: kind.into(),
                title: "".into(),
                url: page.into(),
                page: page.into(),
                started: 0.0,
                ended: 0.0,
                forwarded: 0.0,
                properties: None,
            });
        }
        session
    }

    #[test]
    fn a_session_told_twice_counts_once_and_two_count_twice() {
        let (session, now) = (session(), Timestamp::from_millis(10));
        let steps = ["export", "/b/:id", "none"].map(Step::new);
        let (mut user, day) = (User::default(), Span::from_seconds(86_400));
        let of = |id, newest| history(&steps, &session, id, |place, _| place + newest >= 4);
        assert_eq!(of("s", 1).len(), 1, "the newest alone");
        for (told, news, exports) in [
            (of("s", 2), true, 1),
            (of("s", 4), true, 2),
            (of("s", 4), false, 2),
            (of("t", 4), true, 4),
            (Vec::new(), false, 4),
        ] {
            assert_eq!(remember(&mut user, &told, day, now), news);
            assert_eq!(user.happened["export"].len(), exports);
        }
        assert_eq!(user.happened["/b/:id"].len(), 2);
        let late = now.plus(day);
        assert!(remember(&mut user, &of("u", 1), Span::from_millis(1), late));
        assert!(user.happened.is_empty(), "what is older than is kept goes");
    }
}
