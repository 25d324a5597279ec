//! How long to wait before the next attempt (contract 2.1.2): doubling from one second to thirty,
//! plus up to a tenth at random, so that a restarted upstream is not met by everybody at once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// Before the first repeat.
pub const INITIAL: Duration = Duration::from_secs(1);
/// Never longer, jitter and the upstream's own wish aside.
pub const LONGEST: Duration = Duration::from_secs(30);
/// The longest `Retry-After` that is honoured.
pub const LONGEST_ASKED: Duration = Duration::from_secs(3_600);
/// Added at most, as a share of the delay.
const JITTER: f64 = 0.1;

/// Counts failures since something last went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    longest: Duration,
    failures: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(INITIAL, LONGEST)
    }
}

impl Backoff {
    /// From `initial` doubling to `longest`.
    pub const fn new(initial: Duration, longest: Duration) -> Self {
        Self { initial, longest, failures: 0 }
    }

    /// Something went well: the next failure waits the initial delay again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure. `chance` in `[0, 1)` places the jitter; `asked` is the
    /// upstream's `Retry-After`, which counts when it is longer.
    pub fn next(&mut self, chance: f64, asked: Option<Duration>) -> Duration {
        let times = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let doubled = self.initial.saturating_mul(times);
        self.failures = self.failures.saturating_add(1);
        let jittered = doubled.min(self.longest).mul_f64(1.0 + JITTER * chance.clamp(0.0, 1.0));
        jittered.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

/// A number in `[0, 1)`, new at every call; good enough to spread reconnects, for nothing else.
pub fn chance() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: &mut Backoff, times: usize, chance: f64) -> Vec<u64> {
        (0..times).map(|_| backoff.next(chance, None).as_millis() as u64).collect()
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let expected = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
        assert_eq!(waits(&mut Backoff::default(), 7, 0.0), expected);
        let jittered = [1_100, 2_200, 4_400, 8_800, 17_600, 33_000, 33_000];
        assert_eq!(waits(&mut Backoff::default(), 7, 1.0), jittered);
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut backoff = Backoff { failures: u32::MAX, ..Backoff::default() };
        assert_eq!(waits(&mut backoff, 2, 0.0), [30_000, 30_000]);
        for failures in 28..40 {
            assert_eq!(waits(&mut Backoff { failures, ..Backoff::default() }, 1, 0.0), [30_000]);
        }
    }

    #[test]
    fn a_reset_starts_over() {
        let mut backoff = Backoff::default();
        waits(&mut backoff, 5, 0.0);
        backoff.reset();
        assert_eq!(waits(&mut backoff, 2, 0.5), [1_050, 2_100]);
    }

    #[test]
    fn the_upstreams_wish_counts_when_it_is_longer() {
        let seconds = |n| Some(Duration::from_secs(n));
        let mut backoff = Backoff::default();
        for (asked, expected) in [(5, 5), (1, 2), (0, 4), (90, 90), (u64::MAX, 3_600), (2, 30)] {
            let wait = backoff.next(0.0, seconds(asked));
            assert_eq!(wait, Duration::from_secs(expected), "{asked}");
        }
    }

    #[test]
    fn chance_stays_in_range_and_moves() {
        let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(drawn.iter().all(|c| (0.0..1.0).contains(c)));
        assert!(drawn.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()));
    }
}
