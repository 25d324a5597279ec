//! Timelines: each detector with its published defaults, to the instant.

use super::*;
use crate::domain::session::Session;
use crate::rulebook::condition::given::{LIMITS, ask, at, expect, session, visits};
use crate::rulebook::condition::{Condition, read_expression};

#[test]
fn a_page_loop_is_three_arrivals_in_fifteen_seconds() {
    let looping = visits(&[(0.0, "/a"), (4.0, "/b"), (5.0, "/a"), (8.0, "/c"), (10.0, "/a")]);
    expect(
        &looping,
        &[
            ("session.page_loop() >= 3", 8.0, (false, Some(10.0))),
            ("session.page_loop() >= 3", 10.0, (true, Some(15.0))),
            ("session.page_loop() >= 3", 14.999, (true, Some(15.0))),
            ("session.page_loop() >= 3", 15.0, (false, None)),
            ("session.page_loop(\"1m\") == 3", 59.0, (true, Some(60.0))),
        ],
    );
    let staying = visits(&[(0.0, "/a"), (1.0, "/a"), (2.0, "/a")]);
    assert_eq!(ask("session.page_loop() == 1", &staying, 2.0), (true, Some(15.0)));
}

#[test]
fn a_quick_back_is_a_stay_of_at_most_seven_seconds_elsewhere() {
    for (back, holds) in [(17.0, true), (17.001, false)] {
        let journey = visits(&[(0.0, "/a"), (10.0, "/b"), (back, "/a")]);
        let until = holds.then_some(back + 600.0);
        assert_eq!(ask("session.quick_back() >= 1", &journey, back), (holds, until), "{back}");
    }
    let journey = visits(&[(0.0, "/a"), (10.0, "/b"), (17.0, "/a")]);
    expect(
        &journey,
        &[
            ("session.quick_back() >= 1", 616.999, (true, Some(617.0))),
            ("session.quick_back() >= 1", 617.0, (false, None)),
            ("session.quick_back(\"6s\", \"10m\") >= 1", 17.0, (false, None)),
        ],
    );
    let further = visits(&[(0.0, "/a"), (1.0, "/b"), (2.0, "/c"), (3.0, "/a")]);
    assert_eq!(ask("session.quick_back() == 0", &further, 3.0), (true, None));
}

#[test]
fn dead_clicks_and_empty_searches_are_the_clients_signals() {
    let signals = session(&[
        (0.0, "dead_click", "", "/a"),
        (1.0, "$dead_click", "", "/a"),
        (2.0, "no_results", "", "/a"),
        (3.0, "search_no_results", "", "/a"),
        (3.0, "click", "", "/a"),
    ]);
    expect(
        &signals,
        &[
            ("session.dead_click() == 2", 3.0, (true, Some(600.0))),
            ("session.dead_click() >= 2", 600.0, (false, None)),
            ("session.dead_click(\"2s\") >= 1", 3.0, (false, None)),
            ("session.no_results() >= 2", 121.999, (true, Some(122.0))),
            ("session.no_results() >= 2", 122.0, (false, None)),
        ],
    );
}

#[test]
fn an_error_belongs_to_the_newest_click_at_most_a_second_before_it() {
    for (steps, count) in [
        (&[(0.0, "click"), (1.0, "error")][..], 1),
        (&[(0.0, "click"), (1.001, "error")], 0),
        (&[(0.0, "click"), (0.5, "click"), (0.9, "$exception")], 1),
        (&[(0.0, "click"), (0.1, "error"), (0.2, "error")], 1),
        (&[(0.0, "click"), (0.1, "error"), (0.5, "click"), (0.6, "form_error")], 2),
        (&[(0.0, "error"), (0.1, "click")], 0),
    ] {
        let steps: Vec<_> = steps.iter().map(|(at, kind)| (*at, *kind, "", "/a")).collect();
        let source = format!("session.error_click() == {count}");
        assert!(ask(&source, &session(&steps), 2.0).0, "{steps:?}");
    }
    let clicked = session(&[(0.0, "click", "", "/a"), (1.0, "error", "", "/a")]);
    expect(
        &clicked,
        &[
            ("session.error_click() >= 1", 599.999, (true, Some(600.0))),
            ("session.error_click() >= 1", 600.0, (false, None)),
            ("session.error_click(\"500ms\", \"10m\") >= 1", 1.0, (false, None)),
        ],
    );
}

