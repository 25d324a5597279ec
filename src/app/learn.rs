//! Learning about a person or their account, where somebody says it outright.

use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::records::{Account, User};
use crate::domain::text::address;
use crate::domain::time::Timestamp;
use crate::domain::traits::{Traits, learn};
use crate::engine::person::learn_account;
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

impl App {
    /// Takes what is said of a person and answers with what is known then. A name that is an address
    /// in another case than it is kept may be either an id or that address: both learn it.
    pub async fn learn(
        &self,
        product: &Product,
        person: &str,
        said: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Traits, StoreError> {
        let known = self.learn_as(product, person, said, now).await?;
        let email = address(person);
        if !person.contains('@') || *email == *person {
            return Ok(known);
        }
        let mut all = self.learn_as(product, &email, said, now).await?;
        all.extend(known);
        Ok(all)
    }

    async fn learn_as(
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
}
