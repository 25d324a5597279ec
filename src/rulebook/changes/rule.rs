//! A trigger in words, and what of it is another.

use crate::domain::time::Span;
use crate::rulebook::arms::Variant;
use crate::rulebook::changes::{Facet, clauses, differences};
use crate::rulebook::pacing::backoff::{Backoff, Growth};
use crate::rulebook::pacing::caps::Cap;
use crate::rulebook::rule::{Copy, Mode, Rule, When};
use crate::rulebook::triggers::{self, MODES};
use crate::rulebook::zone::ZoneChoice;

/// A line for each thing that is another.
pub(super) fn changes(before: &Rule, after: &Rule) -> Vec<String> {
    let mut lines = clauses::changes(&before.when, &after.when);
    lines.extend(variants(&before.offer.variants, &after.offer.variants));
    lines.extend(differences(&facets(before), &facets(after)));
    lines
}

/// A new trigger in one line.
pub(super) fn summary(rule: &Rule) -> String {
    let asked = match &rule.when {
        When::Builtin(_) => "when its detector finds something".to_owned(),
        When::Condition(_) => {
            let clauses = triggers::clauses(&rule.when);
            let clauses: Vec<_> = clauses.iter().map(|clause| format!("`{clause}`")).collect();
            format!("when {}", clauses.join(" and "))
        }
    };
    let pages = if rule.pages.is_empty() {
        "on any page".to_owned()
    } else {
        format!("on {}", pages(rule))
    };
    let Copy { tour, .. } = &rule.offer;
    let tour =
        tour.as_ref().map(|tour| format!(", and starts the tour `{tour}`")).unwrap_or_default();
    let says = match body(&rule.offer) {
        said if said.is_empty() => "it speaks the detector's words".to_owned(),
        said => format!("it says {said}"),
    };
    let (mode, priority) = (mode(rule.mode), rule.priority);
    format!("{pages}, {asked}, {says}{tour} ({mode}, priority {priority})")
}

/// What a trigger is beside its condition. A new field has no way past this list.
fn facets(rule: &Rule) -> Vec<Facet> {
    let Rule { id: _, written: _, cases: _, spelling: _, when: _, .. } = rule;
    let Rule { name, owner, priority, mode: stands, pages: _, offer, schedule, .. } = rule;
    let Rule { arms, again_after, pacing, goal, judge, .. } = rule;
    let Copy { body: _, labels: _, tour, timeout, cooldown, variants: _ } = offer;
    let tags = pacing.tags.join(", ");
    let schedule = schedule.as_ref();
    let week = schedule.map(|schedule| &schedule.week).filter(|week| !week.is_always());
    vec![
        Facet::words("mode", mode(*stands)),
        Facet::words("priority", priority),
        Facet::words("pages", pages(rule)),
        Facet::words("says", body(offer)),
        Facet::words("buttons", labels(offer)),
        Facet::some("tour", tour.as_ref().map(|tour| format!("`{tour}`"))),
        Facet::words("waits for an answer", timeout),
        Facet::words("rests after an offer", cooldown),
        Facet::some("comes again to a person after", *again_after),
        Facet::words("at most", caps(&pacing.frequency)),
        Facet::words("rests after answers", rests(&pacing.backoff)),
        Facet::some("rests after “later”", pacing.snooze),
        Facet::some("“later” at most", pacing.most_snoozes),
        Facet::some("group", pacing.group.as_ref()),
        Facet::words("tags", tags),
        Facet::words("rolled out to", arms.rollout),
        Facet::opaque("rolled out by", arms.by),
        Facet::words("withheld for comparison from", arms.holdout),
        Facet::some("not before", schedule.and_then(|schedule| schedule.start)),
        Facet::some("only until", schedule.and_then(|schedule| schedule.end)),
        Facet::some("only on", week),
        Facet::some("by the clock of", schedule.map(|schedule| clock(&schedule.zone))),
        Facet::some(
            "goal",
            goal.as_ref().map(|goal| format!("`{}` within {}", goal.event, goal.within)),
        ),
        Facet::words("asks the judge", if *judge { "yes" } else { "no" }),
        Facet::words("name", name),
        Facet::some("owner", owner.as_ref()),
    ]
}

/// A line for each variant that came, went or is another.
fn variants(before: &[Variant], after: &[Variant]) -> Vec<String> {
    let facets = |Variant { id: _, weight, copy }: &Variant| {
        let tour = copy.tour.as_ref().map(|tour| format!("`{tour}`"));
        vec![
            Facet::words("weight", weight),
            Facet::words("says", body(copy)),
            Facet::words("buttons", labels(copy)),
            Facet::some("tour", tour),
        ]
    };
    let mut lines = Vec::new();
    for new in after {
        match before.iter().find(|old| old.id == new.id) {
            None => {
                let said = body(&new.copy);
                lines.push(format!("new variant `{}`, weight {}: says {said}", new.id, new.weight));
            }
            Some(old) => {
                let told = differences(&facets(old), &facets(new)).into_iter();
                lines.extend(told.map(|line| format!("variant `{}`: {line}", new.id)));
            }
        }
    }
    let gone = before.iter().filter(|old| after.iter().all(|new| new.id != old.id));
    lines.extend(gone.map(|old| format!("no longer the variant `{}`", old.id)));
    lines
}

/// `dismissed 1d, 2 times longer each time up to 7d; ignored 1h`.
fn rests(backoff: &Backoff) -> String {
    let Backoff { dismissed, rests, reset } = backoff;
    let dismissed = dismissed.as_ref().map(|Growth { cooldown, factor, max, stop_after }| {
        let mut said = format!("dismissed {}", lasts(*cooldown));
        if *factor > 1.0 {
            said.push_str(&format!(", {factor} times longer each time up to {}", lasts(*max)));
        }
        if let Some(times) = stop_after {
            said.push_str(&format!(", never again after {times}"));
        }
        said
    });
    let others =
        rests.iter().map(|(outcome, rest)| format!("{} {}", outcome.as_str(), lasts(*rest)));
    let reset = reset.as_ref().map(|kind| format!("void after `{kind}`"));
    dismissed.into_iter().chain(others).chain(reset).collect::<Vec<_>>().join("; ")
}

fn lasts(rest: Span) -> String {
    if rest == Span::FOREVER { "for good".to_owned() } else { rest.to_string() }
}

fn clock(zone: &ZoneChoice) -> String {
    match zone {
        ZoneChoice::Product => "the product".to_owned(),
        ZoneChoice::User => "the person".to_owned(),
        ZoneChoice::Fixed(zone) => zone.name().to_owned(),
    }
}

fn mode(mode: Mode) -> &'static str {
    MODES.into_iter().find(|(_, known)| *known == mode).map_or("live", |(name, _)| name)
}

fn pages(rule: &Rule) -> String {
    rule.pages.iter().map(|page| format!("`{page}`")).collect::<Vec<_>>().join(", ")
}

fn body(copy: &Copy) -> String {
    copy.body.as_ref().map(|body| format!("“{body}”")).unwrap_or_default()
}

fn labels(copy: &Copy) -> String {
    copy.labels.iter().map(|label| format!("“{label}”")).collect::<Vec<_>>().join(" ")
}

/// `3 per user in 7d`.
pub(super) fn caps(caps: &[Cap]) -> String {
    let cap = |cap: &Cap| match cap.window {
        Span::FOREVER => format!("{} per {}", cap.limit, cap.per.as_str()),
        window => format!("{} per {} in {window}", cap.limit, cap.per.as_str()),
    };
    caps.iter().map(cap).collect::<Vec<_>>().join(", ")
}
