//! The health of tours: what front ends report is counted in the product's record, and a tour that
//! keeps failing is not offered. One session in twenty tries it all the same, so that it can heal.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::domain::decision::Hold;
use crate::domain::health::Unhealthy;
use crate::domain::machine::AgentEvent;
use crate::domain::records::Product as ProductRecord;
use crate::domain::time::Timestamp;
use crate::engine::gates::Refused;
use crate::engine::pseudonym::in_text;
use crate::engine::standing::Match;
use crate::rulebook::Product;

/// One session in so many tries a broken tour.
const TRIALS: u64 = 20;

/// Whether an event that counted says that its tour was started (`false`) or failed (`true`).
pub fn attempt(event: &AgentEvent) -> Option<bool> {
    match event {
        AgentEvent::ProactiveAcceptedTour => Some(false),
        AgentEvent::TourFailed { .. } => Some(true),
        _ => None,
    }
}

/// Notes it in the product's record; whether that changed.
pub fn note(
    record: &mut ProductRecord,
    product: &Product,
    tour: &Arc<str>,
    failed: bool,
    now: Timestamp,
) -> bool {
    let window = product.settings.target_health.window;
    let Some(known) = product.tours.get(tour) else { return false };
    record.tours.retain(|_, attempts| !attempts.is_over(window, now));
    let attempts = record.tours.entry(Arc::clone(tour)).or_default();
    attempts.note(&known.version, failed, window, now);
    true
}

/// The product's tours that keep failing, as they are now.
pub fn unhealthy(record: &ProductRecord, product: &Product, now: Timestamp) -> Vec<Unhealthy> {
    let policy = &product.settings.target_health;
    let broken = record.tours.iter().filter_map(|(tour, attempts)| {
        let version = &product.tours.get(tour)?.version;
        let (failed, started, until) = attempts.broken(version, policy, now)?;
        Some(Unhealthy { tour: Arc::clone(tour), failed, started, until })
    });
    broken.collect()
}

/// Whether this session is one of those that try a broken tour; the same ones, while it stays as
/// it is.
pub fn tries(product: &Product, session: &str, tour: &str) -> bool {
    let Some(known) = product.tours.get(tour) else { return false };
    // A recording tells no address in an id.
    let session = &*in_text(session);
    let mut hash = Sha256::new();
    for part in [&*product.id, session, tour, &*known.version] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let number = hash.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    number % TRIALS == 0
}

/// How often the tour failed of late, where that is why the gate `target` looks at it.
pub(in crate::engine) fn failures(gate: &str, asked: &Match<'_>) -> Option<String> {
    let tour = asked.rule.offer.tour.as_ref().filter(|_| gate == "target")?;
    let broken = asked.facts.around.unhealthy.iter().find(|broken| broken.tour == *tour);
    broken.map(Unhealthy::to_string)
}

/// The gate: a tour that keeps failing is not offered.
pub(in crate::engine) fn target(asked: &Match<'_>) -> Result<(), Refused> {
    let (Some(tour), around) = (&asked.rule.offer.tour, asked.facts.around) else { return Ok(()) };
    let broken = around.unhealthy.iter().find(|broken| broken.tour == *tour);
    let Some(broken) = broken.filter(|broken| asked.facts.now < broken.until) else {
        return Ok(());
    };
    if around.session.as_deref().is_some_and(|session| tries(asked.product, session, tour)) {
        return Ok(());
    }
    Err(Refused::new(Hold::TargetUnhealthy, broken.until))
}
