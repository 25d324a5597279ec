//! Dates and times of day as authors write them: `2026-12-31`, `2026-12-31T09:00`, and either with
//! an offset where the instant is meant and no wall clock.

use std::fmt;

use crate::domain::time::Timestamp;
use crate::rulebook::reader::{Findings, wrong_type};
use crate::rulebook::yaml::{Node, Value};
use crate::rulebook::zone::{Wall, Zone};

/// Years that are probably meant.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;

/// A point in time, by a clock on a wall or everywhere at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// When that clock shows this.
    Wall(Wall),
    /// This instant, whatever any clock shows.
    Instant(Timestamp),
}

impl Point {
    /// The instant in a zone.
    pub fn at(self, zone: &Zone) -> Timestamp {
        match self {
            Self::Wall(wall) => zone.first(wall),
            Self::Instant(instant) => instant,
        }
    }
}

/// As a clock shows it; an instant as Greenwich does, and said so.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wall(wall) => wall.fmt(f),
            Self::Instant(instant) => write!(f, "{} UTC", Zone::UTC.wall(*instant)),
        }
    }
}

/// A moment as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Its beginning.
    wall: Wall,
    /// Milliseconds ahead of Greenwich, where an offset is written.
    offset: Option<i64>,
    /// Whether it is a day without a time.
    is_day: bool,
}

impl Dated {
    /// Its first instant.
    pub fn start(self) -> Point {
        self.point(self.wall)
    }

    /// The first instant after it: a day is meant whole.
    pub fn end(self) -> Point {
        self.point(if self.is_day { self.wall.next_day() } else { self.wall })
    }

    fn point(self, wall: Wall) -> Point {
        self.offset.map_or(Point::Wall(wall), |offset| Point::Instant(wall.at_offset(offset)))
    }
}

/// The instant that a text names on the clock of a zone, or by its own offset; `None` for what is no
/// date or is not in any calendar.
pub fn instant(text: &str, zone: &Zone) -> Option<Timestamp> {
    match parse(text.trim()) {
        Parsed::Date(written, year) if YEARS.contains(&year) => Some(written.start().at(zone)),
        _ => None,
    }
}

/// Reads a date, with or without a time of day; anything else is a finding.
pub(in crate::rulebook) fn read(node: &Node, findings: &mut Findings<'_>) -> Option<Dated> {
    let Value::Str(text) = &node.value else {
        let help = "write for example `2026-12-31` or `2026-12-31T09:00`".to_owned();
        wrong_type(node, "a date", Some(help), findings);
        return None;
    };
    let (message, help) = match parse(text.trim()) {
        Parsed::Date(_, year) if !YEARS.contains(&year) => {
            let help = format!("write a year from {} to {}", YEARS.start(), YEARS.end());
            findings.error(node, "out-of-range", format!("`{text}` is out of range"), Some(help));
            return None;
        }
        Parsed::Date(written, _) => return Some(written),
        Parsed::NoSuchDay => {
            let help = "look at the month's last day, and at hours from 00:00 to 23:59".to_owned();
            (format!("there is no `{text}`"), help)
        }
        Parsed::Otherwise => {
            let usual = || "write for example `2026-12-31` or `2026-12-31T09:00`".to_owned();
            let help = meant(text).map_or_else(usual, |better| format!("write `{better}`"));
            (format!("`{text}` is no date"), help)
        }
    };
    findings.error(node, "bad-date", message, Some(help));
    if let Some(better) = meant(text) {
        findings.repair(text, &better);
    }
    None
}

enum Parsed {
    /// With its year.
    Date(Dated, i16),
    /// Well written, and in no calendar or on no clock.
    NoSuchDay,
    /// Something else.
    Otherwise,
}

