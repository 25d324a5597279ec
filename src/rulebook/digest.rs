//! Two digests of a rulebook. One is of what decides: the meaning of its files, and nothing of where
//! docent runs, of secrets or of how a file is laid out, so that it is the same on every machine.
//! The other is of all of it, and tells whether anything has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::rulebook::Sources;
use crate::rulebook::yaml::{Node, Value};

/// Keys of `docent.yaml` that no decision depends on, and of each of its products.
const ELSEWHERE: &[&str] = &["listen", "admin", "store", "durability", "wait_replicas", "journal"];
const OF_PRODUCTS: &[&str] = &["allowed_origins", "keys", "sources", "sinks"];

/// What each file means, by its path.
#[derive(Debug, Default)]
pub(super) struct Meanings<'s>(BTreeMap<&'s str, Arc<str>>);

impl<'s> Meanings<'s> {
    /// The paths that count.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'s str> {
        self.0.keys().copied()
    }

    /// A file that is read as it stands.
    pub(super) fn text(&mut self, path: &'s str, text: &str) {
        let mut hash = Hash::default();
        hash.add(text.as_bytes());
        self.0.insert(path, hash.hex());
    }

    /// A file of YAML.
    pub(super) fn tree(&mut self, path: &'s str, root: &Node) {
        let mut hash = Hash::default();
        hash.node(root, &|_| true);
        self.0.insert(path, hash.hex());
    }

    /// `docent.yaml`, its variables replaced.
    pub(super) fn workspace(&mut self, path: &'s str, root: &Node) {
        let mut hash = Hash::default();
        hash.node(root, &|at| match *at {
            [key] => !ELSEWHERE.contains(&key),
            ["products", _, key] => !OF_PRODUCTS.contains(&key),
            _ => true,
        });
        self.0.insert(path, hash.hex());
    }

    /// A file that decides nothing.
    pub(super) fn none(&mut self, path: &'s str) {
        self.0.insert(path, Arc::default());
    }

    /// 16 hex digits of all of them.
    pub(super) fn digest(&self) -> Arc<str> {
        let mut all = Hash::default();
        for (path, meaning) in self.0.iter().filter(|(_, meaning)| !meaning.is_empty()) {
            all.add(path.as_bytes());
            all.add(meaning.as_bytes());
        }
        all.hex()
    }
}

/// 16 hex digits of these files as they stand, and of the variables that they used.
pub(super) fn whole<'p>(
    sources: &Sources,
    paths: impl Iterator<Item = &'p str>,
    variables: &BTreeMap<String, Option<String>>,
) -> Arc<str> {
    let mut hash = Hash::default();
    for path in paths {
        hash.add(path.as_bytes());
        hash.add(sources.files.get(path).map(Vec::as_slice).unwrap_or_default());
    }
    for (name, value) in variables {
        hash.add(name.as_bytes());
        hash.add(value.as_deref().unwrap_or("\0").as_bytes());
    }
    hash.hex()
}

/// SHA-256 over parts, each with its length before it.
#[derive(Default)]
struct Hash(Sha256);

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// A node with those of its keys that count, told by their path of keys from the root.
    fn node(&mut self, node: &Node, counts: &dyn Fn(&[&str]) -> bool) {
        self.beneath(node, &mut Vec::new(), counts);
    }

    fn beneath<'n>(
        &mut self,
        node: &'n Node,
        at: &mut Vec<&'n str>,
        counts: &dyn Fn(&[&str]) -> bool,
    ) {
        match &node.value {
            Value::Null => self.add(b"null"),
            Value::Bool(value) => self.scalar(b"bool", &[u8::from(*value)]),
            Value::Int(value) => self.scalar(b"int", &value.to_be_bytes()),
            Value::Float(value) => self.scalar(b"float", &value.to_bits().to_be_bytes()),
            Value::Str(value) => self.scalar(b"text", value.as_bytes()),
            Value::Seq(items) => {
                self.scalar(b"list", &(items.len() as u64).to_be_bytes());
                // No path leads through a list.
                items.iter().for_each(|item| self.beneath(item, &mut Vec::new(), &|_| true));
            }
            Value::Map(entries) => {
                self.add(b"map");
                for (key, value) in entries {
                    at.push(key.as_str().unwrap_or_default());
                    if counts(at) {
                        self.beneath(key, &mut Vec::new(), &|_| true);
                        self.beneath(value, at, counts);
                    }
                    at.pop();
                }
                self.add(b"end");
            }
        }
    }

    fn scalar(&mut self, kind: &[u8], bytes: &[u8]) {
        self.add(kind);
        self.add(bytes);
    }

    fn hex(self) -> Arc<str> {
        let digits: String =
            self.0.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        digits.into()
    }
}
