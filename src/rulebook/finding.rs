//! Findings: what is wrong with a workspace, where, and what to write instead.

use std::sync::Arc;

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The candidate is refused.
    Error,
    /// It is served, but probably not meant.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Relative to the workspace.
    pub file: Arc<str>,
    /// From one; zero when the file itself is the trouble.
    pub line: usize,
    /// In characters, from one.
    pub column: usize,
    /// How many characters of that line are meant.
    pub length: usize,
    /// Whether the candidate is refused.
    pub severity: Severity,
    /// Stable, kebab case: `unknown-key`.
    pub code: &'static str,
    /// Lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// What to write instead, when that is known.
    pub help: Option<String>,
}
