//! Firing: a winning rule becomes an offer, and the offer becomes part of the session.

use std::sync::Arc;

use serde_json::Map;
use sha2::{Digest, Sha256};

use crate::domain::offer::Offer;
use crate::domain::session::Session;
use crate::domain::tally::Per;
use crate::domain::time::Timestamp;
use crate::engine::arms::variant;
use crate::engine::around::Around;
use crate::engine::charge::Charge;
use crate::engine::gates::HOUR;
use crate::engine::goals;
use crate::engine::testers::is_tester;
use crate::engine::words::{Words, words};
use crate::rulebook::Product;
use crate::rulebook::condition::View;
use crate::rulebook::rule::{Rule, When};

/// The offer a winning rule makes to this session now; nothing when its words cannot be said, which
/// its gate `words` has ruled out. Charges nothing.
pub fn propose(
    product: &Product,
    rule: &Rule,
    (session, around): (&Session, &Around),
    session_id: &str,
    conversation: &Arc<str>,
    now: Timestamp,
) -> Option<Offer> {
    let (user, account) = (around.user.as_ref(), around.account.as_ref());
    let view = View { session, user, account, now };
    let hit = match &rule.when {
        When::Builtin(builtin) => builtin.detect(&view, &product.settings.builtins),
        When::Condition(_) => None,
    };
    let variant = variant(rule, (session, around), session_id);
    let said = variant.map_or(&rule.offer, |variant| &variant.copy);
    let Words { body, labels, locale } = words(product, rule, said, &view, hit.as_ref())?;
    Some(Offer {
        id: offer_id(&product.id, session_id, session.seq, &rule.id),
        trigger: Arc::clone(&rule.id),
        body,
        labels,
        locale,
        tour: said.tour.clone(),
        conversation: Arc::clone(conversation),
        made_at: now,
        expires_at: now.plus(rule.offer.timeout),
        cooldown: rule.offer.cooldown,
        metadata: hit.map_or_else(Map::new, |hit| hit.metadata),
        goal: rule.goal.clone(),
        variant: variant.map(|variant| Arc::clone(&variant.id)),
        tester: is_tester(product, Some(session_id), &session.identity),
        terms: rule.pacing.terms(),
    })
}

/// `of_` and 24 hex digits of what makes the offer this one.
fn offer_id(product: &str, session: &str, seq: u64, trigger: &str) -> Arc<str> {
    let mut hash = Sha256::new();
    for part in [product.as_bytes(), session.as_bytes(), &seq.to_be_bytes(), trigger.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("of_{hex}").into()
}

/// The session takes the offer: machine, spacing, quota, caps, cooldown, goal. `own` says that the
/// session's machine is the one it moves.
pub fn commit(session: &mut Session, charge: &Charge<'_>, own: bool) {
    charge.take(Per::Session, &mut session.tallies);
    accept(session, charge.offer, own, charge.now);
}

/// The session takes an offer, whatever became of its rule; caps are not charged.
pub fn accept(session: &mut Session, offer: &Offer, own: bool, now: Timestamp) {
    if own {
        session.machine.offer(offer.expires_at, now);
    }
    session.last_fired = Some(now);
    session.fired.charge(&offer.id, now, HOUR);
    if let Some(group) = &offer.terms.group {
        session.groups.enter(group, &offer.id, offer.expires_at, now);
    }
    session.memory(&offer.trigger).fired = Some(now);
    goals::open(session, offer, now);
    session.offer = Some(Box::new(offer.clone()));
    session.seq += 1;
}
