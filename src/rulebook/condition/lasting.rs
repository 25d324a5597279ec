//! What is counted across a person's sessions. Where the person is not known it is unknown, or in
//! an expression the default.

use crate::domain::happened::Happened;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::activity::{Counted, Tally, next_arrival};
use crate::rulebook::condition::arguments::Complaint;
use crate::rulebook::condition::detectors::first_time;
use crate::rulebook::condition::sequence::Step;
use crate::rulebook::condition::{Bound, Truth, View};

/// For how long a person is remembered when a workspace says nothing else.
pub const MEMORY: Span = Span::from_seconds(30 * 24 * 3_600);

impl<'a> View<'a> {
    /// Whether somebody vouches for who the person is.
    fn knows_person(&self) -> bool {
        self.session.identity.user_key().is_some()
    }

    fn remembered(&self, step: &str) -> &'a [Happened] {
        self.user.and_then(|user| user.happened.get(step)).map_or(&[], Vec::as_slice)
    }
}

/// What happened by now, newest first.
pub(in crate::rulebook::condition) fn each_remembered<'a>(
    step: &str,
    view: &View<'a>,
) -> impl Iterator<Item = Timestamp> + use<'a> {
    let now = view.now;
    view.remembered(step).iter().rev().map(|one| one.at).skip_while(move |at| *at > now)
}

/// The first that is still to come.
pub(in crate::rulebook::condition) fn next_remembered(step: &str, view: &View<'_>) -> Timestamp {
    let later = view.remembered(step).iter().find(|one| one.at > view.now);
    later.map_or(Timestamp::FOREVER, |one| one.at)
}

impl Tally {
    /// The number that stands for the unknown one: the outer `None` when nothing stands for
    /// anything, the inner when the number is unknown.
    pub(in crate::rulebook::condition) fn stand_in(&self, view: &View<'_>) -> Option<Option<i64>> {
        match &self.of {
            Counted::Remembered { default, .. } if !view.knows_person() => Some(*default),
            _ => None,
        }
    }
}

impl Bound {
    /// Whether a number is within it.
    pub(in crate::rulebook::condition) fn admits(self, number: i64) -> bool {
        match self {
            Self::AtLeast(least) => number >= least,
            Self::AtMost(most) => number <= most,
            Self::Exactly(wanted) => number == wanted,
            Self::Between(least, most) => (least..=most).contains(&number),
        }
    }
}

/// Whether this happened for the first time in all the person's sessions, as far as is remembered.
pub(in crate::rulebook::condition) fn first_ever(
    what: &Step,
    view: &View<'_>,
) -> (Truth, Timestamp) {
    if !view.knows_person() {
        return (Truth::Unknown, Timestamp::FOREVER);
    }
    let (here, until) = first_time(what, view);
    if here == Truth::False {
        return (here, until);
    }
    let step = what.as_str();
    let truth = match each_remembered(step, view).take(2).count() {
        // It happened before anybody began to remember it.
        0 => Truth::Unknown,
        1 => Truth::True,
        _ => Truth::False,
    };
    (truth, until.min(next_arrival(view)).min(next_remembered(step, view)))
}

/// A window over what is remembered must be more than nothing and no longer than it is kept.
pub(in crate::rulebook::condition) fn checked_memory(
    span: Span,
    memory: Span,
) -> Result<Span, Complaint> {
    if span.is_zero() {
        let help = "write for example `7d`".to_owned();
        return Err(("empty-window", "nothing happens in a window of no length".to_owned(), help));
    }
    if span > memory {
        let message = format!("a window of {span} is longer than people are remembered ({memory})");
        let help = format!("write `{memory}` or less, or raise `limits.ledger_ttl` in docent.yaml");
        return Err(("window-too-long", message, help));
    }
    Ok(span)
}
