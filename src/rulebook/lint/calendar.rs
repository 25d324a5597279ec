//! Schedules and quiet hours that are hardly meant, and schedules that time has passed or soon will.

use crate::domain::time::{Span, Timestamp};
use crate::rulebook::Product;
use crate::rulebook::finding::Severity;
use crate::rulebook::lint::Desk;
use crate::rulebook::reader::one_or_several;
use crate::rulebook::rule::{Mode, Rule};
use crate::rulebook::schedule::{Schedule, Standing};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::workspace::FILE;
use crate::rulebook::yaml::{Node, Spot};
use crate::rulebook::zone::{Zone, ZoneChoice};

/// Before the end of a schedule (field.md, M10).
const NOTICE: Span = Span::from_seconds(14 * 86_400);
/// The zone whose clock is the last to show anything.
const LAST: &str = "Etc/GMT+12";

/// Tags that quiet hours exempt and no trigger has.
pub(super) fn tags(product: &Product, desk: &mut Desk<'_>) {
    let Some(quiet) = &product.settings.quiet_hours else { return };
    let tags = || product.rules.iter().flat_map(|rule| rule.pacing.tags.iter());
    for unknown in &quiet.exempt_tags {
        if tags().any(|tag| tag == unknown) {
            continue;
        }
        let help = did_you_mean(unknown, tags().map(|tag| &**tag))
            .unwrap_or_else(|| format!("write `tags: [{unknown}]` at a trigger, or remove it"));
        let message = format!("no trigger has the tag `{unknown}`");
        let spot = setting(product, "quiet_hours", desk, |node| {
            let items = one_or_several(node.get("exempt_tags")?);
            items.iter().find(|item| item.as_str() == Some(&**unknown))
        });
        desk.warn_at(FILE, spot, "unknown-tag", message, &help);
    }
}

/// Quiet hours by a clock that nobody chose.
pub(super) fn quiet_clock(product: &Product, desk: &mut Desk<'_>) {
    let Some(quiet) = &product.settings.quiet_hours else { return };
    if quiet.zone == ZoneChoice::Product && !has_clock(product, desk) {
        let spot = setting(product, "quiet_hours", desk, |_| None);
        let message = "these hours are by the clock of UTC".to_owned();
        desk.warn_at(FILE, spot, "no-timezone", message, CHOOSE);
    }
}

const CHOOSE: &str = "add `timezone: user`, or the product's `timezone` to `docent.yaml`";

/// Hours by a clock that nobody chose, and hours that lie within the quiet ones.
pub(super) fn hours(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let Some(schedule) = &rule.schedule else { return };
    let timed = desk.places.key(rule, "schedule").is_some_and(|node| node.get("hours").is_some());
    if timed && schedule.zone == ZoneChoice::Product && !has_clock(product, desk) {
        let message = "these hours are by the clock of UTC".to_owned();
        desk.warn(rule, "schedule", "no-timezone", message, CHOOSE);
    }
    let Some(quiet) = &product.settings.quiet_hours else { return };
    let exempt = rule.pacing.tags.iter().any(|tag| quiet.exempt_tags.contains(tag));
    if !exempt && schedule.zone == quiet.zone && schedule.week.is_within(&quiet.week) {
        let message = format!("`{}` is never offered: its hours are quiet hours", rule.id);
        let help = "choose other hours, or give it one of the `exempt_tags`";
        desk.warn(rule, "schedule", "never-open", message, help);
    }
}

/// Schedules that are over, and those that soon will be.
pub(super) fn ends(product: &Product, rule: &Rule, now: Timestamp, desk: &mut Desk<'_>) {
    let Some(schedule) = rule.schedule.as_ref().filter(|_| rule.mode != Mode::Paused) else {
        return;
    };
    // Where each person has a clock, that of the last of them.
    let zone = match &schedule.zone {
        ZoneChoice::Product => product.settings.timezone.clone(),
        ZoneChoice::User => Zone::named(LAST).unwrap_or(Zone::UTC),
        ZoneChoice::Fixed(zone) => zone.clone(),
    };
    let is_over = |at| schedule.standing(&zone, at) == Standing::Ended;
    let id = &rule.id;
    let (severity, code, message) = if is_over(now) {
        let message = format!("`{id}` is never offered again: its schedule is over");
        (Severity::Warning, "schedule-over", message)
    } else if is_over(now.plus(NOTICE)) {
        let message =
            format!("`{id}` is offered until {}, and then no more", last(schedule, &zone));
        (Severity::Note, "schedule-ends-soon", message)
    } else {
        return;
    };
    let end = desk.places.key(rule, "schedule").and_then(|node| node.get("end"));
    let spot = end.map_or(Spot { line: rule.written.line, column: 1, length: 1 }, |node| node.at);
    let help = "write a later `end`, or remove the rule";
    desk.say(severity, &rule.written.file.clone(), spot, code, message, help);
}

fn last(schedule: &Schedule, zone: &Zone) -> String {
    let end = schedule.end.map_or(Timestamp::FOREVER, |end| end.at(zone));
    zone.wall(end).to_string()
}

/// Whether `docent.yaml` says what clock the product goes by.
fn has_clock(product: &Product, desk: &mut Desk<'_>) -> bool {
    let root = desk.places.file(FILE);
    root.is_some_and(|root| {
        let product = root.get("products").and_then(|products| products.get(&product.id));
        product.is_some_and(|product| product.get("timezone").is_some())
    })
}

/// Where a part of a product's setting is written, else the setting.
fn setting(
    product: &Product,
    key: &str,
    desk: &mut Desk<'_>,
    part: impl FnOnce(&Node) -> Option<&Node>,
) -> Spot {
    let root = desk.places.file(FILE);
    let node = root.and_then(|root| root.get("products")?.get(&product.id)?.get(key));
    let whole = node.map_or(Spot { line: 1, column: 1, length: 1 }, |node| node.at);
    node.and_then(part).map_or(whole, |node| node.at)
}
