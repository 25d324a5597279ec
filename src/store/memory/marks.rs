//! What of a row the disk does not hold yet, and what of it only the disk holds: two bytes beside
//! an entry, so that a durable store takes no more memory for a session than one without.

/// Slots a row may have.
const SLOTS: u8 = 3;
/// The slots of a row, one bit each.
pub(crate) const EVERY_SLOT: u8 = (1 << SLOTS) - 1;
/// Somebody waits to hear that it is on disk.
const PROMISED: u8 = 1 << 7;

/// Slots that wait for a commit, and slots in the one that is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// These slots differ from what is on disk.
    pub(crate) fn queue(&mut self, slots: u8, promised: bool) {
        self.0 |= (slots & EVERY_SLOT) | if promised { PROMISED } else { 0 };
    }

    /// The slots to write now, those of a commit that failed among them.
    pub(crate) fn take_off(&mut self) -> u8 {
        let slots = (self.0 | (self.0 >> SLOTS)) & EVERY_SLOT;
        self.0 = (self.0 & PROMISED) | (slots << SLOTS);
        slots
    }

    /// The commit under way has succeeded.
    pub(crate) fn land(&mut self) {
        self.0 &= !(EVERY_SLOT << SLOTS);
        if self.0 & EVERY_SLOT == 0 {
            self.0 = 0;
        }
    }

    /// Whether the disk holds all of it.
    pub(crate) fn is_clean(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds something that must be on disk before anybody is told.
    pub(crate) fn is_promised(self) -> bool {
        self.0 & PROMISED != 0
    }
}

/// Whether the activity of a row is on disk alone. Counts how often it went there, so that what was
/// read from disk is not taken for newer than it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Away(u8);

const IS_AWAY: u8 = 1 << 7;

impl Away {
    pub(crate) fn is_away(self) -> bool {
        self.0 & IS_AWAY != 0
    }

    pub(crate) fn leave(&mut self) {
        self.0 = self.0.wrapping_add(1) | IS_AWAY;
    }

    pub(crate) fn come_back(&mut self) {
        self.0 &= !IS_AWAY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_during_a_commit_waits_for_the_next() {
        let mut marks = Marks::default();
        marks.queue(0b01, true);
        assert_eq!(marks.take_off(), 0b01);
        marks.queue(0b10, false);
        marks.land();
        assert!(!marks.is_clean() && marks.is_promised());
        assert_eq!(marks.take_off(), 0b10);
        marks.land();
        assert_eq!(marks, Marks::default());
    }

    #[test]
    fn what_a_failed_commit_did_not_write_is_written_by_the_next() {
        let mut marks = Marks::default();
        marks.queue(0b01, true);
        marks.take_off();
        marks.queue(0b10, false);
        assert_eq!(marks.take_off(), 0b11);
        marks.land();
        assert!(marks.is_clean() && !marks.is_promised());
    }

    #[test]
    fn a_second_absence_is_not_the_first() {
        let mut away = Away::default();
        away.leave();
        let first = away;
        away.come_back();
        assert!(!away.is_away());
        away.leave();
        assert!(away.is_away() && away != first);
    }
}
