//! Ghosts: what was not offered and would have been is counted, logged and remembered of the person.

use crate::app::App;
use crate::domain::decision::Decision;
use crate::domain::records::User;
use crate::domain::session::{Identity, Session};
use crate::domain::time::Timestamp;
use crate::engine::ghosts::{self, Ghost};
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// What a look at a session left behind in it.
pub(crate) struct Haunted {
    pub(crate) decision: Decision,
    /// Whose session it is.
    pub(crate) who: Identity,
}

impl Haunted {
    pub(crate) fn of(session: &Session, decision: Decision) -> Self {
        Self { decision, who: session.identity.clone() }
    }
}

impl App {
    /// The ghosts of a decision. Their session knows already.
    pub(crate) async fn note_ghosts(
        &self,
        product: &Product,
        session: &str,
        haunted: &Haunted,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Haunted { decision, who } = haunted;
        for Ghost { rule, withheld } in ghosts::of(product, decision) {
            let (product, trigger) = (&product.id, &rule.id);
            self.notes.ghost(now, product, session, trigger, withheld);
            match withheld {
                None => {
                    self.metrics.shadow(product, trigger);
                    tracing::info!(product.id = %product, rule.id = %trigger, "A shadow rule would have been offered");
                }
                Some(hold) => {
                    self.metrics.withheld(product, trigger, hold.as_str());
                    tracing::info!(product.id = %product, rule.id = %trigger, hold = hold.as_str(), "Withheld an offer from a control group");
                }
            }
        }
        let Some(person) = who.user_key() else { return Ok(()) };
        let step = |slot: &mut Option<User>| {
            ghosts::note_person(product, (slot.get_or_insert_default(), who), decision, now);
            Step::Write(())
        };
        self.store.update(Key { product: &product.id, id: person }, now, step).await
    }
}
