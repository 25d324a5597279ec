//! A firing in a world of plain values: the claims of [`crate::engine::claims`] in their order, then
//! the session commits. A refusal takes the earlier ones back and says why.

use std::sync::Arc;

use crate::domain::holders::Attempt;
use crate::domain::records::User;
use crate::domain::tally::Per;
use crate::engine::around::{Around, Scope};
use crate::engine::charge::Charge;
use crate::engine::claims::{
    Refused, claim_account, claim_conversation, claim_product, claim_user, release_account,
    release_conversation, release_user,
};
use crate::engine::fire::commit;
use crate::engine::gates::MINUTE;
use crate::engine::targets::{tries, unhealthy};
use crate::engine::world::{Resident, World};

impl World {
    /// Claims, then commits. After a refusal `around` holds what the refusing record said, and the
    /// decision is to be made again.
    pub fn fire(
        &mut self,
        charge: &Charge<'_>,
        resident: &mut Resident,
        around: &mut Around,
    ) -> Result<(), Refused> {
        self.look_at_target(charge, &resident.id, around)?;
        self.look_at_caps(charge, around)?;
        self.take_conversation(charge, resident, around)?;
        let taken = self.take_person(charge, around).and_then(|()| {
            let taken = self.take_account(charge, around);
            let taken = taken.and_then(|()| {
                let taken = self.take_product(charge, around);
                taken.inspect_err(|_| self.give_back_account(charge))
            });
            taken.inspect_err(|_| self.give_back_person(charge))
        });
        taken.inspect_err(|_| self.give_back_conversation(charge, around))?;
        commit(&mut resident.session, charge, around.scope == Scope::Own);
        Ok(())
    }

    fn look_at_target(
        &self,
        charge: &Charge<'_>,
        session: &Arc<str>,
        around: &mut Around,
    ) -> Result<(), Refused> {
        let Charge { product, offer, now, .. } = *charge;
        let Some(tour) = &offer.tour else { return Ok(()) };
        let found = unhealthy(&self.product, product, now);
        let broken = found.iter().any(|broken| broken.tour == *tour);
        if !broken || tries(product, session, tour) {
            return Ok(());
        }
        around.unhealthy = found;
        around.session = Some(Arc::clone(session));
        Err(Refused)
    }

    /// A look is taken before any claim, as the app does: what is full stays full.
    fn look_at_caps(&self, charge: &Charge<'_>, around: &mut Around) -> Result<(), Refused> {
        if let Some(account) = account(charge).and_then(|key| self.accounts.get(key))
            && charge.is_refused(Per::Account, &account.tallies)
        {
            around.account = Some(account.clone());
            return Err(Refused);
        }
        if charge.is_refused(Per::Product, &self.product.tallies) {
            around.tallies = Some(self.product.tallies.clone());
            return Err(Refused);
        }
        Ok(())
    }

    fn take_conversation(
        &mut self,
        charge: &Charge<'_>,
        resident: &Resident,
        around: &mut Around,
    ) -> Result<(), Refused> {
        let Scope::Foreign { conversation, machine } = &mut around.scope else { return Ok(()) };
        let record = self.conversations.entry(Arc::clone(conversation)).or_default();
        let taken =
            claim_conversation(record, &resident.id, (charge.offer, Attempt::ONLY), charge.now);
        taken.inspect_err(|_| machine.clone_from(&record.machine))
    }

    fn give_back_conversation(&mut self, charge: &Charge<'_>, around: &Around) {
        let Scope::Foreign { conversation, .. } = &around.scope else { return };
        if let Some(record) = self.conversations.get_mut(conversation) {
            release_conversation(record, (charge.offer, Attempt::ONLY), charge.now);
        }
    }

    fn take_person(&mut self, charge: &Charge<'_>, around: &mut Around) -> Result<(), Refused> {
        let Some(key) = charge.who.user_key() else { return Ok(()) };
        let record: &mut User = self.users.entry(Arc::clone(key)).or_default();
        claim_user(record, charge, Attempt::ONLY)
            .inspect_err(|_| around.user = Some(record.clone()))
    }

    fn give_back_person(&mut self, charge: &Charge<'_>) {
        let key = charge.who.user_key();
        if let Some(record) = key.and_then(|key| self.users.get_mut(key)) {
            release_user(record, charge.offer, Attempt::ONLY);
        }
    }

    fn take_account(&mut self, charge: &Charge<'_>, around: &mut Around) -> Result<(), Refused> {
        let Some(key) = account(charge) else { return Ok(()) };
        let record = self.accounts.entry(Arc::clone(key)).or_default();
        claim_account(record, charge, Attempt::ONLY)
            .inspect_err(|_| around.account = Some(record.clone()))
    }

    fn give_back_account(&mut self, charge: &Charge<'_>) {
        if let Some(record) = account(charge).and_then(|key| self.accounts.get_mut(key)) {
            release_account(record, charge.offer, Attempt::ONLY);
        }
    }

    fn take_product(&mut self, charge: &Charge<'_>, around: &mut Around) -> Result<(), Refused> {
        let record = &mut self.product;
        let minute = charge.product.settings.proactive.quotas.product_per_minute;
        let taken = claim_product(record, charge, Attempt::ONLY).inspect_err(|_| {
            around.product_full_until = record.fired.full_until(minute, MINUTE, charge.now);
            around.circuit_until = record.circuit.open_until(charge.now);
            around.tallies = Some(record.tallies.clone());
        });
        taken.map(drop)
    }
}

/// The account, where a cap counts there.
fn account<'a>(charge: &Charge<'a>) -> Option<&'a Arc<str>> {
    charge.caps(Per::Account).next()?;
    charge.who.account.as_ref()
}
