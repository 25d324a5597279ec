//! What a poll's answer changes: an offer charges what it must, a shadow leaves its ghost.

use std::sync::Arc;

use crate::domain::decision::Verdict;
use crate::engine::case::{Player, Poll};
use crate::engine::charge::Charge;
use crate::engine::claims::{claim_product, claim_user};
use crate::engine::fire::commit;
use crate::engine::ghosts;

impl Player<'_> {
    pub(super) fn haunt(&mut self, poll: &Poll) {
        let Poll { decision, now, .. } = poll;
        ghosts::note(&self.product, &mut self.session, decision, *now);
        if let Some(key) = self.session.identity.user_key().cloned() {
            let user = self.users.entry(key).or_default();
            ghosts::note_person(&self.product, user, decision, *now);
        }
        let would = decision.shadow.would.and_then(|place| self.filed(place));
        self.played.fired.extend(would);
    }

    pub(super) fn fire(&mut self, poll: &Poll) {
        let (Verdict::Fire(place), Some(offer)) = (poll.decision.verdict, &poll.offer) else {
            return;
        };
        let Some(rule) = self.product.rules.get(place) else { return };
        let who = self.session.identity.clone();
        let charge = Charge { product: &self.product, rule, who: &who, offer, now: poll.now };
        let charged = who.user_key().map_or(Ok(()), |key| {
            claim_user(self.users.entry(Arc::clone(key)).or_default(), &charge)
        });
        let charged = charged.and(claim_product(&mut self.record, &charge));
        debug_assert!(charged.is_ok(), "a claim was refused that the gates had let pass");
        commit(&mut self.session, &charge, true);
        self.played.fired.extend(self.filed(place));
    }
}
