//! An instant as somebody types it: `2026-11-21T14:05:00Z`, `14:05` of today in UTC, `-5m`, or
//! seconds since 1970.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::domain::time::{Span, Timestamp};
use crate::ingest::posthog::seconds;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// The instant meant, where `now` is the present.
pub(super) fn read(text: &str, now: Timestamp) -> Result<Timestamp> {
    let text = text.trim();
    if let Some(ago) = text.strip_prefix('-').map(Span::parse) {
        return Ok(now.minus(ago?));
    }
    if let Some(at) = of_today(text, now) {
        return Ok(at);
    }
    match seconds(&Value::from(text)).and_then(Timestamp::from_seconds) {
        Some(at) => Ok(at),
        None => bail!(
            "`{text}` is no instant; write `2026-11-21T14:05:00Z`, `14:05` (today, UTC), `-5m` or \
             seconds since 1970"
        ),
    }
}

/// `14:05` or `14:05:30`.
fn of_today(text: &str, now: Timestamp) -> Option<Timestamp> {
    let mut parts = text.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..60).contains(&seconds);
    let midnight = now.as_millis() - now.as_millis().rem_euclid(DAY);
    let day = (hours * 3_600 + minutes * 60 + seconds) * 1_000;
    (fits && parts.next().is_none()).then(|| Timestamp::from_millis(midnight + day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_people_type_it() {
        let now = Timestamp::from_seconds(1_760_000_000.0).unwrap();
        for (text, expected) in [
            ("1760000000.5", Some(1_760_000_000.5)),
            ("2025-10-09T08:53:20Z", Some(1_760_000_000.0)),
            ("2025-10-09T10:53:20+02:00", Some(1_760_000_000.0)),
            ("08:53", Some(1_759_999_980.0)),
            ("08:53:21", Some(1_760_000_001.0)),
            ("-5m", Some(1_759_999_700.0)),
            ("-5", None),
            ("25:00", None),
            ("soon", None),
        ] {
            let found = read(text, now).ok().map(Timestamp::as_seconds);
            assert_eq!(found, expected, "{text}");
        }
    }
}
