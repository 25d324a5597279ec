//! Ghosts: what was not offered and would have been is counted and logged.

use std::sync::Arc;

use crate::app::App;
use crate::domain::announcement::Cause;
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
        (decision, seq): (&Decision, u64),
        now: Timestamp,
    ) {
        let whole = product;
        for Ghost { rule, withheld } in ghosts::of(product, decision) {
            let (product, trigger) = (&product.id, &rule.id);
            self.notes.ghost(now, product, session, trigger, withheld);
            let by = || Cause::Ghost(Arc::clone(trigger), withheld);
            self.announce_session(whole, session, seq, by, now);
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
