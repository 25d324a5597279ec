//! Paused products. The word is kept in the store; every instance has a copy in memory, so that a
//! poll asks no store for it, and looks for a newer one several times a second.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::app::App;
use crate::domain::announcement::News;
use crate::domain::bulletin::{Bulletin, Pause};
use crate::domain::time::Timestamp;
use crate::engine::observe::Recording;
use crate::rulebook::Product;
use crate::store::bulletin::PAUSES;
use crate::store::{Step, StoreError};

type Known = BTreeMap<Arc<str>, Pause>;

/// The store has not been asked yet.
const UNKNOWN: u8 = 0;
/// No product is paused.
const NONE: u8 = 1;
/// The copy has to be looked at.
const SOME: u8 = 2;

/// The copy of one instance.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    /// `UNKNOWN`, `NONE` or `SOME`: nearly always no product is paused.
    any: AtomicU8,
    copy: RwLock<Copied>,
}

#[derive(Clone, Debug, Default)]
struct Copied {
    known: Arc<Known>,
    /// Rises with every change made here, so that an answer from before it does not undo it.
    changes: u64,
}

impl Pauses {
    /// Until when a product is paused, if it is.
    pub(crate) fn stands_until(&self, product: &str, now: Timestamp) -> Option<Timestamp> {
        if self.any.load(Ordering::Acquire) != SOME {
            return None;
        }
        self.copied().known.get(product)?.stands_until(now)
    }

    fn copied(&self) -> Copied {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was changed here.
    fn change(&self, known: Known) {
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        let changes = copy.changes + 1;
        self.any.store(if known.is_empty() { NONE } else { SOME }, Ordering::Release);
        *copy = Copied { known: Arc::new(known), changes };
    }

    /// What the store said to a question asked when this was the copy.
    fn learn(&self, known: Known, asked: &Copied) {
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        if copy.changes == asked.changes {
            self.any.store(if known.is_empty() { NONE } else { SOME }, Ordering::Release);
            copy.known = Arc::new(known);
        }
    }
}

impl App {
    /// Pauses a product, or ends its pause with `None`. Answers once it is kept; polls that this
    /// instance answers from then on know.
    pub async fn set_pause(
        &self,
        product: &Product,
        pause: Option<Pause>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = |slot: &mut Option<Bulletin>| {
            let pauses = &mut slot.get_or_insert_default().pauses;
            let before = pauses.clone();
            pauses.retain(|_, pause| pause.stands_until(now).is_some());
            match &pause {
                Some(pause) => drop(pauses.insert(Arc::clone(&product.id), pause.clone())),
                None => drop(pauses.remove(&product.id)),
            }
            let (known, changed) = (pauses.clone(), *pauses != before);
            slot.take_if(|bulletin| *bulletin == Bulletin::default());
            if changed { Step::Write(known) } else { Step::Keep(known) }
        };
        let known = self.store.update(PAUSES, now, step).await?;
        self.pauses.change(known);
        self.announce(&product.id, now, || News::Pauses);
        match &pause {
            Some(_) => tracing::info!(product.id = %product.id, "Paused: nothing is offered"),
            None => tracing::info!(product.id = %product.id, "Resumed"),
        }
        Ok(())
    }

    /// Until when a product is paused, if it is. Asks the store only while it never answered: what
    /// an operator paused stays so, however docent was started.
    pub(crate) async fn paused_until(
        &self,
        product: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.pauses.any.load(Ordering::Acquire) == UNKNOWN {
            Box::pin(self.learn_pauses()).await?;
        }
        Ok(self.pauses.stands_until(product, now))
    }

    /// A product's pause, while it stands.
    pub fn pause_of(&self, product: &str, now: Timestamp) -> Option<Pause> {
        let Copied { known, .. } = self.pauses.copied();
        known.get(product).filter(|pause| pause.stands_until(now).is_some()).cloned()
    }

    /// Learns what other instances were told.
    ///
    /// # Errors
    /// When the store does not answer; what was known stays.
    pub async fn learn_pauses(&self) -> Result<(), StoreError> {
        let copied = self.pauses.copied();
        let first = self.pauses.any.load(Ordering::Acquire) == UNKNOWN;
        let news = |board: Option<&Bulletin>| match board {
            Some(board) => (first || board.pauses != *copied.known).then(|| board.pauses.clone()),
            None => (first || !copied.known.is_empty()).then(Known::default),
        };
        if let Some(news) = self.store.read(PAUSES, self.clock.now(), news).await? {
            self.pauses.learn(news, &copied);
        }
        Ok(())
    }

    /// Writes beside the gate that a pause closes who closed it, and why.
    pub(crate) fn note_pause(&self, product: &Product, recording: &mut Recording, now: Timestamp) {
        let Some(pause) = self.pause_of(&product.id, now) else { return };
        let reason = pause.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        recording.note_pause(product, &format!("paused by an operator{reason}"));
    }
}
