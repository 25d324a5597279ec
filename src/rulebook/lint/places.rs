//! Where in its file a part of a rule is written. Files are read again, once each, and only those
//! that something is said about.

use std::collections::BTreeMap;

use crate::rulebook::Sources;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::lint::Desk;
use crate::rulebook::reader::Findings;
use crate::rulebook::rule::Rule;
use crate::rulebook::yaml::{self, Node, Spot, Value};

/// Files as trees.
pub(super) struct Places<'s> {
    sources: &'s Sources,
    read: BTreeMap<String, Option<Node>>,
}

impl<'s> Places<'s> {
    pub(super) fn of(sources: &'s Sources) -> Self {
        Self { sources, read: BTreeMap::new() }
    }

    /// The root of a file.
    pub(super) fn file(&mut self, path: &str) -> Option<&Node> {
        if !self.read.contains_key(path) {
            let bytes = self.sources.files.get(path);
            let text = bytes.and_then(|bytes| yaml::decode(bytes, path).ok());
            let root = text.and_then(|text| yaml::read(&mut Findings::new(path, text)));
            self.read.insert(path.to_owned(), root);
        }
        self.read.get(path)?.as_ref()
    }

    /// The mapping of a trigger.
    pub(super) fn trigger(&mut self, rule: &Rule) -> Option<&Node> {
        let line = rule.written.line;
        let Value::Seq(items) = &self.file(&rule.written.file)?.get("triggers")?.value else {
            return None;
        };
        items.iter().find(|item| item.at.line == line)
    }

    /// The value of a trigger's key; none when it is not written.
    pub(super) fn key(&mut self, rule: &Rule, key: &str) -> Option<&Node> {
        self.trigger(rule)?.get(key)
    }
}

impl Desk<'_> {
    /// Warns at the value of a trigger's key, else at the trigger.
    pub(super) fn warn(
        &mut self,
        rule: &Rule,
        key: &str,
        code: &'static str,
        message: String,
        help: &str,
    ) {
        let whole = Spot { line: rule.written.line, column: 1, length: 1 };
        let spot = self.places.key(rule, key).map(|node| node.at);
        let spot = spot.or_else(|| self.places.trigger(rule).map(|node| node.at)).unwrap_or(whole);
        self.warn_at(&rule.written.file.clone(), spot, code, message, help);
    }

    /// Warns at a place.
    pub(super) fn warn_at(
        &mut self,
        file: &str,
        spot: Spot,
        code: &'static str,
        message: String,
        help: &str,
    ) {
        self.say(Severity::Warning, file, spot, code, message, help);
    }

    /// Says something at a place.
    pub(super) fn say(
        &mut self,
        severity: Severity,
        file: &str,
        Spot { line, column, length }: Spot,
        code: &'static str,
        message: String,
        help: &str,
    ) {
        let (file, help, fix) = (file.into(), Some(help.to_owned()), None);
        self.found.push(Finding { file, line, column, length, severity, code, message, help, fix });
    }
}
