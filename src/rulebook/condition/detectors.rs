//! Detectors: signs that somebody is stuck, each with its published defaults. Those that count
//! are in one table; the client's own signals are types of actions.

use crate::domain::action::Action;
use crate::domain::session::Visit;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::condition::activity::{
    Counted, Take, each_action, earlier_visits, next_arrival, seen,
};
use crate::rulebook::condition::sequence::Step;
use crate::rulebook::condition::vocabulary::WINDOW;
use crate::rulebook::condition::{Truth, View};

/// Types that say that something went wrong.
pub(in crate::rulebook::condition) const ERROR_KINDS: [&str; 4] =
    ["error", "form_error", "exception", "$exception"];
/// Types of the client's dead click signal.
pub(in crate::rulebook::condition) const DEAD_KINDS: [&str; 2] = ["dead_click", "$dead_click"];
/// Types of a search that found nothing.
pub(in crate::rulebook::condition) const EMPTY_KINDS: [&str; 2] =
    ["no_results", "search_no_results"];
const RAGE_KINDS: [&str; 2] = ["rage_click", "$rageclick"];
const EXIT_KINDS: [&str; 2] = ["exit_intent", "$exit_intent"];
const FOCUS_KINDS: [&str; 2] = ["focus", "field_focus"];
const FIELD_ERROR_KINDS: [&str; 2] = ["form_error", "validation_error"];
const SCROLL_KINDS: [&str; 3] = ["scroll", "$scroll", "scroll_depth"];
/// Clicks of one burst follow each other faster than this (PostHog's rage click, field.md 2.2).
const RAGE_GAP: Span = Span::from_millis(1_000);
const RAGE_CLICKS: usize = 3;

/// The window of `repeated_failure` when none is written.
pub(in crate::rulebook) const FAILURE_WINDOW: Span = Span::from_seconds(300);
/// Failures that `repeated_failure` takes when no number is written.
pub(in crate::rulebook) const FAILURES: i64 = 3;
/// The window of `form_struggle` when none is written.
pub(in crate::rulebook) const STRUGGLE_WINDOW: Span = Span::from_seconds(180);
/// Returns to a field that make a struggle when no number is written.
pub(in crate::rulebook) const REFOCUSED: i64 = 3;
/// Errors of a field that make a struggle when no number is written.
pub(in crate::rulebook) const FIELD_ERRORS: i64 = 2;
/// Percent of a page that `scroll_depth` takes when no number is written.
pub(in crate::rulebook) const SCROLLED: i64 = 50;

/// A detector that counts incidents in a window.
#[derive(Debug)]
pub(in crate::rulebook) struct Detector {
    /// The leaf and the function.
    pub(in crate::rulebook) name: &'static str,
    /// Incidents when no number is written.
    pub(in crate::rulebook) least: i64,
    /// The window when none is written.
    pub(in crate::rulebook) within: Span,
    /// The span it measures by: its key, and what is taken when it is not written.
    pub(in crate::rulebook) span: (&'static str, Span),
    /// What it counts, given that span.
    pub(in crate::rulebook) of: fn(Span) -> Counted,
}

/// Detectors that measure nothing have no key for a span.
const NO_SPAN: (&str, Span) = ("", Span::ZERO);

/// Every detector that counts. Where the numbers come from is said in the vocabulary.
static DETECTORS: [Detector; 6] = [
    Detector {
        name: "page_loop",
        least: 3,
        within: Span::from_seconds(15),
        span: NO_SPAN,
        of: |_| Counted::Arrivals,
    },
    Detector {
        name: "quick_back",
        least: 1,
        within: WINDOW,
        span: ("stay", Span::from_seconds(7)),
        of: Counted::QuickBacks,
    },
    Detector {
        name: "dead_click",
        least: 1,
        within: WINDOW,
        span: NO_SPAN,
        of: |_| Counted::DeadClicks,
    },
    Detector {
        name: "error_click",
        least: 1,
        within: WINDOW,
        span: ("gap", Span::from_seconds(1)),
        of: Counted::ErrorClicks,
    },
    Detector {
        name: "exit_intent",
        least: 1,
        within: WINDOW,
        span: ("after", Span::from_seconds(5)),
        of: Counted::ExitIntents,
    },
    Detector {
        name: "no_results",
        least: 2,
        within: Span::from_seconds(120),
        span: NO_SPAN,
        of: |_| Counted::NoResults,
    },
];

/// The counting detector of this name.
pub(in crate::rulebook) fn detector(name: &str) -> Option<&'static Detector> {
    DETECTORS.iter().find(|detector| detector.name == name)
}

/// Visits to the current page, at the instant each began.
pub(in crate::rulebook::condition) fn each_arrival(view: &View<'_>, take: Take<'_>) {
    let here = view.session.page();
    let visits = view.session.visits(view.now).filter(|visit| visit.page == here);
    let _ = visits.map(|visit| visit.start).try_for_each(take);
}

