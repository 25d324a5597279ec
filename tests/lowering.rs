//! Differential test of the lowering: Rhai itself, with the vocabulary's functions written naively
//! over the session, must come to the same truth (or fail alike) as the lowered tree.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

mod oracle;
mod sessions;

use docent::domain::time::Span;
use docent::rulebook::condition::{Condition, Truth, View, leaves, read_expression};
use docent::rulebook::reader::Findings;
use docent::rulebook::yaml;
use oracle::interpreted;
use proptest::prelude::*;
use sessions::{LIMITS, beyond, session};

fn window() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["1s", "5s", "1m", "2m", "10m", "30m"])
}

fn text() -> BoxedStrategy<String> {
    let written =
        vec!["\"\"", "\"/a\"", "\"/b\"", "\"Save\"", "\"pro\"", "\"example.com\"", "\"a\""];
    let fields = ["path", "url", "title", "user_id", "email_domain", "summary"];
    let fields = fields.map(|field| format!("session.{field}"));
    let parameters = vec!["session.query(\"x\")", "session.query(\"y\")"];
    let traits = vec![
        "session.trait(\"plan\", \"\")",
        "session.trait(\"beta\", \"no\")",
        "session.account_trait(\"tier\", \"\")",
    ];
    prop_oneof![
        prop::sample::select(written).prop_map(str::to_owned),
        prop::sample::select(fields.to_vec()),
        prop::sample::select(traits).prop_map(str::to_owned),
        prop::sample::select(parameters).prop_map(str::to_owned),
    ]
    .boxed()
}

/// What properties must be: one or two of them, by a value, a list or tests.
fn meant() -> impl Strategy<Value = String> {
    let form = vec![
        "form: \"import\"",
        "form: [\"import\", \"x\"]",
        "form: #{ is_not: \"import\" }",
        "form: #{ contains: \"EXP\" }",
        "form: #{ starts_with: \"EXP\" }",
        "form: #{ ends_with: \"T\" }",
        "form: #{ not_in: [\"import\", 5] }",
        "ok: true",
        "form: #{ exists: false }",
        "form: #{ exists: true, gt: 1 }",
        "form: #{ \"in\": [true] }",
    ];
    let rows = prop::sample::select(vec!["eq", "at_least", "gte", "at_most", "lte", "gt", "lt"]);
    let bounds = prop::sample::select(vec!["0", "2.5", "-1", "5000"]);
    let rows = prop_oneof![
        3 => (rows, bounds).prop_map(|(test, bound)| format!("rows: #{{ {test}: {bound} }}")),
        1 => Just("rows: #{ between: [1, 5000.0] }".to_owned()),
    ];
    let form = prop::sample::select(form).prop_map(str::to_owned);
    prop_oneof![
        2 => form.clone(),
        2 => rows.clone(),
        1 => (form, rows).prop_map(|(form, rows)| format!("{form}, {rows}")),
    ]
    .prop_map(|tests| format!("#{{ {tests} }}"))
}

/// Detectors that count, in every way to call them.
fn detected() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec!["page_loop", "dead_click", "no_results"]);
    let measured = prop::sample::select(vec!["quick_back", "error_click", "exit_intent"]);
    let either = prop_oneof![plain, measured.clone()];
    let failures = prop::sample::select(vec!["error", "click", "$exception"]);
    prop_oneof![
        1 => either.clone().prop_map(|name| format!("session.{name}()")),
        2 => (either, window()).prop_map(|(name, w)| format!("session.{name}({w:?})")),
        2 => (measured, window(), window())
            .prop_map(|(name, span, w)| format!("session.{name}({span:?}, {w:?})")),
        2 => (failures, prop::option::of(window())).prop_map(|(failure, w)| {
            let window = w.map(|w| format!(", {w:?}")).unwrap_or_default();
            format!("session.repeated_failure({failure:?}, \"saved\"{window})")
        }),
        1 => (prop::sample::select(vec!["save", "x"]), window())
            .prop_map(|(text, w)| format!("session.count_here(\"click\", {text:?}, {w:?})")),
        2 => (prop::sample::select(vec!["click", "none"]), window(), -1..3)
            .prop_map(|(kind, w, d)| format!("session.user_count({kind:?}, {w:?}, {d})")),
        3 => (prop::sample::select(vec!["count", "count_here"]), meant(), window())
            .prop_map(|(name, meant, w)| format!("session.{name}(\"click\", {meant}, {w:?})")),
        1 => (meant(), window())
            .prop_map(|(meant, w)| format!("session.count(\"click\", \"sa\", {meant}, {w:?})")),
    ]
}

