//! The list form as authors write it, right and wrong.

use super::*;
use crate::rulebook::condition::read_expression;
use crate::rulebook::condition::vocabulary::{METHODS, WORDS};
use crate::rulebook::settings::Activity;
use crate::rulebook::yaml;

const LIMITS: Activity = Activity { keep: Span::from_seconds(1_800), max_actions: 200 };

/// The condition in words, or each finding as `line:column+length message`.
fn read_text(source: &str) -> Result<String, Vec<String>> {
    let mut findings = Findings::new("rules/a.yaml", source);
    let node = yaml::read(&mut findings).unwrap();
    let condition = read(&node, &mut findings, &LIMITS);
    let list = findings.into_list();
    assert_eq!(condition.is_none(), !list.is_empty(), "{source}: {list:?}");
    condition.map(|(condition, _)| condition.to_string()).ok_or_else(|| {
        let shown = |f: &crate::rulebook::finding::Finding| {
            format!("{}:{}+{} {}", f.line, f.column, f.length, f.message)
        };
        list.iter().map(shown).collect()
    })
}

#[test]
fn each_leaf_reads_in_its_short_and_its_long_form() {
    for (source, tree) in [
        ("- page: /billing", "page /billing"),
        ("- page: [/a, '/b/:id']", "page one of /a, /b/:id"),
        ("- ping_pong: 2", "ping_pong(\"2m\") at least 2"),
        ("- ping_pong: { times: 3, within: 5m }", "ping_pong(\"5m\") at least 3"),
        ("- ping_pong: { within: 5m }", "ping_pong(\"5m\") at least 2"),
        ("- dwell: 20s", "dwell 20s"),
        ("- dwell: { at_least: 1s, at_most: 2s }", "(dwell 1s && not dwell 2001ms)"),
        ("- idle: { at_most: 30s }", "not idle 30001ms"),
        ("- count: submit", "count(\"submit\", \"10m\") at least 1"),
        (
            "- count: { type: click, text: Save, at_least: 3, within: 5m }",
            "count(\"click\", \"Save\", \"5m\") at least 3",
        ),
        ("- count: { type: click, exactly: 0 }", "count(\"click\", \"10m\") exactly 0"),
        ("- visits: 2", "visits(\"10m\") at least 2"),
        ("- visits: /pricing", "visits(\"/pricing\", \"10m\") at least 1"),
        (
            "- visits: { page: /a, at_least: 1, at_most: 2 }",
            "(visits(\"/a\", \"10m\") at least 1 && visits(\"/a\", \"10m\") at most 2)",
        ),
        ("- errors: 2", "errors(\"10m\") at least 2"),
        ("- rage_clicks: { within: 30s }", "rage_clicks(\"30s\") at least 1"),
        ("- trait: { name: plan, is: pro }", "trait plan \"pro\""),
        ("- trait: { name: plan, not_in: [pro, team] }", "not trait plan \"pro\" or \"team\""),
        (
            "- trait: { name: seats, at_least: 5, is_not: 7 }",
            "(not trait seats 7 && trait seats at least 5)",
        ),
        ("- seen: hello", "seen hello offered"),
        ("- seen: { trigger: hello, outcome: dismissed }", "seen hello dismissed"),
        ("- sequence: [/cart, error]", "sequence /cart, error within 10m"),
        ("- sequence: { of: [a, b], within: 5m }", "sequence a, b within 5m"),
        (
            "- any: [{ idle: 1s }, { errors: 1, dwell: 2s }]",
            "(idle 1s || (errors(\"10m\") at least 1 && dwell 2s))",
        ),
        ("- not: { page: /login }", "not page /login"),
        ("- not: [{ page: /login }, { idle: 1s }]", "not (page /login && idle 1s)"),
        ("- rhai: session.dwell_s >= 30\n- errors: 1", "(dwell 30s && errors(\"10m\") at least 1)"),
        ("session.dwell_s >= 30", "dwell 30s"),
    ] {
        assert_eq!(read_text(source).as_deref(), Ok(tree), "{source}");
    }
}

