//! Firing: a winning rule becomes an offer, and the offer becomes part of the session.

use std::sync::Arc;

use serde_json::Map;
use sha2::{Digest, Sha256};

use crate::domain::offer::Offer;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::gates::HOUR;
use crate::engine::testers::is_tester;
use crate::rulebook::Product;
use crate::rulebook::builtin::Hit;
use crate::rulebook::condition::View;
use crate::rulebook::rule::{Rule, When};

/// Words for a builtin that found nothing to say; never shown for a rule with a body.
const NO_WORDS: &str = "Need a hand?";

/// The offer a winning rule makes to this session now. Charges nothing.
pub fn propose(
    product: &Product,
    rule: &Rule,
    session: &Session,
    session_id: &str,
    conversation: &Arc<str>,
    now: Timestamp,
) -> Offer {
    let view = View { session, user: None, now };
    let hit = match &rule.when {
        When::Builtin(builtin) => builtin.detect(&view, &product.settings.builtins),
        When::Condition(_) => None,
    };
    let (body, labels) = words(rule, hit.as_ref());
    Offer {
        id: offer_id(&product.id, session_id, session.seq, &rule.id),
        trigger: Arc::clone(&rule.id),
        body,
        labels,
        tour: rule.offer.tour.clone(),
        conversation: Arc::clone(conversation),
        made_at: now,
        expires_at: now.plus(rule.offer.timeout),
        cooldown: rule.offer.cooldown,
        metadata: hit.map_or_else(Map::new, |hit| hit.metadata),
        tester: is_tester(product, Some(session_id), &session.identity),
    }
}

/// A rule's own words come before its detector's.
fn words(rule: &Rule, hit: Option<&Hit>) -> (Arc<str>, Vec<Arc<str>>) {
    let said = hit.map_or(NO_WORDS, |hit| &hit.body);
    let body = rule.offer.body.clone().unwrap_or_else(|| said.into());
    let labels = match hit {
        Some(hit) if rule.offer.labels.is_empty() => {
            hit.labels.iter().map(|l| Arc::from(&**l)).collect()
        }
        _ => rule.offer.labels.clone(),
    };
    (body, labels)
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

/// The session takes the offer: machine, spacing, quota, cooldown. `own` says that the session's
/// machine is the one it moves.
pub fn commit(session: &mut Session, offer: &Offer, own: bool, now: Timestamp) {
    if own {
        session.machine.offer(offer.expires_at, now);
    }
    session.last_fired = Some(now);
    session.fired.charge(&offer.id, now, HOUR);
    session.memory(&offer.trigger).fired = Some(now);
    session.offer = Some(offer.clone());
    session.seq += 1;
}
