//! Lanes: what an upstream sends of different sessions is taken in side by side, so that one
//! commit to disk holds many; what it sends of one session keeps its order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::App;
use crate::domain::action::Delivery;
use crate::runtime::tasks::Tasks;

/// Deliveries of one upstream that may wait for their commit at once.
const LANES: usize = 64;
/// Deliveries that may wait in one lane; beyond them the upstream is read no further.
const WAITING: usize = 16;

/// The lanes of one upstream. They end with it, once all that it sent is taken in.
pub(crate) struct Lanes(Vec<mpsc::Sender<Delivery>>);

impl Lanes {
    /// Begins to take in what will be sent for this product.
    pub(crate) fn open(app: &Arc<App>, product: &Arc<str>, tasks: &Tasks) -> Self {
        let lane = |_| {
            let (lane, mut waiting) = mpsc::channel(WAITING);
            let (app, product) = (Arc::clone(app), Arc::clone(product));
            let stopping = tasks.stopping();
            tasks.spawn(async move {
                while let Some(delivery) = waiting.recv().await {
                    app.take(&product, delivery, &stopping).await;
                }
            });
            lane
        };
        Self((0..LANES).map(lane).collect())
    }

    /// Puts a delivery into its session's lane; waits while that is full.
    pub(crate) async fn put(&self, delivery: Delivery) {
        let mut hash = DefaultHasher::new();
        delivery.session().hash(&mut hash);
        let place = usize::try_from(hash.finish() % LANES as u64).unwrap_or_default();
        let Some(lane) = self.0.get(place) else { return };
        // A lane outlives its senders.
        let _sent = lane.send(delivery).await;
    }
}
