//! Whether conditions can hold together. What is not understood is taken to be possible, so a "no"
//! is certain; a condition that is unknown, or fails, does not hold.

use serde_json::Value as Json;

use crate::domain::happened::KEPT;
use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::condition::{
    Bound, Comparison, Condition, Counted, Field, Scope, Tally, Term, TextTest, ValueTest,
};
use crate::rulebook::lint::pages::{all_covered, any_overlap, covers};
use crate::rulebook::settings::Activity;

/// A condition that must be true, or false.
pub(super) type Wanted<'c> = (&'c Condition, bool);

/// Beyond so many leaves at once nothing is said: comparing each with each must stay quick.
const MOST: usize = 64;

/// Whether all of it can be so at once. `known` holds leaves alone.
pub(super) fn possible(known: &[Wanted<'_>], goals: &[Wanted<'_>], limits: &Activity) -> bool {
    let (mut leaves, mut choices) = (known.to_vec(), Vec::new());
    for goal in goals {
        gather(*goal, &mut leaves, &mut choices);
    }
    if leaves.len() > MOST || choices.len() > MOST {
        return true;
    }
    let fresh = leaves.get(known.len()..).unwrap_or_default();
    if fresh.iter().any(|leaf| is_impossible(*leaf, limits)) || has_clash(&leaves) {
        return false;
    }
    choices
        .iter()
        .all(|(parts, truth)| parts.iter().any(|part| possible(&leaves, &[(part, *truth)], limits)))
}

type Choice<'c> = (&'c [Condition], bool);

/// Leaves that must all be so, and choices of which one must.
fn gather<'c>(
    (condition, truth): Wanted<'c>,
    leaves: &mut Vec<Wanted<'c>>,
    choices: &mut Vec<Choice<'c>>,
) {
    match (condition, truth) {
        (Condition::Not(part), _) => gather((part, !truth), leaves, choices),
        (Condition::Segment(segment), true) => gather((&segment.when, true), leaves, choices),
        // What cannot be told is no, too: of a no nothing follows for its parts.
        (Condition::Segment(segment), false) if !segment.certain => {
            gather((&segment.when, false), leaves, choices);
        }
        (Condition::All(parts), true) | (Condition::Any(parts), false) => {
            parts.iter().for_each(|part| gather((part, truth), leaves, choices));
        }
        (Condition::All(parts), false) | (Condition::Any(parts), true) => {
            choices.push((parts, truth));
        }
        leaf => leaves.push((leaf.0, leaf.1)),
    }
}

