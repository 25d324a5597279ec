//! The one table of what a condition may say. It drives the checker, "did you mean", the lowering
//! of expressions and the leaves of the list form, so that none of them can drift from another.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::offer::Outcome;
use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::condition::sequence::Step;
use crate::rulebook::condition::{PropertyTest, Term, TextTest};

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
        name: "query",
        short: "query: tab",
        keys: &["name", "is", "in"],
        doc: "the URL of the newest action on the current page has this parameter; with `is` or `in`, with this value or one of these. PostHog's events come without parameters",
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
        keys: &[
            "type", "text", "where", "scope", "at_least", "at_most", "exactly", "between", "within",
        ],
        doc: "actions of a type, with a text in their title if one is given, on the current page alone with `scope: page`, of these properties with `where`; at least 1, within 10m. With `scope: user` in all sessions of the person, within 30d; unknown when nobody says who they are",
    },
    Leaf {
        name: "visits",
        short: "visits: 2",
        keys: &["page", "at_least", "at_most", "exactly", "between", "within"],
        doc: "visits to a page (the current one); at least 1, within 10m; the visit under way counts",
    },
    Leaf {
        name: "errors",
        short: "errors: 2",
        keys: &["at_least", "at_most", "exactly", "between", "within"],
        doc: "actions of type error, form_error, exception or $exception; at least 1, within 10m",
    },
    Leaf {
        name: "rage_clicks",
        short: "rage_clicks: 1",
        keys: &["at_least", "at_most", "exactly", "between", "within"],
        doc: "the client's rage click signals, else bursts of three clicks; at least 1, within 10m",
    },
    Leaf {
        name: "trait",
        short: "trait: { name: plan, is: pro }",
        keys: &[
            "name", "of", "is", "is_not", "in", "not_in", "contains", "at_least", "at_most", "gt",
            "gte", "lt", "lte", "between", "exists", "eq",
        ],
        doc: "what is known of the person, or of their account with `of: account`; unknown, which never fires, when nothing is",
    },
    Leaf {
        name: "seen",
        short: "seen: billing-stuck",
        keys: &["trigger", "tour", "outcome", "within"],
        doc: "an offer of this trigger, or of any that offers this tour, had this outcome (or was made at all: offered), ever or within so long, in this session or for this person",
    },
    Leaf {
        name: "sequence",
        short: "sequence: [/cart, error]",
        keys: &["of", "within", "until", "absent", "for"],
        doc: "these happened in this order, within 10m; a step is an action's type, or coming to a page. What came before the newest `until` does not count; with `absent` and `for`, this step did not follow the last one for so long",
    },
    Leaf {
        name: "page_loop",
        short: "page_loop: 3",
        keys: &["at_least", "at_most", "exactly", "between", "within"],
        doc: "visits to the current page that began in the window; at least 3, within 15s (Conviva)",
    },
    Leaf {
        name: "quick_back",
        short: "quick_back: 1",
        keys: &["stay", "at_least", "at_most", "exactly", "between", "within"],
        doc: "returns to the current page after at most 7s on exactly one other page; at least 1, within 10m (our choice, Clarity publishes no number)",
    },
    Leaf {
        name: "dead_click",
        short: "dead_click: 1",
        keys: &["at_least", "at_most", "exactly", "between", "within"],
        doc: "the client's dead click signals, dead_click or $dead_click: in PostHog, no change for 2500ms, no scroll or selection for 100ms; at least 1, within 10m",
    },
    Leaf {
        name: "error_click",
        short: "error_click: 1",
        keys: &["gap", "at_least", "at_most", "exactly", "between", "within"],
        doc: "clicks that an error followed within 1s, no other click between; at least 1, within 10m (our choice)",
    },
    Leaf {
        name: "repeated_failure",
        short: "repeated_failure: { failure: save_failed, success: saved }",
        keys: &["failure", "success", "at_least", "at_most", "exactly", "between", "within"],
        doc: "failures of one type with no success since; at least 3, within 5m (our choice)",
    },
    Leaf {
        name: "form_struggle",
        short: "form_struggle: 3",
        keys: &["refocused", "errors", "within"],
        doc: "one field, a title on a page, was come back to 3 times (focus, field_focus), or had 2 errors (form_error, validation_error), within 3m (our choice)",
    },
    Leaf {
        name: "scroll_depth",
        short: "scroll_depth: 50",
        keys: &["at_least", "at_most"],
        doc: "so many percent of the page were scrolled through in the visit under way, as the titles of scroll, $scroll or scroll_depth actions say: `Scrolled 50%`; at least 50",
    },
    Leaf {
        name: "exit_intent",
        short: "exit_intent: 1",
        keys: &["after", "at_least", "at_most", "exactly", "between", "within"],
        doc: "the client's signals of leaving, exit_intent or $exit_intent, on the current page at least 5s after coming to it; at least 1, within 10m (our choice)",
    },
    Leaf {
        name: "no_results",
        short: "no_results: 2",
        keys: &["at_least", "at_most", "exactly", "between", "within"],
        doc: "empty searches, no_results or search_no_results; at least 2, within 2m (our choice, after ServiceNow's idea)",
    },
    Leaf {
        name: "first_time",
        short: "first_time: /reports",
        keys: &["of", "scope", "default"],
        doc: "the visit under way is the session's first to this page, or the action of this type its only one; unknown, which never fires, or the default when activity is no longer kept that could tell. With `scope: user` in all sessions of the person, as far as is remembered",
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
