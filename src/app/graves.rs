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
use crate::store::{Key, Step, StoreError};

impl App {
    /// What is kept of a person for good. A store without any grave has no salt either.
    pub(crate) async fn grave(
        &self,
        product: &Product,
        person: &str,
        now: Timestamp,
    ) -> Result<Option<Grave>, StoreError> {
        let salt = |board: Option<&Bulletin>| board.and_then(|board| board.salt.clone());
        let Some(salt) = self.store.read(SALT, now, salt).await? else { return Ok(None) };
        let id = grave(&salt, &product.id, person);
        let key = Key { product: &product.id, id: &id };
        self.store.read(key, now, |board: Option<&Bulletin>| board.and_then(|b| b.grave)).await
    }

    /// Changes what is kept of a person for good.
    pub(crate) async fn bury(
        &self,
        product: &Product,
        person: &str,
        change: impl Fn(&mut Grave),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let fresh: Arc<str> = salt().into();
        let step = |slot: &mut Option<Bulletin>| match slot.get_or_insert_default() {
            Bulletin { salt: Some(known), .. } => Step::Keep(Arc::clone(known)),
            board => Step::Write(Arc::clone(board.salt.insert(Arc::clone(&fresh)))),
        };
        let salt = self.store.update(SALT, now, step).await?;
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