/// Returns to the current page with exactly one other page between, on which the stay was no
/// longer than `stay`, at the instant of return. A return is a visit to the current page, one to
/// another, and an earlier one to it.
pub(in crate::rulebook::condition) fn each_return(
    stay: Option<Span>,
    view: &View<'_>,
    take: Take<'_>,
) {
    let here = view.session.page();
    let mut later: [Option<Visit<'_>>; 2] = [None, None];
    for visit in view.session.visits(view.now) {
        if let [Some(back), Some(between)] = later
            && back.page == here
            && visit.page == here
            && stay.is_none_or(|longest| back.start.since(between.start) <= longest)
            && take(back.start).is_break()
        {
            return;
        }
        let [_, newer] = later;
        later = [newer, Some(visit)];
    }
}

/// A burst is in the window while its three newest clicks are.
pub(in crate::rulebook::condition) fn each_rage_click(view: &View<'_>, take: Take<'_>) {
    let signal = |action: &Action| RAGE_KINDS.contains(&&*action.kind);
    if view.session.actions.iter().any(signal) {
        return each_action(view, take, signal);
    }
    let mut burst: Option<&Action> = None;
    let mut clicks = 0;
    for click in seen(view).filter(|action| &*action.kind == "click") {
        let joins = burst.is_some_and(|newer| {
            newer.title == click.title
                && newer.page == click.page
                && newer.at.since(click.at) < RAGE_GAP
        });
        clicks = if joins { clicks + 1 } else { 1 };
        burst = Some(click);
        if clicks == RAGE_CLICKS && take(click.at).is_break() {
            return;
        }
    }
}

/// Clicks that an error followed no later than `gap`; it belongs to the newest click before it.
pub(in crate::rulebook::condition) fn each_error_click(gap: Span, view: &View<'_>, take: Take<'_>) {
    let mut error: Option<Timestamp> = None;
    for action in seen(view) {
        if ERROR_KINDS.contains(&&*action.kind) {
            error = Some(action.at);
        } else if &*action.kind == "click"
            && error.take().is_some_and(|at| at.since(action.at) <= gap)
            && take(action.at).is_break()
        {
            return;
        }
    }
}

/// Failures since the newest success.
pub(in crate::rulebook::condition) fn each_failure(
    failure: &str,
    success: &str,
    view: &View<'_>,
    take: Take<'_>,
) {
    let failed = seen(view).take_while(|action| &*action.kind != success);
    let failed = failed.filter(|action| &*action.kind == failure);
    let _ = failed.map(|action| action.at).try_for_each(take);
}

/// The client's signals on the current page, `after` having passed since the person came to it.
pub(in crate::rulebook::condition) fn each_exit_intent(
    after: Span,
    view: &View<'_>,
    take: Take<'_>,
) {
    let Some(place) = &view.session.place else { return };
    let due = place.since.plus(after);
    let signals = seen(view).take_while(|action| action.at >= due);
    let signals =
        signals.filter(|action| action.page == place.page && EXIT_KINDS.contains(&&*action.kind));
    let _ = signals.map(|action| action.at).try_for_each(take);
}

/// Whether one field (a title on a page) was come back to so often, or was wrong so often, in the
/// window; and until when that stands.
pub(in crate::rulebook::condition) fn struggles(
    refocused: i64,
    errors: i64,
    within: Span,
    view: &View<'_>,
) -> (bool, Timestamp) {
    let arrival = next_arrival(view);
    let recent = || seen(view).take_while(|action| action.at.plus(within) > view.now);
    for (newer, action) in recent().enumerate() {
        // The first focus of a field is no return to it.
        let (kinds, wanted) = if FOCUS_KINDS.contains(&&*action.kind) {
            (FOCUS_KINDS, refocused.saturating_add(1))
        } else {
            (FIELD_ERROR_KINDS, errors)
        };
        let same = |other: &&Action| {
            kinds.contains(&&*other.kind)
                && other.title == action.title
                && other.page == action.page
        };
        if action.title.is_empty() || !same(&action) {
            continue;
        }
        let met = recent().take(newer.saturating_add(1)).filter(same).count();
        if i64::try_from(met).is_ok_and(|met| met >= wanted) {
            return (true, action.at.plus(within).min(arrival));
        }
    }
    (false, arrival)
}

/// The deepest percentage that the client told of the current visit, from 0 to 100, and until when
/// it stands.
pub(in crate::rulebook::condition) fn scroll_depth(view: &View<'_>) -> (i64, Timestamp) {
    let arrival = next_arrival(view);
    let Some(place) = &view.session.place else { return (0, arrival) };
    let visit = seen(view).take_while(|action| action.at >= place.since);
    let depths = visit
        .filter(|action| action.page == place.page && SCROLL_KINDS.contains(&&*action.kind))
        .filter_map(|action| percentage(&action.title));
    (depths.max().unwrap_or(0), arrival)
}

/// The whole part of the first number before a `%`: 62 of `Scrolled 62.5 %`.
fn percentage(title: &str) -> Option<i64> {
    let (before, _) = title.split_once('%')?;
    let before = before.trim_end();
    let number = before.rsplit(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
    let whole = number.split('.').next()?;
    whole.parse::<i64>().ok().map(|whole| whole.min(100))
}

/// Whether this happened for the first time, as far as the session can know: when older activity
/// is no longer kept, what is not contradicted by what is kept is unknown.
pub(in crate::rulebook::condition) fn first_time(
    what: &Step,
    view: &View<'_>,
) -> (Truth, Timestamp) {
    let session = view.session;
    let whole = usize::try_from(session.action_count).is_ok_and(|all| all <= session.actions.len());
    let happened = match what {
        Step::Page(page) if !page.matches(session.page()) => Some(false),
        Step::Page(page) => {
            let before = earlier_visits(view).any(|visit| page.matches(visit.page));
            if before { Some(false) } else { whole.then_some(true) }
        }
        Step::Kind(kind) => {
            match seen(view).filter(|action| action.kind == *kind).take(2).count() {
                0 => whole.then_some(false),
                1 => whole.then_some(true),
                _ => Some(false),
            }
        }
    };
    (happened.map_or(Truth::Unknown, Truth::from), next_arrival(view))
}

/// Hands over the instants of actions whose type is one of these.
pub(in crate::rulebook::condition) fn each_of(kinds: &[&str], view: &View<'_>, take: Take<'_>) {
    each_action(view, take, |action| kinds.contains(&&*action.kind));
}

#[cfg(test)]
mod tests;