fn has_clash(leaves: &[Wanted<'_>]) -> bool {
    leaves.iter().enumerate().any(|(at, one)| {
        leaves.iter().skip(at + 1).any(|other| clash(*one, *other) || clash(*other, *one))
    })
}

/// Whether a leaf can never be so, whatever else holds.
fn is_impossible((leaf, truth): Wanted<'_>, limits: &Activity) -> bool {
    match leaf {
        Condition::Always(holds) => *holds != truth,
        Condition::Elapsed(_, span) | Condition::Since(_, span) => !truth && *span <= Span::ZERO,
        Condition::Told(field, ValueTest::In(texts)) if truth => {
            !texts.iter().filter_map(Json::as_str).any(|text| has(*field, text))
        }
        Condition::Tally(tally, bound) => {
            let (low, high) = range(*bound, truth);
            high < 0 || low > most(&tally.of, limits)
        }
        _ => equality((leaf, truth)).is_some_and(|(same, field, text)| same && !has(field, text)),
    }
}

/// Whether a field can ever have this text.
fn has(field: Field, text: &str) -> bool {
    match field {
        Field::Path => !(text.contains(['?', '#']) || (text.len() > 1 && text.ends_with('/'))),
        Field::EmailDomain => !text.contains('@') && text.to_lowercase() == text,
        _ => true,
    }
}

/// How many there may be: no more actions than are kept, and the visit under way.
fn most(of: &Counted, limits: &Activity) -> i64 {
    let actions = i64::try_from(limits.max_actions).unwrap_or(i64::MAX);
    match of {
        Counted::Visits(_) | Counted::Pages => actions.saturating_add(1),
        Counted::Remembered { .. } => KEPT as i64,
        _ => actions,
    }
}

/// Lowest and highest number that satisfies a bound, or that does not.
fn range(bound: Bound, truth: bool) -> (i64, i64) {
    match (bound, truth) {
        (Bound::AtLeast(least), true) => (least, i64::MAX),
        (Bound::AtLeast(least), false) => (0, least.saturating_sub(1)),
        (Bound::AtMost(most), true) => (0, most),
        (Bound::AtMost(i64::MAX), false) => (0, -1),
        (Bound::AtMost(most), false) => (most + 1, i64::MAX),
        (Bound::Exactly(number), true) => (number, number),
        (Bound::Between(low, high), true) => (low, high),
        (Bound::Exactly(_) | Bound::Between(..), false) => (0, i64::MAX),
    }
}

/// Whether both cannot be so at once; asked both ways round.
fn clash(one: Wanted<'_>, other: Wanted<'_>) -> bool {
    if one.1 != other.1 && one.0 == other.0 {
        return true;
    }
    match (one, other) {
        ((Condition::Elapsed(a, longer), true), (Condition::Elapsed(b, shorter), false)) => {
            a == b && shorter <= longer
        }
        ((Condition::Since(a, longer), true), (Condition::Since(b, shorter), false)) => {
            a == b && shorter <= longer
        }
        ((Condition::Told(a, left), a_truth), (Condition::Told(b, right), b_truth)) => {
            a == b && traits_clash((left, a_truth), (right, b_truth))
        }
        ((Condition::Tally(a, low), a_truth), (Condition::Tally(b, high), b_truth)) => {
            let (low, high) = (range(*low, a_truth).0, range(*high, b_truth).1);
            low > high && a.within <= b.within && is_part(&a.of, &b.of)
        }
        (
            (Condition::Trait(a, one, left), a_truth),
            (Condition::Trait(b, other, right), b_truth),
        ) => (a, one) == (b, other) && traits_clash((left, a_truth), (right, b_truth)),
        ((Condition::Page(here), true), other) => elsewhere(here, other),
        _ => match (equality(one), equality(other)) {
            (Some((true, a, left)), Some((same, b, right))) => a == b && (left == right) != same,
            _ => false,
        },
    }
}

/// Whether what is counted is among what `whole` counts.
fn is_part(part: &Counted, whole: &Counted) -> bool {
    match (part, whole) {
        (
            Counted::Actions { kind, text, scope, filter },
            Counted::Actions { kind: all, text: any, scope: here, filter: whichever },
        ) => {
            kind == all
                && (any.is_none() || text == any)
                && (whichever.is_none() || filter == whichever)
                && (*here == Scope::Session || scope == here)
        }
        (part, whole) => part == whole,
    }
}

fn traits_clash(
    (left, left_truth): (&ValueTest, bool),
    (right, truth): (&ValueTest, bool),
) -> bool {
    match (left, left_truth, right, truth) {
        (ValueTest::In(some), true, ValueTest::In(others), true) => {
            !some.iter().any(|one| others.iter().any(|other| alike(one, other)))
        }
        (ValueTest::In(some), true, ValueTest::In(others), false) => {
            some.iter().all(|one| others.contains(one))
        }
        (ValueTest::AtLeast(least), true, ValueTest::AtMost(most), true) => least > most,
        (ValueTest::AtLeast(least), true, ValueTest::AtLeast(below), false) => below <= least,
        (ValueTest::AtMost(most), true, ValueTest::AtMost(above), false) => above >= most,
        (ValueTest::Exists, false, _, _) => true,
        _ => false,
    }
}

/// Whether two scalars may be equal; `5` is `5.0`.
fn alike(one: &Json, other: &Json) -> bool {
    one == other || (one.is_number() && other.is_number() && one.as_f64() == other.as_f64())
}

/// Whether this cannot be so while the person is on one of these pages.
fn elsewhere(here: &[PagePattern], (condition, truth): Wanted<'_>) -> bool {
    if let Some((same, Field::Path, path)) = equality((condition, truth)) {
        let only = here.iter().all(|page| page.as_str() == path);
        return if same { !here.iter().any(|page| page.matches(path)) } else { only };
    }
    match (condition, truth) {
        (Condition::Page(pages), true) => !any_overlap(here, pages),
        (Condition::Page(pages), false) => all_covered(pages, here),
        (Condition::Tally(Tally { of, .. }, bound), truth) => {
            let counts_this = match of {
                Counted::Visits(None) | Counted::Pages => true,
                Counted::Visits(Some(page)) => here.iter().all(|here| covers(page, here)),
                _ => false,
            };
            counts_this && range(*bound, truth).1 < 1
        }
        (Condition::Text(parts), true) => match &**parts {
            (Term::Field(Field::Path), TextTest::StartsWith, Term::Text(start)) => {
                here.iter().all(|page| page.is_literal() && !page.as_str().starts_with(&**start))
            }
            _ => false,
        },
        _ => false,
    }
}

/// `field == "text"`, or that it is not.
fn equality<'c>((condition, truth): Wanted<'c>) -> Option<(bool, Field, &'c str)> {
    let Condition::Compare(parts) = condition else { return None };
    let (field, text) = match &**parts {
        (Term::Field(field), _, Term::Text(text)) | (Term::Text(text), _, Term::Field(field)) => {
            (*field, text)
        }
        _ => return None,
    };
    match parts.1 {
        Comparison::Equal => Some((truth, field, text)),
        Comparison::NotEqual => Some((!truth, field, text)),
        _ => None,
    }
}