fn step() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["click", "error", "/a", "/b", "/c/:id", "pageview", "saved"])
}

/// Sequences with all that may void them, and other words of steps.
fn stepped() -> impl Strategy<Value = String> {
    let steps = || prop::collection::vec(step(), 1..4);
    let waits = prop::sample::select(vec!["1s", "5s", "30s", "1m", "90s"]);
    let until = || prop::option::of(step());
    let voided = |until: Option<&str>| until.map(|s| format!(", {s:?}")).unwrap_or_default();
    prop_oneof![
        2 => (steps(), window(), until())
            .prop_map(move |(s, w, u)| format!("session.sequence({s:?}, {w:?}{})", voided(u))),
        4 => (steps(), step(), waits, window(), until())
            .prop_filter("the wait must end in the window", |(_, _, wait, window, _)| {
                Span::parse(wait).unwrap() < Span::parse(window).unwrap()
            })
            .prop_map(move |(s, b, d, w, u)| {
                format!("session.absent({s:?}, {b:?}, {d:?}, {w:?}{})", voided(u))
            }),
        1 => (step(), any::<bool>()).prop_map(|(s, d)| format!("session.first_time({s:?}, {d})")),
        2 => (prop::sample::select(vec!["click", "/a", "saved"]), any::<bool>())
            .prop_map(|(s, d)| format!("session.user_first_time({s:?}, {d})")),
        1 => (1..5, 1..4, window())
            .prop_map(|(n, e, w)| format!("session.form_struggle({n}, {e}, {w:?})")),
        1 => window().prop_map(|w| format!("session.form_struggle({w:?})")),
        1 => Just("session.form_struggle()".to_owned()),
        1 => prop::sample::select(vec!["x", "y", "z"])
            .prop_map(|name| format!("session.has_query({name:?})")),
    ]
}

fn number() -> BoxedStrategy<String> {
    let written = prop_oneof![
        (-3_i64..130).prop_map(|number| number.to_string()),
        prop::sample::select(vec!["0.5", "2.5", "0.1 + 0.2", "1e300", "9223372036854775807"])
            .prop_map(str::to_owned),
    ];
    let kinds = prop::sample::select(vec!["click", "pageview", "error", "none"]);
    let texts = prop::sample::select(vec!["save", "ändErung", "", "x"]);
    let pages = prop::sample::select(vec!["/a", "/b", "/c/:id", "/d"]);
    let fields = ["dwell_s", "idle_s", "age_s", "action_count", "scroll_depth"]
        .map(|f| format!("session.{f}"));
    let leaf = prop_oneof![
        2 => written,
        2 => prop::sample::select(fields.to_vec()),
        1 => Just("session.trait(\"seats\", 1)".to_owned()),
        1 => Just("session.trait(\"seats\", 1.5)".to_owned()),
        1 => (kinds.clone(), window()).prop_map(|(k, w)| format!("session.count({k:?}, {w:?})")),
        1 => (kinds.clone(), texts, window())
            .prop_map(|(k, t, w)| format!("session.count({k:?}, {t:?}, {w:?})")),
        1 => (pages, window()).prop_map(|(p, w)| format!("session.visits({p:?}, {w:?})")),
        1 => (prop::sample::select(vec!["distinct_pages", "rage_clicks", "errors", "visits"]), window())
            .prop_map(|(name, w)| format!("session.{name}({w:?})")),
        3 => detected(),
        1 => (kinds.clone(), window()).prop_map(|(k, w)| format!("session.count_here({k:?}, {w:?})")),
        1 => kinds.prop_map(|k| format!("session.since({k:?})")),
        1 => text().prop_map(|text| format!("{text}.len()")),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let operators = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            4 => (inner.clone(), operators, inner.clone())
                .prop_map(|(l, o, r)| format!("({l} {o} {r})")),
            1 => inner.prop_map(|number| format!("-({number})")),
        ]
    })
    .boxed()
}

