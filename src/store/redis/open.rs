//! Writes whose answer was lost: the row itself tells later whether they were applied.

use crate::store::StoreError;
use crate::store::redis::stored::{Stored, Token, Version};

/// A write of which nobody knows yet whether it was applied.
pub(super) struct Open<T> {
    pub(super) token: Token,
    pub(super) from: Version,
    pub(super) emptied: bool,
    pub(super) answer: T,
}

/// The answer of a write that turns out to have been applied.
pub(super) fn settled<T>(
    open: &mut Vec<Open<T>>,
    stored: &Stored,
) -> Result<Option<T>, StoreError> {
    let applied = |open: &Open<T>| {
        stored.version.names(&open.token) || open.emptied && stored.version.is_absent()
    };
    if let Some(place) = open.iter().position(applied) {
        return Ok(Some(open.swap_remove(place).answer));
    }
    // So many others wrote since that nobody can tell any more.
    if open.iter().any(|open| !stored.version.tells_all_since(&open.from)) {
        return Err(StoreError::Slow);
    }
    Ok(None)
}
