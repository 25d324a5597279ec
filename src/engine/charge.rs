//! A charge: an offer about to be made, as the caps of its rule see it, and whose tally each cap
//! counts in.

use crate::domain::offer::Offer;
use crate::domain::session::Identity;
use crate::domain::tally::{Per, Tallies};
use crate::domain::time::Timestamp;
use crate::rulebook::Product;
use crate::rulebook::pacing::caps::Cap;
use crate::rulebook::rule::Rule;

/// An offer about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Whose rule.
    pub product: &'a Product,
    /// The rule.
    pub rule: &'a Rule,
    /// To whom.
    pub who: &'a Identity,
    /// What.
    pub offer: &'a Offer,
    /// When.
    pub now: Timestamp,
}

/// Where a cap counts for somebody: while an account is not known, per person; while a person is
/// not known, per session.
pub fn counted(per: Per, who: &Identity) -> Per {
    match per {
        Per::Account if who.account.is_some() => Per::Account,
        Per::Account | Per::User if who.user_key().is_some() => Per::User,
        Per::Account | Per::User => Per::Session,
        Per::Session | Per::Product => per,
    }
}

impl<'a> Charge<'a> {
    /// The caps that count in a record of this kind; none for a tester.
    pub fn caps(&self, kind: Per) -> impl Iterator<Item = &'a Cap> {
        let Self { product, rule, who, offer, .. } = *self;
        let caps = rule.pacing.caps.iter().filter_map(|place| product.caps.get(*place));
        caps.filter(move |cap| !offer.tester && counted(cap.per, who) == kind)
    }

    /// Whether a cap that counts here refuses, whatever this offer itself was charged by an earlier
    /// attempt to make it.
    pub fn is_refused(&self, kind: Per, tallies: &Tallies) -> bool {
        let (offer, now) = (&self.offer.id, self.now);
        self.caps(kind).any(|cap| tallies.full_until_beside(cap.bound(), offer, now).is_some())
    }

    /// Charges the caps that count here.
    pub fn take(&self, kind: Per, tallies: &mut Tallies) {
        let known = |id: &str| self.product.caps.iter().any(|cap| *cap.id == *id);
        tallies.forget(known, self.now);
        for cap in self.caps(kind) {
            tallies.renew(cap.bound(), &self.offer.id, self.now);
        }
    }
}
