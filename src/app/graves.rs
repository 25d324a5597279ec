//! Graves: what stays of a person when nothing else does, under a salted hash: that they want to be
//! offered nothing, and when they were erased. They never grow too old.

use std::sync::Arc;

use crate::app::App;
use crate::domain::bulletin::{Bulletin, Grave};
use crate::domain::time::Timestamp;
use crate::engine::grave::grave;
use crate::rulebook::Product;
use crate::runtime::salt::salt;
use crate::store::bulletin::SALT;
use crate::store::erasures::salts;
use crate::store::{Key, Step, StoreError};

impl App {
    /// What is kept of a person for good. A store without any grave has no salt either.
    pub(crate) async fn grave(
        &self,
        product: &Product,
        person: &str,
        now: Timestamp,
    ) -> Result<Option<Grave>, StoreError> {
        let mut found: Option<Grave> = None;
        for salt in salts(&self.store, now).await? {
            let id = grave(&salt, &product.id, person);
            let key = Key { product: &product.id, id: &id };
            let look = |board: Option<&Bulletin>| board.and_then(|board| board.grave);
            let Some(Grave { consent, erased }) = self.store.read(key, now, look).await? else {
                continue;
            };
            let known = found.get_or_insert_default();
            known.consent = known.consent.max(consent);
            known.erased = known.erased.max(erased);
        }
        Ok(found)
    }

    /// What makes the hashes of this store its own; made when it is first needed.
    pub(crate) async fn salt(&self, now: Timestamp) -> Result<Arc<str>, StoreError> {
        let fresh: Arc<str> = salt().into();
        let step = |slot: &mut Option<Bulletin>| match slot.get_or_insert_default() {
            Bulletin { salt: Some(known), .. } => Step::Keep(Arc::clone(known)),
            board => Step::Write(Arc::clone(board.salt.insert(Arc::clone(&fresh)))),
        };
        self.store.update(SALT, now, step).await
    }

    /// Changes what is kept of a person for good.
    pub(crate) async fn bury(
        &self,
        product: &Product,
        person: &str,
        change: impl Fn(&mut Grave),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let salt = self.salt(now).await?;
        let id = grave(&salt, &product.id, person);
        let step = |slot: &mut Option<Bulletin>| {
            let grave = slot.get_or_insert_default().grave.get_or_insert_default();
            let before = *grave;
            change(grave);
            if *grave == before { Step::Keep(()) } else { Step::Write(()) }
        };
        self.store.update(Key { product: &product.id, id: &id }, now, step).await
    }
}
