//! Tours: guided walkthroughs in a product's catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::page::PagePattern;
use crate::domain::time::Span;

/// One guided walkthrough.
#[derive(Clone, Debug, PartialEq)]
pub struct Tour {
    /// `[A-Za-z0-9_-]+`, not `none`.
    pub id: Arc<str>,
    /// Changes with what it shows: where it runs, and its steps.
    pub version: Arc<str>,
    /// For people.
    pub name: String,
    /// When a chatbot should choose it.
    pub use_when: String,
    /// When it should not.
    pub not_for: Option<String>,
    /// Where it runs.
    pub route: Option<PagePattern>,
    /// In order, at least one.
    pub steps: Vec<Step>,
    /// Overrides the offer's timeout.
    pub timeout: Option<Span>,
    /// Overrides the rule's cooldown.
    pub cooldown: Option<Span>,
}

/// One step, in the seeds' shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// A CSS selector.
    pub target: String,
    /// Heading of the step.
    pub title: String,
    /// What to do.
    pub content: String,
    /// `top`, `bottom`, `left`, `right` or `auto`.
    pub placement: String,
}

/// All tours of a product, by id.
pub type Catalogue = BTreeMap<Arc<str>, Tour>;
