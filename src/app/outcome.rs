//! Outcomes: what became of an offer, counted, and remembered of the person across sessions.

use std::sync::Arc;

use crate::app::App;
use crate::domain::goal::OpenGoal;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::User;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::memory::put_off;
use crate::engine::person::{Became, answered};
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// Whose offer of what.
pub(crate) struct Subject {
    offer: Offer,
    /// The person's key, when somebody vouched for them.
    person: Option<Arc<str>>,
    /// Until when it stays live, if it does.
    goes_on: Option<Timestamp>,
    /// Until when its trigger was put off, if it was.
    rests_until: Option<Timestamp>,
}

impl Subject {
    pub(crate) fn of(session: &Session, offer: Offer) -> Self {
        let person = session.identity.user_key().cloned();
        Self { offer, person, goes_on: None, rests_until: None }
    }

    /// The offer is not over by what became of it.
    pub(crate) fn going_on(self, goes_on: Option<Timestamp>) -> Self {
        Self { goes_on, ..self }
    }

    /// Its trigger rests for the person, wherever they are.
    pub(crate) fn put_off(self, event: &AgentEvent, now: Timestamp) -> Self {
        Self { rests_until: put_off(&self.offer, event, now), ..self }
    }

    pub(crate) const fn offer(&self) -> &Offer {
        &self.offer
    }
}

impl App {
    /// Something became of an offer, or it is over without that being told. Its session knows
    /// already. A tester's outcomes are in no figure.
    pub(crate) async fn note_outcome(
        &self,
        product: &Product,
        subject: &Subject,
        outcome: Option<Outcome>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Subject { offer, person, goes_on, rests_until } = subject;
        if let Some(outcome) = outcome.filter(|_| !offer.tester) {
            let (trigger, variant) = (&offer.trigger, offer.variant.as_ref());
            self.metrics.outcome(&product.id, trigger, variant, outcome.as_str());
        }
        let of_note = outcome.is_some() || offer.terms.group.is_some();
        let Some(person) = person.as_ref().filter(|_| of_note) else { return Ok(()) };
        let step = |slot: &mut Option<User>| {
            let became = Became { outcome, goes_on: *goes_on, rests_until: *rests_until };
            answered(slot.get_or_insert_default(), offer, became, now);
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }

    /// The person did what earlier offers hoped for. Their session knows already.
    pub(crate) async fn note_goals(
        &self,
        product: &Product,
        person: Option<&Arc<str>>,
        reached: &[OpenGoal],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for goal in reached.iter().filter(|goal| !goal.tester) {
            self.metrics.goal(&product.id, &goal.trigger);
        }
        let Some(person) = person.filter(|_| !reached.is_empty()) else { return Ok(()) };
        let step = |slot: &mut Option<User>| {
            let user = slot.get_or_insert_default();
            user.seq += 1;
            for goal in reached {
                let memory = user.triggers.entry(Arc::clone(&goal.trigger)).or_default();
                memory.outcomes.insert(Outcome::Reached, now);
            }
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }
}
