//! What a poll's answer changes: an offer charges what it must, a shadow leaves its ghost.

use crate::domain::decision::Verdict;
use crate::engine::case::{Player, Poll};
use crate::engine::charge::Charge;

impl Player<'_> {
    pub(super) fn haunt(&mut self, poll: &Poll) {
        let Poll { decision, now, .. } = poll;
        let session = &mut self.resident.session;
        self.world.haunt(&self.product, session, decision, *now);
        let would = decision.shadow.would.and_then(|place| self.filed(place));
        self.played.fired.extend(would);
    }

    pub(super) fn fire(&mut self, poll: &Poll) {
        let (Verdict::Fire(place), Some(offer)) = (poll.decision.verdict, &poll.offer) else {
            return;
        };
        let Some(rule) = self.product.rules.get(place) else { return };
        let who = self.resident.session.identity.clone();
        let charge = Charge { product: &self.product, rule, who: &who, offer, now: poll.now };
        let mut around = poll.around.clone();
        let charged = self.world.fire(&charge, &mut self.resident, &mut around);
        debug_assert!(charged.is_ok(), "a claim was refused that the gates had let pass");
        self.played.fired.extend(self.filed(place));
    }
}
