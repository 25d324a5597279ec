//! Firing: claims in order, each in its own record, then the session commits. A crash in between
//! over-counts by one and never offers twice. Two instances may attempt the same offer at once: each
//! claim remembers who holds it, so that who gives up takes nothing from the other.

use std::sync::Arc;

use crate::app::App;
use crate::domain::announcement::Cause;
use crate::domain::holders::Attempt;
use crate::domain::ledger::LATE;
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
    /// Tells this attempt to make the offer from others.
    pub(crate) attempt: Attempt,
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
    /// `over` when it is not on the screen any more.
    Before {
        over: bool,
    },
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
            Committed::Now => {
                let Firing { charge, session, seq, .. } = firing;
                let by = || Cause::Offer(Arc::clone(&charge.offer.trigger));
                self.announce_session(charge.product, session, seq + 1, by, charge.now);
                return Ok(Outcome::Fired);
            }
            // What was charged is the offer's, whoever made it: it stays. A conversation may be
            // another than the one it was made in.
            Committed::Before { over } => {
                if over && firing.charge.rule.pacing.group.is_some() {
                    self.leave_group(firing).await?;
                }
                self.release(firing, around, Claimed::Conversation).await?;
            }
            Committed::Never => self.release(firing, around, Claimed::Product).await?,
        }
        Ok(Outcome::Moved)
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

    /// Claims in a ledger, unless this instance was halted, or the store slow, for so long that
    /// others may have dropped from it what still counts at the time of this attempt.
    async fn claim<R: Record + Default, T>(
        &self,
        firing: &Firing<'_>,
        key: Key<'_>,
        claim: impl Fn(&mut R) -> Step<T>,
    ) -> Result<T, StoreError> {
        let now = firing.charge.now;
        let step = |slot: &mut Option<R>| {
            if self.store.is_shared() && self.clock.now().since(now) > LATE {
                return Step::Keep(Err(StoreError::Slow));
            }
            match claim(slot.get_or_insert_default()) {
                Step::Keep(told) => Step::Keep(Ok(told)),
                Step::Write(told) => Step::Write(Ok(told)),
            }
        };
        self.store.update(key, now, step).await?
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
            match claim_conversation(record, &session, (offer, firing.attempt), now) {
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
        let claim = |record: &mut User| match claim_user(record, &firing.charge, firing.attempt) {
            Ok(()) => Step::Write(None),
            Err(_) => Step::Keep(Some(record.clone())),
        };
        let refused = self.claim(firing, key, claim).await?;
        Ok(refused.map(|seen| around.user = Some(seen)).is_none())
    }

    async fn claim_account(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Some(key) = firing.account() else { return Ok(true) };
        let claim =
            |record: &mut Account| match claim_account(record, &firing.charge, firing.attempt) {
                Ok(()) => Step::Write(None),
                Err(_) => Step::Keep(Some(record.clone())),
            };
        let refused = self.claim(firing, key, claim).await?;
        Ok(refused.map(|seen| around.account = Some(seen)).is_none())
    }

    async fn claim_product(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Charge { product, now, .. } = firing.charge;
        let minute = product.settings.proactive.quotas.product_per_minute;
        let claim = |record: &mut ProductRecord| match claim_product(
            record,
            &firing.charge,
            firing.attempt,
        ) {
            Ok(true) => Step::Write(None),
            Ok(false) => Step::Keep(None),
            Err(_) => {
                let full = record.fired.full_until(minute, MINUTE, now);
                let open = record.circuit.open_until(now);
                Step::Keep(Some((full, open, record.tallies.clone())))
            }
        };
        let refused = self.claim(firing, firing.key(""), claim).await?;
        let seen = refused.map(|(full, open, tallies)| {
            around.product_full_until = full;
            around.circuit_until = open;
            around.tallies = Some(tallies);
        });
        Ok(seen.is_none())
    }

    async fn commit(&self, firing: &Firing<'_>, around: &Around) -> Result<Committed, StoreError> {
        let own = around.scope == Scope::Own;
        let Firing { charge, session, seq, .. } = firing;
        let step = |slot: &mut Option<Session>| match slot {
            Some(session) if session.seq == *seq => {
                commit(session, charge, own);
                Step::Write(Committed::Now)
            }
            Some(session) if session.fired.holds(&charge.offer.id) => {
                let shown = session.offer.as_ref().is_some_and(|o| o.id == charge.offer.id);
                Step::Keep(Committed::Before { over: !shown })
            }
            _ => Step::Keep(Committed::Never),
        };
        self.store.update(firing.key(session), charge.now, step).await
    }

    /// An offer that was made and is over meanwhile is not live for the person's other sessions
    /// either, though this attempt has just said so.
    async fn leave_group(&self, firing: &Firing<'_>) -> Result<(), StoreError> {
        let Some(key) = firing.user() else { return Ok(()) };
        let Charge { offer, now, .. } = firing.charge;
        let leave = |record: &mut User| {
            let live = record.groups.holds(&offer.id);
            record.groups.leave(&offer.id);
            live
        };
        self.give_back(key, now, leave).await
    }

    /// Lets go of the claims up to this one.
    async fn release(
        &self,
        firing: &Firing<'_>,
        around: &Around,
        claimed: Claimed,
    ) -> Result<(), StoreError> {
        let (Charge { offer, now, .. }, attempt) = (firing.charge, firing.attempt);
        if let Scope::Foreign { conversation, .. } = &around.scope {
            let key = Key { product: &firing.charge.product.id, id: conversation };
            let back =
                |record: &mut Conversation| release_conversation(record, (offer, attempt), now);
            self.give_back(key, now, back).await?;
        }
        if let Some(key) = firing.user().filter(|_| claimed >= Claimed::User) {
            let back = |record: &mut User| release_user(record, offer, attempt);
            self.give_back(key, now, back).await?;
        }
        if let Some(key) = firing.account().filter(|_| claimed >= Claimed::Account) {
            let back = |record: &mut Account| release_account(record, offer, attempt);
            self.give_back(key, now, back).await?;
        }
        if claimed == Claimed::Product {
            let back = |record: &mut ProductRecord| release_product(record, offer, attempt);
            self.give_back(firing.key(""), now, back).await?;
        }
        Ok(())
    }

    async fn give_back<R: Record>(
        &self,
        key: Key<'_>,
        now: Timestamp,
        back: impl Fn(&mut R) -> bool,
    ) -> Result<(), StoreError> {
        let step = |slot: &mut Option<R>| match slot.as_mut().is_some_and(&back) {
            true => Step::Write(()),
            false => Step::Keep(()),
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
mod tests;
