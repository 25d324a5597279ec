//! Outcomes: what became of an offer, counted, and remembered of the person across sessions.

use std::sync::Arc;

use crate::app::App;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::User;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// Whose offer of what.
pub(crate) struct Subject {
    offer: Offer,
    /// The person's key, when somebody vouched for them.
    person: Option<Arc<str>>,
}

impl Subject {
    pub(crate) fn of(session: &Session, offer: Offer) -> Self {
        Self { offer, person: session.identity.user_key().cloned() }
    }
}

impl App {
    /// Something became of an offer. Its session knows already. A tester's outcomes are in no figure.
    pub(crate) async fn note_outcome(
        &self,
        product: &Product,
        subject: &Subject,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Subject { offer, person } = subject;
        let trigger = &offer.trigger;
        if !offer.tester {
            self.metrics.outcome(&product.id, trigger, outcome.as_str());
        }
        let Some(person) = person else { return Ok(()) };
        let step = |slot: &mut Option<User>| {
            let user = slot.get_or_insert_default();
            user.seq += 1;
            let memory = user.triggers.entry(Arc::clone(trigger)).or_default();
            memory.outcomes.insert(outcome, now);
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }
}
