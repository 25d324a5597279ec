//! Who was erased, kept as a row of boards that only ever grows: `erasure:1`, `erasure:2`, …, none of
//! which changes. Whoever has read so many asks for the next one. Graves and salts of another store
//! are taken in beside a store's own, since a hash cannot be made again with another salt.

use std::sync::Arc;

use crate::domain::bulletin::{Bulletin, Erasure, Grave};
use crate::domain::time::Timestamp;
use crate::store::bulletin::SALT;
use crate::store::raw::{Put, Raw};
use crate::store::record::Record;
use crate::store::{Key, Step, Store, StoreError};

/// What boards of erasures are called, before their number.
const PREFIX: &str = "erasure:";
/// What graves are called, before their hash.
const GRAVE: &str = "grave:";

/// The erasure of a number, from one; `None` when there are not so many.
///
/// # Errors
/// When the store does not answer.
pub async fn nth(
    store: &Store,
    number: u64,
    now: Timestamp,
) -> Result<Option<Erasure>, StoreError> {
    let id = format!("{PREFIX}{number}");
    let look = |board: Option<&Bulletin>| board.and_then(|board| board.erasure.clone());
    store.read(Key { product: "", id: &id }, now, look).await
}

/// Every erasure, oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn all(store: &Store) -> Result<Vec<Erasure>, StoreError> {
    let mut known = Vec::new();
    while let Some(next) = nth(store, known.len() as u64 + 1, Timestamp::default()).await? {
        known.push(next);
    }
    Ok(known)
}

/// Keeps one more, at the first free place after `after`; its number. One that is there already
/// keeps its own. A store that was set back may have lost the end of the row: then the first free
/// place is taken, since nobody looks behind a gap.
///
/// # Errors
/// When the store does not take it.
pub async fn append(store: &Store, erasure: &Erasure, after: u64) -> Result<u64, StoreError> {
    let is_whole = after == 0 || nth(store, after, erasure.at).await?.is_some();
    let mut number = if is_whole { after } else { 0 };
    loop {
        number += 1;
        let id = format!("{PREFIX}{number}");
        let step = |slot: &mut Option<Bulletin>| {
            let place = &mut slot.get_or_insert_default().erasure;
            match place {
                Some(taken) => Step::Keep(*taken == *erasure),
                None => {
                    *place = Some(erasure.clone());
                    Step::Write(true)
                }
            }
        };
        if store.update(Key { product: "", id: &id }, erasure.at, step).await? {
            return Ok(number);
        }
    }
}

/// Every salt that graves of this store may lie under, its own first.
///
/// # Errors
/// When the store does not answer.
pub async fn salts(store: &Store, now: Timestamp) -> Result<Vec<Arc<str>>, StoreError> {
    let look = |board: Option<&Bulletin>| {
        board.map(|board| board.salt.iter().chain(&board.salts).cloned().collect())
    };
    Ok(store.read(SALT, now, look).await?.unwrap_or_default())
}

/// What of another store's boards is taken in beside one's own rather than in its place.
#[derive(Debug)]
pub(crate) enum Joined {
    Salt(Vec<Arc<str>>),
    Grave(Grave),
    Erasure(u64, Erasure),
}

impl Joined {
    /// A record as one of these; `None` for what is put as it is.
    pub(crate) fn of(raw: &Raw) -> Option<Self> {
        if raw.kind != Bulletin::KIND {
            return None;
        }
        if raw.key() == SALT {
            let Bulletin { salt, salts, .. } = raw.read()?;
            return Some(Self::Salt(salt.into_iter().chain(salts).collect()));
        }
        if let Some(number) = raw.id.strip_prefix(PREFIX).filter(|_| raw.product.is_empty()) {
            let number = number.parse().ok()?;
            return Some(Self::Erasure(number, raw.read::<Bulletin>()?.erasure?));
        }
        let grave = raw.id.starts_with(GRAVE).then(|| raw.read::<Bulletin>())??.grave?;
        Some(Self::Grave(grave))
    }
}

/// Takes in another store's salts or a grave; a row of erasures is appended to as a whole.
pub(crate) async fn join(store: &Store, raw: &Raw, joined: Joined) -> Result<Put, StoreError> {
    let at = raw.written().unwrap_or_default();
    let news = match joined {
        Joined::Salt(salts) => store.update(SALT, at, with_salts(&salts)).await?,
        Joined::Grave(grave) => store.update(raw.key(), at, with_grave(grave)).await?,
        Joined::Erasure(..) => false,
    };
    Ok(if news { Put { written: 1, ..Put::default() } } else { Put { kept: 1, ..Put::default() } })
}

fn with_salts(salts: &[Arc<str>]) -> impl Fn(&mut Option<Bulletin>) -> Step<bool> {
    move |slot| {
        let board = slot.get_or_insert_default();
        let mut news = false;
        for salt in salts {
            if board.salt.as_ref() == Some(salt) || board.salts.contains(salt) {
                continue;
            }
            news = true;
            match &board.salt {
                None => board.salt = Some(Arc::clone(salt)),
                Some(_) => board.salts.push(Arc::clone(salt)),
            }
        }
        if news { Step::Write(true) } else { Step::Keep(false) }
    }
}

fn with_grave(theirs: Grave) -> impl Fn(&mut Option<Bulletin>) -> Step<bool> {
    move |slot| {
        let ours = slot.get_or_insert_default().grave.get_or_insert_default();
        let before = *ours;
        ours.consent = ours.consent.max(theirs.consent);
        ours.erased = ours.erased.max(theirs.erased);
        if *ours == before { Step::Keep(false) } else { Step::Write(true) }
    }
}
