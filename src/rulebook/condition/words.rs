//! The vocabulary's entries: every field and function of `session`, each with its arguments, its type, one line for people and its meaning in the tree.

use std::sync::Arc;

use crate::rulebook::condition::activity::{Clock, Counted};
use crate::rulebook::condition::meanings::{
    absent_term, count_term, detected, failure_term, first_term, has_trait, ping_pong_term,
    remembered_term, seen_term, sequence_term, struggle_term, tally, trait_term, truth, windowed,
};
use crate::rulebook::condition::needle::Scope;
use crate::rulebook::condition::vocabulary::{Argument, Form, Takes, Type, Word, field, function};
use crate::rulebook::condition::{Condition, Field, Term, Whose};

const COUNTS: &[Form] = &[
    &[("type", Takes::Text), ("window", Takes::Window)],
    &[("type", Takes::Text), ("text", Takes::Text), ("window", Takes::Window)],
    &[("type", Takes::Text), ("where", Takes::Where), ("window", Takes::Window)],
    &[
        ("type", Takes::Text),
        ("text", Takes::Text),
        ("where", Takes::Where),
        ("window", Takes::Window),
    ],
];
const ABSENT: Form = &[
    ("steps", Takes::Steps),
    ("step", Takes::Step),
    ("wait", Takes::Wait),
    ("window", Takes::Window),
];
const VOIDED: Form = &[
    ("steps", Takes::Steps),
    ("step", Takes::Step),
    ("wait", Takes::Wait),
    ("window", Takes::Window),
    ("until", Takes::Step),
];
const WINDOWED: &[Form] = &[&[], &[("window", Takes::Window)]];

