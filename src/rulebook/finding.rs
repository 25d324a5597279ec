//! Findings: what is wrong with a workspace, where, and what to write instead.

use std::ops::Range;
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
    /// It is well, and soon will not be.
    Note,
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
    /// The same for a machine, where only one thing can be meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

/// A text that takes the place of another in the finding's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fix {
    /// Where the text to replace begins; lines and columns as in the finding.
    pub line: usize,
    /// Its first character.
    pub column: usize,
    /// Where it ends.
    pub end_line: usize,
    /// The character behind its last one.
    pub end_column: usize,
    /// What to write there.
    pub replacement: String,
}

impl Finding {
    /// The bytes meant; `None` when the source has no such place.
    pub fn extent(&self, source: &str) -> Option<Range<usize>> {
        let column = self.column.max(1);
        Some(byte(source, self.line, column)?..byte(source, self.line, column + self.length)?)
    }
}

impl Fix {
    /// The bytes that it replaces; `None` when the source has no such place.
    pub fn extent(&self, source: &str) -> Option<Range<usize>> {
        let start = byte(source, self.line, self.column)?;
        Some(start..byte(source, self.end_line, self.end_column)?.max(start))
    }
}

/// The byte at a line and column, both from one; a column behind the line's end is its end.
fn byte(source: &str, line: usize, column: usize) -> Option<usize> {
    let before = line.checked_sub(1)?;
    let text = source.split_inclusive('\n').nth(before)?;
    let start: usize = source.split_inclusive('\n').take(before).map(str::len).sum();
    let written = text.trim_end_matches(['\n', '\r']);
    let at = written.char_indices().nth(column.saturating_sub(1));
    Some(start + at.map_or(written.len(), |(at, _)| at))
}
