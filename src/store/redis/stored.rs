//! What Redis keeps of a row, one hash: a field for each record in it, with the bytes that every
//! store writes, beside `written`, when the row was last written, and `version`, which names the
//! last writes.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use redis::Value;

use crate::domain::time::{Span, Timestamp};
use crate::store::codec::Unreadable;
use crate::store::memory::row::Row;

/// Bytes of a token.
const TOKEN: usize = 8;
/// Writes that a version names. One whose answer was lost is looked for among them.
const REMEMBERED: usize = 8;

/// Names one write; drawn at random.
pub(super) type Token = [u8; TOKEN];

/// Draws tokens that no other process draws.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    random: RandomState,
    drawn: AtomicU64,
}

impl Tokens {
    /// The next.
    pub(super) fn draw(&self) -> Token {
        self.random.hash_one(self.drawn.fetch_add(1, Ordering::Relaxed)).to_le_bytes()
    }
}

/// The last writes of a row, newest first; empty when there is no row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Version(Vec<u8>);

impl Version {
    /// This version after one more write.
    pub(super) fn after(&self, token: Token) -> Self {
        let older = self.0.iter().take((REMEMBERED - 1) * TOKEN);
        Self(token.iter().chain(older).copied().collect())
    }

    /// Whether this is among the writes it names.
    pub(super) fn names(&self, token: &[u8]) -> bool {
        self.0.chunks(TOKEN).any(|known| known == token)
    }

    /// Whether it names every write since `earlier`.
    pub(super) fn tells_all_since(&self, earlier: &Self) -> bool {
        self.0.len() < REMEMBERED * TOKEN
            || earlier.0.chunks(TOKEN).next().is_some_and(|newest| self.names(newest))
    }

    /// The token of the last write.
    pub(super) fn newest(&self) -> &[u8] {
        self.0.chunks(TOKEN).next().unwrap_or_default()
    }

    pub(super) fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// How much longer Redis keeps what has expired, since clocks differ.
const GRACE: Span = Span::from_seconds(86_400);
/// The longest that Redis is told to keep anything that ages.
const LONGEST: Span = Span::from_seconds(366 * 86_400);

/// How long things live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetimes {
    /// Activity, after the row's last write.
    pub(super) session: Span,
    /// All of it.
    pub(super) ledger: Span,
    /// Whether time alone takes anything from a row; else it stays until somebody changes it.
    ages: bool,
}

impl Lifetimes {
    /// Of rows that age.
    pub(super) fn new(session: Span, ledger: Span) -> Self {
        Self { session, ledger, ages: true }
    }

    /// The same, or without end for rows that do not age.
    pub(super) fn of(self, ages: bool) -> Self {
        Self { ages, ..self }
    }

    /// How long Redis has to keep a row that was written so long ago; `None` for ever.
    pub(super) fn kept(self, activity_alone: bool, age: Span) -> Option<Span> {
        let lives = if activity_alone { self.session } else { self.ledger };
        let left = lives.min(LONGEST).plus(GRACE).as_millis().saturating_sub(age.as_millis());
        self.ages.then(|| Span::from_millis(left.max(1)))
    }
}

/// What was read of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) version: Version,
    pub(super) written: Timestamp,
    /// The bytes of the slots that were asked for, by slot.
    slots: Vec<(usize, Option<Vec<u8>>)>,
}

/// A row as it is at a moment.
pub(super) struct Aged<W> {
    pub(super) row: W,
    /// Past `session_ttl` since its last write: a write concerns every record in it.
    pub(super) past: bool,
}

impl Stored {
    /// Reads the answer to `HMGET key version written SLOT…`; `None` when it is no such answer.
    pub(super) fn read(answer: Value, slots: &[usize]) -> Option<Self> {
        let Value::Array(values) = answer else { return None };
        let mut values = values.into_iter().map(|value| match value {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        });
        let (version, written) = (values.next()?, values.next()?);
        let slots = slots.iter().map(|slot| Some((*slot, values.next()?)));
        let slots = slots.collect::<Option<_>>()?;
        let Some(version) = version else { return Some(Self::default()) };
        let written = written.and_then(|text| String::from_utf8(text).ok()?.parse().ok())?;
        Some(Self { version: Version(version), written: Timestamp::from_millis(written), slots })
    }

