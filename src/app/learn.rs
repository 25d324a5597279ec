//! Learning about a person or their account: from a trusted batch, from a session that turns out to be theirs, or
//! told outright.

use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::action::Delivery;
use crate::domain::records::{Account, User};
use crate::domain::session::Session;
use crate::domain::tally::Tallies;
use crate::domain::time::Timestamp;
use crate::domain::traits::{Traits, learn};
use crate::engine::memory::{wipe, wiped};
use crate::engine::person::{History, adopt, join, learn_account, remember};
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

impl App {
    /// Takes what is said of a person and answers with what is known then.
    pub async fn learn(
        &self,
        product: &Product,
        person: &str,
        said: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Traits, StoreError> {
        let step = |slot: &mut Option<User>| {
            let mut user = slot.take().unwrap_or_default();
            let news = learn(&mut user.traits, said);
            user.seq += u64::from(news);
            let known = user.traits.clone();
            *slot = (user.seq > 0).then_some(user);
            if news { Step::Write(known) } else { Step::Keep(known) }
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }

    /// Takes what is said of an account and answers with what is known then.
    pub async fn learn_account(
        &self,
        product: &Product,
        account: &str,
        said: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Traits, StoreError> {
        let step = |slot: &mut Option<Account>| {
            let mut known = slot.take().unwrap_or_default();
            let news = learn_account(&mut known, said);
            let traits = known.traits.clone();
            *slot = (known.seq > 0).then_some(known);
            if news { Step::Write(traits) } else { Step::Keep(traits) }
        };
        self.store.update(Key { product: &product.id, id: account }, now, step).await
    }

    /// Takes what a person did into what is remembered of them.
    pub(crate) async fn remember(
        &self,
        product: &Product,
        person: &str,
        history: &History,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = |slot: &mut Option<User>| {
            let mut user = slot.take().unwrap_or_default();
            let news = remember(&mut user, history, product.asks.kept, now);
            *slot = (user.seq > 0).then_some(user);
            if news { Step::Write(()) } else { Step::Keep(()) }
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }

    /// A session has just turned out to be somebody's: what it counted and remembers is theirs, and
    /// their account's.
    pub(crate) async fn adopt(
        &self,
        product: &Product,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (identity, caps) = (&session.identity, &product.caps);
        let mut told = Tallies::default();
        if let Some(person) = identity.user_key() {
            let step = |slot: &mut Option<User>| {
                let user = slot.get_or_insert_default();
                adopt(user, session, caps, now);
                Step::Write(user.tallies.clone())
            };
            told = self.store.update(Key { product: &product.id, id: person }, now, step).await?;
            if let Some(word) = session.consent {
                self.bury_word(product, person, word, now).await?;
            }
        }
        let told = [&session.tallies, &told];
        let any = told.iter().any(|tallies| !tallies.is_empty());
        let Some(account) = identity.account.as_ref().filter(|_| any) else { return Ok(()) };
        let step = |slot: &mut Option<Account>| {
            let account = slot.get_or_insert_default();
            told.iter().for_each(|tallies| join(account, tallies, caps, now));
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: account }, now, step).await
    }

    /// Makes void what a delivery says is over for this person.
    pub(crate) async fn wipe(
        &self,
        product: &Product,
        person: &str,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if wiped(product, delivery).next().is_none() {
            return Ok(());
        }
        let step = |slot: &mut Option<User>| {
            let Some(user) = slot else { return Step::Keep(()) };
            if !wipe(&mut user.triggers, wiped(product, delivery), now) {
                return Step::Keep(());
            }
            user.seq += 1;
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }
}
