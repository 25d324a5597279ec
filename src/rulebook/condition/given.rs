//! Timelines for the tests of conditions.

use crate::domain::action::Action;
use crate::domain::session::{Place, Session};
use crate::domain::text::Shared;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::{Truth, View, read_expression};
use crate::rulebook::settings::Activity;

pub(in crate::rulebook::condition) const LIMITS: Activity =
    Activity { keep: Span::from_seconds(1_800), max_actions: 200 };

pub(in crate::rulebook::condition) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

/// `(seconds, type, title, page)`
pub(in crate::rulebook::condition) fn session(steps: &[(f64, &str, &str, &str)]) -> Session {
    let mut session = Session { first_seen: at(steps[0].0), ..Session::default() };
    for (seconds, kind, title, page) in steps {
        let now = at(*seconds);
        let stays = session.place.as_ref().filter(|place| *place.page == **page);
        let since = stays.map_or(now, |place| place.since);
        let (page, title): (Shared, Shared) = ((*page).into(), (*title).into());
        session.place =
            Some(Place { page: page.clone(), url: page.clone(), title: title.clone(), since });
        session.actions.push_back(Action {
            at: now,
            kind: (*kind).into(),
            title,
            url: page.clone(),
            page,
            started: *seconds,
            ended: *seconds,
            forwarded: *seconds,
            properties: None,
        });
        session.last_action = Some(now);
        session.action_count += 1;
    }
    session
}

pub(in crate::rulebook::condition) fn visits(pages: &[(f64, &str)]) -> Session {
    let steps: Vec<_> = pages.iter().map(|(at, page)| (*at, "pageview", "", *page)).collect();
    session(&steps)
}

/// Until when it stands, in seconds, with its truth.
pub(in crate::rulebook::condition) fn ask(
    source: &str,
    session: &Session,
    seconds: f64,
) -> (bool, Option<f64>) {
    let condition = read_expression(source, &LIMITS).unwrap();
    let answer =
        condition.answer(&View { session, user: None, account: None, now: at(seconds) }).unwrap();
    let until = Some(answer.until).filter(|until| *until != Timestamp::FOREVER);
    (answer.truth == Truth::True, until.map(Timestamp::as_seconds))
}

/// What is asked, at which second, and the truth with until when it stands.
type Question<'q> = (&'q str, f64, (bool, Option<f64>));

/// Asks each question of the session and holds the answer against what is expected.
pub(in crate::rulebook::condition) fn expect(session: &Session, table: &[Question<'_>]) {
    for (source, seconds, expected) in table {
        assert_eq!(ask(source, session, *seconds), *expected, "{source} at {seconds}");
    }
}
