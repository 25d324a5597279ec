//! The health of a tour: how many of those who started it could not go on, over a sliding window
//! that is kept in hours.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// What one bucket covers.
const HOUR: Span = Span::from_seconds(3_600);

/// When a tour counts as broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// More than so many percent failed; 100 means never.
    pub max_failed: u8,
    /// Of at least so many.
    pub min_attempts: u32,
    /// In this time.
    pub window: Span,
}

/// 20 percent of at least 20 in a day (field study, M17).
impl Default for HealthPolicy {
    fn default() -> Self {
        Self { max_failed: 20, min_attempts: 20, window: Span::from_seconds(86_400) }
    }
}

/// How often one version of a tour was started and failed, hour by hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The version that was tried; another one starts anew.
    version: Arc<str>,
    /// Oldest first, none without an attempt.
    hours: VecDeque<Hour>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hour {
    /// When it began.
    start: Timestamp,
    /// Tours started in it.
    started: u32,
    /// Those of them that could not go on.
    failed: u32,
}

/// A tour that is broken, and until when it counts as that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unhealthy {
    /// The tour.
    pub tour: Arc<str>,
    /// So many could not go on.
    pub failed: u32,
    /// Of so many.
    pub started: u32,
    /// If nobody starts it until then.
    pub until: Timestamp,
}

/// `9 of 24 starts of the tour "create-project" failed`.
impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tour, failed, started, .. } = self;
        write!(f, "{failed} of {started} starts of the tour \"{tour}\" failed")
    }
}

impl Attempts {
    /// Notes that somebody started this version of the tour, or could not go on.
    pub fn note(&mut self, version: &Arc<str>, failed: bool, window: Span, now: Timestamp) {
        if self.version != *version {
            *self = Self { version: Arc::clone(version), hours: VecDeque::new() };
        }
        self.hours.retain(|hour| now < hour.leaves(window));
        let start =
            Timestamp::from_millis(now.as_millis() - now.as_millis().rem_euclid(HOUR.as_millis()));
        let at = self.hours.partition_point(|hour| hour.start < start);
        if self.hours.get(at).is_none_or(|hour| hour.start != start) {
            self.hours.insert(at, Hour { start, started: 0, failed: 0 });
        }
        let Some(hour) = self.hours.get_mut(at) else { return };
        let count = if failed { &mut hour.failed } else { &mut hour.started };
        *count = count.saturating_add(1);
    }

    /// Whether nothing of the window is left.
    pub fn is_over(&self, window: Span, now: Timestamp) -> bool {
        self.hours.iter().all(|hour| hour.leaves(window) <= now)
    }

    /// Failed, started, and until when this version counts as broken, if it does.
    pub fn broken(
        &self,
        version: &str,
        policy: &HealthPolicy,
        now: Timestamp,
    ) -> Option<(u32, u32, Timestamp)> {
        if *self.version != *version {
            return None;
        }
        let inside = || self.hours.iter().filter(|hour| now < hour.leaves(policy.window));
        let sum = |count: fn(&Hour) -> u32| inside().map(count).fold(0, u32::saturating_add);
        let (failed, started) = (sum(|hour| hour.failed), sum(|hour| hour.started));
        let mut left = (failed, started);
        let mut until = None;
        for hour in inside() {
            if !policy.is_broken(left) {
                break;
            }
            left = (left.0.saturating_sub(hour.failed), left.1.saturating_sub(hour.started));
            until = Some(hour.leaves(policy.window));
        }
        until.map(|until| (failed, started, until))
    }

    /// Bytes of its buckets.
    pub fn weigh(&self) -> usize {
        self.hours.capacity() * size_of::<Hour>()
    }
}

impl Hour {
    /// When it is no longer looked at.
    fn leaves(&self, window: Span) -> Timestamp {
        self.start.plus(HOUR).plus(window)
    }
}

impl HealthPolicy {
    fn is_broken(&self, (failed, started): (u32, u32)) -> bool {
        let (failed, started) = (u64::from(failed), u64::from(started));
        started >= u64::from(self.min_attempts)
            && failed * 100 > started * u64::from(self.max_failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(at: i64) -> Timestamp {
        Timestamp::from_millis(1_760_000_400_000 + at * 60_000)
    }

    /// So many minutes between two starts, and who of them fails.
    fn tried(started: i64, failed: i64) -> Attempts {
        let (mut attempts, policy) = (Attempts::default(), HealthPolicy::default());
        for person in 0..started {
            attempts.note(&"v1".into(), false, policy.window, minute(person));
            if person < failed {
                attempts.note(&"v1".into(), true, policy.window, minute(person));
            }
        }
        attempts
    }

    #[test]
    fn more_than_a_fifth_of_twenty_break_a_tour_and_time_heals_it() {
        let policy = HealthPolicy::default();
        for (started, failed, broken) in
            [(19, 19, false), (20, 4, false), (20, 5, true), (50, 10, false), (50, 11, true)]
        {
            let found = tried(started, failed).broken("v1", &policy, minute(60));
            assert_eq!(found.is_some(), broken, "{failed} of {started}");
        }
        let attempts = tried(20, 5);
        let (failed, started, until) = attempts.broken("v1", &policy, minute(60)).unwrap();
        assert_eq!((failed, started), (5, 20));
        let just_before = Timestamp::from_millis(until.as_millis() - 1);
        assert!(attempts.broken("v1", &policy, just_before).is_some());
        assert!(attempts.broken("v1", &policy, until).is_none());
        assert!(until >= minute(24 * 60) && until <= minute(26 * 60), "{until:?}");
        assert!(attempts.broken("v2", &policy, minute(60)).is_none(), "another version");
        let never = HealthPolicy { max_failed: 100, ..policy };
        assert!(tried(30, 30).broken("v1", &never, minute(60)).is_none());
    }

    #[test]
    fn the_hours_of_a_week_are_all_there_is() {
        let (mut attempts, week) = (Attempts::default(), Span::from_seconds(7 * 86_400));
        for hour in 0..10_000 {
            attempts.note(&"v1".into(), hour % 2 == 0, week, minute(hour * 30));
        }
        assert!(attempts.hours.len() <= 169, "{}", attempts.hours.len());
        attempts.note(&"v2".into(), false, week, minute(0));
        assert_eq!(attempts.hours.len(), 1);
    }
}
