//! Timelines: what somebody did, and what each condition says of it, when.

use std::sync::Arc;

use serde_json::json;

use crate::domain::action::Action;
use crate::domain::offer::Outcome;
use crate::domain::properties::Properties;
use crate::domain::records::User;
use crate::domain::session::{Session, TriggerMemory};
use crate::domain::time::Span;
use crate::rulebook::condition::given::{LIMITS, ask, at, session, visits};
use crate::rulebook::condition::{
    Bound, Condition, Counted, EvalError, Filter, PropertyTest, Scope, Seen, Tally, Truth,
    ValueTest, View, Whose, read_expression,
};

#[test]
fn returns_to_the_current_page_are_counted_at_their_instant() {
    let back_and_forth =
        visits(&[(0.0, "/p"), (5.0, "/s"), (10.0, "/p"), (11.0, "/p"), (15.0, "/s"), (20.0, "/p")]);
    for (source, seconds, expected) in [
        ("session.ping_pong(2)", 20.0, (true, Some(130.0))),
        ("session.ping_pong(2)", 129.999, (true, Some(130.0))),
        ("session.ping_pong(2)", 130.0, (false, None)),
        ("session.ping_pong(3)", 20.0, (false, None)),
        ("session.ping_pong(1, \"5s\")", 24.0, (true, Some(25.0))),
    ] {
        assert_eq!(ask(source, &back_and_forth, seconds), expected, "{source} at {seconds}");
    }
    let two_between = visits(&[(0.0, "/p"), (1.0, "/a"), (2.0, "/b"), (3.0, "/p")]);
    assert_eq!(ask("session.ping_pong(1)", &two_between, 3.0), (false, None));
    let elsewhere = visits(&[(0.0, "/p"), (1.0, "/a"), (2.0, "/p"), (3.0, "/b")]);
    assert_eq!(ask("session.ping_pong(1)", &elsewhere, 3.0), (false, None));
}

#[test]
fn the_visit_under_way_counts_however_long_it_lasts() {
    let staring = visits(&[(0.0, "/a"), (10.0, "/b"), (20.0, "/a")]);
    for (source, seconds, expected) in [
        ("session.visits(\"/a\", \"1m\") == 2", 59.0, (true, Some(60.0))),
        ("session.visits(\"/a\", \"1m\") == 1", 60.0, (true, None)),
        ("session.visits(\"/a\", \"1m\") >= 1", 6_000.0, (true, None)),
        ("session.distinct_pages(\"1m\") >= 2", 60.0, (true, Some(70.0))),
        ("session.distinct_pages(\"1m\") >= 2", 70.0, (false, None)),
        ("session.dwell_s >= 30", 49.999, (false, Some(50.0))),
        ("session.dwell_s >= 30", 50.0, (true, None)),
        ("session.dwell_s == 30", 50.5, (true, Some(51.0))),
    ] {
        assert_eq!(ask(source, &staring, seconds), expected, "{source} at {seconds}");
    }
}

#[test]
fn a_window_is_half_open() {
    let clicked = session(&[(10.0, "click", "Save Änderung", "/a"), (10.0, "click", "No", "/a")]);
    for (source, seconds, expected) in [
        ("session.count(\"click\", \"5s\") >= 2", 14.999, (true, Some(15.0))),
        ("session.count(\"click\", \"5s\") >= 2", 15.0, (false, None)),
        ("session.count(\"click\", \"5s\") <= 1", 14.0, (false, Some(15.0))),
        ("session.count(\"click\", \"save ä\", \"5s\") == 1", 10.0, (true, Some(15.0))),
        ("session.count(\"Click\", \"5s\") == 0", 10.0, (true, None)),
        // What is still to come is not seen, but awaited.
        ("session.count(\"click\", \"5s\") >= 1", 9.0, (false, Some(10.0))),
    ] {
        assert_eq!(ask(source, &clicked, seconds), expected, "{source} at {seconds}");
    }
}

#[test]
fn errors_and_rage_are_what_the_table_says() {
    let kinds = ["error", "form_error", "exception", "$exception", "click", "Error"];
    let steps: Vec<_> = kinds.iter().map(|kind| (0.0, *kind, "", "/a")).collect();
    assert!(ask("session.errors(\"1m\") == 4", &session(&steps), 0.0).0);

    let clicks = |times: &[f64]| {
        let steps: Vec<_> = times.iter().map(|at| (*at, "click", "Pay", "/a")).collect();
        session(&steps)
    };
    for (times, bursts) in [
        (&[0.0, 0.5, 1.0][..], 1),
        (&[0.0, 0.5, 1.5], 0),
        (&[0.0, 0.9, 1.8, 2.7, 3.6, 4.5], 1),
        (&[0.0, 0.1, 0.2, 5.0, 5.1, 5.2], 2),
    ] {
        let source = format!("session.rage_clicks(\"1m\") == {bursts}");
        assert!(ask(&source, &clicks(times), 6.0).0, "{times:?}");
    }
    // A burst needs three clicks in the window.
    assert_eq!(
        ask("session.rage_clicks(\"10s\") == 1", &clicks(&[0.0, 0.5, 1.0]), 9.0),
        (true, Some(10.0))
    );
    let mut signalled = clicks(&[0.0, 0.1, 0.2]);
    let signal = Action { kind: "$rageclick".into(), at: at(3.0), ..signalled.actions[0].clone() };
    signalled.actions.extend([signal.clone(), signal]);
    assert!(ask("session.rage_clicks(\"1m\") == 2", &signalled, 6.0).0);
}