/// A leaf, and in Rhai when its value is known and what it then means.
fn leaf() -> impl Strategy<Value = (String, String, String)> {
    let fields = prop::sample::select(vec!["url", "title", "user_id", "email_domain", "summary"]);
    let texts = vec!["Save", "/a", "save", "u-1", "example.com", "ada@Example.COM", "speichern"];
    let texts = move || prop::sample::select(texts.clone());
    let told = (fields, 0..8, texts(), texts()).prop_map(|(field, test, one, other)| {
        let lower =
            |method: &str| format!("session.{field}.to_lower().{method}({:?})", one.to_lowercase());
        let (written, means) = match test {
            0 => (format!("{one:?}"), format!("session.{field} == {one:?}")),
            1 => (
                format!("[{one:?}, {other:?}]"),
                format!("session.{field} == {one:?} || session.{field} == {other:?}"),
            ),
            2 => (format!("{{ is_not: {one:?} }}"), format!("session.{field} != {one:?}")),
            3 => (
                format!("{{ not_in: [{one:?}], is_not: {other:?} }}"),
                format!("session.{field} != {one:?} && session.{field} != {other:?}"),
            ),
            4 => (format!("{{ contains: {one:?} }}"), lower("contains")),
            5 => (format!("{{ starts_with: {one:?} }}"), lower("starts_with")),
            6 => (format!("{{ ends_with: {one:?} }}"), lower("ends_with")),
            _ => {
                let is_told = format!("session.{field} != \"\"");
                return (format!("{field}: {{ exists: true }}"), "true".to_owned(), is_told);
            }
        };
        (format!("{field}: {written}"), format!("session.{field} != \"\""), means)
    });
    let always = |(leaf, means): (String, String)| (leaf, "true".to_owned(), means);
    let kinds = prop::sample::select(vec!["click", "error", "none"]);
    prop_oneof![
        4 => told,
        1 => (0..400).prop_map(|s| (format!("age: {s}s"), format!("session.age_s >= {s}"))).prop_map(always),
        2 => (kinds, 0..400).prop_map(|(kind, s)| (
            format!("since: {{ type: {kind}, at_least: {s}s }}"),
            format!("session.since({kind:?}) < 1000000000"),
            format!("session.since({kind:?}) >= {s}"),
        )),
        1 => (1..12, 0..4).prop_map(|(n, more)| (
            format!("action_count: {{ between: [{n}, {}] }}", n + more),
            format!("session.action_count >= {n} && session.action_count <= {}", n + more),
        )).prop_map(always),
        1 => (1..5, window()).prop_map(|(n, w)| (
            format!("distinct_pages: {{ exactly: {n}, within: {w} }}"),
            format!("session.distinct_pages({w:?}) == {n}"),
        )).prop_map(always),
    ]
}

/// The condition of a list with this one leaf.
fn listed(leaf: &str) -> Condition {
    let source = format!("- {leaf}");
    let mut findings = Findings::new("rules/a.yaml", &source);
    let node = yaml::read(&mut findings).unwrap();
    let read = leaves::read(&node, &mut findings, &LIMITS);
    read.unwrap_or_else(|| panic!("{leaf}: {:?}", findings.into_list())).0
}

