//! Every leaf of the list form.

use crate::rulebook::condition::vocabulary::Leaf;

/// Tests of a text that may not be known.
const TEXTS: &[&str] =
    &["is", "is_not", "in", "not_in", "contains", "starts_with", "ends_with", "exists"];

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
        name: "url",
        short: "url: https://app.example.com/billing",
        keys: TEXTS,
        doc: "the canonical URL of the current page, as sent, is this text, or one of a list; unknown, which never fires, while no page is",
    },
    Leaf {
        name: "title",
        short: "title: Save",
        keys: TEXTS,
        doc: "the title of the newest action on the current page is this text, or one of a list; unknown, which never fires, when it has none",
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
        name: "age",
        short: "age: 10m",
        keys: &["at_least", "at_most"],
        doc: "time since the session's first action",
    },
    Leaf {
        name: "since",
        short: "since: { type: error, at_most: 30s }",
        keys: &["type", "at_least", "at_most"],
        doc: "time since the newest action of this type; unknown, which never fires, when none is kept",
    },
    Leaf {
        name: "action_count",
        short: "action_count: 5",
        keys: &["at_least", "at_most", "exactly", "between"],
        doc: "actions over the session's whole life",
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
        name: "distinct_pages",
        short: "distinct_pages: 4",
        keys: &["at_least", "at_most", "exactly", "between", "within"],
        doc: "different pages visited, the current one included, within 10m",
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
            "name",
            "of",
            "is",
            "is_not",
            "in",
            "not_in",
            "contains",
            "starts_with",
            "ends_with",
            "at_least",
            "at_most",
            "gt",
            "gte",
            "lt",
            "lte",
            "between",
            "exists",
            "eq",
        ],
        doc: "what is known of the person, or of their account with `of: account`; unknown, which never fires, when nothing is",
    },
    Leaf {
        name: "user_id",
        short: "user_id: u_1",
        keys: TEXTS,
        doc: "the product's own id of the person is this text, or one of a list; unknown, which never fires, while nobody says who they are",
    },
    Leaf {
        name: "email_domain",
        short: "email_domain: example.com",
        keys: TEXTS,
        doc: "the domain of the person's e-mail, in lower case, is this text, or one of a list; unknown, which never fires, while nobody says it",
    },
    Leaf {
        name: "summary",
        short: "summary: { contains: invoice }",
        keys: TEXTS,
        doc: "the newest summary of the session; unknown, which never fires, before the first",
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
        name: "segment",
        short: "segment: power-users",
        keys: &[],
        doc: "the person is in this segment, or in one of a list; unknown where what it asks for is",
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
