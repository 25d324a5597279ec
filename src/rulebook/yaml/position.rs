//! Where a character of a decoded scalar is written: the source is read once more in step with
//! YAML's rules of folding and escaping, noting for every decoded character where it comes from.

use crate::rulebook::yaml::{Node, Style, Value};

/// See [`Node::position`].
pub(super) fn position(node: &Node, source: &str, offset: usize) -> (usize, usize) {
    if matches!(node.value, Value::Seq(_) | Value::Map(_)) {
        return (node.at.line, node.at.column);
    }
    let raw = source.get(node.bytes.0..node.bytes.1).unwrap_or("");
    let decoded = node.as_str().unwrap_or("");
    let origins = match node.style {
        Style::Literal | Style::Folded => {
            block(raw, decoded, (node.at.column.saturating_sub(1), node.style == Style::Folded))
        }
        _ => flow(raw, node.style, offset),
    };
    let end = origins.last().map_or(0, |last| last + 1);
    let chars = origins.get(offset).copied().unwrap_or(end);
    let before: String = raw.chars().take(chars).collect();
    match before.rsplit_once('\n') {
        None => (node.at.line, node.at.column + before.chars().count()),
        Some((lines, last)) => {
            (node.at.line + lines.matches('\n').count() + 1, last.chars().count() + 1)
        }
    }
}

/// For each decoded character of a plain or quoted scalar up to the one at `offset`, the index of
/// its first source character.
fn flow(raw: &str, style: Style, offset: usize) -> Vec<usize> {
    let chars: Vec<char> = raw.chars().collect();
    let quoted = matches!(style, Style::Single | Style::Double);
    let (mut at, end) = if quoted { (1, chars.len().saturating_sub(1)) } else { (0, chars.len()) };
    let mut origins = Vec::with_capacity(chars.len());
    while at < end && origins.len() <= offset {
        let c = chars.get(at).copied().unwrap_or_default();
        let next = chars.get(at + 1).copied().unwrap_or_default();
        let blank = chars.iter().take(end).skip(at).take_while(|c| c.is_ascii_whitespace()).count();
        if blank > 0 {
            fold(&chars, (at, blank), &mut origins);
            at += blank;
        } else if style == Style::Single && c == '\'' {
            origins.push(at);
            at += 2;
        } else if style == Style::Double && c == '\\' && matches!(next, '\n' | '\r') {
            let skipped = chars.iter().skip(at + 1).take_while(|c| c.is_ascii_whitespace()).count();
            origins.extend(std::iter::repeat_n(
                at,
                breaks(&chars, (at + 1, skipped)).saturating_sub(1),
            ));
            at += 1 + skipped;
        } else if style == Style::Double && c == '\\' {
            origins.push(at);
            at += escape_length(next);
        } else {
            origins.push(at);
            at += 1;
        }
    }
    origins
}

/// White space within a line stands for itself; with one line break it is a space, with more it is
/// one break less.
fn fold(chars: &[char], (at, length): (usize, usize), origins: &mut Vec<usize>) {
    match breaks(chars, (at, length)) {
        0 => origins.extend(at..at + length),
        breaks => origins.extend(std::iter::repeat_n(at, (breaks - 1).max(1))),
    }
}

fn breaks(chars: &[char], (at, length): (usize, usize)) -> usize {
    chars.iter().skip(at).take(length).filter(|c| **c == '\n').count()
}

/// Source characters of a double-quoted escape, by the character after the backslash.
const fn escape_length(kind: char) -> usize {
    match kind {
        'x' => 4,
        'u' => 6,
        'U' => 10,
        _ => 2,
    }
}

/// One line of a block scalar: where its text begins and how long it is, without indentation.
struct Line {
    start: usize,
    length: usize,
    /// Folding leaves the breaks around a line that begins with white space.
    deeper: bool,
}

