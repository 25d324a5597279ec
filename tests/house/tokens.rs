//! Tokens of a source file and the paths named in them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// One token; `::` is one.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) word: bool,
    pub(crate) in_test: bool,
}

/// A path as written, groups of a `use` unfolded.
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) in_test: bool,
}

impl Named {
    /// The segment at `at`, empty where there is none.
    pub(crate) fn segment(&self, at: usize) -> &str {
        self.segments.get(at).map_or("", String::as_str)
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments.join("::"))
    }
}

/// The tokens of a file.
pub(crate) fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    flatten(text.parse().unwrap_or_default(), false, &mut tokens);
    tokens
}

/// Writes the groups out in line; what stands under `#[cfg(test)]` or `#[test]` is marked.
fn flatten(stream: TokenStream, in_test: bool, out: &mut Vec<Token>) {
    let (mut marked, mut joint) = (false, false);
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: &str, word| {
            out.push(Token { text: text.into(), line, word, in_test: in_test || marked });
        };
        match tree {
            TokenTree::Ident(ident) => push(&ident.to_string(), true),
            TokenTree::Literal(_) => push("literal", false),
            TokenTree::Punct(punct) => {
                let second = joint && punct.as_char() == ':';
                joint = punct.as_char() == ':' && punct.spacing() == Spacing::Joint;
                match (second, joint) {
                    (true, _) => push("::", false),
                    (_, true) => {}
                    _ => push(&punct.as_char().to_string(), false),
                }
                marked = marked && punct.as_char() != ';';
            }
            TokenTree::Group(group) => {
                let attribute = group.stream().to_string().replace(' ', "");
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    _ => ("(", ")"),
                };
                push(open, false);
                flatten(group.stream(), in_test || marked, out);
                out.push(Token { text: close.into(), line, word: false, in_test });
                marked = match group.delimiter() {
                    Delimiter::Bracket if attribute == "cfg(test)" || attribute == "test" => true,
                    Delimiter::Brace => false,
                    _ => marked,
                };
            }
        }
    }
}

/// Every path of two or more segments, and every leaf of a `use`.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        if token.text == "use" {
            at = unfold(tokens, at, &[], &mut found);
        } else if token.word && tokens.get(at).is_some_and(|next| next.text == "::") {
            let mut segments = vec![token.text.clone()];
            while let Some([colons, next]) = tokens.get(at..at + 2)
                && colons.text == "::"
                && next.word
            {
                segments.push(next.text.clone());
                at += 2;
            }
            found.push(Named { segments, line: token.line, in_test: token.in_test });
        }
    }
    found
}

/// Reads one tree of a `use` from `at` on, and says where it ends.
fn unfold(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut segments = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = unfold(tokens, at, &segments, found).max(at + 1);
                }
                return at + 1;
            }
            "as" => at += 2,
            text if token.word || text == "*" => {
                segments.push(text.into());
                at += 1;
                if tokens.get(at).is_none_or(|next| next.text != "::") {
                    found.push(Named {
                        segments: segments.clone(),
                        line: token.line,
                        in_test: token.in_test,
                    });
                }
            }
            "," => return at + 1,
            _ => return at,
        }
    }
    at
}
