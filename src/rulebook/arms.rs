//! Who gets what of a trigger: `rollout:`, `holdout:` and an offer's `variants:`.

use std::sync::Arc;

use crate::domain::bucket::{BUCKETS, Share};
use crate::domain::time::Timestamp;
use crate::rulebook::reader::{Fields, Findings, name_of, text, typed, wrong_type};
use crate::rulebook::rule::{Copy, Mode, Rule};
use crate::rulebook::yaml::{Node, Value};

/// Most of its people that a trigger can be withheld from, in percent.
pub(in crate::rulebook) const MOST_HELD: u16 = 50;
/// What a bucket is drawn for.
pub(in crate::rulebook) const UNITS: [(&str, Unit); 3] =
    [("user", Unit::User), ("session", Unit::Session), ("account", Unit::Account)];

/// Who gets a trigger's offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arms {
    /// Whom it is rolled out to.
    pub rollout: Share,
    /// Whose bucket counts, for the rollout, the variants and the control group.
    pub by: Unit,
    /// From whom it is withheld, for comparison.
    pub holdout: Share,
}

impl Default for Arms {
    fn default() -> Self {
        Self { rollout: Share::EVERYBODY, by: Unit::User, holdout: Share::NOBODY }
    }
}

/// Whose bucket counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// The person's, else the session's.
    #[default]
    User,
    /// The session's.
    Session,
    /// The account's.
    Account,
}

/// A product's own control group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdout {
    /// From whom everything is withheld.
    pub percent: Share,
    /// Until when; for good if not written.
    pub until: Option<Timestamp>,
}

impl Default for Holdout {
    fn default() -> Self {
        Self { percent: Share::NOBODY, until: None }
    }
}

/// One way to say an offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Stable; figures hang on it.
    pub id: Arc<str>,
    /// Its part of all weights.
    pub weight: u32,
    /// What it offers.
    pub copy: Copy,
}

impl Variant {
    /// The variant of a bucket: ranges in the order written, as wide as their weights.
    pub fn of(variants: &[Self], bucket: u16) -> Option<&Self> {
        let total: u64 = variants.iter().map(|variant| u64::from(variant.weight)).sum();
        let mut end = 0;
        variants.iter().find(|variant| {
            end += u64::from(variant.weight) * u64::from(BUCKETS);
            u64::from(bucket) * total < end
        })
    }
}

impl Rule {
    /// Whether the session's id bears on whether it is offered.
    pub fn asks_of_session(&self) -> bool {
        self.arms.rollout != Share::EVERYBODY || self.arms.holdout != Share::NOBODY
    }

    /// Whether its ghosts rest for the person as its offers would.
    pub fn haunts_person(&self) -> bool {
        let paced = self.again_after.is_some() || !self.pacing.caps.is_empty();
        let shadow = self.mode == Mode::Shadow && paced;
        shadow || self.arms.holdout != Share::NOBODY
    }
}

/// What a trigger says of its arms; what is wrong keeps its default.
pub(in crate::rulebook) fn read(trigger: &Fields<'_>, findings: &mut Findings<'_>) -> Arms {
    let mut arms = Arms::default();
    if let Some((rollout, by)) = trigger.get("rollout").and_then(|node| rollout(node, findings)) {
        (arms.rollout, arms.by) = (rollout, by);
    }
    trigger.fill("holdout", &mut arms.holdout, |n, f| share(n, MOST_HELD, true, f), findings);
    arms
}

fn rollout(node: &Node, findings: &mut Findings<'_>) -> Option<(Share, Unit)> {
    if !matches!(node.value, Value::Map(_)) {
        return Some((share(node, 100, true, findings)?, Unit::default()));
    }
    let fields = Fields::of(node, "`rollout`", &["percent", "by"], findings)?;
    let mut by = Unit::default();
    fields.fill("by", &mut by, unit, findings);
    let percent = fields.need("percent", findings)?;
    Some((share(percent, 100, false, findings)?, by))
}