fn truth() -> BoxedStrategy<String> {
    let order = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let methods = prop::sample::select(vec!["starts_with", "ends_with", "contains"]);
    let pages = prop::sample::select(vec!["/a", "/c/:id", "/d"]);
    let outcomes = prop::sample::select(vec!["shown", "dismissed", "offered", "completed"]);
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(|truth| truth.to_string()),
        6 => (number(), order(), number()).prop_map(|(l, o, r)| format!("{l} {o} {r}")),
        1 => order().prop_map(|order| format!("0.1 + 0.2 {order} 0.3")),
        1 => order().prop_map(|order| format!("0.3 {order} 0.1 + 0.2")),
        3 => (text(), order(), text()).prop_map(|(l, o, r)| format!("{l} {o} {r}")),
        2 => (text(), methods, text()).prop_map(|(s, m, a)| format!("{s}.{m}({a})")),
        1 => text().prop_map(|text| format!("{text}.is_empty()")),
        1 => pages.prop_map(|page| format!("session.matches({page:?})")),
        1 => (1..4).prop_map(|times| format!("session.ping_pong({times})")),
        2 => (1..4, window()).prop_map(|(n, w)| format!("session.ping_pong({n}, {w:?})")),
        6 => stepped(),
        1 => outcomes.clone().prop_map(|outcome| format!("session.seen(\"hello\", {outcome:?})")),
        2 => (outcomes, window())
            .prop_map(|(outcome, w)| format!("session.seen(\"hello\", {outcome:?}, {w:?})")),
        1 => Just("session.seen(\"hello\")".to_owned()),
        1 => prop::sample::select(vec!["has_trait(\"plan\")", "has_account_trait(\"tier\")"])
            .prop_map(|asked| format!("session.{asked}")),
        1 => Just("session.trait(\"beta\", false)".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let equality = prop::sample::select(vec!["==", "!="]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" && "))),
            3 => prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" || "))),
            1 => inner.clone().prop_map(|part| format!("!({part})")),
            1 => (inner.clone(), equality, inner).prop_map(|(l, o, r)| format!("({l}) {o} ({r})")),
        ]
    })
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_lowered_tree_is_what_rhai_means(source in truth(), (session, now) in session(), beyond in beyond()) {
        let condition = read_expression(&source, &LIMITS);
        prop_assert!(condition.is_ok(), "{source}: {condition:?}");
        let view = View { session: &session, user: Some(&beyond.0), account: Some(&beyond.1), now };
        let lowered = condition.unwrap().answer(&view).ok().map(|answer| answer.truth);
        let oracle = interpreted(&source, &session, &beyond, now).map(Truth::from);
        prop_assert_eq!(lowered, oracle, "{}", source);
    }

    /// Each word by itself, so that no other decides in its place.
    #[test]
    fn each_detector_is_what_it_is_said_to_mean(
        count in detected(),
        least in 1..4,
        step in stepped(),
        (session, now) in session(),
        beyond in beyond(),
    ) {
        for source in [format!("{count} >= {least}"), format!("session.scroll_depth > {least}"), step] {
            let condition = read_expression(&source, &LIMITS).unwrap();
            let view = View { session: &session, user: Some(&beyond.0), account: Some(&beyond.1), now };
            let lowered = condition.answer(&view).unwrap().truth;
            let oracle = interpreted(&source, &session, &beyond, now).map(Truth::from);
            prop_assert_eq!(Some(lowered), oracle, "{}", source);
        }
    }

    /// A leaf means what its word does, but is unknown where the word has a value that stands in.
    #[test]
    fn a_leaf_is_what_its_word_means((leaf, known, means) in leaf(), (session, now) in session(), beyond in beyond()) {
        let condition = listed(&leaf);
        let view = View { session: &session, user: Some(&beyond.0), account: Some(&beyond.1), now };
        let of = |source: &str| interpreted(source, &session, &beyond, now).unwrap();
        let expected = if of(&known) { Truth::from(of(&means)) } else { Truth::Unknown };
        prop_assert_eq!(condition.answer(&view).unwrap().truth, expected, "{}", leaf);
        let not = listed(&format!("not: {{ {leaf} }}")).answer(&view).unwrap().truth;
        let opposite = if of(&known) { Truth::from(!of(&means)) } else { Truth::Unknown };
        prop_assert_eq!(not, opposite, "not {}", leaf);
    }

    /// What stands until an instant stands at every one before it, evaluation errors included.
    #[test]
    fn an_answer_stands_until_it_says(
        source in truth(),
        (session, now) in session(),
        beyond in beyond(),
        ticks in prop::collection::vec(0.0..1.0_f64, 6),
    ) {
        let condition = read_expression(&source, &LIMITS).unwrap();
        let at = |now| condition.answer(&View { session: &session, user: Some(&beyond.0), account: Some(&beyond.1), now });
        let Ok(answer) = at(now) else { return Ok(()) };
        prop_assert!(answer.until > now, "{source}: {answer:?}");
        let span = answer.until.since(now).as_millis().min(2_000_000) - 1;
        for share in ticks.into_iter().chain([0.0, 1.0]) {
            let tick = now.plus(Span::from_millis((span as f64 * share) as i64));
            let then = at(tick);
            let truth = then.as_ref().map(|then| then.truth);
            prop_assert_eq!(truth, Ok(answer.truth), "{} at {:?}", source, tick);
        }
    }
}
