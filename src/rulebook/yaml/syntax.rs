//! What the parser says when a file is no YAML, in an author's words.

use serde_saphyr::granit_parser::ScanError;

use crate::rulebook::yaml::Spot;
use crate::rulebook::yaml::budget::Stop;

/// A syntax error is its file's last finding.
pub(super) fn syntax(error: &ScanError, source: &str) -> Stop {
    let mark = error.marker();
    let (line, column) = (mark.line().max(1), mark.col() + 1);
    let written = source.lines().nth(line - 1).unwrap_or("");
    let text = error.info();
    if let Some(spot) = tab(source, line, text.contains("tab")) {
        let message = "a tab indents this line".to_owned();
        return Stop { spot, code: "tab", message, help: Some("indent with spaces".into()) };
    }
    let message = text.strip_suffix('.').unwrap_or(&text).to_lowercase();
    let help = help(&message, written).map(str::to_owned);
    Stop { spot: Spot { line, column, length: 1 }, code: "syntax", message, help }
}

/// What to write, when the parser's words leave no doubt.
fn help(message: &str, written: &str) -> Option<&'static str> {
    if message.contains("block collection") || message.contains("block mapping") {
        return Some("indent this line exactly as the others of its list or mapping");
    }
    if message.contains("quoted scalar") && !message.contains("trailing") {
        return Some("close the quote of the text above");
    }
    written.contains(": ").then_some("a text that contains `: `, `#`, `[` or `{` needs quotes")
}

/// The first tab that indents the line, or, when the parser speaks of one, a line after it.
fn tab(source: &str, line: usize, later: bool) -> Option<Spot> {
    let lines = source.lines().enumerate().skip(line - 1);
    lines.take(if later { usize::MAX } else { 1 }).find_map(|(number, text)| {
        let indentation = text.chars().take_while(|c| matches!(c, ' ' | '\t'));
        let column = indentation.enumerate().find(|(_, c)| *c == '\t')?.0 + 1;
        Some(Spot { line: number + 1, column, length: 1 })
    })
}
