//! A delivery: one message of a source becomes part of its session.

use std::sync::Arc;

use crate::app::tape::{Before, batch};
use crate::app::{App, Denied};
use crate::domain::action::{Batch, Delivery, Trust};
use crate::domain::records::{Context, EmailIndex};
use crate::domain::session::Session;
use crate::domain::tally::Per;
use crate::domain::time::Timestamp;
use crate::engine::advance::{Advanced, Received, take, tell};
use crate::engine::identity::identity;
use crate::engine::person::{History, history};
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// What a session took.
struct Taken {
    advanced: Advanced,
    /// Whose session it is, when somebody vouched for it.
    person: Option<Arc<str>>,
    /// The session, when it has just turned out to be theirs, or their account's, and has something
    /// to tell.
    stranger: Option<Session>,
    /// What they did that rules count across sessions.
    history: History,
    /// Whose person it is.
    account: Option<Arc<str>>,
    /// As the session was found, for the journal, and the sequence number it was left with.
    found: Option<Box<Before>>,
    left: u64,
}

/// The person and the account of a session.
fn owner(session: &Session) -> (Option<Arc<str>>, Option<Arc<str>>) {
    (session.identity.user_key().cloned(), session.identity.account.clone())
}

/// Whether a cap counts the offers of accounts.
fn counts_accounts(product: &Product) -> bool {
    product.caps.iter().any(|cap| cap.per == Per::Account)
}

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
        let Taken { advanced, person, stranger, history, account, .. } =
            self.advance(product, session, &received, now).await?;
        if let Some(stranger) = &stranger {
            self.adopt(product, stranger, now).await?;
        }
        if let (Some(person), false) = (&person, advanced.duplicate) {
            self.wipe(product, person, delivery, now).await?;
        }
        self.note_goals(product, person.as_ref(), &advanced.reached, now).await?;
        if let Some(person) = person.as_ref().filter(|_| !history.is_empty()) {
            self.remember(product, person, &history, now).await?;
        }
        if let (Delivery::Actions(batch), Trust::Trusted, false) =
            (delivery, trust, advanced.duplicate)
        {
            self.index_email(product, session, batch, now).await?;
            if let Some(account) = account.filter(|_| !batch.account_traits.is_empty()) {
                self.learn_account(product, &account, &batch.account_traits, now).await?;
            }
            if let Some(person) = person.filter(|_| !batch.traits.is_empty()) {
                self.learn(product, &person, &batch.traits, now).await?;
            }
        }
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
        let step = |session: &mut Option<Session>, context: &mut Option<Context>| {
            if session.as_ref().is_some_and(|session| !session.identity.admits(received.voucher)) {
                return Step::Keep(None);
            }
            let (state, context) =
                (session.get_or_insert_default(), context.get_or_insert_default());
            let (before, found) = (owner(state), reel.before(state));
            let advanced = take(product, state, received, now);
            tell(&product.settings, context, received, &advanced, now);
            let person = state.identity.user_key().cloned();
            // A person may have something to tell of an account where the session has not.
            let joins = before.1 != state.identity.account && counts_accounts(product);
            let tells = state.has_something_to_tell();
            let stranger = (before.0 != person && tells || joins).then(|| state.clone());
            let account = state.identity.account.clone();
            let duplicate = advanced.duplicate;
            let history = if duplicate || person.is_none() {
                History::new()
            } else {
                let newest = received.vouched_actions(advanced.accepted, before.0 != person);
                history(&product.asks.history, state, session_id, newest)
            };
            let (found, left) = (found.map(Box::new), state.seq);
            let taken = Some(Taken { advanced, person, stranger, history, account, found, left });
            if duplicate { Step::Keep(taken) } else { Step::Write(taken) }
        };
        let key = Key { product: &product.id, id: session_id };
        let mut taken =
            self.store.update_session(key, now, step).await?.ok_or(Denied::AnotherUser)?;
        let before = taken.found.take().map(|found| *found);
        let duplicate = taken.advanced.duplicate;
        reel.keep(before, now, taken.left, || batch(received, duplicate));
        Ok(taken)
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