/// Every field and function of `session`.
pub static WORDS: &[Word] = &[
    field(
        "path",
        Type::Text,
        "the current page: the URL's path alone; empty when unknown",
        "page",
        |_| Some(Term::Field(Field::Path)),
    ),
    field(
        "url",
        Type::Text,
        "the canonical URL of the current page, as sent; empty when unknown",
        "url",
        |_| Some(Term::Field(Field::Url)),
    ),
    field(
        "title",
        Type::Text,
        "the title of the newest action on the current page; empty when unknown",
        "title",
        |_| Some(Term::Field(Field::Title)),
    ),
    field("dwell_s", Type::Number, "whole seconds on the current page", "dwell", |_| {
        Some(Term::Seconds(Clock::Dwell))
    }),
    field("idle_s", Type::Number, "whole seconds since the newest action", "idle", |_| {
        Some(Term::Seconds(Clock::Idle))
    }),
    field("age_s", Type::Number, "whole seconds since the session's first action", "age", |_| {
        Some(Term::Seconds(Clock::Age))
    }),
    field(
        "action_count",
        Type::Number,
        "actions over the session's whole life",
        "action_count",
        |_| Some(Term::Field(Field::ActionCount)),
    ),
    field(
        "user_id",
        Type::Text,
        "the product's own id of the person; empty when unknown",
        "user_id",
        |_| Some(Term::Field(Field::UserId)),
    ),
    field(
        "email_domain",
        Type::Text,
        "the domain of the person's e-mail, in lower case; empty when unknown",
        "email_domain",
        |_| Some(Term::Field(Field::EmailDomain)),
    ),
    field(
        "summary",
        Type::Text,
        "the newest summary of the session; empty when there is none",
        "summary",
        |_| Some(Term::Field(Field::Summary)),
    ),
    field(
        "scroll_depth",
        Type::Number,
        "the deepest percentage, 0 to 100, in the title of a `scroll`, `$scroll` or `scroll_depth` action of the visit under way; 0 before the first",
        "scroll_depth",
        |_| Some(Term::ScrollDepth),
    ),
    function(
        "query",
        &[&[("parameter", Takes::Text)]],
        Type::Text,
        "the first value of this parameter in the URL of the newest action on the current page, unescaped; empty when there is none",
        "query",
        |arguments| match arguments {
            [Argument::Text(name)] => Some(Term::Query(Arc::clone(name))),
            _ => None,
        },
    ),
    function(
        "has_query",
        &[&[("parameter", Takes::Text)]],
        Type::Truth,
        "the URL of the newest action on the current page has this parameter, whatever its value",
        "query",
        |arguments| match arguments {
            [Argument::Text(name)] => truth(Condition::Query(Arc::clone(name))),
            _ => None,
        },
    ),
    Word {
        name: "trait",
        forms: &[&[("name", Takes::Text), ("default", Takes::Scalar)]],
        gives: None,
        doc: "what is known of the person under this name; the default when nothing of its type is",
        leaf: "trait",
        lower: |arguments| trait_term(Whose::Person, arguments),
    },
    Word {
        name: "account_trait",
        forms: &[&[("name", Takes::Text), ("default", Takes::Scalar)]],
        gives: None,
        doc: "what is known of the person's account under this name; the default when nothing of its type is",
        leaf: "trait",
        lower: |arguments| trait_term(Whose::Account, arguments),
    },
    function(
        "has_trait",
        &[&[("name", Takes::Text)]],
        Type::Truth,
        "something is known of the person under this name",
        "trait",
        |arguments| has_trait(Whose::Person, arguments),
    ),
    function(
        "has_account_trait",
        &[&[("name", Takes::Text)]],
        Type::Truth,
        "something is known of the person's account under this name",
        "trait",
        |arguments| has_trait(Whose::Account, arguments),
    ),
    function(
        "count",
        COUNTS,
        Type::Number,
        "actions of this type in the window, with this text in their title if one is given, whatever its case, and with these properties; an action that does not tell one of them does not count",
        "count",
        |arguments| count_term(Scope::Session, arguments),
    ),
    function(
        "count_here",
        COUNTS,
        Type::Number,
        "as `count`, but of actions on the current page alone, whichever visit to it; 0 when no page is known",
        "count",
        |arguments| count_term(Scope::Page, arguments),
    ),
    function(
        "user_count",
        &[&[("type", Takes::Text), ("window", Takes::Memory), ("default", Takes::Number)]],
        Type::Number,
        "actions of this type in the window in all sessions of the person, up to 64; the default when nobody says who they are",
        "count",
        remembered_term,
    ),
    function(
        "visits",
        &[&[("window", Takes::Window)], &[("page", Takes::Page), ("window", Takes::Window)]],
        Type::Number,
        "visits to the page, or to the current one, in the window; consecutive actions on one page are one visit, the one under way counts",
        "visits",
        |arguments| match arguments {
            [Argument::Window(within)] => tally(Counted::Visits(None), *within),
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
        "distinct_pages",
        |arguments| windowed(Counted::Pages, arguments),
    ),
    function(
        "ping_pong",
        &[&[("times", Takes::Times)], &[("times", Takes::Times), ("window", Takes::Window)]],
        Type::Truth,
        "in the window (2m) the person came back so many times to the current page with exactly one other page between",
        "ping_pong",
        ping_pong_term,
    ),
    function(
        "since",
        &[&[("type", Takes::Text)]],
        Type::Number,
        "whole seconds since the newest action of this type; 1000000000 (some thirty years) when there was none",
        "since",
        |arguments| match arguments {
            [Argument::Text(kind)] => Some(Term::Seconds(Clock::Since(Arc::clone(kind)))),
            _ => None,
        },
    ),
    function(
        "sequence",
        &[
            &[("steps", Takes::Steps), ("window", Takes::Window)],
            &[("steps", Takes::Steps), ("window", Takes::Window), ("until", Takes::Step)],
        ],
        Type::Truth,
        "these happened in this order in the window, anything between them, and since the newest `until` if one is given; a step is an action's type, or coming to a page",
        "sequence",
        sequence_term,
    ),
    function(
        "absent",
        &[ABSENT, VOIDED],
        Type::Truth,
        "these happened in this order in the window, and `step` did not follow the last of them for `wait`; all since the newest `until` if one is given",
        "sequence",
        absent_term,
    ),
    function(
        "rage_clicks",
        &[&[("window", Takes::Window)]],
        Type::Number,
        "the client's rage click signals in the window; in a session without any, bursts of three clicks on one title and page with gaps under a second",
        "rage_clicks",
        |arguments| windowed(Counted::RageClicks, arguments),
    ),
    function(
        "errors",
        &[&[("window", Takes::Window)]],
        Type::Number,
        "actions of type error, form_error, exception or $exception in the window",
        "errors",
        |arguments| windowed(Counted::Errors, arguments),
    ),
    function(
        "page_loop",
        WINDOWED,
        Type::Number,
        "visits to the current page that began in the window (15s)",
        "page_loop",
        |arguments| detected("page_loop", arguments),
    ),
    function(
        "quick_back",
        &[&[], &[("window", Takes::Window)], &[("stay", Takes::Wait), ("window", Takes::Window)]],
        Type::Number,
        "returns in the window (10m) to the current page after a stay of at most `stay` (7s) on exactly one other page",
        "quick_back",
        |arguments| detected("quick_back", arguments),
    ),
    function(
        "dead_click",
        WINDOWED,
        Type::Number,
        "the client's dead click signals in the window (10m): actions of type dead_click or $dead_click",
        "dead_click",
        |arguments| detected("dead_click", arguments),
    ),
    function(
        "error_click",
        &[&[], &[("window", Takes::Window)], &[("gap", Takes::Wait), ("window", Takes::Window)]],
        Type::Number,
        "clicks in the window (10m) that an error (see `errors`) followed within `gap` (1s), no other click between",
        "error_click",
        |arguments| detected("error_click", arguments),
    ),
    function(
        "exit_intent",
        &[&[], &[("window", Takes::Window)], &[("after", Takes::Wait), ("window", Takes::Window)]],
        Type::Number,
        "the client's signals in the window (10m), actions of type exit_intent or $exit_intent, on the current page at least `after` (5s) after coming to it",
        "exit_intent",
        |arguments| detected("exit_intent", arguments),
    ),
    function(
        "no_results",
        WINDOWED,
        Type::Number,
        "empty searches in the window (2m): actions of type no_results or search_no_results",
        "no_results",
        |arguments| detected("no_results", arguments),
    ),
    function(
        "repeated_failure",
        &[
            &[("failure", Takes::Text), ("success", Takes::Text)],
            &[("failure", Takes::Text), ("success", Takes::Text), ("window", Takes::Window)],
        ],
        Type::Number,
        "actions of type `failure` in the window (5m) since the newest of type `success`",
        "repeated_failure",
        failure_term,
    ),
    function(
        "form_struggle",
        &[
            &[],
            &[("window", Takes::Window)],
            &[("refocused", Takes::Times), ("errors", Takes::Times), ("window", Takes::Window)],
        ],
        Type::Truth,
        "in the window (3m) one field was come back to so often (3; focus, field_focus), or had so many errors (2; form_error, validation_error); a field is a title on a page",
        "form_struggle",
        struggle_term,
    ),
    function(
        "first_time",
        &[&[("step", Takes::Step), ("default", Takes::Truth)]],
        Type::Truth,
        "the visit under way is the session's first to this page, or the action of this type its only one; the default when activity is no longer kept that could tell. What was done in earlier sessions is not looked at",
        "first_time",
        |arguments| first_term(false, arguments),
    ),
    function(
        "user_first_time",
        &[&[("step", Takes::Step), ("default", Takes::Truth)]],
        Type::Truth,
        "as `first_time`, but in all sessions of the person, as far as is remembered; the default when nobody says who they are",
        "first_time",
        |arguments| first_term(true, arguments),
    ),
    function(
        "matches",
        &[&[("page", Takes::Page)]],
        Type::Truth,
        "the current page matches this pattern: `:name` stands for one segment",
        "page",
        |arguments| match arguments {
            [Argument::Page(page)] => truth(Condition::Page(vec![page.clone()])),
            _ => None,
        },
    ),
    function(
        "seen",
        &[
            &[("trigger", Takes::Text)],
            &[("trigger", Takes::Text), ("outcome", Takes::Outcome)],
            &[("trigger", Takes::Text), ("outcome", Takes::Outcome), ("window", Takes::Memory)],
        ],
        Type::Truth,
        "an offer of this trigger had this outcome (or was made at all: `offered`), in the window or ever, in this session or for this person",
        "seen",
        seen_term,
    ),
    function(
        "seen_tour",
        &[
            &[("tour", Takes::Tour)],
            &[("tour", Takes::Tour), ("outcome", Takes::Outcome)],
            &[("tour", Takes::Tour), ("outcome", Takes::Outcome), ("window", Takes::Memory)],
        ],
        Type::Truth,
        "as `seen`, of every trigger that offers this tour",
        "seen",
        seen_term,
    ),
    function(
        "in_segment",
        &[&[("segment", Takes::Segment)]],
        Type::Truth,
        "the person is in this segment; no where that cannot be told",
        "segment",
        |arguments| match arguments {
            [Argument::Segment(segment)] => truth(Condition::Segment(Box::new(segment.clone()))),
            _ => None,
        },
    ),
];
