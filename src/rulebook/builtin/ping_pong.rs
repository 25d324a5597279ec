//! `canonical_url_ping_pong`: somebody goes back and forth between URLs (contract 4.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::text::strip;
use crate::rulebook::builtin::Hit;

/// The SDK's words.
pub const BODY: &str = "Need my expert help?";

/// The detector's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingPong {
    /// `min_cycles`: so many A, B, A.
    pub min_cycles: i64,
    /// `hesitation_min_distinct`: or so many different URLs, one of them twice.
    pub hesitation_min_distinct: i64,
    /// `url_must_contain`: stripped; empty means anywhere (contract 4.2.1).
    pub url_must_contain: String,
    /// `either_leg_must_contain`: a cycle counts when one of its two URLs contains this, and
    /// hesitation does not count; empty means all of it counts (contract 4.2.2).
    pub either_leg_must_contain: String,
}

impl Default for PingPong {
    fn default() -> Self {
        Self {
            min_cycles: 1,
            hesitation_min_distinct: 3,
            url_must_contain: String::new(),
            either_leg_must_contain: String::new(),
        }
    }
}

impl PingPong {
    /// Looks at one URL per action, oldest first; blank ones do not count.
    pub fn detect(&self, urls: &[&str]) -> Option<Hit> {
        let scope = strip(&self.url_must_contain);
        if !scope.is_empty() && !urls.iter().any(|url| strip(url).contains(scope)) {
            return None;
        }
        let leg = strip(&self.either_leg_must_contain);
        let scoped: Vec<_> = urls.iter().copied().filter(|url| url.contains(scope)).collect();
        let checks = [
            ("strict_ping_pong", cycles_between(urls, self.min_cycles, leg)),
            (
                "hesitation_distinct_with_revisit",
                leg.is_empty() && hesitates(&scoped, self.hesitation_min_distinct, 1),
            ),
        ];
        let matched: Vec<_> =
            checks.iter().filter(|(_, met)| *met).map(|(name, _)| Value::from(*name)).collect();
        if matched.is_empty() {
            return None;
        }
        Some(Hit { body: BODY.to_owned(), labels: Vec::new(), metadata: self.metadata(matched) })
    }

    fn metadata(&self, matched: Vec<Value>) -> Map<String, Value> {
        let mut metadata = Map::new();
        metadata.insert("min_cycles".into(), json!(self.min_cycles));
        metadata.insert("matched".into(), Value::Array(matched));
        metadata.insert("hesitation_min_distinct".into(), json!(self.hesitation_min_distinct));
        let scope = strip(&self.url_must_contain);
        if !scope.is_empty() {
            metadata.insert("scoped_canonical_url_contains".into(), json!(scope));
        }
        metadata
    }
}

/// At least `min_cycles` times A, B, A with A different from B and, unless `leg` is empty, one of
/// the two containing it. Cycles may overlap; repeats are not collapsed.
pub fn cycles_between(urls: &[&str], min_cycles: i64, leg: &str) -> bool {
    let urls = present(urls);
    let cycles = urls
        .iter()
        .zip(urls.iter().skip(1))
        .zip(urls.iter().skip(2))
        .filter(|((first, between), last)| first == last && first != between)
        .filter(|((first, between), _)| first.contains(leg) || between.contains(leg))
        .count();
    urls.len() >= 3 && at_least(cycles, min_cycles)
}

/// At least `min_distinct` different URLs, `min_repeats` of them more than once.
pub fn hesitates(urls: &[&str], min_distinct: i64, min_repeats: i64) -> bool {
    let urls = present(urls);
    let mut times = BTreeMap::<&str, usize>::new();
    for url in &urls {
        *times.entry(url).or_default() += 1;
    }
    let repeated = times.values().filter(|times| **times >= 2).count();
    urls.len() >= 3 && at_least(times.len(), min_distinct) && at_least(repeated, min_repeats)
}

fn present<'a>(urls: &[&'a str]) -> Vec<&'a str> {
    urls.iter().map(|url| strip(url)).filter(|url| !url.is_empty()).collect()
}

fn at_least(found: usize, wanted: i64) -> bool {
    i64::try_from(found).unwrap_or(i64::MAX) >= wanted
}
