//! Bytes to a tree, within a budget: what is too large, too deep or too often repeated is a
//! finding, and nothing a file holds can stop or stall its reader.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_saphyr::granit_parser::{
    self, Event, Parser, ScalarStyle, Span as Extent, StructureStyle, Tag,
};

use crate::rulebook::reader::Findings;
use crate::rulebook::yaml::budget::{
    MAX_ALIASES, MAX_BYTES, MAX_DEPTH, Size, Spent, Stop, size, too_deep, too_many,
};
use crate::rulebook::yaml::mend::mend;
use crate::rulebook::yaml::syntax::syntax;
use crate::rulebook::yaml::{Node, Spot, Style, Value, resolve};

/// The text of a file; what is no text, or too much of it, is its only finding.
pub fn decode<'b>(bytes: &'b [u8], file: &str) -> Result<&'b str, Box<Findings<'b>>> {
    let refuse = |spot: Spot, code, message: String, help: &str| {
        let mut findings = Findings::new(file, "");
        findings.error_at(spot, code, message, Some(help.to_owned()));
        Err(Box::new(findings))
    };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes");
        return refuse(Spot::default(), "too-large", message, "split it");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = String::from_utf8_lossy(good);
            let last = before.rsplit('\n').next().unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let spot = Spot { line, column: last.chars().count() + 1, length: 1 };
            let message = "a byte here is not UTF-8".to_owned();
            refuse(spot, "not-utf8", message, "save the file as UTF-8")
        }
    }
}

/// The one document of a file. `None` when it cannot be read as YAML; a syntax error is then the
/// last finding. Duplicate keys, tags and text lost behind ` #` are findings too.
pub fn read(findings: &mut Findings<'_>) -> Option<Node> {
    match parse(findings) {
        Ok(root) => root,
        Err(stop) => {
            let fix = mend(&stop, findings.source());
            findings.error_at(stop.spot, stop.code, stop.message, stop.help);
            findings.rewrite(fix);
            None
        }
    }
}

pub(super) fn parse(findings: &mut Findings<'_>) -> Result<Option<Node>, Stop> {
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        disallow_directives: true,
    };
    let source = findings.source();
    let mut tree = Tree {
        findings,
        open: Vec::new(),
        anchors: HashMap::new(),
        spent: Spent::default(),
        root: None,
    };
    for step in Parser::new_from_str_with_options(source, options) {
        match step {
            Ok((event, extent)) => tree.take(event, extent)?,
            Err(error) => return Err(syntax(&error, source)),
        }
    }
    Ok(tree.root)
}

/// A list or mapping that has not ended yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key of a mapping that waits for its value, and whether it is a new one.
    key: Option<(Node, bool)>,
    /// The keys so far with their lines.
    keys: HashMap<String, usize>,
}

/// A named value and what repeating it costs.
struct Anchored {
    node: Node,
    size: Size,
}

struct Tree<'f, 's> {
    findings: &'f mut Findings<'s>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    spent: Spent,
    root: Option<Node>,
}

