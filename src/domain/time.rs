//! Time as data: instants and spans in whole milliseconds. There is no way to ask "now" here;
//! whoever needs it is given it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of time in milliseconds, never negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(i64);

impl Timestamp {
    /// Later than every instant that occurs: "until forever".
    pub const FOREVER: Self = Self(i64::MAX);

    /// The instant this many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Unix seconds as they travel on the wire; `None` when not finite or out of range.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let millis = (seconds * 1_000.0).round();
        (millis.is_finite() && millis.abs() < 9e15).then_some(Self(millis as i64))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Unix seconds, for the wire.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// This instant moved later; saturates at [`Timestamp::FOREVER`].
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant moved earlier; saturates.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// Elapsed time since `earlier`; zero when `earlier` lies in the future.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than everything.
    pub const FOREVER: Self = Self(i64::MAX);

    /// A span of whole milliseconds; negative counts as zero.
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// A span of whole seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1_000))
    }

    /// Milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds, for the wire.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// Whether no time passes.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This span `times` over; saturates.
    pub const fn times(self, times: u32) -> Self {
        Self(self.0.saturating_mul(times as i64))
    }

    /// Both together; saturates.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Reads `300s`, `1h30m`, `2.5s`, `100ms`: numbers, each with a unit of `ms s m h d w`.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(SpanError::Empty);
        }
        let mut total = 0_i64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, after) = tail.split_at(letters);
            total = total.checked_add(part(number, unit, text)?).ok_or(SpanError::TooLong)?;
            rest = after.trim_start();
        }
        Ok(Self(total))
    }
}

fn part(number: &str, unit: &str, whole: &str) -> Result<i64, SpanError> {
    let value: f64 = number.parse().map_err(|_| SpanError::NotASpan(whole.to_owned()))?;
    let millis = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        "w" => 604_800_000.0,
        "" => return Err(SpanError::NoUnit(number.to_owned())),
        other => return Err(SpanError::UnknownUnit(other.to_owned())),
    };
    let total = (value * millis).round();
    if total < 9e15 { Ok(total as i64) } else { Err(SpanError::TooLong) }
}

/// Why a text is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Nothing there.
    #[error("a duration is missing")]
    Empty,
    /// A bare number: seconds or minutes?
    #[error("the duration `{0}` has no unit; write `{0}s`, `{0}m` or `{0}h`")]
    NoUnit(String),
    /// A unit that is not one of `ms s m h d w`.
    #[error("`{0}` is no unit of time; use ms, s, m, h, d or w")]
    UnknownUnit(String),
    /// Not a number with a unit.
    #[error("`{0}` is not a duration; write for example `30s`, `5m` or `7d`")]
    NotASpan(String),
    /// Beyond what milliseconds can count.
    #[error("the duration is too long")]
    TooLong,
}

/// The largest unit that divides the span: `90s`, `2m`, `1500ms`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 5] =
            [(604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        if *self == Self::FOREVER {
            return f.write_str("forever");
        }
        let whole = UNITS.iter().find(|(size, _)| self.0 != 0 && self.0 % size == 0);
        match whole {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None if self.0 == 0 => f.write_str("0s"),
            None => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_with_units_only() {
        for (text, millis) in [
            ("300s", 300_000),
            ("1h30m", 5_400_000),
            ("2.5s", 2_500),
            ("100ms", 100),
            ("7d", 604_800_000),
        ] {
            assert_eq!(Span::parse(text), Ok(Span::from_millis(millis)), "{text}");
        }
        assert_eq!(Span::parse("30"), Err(SpanError::NoUnit("30".into())));
        assert_eq!(Span::parse("5x"), Err(SpanError::UnknownUnit("x".into())));
        for text in ["", "s", "-5s", "soon", "99999999999999999d", "1.2.3s"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_print_as_people_write_them() {
        for text in ["90s", "2m", "1500ms", "7d", "0s", "1w"] {
            let shown = Span::parse(text).unwrap().to_string();
            assert_eq!(Span::parse(&shown), Span::parse(text));
        }
        assert_eq!(Span::from_seconds(300).to_string(), "5m");
    }

    #[test]
    fn elapsed_time_is_never_negative() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        assert_eq!(early.since(late), Span::ZERO);
        assert_eq!(late.since(early), Span::from_millis(4));
        assert_eq!(Timestamp::FOREVER.plus(Span::FOREVER), Timestamp::FOREVER);
    }
}
