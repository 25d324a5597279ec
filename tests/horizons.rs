//! How long answers stand: of any condition never too long, of single leaves exactly.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod sessions;

use docent::domain::offer::Outcome;
use docent::domain::page::PagePattern;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::condition::{
    Bound, Clock, Condition, Counted, Field, Filter, Needle, PropertyTest, Scope, Seen, Sequence,
    Step, Tally, Truth, ValueTest, View, Whose, read_expression,
};
use proptest::prelude::*;
use serde_json::json;
use sessions::{LIMITS, beyond, session};

fn span() -> impl Strategy<Value = Span> {
    let millis = vec![0, 1, 999, 1_000, 5_000, 59_999, 60_000, 120_000, 600_000, 1_800_000];
    prop::sample::select(millis).prop_map(Span::from_millis)
}

fn clicks(text: Option<&str>, scope: Scope) -> Counted {
    Counted::Actions { kind: "click".into(), text: text.map(Needle::new), scope, filter: None }
}

/// Clicks of which it is not always told whether they count.
fn meant(name: &str, test: ValueTest, negated: bool) -> Counted {
    let tests = vec![PropertyTest { name: name.into(), test, negated }];
    let filter = Some(Box::new(Filter { tests, certain: false }));
    Counted::Actions { kind: "click".into(), text: None, scope: Scope::Session, filter }
}

fn tally() -> impl Strategy<Value = Condition> {
    let counted = prop::sample::select(vec![
        clicks(None, Scope::Session),
        clicks(Some("SAVE"), Scope::Session),
        clicks(None, Scope::Page),
        meant("form", ValueTest::In(vec![json!("import")]), false),
        meant("form", ValueTest::In(vec![json!("import")]), true),
        meant("rows", ValueTest::MoreThan(1.0), false),
        meant("rows", ValueTest::Exists, true),
        Counted::Remembered { kind: "click".into(), default: None },
        Counted::Remembered { kind: "click".into(), default: Some(2) },
        Counted::Visits(None),
        Counted::Visits(Some(PagePattern::new("/b"))),
        Counted::Pages,
        Counted::Returns,
        Counted::RageClicks,
        Counted::Errors,
        Counted::Arrivals,
        Counted::QuickBacks(Span::from_seconds(30)),
        Counted::DeadClicks,
        Counted::ErrorClicks(Span::from_seconds(1)),
        Counted::ExitIntents(Span::from_seconds(5)),
        Counted::NoResults,
        Counted::Failures { failure: "click".into(), success: "saved".into() },
    ]);
    let bound = (-1_i64..5, 0..4, 0_i64..3).prop_map(|(number, kind, more)| match kind {
        0 => Bound::AtLeast(number),
        1 => Bound::AtMost(number),
        2 => Bound::Between(number, number + more),
        _ => Bound::Exactly(number),
    });
    (counted, span(), bound)
        .prop_map(|(of, within, bound)| Condition::Tally(Tally { of, within }, bound))
}

fn clock() -> impl Strategy<Value = Condition> {
    let clocks = vec![Clock::Dwell, Clock::Idle, Clock::Age, Clock::Since("error".into())];
    (prop::sample::select(clocks), span()).prop_map(|(clock, span)| Condition::Elapsed(clock, span))
}

fn sequence() -> impl Strategy<Value = Condition> {
    let step = prop::sample::select(vec!["click", "error", "/a", "/b", "/c/:id"]);
    let step = step.prop_map(Step::new);
    let steps = prop::collection::vec(step.clone(), 1..4);
    let until = prop::option::weighted(0.3, step.clone());
    let absent = prop::option::of((step, span()));
    (steps, span(), until, absent).prop_map(|(steps, within, until, absent)| {
        Condition::Sequence(Box::new(Sequence { steps, within, until, absent }))
    })
}

fn struggle() -> impl Strategy<Value = Condition> {
    (1_i64..4, 1_i64..4, span()).prop_map(|(refocused, errors, within)| Condition::FormStruggle {
        refocused,
        errors,
        within,
    })
}

fn first_time() -> impl Strategy<Value = Condition> {
    let what = prop::sample::select(vec!["click", "saved", "/a", "/c/:id"]).prop_map(Step::new);
    (what, any::<Option<bool>>()).prop_map(|(what, default)| Condition::FirstTime {
        what,
        default,
        of_person: false,
    })
}

/// Leaves whose end the formulas give to the millisecond.
fn exact_leaf() -> impl Strategy<Value = Condition> {
    let since = (prop::sample::select(vec!["error", "click", "none"]), span())
        .prop_map(|(kind, span)| Condition::Since(kind.into(), span));
    prop_oneof![4 => tally(), 2 => clock(), 1 => since, 3 => sequence(), 1 => struggle(), 1 => first_time()]
}

fn seen(within: Option<Span>) -> Condition {
    let outcome = Some(Outcome::Ignored);
    Condition::Seen(Box::new(Seen { outcome, within, ..Seen::trigger("hello") }))
}

