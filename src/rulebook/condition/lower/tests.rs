//! Expressions as authors write them, right and wrong.

use proptest::prelude::*;

use super::*;
use crate::domain::time::Span;
use crate::rulebook::settings::Activity;

const LIMITS: Activity = Activity { keep: Span::from_seconds(1_800), max_actions: 200 };

fn lowered(source: &str) -> String {
    read_expression(source, &LIMITS).unwrap().to_string()
}

/// Each mistake as `what it points at: its message`.
fn mistakes(source: &str) -> Vec<String> {
    let found = read_expression(source, &LIMITS).unwrap_err();
    let pointed = |m: &Mistake| source.chars().skip(m.offset).take(m.length).collect::<String>();
    found.iter().map(|m| format!("{}: {}", pointed(m), m.message)).collect()
}

fn help(source: &str) -> String {
    read_expression(source, &LIMITS).unwrap_err()[0].help.clone().unwrap_or_default()
}

#[test]
fn comparisons_become_the_leaves_they_mean() {
    for (source, tree) in [
        ("session.dwell_s >= 30", "dwell 30s"),
        ("30 < session.dwell_s", "dwell 31s"),
        ("session.idle_s < 30", "not idle 30s"),
        ("session.count(\"click\", \"5m\") > 2", "count(\"click\", \"5m\") at least 3"),
        ("2 > session.errors(\"90s\")", "errors(\"90s\") at most 1"),
        ("session.errors(\"5m\") != 2", "not errors(\"5m\") exactly 2"),
        ("session.ping_pong(2)", "ping_pong(\"2m\") at least 2"),
        ("session.matches(\"/projects/:slug\")", "page /projects/:slug"),
        ("session.errors(\"5m\") * 2 > 2.5", "(errors(\"5m\") * 2) > 2.5"),
        ("!session.path.is_empty()", "not path.len() == 0"),
        (
            "true && (false || session.trait(\"x\", false))",
            "(true && (false || trait(\"x\", false)))",
        ),
    ] {
        assert_eq!(lowered(source), tree, "{source}");
    }
}

#[test]
fn every_mistake_is_shown_at_its_characters() {
    for (source, expected) in [
        ("session.dwel_s > 60", &["dwel_s: `session` has no field `dwel_s`"][..]),
        (
            "sesion.dwell_s > 3 && session.counts(\"a\", \"1m\") > 1",
            &["sesion: there is no `sesion` here", "counts: `session` has no function `counts`"],
        ),
        ("session.visits() > 1", &["visits: `visits` takes 1 or 2 arguments, not 0"]),
        (
            "session.visits(3, 4) > 1",
            &[
                "3: `page` must be written out: a page such as `\"/projects\"`",
                "4: `window` must be written out: a duration such as `\"10m\"`",
            ],
        ),
        ("session.path > 3", &[">: `>` compares text with a number"]),
        ("session.dwell_s == \"60\"", &["==: `==` compares a number with text"]),
        (
            "session.dwell_s && session.path",
            &[
                "dwell_s: this is a number where true or false belongs",
                "path: this is text where true or false belongs",
            ],
        ),
        ("session.trait(\"plan\", \"\") == 3", &["==: `==` compares text with a number"]),
        ("eval(\"1\") == 1", &["eval: there is no function `eval` here"]),
        ("session.path == '/x'", &["': invalid character: `/x`"]),
        (
            "session.path + \"x\" == \"ax\"",
            &[
                "path: `+` takes numbers, and this is text",
                "\"x\": `+` takes numbers, and this is text",
            ],
        ),
        (
            "session.count(\"a\", \"5\") > 1 || session.count(\"a\", \"2h\") > 1",
            &[
                "\"5\": the duration `5` has no unit; write `5s`, `5m` or `5h`",
                "\"2h\": a window of 2h is longer than activity is kept (30m)",
            ],
        ),
        ("session.path in [\"a\"]", &["in: the operator `in` cannot be used in a condition"]),
        ("session.errors(\"1m\") >", &[">: the expression is incomplete"]),
        ("session.\nx > 1 &&\n é", &["é: unexpected `é`"]),
        (
            "session.\nx > 1 &&\n  session.idel_s > 3",
            &["x: `session` has no field `x`", "idel_s: `session` has no field `idel_s`"],
        ),
        ("session.matches(\"a\")", &["\"a\": the page `a` does not begin with `/`"]),
        ("session.seen(\"a\", \"gone\")", &["\"gone\": no outcome is called `gone`"]),
        (
            "session.sequence([\"a\", 3], \"5m\")",
            &["3: a step must be written out: a type such as `\"click\"`, or a page"],
        ),
        ("session.dwell_s", &["dwell_s: this is a number where true or false belongs"]),
        ("session.errors(\"0s\") > 0", &["\"0s\": nothing happens in a window of no length"]),
    ] {
        assert_eq!(mistakes(source), expected, "{source}");
    }
}

