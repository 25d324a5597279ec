//! The one table of what a condition may say. It drives the checker, "did you mean", the lowering
//! of expressions and the leaves of the list form, so that none of them can drift from another.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::offer::Outcome;
use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::condition::activity::Step;
use crate::rulebook::condition::{Term, TextTest};

pub use crate::rulebook::condition::words::{METHODS, WORDS};

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
    /// A whole number, one or more.
    Times,
    /// A text, number or truth.
    Scalar,
    /// An outcome of an offer.
    Outcome,
    /// A list of types and pages.
    Steps,
}

impl Takes {
    /// What to write for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "a text such as `\"click\"`",
            Self::Page => "a page such as `\"/projects\"`",
            Self::Window => "a duration such as `\"10m\"`",
            Self::Times => "a whole number such as `2`",
            Self::Scalar => "a text, a number, `true` or `false`",
            Self::Outcome => "an outcome such as `\"dismissed\"`",
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
    /// See [`Takes::Window`].
    Window(Span),
    /// See [`Takes::Times`].
    Times(i64),
    /// See [`Takes::Scalar`].
    Scalar(Json),
    /// See [`Takes::Outcome`].
    Outcome(Outcome),
    /// See [`Takes::Steps`].
    Steps(Vec<Step>),
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
    pub leaf: Option<&'static str>,
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

/// A leaf of the list form.
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

/// Every leaf of the list form.
pub static LEAVES: &[Leaf] = &[
    Leaf {
        name: "page",
        short: "page: /billing",
        keys: &[],
        doc: "the current page matches this pattern, or one of a list",
    },
    Leaf {
        name: "ping_pong",
        short: "ping_pong: 2",
        keys: &["times", "within"],
        doc: "came back so many times (2) to the current page with exactly one other page between, within 2m",
    },
    Leaf {
        name: "dwell",
        short: "dwell: 20s",
        keys: &["at_least", "at_most"],
        doc: "time on the current page",
    },
    Leaf {
        name: "idle",
        short: "idle: 30s",
        keys: &["at_least", "at_most"],
        doc: "time since the newest action",
    },
    Leaf {
        name: "count",
        short: "count: submit",
        keys: &["type", "text", "at_least", "at_most", "exactly", "within"],
        doc: "actions of a type, with a text in their title if one is given; at least 1, within 10m",
    },
    Leaf {
        name: "visits",
        short: "visits: 2",
        keys: &["page", "at_least", "at_most", "exactly", "within"],
        doc: "visits to a page (the current one); at least 1, within 10m; the visit under way counts",
    },
    Leaf {
        name: "errors",
        short: "errors: 2",
        keys: &["at_least", "at_most", "exactly", "within"],
        doc: "actions of type error, form_error, exception or $exception; at least 1, within 10m",
    },
    Leaf {
        name: "rage_clicks",
        short: "rage_clicks: 1",
        keys: &["at_least", "at_most", "exactly", "within"],
        doc: "the client's rage click signals, else bursts of three clicks; at least 1, within 10m",
    },
    Leaf {
        name: "trait",
        short: "trait: { name: plan, is: pro }",
        keys: &["name", "is", "is_not", "in", "not_in", "at_least", "at_most"],
        doc: "what is known of the person; unknown, which never fires, when nothing is",
    },
    Leaf {
        name: "seen",
        short: "seen: billing-stuck",
        keys: &["trigger", "outcome"],
        doc: "an offer of this trigger had this outcome (or was made at all), in this session or for this person",
    },
    Leaf {
        name: "sequence",
        short: "sequence: [/cart, error]",
        keys: &["of", "within"],
        doc: "these happened in this order, within 10m; a step is an action's type, or coming to a page",
    },
    Leaf {
        name: "any",
        short: "any: [{ idle: 30s }, { errors: 2 }]",
        keys: &[],
        doc: "at least one of these holds",
    },
    Leaf {
        name: "not",
        short: "not: { page: /login }",
        keys: &[],
        doc: "this does not hold; of a list, not all of it holds",
    },
    Leaf {
        name: "rhai",
        short: "rhai: session.dwell_s >= 30",
        keys: &[],
        doc: "one expression over `session`",
    },
];

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
