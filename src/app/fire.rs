//! Firing: claims in order, each in its own record, then the session commits. A crash in between
//! over-counts by one and never offers twice.

use std::sync::Arc;

use crate::app::App;
use crate::domain::records::{Account, Conversation, Product as ProductRecord, User};
use crate::domain::session::Session;
use crate::domain::tally::{Per, Tallies};
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Scope};
use crate::engine::charge::Charge;
use crate::engine::claims::{
    claim_account, claim_conversation, claim_product, claim_user, release_account,
    release_conversation, release_product, release_user,
};
use crate::engine::fire::commit;
use crate::engine::gates::MINUTE;
use crate::engine::tape::Claim;
use crate::store::record::Record;
use crate::store::{Key, Step, StoreError};

/// An offer about to be made, decided on the session as of `seq`.
pub(crate) struct Firing<'a> {
    pub(crate) charge: Charge<'a>,
    pub(crate) session: &'a str,
    pub(crate) seq: u64,
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

/// How far a firing came; each claim comes after those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claimed {
    Conversation,
    User,
    Account,
    Product,
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
        if self.has_opted_out(firing, around).await? {
            return Ok(Outcome::Refused);
        }
        if !self.target_is_healthy(firing, around).await? {
            return Ok(Outcome::Refused);
        }
        if self.is_known_full(firing, around).await? {
            return Ok(Outcome::Refused);
        }
        if !self.claim_conversation(firing, around).await? {
            return Ok(Outcome::Refused);
        }
        if !self.claim_user(firing, around).await? {
            self.release(firing, around, Claimed::Conversation).await?;
            return Ok(Outcome::Refused);
        }
        if !self.claim_account(firing, around).await? {
            self.release(firing, around, Claimed::User).await?;
            return Ok(Outcome::Refused);
        }
        if !self.claim_product(firing, around).await? {
            self.release(firing, around, Claimed::Account).await?;
            return Ok(Outcome::Refused);
        }
        match self.commit(firing, around).await? {
            Committed::Now => Ok(Outcome::Fired),
            // The claims are the offer's, whoever made it: they stay.
            Committed::Before => Ok(Outcome::Moved),
            Committed::Never => {
                self.release(firing, around, Claimed::Product).await?;
                Ok(Outcome::Moved)
            }
        }
    }

    /// Whether a cap of the account or the product is reached. A look is cheaper than a claim whose
    /// predecessors must be taken back, at every poll until such a cap lifts.
    async fn is_known_full(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Firing { charge, .. } = firing;
        if let Some(key) = firing.account() {
            let full = |record: Option<&Account>| {
                let full = |record: &&Account| charge.is_refused(Per::Account, &record.tallies);
                record.filter(full).cloned()
            };
            let full = self.store.read(key, charge.now, full).await?;
            if full.is_some() {
                around.account = full;
                return Ok(true);
            }
        }
        if charge.caps(Per::Product).next().is_none() {
            return Ok(false);
        }
        let full = |record: Option<&ProductRecord>| {
            let full = |tallies: &&Tallies| charge.is_refused(Per::Product, tallies);
            record.map(|record| &record.tallies).filter(full).cloned()
        };
        let full = self.store.read(firing.key(""), charge.now, full).await?;
        let known = full.is_some();
        around.tallies = full.or_else(|| around.tallies.take());
        Ok(known)
    }

    async fn claim_conversation(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Scope::Foreign { conversation, machine } = &mut around.scope else { return Ok(true) };
        let session: Arc<str> = firing.session.into();
        let Charge { product, offer, now, .. } = firing.charge;
        let key = Key { product: &product.id, id: conversation };
        let step = |slot: &mut Option<Conversation>| {
            let record = slot.get_or_insert_default();
            match claim_conversation(record, &session, offer, now) {
                Ok(()) => Step::Write(None),
                Err(_) => Step::Keep(Some(record.machine.clone())),
            }
        };
        let refused = self.store.update(key, now, step).await?;
        Ok(refused.map(|seen| *machine = seen).is_none())
    }

    async fn claim_user(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Some(key) = firing.user() else { return Ok(true) };
        let step = |slot: &mut Option<User>| {
            let record = slot.get_or_insert_default();
            match claim_user(record, &firing.charge) {
                Ok(()) => Step::Write(None),
                Err(_) => Step::Keep(Some(record.clone())),
            }
        };
        let refused = self.store.update(key, firing.charge.now, step).await?;
        Ok(refused.map(|seen| around.user = Some(seen)).is_none())
    }

    async fn claim_account(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Some(key) = firing.account() else { return Ok(true) };
        let step = |slot: &mut Option<Account>| {
            let record = slot.get_or_insert_default();
            match claim_account(record, &firing.charge) {
                Ok(()) => Step::Write(None),
                Err(_) => Step::Keep(Some(record.clone())),
            }
        };
        let refused = self.store.update(key, firing.charge.now, step).await?;
        Ok(refused.map(|seen| around.account = Some(seen)).is_none())
    }

    async fn claim_product(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Charge { product, now, .. } = firing.charge;
        let minute = product.settings.proactive.quotas.product_per_minute;
        let step = |slot: &mut Option<ProductRecord>| {
            let record = slot.get_or_insert_default();
            match claim_product(record, &firing.charge) {
                Ok(()) => Step::Write(None),
                Err(_) => {
                    let full = record.fired.full_until(minute, MINUTE, now);
                    Step::Keep(Some((full, record.circuit.open_until(now), record.tallies.clone())))
                }
            }
        };
        let refused = self.store.update(firing.key(""), now, step).await?;
        let seen = refused.map(|(full, open, tallies)| {
            around.product_full_until = full;
            around.circuit_until = open;
            around.tallies = Some(tallies);
        });
        Ok(seen.is_none())
    }

    async fn commit(&self, firing: &Firing<'_>, around: &Around) -> Result<Committed, StoreError> {
        let own = around.scope == Scope::Own;
        let Firing { charge, session, seq } = firing;
        let step = |slot: &mut Option<Session>| match slot {
            Some(session) if session.seq == *seq => {
                commit(session, charge, own);
                Step::Write(Committed::Now)
            }
            Some(session) if session.fired.holds(&charge.offer.id) => Step::Keep(Committed::Before),
            _ => Step::Keep(Committed::Never),
        };
        self.store.update(firing.key(session), charge.now, step).await
    }

    /// Takes back the claims up to this one.
    async fn release(
        &self,
        firing: &Firing<'_>,
        around: &Around,
        claimed: Claimed,
    ) -> Result<(), StoreError> {
        let Charge { offer, now, .. } = firing.charge;
        if let Scope::Foreign { conversation, .. } = &around.scope {
            let key = Key { product: &firing.charge.product.id, id: conversation };
            let back = |record: &mut Conversation| release_conversation(record, offer, now);
            self.give_back(key, now, back).await?;
        }
        if let Some(key) = firing.user().filter(|_| claimed >= Claimed::User) {
            self.give_back(key, now, |record: &mut User| release_user(record, offer)).await?;
        }
        if let Some(key) = firing.account().filter(|_| claimed >= Claimed::Account) {
            self.give_back(key, now, |record: &mut Account| release_account(record, offer)).await?;
        }
        if claimed == Claimed::Product {
            let back = |record: &mut ProductRecord| release_product(record, offer);
            self.give_back(firing.key(""), now, back).await?;
        }
        Ok(())
    }

    async fn give_back<R: Record>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        back: impl Fn(&mut R),
    ) -> Result<(), StoreError> {
        let step = |slot: &mut Option<R>| {
            slot.iter_mut().for_each(&back);
            Step::Write(())
        };
        self.store.update(key, now, step).await
    }
}

impl<'a> Firing<'a> {
    /// What it charges beyond the session, in order.
    pub(crate) fn claims(&self, around: &Around) -> Vec<Claim> {
        let foreign = matches!(around.scope, Scope::Foreign { .. });
        let claims = [
            (foreign, Claim::Conversation),
            (self.user().is_some(), Claim::User),
            (self.account().is_some(), Claim::Account),
            (true, Claim::Product),
        ];
        claims.into_iter().filter(|(charged, _)| *charged).map(|(_, claim)| claim).collect()
    }

    fn key(&self, id: &'a str) -> Key<'a> {
        Key { product: &self.charge.product.id, id }
    }

    fn user(&self) -> Option<Key<'a>> {
        self.charge.who.user_key().map(|user| self.key(user))
    }

    /// The account, where a cap counts there.
    fn account(&self) -> Option<Key<'a>> {
        self.charge.caps(Per::Account).next()?;
        self.charge.who.account.as_ref().map(|account| self.key(account))
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
        let who = &looked.identity;
        let charge = Charge { product: &product, rule, who, offer: &offer, now: NOW };
        let firing = Firing { charge, session: "s", seq: looked.seq };
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
