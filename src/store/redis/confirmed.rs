//! What replicas are known to have: with `wait_replicas`, nobody is told what could still be lost,
//! whoever wrote it. An instance knows of its own writes; what another has written is confirmed
//! before it is told for the first time.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::{Script, Value};

use crate::store::StoreError;
use crate::store::redis::stored::{Stored, Version};
use crate::store::redis::{Asked, Redis};

/// Rows that are known about at the same time, 8 bytes each. One that is not is confirmed again.
const ROWS: usize = 65_536;

/// Writes what is there already, so that replicas confirm it: if the row is still the one that was
/// read, or has only been added to. Another master may never have heard of it.
static TOUCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local row = redis.call('HMGET', KEYS[1], 'version', 'written') \
         if not row[1] or not string.find(row[1], ARGV[1], 1, true) then return false end \
         redis.call('HSET', KEYS[1], 'written', row[2]) return 1",
    )
});

impl Redis {
    /// What is on the master alone is not told, whoever wrote it; `false` when something else is
    /// there by now.
    pub(super) async fn is_promised(
        &self,
        asked: &Asked,
        stored: &Stored,
    ) -> Result<bool, StoreError> {
        let Some((group, confirmed)) = &self.group else { return Ok(true) };
        if let Some(reason) = group.trouble() {
            return Err(StoreError::Unwritten { reason });
        }
        if stored.version.is_absent() || confirmed.knows(&asked.name, &stored.version) {
            return Ok(true);
        }
        let kept = self.confirm(asked, &stored.version).await?;
        if kept {
            self.note(asked, &stored.version);
        }
        Ok(kept)
    }

    /// Has replicas confirm this version of a row; not if something else is there by now.
    pub(super) async fn confirm(
        &self,
        asked: &Asked,
        version: &Version,
    ) -> Result<bool, StoreError> {
        let Some((group, _)) = &self.group else { return Ok(true) };
        let mut call = TOUCH.key(&asked.name);
        call.arg(version.newest());
        match group.write(call).await {
            Ok(answer) => Ok(matches!(answer, Value::Int(_))),
            Err(failure) => Err(StoreError::Unwritten { reason: failure.reason }),
        }
    }

    /// Replicas have this version of a row.
    pub(super) fn note(&self, asked: &Asked, version: &Version) {
        if let Some((_, confirmed)) = &self.group {
            confirmed.note(&asked.name, version);
        }
    }
}

/// The last version of a row that replicas were seen to have, for many rows.
pub(super) struct Confirmed {
    rows: Box<[AtomicU64]>,
    random: RandomState,
}

impl Confirmed {
    /// Whether replicas have this version of a row, as far as is known.
    pub(super) fn knows(&self, name: &str, version: &Version) -> bool {
        let mark = self.mark(name, version);
        self.row(name).is_some_and(|row| row.load(Ordering::Relaxed) == mark)
    }

    /// Replicas have this version.
    pub(super) fn note(&self, name: &str, version: &Version) {
        if let Some(row) = self.row(name) {
            row.store(self.mark(name, version), Ordering::Relaxed);
        }
    }

    fn row(&self, name: &str) -> Option<&AtomicU64> {
        self.rows.get(usize::try_from(self.random.hash_one(name)).unwrap_or_default() % ROWS)
    }

    /// Never zero, which stands for no version.
    fn mark(&self, name: &str, version: &Version) -> u64 {
        self.random.hash_one((name, version.as_bytes())) | 1
    }
}

impl Default for Confirmed {
    fn default() -> Self {
        let rows = (0..ROWS).map(|_| AtomicU64::new(0)).collect();
        Self { rows, random: RandomState::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::stored::Tokens;

    #[test]
    fn the_version_that_was_confirmed_is_known_and_no_other() {
        let (confirmed, tokens) = (Confirmed::default(), Tokens::default());
        let first = Version::default().after(tokens.draw());
        let second = first.after(tokens.draw());
        assert!(!confirmed.knows("a", &first));
        confirmed.note("a", &first);
        assert!(confirmed.knows("a", &first) && !confirmed.knows("a", &second));
        assert!(!confirmed.knows("b", &first));
        confirmed.note("a", &second);
        assert!(confirmed.knows("a", &second) && !confirmed.knows("a", &first));
    }
}
