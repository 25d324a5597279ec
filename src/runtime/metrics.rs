//! Metrics: the counters behind `/metrics`, one plain struct that is passed around. Labels are
//! bounded by what is written in the workspace; a session, a user or a path is never one.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

use crate::domain::decision::{Hold, Verdict};

/// Content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why a request was turned away at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// No key, an unknown or a wrong one, a bad signature or token.
    Auth,
    /// An origin that is not allowed.
    Origin,
    /// A host that is not this machine, on a keyless loopback.
    Host,
    /// Too many requests.
    Rate,
}

impl Refused {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Origin => "origin",
            Self::Host => "host",
            Self::Rate => "rate",
        }
    }
}

type Label = (&'static str, Arc<str>);
type Labels<const N: usize> = [Label; N];
type Named = [(&'static str, &'static str); 1];

/// Everything docent counts. Polls and responses are counted without a look-up.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    fired: Counter,
    redelivered: Counter,
    held: [Counter; Hold::ALL.len()],
    responses: [Counter; 5],
    offers: Family<Vec<Label>, Counter>,
    outcomes: Family<Vec<Label>, Counter>,
    shadows: Family<Labels<2>, Counter>,
    withheld: Family<Labels<3>, Counter>,
    unhealthy: Family<Labels<2>, Gauge>,
    goals: Family<Labels<2>, Counter>,
    events: Family<Labels<3>, Counter>,
    batches: Family<Labels<3>, Counter>,
    reloads: Family<Labels<1>, Counter>,
    findings: Family<Named, Gauge>,
    rules: Gauge,
    sessions: Family<Labels<0>, Gauge>,
    bytes: Family<Labels<0>, Gauge<u64, AtomicU64>>,
    evictions: Family<Labels<1>, Counter>,
    refused: Family<Named, Counter>,
    rule_errors: Family<Labels<2>, Counter>,
    journal: Family<Named, Counter>,
    sources: Family<Labels<3>, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("docent");
        let r = &mut registry;
        let polls: Family<Named, Counter> = add(r, "polls", "Polls by what they came to");
        let poll = |verdict| polls.get_or_create_owned(&[("verdict", verdict)]);
        let responses: Family<Named, Counter> = add(r, "responses", "Answers by class of status");
        let class = |class| responses.get_or_create_owned(&[("status", class)]);
        Self {
            fired: poll("fire"),
            redelivered: poll("redeliver"),
            held: Hold::ALL.map(|hold| poll(hold.as_str())),
            responses: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(class),
            offers: add(r, "offers", "Offers made, by trigger"),
            outcomes: add(r, "outcomes", "What became of offers, by trigger"),
            unhealthy: add(
                r,
                "tour_unhealthy",
                "1 for each tour that is not offered as it keeps failing",
            ),
            goals: add(r, "goals", "Goals reached in time after an offer, by trigger"),
            shadows: add(r, "shadow", "Offers that shadow rules would have made, by trigger"),
            withheld: add(r, "withheld", "Offers withheld from control groups, by trigger"),
            events: add(r, "events", "Events of front ends, by whether they counted"),
            batches: add(r, "batches", "Messages of activity by source and result"),
            reloads: add(r, "reloads", "Readings of the workspace by result"),
            findings: add(r, "candidate_findings", "Findings of the newest reading"),
            rules: add(r, "rules", "Rules being served"),
            sessions: add(r, "sessions", "Sessions kept"),
            bytes: add(r, "store_bytes", "Bytes of records kept"),
            evictions: add(r, "evictions", "Records that lost their activity or went, by reason"),
            refused: add(r, "refused", "Requests turned away, by reason"),
            journal: add(r, "journal_lines", "Lines of the journal, by whether they were written"),
            rule_errors: add(r, "rule_errors", "Evaluations that failed, by trigger"),
            sources: add(r, "source", "1 for the state each upstream is in"),
            registry,
        }
    }

    /// A poll came to this.
    pub fn poll(&self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Fire(_) => Some(&self.fired),
            Verdict::Redeliver => Some(&self.redelivered),
            Verdict::Hold(hold) => Hold::ALL
                .iter()
                .position(|known| *known == hold)
                .and_then(|place| self.held.get(place)),
        };
        counter.map(Counter::inc);
    }

    /// So many more lines of the journal were `written` or `dropped`.
    pub fn journal(&self, result: &'static str, lines: u64) {
        self.journal.get_or_create(&[("result", result)]).inc_by(lines);
    }

    /// A response with this status went out.
    pub fn response(&self, status: u16) {
        let class = usize::from(status / 100).wrapping_sub(1);
        self.responses.get(class).map(Counter::inc);
    }

    /// A trigger was offered, as this variant where it has some.
    pub fn offered(&self, product: &Arc<str>, trigger: &Arc<str>, variant: Option<&Arc<str>>) {
        self.offers.get_or_create(&labels(product, trigger, variant)).inc();
    }

    /// An offer came to this (see [`crate::domain::offer::Outcome`]).
    pub fn outcome(
        &self,
        product: &Arc<str>,
        trigger: &Arc<str>,
        variant: Option<&Arc<str>>,
        outcome: &str,
    ) {
        let mut labels = labels(product, trigger, variant);
        labels.push(("outcome", outcome.into()));
        self.outcomes.get_or_create(&labels).inc();
    }

    /// These tours of these products keep failing, and no others.
    pub fn unhealthy(&self, tours: Vec<(Arc<str>, Arc<str>)>) {
        self.unhealthy.clear();
        for (product, tour) in tours {
            self.unhealthy.get_or_create(&[("product", product), ("tour", tour)]).set(1);
        }
    }

    /// A person did what an offer of this trigger hoped for.
    pub fn goal(&self, product: &Arc<str>, trigger: &Arc<str>) {
        let labels = [("product", Arc::clone(product)), ("trigger", Arc::clone(trigger))];
        self.goals.get_or_create(&labels).inc();
    }

    /// A shadow rule would have been offered.
    pub fn shadow(&self, product: &Arc<str>, trigger: &Arc<str>) {
        let labels = [("product", Arc::clone(product)), ("trigger", Arc::clone(trigger))];
        self.shadows.get_or_create(&labels).inc();
    }

    /// A trigger was withheld from a control group.
    pub fn withheld(&self, product: &Arc<str>, trigger: &Arc<str>, hold: &str) {
        let (product, trigger) = (Arc::clone(product), Arc::clone(trigger));
        let labels = [("product", product), ("trigger", trigger), ("group", hold.into())];
        self.withheld.get_or_create(&labels).inc();
    }

    /// A front end's event, and `counted` or why it did not.
    pub fn event(&self, product: &Arc<str>, event: &str, result: &str) {
        let product = Arc::clone(product);
        let labels = [("product", product), ("event", event.into()), ("result", result.into())];
        self.events.get_or_create(&labels).inc();
    }

    /// A message of activity: its source (`sse`, `push`, `browser`, `posthog`) and `accepted`,
    /// `duplicate` or why it was skipped.
    pub fn batch(&self, product: &Arc<str>, source: &str, result: &str) {
        let product = Arc::clone(product);
        let labels = [("product", product), ("source", source.into()), ("result", result.into())];
        self.batches.get_or_create(&labels).inc();
    }

    /// The workspace was read: `swapped`, `refused` or `unchanged`.
    pub fn reload(&self, result: &str) {
        self.reloads.get_or_create(&[("result", result.into())]).inc();
    }

    /// What the newest reading found; zero errors mean that it is being served.
    pub fn findings(&self, errors: usize, warnings: usize) {
        self.findings.get_or_create(&[("severity", "error")]).set(whole(errors));
        self.findings.get_or_create(&[("severity", "warning")]).set(whole(warnings));
    }

    /// How many rules are being served.
    pub fn rules(&self, count: usize) {
        self.rules.set(whole(count));
    }

    /// What the store holds now.
    pub fn store(&self, sessions: usize, bytes: u64) {
        self.sessions.get_or_create(&[]).set(whole(sessions));
        self.bytes.get_or_create(&[]).set(bytes);
    }

    /// So many records lost their activity or went, for this reason.
    pub fn evicted(&self, reason: &str, count: u64) {
        self.evictions.get_or_create(&[("reason", reason.into())]).inc_by(count);
    }

    /// A request was turned away.
    pub fn refused(&self, reason: Refused) {
        self.refused.get_or_create(&[("reason", reason.as_str())]).inc();
    }

    /// A rule failed to evaluate.
    pub fn rule_error(&self, product: &Arc<str>, trigger: &Arc<str>) {
        let labels = [("product", Arc::clone(product)), ("trigger", Arc::clone(trigger))];
        self.rule_errors.get_or_create(&labels).inc();
    }

    /// The upstream at this place of a product's `sources` went from one state to another; none
    /// when it was not there before, or is no longer. The place stands for its address, which may
    /// hold secrets.
    pub fn source(
        &self,
        product: &Arc<str>,
        place: usize,
        left: Option<&str>,
        entered: Option<&str>,
    ) {
        let place: Arc<str> = place.to_string().into();
        let labels = |state: &str| -> Labels<3> {
            let (product, place) = (Arc::clone(product), Arc::clone(&place));
            [("product", product), ("source", place), ("state", state.into())]
        };
        if let Some(left) = left {
            self.sources.get_or_create(&labels(left)).set(0);
        }
        if let Some(entered) = entered {
            self.sources.get_or_create(&labels(entered)).set(1);
        }
    }

    /// All of it as OpenMetrics text, see [`CONTENT_TYPE`].
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string fails only where a label's own encoder does, and ours are strings.
        let _written = encode(&mut text, &self.registry);
        text
    }
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// A variant is a label only where there is one.
fn labels(product: &Arc<str>, trigger: &Arc<str>, variant: Option<&Arc<str>>) -> Vec<Label> {
    let mut labels = vec![("product", Arc::clone(product)), ("trigger", Arc::clone(trigger))];
    labels.extend(variant.map(|variant| ("variant", Arc::clone(variant))));
    labels
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<String> {
        metrics.encode().lines().map(str::to_owned).collect()
    }

    fn has(metrics: &Metrics, line: &str) -> bool {
        lines(metrics).iter().any(|found| found == line)
    }

    #[test]
    fn every_verdict_has_its_own_line_from_the_start() {
        let metrics = Metrics::new();
        metrics.poll(Verdict::Fire(3));
        metrics.poll(Verdict::Hold(Hold::NoTrigger));
        metrics.poll(Verdict::Hold(Hold::NoTrigger));
        assert!(has(&metrics, "docent_polls_total{verdict=\"fire\"} 1"));
        assert!(has(&metrics, "docent_polls_total{verdict=\"no_trigger\"} 2"));
        for hold in Hold::ALL {
            let start = format!("docent_polls_total{{verdict=\"{}\"}} ", hold.as_str());
            assert!(lines(&metrics).iter().any(|line| line.starts_with(&start)), "{start}");
        }
    }

    #[test]
    fn a_label_is_escaped_and_a_source_is_in_one_state() {
        let (metrics, product) = (Metrics::new(), Arc::from("ac\"me"));
        metrics.source(&product, 0, None, Some("connecting"));
        metrics.source(&product, 0, Some("connecting"), Some("streaming"));
        let line = |state, value| {
            format!("docent_source{{product=\"ac\\\"me\",source=\"0\",state=\"{state}\"}} {value}")
        };
        assert!(has(&metrics, &line("connecting", 0)));
        assert!(has(&metrics, &line("streaming", 1)));
    }

    #[test]
    fn responses_count_by_class() {
        let metrics = Metrics::new();
        for status in [200, 204, 422, 503, 42, 999] {
            metrics.response(status);
        }
        assert!(has(&metrics, "docent_responses_total{status=\"2xx\"} 2"));
        assert!(has(&metrics, "docent_responses_total{status=\"4xx\"} 1"));
        assert!(has(&metrics, "docent_responses_total{status=\"5xx\"} 1"));
    }
}
