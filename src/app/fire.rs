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

/// What committing came to. Two polls that looked at one session at once propose one and the same
/// offer, so that the later may find it made.
enum Committed {
    Now,
    Before,
    Never,
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
        match self.commit(firing, around).await? {
            Committed::Now => return Ok(Outcome::Fired),
            // The claims are the offer's, whoever made it: they stay.
            Committed::Before => return Ok(Outcome::Moved),
            Committed::Never => {}
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

    async fn commit(&self, firing: &Firing<'_>, around: &Around) -> Result<Committed, StoreError> {
        let own = around.scope == Scope::Own;
        let step = |slot: &mut Option<Session>| match slot {
            Some(session) if session.seq == firing.seq => {
                commit(session, firing.offer, own, firing.now);
                Step::Write(Committed::Now)
            }
            Some(session) if session.fired.holds(&firing.offer.id) => Step::Keep(Committed::Before),
            _ => Step::Keep(Committed::Never),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Question;
    use crate::domain::action::{Batch, Delivery, RawAction, Trust};
    use crate::domain::machine::AgentState;
    use crate::engine::fire::propose;
    use crate::library::live::Live;
    use crate::rulebook::Sources;
    use crate::runtime::clock::Clock;
    use crate::runtime::metrics::Metrics;
    use crate::store::Store;

    const RULES: &str = "version: 1\ntriggers:\n  - id: eager\n    again_after: 1d\n    \
         when: [{ count: { type: pageview, at_least: 1, within: 5m } }]\n    \
         offer: { body: Hello, accept: Yes please, dismiss: No thanks }\n";
    const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    fn app() -> App {
        let files =
            [("docent.yaml", "version: 1\nproducts: { acme: {} }\n"), ("rules/r.yaml", RULES)];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let live = Live::start(Sources { files: files.into() }, |_| None, NOW).unwrap();
        let store = Store::open("memory", &live.current().settings.limits).unwrap();
        let clock = Clock::standing_at(NOW);
        App::new(Arc::new(live), Arc::new(store), clock, Arc::new(Metrics::new()))
    }

    /// Two polls look at the session before either fires; the later must not take back what the
    /// earlier has claimed.
    #[tokio::test]
    async fn the_loser_of_two_simultaneous_polls_leaves_the_winners_claims_alone() {
        let app = app();
        let product = Arc::clone(&app.live.current().products["acme"]);
        let view = RawAction { kind: "pageview".into(), ..RawAction::default() };
        let batch = Batch {
            session_id: Some("s".into()),
            user_id: Some("u_1".into()),
            actions: vec![view],
            ..Batch::default()
        };
        let delivery = Delivery::Actions(batch);
        app.deliver(&product, &delivery, Trust::Trusted, None, NOW).await.unwrap();
        let key = |id| Key { product: "acme", id };
        let looked = app.store.read(key("s"), NOW, |session: Option<&Session>| session.cloned());
        let looked = looked.await.unwrap().unwrap();
        let question = Question { session: "s", conversation: "dify-7", voucher: None };
        let mut around = app.around(&product, question, NOW).await.unwrap();
        let (rule, thread) = (&product.rules[0], "dify-7".into());
        let offer = propose(&product, rule, (&looked, &around), "s", &thread, NOW).unwrap();
        let (product, offer, seq) = (&product, &offer, looked.seq);
        let firing = Firing { product, place: 0, session: "s", seq, offer, now: NOW };
        assert!(matches!(app.fire(&firing, &mut around).await, Ok(Outcome::Fired)));
        assert!(matches!(app.fire(&firing, &mut around).await, Ok(Outcome::Moved)));
        let user = |user: Option<&User>| user.is_some_and(|user| user.fired.holds(&offer.id));
        assert!(app.store.read(key("u_1"), NOW, user).await.unwrap(), "the person's day");
        let minute =
            |record: Option<&ProductRecord>| record.is_some_and(|r| r.fired.holds(&offer.id));
        assert!(app.store.read(key(""), NOW, minute).await.unwrap(), "the product's minute");
        let state = |record: Option<&Conversation>| record.map(|record| record.machine.state);
        let state = app.store.read(key("dify-7"), NOW, state).await.unwrap();
        assert_eq!(state, Some(AgentState::ProactiveAssistance), "the conversation's machine");
    }
}