    /// The row at `now`: without activity past `session_ttl`, empty past `ledger_ttl`.
    pub(super) fn row<W: Row>(
        &self,
        now: Timestamp,
        lives: Lifetimes,
    ) -> Result<Aged<W>, Unreadable> {
        let age = now.since(self.written);
        let mut row = W::default();
        if self.version.is_absent() || lives.ages && age >= lives.ledger {
            return Ok(Aged { row, past: !self.version.is_absent() });
        }
        for (slot, bytes) in &self.slots {
            if let Some(bytes) = bytes {
                row.unpack(*slot, bytes)?;
            }
        }
        let past = lives.ages && age >= lives.session;
        if past {
            row.strip(now);
        }
        Ok(Aged { row, past })
    }

    /// The records that were read, by slot, each with the time of the row's last write.
    pub(super) fn records(self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let written = self.written.as_millis().to_le_bytes();
        self.slots.into_iter().filter_map(move |(slot, bytes)| {
            let mut bytes = bytes?;
            bytes.get_mut(..written.len())?.copy_from_slice(&written);
            Some((slot, bytes))
        })
    }

    /// Whether this is what was read of a slot, whenever it was written.
    pub(super) fn holds(&self, slot: usize, bytes: &[u8]) -> bool {
        let held = self.slots.iter().find(|(held, _)| *held == slot);
        let held = held.and_then(|(_, held)| body(held.as_deref()?));
        held.is_some() && held == body(bytes)
    }

    /// Whether a row, as it is now, is not what was read.
    pub(super) fn differs<W: Row>(&self, row: &W) -> bool {
        self.slots.iter().any(|(slot, held)| {
            let now = row.pack(*slot, self.written).ok().flatten();
            now.as_deref().map(body) != held.as_deref().map(body)
        })
    }

    /// What is to change so that the row is kept as it is now.
    pub(super) fn change<W: Row>(
        &self,
        mut row: W,
        (now, written): (Timestamp, Timestamp),
        lives: Lifetimes,
        slots: &[usize],
    ) -> Result<Change, Unreadable> {
        let mut fields = Vec::with_capacity(slots.len());
        for (slot, kind) in
            W::kinds().into_iter().enumerate().filter(|(slot, _)| slots.contains(slot))
        {
            let held = self.slots.iter().find(|(held, _)| *held == slot);
            let held = held.and_then(|(_, bytes)| bytes.as_deref());
            let field = match row.pack(slot, written)? {
                Some(bytes) if body(&bytes) == held.and_then(body) => Field::Same,
                Some(bytes) => Field::Set(bytes),
                None if held.is_none() => Field::Same,
                None => Field::Gone,
            };
            fields.push((kind, field));
        }
        let empty = row.is_empty();
        row.strip(written.plus(lives.session));
        let activity_alone = row.is_empty();
        Ok(Change { written, age: now.since(written), fields, empty, activity_alone })
    }
}

/// A record without the time before it, which the row's own stands for.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    bytes.split_first_chunk::<8>().map(|(_, record)| record)
}

/// What a write changes.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) written: Timestamp,
    /// How long ago that is.
    pub(super) age: Span,
    pub(super) fields: Vec<(&'static str, Field)>,
    /// Nothing is left in the slots it concerns.
    pub(super) empty: bool,
    /// In the slots it concerns is nothing that outlives `session_ttl`.
    pub(super) activity_alone: bool,
}

/// One record of a row.
#[derive(Debug)]
pub(super) enum Field {
    Same,
    Set(Vec<u8>),
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_names_the_last_writes_and_knows_when_it_does_not() {
        let tokens = Tokens::default();
        let drawn: Vec<_> = (0..10).map(|_| tokens.draw()).collect();
        let versions: Vec<_> = drawn
            .iter()
            .scan(Version::default(), |version, token| {
                *version = version.after(*token);
                Some(version.clone())
            })
            .collect();
        let last = versions.last().unwrap();
        assert!(drawn.iter().skip(2).all(|token| last.names(token)));
        assert!(!last.names(&drawn[1]));
        assert!(last.tells_all_since(&versions[2]));
        assert!(!last.tells_all_since(&versions[1]));
        assert!(!last.tells_all_since(&Version::default()));
        assert!(versions[6].tells_all_since(&Version::default()));
        assert!(Version::default().tells_all_since(last), "the row is no more");
    }
}