#[test]
fn a_success_ends_the_count_of_failures() {
    let trying = session(&[
        (0.0, "save_failed", "", "/a"),
        (10.0, "saved", "", "/a"),
        (20.0, "save_failed", "", "/a"),
        (30.0, "save_failed", "", "/a"),
        (40.0, "save_failed", "", "/a"),
    ]);
    let failures = "session.repeated_failure(\"save_failed\", \"saved\") >= 3";
    expect(
        &trying,
        &[
            (failures, 30.0, (false, Some(40.0))),
            (failures, 40.0, (true, Some(320.0))),
            (failures, 319.999, (true, Some(320.0))),
            (failures, 320.0, (false, None)),
        ],
    );
}

#[test]
fn a_form_struggle_is_about_one_field() {
    let focus = |times: &[(f64, &'static str, &'static str)]| {
        let steps: Vec<_> =
            times.iter().map(|(at, kind, field)| (*at, *kind, *field, "/f")).collect();
        session(&steps)
    };
    let returns = [
        (0.0, "focus", "VAT"),
        (1.0, "focus", "VAT"),
        (2.0, "field_focus", "VAT"),
        (3.0, "focus", "VAT"),
    ];
    expect(
        &focus(&returns),
        &[
            // The first focus is no return.
            ("session.form_struggle()", 2.0, (false, Some(3.0))),
            ("session.form_struggle()", 3.0, (true, Some(180.0))),
            ("session.form_struggle()", 180.0, (false, None)),
            ("session.form_struggle(2, 9, \"3m\")", 180.0, (true, Some(181.0))),
        ],
    );
    let errors = [(0.0, "form_error", "VAT"), (5.0, "validation_error", "VAT")];
    expect(
        &focus(&errors),
        &[
            ("session.form_struggle()", 5.0, (true, Some(180.0))),
            ("session.form_struggle(\"4s\")", 5.0, (false, None)),
        ],
    );
    let two_fields = [(0.0, "form_error", "VAT"), (5.0, "form_error", "Zip")];
    assert!(!ask("session.form_struggle()", &focus(&two_fields), 5.0).0);
    let nameless = [(0.0, "form_error", ""), (5.0, "form_error", "")];
    assert!(!ask("session.form_struggle()", &focus(&nameless), 5.0).0);
    let other_page = session(&[(0.0, "form_error", "VAT", "/a"), (5.0, "form_error", "VAT", "/b")]);
    assert!(!ask("session.form_struggle()", &other_page, 5.0).0);
}

#[test]
fn an_exit_intent_counts_from_the_fifth_second_on_the_page() {
    for (told, holds) in [(14.999, false), (15.0, true)] {
        let leaving = session(&[
            (0.0, "pageview", "", "/a"),
            (10.0, "pageview", "", "/b"),
            (told, "$exit_intent", "", "/b"),
        ]);
        let until = holds.then_some(told + 600.0);
        assert_eq!(ask("session.exit_intent() >= 1", &leaving, 20.0), (holds, until), "{told}");
        assert!(ask("session.exit_intent(\"1s\", \"10m\") >= 1", &leaving, 20.0).0, "{told}");
    }
    let gone = session(&[
        (0.0, "pageview", "", "/a"),
        (9.0, "exit_intent", "", "/a"),
        (10.0, "pageview", "", "/b"),
    ]);
    expect(
        &gone,
        &[
            ("session.exit_intent() >= 1", 9.5, (false, Some(10.0))),
            ("session.exit_intent() >= 1", 10.0, (false, None)),
        ],
    );
}

#[test]
fn the_depth_of_a_visit_is_the_deepest_percentage_told() {
    let scrolled = session(&[
        (0.0, "scroll", "Scrolled 90 %", "/a"),
        (1.0, "pageview", "", "/b"),
        (2.0, "$scroll", "Scrolled 62.5\u{a0}%", "/b"),
        (3.0, "scroll_depth", "40%", "/b"),
        (4.0, "click", "100%", "/b"),
    ]);
    expect(
        &scrolled,
        &[
            ("session.scroll_depth >= 50", 4.0, (true, None)),
            ("session.scroll_depth == 62", 4.0, (true, None)),
            ("session.scroll_depth == 0", 1.0, (true, Some(2.0))),
        ],
    );
    for (title, depth) in [
        ("75%", Some(75)),
        ("to 7.9 % of it", Some(7)),
        ("250%", Some(100)),
        ("%", None),
        ("50", None),
        ("half %", None),
    ] {
        assert_eq!(percentage(title), depth, "{title}");
    }
}

