//! Learning about a person: from a trusted batch, from a session that turns out to be theirs, or
//! told outright.

use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::records::User;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::traits::{Traits, learn};
use crate::engine::person::adopt;
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

    /// A session has just turned out to be this person's.
    pub(crate) async fn adopt(
        &self,
        product: &Product,
        person: &str,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = |slot: &mut Option<User>| {
            adopt(slot.get_or_insert_default(), session, now);
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }
}
