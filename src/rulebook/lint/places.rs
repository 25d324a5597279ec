//! Where in its file a part of a rule is written. Files are read again, once each, and only those
//! that something is said about.

use std::collections::{BTreeMap, HashMap};

use crate::rulebook::Sources;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::lint::Desk;
use crate::rulebook::reader::Findings;
use crate::rulebook::rule::Rule;
use crate::rulebook::yaml::{self, Node, Spot, Value};

/// Files as trees.
pub(super) struct Places<'s> {
    sources: &'s Sources,
    read: BTreeMap<String, Option<File>>,
}

/// A file, and the place of each trigger by the line it begins on.
struct File {
    root: Node,
    triggers: HashMap<usize, usize>,
}

impl<'s> Places<'s> {
    pub(super) fn of(sources: &'s Sources) -> Self {
        Self { sources, read: BTreeMap::new() }
    }

    /// The root of a file.
    pub(super) fn file(&mut self, path: &str) -> Option<&Node> {
        self.read(path).map(|file| &file.root)
    }

    fn read(&mut self, path: &str) -> Option<&File> {
        if !self.read.contains_key(path) {
            let bytes = self.sources.files.get(path);
            let text = bytes.and_then(|bytes| yaml::decode(bytes, path).ok());
            let root = text.and_then(|text| yaml::read(&mut Findings::new(path, text)));
            let file = root.map(|root| {
                let items = triggers(&root).iter().enumerate();
                let triggers = items.map(|(place, item)| (item.at.line, place)).rev().collect();
                File { root, triggers }
            });
            self.read.insert(path.to_owned(), file);
        }
        self.read.get(path)?.as_ref()
    }

    /// The mapping of a trigger.
    pub(super) fn trigger(&mut self, rule: &Rule) -> Option<&Node> {
        let file = self.read(&rule.written.file)?;
        triggers(&file.root).get(*file.triggers.get(&rule.written.line)?)
    }

    /// The value of a trigger's key; none when it is not written.
    pub(super) fn key(&mut self, rule: &Rule, key: &str) -> Option<&Node> {
        self.trigger(rule)?.get(key)
    }
}

fn triggers(root: &Node) -> &[Node] {
    match root.get("triggers").map(|node| &node.value) {
        Some(Value::Seq(items)) => items,
        _ => &[],
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
