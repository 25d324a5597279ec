//! Time zones: what the clock on a wall shows at an instant, and when it comes to show something.
//! The zones and their summer times are those that were compiled in; no machine is asked.

mod read;

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use crate::domain::time::Timestamp;

pub(in crate::rulebook) use read::{choice, read};

const DAY_MS: i64 = 86_400_000;
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone with its history and its summer time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Which time zone a schedule is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ZoneChoice {
    /// The product's.
    #[default]
    Product,
    /// The person's, else their browser's, else the product's.
    User,
    /// This one.
    Fixed(Zone),
}

impl Zone {
    /// Greenwich without summer time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of this IANA name, in any case; `None` for a name that is not known.
    pub fn named(name: &str) -> Option<Self> {
        ZONES.get(name).ok().filter(|zone| !zone.is_unknown()).map(Self)
    }

    /// Every name that is known.
    pub fn names() -> Vec<String> {
        ZONES.available().map(|name| name.as_str().to_owned()).collect()
    }

    /// The IANA name: `Europe/Oslo`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clock on the wall shows.
    pub fn wall(&self, at: Timestamp) -> Wall {
        let offset = instant(at.as_millis()).map_or(0, |at| self.0.to_offset(at).seconds());
        Wall(at.as_millis().saturating_add(i64::from(offset) * 1_000))
    }

    /// The first instant at which the clock on the wall shows this or later: a time that is skipped
    /// in spring is the end of the gap, one that comes twice in autumn is the first of the two.
    pub fn first(&self, wall: Wall) -> Timestamp {
        let Some(local) = wall.civil() else { return Timestamp::from_millis(wall.0) };
        let before = |offset: Offset| wall.0 - i64::from(offset.seconds()) * 1_000;
        let millis = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => before(offset),
            AmbiguousOffset::Fold { before: summer, .. } => before(summer),
            AmbiguousOffset::Gap { before: winter, after: summer } => {
                let early = before(summer);
                let change = instant(early).and_then(|early| self.0.following(early).next());
                change.map_or_else(|| before(winter), |it| it.timestamp().as_millisecond())
            }
        };
        Timestamp::from_millis(millis)
    }
}

fn instant(millis: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(millis).ok()
}

/// What a clock on a wall shows: milliseconds since it showed midnight, 1 January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(i64);

impl Wall {
    /// Midnight of a day; `None` for a day that no calendar has.
    pub fn midnight(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = Date::new(year, month, day).ok()?;
        let zoned =
            Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
        Some(Self(zoned.as_millisecond()))
    }

    /// So many milliseconds later.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// A day later, at the same time.
    #[must_use]
    pub const fn next_day(self) -> Self {
        self.plus(DAY_MS)
    }

    /// Midnight of the week's Monday.
    #[must_use]
    pub const fn monday(self) -> Self {
        // 1 January 1970 was a Thursday.
        let weekday = (self.0.div_euclid(DAY_MS) + 3).rem_euclid(7);
        Self((self.0.div_euclid(DAY_MS) - weekday) * DAY_MS)
    }

    /// Milliseconds since an earlier showing.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As if the clock hung in Greenwich, so many milliseconds off.
    pub const fn at_offset(self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_sub(millis))
    }

    fn civil(self) -> Option<DateTime> {
        instant(self.0).map(|at| Offset::UTC.to_datetime(at))
    }
}

/// `Thu 2026-12-31 09:00`.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(civil) => write!(f, "{}", civil.strftime("%a %Y-%m-%d %H:%M")),
            None => f.write_str("beyond all calendars"),
        }
    }
}
