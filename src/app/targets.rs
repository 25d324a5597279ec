//! The health of tours, as the app sees it: looked at before an
//! offer of a tour is claimed. What was last seen is remembered for operators alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::app::fire::Firing;
use crate::domain::health::Unhealthy;
use crate::domain::records::Product as ProductRecord;
use crate::domain::time::Timestamp;
use crate::engine::around::Around;
use crate::engine::charge::Charge;
use crate::engine::targets::{tries, unhealthy};
use crate::store::{Key, StoreError};

/// What was last seen of each product's tours.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<BTreeMap<Arc<str>, Vec<Unhealthy>>>);

impl App {
    /// Tours that keep failing, by product, as this instance last saw them.
    pub fn unhealthy_tours(&self, now: Timestamp) -> Vec<(Arc<str>, Unhealthy)> {
        let seen = self.targets.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = seen.iter().flat_map(|(product, tours)| {
            tours.iter().map(move |tour| (Arc::clone(product), tour.clone()))
        });
        all.filter(|(_, tour)| now < tour.until).collect()
    }

    /// Whether the offer's tour can be started. If not, `around` holds those that cannot.
    pub(crate) async fn target_is_healthy(
        &self,
        firing: &Firing<'_>,
        around: &mut Around,
    ) -> Result<bool, StoreError> {
        let Charge { product, offer, now, .. } = firing.charge;
        let Some(tour) = &offer.tour else { return Ok(true) };
        let look = |record: Option<&ProductRecord>| {
            record.map(|record| unhealthy(record, product, now)).unwrap_or_default()
        };
        let found = self.store.read(Key { product: &product.id, id: "" }, now, look).await?;
        self.saw_tours(&product.id, found.clone());
        let broken = found.iter().any(|broken| broken.tour == *tour);
        if !broken || tries(product, firing.session, tour) {
            return Ok(true);
        }
        around.unhealthy = found;
        around.session = Some(firing.session.into());
        Ok(false)
    }

    pub(crate) fn saw_tours(&self, product: &Arc<str>, found: Vec<Unhealthy>) {
        let mut seen = self.targets.0.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_empty() {
            seen.remove(product);
        } else {
            seen.insert(Arc::clone(product), found);
        }
    }
}