impl Tree<'_, '_> {
    fn take(&mut self, event: Event<'_>, extent: Extent) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err(Stop {
                spot: spot(&extent),
                code: "several-documents",
                message: "a second document begins here".into(),
                help: Some("a file holds one document; remove the `---`".into()),
            }),
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), &extent);
                let node = self.scalar(text, style, &extent);
                self.add(node, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), &extent);
                self.begin(Value::Seq(Vec::new()), style, anchor, &extent)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), &extent);
                self.begin(Value::Map(Vec::new()), style, anchor, &extent)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&extent),
            Event::Alias(anchor) => self.alias(anchor, &extent),
            _ => Ok(()),
        }
    }

    /// A tag asks for a type that nothing here has.
    fn tag(&mut self, tag: Option<&Tag>, extent: &Extent) {
        let Some(tag) = tag else { return };
        let written = tag.original();
        let start = extent.tag_start.unwrap_or(extent.start);
        let length = written.chars().count().max(1);
        let spot = Spot { line: start.line(), column: start.col() + 1, length };
        let message = format!("`{written}` is a YAML tag, and tags mean nothing here");
        let help = "quote it if it is text, else remove it".to_owned();
        self.findings.error_at(spot, "tag", message, Some(help));
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, extent: &Extent) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let value = match style {
            Style::Plain => resolve(&text),
            _ => Value::Str(text.into_owned()),
        };
        let bytes = bytes(extent);
        let mut at = spot(extent);
        if extent.end.line() > extent.start.line() {
            at.length = rest_of_line(self.findings.source(), bytes.0);
        }
        let node = Node { value, at, style, bytes };
        if style == Style::Plain {
            self.lost_text(&node);
        }
        node
    }

    /// `body: Need help with #1?` says `Need help with` to YAML and more to its author.
    fn lost_text(&mut self, node: &Node) {
        let Some(text) = node.as_str().filter(|text| text.contains(char::is_whitespace)) else {
            return;
        };
        let after = self.findings.source().get(node.bytes.1..).unwrap_or("");
        let tail = after.lines().next().unwrap_or("");
        if !tail.starts_with([' ', '\t']) || !tail.trim_start().starts_with('#') {
            return;
        }
        let (last, tail) = (text.split_whitespace().last().unwrap_or(text), tail.trim());
        let message = format!(
            "after `{last}` the text ends, because ` #` begins a comment: `{tail}` is lost"
        );
        let help = "quote it; a comment may stand on a line of its own".to_owned();
        self.findings.error(node, "lost-text", message, Some(help));
    }

    fn begin(
        &mut self,
        value: Value,
        style: StructureStyle,
        anchor: usize,
        extent: &Extent,
    ) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(spot(extent)));
        }
        let style = match style {
            StructureStyle::Block => Style::Block,
            StructureStyle::Flow => Style::Flow,
        };
        let at = Spot { length: 1, ..spot(extent) };
        let node = Node { value, at, style, bytes: bytes(extent) };
        self.open.push(Open { node, anchor, key: None, keys: HashMap::new() });
        Ok(())
    }

    fn end(&mut self, extent: &Extent) -> Result<(), Stop> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        open.node.bytes.1 = bytes(extent).1.max(open.node.bytes.0);
        if let (Style::Block, Value::Map(entries)) = (open.node.style, &open.node.value)
            && let Some((key, _)) = entries.first()
        {
            open.node.at = key.at;
        }
        self.add(open.node, open.anchor)
    }

    fn alias(&mut self, anchor: usize, extent: &Extent) -> Result<(), Stop> {
        self.spent.aliases += 1;
        if self.spent.aliases > MAX_ALIASES {
            return Err(too_many(spot(extent), "aliases", MAX_ALIASES));
        }
        let Some(named) = self.anchors.get(&anchor) else {
            return Err(Stop {
                spot: spot(extent),
                code: "syntax",
                message: "this alias repeats the value it stands in".into(),
                help: None,
            });
        };
        if self.open.len() + named.size.depth > MAX_DEPTH {
            return Err(too_deep(spot(extent)));
        }
        let node = named.node.clone();
        self.spent.charge(named.size, spot(extent))?;
        self.place(node);
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.spent.charge(Size { nodes: 1, ..Size::default() }, node.at)?;
        if anchor != 0 {
            let size = size(&node);
            self.spent.charge(size, node.at)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        }
        self.place(node);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::Seq(items), _) => items.push(node),
            (Value::Map(_), None) => {
                let new = is_new(&node, &mut open.keys, self.findings);
                open.key = Some((node, new));
            }
            (Value::Map(entries), Some((key, true))) => entries.push((key, node)),
            _ => {}
        }
    }
}

/// Whether a key may stand in its mapping; when not, that is a finding.
fn is_new(key: &Node, keys: &mut HashMap<String, usize>, findings: &mut Findings<'_>) -> bool {
    if matches!(key.value, Value::Seq(_) | Value::Map(_) | Value::Null) {
        let message = format!("a key is text, and this is {}", key.kind());
        findings.error(key, "bad-key", message, Some("quote it if it is text".into()));
        return false;
    }
    // Text and what looks like it are two keys: `1` and `"1"`.
    let name = key.as_str().map_or_else(|| key.to_json().to_string(), |text| format!("\"{text}"));
    if let Some(line) = keys.get(&name) {
        let message = format!("the key `{}` is written twice", name.trim_matches('"'));
        let help = format!("remove one of them; the first is on line {line}");
        findings.error(key, "duplicate-key", message, Some(help));
        return false;
    }
    keys.insert(name, key.at.line);
    true
}

