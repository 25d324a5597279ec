//! A delivery: one message of a source becomes part of its session.

use std::sync::Arc;

use crate::app::settle::{Debt, Tried};
use crate::app::tape::{Before, batch};
use crate::app::{App, Denied};
use crate::domain::action::{Delivery, Trust};
use crate::domain::announcement::Cause;
use crate::domain::records::Context;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::advance::{Advanced, Received, take, tell};
use crate::engine::aftermath::{Aftermath, owner};
use crate::engine::identity::identity;
use crate::rulebook::Product;
use crate::store::{Key, Step};

/// What a session took.
struct Taken {
    advanced: Advanced,
    owed: Aftermath,
    /// As the session was found, for the journal, and the sequence number it was left with.
    found: Option<Box<Before>>,
    left: u64,
}

impl App {
    /// Takes a delivery into its session; one without a session is counted and goes nowhere. It is in
    /// every record that it concerns when the answer comes.
    pub async fn deliver(
        &self,
        product: &Arc<Product>,
        delivery: &Delivery,
        trust: Trust,
        voucher: Option<&str>,
        now: Timestamp,
    ) -> Result<Advanced, Denied> {
        let Some(session) = delivery.session() else {
            return Ok(Advanced::default());
        };
        let cleaned = product.settings.redact.apply(delivery);
        let delivery: &Delivery = &cleaned;
        let received = Received {
            delivery,
            identity: identity(&product.id, delivery),
            trust,
            voucher,
            most_actions: self.live.current().settings.limits.actions_per_batch,
        };
        self.pay_debts(product, session, now).await?;
        let Taken { advanced, owed, left, .. } =
            self.advance(product, session, &received, now).await?;
        let debt = Debt::of(owed, left, received.identity);
        self.settle(product, session, debt, now).await?;
        Ok(advanced)
    }

    async fn advance(
        &self,
        product: &Product,
        session_id: &str,
        received: &Received<'_>,
        now: Timestamp,
    ) -> Result<Taken, Denied> {
        let reel = self.reel(product, session_id);
        let is_whole = self.books.is_whole(received.identity);
        let step = |session: &mut Option<Session>, context: &mut Option<Context>| {
            if session.as_ref().is_some_and(|session| !session.identity.admits(received.voucher)) {
                return Step::Keep(None);
            }
            let (state, context) =
                (session.get_or_insert_default(), context.get_or_insert_default());
            let (before, found) = (owner(state), reel.before(state));
            let advanced = take(product, state, received, now);
            tell(&product.settings, context, received, &advanced, now);
            let told = (session_id, &*state);
            let owed = match advanced.duplicate {
                false => Aftermath::of_delivery(product, &before, told, received, &advanced, now),
                true if is_whole => Aftermath::default(),
                true => Aftermath::again(product, told, received, now),
            };
            let duplicate = advanced.duplicate;
            let (found, left) = (found.map(Box::new), state.seq);
            let taken = Some(Taken { advanced, owed, found, left });
            if duplicate { Step::Keep(taken) } else { Step::Write(taken) }
        };
        let (key, tried) = (Key { product: &product.id, id: session_id }, Tried::default());
        let to = |session: &mut _, context: &mut _| tried.to(step(session, context));
        let stored = self.store.update_session(key, now, to).await;
        match tried.answer(stored) {
            Ok(None) => Err(Denied::AnotherUser),
            Ok(Some(mut taken)) => {
                let (before, duplicate) = (taken.found.take(), taken.advanced.duplicate);
                let before = before.map(|found| *found);
                if !duplicate {
                    let left = taken.left;
                    self.announce_session(product, session_id, left, || Cause::Batch, now);
                }
                reel.keep(before, now, taken.left, || batch(received, duplicate));
                Ok(taken)
            }
            Err((error, taken)) => {
                if let Some(Taken { owed, found, left, .. }) = taken.flatten() {
                    let line = found.map(|found| (*found, batch(received, false)));
                    let debt = Debt { open: Some(line), ..Debt::of(owed, left, received.identity) };
                    self.books.owe(&product.id, session_id, vec![debt]);
                }
                Err(error.into())
            }
        }
    }
}
