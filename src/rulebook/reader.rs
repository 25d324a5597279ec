//! A typed reader over nodes: what is wrong is noted and reading goes on, so that an author sees
//! every mistake of a file at once.

mod repairs;

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::domain::time::Span;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::suggest::{did_you_mean, nearest, spelled_out};
use crate::rulebook::yaml::{Node, Spot, Style, Value, resolve};

/// Errors kept of one file, and warnings: whoever wrote more has one cause for them.
const MOST: usize = 200;

/// What is found in one file.
#[derive(Debug)]
pub struct Findings<'s> {
    file: Arc<str>,
    source: &'s str,
    list: Vec<Finding>,
    settled: Vec<Spot>,
    /// The finding noted last, unless it was not kept.
    latest: Option<usize>,
    /// Errors and warnings so far, the ones that are not kept included.
    errors: usize,
    warnings: usize,
}

impl<'s> Findings<'s> {
    /// Nothing found yet in `file` (relative to the workspace), whose text is `source`.
    pub fn new(file: &str, source: &'s str) -> Self {
        let (list, settled) = (Vec::new(), Vec::new());
        Self { file: file.into(), source, list, settled, latest: None, errors: 0, warnings: 0 }
    }

    /// The file, relative to the workspace.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The file's text.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// A mistake that is written where `node` is. `code` is stable and kebab case, `message` lower
    /// case without a full stop and with the author's words in backticks.
    pub fn error(
        &mut self,
        node: &Node,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.note(Severity::Error, node.at, code, message.into(), help);
    }

    /// A mistake at a place.
    pub fn error_at(
        &mut self,
        spot: Spot,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.note(Severity::Error, spot, code, message.into(), help);
    }

    /// A mistake inside a scalar: `length` characters from the character `offset` (from zero) of
    /// its decoded text on.
    pub fn error_within(
        &mut self,
        node: &Node,
        (offset, length): (usize, usize),
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        // Finding the place of each of very many mistakes in one long text would take forever.
        let (line, column) = match self.errors < MOST {
            true => node.position(self.source, offset),
            false => (node.at.line, node.at.column),
        };
        let spot = Spot { line, column, length: length.max(1) };
        self.note(Severity::Error, spot, code, message.into(), help);
    }

    /// Something that is served, but probably not meant.
    pub fn warning(
        &mut self,
        node: &Node,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.note(Severity::Warning, node.at, code, message.into(), help);
    }

    /// What is wrong with `node` has been said; whatever else is found of it follows from that.
    pub fn settle(&mut self, node: &Node) {
        self.settled.push(node.at);
    }

    /// How many have been found; a reader compares before and after.
    pub fn count(&self) -> usize {
        self.errors + self.warnings
    }

    /// What was noted, in the order found: of errors and of warnings the first 200 each.
    pub fn into_list(self) -> Vec<Finding> {
        self.list
    }

    fn note(
        &mut self,
        severity: Severity,
        spot: Spot,
        code: &'static str,
        message: String,
        help: Option<String>,
    ) {
        self.latest = None;
        if self.settled.contains(&spot) {
            return;
        }
        let noted = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning | Severity::Note => &mut self.warnings,
        };
        *noted += 1;
        if *noted > MOST {
            return;
        }
        let Spot { line, column, length } = spot;
        let (file, fix) = (Arc::clone(&self.file), None);
        self.latest = Some(self.list.len());
        self.list.push(Finding { file, line, column, length, severity, code, message, help, fix });
    }
}

/// A mapping whose keys are known.
#[derive(Clone, Debug)]
pub struct Fields<'n> {
    node: &'n Node,
    what: &'static str,
    /// Keys that are not known.
    strays: Vec<&'n str>,
}

