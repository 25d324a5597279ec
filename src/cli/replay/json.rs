//! A replay as one JSON object.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::cli::replay::Told;
use crate::cli::replay::drive::Outcome;
use crate::cli::replay::input::File;
use crate::cli::replay::limit::Exceeded;
use crate::cli::replay::rulebooks::Loaded;
use crate::cli::report::say;
use crate::engine::replay::Firing;
use crate::engine::replay::compare::{Change, Sample};
use crate::engine::replay::figures::{Figures, per_thousand};
use crate::engine::replay::recording::Reach;

/// Prints it.
pub(super) fn print(told: &Told<'_>) {
    let terms = &told.arguments.terms;
    let assume = clap::ValueEnum::to_possible_value(&terms.assume);
    let object = json!({
        "ok": told.exceeded.is_empty(),
        "head": rules(told.head),
        "base": told.base.map(rules),
        "assume": assume.as_ref().map(|value| value.get_name()),
        "poll_every_s": terms.poll_every.as_seconds(),
        "linger_s": terms.linger.as_seconds(),
        "files": told.recordings.files.iter().map(file).collect::<Vec<_>>(),
        "unknown_product": told.recordings.strangers,
        "products": told.outcomes.iter().map(product).collect::<Vec<_>>(),
        "exceeded": told.exceeded.iter().map(exceeded).collect::<Vec<_>>(),
    });
    say(&object.to_string());
}

fn rules(loaded: &Loaded) -> Value {
    json!({ "rules": loaded.name, "commit": loaded.commit, "digest": loaded.rulebook.digest })
}

fn file(file: &File) -> Value {
    let first = file.refused.first.iter().map(|(line, why)| json!({ "line": line, "why": why }));
    json!({
        "file": file.name,
        "lines": file.lines,
        "unreadable": file.refused.count,
        "first_unreadable": first.collect::<Vec<_>>(),
        "passed_over": file.passed,
        "without_session": file.sessionless,
        "missing": file.missing,
    })
}

fn product(outcome: &Outcome) -> Value {
    let Outcome { head, base, changes, .. } = outcome;
    let names = base.iter().flat_map(|base| base.triggers.keys()).chain(head.triggers.keys());
    let same = Change::default();
    let names: BTreeSet<_> = names.collect();
    let triggers = names.into_iter().map(|trigger| {
        let mut told = json!({ "trigger": trigger, "head": tally(head, trigger) });
        if let (Some(base), Some(told)) = (base, told.as_object_mut()) {
            told.insert("base".to_owned(), tally(base, trigger));
            change(changes.triggers.get(trigger).unwrap_or(&same), told);
        }
        told
    });
    json!({
        "product": outcome.product,
        "sessions": head.sessions,
        "actions": outcome.actions,
        "sessions_with_recorded_polls": outcome.polled,
        "together": match outcome.reach {
            Reach::Person => "person",
            Reach::Account => "account",
            Reach::Product => "product",
        },
        "head": figures(head),
        "base": base.as_ref().map(figures),
        "sessions_that_differ": base.as_ref().map(|_| changes.sessions),
        "triggers": triggers.collect::<Vec<_>>(),
    })
}

fn figures(figures: &Figures) -> Value {
    json!({
        "offers": figures.fires,
        "per_1000_sessions": per_thousand(figures.fires, figures.sessions),
        "sessions": figures.reached,
    })
}

fn tally(figures: &Figures, trigger: &str) -> Value {
    let none = Default::default();
    let tally = figures.triggers.get(trigger).unwrap_or(&none);
    json!({
        "offers": tally.fires,
        "per_1000_sessions": per_thousand(tally.fires, figures.sessions),
        "sessions": tally.sessions,
        "not_shown": tally.ghosts,
        "held_back": tally.held,
    })
}

fn change(change: &Change, told: &mut Map<String, Value>) {
    let counts = [
        ("newly_firing", change.newly_firing),
        ("newly_silent", change.newly_silent),
        ("other_copy", change.copy),
        ("other_time", change.moved),
        ("first", change.first),
    ];
    told.extend(counts.map(|(name, count)| (name.to_owned(), Value::from(count))));
    let samples = change.samples.iter().map(sample).collect();
    told.insert("samples".to_owned(), Value::Array(samples));
}

fn sample(sample: &Sample) -> Value {
    json!({
        "session": sample.session,
        "at": sample.at.as_seconds(),
        "into_s": sample.into.as_seconds(),
        "first": sample.is_first,
        "base": sample.base.as_ref().map(offer),
        "head": sample.head.as_ref().map(offer),
    })
}

fn offer(firing: &Firing) -> Value {
    let Firing { trigger, copy, .. } = firing;
    json!({
        "trigger": trigger,
        "body": copy.body,
        "labels": copy.labels,
        "tour": copy.tour,
        "variant": copy.variant,
    })
}

fn exceeded(exceeded: &Exceeded) -> Value {
    let Exceeded { product, trigger, base, head } = exceeded;
    json!({ "product": product, "trigger": trigger, "base": base, "head": head })
}
