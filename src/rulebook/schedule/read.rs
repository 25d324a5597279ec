//! `schedule:` of a trigger and `quiet_hours:` of a product.

use crate::rulebook::reader::{Fields, Findings, one_or_several, text, wrong_type};
use crate::rulebook::schedule::{DAYS, Point, QuietHours, Schedule, Week, date};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::{Node, Value};
use crate::rulebook::zone::{Zone, ZoneChoice, choice};
use crate::rulebook::{pacing, zone};

/// Ranges of hours that one schedule may have.
pub(in crate::rulebook) const MOST_RANGES: usize = 24;
const SCHEDULE: &[&str] = &["start", "end", "days", "hours", "timezone"];
const QUIET: &[&str] = &["hours", "days", "timezone", "exempt_tags"];

/// A trigger's schedule; one that never opens is a finding.
pub(in crate::rulebook) fn schedule(node: &Node, findings: &mut Findings<'_>) -> Option<Schedule> {
    let fields = Fields::of(node, "`schedule`", SCHEDULE, findings)?;
    let (before, mut schedule) = (findings.count(), Schedule::default());
    let (start, end) = (fields.get("start"), fields.get("end"));
    schedule.start = start.and_then(|node| date(node, findings)).map(|start| start.start());
    schedule.end = end.and_then(|node| date(node, findings)).map(|end| end.end());
    schedule.week = week(&fields, findings);
    fields.fill("timezone", &mut schedule.zone, zone::choice, findings);
    if findings.count() == before {
        opens(&schedule, end.unwrap_or(node), findings);
    }
    Some(schedule)
}