impl<'n> Fields<'n> {
    /// Takes `node` as a mapping with these keys and no others; `what` names it in messages:
    /// `a trigger`. `None`, and a finding, when it is no mapping.
    pub fn of(
        node: &'n Node,
        what: &'static str,
        known: &[&str],
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let keys = known.join("`, `");
            let help = format!("{what} is a mapping with the keys `{keys}`");
            wrong_type(node, "a mapping", Some(help), findings);
            return None;
        };
        let mut strays = Vec::new();
        for (key, _) in entries {
            if !key.as_str().is_some_and(|name| known.contains(&name)) {
                unknown_key(key, what, known, findings);
                let absent = known.iter().copied().filter(|name| node.get(name).is_none());
                findings.respell(key.as_str().unwrap_or_default(), absent);
                strays.extend(key.as_str());
            }
        }
        Some(Self { node, what, strays })
    }

    /// The mapping itself.
    pub fn node(&self) -> &'n Node {
        self.node
    }

    /// Whether keys are written that are not known: what is missing is probably misspelt.
    pub fn has_strays(&self) -> bool {
        !self.strays.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.node.get(key)
    }

    /// Reads the value of a key into `target`, which keeps what it holds when the key is absent or
    /// its value is wrong.
    pub fn fill<T>(
        &self,
        key: &str,
        target: &mut T,
        read: impl FnOnce(&Node, &mut Findings<'_>) -> Option<T>,
        findings: &mut Findings<'_>,
    ) {
        if let Some(value) = self.get(key).and_then(|node| read(node, findings)) {
            *target = value;
        }
    }

    /// The value of a key; its absence is a finding, unless a misspelt key is one already.
    pub fn need(&self, key: &str, findings: &mut Findings<'_>) -> Option<&'n Node> {
        let found = self.get(key);
        let misspelt = || self.strays.iter().any(|stray| nearest(stray, [key]).is_some());
        if found.is_none() && !misspelt() {
            let message = format!("{} has no `{key}`", self.what);
            findings.error(self.node, "missing-key", message, Some(format!("add `{key}:`")));
        }
        found
    }
}

fn unknown_key(key: &Node, what: &str, known: &[&str], findings: &mut Findings<'_>) {
    let name = key.as_str().unwrap_or_else(|| key.written(findings.source()));
    let message = format!("{what} has no key `{name}`");
    let help = did_you_mean(name, known.iter().copied())
        .unwrap_or_else(|| format!("its keys are `{}`", known.join("`, `")));
    findings.error(key, "unknown-key", message, Some(help));
}

/// Notes that `expected` (`text`, `a list`, …) belongs where `node` is.
pub fn wrong_type(node: &Node, expected: &str, help: Option<String>, findings: &mut Findings<'_>) {
    let written = node.written(findings.source());
    let found = match (&node.value, written) {
        (Value::Null, _) => "there is nothing".to_owned(),
        (Value::Map(_) | Value::Seq(_), _) => format!("this is {}", node.kind()),
        (_, written) => format!("`{written}` is {}", node.kind()),
    };
    findings.error(node, "wrong-type", format!("{found} where {expected} belongs"), help);
}

/// Text, as written between its quotes; anything else is a finding.
pub fn text<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n str> {
    let found = node.as_str();
    if found.is_none() {
        let help = match node.value {
            Value::Null => "write a text; one that begins with `#` needs quotes".to_owned(),
            Value::Map(_) | Value::Seq(_) => "write a text".to_owned(),
            _ => format!("quote it: `\"{}\"`", node.written(findings.source())),
        };
        wrong_type(node, "text", Some(help), findings);
        if matches!(node.value, Value::Int(_) | Value::Float(_)) {
            let written = node.written(findings.source());
            findings.replace(written, &format!("\"{written}\""));
        }
    }
    found
}

/// Text that says something; blank text is a finding.
pub fn words<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n str> {
    let found = text(node, findings)?;
    if found.trim().is_empty() {
        findings.error(node, "blank", "this text is blank", Some("write a text".into()));
        return None;
    }
    Some(found)
}

/// What a value means once its variables are replaced: a text without quotes is given its type.
pub fn typed(node: &Node) -> Value {
    match &node.value {
        Value::Str(text) if node.style == Style::Plain => resolve(text),
        value => value.clone(),
    }
}

/// `true` or `false`; anything else is a finding.
pub fn flag(node: &Node, findings: &mut Findings<'_>) -> Option<bool> {
    if let Value::Bool(value) = typed(node) {
        return Some(value);
    }
    let (help, meant) = match node.as_str().map(str::to_lowercase).as_deref() {
        Some("true" | "yes" | "y" | "on" | "ja") => ("write `true`, without quotes", "true"),
        Some("false" | "no" | "n" | "off" | "nei") => ("write `false`, without quotes", "false"),
        _ => ("write `true` or `false`", ""),
    };
    wrong_type(node, "`true` or `false`", Some(help.into()), findings);
    findings.replace(node.as_str().unwrap_or_default(), meant);
    None
}

/// A whole number of a range; anything else is a finding.
pub fn whole(node: &Node, range: RangeInclusive<i64>, findings: &mut Findings<'_>) -> Option<i64> {
    let (low, high) = (range.start(), range.end());
    let help = match *high {
        i64::MAX => format!("write {low} or more"),
        _ => format!("write a number from {low} to {high}"),
    };
    let Value::Int(value) = typed(node) else {
        let quoted = node.as_str().map(str::trim).filter(|text| text.parse::<i64>().is_ok());
        let help = quoted.map_or(help, |number| format!("write `{number}`, without quotes"));
        wrong_type(node, "a whole number", Some(help), findings);
        if let Some(number) = quoted {
            findings.replace(node.as_str().unwrap_or_default(), number);
        }
        return None;
    };
    if range.contains(&value) {
        return Some(value);
    }
    findings.error(node, "out-of-range", format!("`{value}` is out of range"), Some(help));
    None
}

/// Reads a whole number of a range into a type that holds the range.
pub fn number<T: TryFrom<i64>>(
    range: RangeInclusive<i64>,
) -> impl FnOnce(&Node, &mut Findings<'_>) -> Option<T> {
    move |node, findings| T::try_from(whole(node, range, findings)?).ok()
}

/// A duration with its unit, `20s`; anything else is a finding.
pub fn span(node: &Node, findings: &mut Findings<'_>) -> Option<Span> {
    let text = match typed(node) {
        Value::Str(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => {
            wrong_type(node, "a duration", Some("write for example `20s`".into()), findings);
            return None;
        }
    };
    let help = || "a duration carries its unit: `30s`, `5m`, `7d`".to_owned();
    let parsed = Span::parse(&text);
    if let Err(error) = &parsed {
        findings.error(node, "bad-duration", error.to_string(), Some(help()));
        findings.repair(&text, &spelled_out(&text).unwrap_or_else(|| text.clone()));
    }
    parsed.ok()
}

/// Reads a duration from `low` to `high`; anything else is a finding.
pub fn between(low: Span, high: Span) -> impl FnOnce(&Node, &mut Findings<'_>) -> Option<Span> {
    move |node, findings| {
        let found = span(node, findings)?;
        if (low..=high).contains(&found) {
            return Some(found);
        }
        let help = format!("write a duration from {low} to {high}");
        findings.error(node, "out-of-range", format!("`{found}` is out of range"), Some(help));
        None
    }
}

/// The file's `version`, which is 1.
pub fn version(fields: &Fields<'_>, findings: &mut Findings<'_>) {
    let Some(node) = fields.need("version", findings) else { return };
    if typed(node) != Value::Int(1) {
        let message = format!("`{}` is no version of this file", node.written(findings.source()));
        findings.error(node, "bad-version", message, Some("write `version: 1`".into()));
        if node.as_str() == Some("1") {
            findings.replace("1", "1");
        }
    }
}

/// The items of a list; anything else is a finding and no items.
pub fn list<'n>(node: &'n Node, findings: &mut Findings<'_>) -> &'n [Node] {
    if let Value::Seq(items) = &node.value {
        return items;
    }
    wrong_type(node, "a list", None, findings);
    &[]
}

/// The items of a list, or the one value written without brackets.
pub fn one_or_several(node: &Node) -> &[Node] {
    match &node.value {
        Value::Seq(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// One of these names; anything else is a finding with a suggestion. `what` as in
/// `no {what} is called …`.
pub fn name_of<'k>(
    node: &Node,
    what: &str,
    known: &[&'k str],
    findings: &mut Findings<'_>,
) -> Option<&'k str> {
    let name = text(node, findings)?;
    let found = known.iter().find(|candidate| **candidate == name).copied();
    if found.is_none() {
        let help = did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("write one of `{}`", known.join("`, `")));
        findings.error(node, "unknown-name", format!("no {what} is called `{name}`"), Some(help));
        findings.respell(name, known.iter().copied());
    }
    found
}
