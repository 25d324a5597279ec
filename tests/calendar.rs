//! Schedules and quiet hours: when they hold, until when, and by whose clock.
#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Docent, EAGER};
use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::decision::{Hold, Verdict};
use docent::domain::records::{Context, User};
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::advance::{Received, advance};
use docent::engine::around::Around;
use docent::engine::decide::decide;
use docent::engine::explain::Told;
use docent::engine::observe::Recording;
use docent::rulebook::compile::compile;
use docent::rulebook::schedule::{Point, Schedule, Standing, Week};
use docent::rulebook::zone::{Wall, Zone};
use docent::rulebook::{Product, Sources};
use proptest::prelude::*;
use serde_json::json;

const DAY: i64 = 24 * 60;
const MINUTE: i64 = 60_000;
const QUARTER: i64 = 15 * MINUTE;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// `2026-03-29T01:30` in Greenwich.
fn utc(text: &str) -> Timestamp {
    let (date, time) = text.split_once('T').unwrap();
    let numbers = |text: &str, apart| -> Vec<i64> {
        text.split(apart).map(|part| part.parse().unwrap()).collect()
    };
    let (date, time) = (numbers(date, '-'), numbers(time, ':'));
    let midnight = Wall::midnight(date[0] as i16, date[1] as i8, date[2] as i8).unwrap();
    midnight.plus((time[0] * 60 + time[1]) * MINUTE).at_offset(0)
}

fn hours(from: i64, to: i64) -> Schedule {
    Schedule { week: Week::of([true; 7], &[(from, to)]), ..Schedule::default() }
}

// ---- the clock

#[test]
fn what_is_skipped_moves_and_what_comes_twice_counts_once() {
    let oslo = Zone::named("Europe/Oslo").unwrap();
    let half = |hour: i64| hour * 60 + 30;
    for (from, to, now, expected) in [
        // 29 March 2026: 02:00 is followed by 03:00, at 01:00 in Greenwich.
        (half(2), 5 * 60, "2026-03-29T00:59", Standing::Closed(utc("2026-03-29T01:00"))),
        (half(2), 5 * 60, "2026-03-29T01:00", Standing::Open(utc("2026-03-29T03:00"))),
        (2 * 60, half(2), "2026-03-29T00:30", Standing::Closed(utc("2026-03-30T00:00"))),
        (half(22), half(2), "2026-03-29T00:30", Standing::Open(utc("2026-03-29T01:00"))),
        // 25 October 2026: 03:00 is followed by 02:00, at 01:00 in Greenwich.
        (2 * 60, half(2), "2026-10-25T00:10", Standing::Open(utc("2026-10-25T00:30"))),
        (2 * 60, half(2), "2026-10-25T01:10", Standing::Closed(utc("2026-10-26T01:00"))),
        (half(2), 4 * 60, "2026-10-25T00:40", Standing::Open(utc("2026-10-25T03:00"))),
        (half(2), 4 * 60, "2026-10-25T01:10", Standing::Open(utc("2026-10-25T03:00"))),
        (half(22), half(2), "2026-10-24T21:00", Standing::Open(utc("2026-10-25T00:30"))),
    ] {
        assert_eq!(hours(from, to).standing(&oslo, utc(now)), expected, "{from}-{to} at {now}");
    }
}

#[test]
fn nights_belong_to_the_day_they_begin_on_and_join_over_the_week() {
    let mut days = [false; 7];
    days[4] = true;
    let friday = Schedule { week: Week::of(days, &[(22 * 60, 2 * 60)]), ..Schedule::default() };
    // 4 September 2026 is a Friday.
    for (now, expected) in [
        ("2026-09-04T01:00", Standing::Closed(utc("2026-09-04T22:00"))),
        ("2026-09-05T01:00", Standing::Open(utc("2026-09-05T02:00"))),
        ("2026-09-05T22:00", Standing::Closed(utc("2026-09-11T22:00"))),
    ] {
        assert_eq!(friday.standing(&Zone::UTC, utc(now)), expected, "{now}");
    }
    let nights = hours(22 * 60, 7 * 60);
    let sunday = nights.standing(&Zone::UTC, utc("2026-09-06T23:00"));
    assert_eq!(sunday, Standing::Open(utc("2026-09-07T07:00")));
    assert!(Week::of([true; 7], &[(0, 12 * 60), (12 * 60, 24 * 60)]).is_always());
    assert!(Week::of([true; 7], &[(7 * 60, 22 * 60), (22 * 60, 7 * 60)]).is_always());
}

