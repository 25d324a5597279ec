//! Upstreams: one reader for each source of each product, started and stopped as settings reload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::app::lanes::Lanes;
use crate::app::leases::{Progress, Watch};
use crate::app::{App, Denied};
use crate::domain::action::{Delivery, Trust};
use crate::domain::bulletin::Lease;
use crate::engine::identity::identity;
use crate::ingest::backoff::LONGEST;
use crate::ingest::sse::{Pace, Upstream};
use crate::ingest::status::{Phase, SourceReport, SourceStatus};
use crate::rulebook::Rulebook;
use crate::rulebook::settings::Source;
use crate::runtime::client::HttpClient;
use crate::runtime::metrics::Metrics;
use crate::runtime::tasks::Tasks;
use crate::store::StoreError;

/// Between two tries to keep a message, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A product and the place of one of its `sources`.
type Place = (Arc<str>, usize);

/// The upstreams being read.
#[derive(Debug, Default)]
pub struct Sources(Mutex<BTreeMap<Place, Running>>);

#[derive(Debug)]
struct Running {
    source: Source,
    status: Arc<SourceStatus>,
    stop: CancellationToken,
    counted: Option<Phase>,
}

impl App {
    /// Reads every source of the rulebook in force, and none beside them; called again whenever
    /// another rulebook comes into force.
    pub fn follow(self: &Arc<Self>, client: &HttpClient, tasks: &Tasks) {
        let rulebook = self.live.current();
        let mut running = self.sources.running();
        running.retain(|place, reader| {
            let stays = wanted(&rulebook, place) == Some(&reader.source);
            if !stays {
                reader.stop.cancel();
                let (product, number) = place;
                self.metrics.source(product, *number, reader.counted.map(Phase::as_str), None);
            }
            stays
        });
        for (id, product) in &rulebook.products {
            for (number, source) in product.settings.sources.iter().enumerate() {
                let place = (Arc::clone(id), number);
                running.entry(place).or_insert_with(|| self.start(id, source, client, tasks));
            }
        }
    }

    fn start(
        self: &Arc<Self>,
        product: &Arc<str>,
        source: &Source,
        client: &HttpClient,
        tasks: &Tasks,
    ) -> Running {
        let (status, stop) = (Arc::new(SourceStatus::default()), tasks.stopping().child_token());
        let upstream = Upstream {
            source: source.clone(),
            product: Arc::clone(product),
            client: client.clone(),
            status: Arc::clone(&status),
            pace: Pace::default(),
        };
        let (lanes, cancel) = (Lanes::open(self, product, tasks), stop.clone());
        if !self.store.is_shared() {
            tasks.spawn(async move {
                upstream.run(|delivery| lanes.put(delivery), &cancel).await;
            });
            return Running { source: source.clone(), status, stop, counted: None };
        }
        let watch = Watch::new(Lease::of_source(product, &source.url), self.leaseholder());
        status.stand_by(true);
        let (app, told) = (Arc::clone(self), Arc::clone(&status));
        tasks.spawn(async move {
            let read = |end: CancellationToken| {
                let (upstream, lanes) = (&upstream, &lanes);
                async move {
                    upstream.status.stand_by(false);
                    upstream.run(|delivery| lanes.put(delivery), &end).await;
                    if end.is_cancelled() {
                        upstream.status.stand_by(true);
                    }
                }
            };
            let progress = || match told.report() {
                SourceReport { phase: Phase::Streaming, .. } => Progress::AtWork,
                // The upstream asked for it, and would ask anybody.
                SourceReport { wait: Some(wait), .. } if wait > LONGEST => Progress::Beginning,
                SourceReport { reason: Some(_), .. } => Progress::Failing,
                SourceReport { reason: None, .. } => Progress::Beginning,
            };
            app.while_holding(watch, read, progress, &cancel).await;
        });
        Running { source: source.clone(), status, stop, counted: None }
    }

    /// One message of an upstream, which has no way to be told to ask again: while the store takes
    /// nothing it waits, and the upstream is read no further. What cannot be kept is counted.
    pub(crate) async fn take(
        &self,
        product: &Arc<str>,
        delivery: Delivery,
        stopping: &CancellationToken,
    ) {
        let mut pause = PAUSE.0;
        loop {
            let Some(product) = self.live.current().products.get(product).cloned() else { return };
            let now = self.clock.now();
            let error = match self.deliver(&product, &delivery, Trust::Trusted, None, now).await {
                Ok(advanced) => return self.metrics.batch(&product.id, "sse", advanced.result()),
                Err(error) => error,
            };
            // What may have been kept is sent again only if it would count once.
            let again = match &error {
                Denied::Store(StoreError::Unread { .. }) => true,
                Denied::Store(_) => identity(&product.id, &delivery).is_some(),
                _ => false,
            };
            let waited = stopping.run_until_cancelled(sleep(pause)).await;
            if !again || waited.is_none() {
                self.metrics.batch(&product.id, "sse", "failed");
                tracing::warn!(product.id = %product.id, "Lost a message of an upstream: {error}");
                return;
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}

fn wanted<'a>(rulebook: &'a Rulebook, (product, number): &Place) -> Option<&'a Source> {
    rulebook.products.get(product)?.settings.sources.get(*number)
}

impl Sources {
    /// Every upstream and how it fares.
    pub fn reports(&self) -> Vec<(Arc<str>, usize, SourceReport)> {
        let running = self.running();
        let report = |((product, number), reader): (&Place, &Running)| {
            (Arc::clone(product), *number, reader.status.report())
        };
        running.iter().map(report).collect()
    }

    /// Brings the metric of each upstream's state up to date.
    pub fn count(&self, metrics: &Metrics) {
        for ((product, number), reader) in self.running().iter_mut() {
            let phase = reader.status.report().phase;
            let left = reader.counted.replace(phase).filter(|left| *left != phase);
            metrics.source(product, *number, left.map(Phase::as_str), Some(phase.as_str()));
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Place, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