#[test]
fn what_is_meant_is_suggested() {
    for (source, expected) in [
        ("session.dwel_s > 60", "did you mean `dwell_s`?"),
        ("session.vists(\"/p\", \"3m\") > 1", "did you mean `visits`?"),
        ("dwell_s > 3", "write `session.dwell_s`"),
        ("session.path.strats_with(\"/x\")", "did you mean `starts_with`?"),
        ("session.path.len > 3", "it is called: `.len()`"),
        ("session.seen(\"a\", \"dismised\")", "did you mean `dismissed`?"),
        ("session.path = \"x\"", "compare with `==`"),
        ("session.path in [\"a\"]", "compare with each: `x == \"a\" || x == \"b\"`"),
    ] {
        assert_eq!(help(source), expected, "{source}");
    }
}

#[test]
fn nothing_runs_that_is_not_a_question() {
    for source in [
        "",
        "let x = 3; x > 2",
        "while true {}",
        "loop {}",
        "if true { true } else { false }",
        "fn foo() { true }",
        "|x| x",
        "print(1)",
        "import \"x\"",
        "session = 3",
        "session",
        "sleep(10)",
        "`${session.path}` == \"a\"",
        "#{a: 1}",
        "session[0]",
        "session?.path == \"\"",
        "true ?? false",
        "session.dwell_s ** 2 > 3",
        "1..3",
        "'a' == 'b'",
        "session.dwell_s > 1e999",
        "return true",
        "throw 1",
        "switch 1 { _ => true }",
        "do { } while true",
        "this",
        "{ true }",
    ] {
        let found = read_expression(source, &LIMITS);
        assert!(found.as_ref().is_err_and(|mistakes| !mistakes.is_empty()), "{source}: {found:?}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    for part in ["!", "(", "- ", "[", "session.a(", "session.", "1+", "true&&", "(true||", "x?."] {
        let source = format!("{}true", part.repeat(4_000 / part.len()));
        assert!(read_expression(&source, &LIMITS).is_err(), "{part}");
    }
    let long = format!("{}true", " ".repeat(5_000));
    assert_eq!(read_expression(&long, &LIMITS).unwrap_err()[0].code, "expression-too-long");
    let wide = vec!["session.dwell_s > 1"; 40].join(" && ");
    assert!(read_expression(&wide, &LIMITS).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_stops_the_process(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "session", ".", "?.", "path", "(", ")", "[", "]", "{", "}", ",", ";", "\"a\"", "'", "\"",
                "`", "${", "#{", "||", "|", "&&", "&", "!", "=", "==", "=>", "..", "..=", "in", "!in",
                "-", "+", "*", "**", "/", "//", "/*", "%", "<<", "1", "2.5", "1e9", "0x", "true", "if",
                "else", "let", "fn", "Fn", "this", "trait", "is", "new", "\n", "é", "\u{0}", "::",
                "call", "curry", "eval", "return", "throw", "switch", "_", "$", "@", "~", "?", "??",
            ]),
            0..24,
        ),
        spaced in any::<bool>(),
    ) {
        let source = tokens.join(if spaced { " " } else { "" });
        if let Err(found) = read_expression(&source, &LIMITS) {
            prop_assert!(!found.is_empty(), "{source}");
            let length = source.chars().count();
            prop_assert!(found.iter().all(|m| m.offset <= length && m.length >= 1), "{source}");
        }
    }
}
