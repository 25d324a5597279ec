//! The vocabulary's entries: every field and function of `session` and every method of a text, each
//! with its arguments, its type, one line for people and its meaning in the tree.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Clock, Counted, Needle, Tally};
use crate::rulebook::condition::vocabulary::{
    Argument, Asks, Form, Method, PING_PONG_WINDOW, Takes, Type, Word,
};
use crate::rulebook::condition::{Bound, Condition, Field, Term, TextTest};

/// Every field and function of `session`.
pub static WORDS: &[Word] = &[
    field(
        "path",
        Type::Text,
        "the current page: the URL's path alone; empty when unknown",
        Some("page"),
        |_| Some(Term::Field(Field::Path)),
    ),
    field("url", Type::Text, "the canonical URL of the current page, as sent", None, |_| {
        Some(Term::Field(Field::Url))
    }),
    field("title", Type::Text, "the title of the newest action on the current page", None, |_| {
        Some(Term::Field(Field::Title))
    }),
    field("dwell_s", Type::Number, "whole seconds on the current page", Some("dwell"), |_| {
        Some(Term::Seconds(Clock::Dwell))
    }),
    field("idle_s", Type::Number, "whole seconds since the newest action", Some("idle"), |_| {
        Some(Term::Seconds(Clock::Idle))
    }),
    field("age_s", Type::Number, "whole seconds since the session's first action", None, |_| {
        Some(Term::Seconds(Clock::Age))
    }),
    field("action_count", Type::Number, "actions over the session's whole life", None, |_| {
        Some(Term::Field(Field::ActionCount))
    }),
    field(
        "user_id",
        Type::Text,
        "the product's own id of the person; empty when unknown",
        None,
        |_| Some(Term::Field(Field::UserId)),
    ),
    field(
        "email_domain",
        Type::Text,
        "the domain of the person's e-mail, in lower case; empty when unknown",
        None,
        |_| Some(Term::Field(Field::EmailDomain)),
    ),
    field(
        "summary",
        Type::Text,
        "the newest summary of the session; empty when there is none",
        None,
        |_| Some(Term::Field(Field::Summary)),
    ),
    Word {
        name: "trait",
        forms: &[&[("name", Takes::Text), ("default", Takes::Scalar)]],
        gives: None,
        doc: "what is known of the person under this name; the default when nothing of its type is",
        leaf: Some("trait"),
        lower: trait_term,
    },
    function(
        "count",
        &[
            &[("type", Takes::Text), ("window", Takes::Window)],
            &[("type", Takes::Text), ("text", Takes::Text), ("window", Takes::Window)],
        ],
        Type::Number,
        "actions of this type in the window, with this text in their title if one is given, whatever its case",
        Some("count"),
        count_term,
    ),
    function(
        "visits",
        &[&[("page", Takes::Page), ("window", Takes::Window)]],
        Type::Number,
        "visits to the page in the window; consecutive actions on one page are one visit, the one under way counts",
        Some("visits"),
        |arguments| match arguments {
            [Argument::Page(page), Argument::Window(within)] => {
                tally(Counted::Visits(Some(page.clone())), *within)
            }
            _ => None,
        },
    ),
    function(
        "distinct_pages",
        &[&[("window", Takes::Window)]],
        Type::Number,
        "different pages visited in the window, the current one included",
        None,
        |arguments| windowed(Counted::Pages, arguments),
    ),
    function(
        "ping_pong",
        &[&[("times", Takes::Times)], &[("times", Takes::Times), ("window", Takes::Window)]],
        Type::Truth,
        "in the window (2m) the person came back so many times to the current page with exactly one other page between",
        Some("ping_pong"),
        ping_pong_term,
    ),
    function(
        "since",
        &[&[("type", Takes::Text)]],
        Type::Number,
        "whole seconds since the newest action of this type; 1000000000 (some thirty years) when there was none",
        None,
        |arguments| match arguments {
            [Argument::Text(kind)] => Some(Term::Seconds(Clock::Since(Arc::clone(kind)))),
            _ => None,
        },
    ),
    function(
        "sequence",
        &[&[("steps", Takes::Steps), ("window", Takes::Window)]],
        Type::Truth,
        "these happened in this order in the window, anything between them; a step is an action's type, or coming to a page",
        Some("sequence"),
        |arguments| match arguments {
            [Argument::Steps(steps), Argument::Window(within)] => {
                truth(Condition::Sequence { steps: steps.clone(), within: *within })
            }
            _ => None,
        },
    ),
    function(
        "rage_clicks",
        &[&[("window", Takes::Window)]],
        Type::Number,
        "the client's rage click signals in the window; in a session without any, bursts of three clicks on one title and page with gaps under a second",
        Some("rage_clicks"),
        |arguments| windowed(Counted::RageClicks, arguments),
    ),
    function(
        "errors",
        &[&[("window", Takes::Window)]],
        Type::Number,
        "actions of type error, form_error, exception or $exception in the window",
        Some("errors"),
        |arguments| windowed(Counted::Errors, arguments),
    ),
    function(
        "matches",
        &[&[("page", Takes::Page)]],
        Type::Truth,
        "the current page matches this pattern: `:name` stands for one segment",
        Some("page"),
        |arguments| match arguments {
            [Argument::Page(page)] => truth(Condition::Page(vec![page.clone()])),
            _ => None,
        },
    ),
    function(
        "seen",
        &[&[("trigger", Takes::Text), ("outcome", Takes::Outcome)]],
        Type::Truth,
        "an offer of this trigger once had this outcome, in this session or for this person",
        Some("seen"),
        |arguments| match arguments {
            [Argument::Text(trigger), Argument::Outcome(outcome)] => {
                truth(Condition::Seen { trigger: Arc::clone(trigger), outcome: Some(*outcome) })
            }
            _ => None,
        },
    ),
];

