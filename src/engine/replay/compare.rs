//! Two rulebooks over the same sessions. The first divergence of a session is what a change does;
//! what follows in that session is its consequence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::time::{Span, Timestamp};
use crate::engine::replay::recording::Recorded;
use crate::engine::replay::{Firing, Played};

/// Sample sessions kept of a trigger.
pub const SAMPLES: usize = 5;

/// Where two rulebooks differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Sessions in which anything differs.
    pub sessions: u64,
    /// By trigger.
    pub triggers: BTreeMap<Arc<str>, Change>,
}

/// Where they differ in one trigger; all but `first` count sessions with such a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Offered now, and never before.
    pub newly_firing: u64,
    /// Offered before, and never now.
    pub newly_silent: u64,
    /// Offered both times, in other words, with other buttons or another tour.
    pub copy: u64,
    /// Offered both times, at another time or another number of times.
    pub moved: u64,
    /// Sessions whose first divergence it is.
    pub first: u64,
    /// The first of these sessions, or else of those it differs in.
    pub samples: Vec<Sample>,
}

/// A session that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whether the trigger is what diverges first.
    pub is_first: bool,
    /// The session's place among all.
    pub place: usize,
    /// The session.
    pub session: Arc<str>,
    /// When it diverges first.
    pub at: Timestamp,
    /// How long after its beginning.
    pub into: Span,
    /// What the base offered then, if anything.
    pub base: Option<Firing>,
    /// What the head offered then, if anything.
    pub head: Option<Firing>,
}

/// Where two sequences of offers part.
struct Parting<'a> {
    at: Timestamp,
    trigger: &'a Arc<str>,
    base: Option<&'a Firing>,
    head: Option<&'a Firing>,
}

impl Changes {
    /// One session more, with its place among all.
    pub fn note(&mut self, (place, recorded): (usize, &Recorded), base: &Played, head: &Played) {
        let Some(parting) = part(&base.firings, &head.firings) else { return };
        self.sessions += 1;
        let names = base.firings.iter().chain(&head.firings).map(|firing| &firing.trigger);
        for trigger in names.collect::<BTreeSet<_>>() {
            let of = |played: &'_ [Firing]| -> Vec<Firing> {
                played.iter().filter(|firing| firing.trigger == *trigger).cloned().collect()
            };
            let (before, after) = (of(&base.firings), of(&head.firings));
            let is_first = trigger == parting.trigger;
            if before == after && !is_first {
                continue;
            }
            let change = self.triggers.entry(Arc::clone(trigger)).or_default();
            change.count(&before, &after);
            change.first += u64::from(is_first);
            change.keep(Sample {
                is_first,
                place,
                session: Arc::clone(&recorded.id),
                at: parting.at,
                into: parting.at.since(recorded.start()),
                base: parting.base.cloned(),
                head: parting.head.cloned(),
            });
        }
    }

    /// Those of other sessions.
    pub fn absorb(&mut self, other: Self) {
        self.sessions += other.sessions;
        for (trigger, more) in other.triggers {
            let change = self.triggers.entry(trigger).or_default();
            change.newly_firing += more.newly_firing;
            change.newly_silent += more.newly_silent;
            change.copy += more.copy;
            change.moved += more.moved;
            change.first += more.first;
            more.samples.into_iter().for_each(|sample| change.keep(sample));
        }
    }
}

impl Change {
    fn count(&mut self, before: &[Firing], after: &[Firing]) {
        if before.is_empty() || after.is_empty() {
            self.newly_firing += u64::from(before.is_empty() && !after.is_empty());
            self.newly_silent += u64::from(after.is_empty() && !before.is_empty());
            return;
        }
        let pairs = || before.iter().zip(after);
        self.copy += u64::from(pairs().any(|(one, other)| one.copy != other.copy));
        let moved = pairs().any(|(one, other)| one.at != other.at) || before.len() != after.len();
        self.moved += u64::from(moved);
    }