/// A product's quiet hours; some must be left to speak in.
pub(in crate::rulebook) fn quiet_hours(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<QuietHours> {
    let fields = Fields::of(node, "`quiet_hours`", QUIET, findings)?;
    let before = findings.count();
    let week = week(&fields, findings);
    let (mut zone, mut exempt_tags) = (ZoneChoice::default(), Vec::new());
    fields.fill("timezone", &mut zone, choice, findings);
    fields.fill("exempt_tags", &mut exempt_tags, pacing::tags, findings);
    let timed = fields.get("hours").is_some() || fields.get("days").is_some();
    if !timed && !fields.has_strays() {
        let message = "`quiet_hours` has neither `hours` nor `days`";
        let help = "add for example `hours: 22:00-07:00`".to_owned();
        findings.error(node, "missing-key", message, Some(help));
    } else if timed && week.is_always() && findings.count() == before {
        let help = "leave some hours; to offer nothing at all, write `enabled: false`".to_owned();
        findings.error(node, "never-open", "these quiet hours never end", Some(help));
    }
    Some(QuietHours { week, zone, exempt_tags })
}

/// Notes a schedule that ends before it starts, or whose days and hours do not come between. Where
/// that depends on who asks, nothing is said.
fn opens(schedule: &Schedule, place: &Node, findings: &mut Findings<'_>) {
    let zone = match (&schedule.zone, schedule.start, schedule.end) {
        (ZoneChoice::Fixed(zone), ..) => zone,
        (_, Some(Point::Wall(_)), Some(Point::Wall(_))) => &Zone::UTC,
        (_, Some(Point::Instant(_)), Some(Point::Instant(_))) if schedule.week.is_always() => {
            &Zone::UTC
        }
        _ => return,
    };
    let (Some(start), Some(end)) = (schedule.start, schedule.end) else { return };
    let (start, end) = (start.at(zone), end.at(zone));
    let (message, help) = if end <= start {
        ("this schedule ends before it starts", "write an `end` that is later than `start`")
    } else if schedule.week.stretch(zone, start).is_none_or(|(opens, _)| opens >= end) {
        (
            "its days and hours do not come before this schedule ends",
            "write a later `end`, or other `days`",
        )
    } else {
        return;
    };
    findings.error(place, "never-open", message, Some(help.to_owned()));
}

fn week(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Week {
    let (mut days, mut hours) = ([true; 7], Vec::new());
    fields.fill("days", &mut days, self::days, findings);
    fields.fill("hours", &mut hours, self::hours, findings);
    Week::of(days, &hours)
}

/// One day or several.
fn days(node: &Node, findings: &mut Findings<'_>) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for item in several(node, "a day, or a list of days", "days", findings)? {
        let Some(written) = text(item, findings) else { continue };
        match days.iter_mut().zip(DAYS).find(|(_, name)| *name == written) {
            Some((day, _)) => *day = true,
            None => {
                let message = format!("no day is called `{written}`");
                let help = other_day(written);
                findings.error(item, "unknown-name", message, Some(help));
                if let Some(day) = day_of(written).and_then(|day| DAYS.get(day)) {
                    findings.repair(written, day);
                }
            }
        }
    }
    // Where nothing could be read, that has been said.
    days.contains(&true).then_some(days)
}

/// The place in the week of `monday`, `Mon` or `Mon.`.
fn day_of(text: &str) -> Option<usize> {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    let found = DAYS.iter().position(|day| text.starts_with(day))?;
    let long = text.len() == 3 || text.ends_with("day") || text.ends_with("days");
    (long && text.chars().all(char::is_alphabetic)).then_some(found)
}

/// `monday`, `Mon`, `mon-fri`: what is meant.
fn other_day(written: &str) -> String {
    let range = written.split_once(['-', '–']);
    if let Some((Some(from), Some(to))) = range.map(|(from, to)| (day_of(from), day_of(to))) {
        let length = (to + DAYS.len() - from) % DAYS.len() + 1;
        let named: Vec<&str> = DAYS.into_iter().cycle().skip(from).take(length).collect();
        return format!("write `[{}]`", named.join(", "));
    }
    match day_of(written).and_then(|day| DAYS.get(day)) {
        Some(day) => format!("did you mean `{day}`?"),
        None => did_you_mean(written, DAYS)
            .unwrap_or_else(|| format!("write one of `{}`", DAYS.join("`, `"))),
    }
}

/// One range of hours or several, in minutes since midnight.
fn hours(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<(i64, i64)>> {
    let items = several(node, "hours, or a list of them", "hours", findings)?;
    if items.len() > MOST_RANGES {
        let message = format!("`hours` has at most {MOST_RANGES} ranges");
        findings.error(node, "out-of-range", message, None);
    }
    Some(items.iter().take(MOST_RANGES).filter_map(|item| range(item, findings)).collect())
}

fn range(node: &Node, findings: &mut Findings<'_>) -> Option<(i64, i64)> {
    let Value::Str(written) = &node.value else {
        let help = "write for example `09:00-17:00`".to_owned();
        wrong_type(node, "hours", Some(help), findings);
        return None;
    };
    let read = written.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
    let (message, help) = match read {
        Some((from, to)) if from == to => {
            let help = "for the whole day, write `00:00-24:00`".to_owned();
            (format!("the hours `{written}` end where they begin"), help)
        }
        Some((from, _)) if from == 24 * 60 => {
            let help = format!("write `{}`", written.replacen("24:00", "00:00", 1));
            (format!("no hours begin at 24:00, as `{written}` does"), help)
        }
        Some(range) => return Some(range),
        None => (format!("`{written}` are no hours"), meant(written)),
    };
    findings.error(node, "bad-hours", message, Some(help));
    if let Some(better) = read.is_none().then(|| otherwise(written)).flatten() {
        findings.repair(written, &better);
    }
    None
}

/// `HH:MM`, up to `24:00`.
fn time(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let legal = minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
    legal.then_some(hour * 60 + minute)
}

/// What somebody who writes hours otherwise has in mind.
fn meant(written: &str) -> String {
    match otherwise(written) {
        Some(better) => format!("write `{better}`"),
        None if loose(&written.to_lowercase().replace(' ', "")).is_some() => {
            "write from and until, for example `22:00-07:00`".to_owned()
        }
        None => "write for example `09:00-17:00`, from 00:00 to 24:00".to_owned(),
    }
}

/// The hours of somebody who writes them otherwise.
fn otherwise(written: &str) -> Option<String> {
    let plain = written.to_lowercase().replace(' ', "").replace('.', ":").replace(['–', '—'], "-");
    let plain = plain.replace("to", "-");
    let (from, to) = plain.split_once('-')?;
    let (from, to) = (loose(from)?, loose(to)?);
    (from != to && from != "24:00").then(|| format!("{from}-{to}"))
}

/// `9`, `9:30`, `9pm` as `HH:MM`.
fn loose(text: &str) -> Option<String> {
    let (text, later) = match (text.strip_suffix("pm"), text.strip_suffix("am")) {
        (Some(text), _) => (text, Some(12)),
        (None, Some(text)) => (text, Some(0)),
        (None, None) => (text, None),
    };
    let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
    let hour: i64 = hour.parse().ok()?;
    let hour = later.map_or(hour, |later| hour % 12 + later);
    let better = format!("{hour:02}:{minute:0>2}");
    time(&better).map(|_| better)
}

/// The one value or those of a list that is not empty.
fn several<'n>(
    node: &'n Node,
    expected: &str,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<&'n [Node]> {
    if matches!(node.value, Value::Map(_)) {
        wrong_type(node, expected, None, findings);
        return None;
    }
    let items = one_or_several(node);
    if items.is_empty() {
        let help = format!("remove `{key}` for all of them");
        findings.error(node, "empty-list", format!("`{key}` is an empty list"), Some(help));
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ways_to_write_hours_and_days_are_understood_well_enough_to_help() {
        for (written, help) in [
            ("9-17", "write `09:00-17:00`"),
            ("9:00-17:30", "write `09:00-17:30`"),
            ("09:00 - 17:00", "write `09:00-17:00`"),
            ("9am–5pm", "write `09:00-17:00`"),
            ("12am to 12pm", "write `00:00-12:00`"),
            ("22:00", "write from and until, for example `22:00-07:00`"),
            ("25:00-26:00", "write for example `09:00-17:00`, from 00:00 to 24:00"),
        ] {
            assert_eq!(meant(written), help, "{written}");
        }
        for (written, help) in [
            ("Monday", "did you mean `mon`?"),
            ("mon-fri", "write `[mon, tue, wed, thu, fri]`"),
            ("Sat–Sun", "write `[sat, sun]`"),
            ("sun-mon", "write `[sun, mon]`"),
            ("weekend", "write one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`"),
        ] {
            assert_eq!(other_day(written), help, "{written}");
        }
    }
}