fn bytes(extent: &Extent) -> (usize, usize) {
    let start = extent.start.byte_offset().unwrap_or(0);
    (start, extent.end.byte_offset().unwrap_or(start).max(start))
}

fn spot(extent: &Extent) -> Spot {
    let (start, end) = (&extent.start, &extent.end);
    let length = if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { 1 };
    Spot { line: start.line(), column: start.col() + 1, length: length.max(1) }
}

fn rest_of_line(source: &str, start: usize) -> usize {
    let rest = source.get(start..).and_then(|text| text.lines().next()).unwrap_or("");
    rest.trim_end().chars().count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(&'static str, usize, usize, usize)> {
        let mut findings = Findings::new("t.yaml", source);
        read(&mut findings);
        findings.into_list().iter().map(|f| (f.code, f.line, f.column, f.length)).collect()
    }

    fn tree(source: &str) -> Node {
        let mut findings = Findings::new("t.yaml", source);
        let node = read(&mut findings);
        assert_eq!(findings.count(), 0, "{findings:?}");
        node.unwrap()
    }

    #[test]
    fn what_cannot_be_meant_is_found_at_its_place() {
        for (source, expected) in [
            ("a: 1\nb: 2\na: 3\n", ("duplicate-key", 3, 1, 1)),
            ("a: !secret x\n", ("tag", 1, 4, 7)),
            ("a: !!str x\n", ("tag", 1, 4, 5)),
            ("body: Need help with #1?\n", ("lost-text", 1, 7, 14)),
            ("a:\n\tb: 1\n", ("tab", 2, 1, 1)),
            ("a: b: c\n", ("syntax", 1, 5, 1)),
            ("a: 1\n---\nb: 1\n", ("several-documents", 2, 1, 3)),
            ("? [a]\n: 1\n", ("bad-key", 1, 3, 1)),
            ("%YAML 1.1\n---\na: 1\n", ("syntax", 1, 1, 1)),
            ("a: *b\n", ("syntax", 1, 4, 1)),
        ] {
            assert_eq!(found(source), [expected], "{source}");
        }
    }

    #[test]
    fn a_comment_behind_one_word_is_a_comment() {
        assert_eq!(found("a: word # why\nb: \"two words\" # why\nc: x#y z\nd: 5 # why\n"), []);
    }

    #[test]
    fn aliases_repeat_what_they_name() {
        let root = tree("a: &x [1, 2]\nb: *x\n");
        assert_eq!(root.get("a").unwrap().to_json(), root.get("b").unwrap().to_json());
    }

    #[test]
    fn budgets_end_what_would_not_end() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let parts = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{parts}]\n");
        }
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(900_000), "*a, ".repeat(500));
        for (source, code) in [
            (bomb.as_str(), "too-many"),
            (&long, "too-many"),
            (&"- x\n".repeat(50_001), "too-many"),
            (&format!("- &a x\n{}", "- *a\n".repeat(1_001)), "too-many"),
            (&"[".repeat(100_000), "syntax"),
            (&"- ".repeat(100_000), "syntax"),
            (
                &format!(
                    "a: &a {}x{}\nb: {}*a{}",
                    "[".repeat(40),
                    "]".repeat(40),
                    "[".repeat(40),
                    "]".repeat(40)
                ),
                "too-deep",
            ),
            ("a: &a [*a]\n", "syntax"),
        ] {
            let codes: Vec<_> =
                found(source).iter().map(|(code, line, ..)| (*code, *line > 0)).collect();
            let head: String = source.chars().take(30).collect();
            assert_eq!(codes, [(code, true)], "{head}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_found() {
        let refused = |bytes: &[u8]| {
            let list = decode(bytes, "t.yaml").unwrap_err().into_list();
            list.iter().map(|f| (f.code, f.line, f.column)).collect::<Vec<_>>()
        };
        assert_eq!(refused(b"a: 1\nb\xc3\xa9: \xff\n"), [("not-utf8", 2, 5)]);
        assert_eq!(refused(&vec![b'x'; 50 << 20]), [("too-large", 0, 0)]);
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(tree("\u{feff}a: 1\n").get("a").unwrap().value, Value::Int(1));
    }
}