fn parse(text: &str) -> Parsed {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let Some([year, month, day]) = digits(date, '-', [4, 2, 2]) else { return Parsed::Otherwise };
    let (clock, offset) = match time.map(offset) {
        None => (None, None),
        Some(Some((clock, offset))) => (Some(clock), offset),
        Some(None) => return Parsed::Otherwise,
    };
    let of_day = match clock {
        None => Some(0),
        Some(clock) => {
            let padded = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
            let Some([hour, minute, second]) = digits(&padded, ':', [2, 2, 2]) else {
                return Parsed::Otherwise;
            };
            let legal = hour < 24 && minute < 60 && second < 60;
            legal.then_some(((hour * 60 + minute) * 60 + second) * 1_000)
        }
    };
    let narrow = |number: i64| i8::try_from(number).ok();
    let day = i16::try_from(year).ok().zip(narrow(month)).zip(narrow(day));
    let midnight =
        day.and_then(|((year, month), day)| Some((Wall::midnight(year, month, day)?, year)));
    match (midnight, of_day) {
        (Some((wall, year)), Some(of_day)) => {
            Parsed::Date(Dated { wall: wall.plus(of_day), offset, is_day: clock.is_none() }, year)
        }
        _ => Parsed::NoSuchDay,
    }
}

/// A time of day before its offset, and the offset in milliseconds; `None` when that is none.
fn offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, Some(0)));
    }
    let Some(place) = time.rfind(['+', '-']) else { return Some((time, None)) };
    let (clock, written) = time.split_at(place);
    let sign = if written.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = digits(written.get(1..)?, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then(|| (clock, Some(sign * (hours * 60 + minutes) * 60_000)))
}

/// Numbers of so many digits each, apart by one character.
fn digits<const N: usize>(text: &str, apart: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(apart);
    let mut numbers = [0; N];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = plain.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The date of somebody who writes dates otherwise.
fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    let (date, time) = match text.split_once([' ', 't', 'T']) {
        Some((date, time)) => (date, format!("T{}", time.trim())),
        None => (text, String::new()),
    };
    let parts: Vec<&str> = date.split(['.', '/', '-']).collect();
    let [one, two, three] = parts.as_slice() else { return None };
    let day = match (one.len(), three.len()) {
        (4, _) => format!("{one}-{two:0>2}-{three:0>2}"),
        // With slashes, the day may be the first or the second.
        (_, 4) if date.contains('.') => format!("{three}-{two:0>2}-{one:0>2}"),
        _ => return None,
    };
    let time = if time.len() == 5 { time.replacen('T', "T0", 1) } else { time };
    let better = format!("{day}{time}");
    matches!(parse(&better), Parsed::Date(..)).then_some(better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ways_to_write_a_date_are_understood_well_enough_to_help() {
        for (text, better) in [
            ("31.12.2026", Some("2026-12-31")),
            ("1.9.2026", Some("2026-09-01")),
            ("2026/9/1", Some("2026-09-01")),
            ("2026-9-1 9:30", Some("2026-09-01T09:30")),
            ("2026-09-01 09:30", Some("2026-09-01T09:30")),
            ("12/31/2026", None),
            ("tomorrow", None),
        ] {
            assert_eq!(meant(text).as_deref(), better, "{text}");
        }
    }

    #[test]
    fn a_day_is_whole_and_an_offset_is_an_instant() {
        let read = |text| match parse(text) {
            Parsed::Date(written, _) => {
                (written.start().at(&Zone::UTC), written.end().at(&Zone::UTC))
            }
            _ => panic!("{text}"),
        };
        let at = Timestamp::from_millis;
        assert_eq!(read("1970-01-02"), (at(86_400_000), at(2 * 86_400_000)));
        assert_eq!(read("1970-01-02T01:00"), (at(90_000_000), at(90_000_000)));
        assert_eq!(read("1970-01-02T01:00:01Z").0, at(90_001_000));
        assert_eq!(read("1970-01-02T01:00-01:30").0, at(90_000_000 + 5_400_000));
        assert_eq!(read("1970-01-02T01:00+01:00").0, at(86_400_000));
    }
}
