//! What rules read of activity: clocks that run while a person stares, tallies over sliding
//! windows. Each tells not only its value but when time alone will change it.
//!
//! A window is half-open, `(now − w, now]`: what happened at `t` leaves it at exactly `t + w`. An
//! action later than `now` (the host's clock went back) is not seen before its time comes.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::domain::action::Action;
use crate::domain::page::{PagePattern, query_value};
use crate::domain::session::Visit;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::detectors::{self, DEAD_KINDS, EMPTY_KINDS, ERROR_KINDS};
use crate::rulebook::condition::lasting::{each_remembered, next_remembered};
use crate::rulebook::condition::needle::{Needle, Scope};
use crate::rulebook::condition::{Filter, Truth, View};

/// What `since` answers when there was no such action: 1,000,000,000 seconds, some thirty years.
/// So `since("error") < 60` does not hold of somebody who never saw an error, and arithmetic on
/// it does not overflow.
pub const NEVER_S: i64 = 1_000_000_000;

/// A time that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Since the person came to the current page; zero when no page is known.
    Dwell,
    /// Since the newest action; zero before the first.
    Idle,
    /// Since the first action; zero before it.
    Age,
    /// Since the newest action of a type; [`NEVER_S`] when there is none.
    Since(Arc<str>),
}

/// Something counted over a sliding window.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// What is counted.
    pub of: Counted,
    /// Over which window.
    pub within: Span,
}

/// What a tally counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Counted {
    /// Actions of a type.
    Actions {
        /// The type.
        kind: Arc<str>,
        /// A text in their title, if one is given.
        text: Option<Needle>,
        /// Where they happened.
        scope: Scope,
        /// Which of them, by their properties, if that is said.
        filter: Option<Box<Filter>>,
    },
    /// Actions of a type in all sessions of the person, as far as they are remembered.
    Remembered {
        /// The type.
        kind: Arc<str>,
        /// The number when the person is not known; unknown without one.
        default: Option<i64>,
    },
    /// Visits to a page, or to the current one. The visit under way always counts.
    Visits(Option<PagePattern>),
    /// Different pages. The current one always counts.
    Pages,
    /// Returns to the current page with exactly one other page between, at the instant of return.
    Returns,
    /// The client's signals, or, in a session without any, bursts of clicks.
    RageClicks,
    /// Actions that say something went wrong.
    Errors,
    /// Visits to the current page, at the instant each began.
    Arrivals,
    /// Returns after no longer a stay on the one page between.
    QuickBacks(Span),
    /// The client's signals of clicks that changed nothing.
    DeadClicks,
    /// Clicks that an error followed no later than this.
    ErrorClicks(Span),
    /// The client's signals of leaving, on the current page, so long after coming to it.
    ExitIntents(Span),
    /// Searches that found nothing.
    NoResults,
    /// Failures since the newest success.
    Failures {
        /// The type that fails.
        failure: Arc<str>,
        /// The type that ends the count.
        success: Arc<str>,
    },
}

impl Clock {
    fn started(&self, view: &View<'_>) -> Option<Timestamp> {
        let session = view.session;
        match self {
            Self::Dwell => session.place.as_ref().map(|place| place.since),
            Self::Idle => session.last_action,
            Self::Age => session.last_action.map(|_| session.first_seen),
            Self::Since(kind) => seen(view).find(|action| action.kind == *kind).map(|a| a.at),
        }
    }

    fn before_start(&self) -> Span {
        match self {
            Self::Since(_) => Span::from_seconds(NEVER_S),
            _ => Span::ZERO,
        }
    }

    fn cap(&self, view: &View<'_>) -> Timestamp {
        match self {
            Self::Since(_) => next_arrival(view),
            _ => Timestamp::FOREVER,
        }
    }

    /// Time passed by now.
    pub(in crate::rulebook::condition) fn elapsed(&self, view: &View<'_>) -> Span {
        self.started(view).map_or_else(|| self.before_start(), |start| view.now.since(start))
    }

    /// Whether at least `span` has passed, and until when that stands.
    pub(in crate::rulebook::condition) fn reached(
        &self,
        span: Span,
        view: &View<'_>,
    ) -> (bool, Timestamp) {
        let cap = self.cap(view);
        let Some(start) = self.started(view) else {
            return (self.before_start() >= span, cap);
        };
        let due = start.plus(span);
        if view.now >= due || span.is_zero() { (true, cap) } else { (false, due.min(cap)) }
    }

