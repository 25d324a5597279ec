//! The published SDK's detectors, exact to its version 0.13.0.

use serde_json::{Map, Value};

use crate::rulebook::condition::{Answer, Truth, View};
use crate::rulebook::settings::Windows;

/// One of the SDK's detectors with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Builtin {}

/// What a detector found: the SDK's result, before a rule's own words replace its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// At most 150 characters.
    pub body: String,
    /// None for the SDK's own.
    pub labels: Vec<String>,
    /// The SDK's `metadata`.
    pub metadata: Map<String, Value>,
}

impl Builtin {
    /// Whether it matches. The SDK's windows slide by other clocks than ours, so the answer stands
    /// for this instant alone.
    pub fn answer(&self, view: &View<'_>, windows: &Windows) -> Answer {
        let truth = if self.detect(view, windows).is_some() { Truth::True } else { Truth::False };
        Answer { truth, until: view.now }
    }

    /// Looks at the session through the SDK's windows.
    pub fn detect(&self, _view: &View<'_>, _windows: &Windows) -> Option<Hit> {
        match *self {}
    }
}

/// Reads `builtin:` and `params:`.
pub fn read(
    name: &crate::rulebook::yaml::Node,
    _params: Option<&crate::rulebook::yaml::Node>,
    findings: &mut crate::rulebook::reader::Findings<'_>,
) -> Option<Builtin> {
    findings.error(name, "unknown-builtin", "no builtin is known", None);
    None
}
