//! A text to its words and placeholders. What is wrong is found at its place.

use std::sync::Arc;

use crate::domain::text::strip;
use crate::rulebook::reader::Findings;
use crate::rulebook::suggest::{did_you_mean, nearest};
use crate::rulebook::template::{Piece, Placeholder, Text, Variable};
use crate::rulebook::yaml::Node;

/// An example that is right.
const EXAMPLE: &str = "write for example `{user.first_name|default(\"there\")}`";
/// What the part before a trait's name can be.
const OWNERS: [&str; 3] = ["user", "account", "page"];
/// What tells who somebody is, rather than what they are like.
const IDENTITY: [&str; 5] = ["id", "user_id", "account_id", "email", "e_mail"];

/// The text of a node, without the white space around it; nothing when a mistake is among the
/// findings. Only placeholders can be wrong here; how long a text may be is its reader's business.
pub(in crate::rulebook) fn read(
    node: &Node,
    written: &str,
    findings: &mut Findings<'_>,
) -> Option<Text> {
    let text = strip(written);
    if !text.contains(['{', '}']) {
        return Some(Text::Plain(text.into()));
    }
    let skipped = written.chars().take_while(|c| c.is_whitespace()).count();
    let (words, pieces) = (String::new(), Vec::new());
    let mut reader = Reader { node, rest: text, at: skipped, words, pieces, sound: true };
    while reader.step(findings) {}
    reader.finish()
}

struct Reader<'t> {
    node: &'t Node,
    /// What is still to be read.
    rest: &'t str,
    /// Where that begins, in characters of the decoded text.
    at: usize,
    words: String,
    pieces: Vec<Piece>,
    sound: bool,
}

impl<'t> Reader<'t> {
    /// Reads up to and with the next brace; `false` at the end.
    fn step(&mut self, findings: &mut Findings<'_>) -> bool {
        let Some(place) = self.rest.find(['{', '}']) else {
            self.words.push_str(self.rest);
            return false;
        };
        let words = self.take(place);
        self.words.push_str(words);
        match self.rest {
            rest if rest.starts_with("{{") => self.doubled(findings),
            rest if rest.starts_with("}}") => self.brace("}}", '}'),
            rest if rest.starts_with('}') => self.brace("}", '}'),
            _ => self.placeholder(findings),
        }
        true
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.at += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn brace(&mut self, written: &str, meant: char) {
        self.take(written.len());
        self.words.push(meant);
    }

    /// `{{` is one brace; around a placeholder's name it is another language's habit.
    fn doubled(&mut self, findings: &mut Findings<'_>) {
        let inside = self.rest.get(2..).and_then(|rest| rest.split_once("}}"));
        let name = inside.map(|(inside, _)| inside.trim().split('|').next().unwrap_or("").trim());
        let owner = name.and_then(|name| name.split_once('.')).map(|(owner, _)| owner);
        if let (Some(name), true) = (name, owner.is_some_and(|owner| OWNERS.contains(&owner))) {
            let length = inside.map_or(0, |(inside, _)| inside.chars().count()) + 4;
            let message = "two braces are said as one, and fill nothing in";
            let help = format!("write `{{{name}}}`");
            self.wrong((self.at, length), "bad-placeholder", message.into(), Some(help), findings);
        }
        self.brace("{{", '{');
    }

    fn placeholder(&mut self, findings: &mut Findings<'_>) {
        let Some(end) = closing(self.rest) else {
            let help = "close it with `}`; for a brace itself write `{{`".to_owned();
            let message = "this brace is never closed".to_owned();
            self.wrong((self.at, 1), "bad-placeholder", message, Some(help), findings);
            self.brace("{", '{');
            return;
        };
        let (start, inside) = (self.at, self.take(end + 1));
        let inside = inside.get(1..end).unwrap_or("");
        let whole = (start, inside.chars().count() + 2);
        let (name, filter) = match inside.split_once('|') {
            Some((name, filter)) => (name.trim(), Some(filter.trim())),
            None => (inside.trim(), None),
        };
        let variable = self.variable(name, whole, findings);
        let default = filter.map(|filter| self.default(filter, whole, findings));
        let (Some(variable), false) = (variable, default == Some(None)) else { return };
        let default = default.flatten();
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.pieces.push(Piece::Words(words.into()));
        }
        self.pieces.push(Piece::Value(Placeholder { variable, default }));
    }

    fn variable(
        &mut self,
        name: &str,
        whole: (usize, usize),
        findings: &mut Findings<'_>,
    ) -> Option<Variable> {
        let plain = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
        match name.split_once('.') {
            Some(("page", "title")) => return Some(Variable::PageTitle),
            Some(("page", "path")) => return Some(Variable::PagePath),
            Some((owner @ ("user" | "account"), of)) if IDENTITY.contains(&&*plain(of)) => {
                let message = format!("`{name}` is not put into an offer");
                let help = format!("say a trait instead, such as `{owner}.first_name`");
                self.wrong(whole, "unknown-placeholder", message, Some(help), findings);
                return None;
            }
            Some(("user", of)) if !of.is_empty() => return Some(Variable::User(of.into())),
            Some(("account", of)) if !of.is_empty() => return Some(Variable::Account(of.into())),
            _ => {}
        }
        let message = format!("no placeholder is called `{name}`");
        self.wrong(whole, "unknown-placeholder", message, Some(meant(name)), findings);
        None
    }