fn unit(node: &Node, findings: &mut Findings<'_>) -> Option<Unit> {
    let name = name_of(node, "unit", &UNITS.map(|(name, _)| name), findings)?;
    UNITS.into_iter().find(|(known, _)| *known == name).map(|(_, unit)| unit)
}

/// A product's own control group.
pub(in crate::rulebook) fn holdout(node: &Node, findings: &mut Findings<'_>) -> Option<Holdout> {
    if !matches!(node.value, Value::Map(_)) {
        return Some(Holdout { percent: share(node, MOST_HELD, true, findings)?, until: None });
    }
    let fields = Fields::of(node, "`holdout`", &["percent", "until"], findings)?;
    let mut until = None;
    fields.fill("until", &mut until, |n, f| midnight(n, f).map(Some), findings);
    let percent = share(fields.need("percent", findings)?, MOST_HELD, false, findings)?;
    Some(Holdout { percent, until })
}

/// A day, `2027-01-01`, as its first instant in UTC.
fn midnight(node: &Node, findings: &mut Findings<'_>) -> Option<Timestamp> {
    let written = text(node, findings)?;
    let found = day(written);
    if found.is_none() {
        let help = "a date is written year, month, day: `2027-01-01`".to_owned();
        findings.error(node, "bad-date", format!("`{written}` is no date"), Some(help));
    }
    found
}

fn day(written: &str) -> Option<Timestamp> {
    let mut parts = written.split('-').map(|part| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits).map(|number| (number, part.len()))
    });
    let (Some((year, 4)), Some((month @ 1..=12, 2)), Some((day, 2)), None) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    (1..=days).contains(&day).then_some(())?;
    // Days since 1970 of the proleptic Gregorian calendar, whose years begin in March here.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    Some(Timestamp::from_millis(days * 86_400_000))
}

/// A percentage up to `most`, with at most two decimals; `signed` where it carries its sign.
pub(in crate::rulebook) fn share(
    node: &Node,
    most: u16,
    signed: bool,
    findings: &mut Findings<'_>,
) -> Option<Share> {
    let written = match typed(node) {
        Value::Str(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => {
            wrong_type(node, "a percentage", Some("write for example `25%`".into()), findings);
            return None;
        }
    };
    let number = written.trim().strip_suffix('%');
    let number = if signed { number } else { number.or(Some(written.trim())) };
    let Some(hundredths) = number.and_then(hundredths) else {
        let help = "a percentage is written `25%` or `12.5%`, with at most two decimals".to_owned();
        findings.error(node, "bad-percent", format!("`{written}` is no percentage"), Some(help));
        return None;
    };
    if hundredths > u64::from(most) * 100 {
        let help = format!("write a percentage from 0% to {most}%");
        findings.error(node, "out-of-range", format!("`{written}` is out of range"), Some(help));
        return None;
    }
    u16::try_from(hundredths).ok().map(Share::of)
}

fn hundredths(number: &str) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 2 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let decimals: u64 = format!("{decimals:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        for (written, seconds) in [
            ("1970-01-01", Some(0)),
            ("2027-01-01", Some(1_798_761_600)),
            ("2024-02-29", Some(1_709_164_800)),
            ("2000-03-01", Some(951_868_800)),
            ("2023-02-29", None),
            ("2027-13-01", None),
            ("2027-1-1", None),
            ("2027-01-01T00:00", None),
            ("2027-01", None),
            ("+027-01-01", None),
        ] {
            let found = day(written).map(|at| at.as_millis() / 1_000);
            assert_eq!(found, seconds, "{written}");
        }
    }

    #[test]
    fn a_percentage_has_at_most_two_decimals() {
        for (written, expected) in [
            ("25", Some(2_500)),
            ("12.5", Some(1_250)),
            ("0.01", Some(1)),
            ("100.00", Some(10_000)),
            ("0.001", None),
            ("-1", None),
            (".5", None),
            ("1e2", None),
            ("", None),
        ] {
            assert_eq!(hundredths(written), expected, "{written}");
        }
    }
}
