//! The words of an offer: what the toast says, and its buttons.

use crate::domain::text::{BODY_MAX_CHARS, strip};
use crate::rulebook::reader::{Fields, Findings, text, words, wrong_type};
use crate::rulebook::template::{self, Text};
use crate::rulebook::yaml::{Node, Value};

/// As many as the seeds' clients show.
pub const MOST_LABELS: usize = 3;

/// What the toast says.
pub(in crate::rulebook) fn body(node: &Node, findings: &mut Findings<'_>) -> Option<Text> {
    let written = words(node, findings)?;
    let body = template::read(node, written, findings)?;
    let (length, most) = (body.least_chars(), BODY_MAX_CHARS);
    if length > most {
        let message = format!("the body has {length} characters; a toast carries {most}");
        // Where a plain text is too long can be shown; braces are no place to cut.
        if length == strip(written).chars().count() {
            let skipped = written.chars().take_while(|c| c.is_whitespace()).count();
            let help = format!("cut {} characters, from here on", length - most);
            findings.error_within(node, (skipped + most, 1), "long-body", message, Some(help));
        } else {
            let help = format!("cut {} characters, of what is always said", length - most);
            findings.error(node, "long-body", message, Some(help));
        }
    }
    Some(body)
}

/// `accept` and `dismiss`, or `labels`; a builtin may leave them out.
pub(in crate::rulebook) fn labels(
    fields: &Fields<'_>,
    speaks: bool,
    findings: &mut Findings<'_>,
) -> Vec<Text> {
    let pair = fields.get("accept").or(fields.get("dismiss"));
    if let (Some(_), Some(node)) = (fields.get("labels"), pair) {
        let help = "keep `accept` and `dismiss`".to_owned();
        let message = "an offer has `labels` or `accept` and `dismiss`";
        findings.error(node, "conflict", message, Some(help));
    }
    let nodes: Vec<&Node> = match fields.get("labels") {
        Some(node) => several(node, findings),
        None if pair.is_none() && speaks => Vec::new(),
        None => ["accept", "dismiss"].iter().filter_map(|key| fields.need(key, findings)).collect(),
    };
    nodes.into_iter().filter_map(|node| label(node, findings)).collect()
}

/// What one button says.
pub(in crate::rulebook) fn label(node: &Node, findings: &mut Findings<'_>) -> Option<Text> {
    let label = text(node, findings)?;
    if label.trim().is_empty() {
        let help = "write what the button says".to_owned();
        findings.error(node, "blank-label", "this label is blank", Some(help));
    }
    template::read(node, label, findings)
}

/// The buttons of a list.
pub(in crate::rulebook) fn several<'n>(
    node: &'n Node,
    findings: &mut Findings<'_>,
) -> Vec<&'n Node> {
    let Value::Seq(items) = &node.value else {
        wrong_type(node, "a list of labels", Some("write `[Yes, No]`".into()), findings);
        return Vec::new();
    };
    if !(1..=MOST_LABELS).contains(&items.len()) {
        let message =
            format!("an offer has 1 to {MOST_LABELS} labels, and here are {}", items.len());
        findings.error(node, "out-of-range", message, None);
    }
    items.iter().collect()
}
