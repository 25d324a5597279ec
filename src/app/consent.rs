//! A person's word on being offered anything: kept with what is remembered of them, and looked up
//! where it can matter. Most polls offer nothing and need not ask.

use std::sync::Arc;

use crate::app::App;
use crate::app::fire::Firing;
use crate::domain::bulletin::Grave;
use crate::domain::consent::Consent;
use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::records::User;
use crate::domain::time::Timestamp;
use crate::engine::around::Around;
use crate::rulebook::Product;
use crate::store::{Key, StoreError};

impl App {
    /// Remembers a word for good: what is remembered of people grows too old one day.
    pub(crate) async fn bury_word(
        &self,
        product: &Product,
        person: &str,
        word: Consent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = |grave: &mut Grave| grave.consent = grave.consent.max(Some(word));
        self.bury(product, person, change, now).await
    }

    /// The person's newest word, from what is remembered of them and from their grave.
    pub(crate) async fn word_of(
        &self,
        product: &Product,
        person: &str,
        now: Timestamp,
    ) -> Result<Option<Consent>, StoreError> {
        let word = |user: Option<&User>| user.and_then(|user| user.consent);
        let known = self.store.read(Key { product: &product.id, id: person }, now, word).await?;
        // What is remembered of them may be out of an old backup.
        let buried = self.grave(product, person, now).await?.and_then(|grave| grave.consent);
        Ok(known.max(buried))
    }

    /// Whether the person said in another session that they want nothing; then `around` knows, too.
    pub(crate) async fn has_opted_out(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Some(person) = firing.charge.who.user_key() else { return Ok(false) };
        let word = self.word_of(firing.charge.product, person, firing.charge.now).await?;
        let denied = word.is_some_and(|word| word.denied);
        around.consent = word.filter(|_| denied).or(around.consent);
        Ok(denied)
    }

    /// Whether the person's word is another than this decision went by; then `around` knows it.
    pub(crate) async fn thinks_otherwise(
        &self,
        product: &Product,
        person: Option<&Arc<str>>,
        decision: &Decision,
        around: &mut Around,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(person) = person.filter(|_| around.consent.is_none()) else { return Ok(false) };
        let denied = decision.verdict == Verdict::Hold(Hold::ConsentDenied);
        around.consent = Box::pin(self.word_of(product, person, now)).await?;
        Ok(around.consent.is_some_and(|word| word.denied != denied))
    }
}
