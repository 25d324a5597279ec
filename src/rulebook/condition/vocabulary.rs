//! The one table of what a condition may say. It drives the checker, "did you mean", the lowering
//! of expressions and the leaves of the list form, so that none of them can drift from another.

mod leaves;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::offer::Outcome;
use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::condition::sequence::Step;
use crate::rulebook::condition::{PropertyTest, Segmented, Term, TextTest};

pub use self::leaves::LEAVES;
pub use crate::rulebook::condition::methods::METHODS;
pub use crate::rulebook::condition::words::WORDS;

/// The window of `ping_pong` when none is written.
pub const PING_PONG_WINDOW: Span = Span::from_seconds(120);
/// The window of every other leaf when none is written; `activity.keep` if that is shorter.
pub const WINDOW: Span = Span::from_seconds(600);

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A whole or fractional number.
    Number,
    /// Text.
    Text,
    /// True or false.
    Truth,
}

impl Type {
    /// What an author would call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "text",
            Self::Truth => "true or false",
        }
    }
}

/// What an argument is; arguments are written out, never computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any text: a name, a type, words of a title.
    Text,
    /// A page or pattern: `"/projects/:slug"`.
    Page,
    /// A duration with its unit: `"10m"`.
    Window,
    /// A shorter duration, inside a window: `"5s"`.
    Wait,
    /// A whole number, one or more.
    Times,
    /// A text, number or truth.
    Scalar,
    /// An outcome of an offer.
    Outcome,
    /// A list of types and pages.
    Steps,
    /// A type or a page.
    Step,
    /// `true` or `false`.
    Truth,
    /// What properties must be.
    Where,
    /// A duration over what is remembered of a person: `"30d"`.
    Memory,
    /// The id of a tour.
    Tour,
    /// The id of a segment.
    Segment,
    /// A whole number.
    Number,
}

impl Takes {
    /// What to write for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "a text such as `\"click\"`",
            Self::Page => "a page such as `\"/projects\"`",
            Self::Window => "a duration such as `\"10m\"`",
            Self::Wait => "a duration such as `\"5s\"`",
            Self::Times => "a whole number such as `2`",
            Self::Scalar => "a text, a number, `true` or `false`",
            Self::Outcome => "an outcome such as `\"dismissed\"`",
            Self::Step => "a type or page such as `\"/cart\"`",
            Self::Truth => "`true` or `false`",
            Self::Memory => "a duration such as `\"30d\"`",
            Self::Tour => "a tour such as `\"create-project\"`",
            Self::Segment => "a segment such as `\"power-users\"`",
            Self::Number => "a whole number such as `0`",
            Self::Where => "properties such as `#{ form: \"import\", rows: #{ gt: 100 } }`",
            Self::Steps => "a list such as `[\"/cart\", \"error\"]`",
        }
    }
}

/// An argument as checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// See [`Takes::Text`].
    Text(Arc<str>),
    /// See [`Takes::Page`].
    Page(PagePattern),
    /// See [`Takes::Window`], [`Takes::Wait`] and [`Takes::Memory`].
    Window(Span),
    /// See [`Takes::Times`].
    Times(i64),
    /// See [`Takes::Scalar`].
    Scalar(Json),
    /// See [`Takes::Outcome`].
    Outcome(Option<Outcome>),
    /// See [`Takes::Steps`].
    Steps(Vec<Step>),
    /// See [`Takes::Step`].
    Step(Step),
    /// See [`Takes::Truth`].
    Truth(bool),
    /// See [`Takes::Where`].
    Where(Vec<PropertyTest>),
    /// See [`Takes::Tour`].
    Tour(Arc<str>),
    /// See [`Takes::Segment`].
    Segment(Segmented),
    /// See [`Takes::Number`].
    Number(i64),
}

/// One way to call a function: name and type of each argument.
pub type Form = &'static [(&'static str, Takes)];

/// A field or function of `session`.
#[derive(Debug)]
pub struct Word {
    /// As written after `session.`.
    pub name: &'static str,
    /// Every way to call it; empty for a field.
    pub forms: &'static [Form],
    /// The type of its value; `None` for that of its default.
    pub gives: Option<Type>,
    /// One line for people.
    pub doc: &'static str,
    /// The leaf of the list form that asks the same.
    pub leaf: &'static str,
    /// Its meaning, given arguments of one of its forms.
    pub(in crate::rulebook::condition) lower: fn(&[Argument]) -> Option<Term>,
}

/// A method of a text: `session.path.starts_with("/projects")`.
#[derive(Debug)]
pub struct Method {
    /// As written after the text and a dot.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// What it asks.
    pub(in crate::rulebook::condition) asks: Asks,
}

/// What a text method asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rulebook::condition) enum Asks {
    /// Compared with another text.
    Test(TextTest),
    /// How many characters.
    Length,
    /// Whether there are none.
    Emptiness,
}

/// A leaf of the list form. Each is the leaf of a word, but for those that join or turn others.
#[derive(Debug)]
pub struct Leaf {
    /// Its key.
    pub name: &'static str,
    /// The short form.
    pub short: &'static str,
    /// The keys of the long form.
    pub keys: &'static [&'static str],
    /// One line for people, with the defaults.
    pub doc: &'static str,
}

/// The word of this name.
pub fn word(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

/// The text method of this name.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

impl Word {
    /// Whether it is written without parentheses.
    pub const fn is_field(&self) -> bool {
        self.forms.is_empty()
    }

    /// Every way to write it: ``session.count(type, window)``.
    pub fn usage(&self) -> String {
        if self.is_field() {
            return format!("`session.{}`", self.name);
        }
        let call = |form: &Form| {
            let names: Vec<_> = form.iter().map(|(name, _)| *name).collect();
            format!("`session.{}({})`", self.name, names.join(", "))
        };
        self.forms.iter().map(call).collect::<Vec<_>>().join(" or ")
    }
}

/// A word without parentheses.
pub(in crate::rulebook::condition) const fn field(
    name: &'static str,
    gives: Type,
    doc: &'static str,
    leaf: &'static str,
    lower: fn(&[Argument]) -> Option<Term>,
) -> Word {
    Word { name, forms: &[], gives: Some(gives), doc, leaf, lower }
}

/// A word with them.
pub(in crate::rulebook::condition) const fn function(
    name: &'static str,
    forms: &'static [Form],
    gives: Type,
    doc: &'static str,
    leaf: &'static str,
    lower: fn(&[Argument]) -> Option<Term>,
) -> Word {
    Word { name, forms, gives: Some(gives), doc, leaf, lower }
}
