//! The instant of an event: ISO 8601 as PostHog writes it, or seconds or milliseconds since 1970.

use serde_json::Value;

/// From here on a number counts milliseconds: as seconds it would lie after the year 5000.
const MILLIS_FROM: f64 = 1e11;

/// Unix seconds; `None` for what is no instant.
pub fn seconds(value: &Value) -> Option<f64> {
    let text = value.as_str().map(str::trim);
    let number = value.as_f64().or_else(|| text?.parse().ok());
    match number.filter(|number| number.is_finite()) {
        Some(millis) if millis >= MILLIS_FROM => Some(millis / 1_000.0),
        Some(seconds) => Some(seconds),
        None => iso(text?),
    }
}

/// `2026-03-01T12:30:05.25Z`, a space for the `T`, an offset or nothing for the `Z`.
fn iso(text: &str) -> Option<f64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (clock, offset) = zone(rest)?;
    Some(days(date)? as f64 * 86_400.0 + seconds_of_day(clock)? - offset as f64)
}

/// The text before the zone, and how many seconds the zone is ahead of UTC.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at_checked(at)?;
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    let ahead = whole(hours)? * 3_600 + whole(minutes)? * 60;
    Some((clock, if offset.starts_with('-') { -ahead } else { ahead }))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
fn days(date: &str) -> Option<i64> {
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (whole(year)?, whole(month)?, whole(day)?);
    if !(1_970..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

fn seconds_of_day(clock: &str) -> Option<f64> {
    let (hours, rest) = clock.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let (whole_seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (hours, minutes) = (whole(hours)?, whole(minutes)?);
    let fits = hours < 24 && minutes < 60 && whole(whole_seconds)? <= 60;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: f64 = seconds.parse().ok().filter(|_| fits && is_fraction)?;
    Some((hours * 3_600 + minutes * 60) as f64 + seconds)
}

/// One to four digits and nothing else.
fn whole(digits: &str) -> Option<i64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number && digits.len() <= 4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instants_are_read_in_every_form_posthog_writes() {
        for (value, expected) in [
            (json!("1970-01-01T00:00:00Z"), 0.0),
            (json!("2026-03-01T12:30:05.250Z"), 1_772_368_205.25),
            (json!("2026-03-01T12:30:05.250000+00:00"), 1_772_368_205.25),
            (json!("2026-03-01 12:30:05"), 1_772_368_205.0),
            (json!("2026-03-01T14:30:05+02:00"), 1_772_368_205.0),
            (json!("2026-03-01T07:00:05-0530"), 1_772_368_205.0),
            (json!("2024-02-29T23:59:59Z"), 1_709_251_199.0),
            (json!("2000-12-31T12:30Z"), 978_265_800.0),
            (json!(1_772_368_205.25), 1_772_368_205.25),
            (json!(1_772_368_205_250_u64), 1_772_368_205.25),
            (json!("1772368205250"), 1_772_368_205.25),
            (json!(" 1772368205 "), 1_772_368_205.0),
        ] {
            let found = seconds(&value).unwrap_or(f64::NAN);
            assert!((found - expected).abs() < 1e-6, "{value}: {found}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for value in [
            json!(null),
            json!(true),
            json!({}),
            json!(""),
            json!("soon"),
            json!("nan"),
            json!("inf"),
            json!("2026-03-01"),
            json!("2026-13-01T00:00:00Z"),
            json!("2026-00-01T00:00:00Z"),
            json!("2026-01-32T00:00:00Z"),
            json!("26-01-01T00:00:00Z9"),
            json!("2026-01-01T24:00:00Z"),
            json!("2026-01-01T00:60:00Z"),
            json!("2026-01-01T00:00:1e1Z"),
            json!("2026-01-01T00:00:00.Z"),
            json!("2026-01-01T00:00:00+2"),
            json!("2026-01-01T+1:00:00Z"),
            json!("99999999999-01-01T00:00:00Z"),
            json!("2026-01-01Té"),
        ] {
            assert_eq!(seconds(&value), None, "{value}");
        }
    }
}