    /// Keeps the earliest sessions, those first that diverge by this trigger.
    fn keep(&mut self, sample: Sample) {
        let key = |sample: &Sample| (!sample.is_first, sample.place);
        let place = self.samples.partition_point(|known| key(known) < key(&sample));
        self.samples.insert(place, sample);
        self.samples.truncate(SAMPLES);
    }
}

fn part<'a>(base: &'a [Firing], head: &'a [Firing]) -> Option<Parting<'a>> {
    let same = base.iter().zip(head).take_while(|(one, other)| one == other).count();
    let (base, head) = (base.get(same), head.get(same));
    let earlier = [head, base].into_iter().flatten().min_by_key(|firing| firing.at)?;
    let then = |firing: &&Firing| firing.at == earlier.at;
    Some(Parting {
        at: earlier.at,
        trigger: &earlier.trigger,
        base: base.filter(then),
        head: head.filter(then),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::replay::Said;

    fn firing(&(seconds, trigger, body): &(i64, &str, &str)) -> Firing {
        let at = Timestamp::from_millis(seconds * 1_000);
        let copy = Said { body: body.into(), labels: Vec::new(), tour: None, variant: None };
        Firing { at, trigger: trigger.into(), copy }
    }

    fn played(firings: &[(i64, &str, &str)]) -> Played {
        Played { firings: firings.iter().map(firing).collect(), ..Played::default() }
    }

    #[test]
    fn a_session_counts_for_what_diverges_first_and_for_what_follows() {
        let recorded = Recorded { id: "s".into(), moments: Vec::new(), polled: false };
        let figures = |base: &[_], head: &[_]| {
            let mut changes = Changes::default();
            changes.note((0, &recorded), &played(base), &played(head));
            let line = |(trigger, change): (&Arc<str>, &Change)| {
                let Change { newly_firing, newly_silent, copy, moved, first, .. } = change;
                format!("{trigger} +{newly_firing} -{newly_silent} c{copy} m{moved} f{first}")
            };
            changes.triggers.iter().map(line).collect::<Vec<_>>().join(", ")
        };
        let (a, b) = ((10, "a", "A"), (400, "b", "B"));
        assert_eq!(figures(&[a, b], &[a, b]), "");
        assert_eq!(figures(&[], &[a]), "a +1 -0 c0 m0 f1");
        assert_eq!(figures(&[a, b], &[b]), "a +0 -1 c0 m0 f1");
        assert_eq!(figures(&[a], &[(10, "a", "other")]), "a +0 -0 c1 m0 f1");
        assert_eq!(figures(&[a], &[(15, "a", "A")]), "a +0 -0 c0 m1 f1");
        assert_eq!(figures(&[a, b], &[a, b, (900, "a", "A")]), "a +0 -0 c0 m1 f1");
        let later = (410, "b", "B");
        assert_eq!(figures(&[a, b], &[later]), "a +0 -1 c0 m0 f1, b +0 -0 c0 m1 f0");
        assert_eq!(figures(&[a], &[(10, "b", "B")]), "a +0 -1 c0 m0 f0, b +1 -0 c0 m0 f1");
    }

    #[test]
    fn samples_are_the_first_sessions_whoever_counted_them() {
        let recorded = |place: usize| Recorded {
            id: place.to_string().into(),
            moments: Vec::new(),
            polled: false,
        };
        let (base, head) = (played(&[]), played(&[(10, "a", "A")]));
        let counted = |places: &mut dyn Iterator<Item = usize>| {
            let mut changes = Changes::default();
            places.for_each(|place| changes.note((place, &recorded(place)), &base, &head));
            changes
        };
        let whole = counted(&mut (0..20));
        let mut parts = counted(&mut (0..20).filter(|place| place % 3 == 0));
        parts.absorb(counted(&mut (0..20).filter(|place| place % 3 != 0)));
        assert_eq!(whole, parts);
        let kept: Vec<_> = whole.triggers["a"].samples.iter().map(|sample| sample.place).collect();
        assert_eq!(kept, [0, 1, 2, 3, 4]);
    }
}
