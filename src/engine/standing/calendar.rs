//! The gates of calendar and clock: a rule's schedule and its product's quiet hours, each by the
//! clock of the zone it names.

use crate::domain::decision::Hold;
use crate::domain::time::Timestamp;
use crate::engine::gates::Refused;
use crate::engine::standing::{Match, refuse};
use crate::rulebook::condition::Whose;
use crate::rulebook::schedule::{QuietHours, Standing};
use crate::rulebook::zone::{Zone, ZoneChoice};

/// Whether the rule's schedule is open.
pub(super) fn schedule(asked: &Match<'_>) -> Result<(), Refused> {
    match standing(asked) {
        None | Some(Standing::Open(_)) => Ok(()),
        Some(Standing::NotStarted(until)) => refuse(Hold::ScheduleNotStarted, until),
        Some(Standing::Closed(until)) => refuse(Hold::ScheduleClosed, until),
        Some(Standing::Ended) => refuse(Hold::ScheduleEnded, Timestamp::FOREVER),
    }
}

/// Whether the product keeps quiet, and the rule has no tag that is exempt.
pub(super) fn quiet_hours(asked: &Match<'_>) -> Result<(), Refused> {
    match quiet(asked) {
        Some((begins, ends)) if begins <= asked.facts.now => refuse(Hold::QuietHours, ends),
        _ => Ok(()),
    }
}

/// Until when those of the two gates let pass that were asked before this hold was met.
pub(super) fn pass_until(asked: &Match<'_>, hold: Hold) -> Timestamp {
    if matches!(hold, Hold::ScheduleNotStarted | Hold::ScheduleClosed | Hold::ScheduleEnded) {
        return Timestamp::FOREVER;
    }
    let closes = match standing(asked) {
        Some(Standing::Open(until)) => until,
        _ => Timestamp::FOREVER,
    };
    match quiet(asked) {
        Some((begins, _)) if hold != Hold::QuietHours => closes.min(begins),
        _ => closes,
    }
}

/// The clock that a gate goes by, for explanations: `Mon 2026-08-31 20:12 in Europe/Oslo (browser)`.
pub(super) fn clock(name: &str, asked: &Match<'_>) -> Option<String> {
    let choice = match name {
        "schedule" => &asked.rule.schedule.as_ref()?.zone,
        "quiet_hours" => &watched(asked)?.zone,
        _ => return None,
    };
    let (zone, whose) = zone(choice, asked);
    Some(format!("{} in {} ({whose})", zone.wall(asked.facts.now), zone.name()))
}

fn standing(asked: &Match<'_>) -> Option<Standing> {
    let schedule = asked.rule.schedule.as_ref()?;
    let (zone, _) = zone(&schedule.zone, asked);
    Some(schedule.standing(&zone, asked.facts.now))
}

/// The quiet that is under way, else the next.
fn quiet(asked: &Match<'_>) -> Option<(Timestamp, Timestamp)> {
    let quiet = watched(asked)?;
    let (zone, _) = zone(&quiet.zone, asked);
    quiet.week.stretch(&zone, asked.facts.now)
}

/// The product's quiet hours, where the rule keeps to them.
fn watched<'a>(asked: &Match<'a>) -> Option<&'a QuietHours> {
    let quiet = asked.product.settings.quiet_hours.as_ref()?;
    let exempt = asked.rule.pacing.tags.iter().any(|tag| quiet.exempt_tags.contains(tag));
    (!exempt).then_some(quiet)
}

/// The zone, and whose it is. A name that no zone has is passed over.
fn zone(choice: &ZoneChoice, asked: &Match<'_>) -> (Zone, &'static str) {
    let product = || (asked.product.settings.timezone.clone(), "product");
    match choice {
        ZoneChoice::Fixed(zone) => (zone.clone(), "written"),
        ZoneChoice::Product => product(),
        ZoneChoice::User => {
            let named = asked
                .view
                .known(Whose::Person, "timezone")
                .and_then(|name| Zone::named(name.as_str()?));
            let browser = || Zone::named(asked.facts.session.timezone.as_deref()?);
            match named {
                Some(zone) => (zone, "user"),
                None => browser().map_or_else(product, |zone| (zone, "browser")),
            }
        }
    }
}
