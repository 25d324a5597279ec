//! What changes here is announced once it is kept, and what others announce is heard: pauses and the
//! kept workspace are read again at once, and the last decisions are those of all instances.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::announcement::{Announcement, Cause, News};
use crate::domain::time::Timestamp;
use crate::rulebook::Product;
use crate::store::announce::Heard;

impl App {
    /// Announces what is kept.
    pub(crate) fn announce(&self, product: &Arc<str>, at: Timestamp, news: impl FnOnce() -> News) {
        self.store.announce(|| Announcement { at, product: Arc::clone(product), news: news() });
    }

    /// Announces that a session's record has changed.
    pub(crate) fn announce_session(
        &self,
        product: &Product,
        session: &str,
        seq: u64,
        by: impl FnOnce() -> Cause,
        at: Timestamp,
    ) {
        self.announce(&product.id, at, || News::Session { id: session.into(), seq, by: by() });
    }

    /// A session's records are no more.
    pub(crate) fn forgotten(&self, product: &Product, session: &str, at: Timestamp) {
        self.notes.forget(&product.id, session);
        self.announce(&product.id, at, || News::Forgotten { id: session.into() });
    }

    /// Hears what the instances that share the store announce, until told to stop.
    pub async fn hear(&self, stop: CancellationToken) {
        let mut following = self.store.follow();
        while let Some(Some(heard)) = stop.run_until_cancelled(following.next()).await {
            match heard {
                Heard::Here(_) => {}
                Heard::Elsewhere(announcement) => self.note_news(&announcement).await,
                Heard::Gap => {
                    self.read_pauses().await;
                    self.read_rulebook().await;
                }
            }
        }
    }

    async fn note_news(&self, announcement: &Announcement) {
        let Announcement { at, product, news } = announcement;
        match news {
            News::Pauses => self.read_pauses().await,
            News::Rulebook { .. } => self.read_rulebook().await,
            News::Forgotten { id } => self.notes.forget(product, id),
            News::Session { id, by, .. } => match by {
                Cause::Offer(trigger) => self.notes.offered(*at, product, id, trigger),
                Cause::Ghost(trigger, hold) => {
                    self.notes.ghost(*at, product, id, trigger, *hold);
                }
                Cause::Batch => self.notes.elsewhere(*at, product, id, None),
                Cause::Event(name) => self.notes.elsewhere(*at, product, id, Some(name)),
            },
        }
    }

    async fn read_pauses(&self) {
        if let Err(error) = self.learn_pauses().await {
            tracing::debug!(%error, "Cannot tell which products are paused");
        }
    }

    async fn read_rulebook(&self) {
        if let Err(error) = self.learn_rulebook().await {
            tracing::debug!(%error, "Cannot read the workspace that another instance kept");
        }
    }
}