fn other_leaf() -> impl Strategy<Value = Condition> {
    let plan = || Condition::Trait(Whose::Person, "plan".into(), ValueTest::In(vec![json!("pro")]));
    let arithmetic = ["60 / session.count(\"click\", \"5s\") > 20", "7 % session.dwell_s == 1"];
    let arithmetic = arithmetic.map(|source| read_expression(source, &LIMITS).unwrap());
    let fixed = prop::sample::select(vec![
        Condition::Always(true),
        Condition::Page(vec![PagePattern::new("/a")]),
        Condition::Query("x".into()),
        Condition::Told(Field::Title, ValueTest::StartsWith(Needle::new("save"))),
        Condition::Told(Field::UserId, ValueTest::Exists),
        seen(None),
        seen(Some(Span::from_seconds(60))),
        seen(Some(Span::from_seconds(300))),
        plan(),
        Condition::Not(Box::new(plan())),
        Condition::Trait(Whose::Account, "tier".into(), ValueTest::In(vec![json!("gold")])),
        Condition::Trait(Whose::Person, "seats".into(), ValueTest::AtLeast(3.0)),
    ]);
    prop_oneof![2 => fixed, 1 => prop::sample::select(arithmetic.to_vec())]
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![2 => exact_leaf(), 1 => other_leaf()];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn truth_at(condition: &Condition, view: &View<'_>, now: Timestamp) -> Option<Truth> {
    let view = View { now, ..*view };
    condition.answer(&view).ok().map(|answer| answer.truth)
}

/// Kleene's tables over the parts' own answers, looked at in order.
fn kleene(condition: &Condition, view: &View<'_>) -> Option<Truth> {
    let (parts, decider, otherwise) = match condition {
        Condition::All(parts) => (parts, Truth::False, Truth::True),
        Condition::Any(parts) => (parts, Truth::True, Truth::False),
        Condition::Not(part) => {
            return Some(match kleene(part, view)? {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            });
        }
        leaf => return leaf.answer(view).ok().map(|answer| answer.truth),
    };
    let mut result = otherwise;
    for part in parts {
        match kleene(part, view)? {
            truth if truth == decider => return Some(decider),
            Truth::Unknown => result = Truth::Unknown,
            _ => {}
        }
    }
    Some(result)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_stands_until_it_says(
        condition in condition(),
        (session, now) in session(), (user, account) in beyond(),
        ticks in prop::collection::vec(0.0..1.0_f64, 6),
    ) {
        let view = View { session: &session, user: Some(&user), account: Some(&account), now };
        let Ok(answer) = condition.answer(&view) else { return Ok(()) };
        prop_assert!(answer.until > now, "{condition}: {answer:?}");
        let span = answer.until.since(now).as_millis().min(4_000_000) - 1;
        for share in ticks.into_iter().chain([0.0, 1.0]) {
            let tick = now.plus(Span::from_millis((span as f64 * share) as i64));
            let truth = truth_at(&condition, &view, tick);
            prop_assert_eq!(truth, Some(answer.truth), "{} at {:?}", condition, tick);
        }
    }

    #[test]
    fn a_leaf_stands_exactly_until_it_says(condition in exact_leaf(), (session, now) in session(), (user, account) in beyond()) {
        // Several things of one instant may leave together and step over an exact number.
        let steps_over = matches!(condition, Condition::Tally(_, Bound::Exactly(_) | Bound::Between(..)));
        let to_come = session.actions.iter().any(|action| action.at > now)
            || user.happened.values().flatten().any(|one| one.at > now);
        let view = View { session: &session, user: Some(&user), account: Some(&account), now };
        let answer = condition.answer(&view).unwrap();
        if answer.until != Timestamp::FOREVER && !to_come && !steps_over {
            let then = truth_at(&condition, &view, answer.until);
            prop_assert_ne!(then, Some(answer.truth), "{}: {:?}", condition, answer);
        }
    }

    #[test]
    fn unknown_travels_as_in_kleenes_logic(condition in condition(), (session, now) in session(), (user, account) in beyond()) {
        let view = View { session: &session, user: Some(&user), account: Some(&account), now };
        prop_assert_eq!(truth_at(&condition, &view, now), kleene(&condition, &view));
    }

    /// Explaining looks at the same things as answering.
    #[test]
    fn one_clause_explains_one_leaf(condition in exact_leaf(), (session, now) in session(), (user, account) in beyond()) {
        let view = View { session: &session, user: Some(&user), account: Some(&account), now };
        let clauses = condition.clauses(&view);
        prop_assert_eq!(clauses.len(), 1);
        prop_assert_eq!(Ok(clauses[0].answer), condition.answer(&view));
    }
}

#[test]
fn a_decided_list_stands_as_long_as_its_most_lasting_decider() {
    let session = Session::default();
    let view =
        View { session: &session, user: None, account: None, now: Timestamp::from_millis(0) };
    let idle = |seconds| Condition::Elapsed(Clock::Idle, Span::from_seconds(seconds));
    let started = Session { last_action: Some(Timestamp::from_millis(0)), ..session.clone() };
    let waiting = View { session: &started, ..view };
    let all = Condition::All(vec![idle(5), idle(20), idle(10)]);
    assert_eq!(all.answer(&waiting).unwrap().until, Timestamp::from_millis(20_000));
    let any = Condition::Any(vec![idle(5), idle(20), idle(10)]);
    assert_eq!(any.answer(&waiting).unwrap().until, Timestamp::from_millis(5_000));
}

#[test]
fn an_ignored_offer_is_awaited() {
    let offer = docent::domain::offer::Offer {
        id: "o".into(),
        trigger: "hello".into(),
        body: "".into(),
        labels: Vec::new(),
        tour: None,
        conversation: "".into(),
        made_at: Timestamp::from_millis(0),
        expires_at: Timestamp::from_millis(60_000),
        cooldown: Span::ZERO,
        metadata: serde_json::Map::new(),
        goal: None,
        locale: None,
        variant: None,
        tester: false,
        terms: <_>::default(),
    };
    let session = Session { offer: Some(offer.into()), ..Session::default() };
    let view =
        View { session: &session, user: None, account: None, now: Timestamp::from_millis(1) };
    let ignored = seen(None);
    let answer = ignored.answer(&view).unwrap();
    assert_eq!((answer.truth, answer.until), (Truth::False, Timestamp::from_millis(60_000)));
}