#[test]
fn a_parameter_is_that_of_the_newest_action_on_the_page() {
    let mut tabs = session(&[(0.0, "pageview", "", "/a"), (5.0, "click", "", "/a")]);
    tabs.actions[0].url = "https://app.test/a?tab=b%20c&tab=d&token=s3cret".into();
    expect(
        &tabs,
        &[
            ("session.query(\"tab\") == \"b c\"", 4.999, (true, Some(5.0))),
            ("session.has_query(\"tab\")", 4.0, (true, Some(5.0))),
            ("session.has_query(\"b c\")", 4.0, (false, Some(5.0))),
            ("session.has_query(\"tab\")", 5.0, (false, None)),
            ("session.query(\"tab\") == \"\"", 5.0, (true, None)),
        ],
    );
    // What was there is not told to whoever asks why.
    for source in ["session.has_query(\"token\")", "session.query(\"token\") != \"\""] {
        let condition = read_expression(source, &LIMITS).unwrap();
        let clauses =
            condition.clauses(&View { session: &tabs, user: None, account: None, now: at(1.0) });
        assert_eq!(
            (&*clauses[0].found, clauses[0].answer.truth),
            ("a value of 6 characters", Truth::True)
        );
    }
}

fn first(what: &str, default: Option<bool>, session: &Session, seconds: f64) -> Truth {
    let condition = Condition::FirstTime { what: Step::new(what), default, of_person: false };
    condition.answer(&View { session, user: None, account: None, now: at(seconds) }).unwrap().truth
}

#[test]
fn the_first_time_is_as_much_as_a_session_can_know() {
    let journey = session(&[
        (0.0, "pageview", "", "/a"),
        (1.0, "export", "", "/a"),
        (2.0, "pageview", "", "/b"),
        (3.0, "pageview", "", "/a"),
    ]);
    for (what, seconds, truth) in [
        ("export", 1.0, Truth::True),
        ("export", 9.0, Truth::True),
        ("export", 0.5, Truth::False),
        ("pageview", 3.0, Truth::False),
        ("/a", 3.0, Truth::False),
        ("/b", 3.0, Truth::False),
    ] {
        assert_eq!(first(what, None, &journey, seconds), truth, "{what} at {seconds}");
    }
    let staying = visits(&[(0.0, "/b"), (2.0, "/a"), (3.0, "/a")]);
    assert_eq!(first("/a", None, &staying, 9.0), Truth::True);
    // Activity that is no longer kept may hold an earlier time.
    let lost = Session { action_count: 9, ..staying };
    assert_eq!(first("/a", None, &lost, 9.0), Truth::Unknown);
    assert_eq!(first("/a", Some(true), &lost, 9.0), Truth::True);
    assert_eq!(first("/a", Some(false), &lost, 9.0), Truth::False);
    assert_eq!(first("/b", None, &lost, 9.0), Truth::False);
    assert_eq!(first("export", None, &lost, 9.0), Truth::Unknown);
    assert_eq!(first("pageview", Some(true), &lost, 9.0), Truth::False);
}

#[test]
fn a_count_on_the_page_is_of_every_visit_to_it() {
    let clicks = session(&[
        (0.0, "click", "Save", "/a"),
        (1.0, "click", "Save", "/b"),
        (2.0, "click", "No", "/a"),
    ]);
    expect(
        &clicks,
        &[
            ("session.count_here(\"click\", \"5s\") >= 2", 4.999, (true, Some(5.0))),
            ("session.count_here(\"click\", \"5s\") >= 2", 5.0, (false, None)),
            ("session.count_here(\"click\", \"save\", \"5s\") == 1", 2.0, (true, Some(5.0))),
        ],
    );
    let mut nowhere = session(&[(0.0, "click", "Save", "")]);
    nowhere.place = None;
    assert_eq!(ask("session.count_here(\"click\", \"5s\") == 0", &nowhere, 0.0), (true, None));
}

#[test]
fn clauses_of_detectors_say_what_was_found() {
    let session = session(&[(0.0, "error", "", "/a"), (5.0, "error", "", "/a")]);
    let source = "session.quick_back() >= 1 \
                  && session.absent([\"error\"], \"saved\", \"45s\", \"2m\", \"/done\") \
                  && session.form_struggle() && session.has_query(\"tab\") \
                  && session.first_time(\"error\", false) && session.scroll_depth >= 50";
    let condition = read_expression(source, &LIMITS).unwrap();
    let clauses =
        condition.clauses(&View { session: &session, user: None, account: None, now: at(12.0) });
    let told: Vec<_> = clauses.iter().map(|c| (&*c.text, &*c.required, &*c.found)).collect();
    assert_eq!(
        told,
        [
            ("quick_back(\"7s\", \"10m\") at least 1", "at least 1", "0"),
            (
                "sequence error, until /done, then no saved for 45s within 2m",
                "error, until /done, then no saved for 45s",
                "not met"
            ),
            (
                "form_struggle 3 returns to a field or 2 errors of it within 3m",
                "3 returns to a field or 2 errors of it",
                "not met"
            ),
            ("query tab", "present", "not there"),
            ("first_time error", "the first time", "not the first time, or not now"),
            ("scroll_depth >= 50", ">= 50", "0"),
        ]
    );
}