/// Every method of a text.
pub static METHODS: &[Method] = &[
    Method {
        name: "starts_with",
        doc: "the text starts with another",
        asks: Asks::Test(TextTest::StartsWith),
    },
    Method {
        name: "ends_with",
        doc: "the text ends with another",
        asks: Asks::Test(TextTest::EndsWith),
    },
    Method {
        name: "contains",
        doc: "another text occurs in the text; case matters",
        asks: Asks::Test(TextTest::Contains),
    },
    Method { name: "len", doc: "characters of the text", asks: Asks::Length },
    Method { name: "is_empty", doc: "the text has no characters", asks: Asks::Emptiness },
];

const fn field(
    name: &'static str,
    gives: Type,
    doc: &'static str,
    leaf: Option<&'static str>,
    lower: fn(&[Argument]) -> Option<Term>,
) -> Word {
    Word { name, forms: &[], gives: Some(gives), doc, leaf, lower }
}

const fn function(
    name: &'static str,
    forms: &'static [Form],
    gives: Type,
    doc: &'static str,
    leaf: Option<&'static str>,
    lower: fn(&[Argument]) -> Option<Term>,
) -> Word {
    Word { name, forms, gives: Some(gives), doc, leaf, lower }
}

fn truth(condition: Condition) -> Option<Term> {
    Some(Term::Truth(Box::new(condition)))
}

fn tally(of: Counted, within: Span) -> Option<Term> {
    Some(Term::Tally(Tally { of, within }))
}

fn windowed(of: Counted, arguments: &[Argument]) -> Option<Term> {
    match arguments {
        [Argument::Window(within)] => tally(of, *within),
        _ => None,
    }
}

fn count_term(arguments: &[Argument]) -> Option<Term> {
    match arguments {
        [Argument::Text(kind), Argument::Window(within)] => {
            tally(Counted::Actions(Arc::clone(kind), None), *within)
        }
        [Argument::Text(kind), Argument::Text(text), Argument::Window(within)] => {
            tally(Counted::Actions(Arc::clone(kind), Some(Needle::new(text))), *within)
        }
        _ => None,
    }
}

fn ping_pong_term(arguments: &[Argument]) -> Option<Term> {
    let (times, within) = match arguments {
        [Argument::Times(times)] => (*times, PING_PONG_WINDOW),
        [Argument::Times(times), Argument::Window(within)] => (*times, *within),
        _ => return None,
    };
    let returns = Tally { of: Counted::Returns, within };
    truth(Condition::Tally(returns, Bound::AtLeast(times)))
}

fn trait_term(arguments: &[Argument]) -> Option<Term> {
    let [Argument::Text(name), Argument::Scalar(default)] = arguments else { return None };
    let default = match default {
        Json::String(text) => Term::Text(text.as_str().into()),
        Json::Bool(holds) => Term::Truth(Box::new(Condition::Always(*holds))),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Term::Int(whole),
            None => Term::Float(number.as_f64()?),
        },
        _ => return None,
    };
    Some(Term::Trait(Arc::clone(name), Box::new(default)))
}
