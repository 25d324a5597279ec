//! The clock: the one reader of wall time. A virtual clock stands still until it is moved, so that
//! hours of engine time pass in a test without waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::{Span, Timestamp};

/// Tells the time; clones tell the same.
#[derive(Clone, Debug)]
pub struct Clock(Face);

#[derive(Clone, Debug)]
enum Face {
    Wall,
    /// Milliseconds since the epoch.
    Virtual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's own clock.
    pub const fn wall() -> Self {
        Self(Face::Wall)
    }

    /// A clock that starts at this instant and moves only when told.
    pub fn standing_at(start: Timestamp) -> Self {
        Self(Face::Virtual(Arc::new(AtomicI64::new(start.as_millis()))))
    }

    /// Whether this clock can be moved.
    pub const fn is_virtual(&self) -> bool {
        matches!(self.0, Face::Virtual(_))
    }

    /// The time; read once per request and passed down.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Face::Wall => wall(),
            Face::Virtual(millis) => Timestamp::from_millis(millis.load(Ordering::Acquire)),
        }
    }

    /// Moves a virtual clock to this instant, backwards too; `false` for the wall clock.
    pub fn set(&self, to: Timestamp) -> bool {
        let Face::Virtual(millis) = &self.0 else { return false };
        millis.store(to.as_millis(), Ordering::Release);
        true
    }

    /// Moves a virtual clock on; `false` for the wall clock.
    pub fn advance(&self, by: Span) -> bool {
        let Face::Virtual(millis) = &self.0 else { return false };
        let later = |at: i64| Timestamp::from_millis(at).plus(by).as_millis();
        let _previous =
            millis.fetch_update(Ordering::AcqRel, Ordering::Acquire, |at| Some(later(at)));
        true
    }
}

/// Zero for a machine whose clock stands before the epoch.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_stands_until_any_clone_moves_it() {
        let clock = Clock::standing_at(Timestamp::from_millis(1_000));
        let other = clock.clone();
        assert!(other.advance(Span::from_seconds(300)));
        assert_eq!(clock.now(), Timestamp::from_millis(301_000));
        assert!(other.set(Timestamp::from_millis(5)));
        assert_eq!(clock.now(), Timestamp::from_millis(5));
        assert!(clock.advance(Span::FOREVER));
        assert_eq!(clock.now(), Timestamp::FOREVER, "saturates");
    }

    #[test]
    fn the_wall_clock_is_nobodys_to_move() {
        let clock = Clock::wall();
        assert!(!clock.is_virtual());
        assert!(!clock.set(Timestamp::from_millis(5)));
        assert!(!clock.advance(Span::from_seconds(5)));
        assert!(clock.now() > Timestamp::from_millis(1_700_000_000_000));
    }
}
