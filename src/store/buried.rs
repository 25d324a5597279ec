//! Records of people who were erased after these were written: in backups made before, and in stores
//! that were copied before. They are not put back, and go where they were.

use std::collections::HashSet;

use crate::domain::bulletin::Erasure;
use crate::domain::records::{Context, Conversation, EmailIndex, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::erasure::Erasures;
use crate::store::raw::{Place, Raw};
use crate::store::record::Record;
use crate::store::{Step, Store, StoreError};

/// Tells records of erased people from others, in the order of a walk: sessions first.
#[derive(Debug, Default)]
pub(crate) struct Buried {
    erasures: Erasures,
    /// Sessions that are theirs by a name alone: what leads to these goes with them.
    named: HashSet<(Box<str>, Box<str>)>,
}

impl Buried {
    pub(crate) fn new(erasures: impl IntoIterator<Item = Erasure>) -> Self {
        Self { erasures: erasures.into_iter().collect(), named: HashSet::new() }
    }

    /// One more.
    pub(crate) fn add(&mut self, erasure: &Erasure) {
        self.erasures.add(erasure);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.erasures.is_empty()
    }

    /// Whether a record is of somebody who was erased after it was written.
    pub(crate) fn holds(&mut self, raw: &Raw) -> bool {
        if self.erasures.is_empty() {
            return false;
        }
        let Some(written) = raw.written() else { return false };
        let product = &*raw.product;
        let is_gone = |erased: Option<Timestamp>| erased.is_some_and(|erased| written <= erased);
        let name = |name: &str| is_gone(self.erasures.name(product, name));
        let session = |id: &str| {
            is_gone(self.erasures.session(product, id))
                || self.named.contains(&(product.into(), id.into()))
        };
        match raw.kind {
            Session::KIND => {
                let Some(state) = raw.read::<Session>() else { return false };
                let theirs = state.identity.user_key().is_some_and(|key| name(key));
                let known = session(&raw.id);
                if theirs && !known {
                    self.named.insert((raw.product.clone(), raw.id.clone()));
                }
                theirs || known
            }
            Context::KIND => session(&raw.id),
            User::KIND => name(&raw.id),
            EmailIndex::KIND => {
                let leads = raw.read::<EmailIndex>().and_then(|index| index.session);
                name(&raw.id) || leads.is_some_and(|leads| session(&leads))
            }
            Conversation::KIND => {
                let leads = raw.read::<Conversation>().and_then(|thread| thread.session);
                leads.is_some_and(|leads| session(&leads))
            }
            _ => false,
        }
    }
}

/// Removes what a store has of these people from before they were erased; how many records.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn remove(store: &Store, erasures: Vec<Erasure>) -> Result<u64, StoreError> {
    let (mut buried, mut removed) = (Buried::new(erasures), 0);
    if buried.is_empty() {
        return Ok(0);
    }
    let mut place = Some(Place::default());
    while let Some(from) = place {
        let page = store.page(&from).await?;
        for raw in &page.records {
            if buried.holds(raw) {
                removed += u64::from(take(store, raw).await?);
            }
        }
        place = page.next;
    }
    Ok(removed)
}

/// Removes a record, if it is still the one that was read.
async fn take(store: &Store, raw: &Raw) -> Result<bool, StoreError> {
    match raw.kind {
        Session::KIND => removed::<Session>(store, raw).await,
        Context::KIND => removed::<Context>(store, raw).await,
        User::KIND => removed::<User>(store, raw).await,
        EmailIndex::KIND => removed::<EmailIndex>(store, raw).await,
        Conversation::KIND => removed::<Conversation>(store, raw).await,
        _ => Ok(false),
    }
}

async fn removed<R: Record>(store: &Store, raw: &Raw) -> Result<bool, StoreError> {
    let (Some(read), Some(at)) = (raw.read::<R>(), raw.written()) else { return Ok(false) };
    let read = serde_json::to_value(read).ok();
    let step = |slot: &mut Option<R>| {
        // As of when it was written nothing of it is too old.
        let is_it = slot.is_some() && serde_json::to_value(&*slot).ok() == read;
        if is_it {
            *slot = None;
            return Step::Write(true);
        }
        Step::Keep(false)
    };
    store.update(raw.key(), at, step).await
}
