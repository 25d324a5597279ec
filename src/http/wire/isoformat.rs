//! Instants as Python's `datetime.isoformat()` writes them in UTC, for the titles of retrieval.

use crate::domain::time::Timestamp;

/// `2026-05-01T10:00:00.123000+00:00`; without the fraction when it is zero.
pub fn isoformat(at: Timestamp) -> String {
    let (days, rest) =
        (at.as_millis().div_euclid(86_400_000), at.as_millis().rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let fraction = match rest % 1_000 {
        0 => String::new(),
        millis => format!(".{millis:03}000"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
}

/// Year, month and day of a day counted from 1970-01-01, by the 400-year cycle of the calendar
/// that begins on a first of March.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (cycle, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = cycle * 400 + year + (month <= 2) as i64;
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Python 3.11: `datetime.fromtimestamp(ms / 1000, timezone.utc).isoformat()`.
    #[test]
    fn instants_are_written_as_python_writes_them() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (1_777_629_600_123, "2026-05-01T10:00:00.123000+00:00"),
            (951_782_399_000, "2000-02-28T23:59:59+00:00"),
            (951_782_400_001, "2000-02-29T00:00:00.001000+00:00"),
            (4_107_542_400_000, "2100-03-01T00:00:00+00:00"),
            (-1, "1969-12-31T23:59:59.999000+00:00"),
            (1_735_689_599_000, "2024-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(isoformat(Timestamp::from_millis(millis)), text);
        }
    }
}
