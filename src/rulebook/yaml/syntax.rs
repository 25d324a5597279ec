//! What the parser says when a file is no YAML, in an author's words.

use serde_saphyr::granit_parser::ScanError;

use crate::rulebook::yaml::Spot;
use crate::rulebook::yaml::budget::Stop;

/// A syntax error is its file's last finding.
pub(super) fn syntax(error: &ScanError, source: &str) -> Stop {
    let mark = error.marker();
    let (line, column) = (mark.line().max(1), mark.col() + 1);
    let written = source.lines().nth(line - 1).unwrap_or("");
    let indentation = written.chars().take_while(|c| c.is_whitespace()).collect::<String>();
    if let Some(tab) = indentation.find('\t') {
        let spot = Spot { line, column: tab + 1, length: 1 };
        let message = "a tab indents this line".to_owned();
        return Stop { spot, code: "tab", message, help: Some("indent with spaces".into()) };
    }
    let text = error.info();
    let message = text.strip_suffix('.').unwrap_or(&text).to_lowercase();
    let help = written
        .contains(": ")
        .then(|| "a text that contains `: `, `#`, `[` or `{` needs quotes".to_owned());
    Stop { spot: Spot { line, column, length: 1 }, code: "syntax", message, help }
}
