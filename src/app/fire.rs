//! Firing: claims in order, each in its own record, then the session commits. A crash in between
//! over-counts by one and never offers twice.

use std::sync::Arc;

use crate::app::App;
use crate::domain::offer::Offer;
use crate::domain::records::{Conversation, Product as ProductRecord, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Scope};
use crate::engine::claims::{
    claim_conversation, claim_product, claim_user, release_conversation, release_product,
    release_user,
};
use crate::engine::fire::commit;
use crate::engine::gates::MINUTE;
use crate::rulebook::Product;
use crate::rulebook::rule::Rule;
use crate::store::{Key, Step, StoreError};

/// An offer about to be made, decided on the session as of `seq`.
pub(crate) struct Firing<'a> {
    pub(crate) product: &'a Product,
    pub(crate) place: usize,
    pub(crate) session: &'a str,
    pub(crate) seq: u64,
    pub(crate) offer: &'a Offer,
    pub(crate) now: Timestamp,
}

/// What trying to fire came to.
pub(crate) enum Outcome {
    /// Claimed and committed.
    Fired,
    /// A claim was refused; the surroundings now say so.
    Refused,
    /// The session moved underneath.
    Moved,
}

impl App {
    /// Claims, then commits. After `Refused`, `around` holds what the refusing record said.
    pub(crate) async fn fire(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<Outcome, StoreError> {
        let Some(rule) = firing.product.rules.get(firing.place) else { return Ok(Outcome::Moved) };
        if !self.claim_conversation(firing, around).await? {
            return Ok(Outcome::Refused);
        }
        let user = self.user_of(firing).await?;
        if !self.claim_user(firing, rule, user.as_deref(), around).await? {
            self.release(firing, around, None).await?;
            return Ok(Outcome::Refused);
        }
        if !self.claim_product(firing, around).await? {
            self.release(firing, around, user.as_deref()).await?;
            return Ok(Outcome::Refused);
        }
        if self.commit(firing, around).await? {
            return Ok(Outcome::Fired);
        }
        self.release(firing, around, user.as_deref()).await?;
        self.release_product(firing).await?;
        Ok(Outcome::Moved)
    }

    async fn user_of(&self, firing: &Firing<'_>) -> Result<Option<Arc<str>>, StoreError> {
        let user = |session: Option<&Session>| session?.identity.user_key().cloned();
        self.store.read(firing.key(firing.session), firing.now, user).await
    }

    async fn claim_conversation(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Scope::Foreign { conversation, machine } = &mut around.scope else { return Ok(true) };
        let session: Arc<str> = firing.session.into();
        let step = |slot: &mut Option<Conversation>| {
            let record = slot.get_or_insert_default();
            match claim_conversation(record, &session, firing.offer, firing.now) {
                Ok(()) => Step::Write(None),
                Err(_) => Step::Keep(Some(record.machine.clone())),
            }
        };
        let refused = self.store.update(firing.key(conversation), firing.now, step).await?;
        Ok(refused.map(|seen| *machine = seen).is_none())
    }

    async fn claim_user(
        &self,
        firing: &Firing<'_>,
        rule: &Rule,
        user: Option<&str>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Some(user) = user else { return Ok(true) };
        let quotas = firing.product.settings.proactive.quotas;
        let step = |slot: &mut Option<User>| {
            let record = slot.get_or_insert_default();
            match claim_user(record, rule, quotas, firing.offer, firing.now) {
                Ok(()) => Step::Write(None),
                Err(_) => Step::Keep(Some(record.clone())),
            }
        };
        let refused = self.store.update(firing.key(user), firing.now, step).await?;
        Ok(refused.map(|seen| around.user = Some(seen)).is_none())
    }

    async fn claim_product(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let (quotas, now) = (firing.product.settings.proactive.quotas, firing.now);
        let step = |slot: &mut Option<ProductRecord>| {
            let record = slot.get_or_insert_default();
            match claim_product(record, quotas, firing.offer, now) {
                Ok(()) => Step::Write(None),
                Err(_) => {
                    let full = record.fired.full_until(quotas.product_per_minute, MINUTE, now);
                    Step::Keep(Some((full, record.circuit.open_until(now))))
                }
            }
        };
        let refused = self.store.update(firing.key(""), now, step).await?;
        let seen = refused.map(|(full, open)| {
            around.product_full_until = full;
            around.circuit_until = open;
        });
        Ok(seen.is_none())
    }

    async fn commit(&self, firing: &Firing<'_>, around: &Around) -> Result<bool, StoreError> {
        let own = around.scope == Scope::Own;
        let step = |slot: &mut Option<Session>| match slot {
            Some(session) if session.seq == firing.seq => {
                commit(session, firing.offer, own, firing.now);
                Step::Write(true)
            }
            _ => Step::Keep(false),
        };
        self.store.update(firing.key(firing.session), firing.now, step).await
    }

    /// Takes back the claims before the product's.
    async fn release(
        &self,
        firing: &Firing<'_>,
        around: &Around,
        user: Option<&str>,
    ) -> Result<(), StoreError> {
        if let Scope::Foreign { conversation, .. } = &around.scope {
            let step = |slot: &mut Option<Conversation>| {
                slot.iter_mut().for_each(|r| release_conversation(r, firing.offer, firing.now));
                Step::Write(())
            };
            self.store.update(firing.key(conversation), firing.now, step).await?;
        }
        let Some(user) = user else { return Ok(()) };
        let step = |slot: &mut Option<User>| {
            slot.iter_mut().for_each(|record| release_user(record, firing.offer));
            Step::Write(())
        };
        self.store.update(firing.key(user), firing.now, step).await
    }

    async fn release_product(&self, firing: &Firing<'_>) -> Result<(), StoreError> {
        let step = |slot: &mut Option<ProductRecord>| {
            slot.iter_mut().for_each(|record| release_product(record, firing.offer));
            Step::Write(())
        };
        self.store.update(firing.key(""), firing.now, step).await
    }
}

impl<'a> Firing<'a> {
    fn key(&self, id: &'a str) -> Key<'a> {
        Key { product: &self.product.id, id }
    }
}