    /// Whole seconds passed, and until when that number stands.
    pub(in crate::rulebook::condition) fn seconds(&self, view: &View<'_>) -> (i64, Timestamp) {
        let cap = self.cap(view);
        let Some(start) = self.started(view) else {
            return (self.before_start().as_millis() / 1_000, cap);
        };
        let seconds = view.now.since(start).as_millis() / 1_000;
        let next = Span::from_seconds(seconds.saturating_add(1));
        (seconds, start.plus(next).min(cap))
    }
}

/// Whether at least so much time has passed since the newest action of a type. When there is none
/// that is kept it is unknown: there may have been one.
pub(in crate::rulebook::condition) fn since(
    kind: &Arc<str>,
    span: Span,
    view: &View<'_>,
) -> (Truth, Timestamp) {
    let clock = Clock::Since(Arc::clone(kind));
    let (passed, until) = clock.reached(span, view);
    (if clock.started(view).is_some() { passed.into() } else { Truth::Unknown }, until)
}

impl Tally {
    /// How many, and until when that number stands.
    pub(in crate::rulebook::condition) fn total(&self, view: &View<'_>) -> (i64, Timestamp) {
        if let Some(number) = self.stand_in(view) {
            return (number.unwrap_or(0), Timestamp::FOREVER);
        }
        let (mut total, mut until) = (0, self.arrival(view));
        self.each(view, false, &mut |leaves| {
            total += 1;
            until = until.min(leaves);
            ControlFlow::Continue(())
        });
        (total, until)
    }

    /// Whether of some it cannot be told that they count.
    pub fn is_vague(&self) -> bool {
        match &self.of {
            Counted::Actions { filter: Some(filter), .. } => !filter.certain,
            Counted::Remembered { default, .. } => default.is_none(),
            _ => false,
        }
    }

    /// The first that is still to come.
    fn arrival(&self, view: &View<'_>) -> Timestamp {
        match &self.of {
            Counted::Remembered { kind, .. } => next_remembered(kind, view),
            _ => next_arrival(view),
        }
    }

    /// How many more there would be if all counted that may.
    pub(in crate::rulebook::condition) fn doubtful(&self, view: &View<'_>) -> i64 {
        let mut all = 0;
        self.each(view, true, &mut |_| {
            all += 1;
            ControlFlow::Continue(())
        });
        all - self.total(view).0
    }

    /// When the `nth` newest (from one) leaves the window; `None` when there are fewer.
    fn nth(&self, nth: i64, view: &View<'_>, perhaps: bool) -> Option<Timestamp> {
        let (mut met, mut found) = (0, None);
        self.each(view, perhaps, &mut |leaves| {
            met += 1;
            if met < nth {
                return ControlFlow::Continue(());
            }
            found = Some(leaves);
            ControlFlow::Break(())
        });
        found
    }

    /// Whether there are at least `least`, and until when that stands.
    pub(in crate::rulebook::condition) fn reached(
        &self,
        least: i64,
        view: &View<'_>,
    ) -> (bool, Timestamp) {
        if least <= 0 {
            return (true, Timestamp::FOREVER);
        }
        let arrival = self.arrival(view);
        let leaves = self.nth(least, view, false);
        leaves.map_or((false, arrival), |leaves| (true, leaves.min(arrival)))
    }

    /// The same where some may or may not count: unknown when it hangs on those.
    pub(in crate::rulebook::condition) fn perhaps_reached(
        &self,
        least: i64,
        view: &View<'_>,
    ) -> (Truth, Timestamp) {
        let (met, until) = self.reached(least, view);
        if met {
            return (Truth::True, until);
        }
        let leaves = self.nth(least, view, true);
        leaves.map_or((Truth::False, until), |leaves| (Truth::Unknown, leaves.min(until)))
    }

    /// Whether there are so many, from `least` to `most`, and until when that stands.
    pub(in crate::rulebook::condition) fn between(
        &self,
        least: i64,
        most: i64,
        view: &View<'_>,
    ) -> (bool, Timestamp) {
        let (more, more_until) = self.reached(most.saturating_add(1), view);
        if more || most < 0 {
            return (false, more_until);
        }
        let (met, until) = self.reached(least, view);
        (met, until.min(more_until))
    }

