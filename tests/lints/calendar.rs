//! Schedules and quiet hours that are hardly meant, and what time brings about.

use docent::domain::time::{Span, Timestamp};
use docent::rulebook::Sources;
use docent::rulebook::compile::compile;
use docent::rulebook::finding::{Finding, Severity};
use docent::rulebook::lint::{dated, lint};

use crate::lints::desk::rules;

const PLAIN: &str = "when: [{ dwell: 5s }]";
const CLOCK: &str = "timezone: Europe/Oslo";

fn found(product: &str, keys: &[&str], days: Option<i64>) -> Vec<Finding> {
    let workspace = format!("version: 1\nproducts:\n  acme: {{ {product} }}\n");
    let files = [("docent.yaml", workspace), ("rules/r.yaml", rules(keys))];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes())).into();
    let sources = Sources { files };
    let (book, errors) = compile(&sources, &|_| None);
    let book = book.unwrap_or_else(|| panic!("{errors:#?}"));
    match days {
        None => lint(&book, &sources),
        // Days after noon in Greenwich, 1 September 2026.
        Some(days) => {
            let noon = Timestamp::from_millis(1_788_264_000_000);
            dated(&book, &sources, noon.plus(Span::from_seconds(days * 86_400)))
        }
    }
}

fn codes(product: &str, keys: &[&str], days: Option<i64>) -> Vec<(&'static str, usize)> {
    found(product, keys, days).iter().map(|found| (found.code, found.line)).collect()
}

#[test]
fn hours_are_by_a_clock_that_somebody_chose() {
    let hours = "when: [{ dwell: 5s }], schedule: { hours: 09:00-17:00 }";
    assert_eq!(codes("", &[hours], None), [("no-timezone", 3)]);
    assert_eq!(codes("quiet_hours: { hours: 22:00-07:00 }", &[PLAIN], None), [("no-timezone", 3)]);
    assert_eq!(codes(CLOCK, &[hours], None), []);
    assert_eq!(codes("timezone: UTC", &[hours], None), []);
    let user = "quiet_hours: { hours: 22:00-07:00, timezone: user }";
    let own = "when: [{ dwell: 5s }], schedule: { hours: 09:00-17:00, timezone: Asia/Tokyo }";
    assert_eq!(codes(user, &[own], None), []);
    let days = "when: [{ dwell: 5s }], schedule: { start: 2026-09-01, days: [mon] }";
    assert_eq!(codes("", &[days], None), []);
}

#[test]
fn what_quiet_hours_exempt_is_there_and_what_they_hide_is_seen() {
    let quiet = |more: &str| format!("{CLOCK}, quiet_hours: {{ hours: 22:00-07:00{more} }}");
    let night = "when: [{ dwell: 5s }], schedule: { hours: [23:00-02:00, 06:00-06:30] }";
    let urgent = format!("tags: [urgent], {night}");
    let late = "when: [{ dwell: 5s }], schedule: { hours: 21:00-02:00 }";
    let theirs = "when: [{ dwell: 5s }], schedule: { hours: 23:00-02:00, timezone: user }";
    assert_eq!(codes(&quiet(""), &[night], None), [("never-open", 3)]);
    assert_eq!(codes(&quiet(", exempt_tags: [urgent]"), &[&urgent], None), []);
    assert_eq!(codes(&quiet(""), &[late], None), []);
    assert_eq!(codes(&quiet(""), &[theirs], None), []);
    let misspelt =
        found(&quiet(", exempt_tags: [urgnt]"), &[&format!("tags: urgent, {late}")], None);
    assert_eq!(misspelt.len(), 1);
    assert_eq!((misspelt[0].code, misspelt[0].line), ("unknown-tag", 3));
    assert_eq!(misspelt[0].help.as_deref(), Some("did you mean `urgent`?"));
}

#[test]
fn a_schedule_is_told_two_weeks_before_it_ends_and_when_it_has() {
    let until =
        |more: &str| format!("when: [{{ dwell: 5s }}], schedule: {{ end: 2026-09-30{more} }}");
    let (over, soon) = (("schedule-over", 3), ("schedule-ends-soon", 3));
    let none: [(&str, usize); 0] = [];
    for (keys, days, expected) in [
        (until(""), 15, &none[..]),
        (until(""), 16, &[soon]),
        (until(""), 29, &[soon]),
        (until(""), 30, &[over]),
        // The last hour of a Friday is the end, before the month is over.
        (until(", days: [fri]"), 25, &[over]),
        (until(", days: [fri]"), 24, &[soon]),
        // Somewhere it is still September.
        (until(", timezone: user"), 29, &[soon]),
        (until(", timezone: Pacific/Apia"), 29, &[over]),
        (format!("mode: paused, {}", until("")), 99, &none[..]),
        ("when: [{ dwell: 5s }], schedule: { start: 2026-09-30 }".to_owned(), 99, &none[..]),
    ] {
        assert_eq!(codes(CLOCK, &[&keys], Some(days)), expected, "{keys} after {days} days");
    }
    let told = &found(CLOCK, &[&until("")], Some(20))[0];
    assert_eq!(told.severity, Severity::Note, "time alone denies nothing");
    assert!(told.message.contains("until Thu 2026-10-01 00:00"), "{}", told.message);
    let over = &found(CLOCK, &[&until("")], Some(40))[0];
    assert_eq!(over.severity, Severity::Warning);
}
