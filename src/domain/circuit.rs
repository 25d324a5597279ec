//! The circuit: after several delivery or judge failures in a row, docent waits.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// When the circuit opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitPolicy {
    /// Consecutive failures that open it; 0 means never.
    pub failures: u32,
    /// How long it stays open.
    pub pause: Span,
}

impl Default for CircuitPolicy {
    /// Five failures, 120 s (SDK 0.13.0).
    fn default() -> Self {
        Self { failures: 5, pause: Span::from_seconds(120) }
    }
}

/// One product's circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Circuit {
    /// Failures in a row.
    streak: u32,
    /// Until when nothing is offered.
    open_until: Option<Timestamp>,
}

impl Circuit {
    /// A delivery or a judge failed.
    pub fn failed(&mut self, policy: &CircuitPolicy, now: Timestamp) {
        self.streak = self.streak.saturating_add(1);
        if policy.failures > 0 && self.streak >= policy.failures {
            self.streak = 0;
            self.open_until = Some(now.plus(policy.pause));
        }
    }

    /// Something was delivered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Until when the circuit is open, if it is; closed exactly at that instant.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_at_the_fifth_failure_and_closes_on_time() {
        let (policy, start) = (CircuitPolicy::default(), Timestamp::from_millis(0));
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            circuit.failed(&policy, start);
        }
        assert_eq!(circuit.open_until(start), None);
        circuit.failed(&policy, start);
        let until = Timestamp::from_millis(120_000);
        assert_eq!(circuit.open_until(Timestamp::from_millis(119_999)), Some(until));
        assert_eq!(circuit.open_until(until), None);
        circuit.failed(&policy, until);
        assert_eq!(circuit.open_until(until), None, "a full five new failures are needed");
    }

    #[test]
    fn a_success_ends_the_streak() {
        let (policy, now) =
            (CircuitPolicy { failures: 2, ..CircuitPolicy::default() }, Timestamp::default());
        let mut circuit = Circuit::default();
        circuit.failed(&policy, now);
        circuit.succeeded();
        circuit.failed(&policy, now);
        assert_eq!(circuit.open_until(now), None);
    }
}