    /// Hands over, newest first, when each counted thing that is in the window leaves it; with
    /// `perhaps`, also those of which it cannot be told that they count.
    fn each(&self, view: &View<'_>, perhaps: bool, take: Take<'_>) {
        let inside = &mut |at: Timestamp| {
            let leaves = at.plus(self.within);
            if leaves > view.now { take(leaves) } else { ControlFlow::Break(()) }
        };
        match &self.of {
            Counted::Actions { kind, text, scope, filter } => each_action(view, inside, |action| {
                action.kind == *kind
                    && scope.holds(action, view)
                    && text.as_ref().is_none_or(|text| text.is_in(&action.title))
                    && filter.as_ref().is_none_or(|filter| match filter.of(action) {
                        Truth::Unknown => perhaps,
                        truth => truth == Truth::True,
                    })
            }),
            Counted::Remembered { kind, .. } => {
                let _ = each_remembered(kind, view).try_for_each(inside);
            }
            Counted::Errors => detectors::each_of(&ERROR_KINDS, view, inside),
            Counted::DeadClicks => detectors::each_of(&DEAD_KINDS, view, inside),
            Counted::NoResults => detectors::each_of(&EMPTY_KINDS, view, inside),
            Counted::Visits(page) => each_visit(page.as_ref(), view, inside),
            Counted::Pages => each_page(view, inside),
            Counted::Arrivals => detectors::each_arrival(view, inside),
            Counted::Returns => detectors::each_return(None, view, inside),
            Counted::QuickBacks(stay) => detectors::each_return(Some(*stay), view, inside),
            Counted::RageClicks => detectors::each_rage_click(view, inside),
            Counted::ErrorClicks(gap) => detectors::each_error_click(*gap, view, inside),
            Counted::ExitIntents(after) => detectors::each_exit_intent(*after, view, inside),
            Counted::Failures { failure, success } => {
                detectors::each_failure(failure, success, view, inside);
            }
        }
    }
}

/// Takes an instant; breaks when it has had enough.
pub(in crate::rulebook::condition) type Take<'t> = &'t mut dyn FnMut(Timestamp) -> ControlFlow<()>;

/// Hands over the instants of the wanted actions, newest first.
pub(in crate::rulebook::condition) fn each_action(
    view: &View<'_>,
    take: Take<'_>,
    wanted: impl Fn(&Action) -> bool,
) {
    let _ = seen(view).filter(|action| wanted(action)).try_for_each(|action| take(action.at));
}

fn each_visit(page: Option<&PagePattern>, view: &View<'_>, take: Take<'_>) {
    let here = view.session.page();
    let wanted = |found: &str| page.map_or(found == here, |pattern| pattern.matches(found));
    let stays = view.session.place.is_some() && wanted(here);
    if stays && take(Timestamp::FOREVER).is_break() {
        return;
    }
    let _ = earlier_visits(view).filter(|v| wanted(v.page)).try_for_each(|v| take(v.end));
}

fn each_page(view: &View<'_>, take: Take<'_>) {
    let here = view.session.page();
    let mut met = Vec::new();
    if view.session.place.is_some() {
        met.push(here);
        if take(Timestamp::FOREVER).is_break() {
            return;
        }
    }
    for visit in earlier_visits(view) {
        if met.contains(&visit.page) {
            continue;
        }
        met.push(visit.page);
        if take(visit.end).is_break() {
            return;
        }
    }
}

/// Until when the absence or presence of actions stands by itself: the first one still to come.
pub(in crate::rulebook::condition) fn next_arrival(view: &View<'_>) -> Timestamp {
    let later = view.session.actions.iter().rev().take_while(|action| action.at > view.now);
    later.last().map_or(Timestamp::FOREVER, |action| action.at)
}

/// A parameter of the URL of the newest action on the current page, and until when it stands. What
/// a session tells of its place has no parameters.
pub(in crate::rulebook::condition) fn parameter<'a>(
    name: &str,
    view: &View<'a>,
) -> (Option<Cow<'a, str>>, Timestamp) {
    let newest = seen(view).find(|action| !action.page.is_empty());
    let here = newest.filter(|action| *action.page == *view.session.page());
    (here.and_then(|action| query_value(&action.url, name)), next_arrival(view))
}

/// Actions by now, newest first.
pub(in crate::rulebook::condition) fn seen<'a>(
    view: &View<'a>,
) -> impl Iterator<Item = &'a Action> + Clone {
    let now = view.now;
    view.session.actions.iter().rev().skip_while(move |action| action.at > now)
}

/// Visits before the one under way.
pub(in crate::rulebook::condition) fn earlier_visits<'a>(
    view: &View<'a>,
) -> impl Iterator<Item = Visit<'a>> {
    let here = view.session.place.as_ref().map(|place| &*place.page);
    let mut visits = view.session.visits(view.now).peekable();
    let _ = visits.next_if(|visit| here == Some(visit.page));
    visits
}
