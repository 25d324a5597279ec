//! `section_playbook_match`: words for the section of the product somebody spends time in
//! (contract 4.4). As in the SDK, the section with the longest dwell wins over the current one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::action::Action;
use crate::domain::text::{cap_body, strip};
use crate::rulebook::builtin::Hit;

/// The section of URLs that no rule names.
const OTHER: &str = "other";

/// The detector's parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SectionPlaybook {
    /// `section_url_rules`: prefix and section, both stripped; the first that fits counts.
    pub rules: Vec<(String, String)>,
    /// `section_url_fallback_id`, stripped; the section of all other URLs.
    pub fallback: String,
    /// `section_playbook`: what to say, by section; nothing, for a row without words.
    pub book: BTreeMap<String, Option<Words>>,
    /// `current_section_id`, stripped; wins over what activity says.
    pub current: String,
}

/// What to say in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// At most 150 characters.
    pub body: String,
    /// Accept, then dismiss; as written.
    pub labels: Vec<String>,
}

/// What activity says of sections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The section of the newest action; empty when no rules are set.
    pub current: String,
    /// By section.
    pub sections: BTreeMap<String, Stats>,
}

/// What activity says of one section.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// Seconds of each visit; a visit is a run of actions in the section.
    pub visits: Vec<f64>,
    /// Earliest `timestamp_start`, Unix seconds.
    pub first: f64,
    /// Latest `timestamp_end`, Unix seconds.
    pub last: f64,
}

impl SectionPlaybook {
    /// Takes the SDK's names; what has the wrong type is left out.
    pub fn from_params(params: &Map<String, Value>) -> Self {
        let text = |value: Option<&Value>| {
            value.and_then(Value::as_str).map(strip).unwrap_or_default().to_owned()
        };
        let rules = params.get("section_url_rules").and_then(Value::as_array);
        let rules = rules.into_iter().flatten();
        let rows = params.get("section_playbook").and_then(Value::as_object);
        Self {
            rules: rules.map(|r| (text(r.get("prefix")), text(r.get("section_id")))).collect(),
            fallback: text(params.get("section_url_fallback_id")),
            book: rows.into_iter().flatten().map(|(id, row)| (id.clone(), words(row))).collect(),
            current: text(params.get("current_section_id")),
        }
    }

    /// Looks at actions, oldest first.
    pub fn detect(&self, actions: &[&Action]) -> Option<Hit> {
        let section = self.section(&self.metrics(actions))?.to_owned();
        let Words { body, labels } = self.book.get(&section)?.clone()?;
        let mut metadata = Map::new();
        metadata.insert("section_id".into(), json!(section));
        Some(Hit { body, labels, metadata })
    }

    /// The section to speak of, if the playbook has it.
    pub fn section<'a>(&'a self, metrics: &'a Metrics) -> Option<&'a str> {
        let known = |id: &&str| self.book.contains_key(*id);
        let longest = metrics.sections.iter().filter(|(id, _)| self.book.contains_key(*id));
        let longest = longest.min_by(|(one_id, one), (other_id, other)| {
            let dwell = other.dwell().total_cmp(&one.dwell());
            dwell.then(other.visits.len().cmp(&one.visits.len())).then(one_id.cmp(other_id))
        });
        let named = Some(self.current.as_str()).filter(|id| !id.is_empty()).filter(known);
        named
            .or_else(|| longest.map(|(id, _)| id.as_str()))
            .or_else(|| Some(metrics.current.as_str()).filter(|id| !id.is_empty()).filter(known))
    }

    /// Dwell and visits by section.
    pub fn metrics(&self, actions: &[&Action]) -> Metrics {
        let mut metrics = Metrics::default();
        if self.rules.is_empty() {
            return metrics;
        }
        for action in actions {
            let id = self.section_of(&action.url);
            let dwell = (action.ended - action.started).max(0.0);
            let stays = metrics.current == id;
            let stats = metrics.sections.entry(id.to_owned()).or_insert_with(|| Stats {
                visits: Vec::new(),
                first: action.started,
                last: action.ended,
            });
            match stats.visits.last_mut() {
                Some(visit) if stays => *visit += dwell,
                _ => stats.visits.push(dwell),
            }
            stats.first = stats.first.min(action.started);
            stats.last = stats.last.max(action.ended);
            id.clone_into(&mut metrics.current);
        }
        metrics
    }

    fn section_of(&self, url: &str) -> &str {
        let url = strip(url);
        let fits = |(prefix, id): &&(String, String)| {
            !prefix.is_empty() && !id.is_empty() && url.starts_with(prefix)
        };
        match self.rules.iter().find(fits) {
            Some((_, id)) => id,
            None if self.fallback.is_empty() => OTHER,
            None => &self.fallback,
        }
    }
}

impl Stats {
    fn dwell(&self) -> f64 {
        self.visits.iter().sum()
    }
}

/// A row of the playbook: a text, or a mapping with a body and perhaps labels.
fn words(row: &Value) -> Option<Words> {
    let (body, labels) = match row {
        Value::String(body) => (Some(body.as_str()), None),
        Value::Object(_) => {
            let body = first_of(row, ["body", "proactive_body"]).and_then(Value::as_str);
            (body, first_of(row, ["reply_option_labels", "quick_reply_labels"]))
        }
        _ => return None,
    };
    let body = cap_body(body?);
    let labels = labels.and_then(Value::as_array).into_iter().flatten().map(shown);
    let labels = labels.filter(|label| !strip(label).is_empty()).collect();
    (!body.is_empty()).then(|| Words { body: body.to_owned(), labels })
}

fn first_of<'v>(row: &'v Value, keys: [&str; 2]) -> Option<&'v Value> {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    keys.into_iter().filter_map(|key| row.get(key)).find(|value| !empty(value))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