    /// What is said where nothing is known: `default("there")`.
    fn default(
        &mut self,
        filter: &str,
        whole: (usize, usize),
        findings: &mut Findings<'_>,
    ) -> Option<Arc<str>> {
        let name = filter.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
        if name != "default" {
            let message = format!("no filter is called `{name}`");
            let help = did_you_mean(name, ["default"]).unwrap_or_else(|| EXAMPLE.to_owned());
            self.wrong(whole, "unknown-filter", message, Some(help), findings);
            return None;
        }
        let argument = filter.strip_prefix("default").map(str::trim);
        let argument = argument.and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'));
        let Some(said) = argument.and_then(|argument| quoted(argument.trim())) else {
            let message = "`default` takes one text in quotes".to_owned();
            self.wrong(whole, "bad-placeholder", message, Some(EXAMPLE.to_owned()), findings);
            return None;
        };
        if said.trim().is_empty() {
            let help = "write what is said where nothing is known, or leave `default` out: then \
                        nothing is offered";
            let message = "this default is blank".to_owned();
            self.wrong(whole, "bad-placeholder", message, Some(help.into()), findings);
            return None;
        }
        Some(said.into())
    }

    fn wrong(
        &mut self,
        place: (usize, usize),
        code: &'static str,
        message: String,
        help: Option<String>,
        findings: &mut Findings<'_>,
    ) {
        self.sound = false;
        findings.error_within(self.node, place, code, message, help);
    }

    fn finish(mut self) -> Option<Text> {
        if !self.sound {
            return None;
        }
        let words: Arc<str> = self.words.into();
        if self.pieces.is_empty() {
            return Some(Text::Plain(words));
        }
        if !words.is_empty() {
            self.pieces.push(Piece::Words(words));
        }
        Some(Text::Pieces(self.pieces.into()))
    }
}

/// The brace that closes the one a text begins with; braces between quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(place),
            (None, _) => {}
        }
    }
    None
}

/// The text between quotes of one kind.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let said = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!said.contains(quote)).then_some(said)
}

/// What somebody may have meant who wrote `name`.
fn meant(name: &str) -> String {
    if let Some(found) = did_you_mean(name, ["page.title", "page.path"]) {
        return found;
    }
    if let Some((owner, of)) = name.split_once('.')
        && let Some(owner) = nearest(owner, ["user", "account"])
        && !of.is_empty()
    {
        return format!("did you mean `{owner}.{of}`?");
    }
    let simple = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    if !name.is_empty() && name.chars().all(simple) {
        return format!("for what is known of the person, write `user.{name}`");
    }
    "the placeholders are `user.TRAIT`, `account.TRAIT`, `page.title` and `page.path`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::yaml;

    /// The text as read, each placeholder in angle brackets, or what was found, with its column.
    fn told(written: &str) -> String {
        let source = format!("'{written}'");
        let mut findings = Findings::new("rules/a.yaml", &source);
        let node = yaml::read(&mut findings).unwrap();
        let text = read(&node, written, &mut findings);
        let found = findings.into_list();
        assert_eq!(text.is_some(), found.is_empty(), "{found:?}");
        let Some(text) = text else {
            let brief = |f: &crate::rulebook::finding::Finding| format!("{} {}", f.code, f.column);
            return found.iter().map(brief).collect::<Vec<_>>().join(", ");
        };
        match text {
            Text::Plain(words) => words.to_string(),
            Text::Pieces(pieces) => pieces.iter().map(piece).collect(),
        }
    }

    fn piece(piece: &Piece) -> String {
        match piece {
            Piece::Words(words) => words.to_string(),
            Piece::Value(Placeholder { variable, default: None }) => format!("<{variable}>"),
            Piece::Value(Placeholder { variable, default: Some(default) }) => {
                format!("<{variable} else {default}>")
            }
        }
    }

    #[test]
    fn placeholders_are_told_from_words() {
        for (written, expected) in [
            ("Need a hand?", "Need a hand?"),
            ("  Hi {user.first_name}! ", "Hi <user.first_name>!"),
            ("Hi {user.first_name|default(\"there\")}", "Hi <user.first_name else there>"),
            (
                "{ account.Company name | default( \"you}\" ) }?",
                "<account.Company name else you}>?",
            ),
            ("{page.title} at {page.path}", "<page.title> at <page.path>"),
            ("Say {{curly}} }", "Say {curly} }"),
        ] {
            assert_eq!(told(written), expected, "{written}");
        }
    }

    #[test]
    fn what_is_no_placeholder_is_found_where_it_stands() {
        for (written, expected) in [
            ("Hi {first_name}", "unknown-placeholder 5"),
            ("Hi {usr.name} on {page.titel}", "unknown-placeholder 5, unknown-placeholder 19"),
            ("Hi {user.email}, {account.ID}", "unknown-placeholder 5, unknown-placeholder 19"),
            ("Hi {count(\"click\")}", "unknown-placeholder 5"),
            ("Hi {user.name", "bad-placeholder 5"),
            ("Hi {{ user.name }}", "bad-placeholder 5"),
            ("Hi {user.name|default(there)}", "bad-placeholder 5"),
            ("Hi {user.name|upper}", "unknown-filter 5"),
            ("Hi {user.name|default(\" \")}", "bad-placeholder 5"),
            ("{}", "unknown-placeholder 2"),
        ] {
            assert_eq!(told(written), expected, "{written}");
        }
    }

    #[test]
    fn the_nearest_placeholder_is_meant() {
        for (written, expected) in [
            ("page.titel", "did you mean `page.title`?"),
            ("usr.plan", "did you mean `user.plan`?"),
            ("acount.name", "did you mean `account.name`?"),
            ("first name", "for what is known of the person, write `user.first name`"),
        ] {
            assert_eq!(meant(written), expected);
        }
    }
}