#[test]
fn a_schedule_has_not_started_before_it_first_opens_and_ends_with_its_last_hour() {
    let mut schedule = hours(9 * 60, 17 * 60);
    let wall = |day| Point::Wall(Wall::midnight(2026, 9, day).unwrap());
    (schedule.start, schedule.end) = (Some(wall(1)), Some(wall(3)));
    for (now, expected) in [
        ("2026-08-01T12:00", Standing::NotStarted(utc("2026-09-01T09:00"))),
        ("2026-09-01T08:59", Standing::NotStarted(utc("2026-09-01T09:00"))),
        ("2026-09-01T09:00", Standing::Open(utc("2026-09-01T17:00"))),
        ("2026-09-01T17:00", Standing::Closed(utc("2026-09-02T09:00"))),
        ("2026-09-02T16:59", Standing::Open(utc("2026-09-02T17:00"))),
        ("2026-09-02T17:00", Standing::Ended),
        ("2027-09-02T10:00", Standing::Ended),
    ] {
        assert_eq!(schedule.standing(&Zone::UTC, utc(now)), expected, "{now}");
    }
}

// ---- the same, said once more and otherwise

/// The latest that the clock has shown: within a day it may go back by an hour, never by two days.
fn furthest(zone: &Zone, now: Timestamp) -> Wall {
    let now_ms = now.as_millis();
    let before = (now_ms - 27 * 4 * QUARTER).div_euclid(QUARTER);
    let ends = (before..=now_ms.div_euclid(QUARTER)).map(|quarter| at(quarter * QUARTER - 1));
    ends.chain([now]).map(|at| zone.wall(at)).max().unwrap()
}

/// Whether a schedule of these days and hours is open.
fn is_open(days: [bool; 7], ranges: &[(i64, i64)], zone: &Zone, now: Timestamp) -> bool {
    let shown = furthest(zone, now);
    let minutes = shown.since(shown.monday()).div_euclid(MINUTE);
    [-7, 0].into_iter().any(|week| {
        (0..7).filter(|day| days[*day as usize]).any(|day| {
            ranges.iter().any(|(from, to)| {
                let midnight = (week + day) * DAY;
                let end = if to > from { *to } else { to + DAY };
                (midnight + from..midnight + end).contains(&minutes)
            })
        })
    })
}

/// An instant of these years; half of them are near a change of the zone's clock.
fn instant(zone: &Zone, from: i64, near: bool) -> Timestamp {
    let offset =
        |millis: i64| zone.wall(at(millis)).since(Wall::midnight(1970, 1, 1).unwrap()) - millis;
    let mut steps = (0..1_600).map(|step| from + step * 6 * 60 * MINUTE);
    let change = steps.find(|millis| offset(*millis) != offset(millis + 6 * 60 * MINUTE));
    at(if near { change.unwrap_or(from) + from.rem_euclid(9 * 60) * MINUTE } else { from })
}

fn zone() -> impl Strategy<Value = Zone> {
    let odd = [
        "Europe/Oslo",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/St_Johns",
    ];
    let odd = odd.map(str::to_owned).to_vec();
    let name = prop_oneof![prop::sample::select(odd), prop::sample::select(Zone::names())];
    name.prop_map(|name| Zone::named(&name).unwrap_or(Zone::UTC))
}

