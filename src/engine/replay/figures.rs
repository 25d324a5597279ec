//! What a rulebook came to over many sessions: offers per trigger, and what kept triggers back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::replay::Played;

/// Figures of one rulebook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Sessions lived through.
    pub sessions: u64,
    /// Offers made.
    pub fires: u64,
    /// Sessions that were made an offer.
    pub reached: u64,
    /// By trigger: those that did or would have done anything.
    pub triggers: BTreeMap<Arc<str>, Tally>,
}

/// Figures of one trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Offers made.
    pub fires: u64,
    /// Sessions that were made one.
    pub sessions: u64,
    /// Offers that a shadow, or a control group, was not made.
    pub ghosts: u64,
    /// How often it matched and was kept back, by the skip reason; a spell of silence counts once.
    pub held: BTreeMap<Arc<str>, u64>,
}

impl Figures {
    /// One session more.
    pub fn take(&mut self, played: &Played) {
        self.sessions += 1;
        self.fires += played.firings.len() as u64;
        self.reached += u64::from(!played.firings.is_empty());
        for (place, firing) in played.firings.iter().enumerate() {
            let earlier = played.firings.iter().take(place);
            let is_first = earlier.into_iter().all(|earlier| earlier.trigger != firing.trigger);
            let tally = self.tally(&firing.trigger);
            tally.fires += 1;
            tally.sessions += u64::from(is_first);
        }
        for trigger in &played.ghosts {
            self.tally(trigger).ghosts += 1;
        }
        for held in &played.held {
            *self.tally(&held.trigger).held.entry(Arc::clone(&held.reason)).or_default() += 1;
        }
    }

    /// Those of other sessions.
    pub fn absorb(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.fires += other.fires;
        self.reached += other.reached;
        for (trigger, more) in other.triggers {
            let tally = self.triggers.entry(trigger).or_default();
            tally.fires += more.fires;
            tally.sessions += more.sessions;
            tally.ghosts += more.ghosts;
            for (reason, times) in more.held {
                *tally.held.entry(reason).or_default() += times;
            }
        }
    }

    /// Offers of a trigger.
    pub fn fires_of(&self, trigger: &str) -> u64 {
        self.triggers.get(trigger).map_or(0, |tally| tally.fires)
    }

    fn tally(&mut self, trigger: &Arc<str>) -> &mut Tally {
        self.triggers.entry(Arc::clone(trigger)).or_default()
    }
}

/// So many in a thousand sessions.
pub fn per_thousand(count: u64, sessions: u64) -> f64 {
    if sessions == 0 { 0.0 } else { count as f64 * 1_000.0 / sessions as f64 }
}
