//! When a rule may be offered by the calendar and the clock, and when a product keeps quiet.
//!
//! Days and hours are those of a clock on a wall. Each stretch of them runs from the first instant
//! at which that clock shows its beginning to the first at which it shows its end: what is skipped
//! in spring moves to the end of the gap, and what comes twice in autumn counts once.

mod date;
mod read;

use std::fmt;
use std::sync::Arc;

use crate::domain::time::Timestamp;
use crate::rulebook::zone::{Wall, Zone, ZoneChoice};

pub(in crate::rulebook) use date::read as date;
pub use date::{Dated, Point, instant};
pub(in crate::rulebook) use read::{MOST_RANGES, quiet_hours, schedule};

/// The keys of the week's days, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day and of a week.
const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
const MINUTE_MS: i64 = 60_000;

/// When a rule may be offered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Not before.
    pub start: Option<Point>,
    /// Until then, and no longer.
    pub end: Option<Point>,
    /// On these days, at these hours.
    pub week: Week,
    /// By the clock of this zone.
    pub zone: ZoneChoice,
}

/// When a product offers nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    /// On these days, at these hours.
    pub week: Week,
    /// By the clock of this zone.
    pub zone: ZoneChoice,
    /// Rules with one of these tags are offered all the same.
    pub exempt_tags: Vec<Arc<str>>,
}

/// Stretches of a week that comes again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week {
    /// Minutes since Monday, 00:00, in order and apart from each other; the last may reach into the
    /// next week. None for all the time there is.
    stretches: Option<Vec<(i64, i64)>>,
}

/// How a schedule stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not been open yet; it first opens then.
    NotStarted(Timestamp),
    /// Open until then.
    Open(Timestamp),
    /// Closed until then.
    Closed(Timestamp),
    /// It does not open again.
    Ended,
}

impl Week {
    /// The days (Monday first) on which stretches begin, and their hours in minutes since midnight;
    /// hours that end no later than they begin cross midnight. No hours are whole days.
    pub fn of(days: [bool; 7], hours: &[(i64, i64)]) -> Self {
        let whole = [(0, DAY)];
        let hours = if hours.is_empty() { &whole[..] } else { hours };
        let mut parts = Vec::new();
        for day in (0..).zip(days).filter_map(|(day, on)| on.then_some(day * DAY)) {
            for (from, to) in hours {
                let end = day + if to > from { *to } else { to + DAY };
                parts.push((day + from, end.min(WEEK)));
                parts.extend((end > WEEK).then_some((0, end - WEEK)));
            }
        }
        parts.sort_unstable();
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for (from, to) in parts {
            match stretches.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => stretches.push((from, to)),
            }
        }
        match stretches.as_slice() {
            [(0, WEEK)] => return Self::default(),
            // The night from Sunday to Monday is one.
            [(0, early), .., (_, WEEK)] => {
                let early = WEEK + early;
                stretches.remove(0);
                if let Some(last) = stretches.last_mut() {
                    last.1 = early;
                }
            }
            _ => {}
        }
        Self { stretches: Some(stretches) }
    }

    /// Whether it is all the time there is.
    pub const fn is_always(&self) -> bool {
        self.stretches.is_none()
    }

    /// Whether every minute of this week is one of the other.
    pub fn is_within(&self, other: &Self) -> bool {
        let (Some(inner), Some(outer)) = (&self.stretches, &other.stretches) else {
            return other.is_always();
        };
        inner.iter().all(|(from, to)| {
            outer.iter().any(|(start, end)| {
                [-WEEK, 0, WEEK].iter().any(|shift| start + shift <= *from && *to <= end + shift)
            })
        })
    }

    /// The stretch under way at `from`, else the next one: its first instant and the first after it.
    pub fn stretch(&self, zone: &Zone, from: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let Some(stretches) = &self.stretches else {
            return Some((Timestamp::from_millis(i64::MIN), Timestamp::FOREVER));
        };
        let wall = zone.wall(from);
        let monday = wall.monday();
        let mut found: Option<(Timestamp, Timestamp)> = None;
        // A stretch may have begun last week; a change of the clock can swallow whole ones.
        for week in -1..=3 {
            for (start, end) in stretches {
                let at = |minute: &i64| -> Wall {
                    monday.plus((week * WEEK + minute).saturating_mul(MINUTE_MS))
                };
                if at(end) <= wall {
                    continue;
                }
                let (start, end) = (zone.first(at(start)), zone.first(at(end)));
                match &mut found {
                    _ if end <= from || end <= start => {}
                    None => found = Some((start, end)),
                    Some(open) if start <= open.1 => open.1 = end,
                    Some(_) => return found,
                }
            }
        }
        found
    }
}

/// `mon to fri 09:00 to 17:00`; a stretch of more than a day with both of its ends.
impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(stretches) = &self.stretches else { return f.write_str("always") };
        let day = |minute: i64| minute.div_euclid(DAY).rem_euclid(7);
        let name = |day: i64| usize::try_from(day).ok().and_then(|day| DAYS.get(day));
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
        let mut told: Vec<(String, Vec<i64>)> = Vec::new();
        for (from, to) in stretches {
            let (first, last) = (name(day(*from)).unwrap_or(&""), name(day(*to)).unwrap_or(&""));
            if to - from > DAY {
                told.push((
                    format!("{first} {} to {last} {}", clock(*from), clock(*to)),
                    Vec::new(),
                ));
                continue;
            }
            let hours = match to - from {
                DAY if from % DAY == 0 => String::new(),
                _ => format!(" {} to {}", clock(*from), clock(*to)),
            };
            match told.iter_mut().find(|(known, days)| *known == hours && !days.is_empty()) {
                Some((_, days)) => days.push(day(*from)),
                None => told.push((hours, vec![day(*from)])),
            }
        }
        let run = |days: &[i64]| match days {
            [one] => name(*one).copied().unwrap_or("").to_owned(),
            [first, .., last] if last - first == days.len() as i64 - 1 && days.len() > 2 => {
                format!("{} to {}", name(*first).unwrap_or(&""), name(*last).unwrap_or(&""))
            }
            days => {
                days.iter().filter_map(|day| name(*day).copied()).collect::<Vec<_>>().join(", ")
            }
        };
        let told = told.iter().map(|(hours, days)| format!("{}{hours}", run(days)));
        f.write_str(&told.collect::<Vec<_>>().join("; "))
    }
}

impl Schedule {
    /// How it stands at `now` in a zone.
    pub fn standing(&self, zone: &Zone, now: Timestamp) -> Standing {
        let ends = self.end.map_or(Timestamp::FOREVER, |end| end.at(zone));
        let opening = |since: Timestamp| {
            let (opens, closes) = self.week.stretch(zone, since)?;
            let opens = opens.max(since);
            (opens < ends).then(|| (opens, closes.min(ends)))
        };
        if let Some(start) = self.start {
            match opening(start.at(zone)) {
                None => return Standing::Ended,
                Some((first, _)) if now < first => return Standing::NotStarted(first),
                Some(_) => {}
            }
        }
        match opening(now) {
            None => Standing::Ended,
            Some((opens, closes)) if opens <= now => Standing::Open(closes),
            Some((opens, _)) => Standing::Closed(opens),
        }
    }
}