fn week() -> impl Strategy<Value = ([bool; 7], Vec<(i64, i64)>)> {
    let minute = || (0..48_i64).prop_map(|half| half * 30);
    let range = (minute(), minute()).prop_filter("lasts", |(from, to)| from != to);
    let days = any::<[bool; 7]>().prop_filter("some day", |days| days.contains(&true));
    (prop_oneof![Just([true; 7]), days], prop::collection::vec(range, 1..4))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_stands_exactly_until_it_says(
        zone in zone(),
        (days, ranges) in week(),
        (from, near) in (946_684_800_000..2_050_000_000_000_i64, any::<bool>()),
        ticks in prop::collection::vec(0.0..1.0_f64, 5),
    ) {
        let now = instant(&zone, from, near);
        let schedule = Schedule { week: Week::of(days, &ranges), ..Schedule::default() };
        let open = |now| is_open(days, &ranges, &zone, now);
        let (is, until) = match schedule.standing(&zone, now) {
            Standing::Open(until) => (true, until),
            Standing::Closed(until) => (false, until),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert_eq!(open(now), is, "now");
        prop_assert!(until > now);
        let room = until.as_millis().saturating_sub(now.as_millis() + 1).min(20 * DAY * MINUTE);
        for tick in ticks.into_iter().chain([1.0]) {
            let tick = now.plus(Span::from_millis((room as f64 * tick) as i64));
            prop_assert_eq!(open(tick), is, "at {:?}, until {:?}", tick, until);
        }
        if until != Timestamp::FOREVER {
            prop_assert_eq!(open(until), !is, "at its end, {:?}", until);
        }
    }

    #[test]
    fn a_time_comes_when_the_clock_has_first_shown_it(
        zone in zone(),
        (from, near) in (946_684_800_000..2_050_000_000_000_i64, any::<bool>()),
        minutes in -300..300_i64,
    ) {
        let now = instant(&zone, from, near);
        let shown = zone.wall(now);
        let wall = shown.plus(minutes * MINUTE - shown.since(shown.monday()).rem_euclid(MINUTE));
        let first = zone.first(wall);
        prop_assert!(furthest(&zone, first) >= wall, "by then it has");
        let before = at(first.as_millis() - 1);
        prop_assert!(furthest(&zone, before) < wall, "and before it had not");
    }
}

// ---- decisions

const PRODUCT: &str = "version: 1
products:
  acme:
    timezone: Europe/Oslo
    quiet_hours: { hours: 22:00-07:00, timezone: user, exempt_tags: [critical] }
";
const RULES: &str = "version: 1
triggers:
  - id: office
    page: /office
    when: [{ dwell: 10s }]
    offer: { body: B, accept: A, dismiss: D }
    schedule: { days: [mon, tue, wed, thu, fri], hours: [08:00-12:00, 13:00-23:30] }
    again_after: 2h
  - id: outage
    tags: [critical, ops]
    page: /outage
    when: [{ dwell: 10s }]
    offer: { body: B, accept: A, dismiss: D }
  - id: eager
    page: /eager
    when: [{ dwell: 10s }]
    offer: { body: B, accept: A, dismiss: D }
";

fn product() -> Arc<Product> {
    let files = [("docent.yaml", PRODUCT), ("rules/r.yaml", RULES)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let (rulebook, findings) = compile(&Sources { files: BTreeMap::from(files) }, &|_| None);
    Arc::clone(&rulebook.unwrap_or_else(|| panic!("{findings:#?}")).products["acme"])
}

/// Somebody who came to a page ten seconds ago.
fn there(product: &Product, page: &str, zone: Option<&str>, now: Timestamp) -> Session {
    let action =
        RawAction { kind: "pageview".into(), canonical_url: page.into(), ..RawAction::default() };
    let timezone = zone.map(str::to_owned);
    let batch = Batch { actions: vec![action], timezone, ..Batch::default() };
    let received = Received {
        delivery: &Delivery::Actions(batch),
        identity: None,
        trust: Trust::Trusted,
        voucher: None,
        most_actions: 10,
    };
    let (mut session, came) = (Session::default(), at(now.as_millis() - 10_000));
    advance(&product.settings, &mut session, &mut Context::default(), &received, came);
    session
}

fn verdict(
    product: &Product,
    session: &Session,
    around: &Around,
    now: Timestamp,
) -> (Verdict, Timestamp) {
    let mut session = Session { last_answer: <_>::default(), ..session.clone() };
    let decision = decide(product, &mut session, around, now, &mut ());
    (decision.verdict, decision.until)
}

#[test]
fn the_night_is_the_persons_else_their_browsers_else_the_products() {
    let product = product();
    assert!(product.asks.of_person, "the zone is remembered of people");
    // Noon in Greenwich: 13:00 in Oslo, 22:00 in Tokyo, 04:00 in Los Angeles.
    let noon = utc("2026-12-07T13:00");
    let (tokyo, angeles) = ("Asia/Tokyo", "America/Los_Angeles");
    for (known, browser, clock, night) in [
        (None, None, "Mon 2026-12-07 14:00 in Europe/Oslo (product)", false),
        (None, Some(tokyo), "Mon 2026-12-07 22:00 in Asia/Tokyo (browser)", true),
        (None, Some("Mars/Olympus"), "Mon 2026-12-07 14:00 in Europe/Oslo (product)", false),
        (
            Some(json!(angeles)),
            Some("Europe/Oslo"),
            "Mon 2026-12-07 05:00 in America/Los_Angeles (user)",
            true,
        ),
        (Some(json!("Nowhere")), Some(tokyo), "Mon 2026-12-07 22:00 in Asia/Tokyo (browser)", true),
        (Some(json!(9)), None, "Mon 2026-12-07 14:00 in Europe/Oslo (product)", false),
    ] {
        let session = there(&product, "/eager", browser, noon);
        let traits = known.map(|zone| [("timezone".into(), zone)].into()).unwrap_or_default();
        let around = Around { user: Some(User { traits, ..User::default() }), ..Around::default() };
        let (found, _) = verdict(&product, &session, &around, noon);
        assert_eq!(found == Verdict::Hold(Hold::QuietHours), night, "{clock}");
        let mut recording = Recording::default();
        let decision = decide(&product, &mut session.clone(), &around, noon, &mut recording);
        let gates = recording.rules.iter().flat_map(|rule| &rule.gates);
        let notes: Vec<_> = gates.filter(|gate| gate.name == "quiet_hours").collect();
        assert_eq!(notes[0].note.as_deref(), Some(clock), "{notes:?}");
        let told =
            Told { product: &product, decision, recording: &recording, tester: false, now: noon }
                .text();
        assert_eq!(told.contains(&format!("; now {clock}")), night, "{told}");
    }
}

#[test]
fn urgent_help_comes_at_night_and_other_help_in_the_morning() {
    let product = product();
    let night = utc("2026-12-07T22:30");
    let hold =
        |page, now| verdict(&product, &there(&product, page, None, now), &Around::default(), now);
    assert_eq!(hold("/eager", night), (Verdict::Hold(Hold::QuietHours), utc("2026-12-08T06:00")));
    assert!(matches!(hold("/outage", night).0, Verdict::Fire(_)));
    assert!(matches!(hold("/eager", utc("2026-12-08T06:00")).0, Verdict::Fire(_)));
}

#[test]
fn a_hold_by_a_later_gate_stands_no_longer_than_the_schedule_is_open() {
    let product = product();
    let noon = utc("2026-12-07T10:30");
    let mut session = there(&product, "/office", None, noon);
    session.memory(&"office".into()).fired = Some(noon);
    let around = Around::default();
    let step = |now| {
        let (Verdict::Hold(hold), until) = verdict(&product, &session, &around, now) else {
            panic!("it rests, or is closed")
        };
        (hold, until)
    };
    let noon_in_oslo = utc("2026-12-07T11:00");
    assert_eq!(step(noon), (Hold::TriggerCooldown, noon_in_oslo));
    assert_eq!(step(noon_in_oslo), (Hold::ScheduleClosed, utc("2026-12-07T12:00")));
    assert_eq!(step(utc("2026-12-07T12:00")), (Hold::TriggerCooldown, utc("2026-12-07T12:30")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is remembered of a decision is what would be decided afresh, over days of polls.
    #[test]
    fn a_remembered_hold_equals_a_fresh_one(
        page in prop::sample::select(vec!["/office", "/outage", "/eager"]),
        zone in prop::sample::select(vec![None, Some("Asia/Tokyo"), Some("America/St_Johns")]),
        start in 0..700_000_i64,
        rested in prop::option::of(0..240_i64),
        ticks in prop::collection::vec(1..400_i64, 1..40),
    ) {
        let product = product();
        // From March 2026 on, so that clocks change on the way.
        let mut now = utc("2026-03-20T00:00").plus(Span::from_millis(start * MINUTE));
        let mut session = there(&product, page, zone, now);
        if let Some(rested) = rested {
            session.memory(&"office".into()).fired = Some(at(now.as_millis() - rested * MINUTE));
        }
        for tick in ticks {
            let known = decide(&product, &mut session, &Around::default(), now, &mut ());
            let (fresh, until) = verdict(&product, &session, &Around::default(), now);
            prop_assert_eq!(known.verdict, fresh);
            let held = matches!(fresh, Verdict::Hold(Hold::QuietHours | Hold::ScheduleClosed));
            if held && until != Timestamp::FOREVER {
                let then = verdict(&product, &session, &Around::default(), until).0;
                prop_assert_ne!(then, fresh, "it lifts");
                let before = verdict(&product, &session, &Around::default(), at(until.as_millis() - 1)).0;
                prop_assert_eq!(before, fresh, "and not before");
            }
            now = now.plus(Span::from_millis(tick * MINUTE));
        }
    }
}

#[tokio::test]
async fn a_night_is_kept_by_the_clock_that_the_browser_told_of() {
    let quiet = "version: 1
products: { acme: { quiet_hours: { hours: 22:00-07:00, timezone: user } } }\n";
    let docent = Docent::timed(&[("docent.yaml", quiet), ("rules/eager.yaml", EAGER)]);
    // 08:53:20 in Greenwich: 17:53 in Tokyo, 01:53 in Los Angeles.
    assert_eq!(docent.post("/__clock", json!({ "now": 1_760_000_000 })).await.0, 200);
    for (session, zone, expected) in
        [("tokyo", "Asia/Tokyo", "eager"), ("angeles", "America/Los_Angeles", "quiet_hours")]
    {
        let batch = json!({ "type": "actions", "session_id": session, "timezone": zone,
            "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
        assert_eq!(docent.post("/events/acme", batch).await.0, 200);
        assert_eq!(docent.verdict(session).await, expected, "{zone}");
    }
}
