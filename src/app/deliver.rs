//! A delivery: one message of a source becomes part of its session.

use std::sync::Arc;

use crate::app::{App, Denied};
use crate::domain::action::{Batch, Delivery, Trust};
use crate::domain::records::{Context, EmailIndex};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::advance::{Advanced, Received, advance};
use crate::engine::identity::identity;
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

impl App {
    /// Takes a delivery into its session; one without a session is counted and goes nowhere.
    pub async fn deliver(
        &self,
        product: &Arc<Product>,
        delivery: &Delivery,
        trust: Trust,
        voucher: Option<&str>,
        now: Timestamp,
    ) -> Result<Advanced, Denied> {
        let Some(session) = delivery.session() else {
            return Ok(Advanced { duplicate: false, accepted: 0 });
        };
        let received = Received {
            delivery,
            identity: identity(&product.id, delivery),
            trust,
            voucher,
            most_actions: self.live.current().settings.limits.actions_per_batch,
        };
        let advanced = self.advance(product, session, &received, now).await?;
        if let (Delivery::Actions(batch), Trust::Trusted, false) =
            (delivery, trust, advanced.duplicate)
        {
            self.index_email(product, session, batch, now).await?;
        }
        Ok(advanced)
    }

    async fn advance(
        &self,
        product: &Product,
        session: &str,
        received: &Received<'_>,
        now: Timestamp,
    ) -> Result<Advanced, Denied> {
        let step = |session: &mut Option<Session>, context: &mut Option<Context>| {
            if session.as_ref().is_some_and(|session| !session.identity.admits(received.voucher)) {
                return Step::Keep(None);
            }
            let (state, context) =
                (session.get_or_insert_default(), context.get_or_insert_default());
            let advanced = advance(&product.settings, state, context, received, now);
            if advanced.duplicate {
                Step::Keep(Some(advanced))
            } else {
                Step::Write(Some(advanced))
            }
        };
        let key = Key { product: &product.id, id: session };
        self.store.update_session(key, now, step).await?.ok_or(Denied::AnotherUser)
    }

    /// The newest batch with an e-mail says whose session it is; arrival order breaks ties. A
    /// sender whose clock runs ahead is no newer than its receipt.
    async fn index_email(
        &self,
        product: &Product,
        session: &str,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(email) = batch.email.as_deref().filter(|_| product.settings.retrieval.by_email)
        else {
            return Ok(());
        };
        let said = Some(batch.forwarded_at).filter(|said| *said != 0.0);
        let as_of = said.map_or(now.as_seconds(), |said| said.min(now.as_seconds()));
        let step = |slot: &mut Option<EmailIndex>| {
            let index = slot.get_or_insert_default();
            if as_of < index.as_of {
                return Step::Keep(());
            }
            *index = EmailIndex { session: Some(session.into()), as_of };
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: email }, now, step).await
    }
}
