//! Repairs of a file that is no YAML, where only one thing can be meant: tabs instead of spaces, a
//! sentence that needs quotes. Each is tried: the file must then be YAML.

use crate::rulebook::finding::Fix;
use crate::rulebook::reader::Findings;
use crate::rulebook::yaml::budget::Stop;
use crate::rulebook::yaml::tree::parse;
use crate::rulebook::yaml::{Node, Value};

/// Spaces that editors show a tab as.
const WIDTHS: [usize; 3] = [2, 4, 8];
/// Keys whose values are sentences.
const SENTENCES: [&str; 9] =
    ["body", "accept", "dismiss", "name", "title", "content", "description", "use_when", "not_for"];

pub(super) fn mend(stop: &Stop, source: &str) -> Option<Fix> {
    match stop.code {
        "tab" => spaces(source),
        "syntax" => quotes(source.lines().nth(stop.spot.line.checked_sub(1)?)?, stop, source),
        _ => None,
    }
}

/// The lines from the first to the last that a tab indents, when every width of a tab that makes
/// them YAML makes them the same.
fn spaces(source: &str) -> Option<Fix> {
    let lines: Vec<&str> = source.split('\n').collect();
    let is_tabbed = |line: &&str| indentation(line).contains('\t');
    let first = lines.iter().position(&is_tabbed)?;
    let last = lines.iter().rposition(is_tabbed)?;
    // In a block of text, a tab is text.
    if lines.iter().flat_map(|line| line.split_whitespace()).any(heads_block) {
        return None;
    }
    let mut found: Option<(Node, String)> = None;
    for width in WIDTHS {
        let one = |line: &&str| {
            let (before, rest) = line.split_at(indentation(line).len());
            format!("{}{rest}", before.replace('\t', &" ".repeat(width)))
        };
        let text: Vec<String> = lines.iter().map(one).collect();
        let Some(node) = readable(&text.join("\n")) else { continue };
        match &found {
            Some((other, _)) if !is_same(other, &node) => return None,
            Some(_) => {}
            None => found = Some((node, text.get(first..=last)?.join("\n"))),
        }
    }
    let end_column = lines.get(last)?.trim_end_matches('\r').chars().count() + 1;
    let replacement = found?.1.trim_end_matches('\r').to_owned();
    Some(Fix { line: first + 1, column: 1, end_line: last + 1, end_column, replacement })
}

/// `|` or `>`, `|-` and the like.
fn heads_block(word: &str) -> bool {
    let rest = word.strip_prefix(['|', '>']);
    rest.is_some_and(|rest| rest.chars().all(|c| matches!(c, '+' | '-' | '0'..='9')))
}

fn indentation(line: &str) -> &str {
    let rest = line.trim_start_matches([' ', '\t']);
    line.strip_suffix(rest).unwrap_or_default()
}

/// A sentence with `: ` in it, between quotes.
fn quotes(written: &str, stop: &Stop, source: &str) -> Option<Fix> {
    let item = indentation(written).len();
    let (key, value) = written.get(item..)?.split_once(": ")?;
    let value = value.trim();
    let plain = !value.starts_with(|c: char| "\"'[{|>&*!%@`#?-".contains(c));
    let whole = value.contains(": ") && !value.contains(" #") && !value.contains(['"', '\\']);
    if !(SENTENCES.contains(&key.trim_start_matches("- ").trim()) && plain && whole) {
        return None;
    }
    let at = written.rfind(value)?;
    let column = written.get(..at)?.chars().count() + 1;
    let (line, end_column) = (stop.spot.line, column + value.chars().count());
    let fix = Fix { line, column, end_line: line, end_column, replacement: format!("\"{value}\"") };
    let extent = fix.extent(source)?;
    let mut text = source.to_owned();
    text.replace_range(extent, &fix.replacement);
    readable(&text).map(|_| fix)
}

fn readable(text: &str) -> Option<Node> {
    let mut findings = Findings::new("", text);
    parse(&mut findings).ok().flatten().filter(|_| findings.count() == 0)
}

/// Whether both mean the same, wherever they are written.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Seq(one), Value::Seq(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let same = |(one, other): (&(Node, Node), &(Node, Node))| {
                is_same(&one.0, &other.0) && is_same(&one.1, &other.1)
            };
            one.len() == other.len() && one.iter().zip(other).all(same)
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use crate::rulebook::reader::Findings;
    use crate::rulebook::yaml::read;

    /// The text with the fix of its syntax error.
    fn mended(source: &str) -> Option<String> {
        let mut findings = Findings::new("t.yaml", source);
        assert!(read(&mut findings).is_none(), "{source}");
        let fix = findings.into_list().pop()?.fix?;
        let mut text = source.to_owned();
        text.replace_range(fix.extent(source)?, &fix.replacement);
        Some(text)
    }

    #[test]
    fn tabs_become_spaces_where_their_width_makes_no_difference() {
        for (source, meant) in [
            ("a:\n\tb: 1\n\tc: é # x\n\t\t- d\n", None),
            (
                "a:\n\tb: 1\n\tc:\r\n\t\t- d\r\ne: 2\n",
                Some("a:\n  b: 1\n  c:\r\n    - d\r\ne: 2\n"),
            ),
            ("a:\n    b: 1\n\tc: 2\n", Some("a:\n    b: 1\n    c: 2\n")),
            ("a: |\n  x\n\tb: 1\n", None),
        ] {
            assert_eq!(mended(source).as_deref(), meant, "{source}");
        }
    }

    #[test]
    fn a_sentence_with_a_colon_is_quoted() {
        for (source, meant) in [
            ("o:\n  body: Help: é?\n", Some("o:\n  body: \"Help: é?\"\n")),
            ("- title: A: b\r\n", Some("- title: \"A: b\"\r\n")),
            ("cooldown: 5s mode: live\n", None),
            ("body: a: b # why\n", None),
            ("body: say \"x\": b\n", None),
            ("body: a: b\nname: [\n", None),
        ] {
            assert_eq!(mended(source).as_deref(), meant, "{source}");
        }
    }
}