#[test]
fn a_sequence_is_in_order_with_anything_between() {
    let journey = session(&[
        (0.0, "pageview", "", "/cart"),
        (5.0, "click", "", "/cart"),
        (10.0, "error", "", "/cart"),
        (20.0, "pageview", "", "/help"),
    ]);
    for (steps, expected) in [
        ("[\"/cart\", \"error\"]", (true, Some(60.0))),
        ("[\"click\", \"/help\"]", (true, Some(65.0))),
        ("[\"error\", \"click\"]", (false, None)),
        // Coming to a page is not staying on it.
        ("[\"click\", \"/cart\"]", (false, None)),
        ("[\"click\", \"click\"]", (false, None)),
    ] {
        let source = format!("session.sequence({steps}, \"1m\")");
        assert_eq!(ask(&source, &journey, 30.0), expected, "{steps}");
    }
    assert_eq!(
        ask("session.sequence([\"/cart\", \"error\"], \"1m\")", &journey, 60.0),
        (false, None)
    );
}

#[test]
fn what_never_happened_is_long_ago() {
    let quiet = visits(&[(0.0, "/a")]);
    for (source, holds) in [
        ("session.since(\"error\") < 60", false),
        ("session.since(\"error\") > 60", true),
        ("session.since(\"error\") + 1 == 1000000001", true),
        ("session.since(\"pageview\") <= 5", true),
    ] {
        assert_eq!(ask(source, &quiet, 5.0).0, holds, "{source}");
    }
}

#[test]
fn failed_arithmetic_is_this_conditions_trouble() {
    let session = visits(&[(0.0, "/a")]);
    let fails = |source: &str| {
        let condition = read_expression(source, &LIMITS).unwrap();
        condition.answer(&View { session: &session, user: None, account: None, now: at(1.0) })
    };
    for (source, message) in [
        ("1 / session.errors(\"1m\") > 2", "division by zero in `(1 / errors(\"1m\"))`"),
        ("1.5 % session.errors(\"1m\") > 2", "division by zero in `(1.5 % errors(\"1m\"))`"),
        (
            "9223372036854775807 + session.action_count > 2",
            "the result of `(9223372036854775807 + action_count)` is too large",
        ),
        (
            "-(-9223372036854775807 - session.action_count) > 2",
            "the result of `-(-9223372036854775807 - action_count)` is too large",
        ),
        ("true && 1 / 0 == 1", "division by zero in `(1 / 0)`"),
    ] {
        assert_eq!(fails(source), Err(EvalError(message.to_owned())), "{source}");
    }
    for source in ["false && 1 / 0 == 1", "true || 1 / 0 == 1"] {
        assert!(fails(source).is_ok(), "{source}");
    }
}

#[test]
fn an_unknown_trait_and_its_opposite_never_fire() {
    let mut session = visits(&[(0.0, "/a")]);
    session.traits.insert("seats".into(), json!(5));
    let seats = |test| Condition::Trait(Whose::Person, "seats".into(), test);
    let plan = || Condition::Trait(Whose::Person, "plan".into(), ValueTest::In(vec![json!("pro")]));
    let not = |condition| Condition::Not(Box::new(condition));
    for (condition, truth) in [
        (plan(), Truth::Unknown),
        (not(plan()), Truth::Unknown),
        (Condition::All(vec![plan(), Condition::Always(false)]), Truth::False),
        (Condition::All(vec![plan(), Condition::Always(true)]), Truth::Unknown),
        (Condition::Any(vec![plan(), Condition::Always(true)]), Truth::True),
        (seats(ValueTest::In(vec![json!(5.0)])), Truth::True),
        (seats(ValueTest::In(vec![json!("5")])), Truth::False),
        (not(seats(ValueTest::AtLeast(5.0))), Truth::False),
        (seats(ValueTest::AtMost(4.5)), Truth::False),
    ] {
        let answer =
            condition.answer(&View { session: &session, user: None, account: None, now: at(1.0) });
        assert_eq!(answer.unwrap().truth, truth, "{condition}");
    }
}

