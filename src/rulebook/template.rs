//! Texts of offers: parsed once, when their file is read, into words and placeholders, which are
//! filled in when an offer is made. A text without placeholders stays as it is.

mod reader;

use std::fmt;
use std::sync::Arc;

pub(in crate::rulebook) use reader::read;

/// A text of an offer: what the toast says, or a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// The same for everybody.
    Plain(Arc<str>),
    /// Words and placeholders, in order; at least one placeholder.
    Pieces(Arc<[Piece]>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Said as it is.
    Words(Arc<str>),
    /// Filled in.
    Value(Placeholder),
}

/// Where something is filled in: `{user.first_name|default("there")}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// What is filled in.
    pub variable: Variable,
    /// What is said where nothing is known, never blank; without one nothing is offered then.
    pub default: Option<Arc<str>>,
}

/// What a placeholder can stand for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// `user.NAME`: what is known of the person by this name.
    User(Arc<str>),
    /// `account.NAME`: what is known of their account.
    Account(Arc<str>),
    /// `page.title`: what the source of the activity calls the page.
    PageTitle,
    /// `page.path`: the page.
    PagePath,
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user.{name}"),
            Self::Account(name) => write!(f, "account.{name}"),
            Self::PageTitle => f.write_str("page.title"),
            Self::PagePath => f.write_str("page.path"),
        }
    }
}

/// As an author would write it.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words =
            |f: &mut fmt::Formatter<'_>, words: &str| f.write_str(&words.replace('{', "{{"));
        let pieces = match self {
            Self::Plain(text) => return words(f, text),
            Self::Pieces(pieces) => pieces,
        };
        pieces.iter().try_for_each(|piece| match piece {
            Piece::Words(text) => words(f, text),
            Piece::Value(Placeholder { variable, default: None }) => write!(f, "{{{variable}}}"),
            Piece::Value(Placeholder { variable, default: Some(default) }) => {
                let quote = if default.contains('"') { '\'' } else { '"' };
                write!(f, "{{{variable}|default({quote}{default}{quote})}}")
            }
        })
    }
}

impl Text {
    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        let pieces = match self {
            Self::Plain(_) => &[][..],
            Self::Pieces(pieces) => pieces,
        };
        pieces.iter().filter_map(|piece| match piece {
            Piece::Words(_) => None,
            Piece::Value(placeholder) => Some(placeholder),
        })
    }

    /// Whether it asks about the person.
    pub fn asks_of_person(&self) -> bool {
        self.placeholders().any(|placeholder| matches!(placeholder.variable, Variable::User(_)))
    }

    /// Whether it asks about the person's account.
    pub fn asks_of_account(&self) -> bool {
        self.placeholders().any(|placeholder| matches!(placeholder.variable, Variable::Account(_)))
    }

    /// How long it is where nothing is known, in Unicode scalar values.
    pub fn least_chars(&self) -> usize {
        let chars = |text: &str| text.chars().count();
        match self {
            Self::Plain(text) => chars(text),
            Self::Pieces(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Words(words) => chars(words),
                    Piece::Value(placeholder) => placeholder.default.as_deref().map_or(0, chars),
                })
                .sum(),
        }
    }
}
