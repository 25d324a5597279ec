//! Ghosts: what was not offered and would have been is counted and logged.

use crate::app::App;
use crate::domain::decision::Decision;
use crate::domain::time::Timestamp;
use crate::engine::ghosts::{self, Ghost};
use crate::rulebook::Product;

impl App {
    /// The ghosts of a decision. Their session knows already.
    pub(crate) fn count_ghosts(
        &self,
        product: &Product,
        session: &str,
        decision: &Decision,
        now: Timestamp,
    ) {
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
    }
}