#[test]
fn what_became_of_an_offer_is_remembered_by_session_and_user() {
    let mut memory = TriggerMemory { fired: Some(at(0.0)), ..TriggerMemory::default() };
    memory.outcomes.insert(Outcome::Dismissed, at(1.0));
    let triggers = [(Arc::from("hello"), memory)].into_iter().collect();
    let (session, user) = (Session::default(), User { triggers, ..User::default() });
    let seen = |outcome, user| {
        let condition = Condition::Seen(Box::new(Seen { outcome, ..Seen::trigger("hello") }));
        condition
            .answer(&View { session: &session, user, account: None, now: at(2.0) })
            .unwrap()
            .truth
    };
    assert_eq!(seen(Some(Outcome::Dismissed), Some(&user)), Truth::True);
    assert_eq!(seen(None, Some(&user)), Truth::True);
    assert_eq!(seen(Some(Outcome::Accepted), Some(&user)), Truth::False);
    assert_eq!(seen(None, None), Truth::False);
}

#[test]
fn a_clause_says_what_was_required_and_what_was_found() {
    let session = session(&[(0.0, "error", "", "/a"), (5.0, "error", "", "/a")]);
    let source = "session.dwell_s >= 20 && session.errors(\"1m\") >= 2 && !session.matches(\"/b\") \
                  && session.path.contains(\"x\") && session.since(\"click\") > 5 \
                  && 1 / session.count(\"click\", \"1m\") > 3";
    let condition = read_expression(source, &LIMITS).unwrap();
    let clauses =
        condition.clauses(&View { session: &session, user: None, account: None, now: at(12.0) });
    let told: Vec<_> =
        clauses.iter().map(|c| (&*c.text, &*c.required, &*c.found, c.answer.truth)).collect();
    assert_eq!(
        told,
        [
            ("dwell 20s", "at least 20s", "12s", Truth::False),
            ("errors(\"1m\") at least 2", "at least 2", "2", Truth::True),
            ("not page /b", "not /b", "/a", Truth::True),
            ("path.contains(\"x\")", "contains \"x\"", "\"/a\"", Truth::False),
            ("since(\"click\") 6s", "at least 6s", "never", Truth::True),
            (
                "(1 / count(\"click\", \"1m\")) > 3",
                "> 3",
                "division by zero in `(1 / count(\"click\", \"1m\"))`",
                Truth::Unknown,
            ),
        ]
    );
}

#[test]
fn an_action_that_does_not_tell_may_or_may_not_count() {
    let mut session =
        session(&[(0.0, "save", "", "/a"), (1.0, "save", "", "/a"), (2.0, "save", "", "/a")]);
    let told = json!({ "form": "import", "rows": 7 });
    session.actions[0].properties = Properties::of(told.as_object().unwrap()).map(Arc::new);
    let told = json!({ "form": "export" });
    session.actions[1].properties = Properties::of(told.as_object().unwrap()).map(Arc::new);
    let answer = |tests: &[(&str, ValueTest)], bound| {
        let test = |(name, test): &(&str, ValueTest)| PropertyTest {
            name: (*name).into(),
            test: test.clone(),
            negated: false,
        };
        let filter = Filter { tests: tests.iter().map(test).collect(), certain: false };
        let (kind, filter) = ("save".into(), Some(Box::new(filter)));
        let of = Counted::Actions { kind, text: None, scope: Scope::Session, filter };
        let saves = Condition::Tally(Tally { of, within: Span::from_seconds(60) }, bound);
        let view = View { session: &session, user: None, account: None, now: at(10.0) };
        let answer = saves.answer(&view).unwrap();
        (answer.truth, answer.until.as_seconds(), saves.clauses(&view)[0].found.clone())
    };
    let import = || ("form", ValueTest::In(vec![json!("import")]));
    let big = || ("rows", ValueTest::MoreThan(5.0));
    let there = || ("form", ValueTest::Exists);
    for (tests, bound, truth, until, found) in [
        (vec![import()], Bound::AtLeast(1), Truth::True, 60.0, "1, and 1 more that do not say"),
        (vec![import()], Bound::AtLeast(2), Truth::Unknown, 60.0, "1, and 1 more that do not say"),
        (
            vec![import()],
            Bound::AtLeast(3),
            Truth::False,
            f64::MAX,
            "1, and 1 more that do not say",
        ),
        (vec![import()], Bound::AtMost(2), Truth::True, f64::MAX, "1, and 1 more that do not say"),
        (vec![import()], Bound::Exactly(1), Truth::Unknown, 60.0, "1, and 1 more that do not say"),
        (vec![import(), there()], Bound::Exactly(1), Truth::True, 60.0, "1"),
        (
            vec![import(), big()],
            Bound::AtLeast(1),
            Truth::True,
            60.0,
            "1, and 1 more that do not say",
        ),
        (vec![there()], Bound::AtLeast(3), Truth::False, f64::MAX, "2"),
    ] {
        let (is, stands, says) = answer(&tests, bound);
        assert_eq!((is, says.as_str()), (truth, found), "{tests:?} {bound}");
        assert!(
            stands == until || until == f64::MAX && stands > 1e9,
            "{tests:?} {bound}: {stands}"
        );
    }
}