#[test]
fn every_mistake_of_a_list_is_shown_at_its_place() {
    for (source, expected) in [
        (
            "- page: billing\n- sequence: [/a/, click]",
            &[
                "1:9+7 the page `billing` does not begin with `/`",
                "2:14+3 `/a/` ends with `/`, and pages never do",
            ][..],
        ),
        ("- dwel: 20s", &["1:3+4 there is no condition `dwel`"]),
        (
            "- dwell: 20\n- idle: soon\n- errors: -1",
            &[
                "1:10+2 the duration `20` has no unit; write `20s`, `20m` or `20h`",
                "2:9+4 `soon` is not a duration; write for example `30s`, `5m` or `7d`",
                "3:11+2 `-1` is out of range",
            ],
        ),
        (
            "- count: { typ: click, within: 2h }",
            &[
                "1:12+3 count has no key `typ`",
                "1:32+2 a window of 2h is longer than activity is kept (30m)",
            ],
        ),
        ("- any: []", &["1:8+1 this list has no conditions"]),
        ("- dwell: {}", &["1:10+1 nothing is required here"]),
        ("- trait: { name: plan }", &["1:10+1 nothing is required of this trait"]),
        ("- sequence: []", &["1:13+1 this sequence has no steps"]),
        ("- seen: { trigger: a, outcome: gone }", &["1:32+4 no outcome is called `gone`"]),
        ("- just words", &["1:3+10 `just words` is text where a condition belongs"]),
        ("true", &["1:1+4 `true` is a boolean where a list of conditions belongs"]),
        (
            "- rhai: |\n    session.dwell_s > 3 &&\n      session.idel_s > 3",
            &["3:15+6 `session` has no field `idel_s`"],
        ),
        (
            "- rhai: \"session.path == \\\"a\\\" && session.x\"",
            &["1:43+1 `session` has no field `x`"],
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(read_text(source), Err(expected), "{source}");
    }
}

fn reads(table: &[(&str, &str)]) {
    for (source, tree) in table {
        assert_eq!(read_text(source).as_deref(), Ok(*tree), "{source}");
    }
}

fn complains(table: &[(&str, &[&str])]) {
    for (source, expected) in table {
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(read_text(source), Err(expected), "{source}");
    }
}

#[test]
fn parameters_scopes_and_sequences_read_in_their_long_form() {
    reads(&[
        (
            "- sequence: { of: [a], until: /b, absent: c, for: 45s }",
            "sequence a, until /b, then no c for 45s within 10m",
        ),
        ("- query: tab", "query tab"),
        ("- query: { name: tab, is: billing }", "query(\"tab\") == \"billing\""),
        (
            "- query: { name: tab, in: [a, b] }",
            "(query(\"tab\") == \"a\" || query(\"tab\") == \"b\")",
        ),
        (
            "- count: { type: click, scope: page, between: [2, 4] }",
            "count_here(\"click\", \"10m\") between 2 and 4",
        ),
        ("- count: { type: click, scope: session }", "count(\"click\", \"10m\") at least 1"),
    ]);
    complains(&[
        ("- query: { nam: tab }", &["1:12+3 query has no key `nam`"]),
        ("- query: { name: tab, is: a, in: [b] }", &["1:34+1 `is` and `in` do not go together"]),
        ("- query: { name: tab, in: [] }", &["1:10+1 nothing is required here"]),
        (
            "- errors: { between: [4, 2] }\n- errors: { between: [1] }\n- errors: { between: 3 }",
            &[
                "1:22+1 no number is between 4 and 2",
                "2:22+1 `between` takes two numbers, the least and the most",
                "3:22+1 `3` is a whole number where a list of two numbers belongs",
            ],
        ),
        ("- count: { type: a, scope: pge }", &["1:28+3 no scope is called `pge`"]),
        (
            "- sequence: { of: [a], absent: b }\n- sequence: { of: [a], for: 5s }",
            &["1:13+1 sequence has no `for`", "2:13+1 sequence has no `absent`"],
        ),
        (
            "- sequence: { of: [a], absent: b, for: 10m }",
            &["1:40+3 a wait of 10m never ends in a window of 10m"],
        ),
    ]);
}

#[test]
fn values_people_and_offers_read_in_their_long_form() {
    reads(&[
        (
            "- seen: { trigger: hello, outcome: offered, within: 7d }",
            "seen hello offered within 1w",
        ),
        ("- seen: { tour: invite, outcome: completed }", "seen tour invite completed"),
        ("- trait: { name: tier, of: account, is: gold }", "account trait tier \"gold\""),
        ("- trait: { name: plan, exists: false }", "not trait plan exists"),
        (
            "- trait: { name: seats, gt: 5, lt: 9, contains: a }",
            "(trait seats contains \"a\" && trait seats more than 5 && trait seats less than 9)",
        ),
        (
            "- count: { type: a, where: { b: 1, c: [d, 2], e: { gte: 3, is_not: f } } }",
            "count(\"a\", #{b 1, c \"d\" or 2, e not \"f\", e at least 3}, \"10m\") at least 1",
        ),
        ("- count: { type: a, scope: user, at_least: 3 }", "user_count(\"a\", \"30d\") at least 3"),
        ("- first_time: { of: /a, scope: user }", "user_first_time /a"),
    ]);
}

#[test]
fn each_detector_reads_with_its_published_defaults() {
    reads(&[
        ("- page_loop: {}", "page_loop(\"15s\") at least 3"),
        ("- page_loop: { within: 30s, at_most: 4 }", "page_loop(\"30s\") at most 4"),
        ("- quick_back: 2", "quick_back(\"7s\", \"10m\") at least 2"),
        ("- quick_back: { stay: 3s }", "quick_back(\"3s\", \"10m\") at least 1"),
        ("- dead_click: 2", "dead_click(\"10m\") at least 2"),
        ("- error_click: { gap: 2s }", "error_click(\"2s\", \"10m\") at least 1"),
        ("- exit_intent: { after: 10s }", "exit_intent(\"10s\", \"10m\") at least 1"),
        ("- no_results: {}", "no_results(\"2m\") at least 2"),
        (
            "- repeated_failure: { failure: a, success: b, within: 1m }",
            "repeated_failure(\"a\", \"b\", \"1m\") at least 3",
        ),
        ("- form_struggle: {}", "form_struggle 3 returns to a field or 2 errors of it within 3m"),
        (
            "- form_struggle: { refocused: 5, errors: 4, within: 1m }",
            "form_struggle 5 returns to a field or 4 errors of it within 1m",
        ),
        ("- scroll_depth: 50", "scroll_depth >= 50"),
        ("- scroll_depth: {}", "scroll_depth >= 50"),
        ("- scroll_depth: { at_most: 20 }", "scroll_depth <= 20"),
        (
            "- scroll_depth: { at_least: 10, at_most: 20 }",
            "(scroll_depth >= 10 && scroll_depth <= 20)",
        ),
        ("- first_time: /reports", "first_time /reports"),
        ("- first_time: { of: export, default: true }", "first_time export"),
    ]);
    complains(&[
        ("- page_lop: 3", &["1:3+8 there is no condition `page_lop`"]),
        ("- quick_back: { stey: 7s }", &["1:17+4 quick_back has no key `stey`"]),
        ("- quick_back: { stay: 0s }", &["1:23+2 nothing happens in a window of no length"]),
        ("- page_loop: 0", &["1:14+1 `0` is out of range"]),
        ("- repeated_failure: { failure: a }", &["1:21+1 repeated_failure has no `success`"]),
        ("- form_struggle: { refocused: 0 }", &["1:31+1 `0` is out of range"]),
        ("- scroll_depth: { at_least: 101 }", &["1:29+3 `101` is out of range"]),
        ("- scroll_depth: 101", &["1:17+3 `101` is out of range"]),
        ("- first_time: { default: true }", &["1:15+1 first_time has no `of`"]),
    ]);
}

#[test]
fn nesting_is_bounded() {
    let source = format!("- {}page: /a{}", "not: { ".repeat(20), " }".repeat(20));
    let found = read_text(&source).unwrap_err();
    assert!(found[0].ends_with("conditions are nested deeper than 16 levels"), "{found:?}");
}

#[test]
fn a_default_window_is_no_longer_than_activity_is_kept() {
    let limits = Activity { keep: Span::from_seconds(60), max_actions: 200 };
    let mut findings = Findings::new("rules/a.yaml", "[{ errors: 1 }, { ping_pong: 1 }]");
    let node = yaml::read(&mut findings).unwrap();
    let (condition, _) = read(&node, &mut findings, &limits).unwrap();
    assert_eq!(
        condition.to_string(),
        "(errors(\"1m\") at least 1 && ping_pong(\"1m\") at least 1)"
    );
}

#[test]
fn texts_clocks_and_totals_read_in_their_short_and_their_long_form() {
    reads(&[
        ("- title: Save", "title \"Save\""),
        ("- email_domain: [a.test, b.test]", "email_domain \"a.test\" or \"b.test\""),
        ("- url: { contains: /b, is_not: /a }", "(not url \"/a\" && url contains \"/b\")"),
        ("- user_id: { exists: false }", "not user_id exists"),
        ("- summary: { not_in: [x, y] }", "not summary \"x\" or \"y\""),
        (
            "- title: { starts_with: Save, ends_with: now }",
            "(title starts with \"Save\" && title ends with \"now\")",
        ),
        ("- trait: { name: plan, starts_with: pro }", "trait plan starts with \"pro\""),
        ("- age: 10m", "age 10m"),
        ("- age: { at_least: 1s, at_most: 2s }", "(age 1s && not age 2001ms)"),
        ("- since: { type: error, at_least: 5s }", "since error 5s"),
        ("- since: { type: error, at_most: 30s }", "not since error 30001ms"),
        ("- action_count: 5", "action_count >= 5"),
        ("- action_count: { exactly: 0 }", "action_count == 0"),
        ("- action_count: { between: [2, 4] }", "(action_count >= 2 && action_count <= 4)"),
        ("- distinct_pages: 4", "distinct_pages(\"10m\") at least 4"),
        ("- distinct_pages: { at_most: 2, within: 1m }", "distinct_pages(\"1m\") at most 2"),
    ]);
    complains(&[
        ("- title: 7", &["1:10+1 `7` is a whole number where text belongs"]),
        ("- title: []", &["1:10+1 this list has no values"]),
        ("- title: {}", &["1:10+1 nothing is required here"]),
        ("- title: { contain: a }", &["1:12+7 title has no key `contain`"]),
        ("- url: { in: a }", &["1:14+1 `a` is text where a list belongs"]),
        ("- user_id: { is: ' ' }", &["1:18+3 this text is blank"]),
        ("- since: error", &["1:10+5 `error` is text where a mapping belongs"]),
        ("- since: { at_most: 5s }", &["1:10+1 since has no `type`"]),
        ("- since: { type: error }", &["1:10+1 nothing is required here"]),
        ("- age: 10", &["1:8+2 the duration `10` has no unit; write `10s`, `10m` or `10h`"]),
        ("- action_count: {}", &["1:17+1 nothing is required here"]),
        ("- distinct_pages: { within: 1m }", &["1:19+1 nothing is required here"]),
    ]);
}

/// Whatever one spelling can ask, the other can.
#[test]
fn every_leaf_has_a_word_and_every_word_a_leaf() {
    let joins = ["any", "not", "rhai"];
    for leaf in LEAVES {
        let is_said = WORDS.iter().any(|word| word.leaf == leaf.name);
        assert_ne!(is_said, joins.contains(&leaf.name), "{}", leaf.name);
    }
}

/// The table is what the readers read: every short form in it is one, and names agree.
#[test]
fn the_vocabulary_is_what_is_read() {
    for leaf in LEAVES {
        assert!(read_text(&format!("- {}", leaf.short)).is_ok(), "{}", leaf.short);
    }
    for word in WORDS {
        assert!(LEAVES.iter().any(|leaf| leaf.name == word.leaf), "{} has no leaf", word.name);
        let arguments = |form: &crate::rulebook::condition::vocabulary::Form| {
            let written = form.iter().map(|(_, takes)| takes.as_str().split('`').nth(1).unwrap());
            written.collect::<Vec<_>>().join(", ")
        };
        let calls: Vec<_> = match word.forms {
            [] => vec![format!("session.{}", word.name)],
            forms => forms
                .iter()
                .map(|form| format!("session.{}({})", word.name, arguments(form)))
                .collect(),
        };
        for call in calls {
            // Compared with itself, a value of any type is a condition.
            let source = format!("{call} == {call}");
            assert!(read_expression(&source, &LIMITS).is_ok(), "{source}");
        }
    }
    for method in METHODS {
        let used = [format!("\"a\".{}()", method.name), format!("\"a\".{}(\"a\")", method.name)];
        let ways = used
            .iter()
            .filter(|call| read_expression(&format!("{call} == {call}"), &LIMITS).is_ok());
        assert_eq!(ways.count(), 1, "{}", method.name);
    }
}

#[test]
fn each_part_keeps_its_authors_words_and_each_clause_its_line() {
    let source = "- dwell: { at_least: 2s, at_most: 1h }
- any:
    - count:
        type: error
        at_least: 2
    - not: { errors: 1, page: /a }
- rhai: |
    session.path == \"/a\" ||
      session.dwell_s == 5
";
    let mut findings = Findings::new("rules/a.yaml", source);
    let node = yaml::read(&mut findings).unwrap();
    let (condition, spelling) = read(&node, &mut findings, &LIMITS).unwrap();
    let parts: Vec<_> = spelling.parts.iter().map(|part| (&*part.text, part.depth)).collect();
    let expected = [
        ("dwell: { at_least: 2s, at_most: 1h }", 0),
        ("any:", 0),
        ("count:\n  type: error\n  at_least: 2", 1),
        ("not:", 1),
        ("errors: 1", 2),
        ("page: /a", 2),
        ("session.path == \"/a\" ||\n  session.dwell_s == 5", 0),
    ];
    assert_eq!(parts, expected);
    assert_eq!(spelling.lines().collect::<Vec<_>>(), [1, 1, 3, 6, 6, 8, 9, 9]);
    assert_eq!(spelling.lines().count(), condition.clause_count());
}