/// For each decoded character of a block scalar, the index of its source character. `raw` begins at
/// the first line that is not empty, behind its indentation.
fn block(raw: &str, decoded: &str, (indent, folded): (usize, bool)) -> Vec<usize> {
    let lines = block_lines(raw, indent);
    let empty = decoded.chars().take_while(|c| *c == '\n').count();
    let mut origins = vec![0; empty];
    let mut previous: Option<&Line> = None;
    let mut breaks: Vec<usize> = Vec::new();
    for line in &lines {
        if line.length > 0 {
            let joins = folded && previous.is_some_and(|before| !before.deeper) && !line.deeper;
            let dropped = usize::from(joins && breaks.len() > 1);
            origins.extend(breaks.drain(..).skip(dropped));
            origins.extend(line.start..line.start + line.length);
            previous = Some(line);
        }
        breaks.push(line.start + line.length);
    }
    origins.extend(breaks);
    origins
}

fn block_lines(raw: &str, indent: usize) -> Vec<Line> {
    let mut start = 0;
    let mut lines = Vec::new();
    for (number, text) in raw.split('\n').enumerate() {
        let spaces = text.chars().take_while(|c| *c == ' ').count();
        let dropped = if number == 0 { 0 } else { spaces.min(indent) };
        let mut rest = text.strip_suffix('\r').unwrap_or(text).chars().skip(dropped).peekable();
        let deeper = rest.peek().is_some_and(|c| matches!(c, ' ' | '\t'));
        lines.push(Line { start: start + dropped, length: rest.count(), deeper });
        start += text.chars().count() + 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::rulebook::reader::Findings;
    use crate::rulebook::yaml::{Node, read};

    fn scalar(source: &str) -> Node {
        let mut findings = Findings::new("t.yaml", source);
        let root = read(&mut findings).unwrap_or_else(|| panic!("{source}: {findings:?}"));
        assert_eq!(findings.count(), 0, "{source}: {findings:?}");
        root.get("k").unwrap().clone()
    }

    /// Six styles; `X` marks the character asked for, and where it must be found.
    #[test]
    fn every_style_leads_back_to_its_place() {
        for (source, place) in [
            ("k: a b X", (1, 8)),
            ("a: 1\nk:\n  one\n  two\n\n  thrXe\n", (6, 6)),
            ("k: one\n   two X\n", (2, 8)),
            ("k: 'it''s X'", (1, 11)),
            ("k: 'a\n\n\n  b X'", (4, 5)),
            (r#"k: "\u00e9\x41\n\"X""#, (1, 19)),
            ("k: \"a \\\n   b\n\n   X\"", (4, 4)),
            ("k: \"é€X\"", (1, 7)),
            ("k: |\n  one\n\n    two X\n", (4, 9)),
            ("k: |2-\n    one\n  two X\n", (3, 7)),
            ("k: |\n\n  X\n", (3, 3)),
            ("a:\n  k: 1\nk: |+ # why\n    X\n", (4, 5)),
            ("k: >\n  one\n  two\n\n  X\n", (5, 3)),
            ("k: >\n  one\n    two\n    three\n\n  four\n  X\n", (7, 3)),
            ("k: >-\n\n  one\n  X\n", (4, 3)),
            ("k: |\r\n  one\r\n  X\r\n", (3, 3)),
        ] {
            let node = scalar(source);
            let text = node.as_str().unwrap();
            let offset = text.chars().position(|c| c == 'X').or(text.find("Xe")).unwrap();
            assert_eq!(node.position(source, offset), place, "{source:?} {text:?}");
        }
    }

    #[test]
    fn every_character_of_a_text_is_found_where_it_is_written() {
        for source in [
            "k: plain words, several",
            "k: one\n two\n\n\n three\n",
            "k: 'one''s\n\n  two   three'\n",
            "k: |\n  if a {\n    b\n\n  }\n\n",
            "k: >\n  a\n  b\n\n\n  c\n   d\n   e\n\n  f\n  g\n",
        ] {
            let node = scalar(source);
            let lines: Vec<Vec<char>> = source.lines().map(|l| l.chars().collect()).collect();
            for (offset, c) in node.as_str().unwrap().chars().enumerate() {
                let (line, column) = node.position(source, offset);
                match c {
                    '\n' | ' ' => {}
                    c => assert_eq!(lines[line - 1][column - 1], c, "{source:?} at {offset}"),
                }
            }
        }
    }

    #[test]
    fn an_offset_beyond_the_text_is_its_end() {
        let node = scalar("k: ab");
        assert_eq!(node.position("k: ab", 99), (1, 6));
    }
}
