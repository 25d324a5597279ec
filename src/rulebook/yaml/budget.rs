//! What one file may cost its reader, and how reading ends when that is spent.

use crate::rulebook::yaml::{Node, Spot, Value};

/// Lists and mappings inside one another.
pub(super) const MAX_DEPTH: usize = 64;
/// Values of one file, aliases counted in full.
pub(super) const MAX_NODES: usize = 50_000;
/// Aliases of one file.
pub(super) const MAX_ALIASES: usize = 1_000;
/// Bytes of one file: 1 MiB.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Why reading ends early.
pub(super) struct Stop {
    pub(super) spot: Spot,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// What a file has cost so far.
#[derive(Default)]
pub(super) struct Spent {
    pub(super) nodes: usize,
    pub(super) aliases: usize,
    /// Bytes of text that anchors and aliases copied.
    pub(super) copied: usize,
}

/// What a value costs to copy.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) depth: usize,
    pub(super) text: usize,
}

impl Spent {
    pub(super) fn charge(&mut self, size: Size, at: Spot) -> Result<(), Stop> {
        self.nodes += size.nodes;
        self.copied += size.text;
        if self.nodes > MAX_NODES {
            return Err(too_many(at, "values", MAX_NODES));
        }
        if self.copied > MAX_BYTES {
            return Err(too_many(at, "bytes of repeated text", MAX_BYTES));
        }
        Ok(())
    }
}

pub(super) fn size(node: &Node) -> Size {
    let within = |total: Size, child: &Node| {
        let size = size(child);
        Size {
            nodes: total.nodes + size.nodes,
            depth: total.depth.max(size.depth),
            text: total.text + size.text,
        }
    };
    let inner = match &node.value {
        Value::Str(text) => return Size { nodes: 1, depth: 0, text: text.len() },
        Value::Seq(items) => items.iter().fold(Size::default(), within),
        Value::Map(entries) => {
            entries.iter().flat_map(|(key, value)| [key, value]).fold(Size::default(), within)
        }
        _ => return Size { nodes: 1, ..Size::default() },
    };
    Size { nodes: inner.nodes + 1, depth: inner.depth + 1, text: inner.text }
}

pub(super) fn too_deep(spot: Spot) -> Stop {
    let message = format!("lists and mappings are nested deeper than {MAX_DEPTH} levels");
    Stop { spot, code: "too-deep", message, help: None }
}

pub(super) fn too_many(spot: Spot, what: &str, limit: usize) -> Stop {
    let message = format!("with its aliases the file has more than {limit} {what}");
    Stop { spot, code: "too-many", message, help: Some("repeat less, or split the file".into()) }
}
