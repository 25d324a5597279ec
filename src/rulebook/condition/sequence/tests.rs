//! Timelines: what happened in order, what voided it, and what did not follow, to the instant.

use crate::rulebook::condition::given::{ask, expect, session};

#[test]
fn what_came_before_the_newest_void_does_not_count() {
    let paid = session(&[
        (0.0, "pageview", "", "/cart"),
        (10.0, "error", "", "/cart"),
        (20.0, "paid", "", "/cart"),
        (30.0, "error", "", "/cart"),
    ]);
    let sequence = |steps: &str| format!("session.sequence({steps}, \"1m\", \"paid\")");
    expect(
        &paid,
        &[
            (&sequence("[\"/cart\", \"error\"]"), 19.999, (true, Some(20.0))),
            (&sequence("[\"/cart\", \"error\"]"), 20.0, (false, Some(30.0))),
            (&sequence("[\"/cart\", \"error\"]"), 30.0, (false, None)),
            (&sequence("[\"error\"]"), 30.0, (true, Some(90.0))),
            (&sequence("[\"error\"]"), 90.0, (false, None)),
            // What voids is no step, even where it would be one.
            (&sequence("[\"paid\", \"error\"]"), 30.0, (false, None)),
        ],
    );
}

#[test]
fn coming_to_a_page_voids_as_well() {
    let left = session(&[(0.0, "error", "", "/cart"), (5.0, "pageview", "", "/help")]);
    expect(
        &left,
        &[
            ("session.sequence([\"error\"], \"1m\", \"/help\")", 4.0, (true, Some(5.0))),
            ("session.sequence([\"error\"], \"1m\", \"/help\")", 5.0, (false, None)),
        ],
    );
}

#[test]
fn what_did_not_follow_is_known_when_the_wait_ends() {
    let waiting = session(&[(0.0, "start", "", "/a"), (10.0, "error", "", "/a")]);
    let absent = "session.absent([\"start\", \"error\"], \"saved\", \"45s\", \"2m\")";
    expect(
        &waiting,
        &[
            (absent, 10.0, (false, Some(55.0))),
            (absent, 54.999, (false, Some(55.0))),
            // Until the first step leaves the window.
            (absent, 55.0, (true, Some(120.0))),
            (absent, 119.999, (true, Some(120.0))),
            (absent, 120.0, (false, None)),
        ],
    );
}

#[test]
fn what_follows_at_the_end_of_the_wait_follows() {
    let absent = "session.absent([\"error\"], \"saved\", \"45s\", \"2m\")";
    for (saved, holds) in [(0.0, false), (44.0, false), (45.0, false), (45.001, true)] {
        let session = session(&[(0.0, "error", "", "/a"), (saved, "saved", "", "/a")]);
        assert_eq!(ask(absent, &session, 50.0).0, holds);
    }
}

#[test]
fn each_last_step_waits_for_itself() {
    let twice = session(&[
        (0.0, "error", "", "/a"),
        (20.0, "saved", "", "/a"),
        (30.0, "error", "", "/a"),
        (60.0, "error", "", "/a"),
    ]);
    let absent =
        |window: &str| format!("session.absent([\"error\"], \"saved\", \"45s\", {window:?})");
    expect(
        &twice,
        &[
            (&absent("2m"), 60.0, (false, Some(75.0))),
            // The stretches of both errors, 75 to 150 and 105 to 180, are one.
            (&absent("2m"), 75.0, (true, Some(180.0))),
            // These are two: 75 to 80, and 105 to 110.
            (&absent("50s"), 75.0, (true, Some(80.0))),
            (&absent("50s"), 80.0, (false, Some(105.0))),
            (&absent("50s"), 105.0, (true, Some(110.0))),
            (&absent("50s"), 110.0, (false, None)),
        ],
    );
}

#[test]
fn what_follows_after_the_wait_changes_nothing_unless_it_voids() {
    let late = session(&[(0.0, "error", "", "/a"), (60.0, "saved", "", "/a")]);
    let absent = "session.absent([\"error\"], \"saved\", \"45s\", \"2m\"";
    expect(
        &late,
        &[
            (&format!("{absent})"), 60.0, (true, Some(120.0))),
            (&format!("{absent}, \"saved\")"), 60.0, (false, None)),
        ],
    );
}
