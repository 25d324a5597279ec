//! Tests written short: from what another test does, over several values, in a rulebook that
//! changes on the way.
#![cfg(test)]

mod forms {
    mod reloads;
}
mod timelines;

use docent::engine::suite::{Report, run};
use timelines::{PLAIN, TWO, read, rulebook};

fn files(rest: &str) -> Vec<(&'static str, String)> {
    vec![
        ("docent.yaml", PLAIN.to_owned()),
        ("rules/a.yaml", TWO.replace("OUTCOME", "dismissed")),
        ("rules/a.test.yaml", format!("version: 1\n{rest}")),
    ]
}

fn whole(rest: &str) -> Report {
    let files = files(rest);
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, &**text)).collect();
    run(&rulebook(&files), &|_| true)
}

/// Code, line and column of each finding.
fn found(rest: &str) -> Vec<(&'static str, usize, usize)> {
    let files = files(rest);
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, &**text)).collect();
    read(&files).1.into_iter().map(|f| (f.code, f.line, f.column)).collect()
}

fn names(report: &Report) -> Vec<&str> {
    report.tests.iter().map(|test| &*test.name).collect()
}

fn all_pass(report: &Report) {
    for test in &report.tests {
        assert_eq!(test.failure, None, "{}", test.name);
    }
}

const GREETED: &str = "  - name: greeted
    given: { traits: { plan: pro } }
    timeline:
      - { at: 0s, page: /a }
      - { at: 1s, fires: hello }
";

#[test]
fn a_test_goes_on_from_another_whatever_their_order() {
    let report = whole(&format!(
        "tests:
  - name: again
    extends: dismissed
    timeline:
      - {{ at: 11m, fires: after }}
  - name: dismissed
    extends: greeted
    timeline:
      - {{ at: 20s, event: proactive_dismissed }}
      - {{ at: 30s, silent: \"fsm:conservative_cooldown\" }}
{GREETED}"
    ));
    assert_eq!(names(&report), ["again", "dismissed", "greeted"]);
    all_pass(&report);
}

#[test]
fn a_failure_shows_the_line_where_it_is_written() {
    let report = whole(&format!(
        "tests:\n{}  - name: on\n    extends: greeted\n    timeline: [{{ at: 9s, silent: true }}]\n",
        GREETED.replace("hello", "after"),
    ));
    let lines: Vec<_> = report.tests.iter().map(|t| t.failure.as_ref().unwrap().line).collect();
    assert_eq!(lines, [7, 7]);
}

#[test]
fn tests_of_a_file_share_a_start_that_is_no_test() {
    let report = whole(
        "given:
  paying:
    traits: { plan: pro }
    user: u_1
    timeline: [{ at: 0s, page: /a }]
tests:
  - name: as given
    extends: paying
    timeline: [{ at: 1s, fires: hello }]
  - name: in silence
    extends: paying
    given: { state: conservative_assistance, traits: { seats: 4 } }
    timeline: [{ at: 1s, silent: \"fsm:conservative_cooldown\" }]
",
    );
    assert_eq!(names(&report), ["as given", "in silence"]);
    all_pass(&report);
}

#[test]
fn a_matrix_is_a_test_for_each_combination() {
    let report = whole(
        "tests:
  - name: everywhere
    matrix: { page: [/a, /b], wait: [1, 20], sure: [true] }
    timeline:
      - { at: 0s, page: <page> }
      - { at: <wait>s, fires: hello }
      - { at: <wait>s, silent: <sure> }
",
    );
    let expected = [
        "everywhere (page: /a, wait: 1, sure: true)",
        "everywhere (page: /a, wait: 20, sure: true)",
        "everywhere (page: /b, wait: 1, sure: true)",
        "everywhere (page: /b, wait: 20, sure: true)",
    ];
    assert_eq!(names(&report), expected);
    all_pass(&report);
}

#[test]
fn a_cell_fails_alone() {
    let report = whole(
        "tests:
  - name: in time
    matrix: { wait: [1, 301], who: [hello, after] }
    timeline:
      - { at: 0s, page: /a }
      - { at: <wait>s, fires: <who> }
",
    );
    let failed: Vec<_> = report.tests.iter().map(|test| test.failure.is_some()).collect();
    assert_eq!(failed, [false, true, false, true]);
}

#[test]
fn what_a_test_extends_brings_its_matrix_along() {
    let base = "tests:
  - name: base
    matrix: { page: [/a, /b], wait: [1] }
    timeline: [{ at: 0s, page: <page> }, { at: <wait>s, fires: hello }]
  - name: on
    extends: base
    matrix: { wait: [2, 3], note: [<page>] }
    timeline: [{ at: 9s, action: click, title: \"<note>\" }, { at: 9s, silent: true }]
";
    let report = whole(base);
    let own: Vec<_> = names(&report).into_iter().filter(|name| name.starts_with("on")).collect();
    assert_eq!(own.len(), 4);
    assert_eq!(own[3], "on (page: /b, wait: 3, note: <page>)");
    all_pass(&report);
}

#[test]
fn a_text_without_a_matrix_stays_as_it_is() {
    let report = whole(
        "tests:
  - name: after <this>
    timeline:
      - { at: 0s, page: /a }
      - { at: 0s, action: click, title: \"a <b> & <i\" }
      - { at: 1s, fires: hello }
",
    );
    assert_eq!(names(&report), ["after <this>"]);
    all_pass(&report);
}

/// A file with the test `greeted` and one called `on` with these keys.
fn on(keys: &str) -> String {
    format!(
        "tests:\n{GREETED}  - name: on\n{keys}    timeline:\n      - {{ at: 9s, silent: true }}\n"
    )
}

fn all_found_at_their_place(
    files: impl IntoIterator<Item = (String, Vec<(&'static str, usize, usize)>)>,
) {
    let mut wrong = Vec::new();
    for (file, expected) in files {
        let found = found(&file);
        wrong.extend((found != expected).then(|| format!("{file}{found:?}\n{expected:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn mistakes_of_extends_are_found_at_their_place() {
    let many: String = (0..16)
        .map(|n| {
            format!(
                "  - name: link {n}\n    extends: link {}\n    timeline: [{{ at: 9s, silent: true }}]\n",
                n + 1
            )
        })
        .collect();
    all_found_at_their_place([
        (on("    extends: greted\n"), vec![("unknown-name", 9, 14)]),
        (on("    extends: on\n"), vec![("extends-too-far", 9, 14)]),
        (on("    extends: 7\n"), vec![("wrong-type", 9, 14)]),
        (
            on("    extends: greeted\n")
                .replace("name: greeted\n", "name: greeted\n    extends: on\n"),
            vec![("extends-too-far", 4, 14), ("extends-too-far", 10, 14)],
        ),
        (
            on("    extends: greeted\n").replace("at: 9s", "at: 0s"),
            vec![("time-goes-back", 11, 15)],
        ),
        (on("    extends: greeted\n").replace("page: /a", "page: a"), vec![("bad-page", 6, 25)]),
        (
            on("    extends: greeted\n").replace("silent: true", "page: /b"),
            vec![("checks-nothing", 11, 7)],
        ),
        (
            format!("tests:\n{many}{GREETED}").replace("link 16", "greeted"),
            vec![("extends-too-far", 4, 14)],
        ),
        (on("").replace("name: on", "name: greeted"), vec![("duplicate-id", 8, 11)]),
        (format!("given: 1\n{}", on("")), vec![("wrong-type", 2, 8)]),
        (
            format!("given: {{ a: {{ plan: pro }} }}\n{}", on("    extends: a\n")),
            vec![("unknown-key", 2, 15)],
        ),
        (
            format!("given: {{ a: {{ user: 7 }} }}\n{}", on("    extends: a\n")),
            vec![("wrong-type", 2, 21)],
        ),
    ]);
}

#[test]
fn mistakes_of_a_matrix_are_found_at_their_place() {
    let wide = |sizes: [usize; 2]| {
        let values = |size| (0..size).map(|n: usize| n.to_string()).collect::<Vec<_>>().join(", ");
        let (one, two) = (values(sizes[0]), values(sizes[1]));
        on(&format!("    matrix: {{ a: [{one}], b: [{two}] }}\n")).replace(
            "silent: true }\n",
            "silent: true }\n      - { at: 9s, action: click, title: <a><b> }\n",
        )
    };
    all_found_at_their_place([
        (on("    matrix: [a]\n"), vec![("wrong-type", 9, 13)]),
        (on("    matrix: { a: b }\n"), vec![("wrong-type", 9, 18)]),
        (on("    matrix: { a: [] }\n"), vec![("empty-list", 9, 18)]),
        (on("    matrix: { a: [[b]] }\n"), vec![("wrong-type", 9, 19)]),
        (on("    matrix: { a: [b, c, b] }\n"), vec![("duplicate-id", 9, 25)]),
        (on("    matrix: { 1a: [b] }\n"), vec![("bad-id", 9, 15)]),
        (on("    matrix: { a: [b] }\n"), vec![("unused-variable", 9, 15)]),
        (wide([16, 16]), vec![]),
        (wide([16, 17]), vec![("too-many", 9, 13)]),
        (
            on("    matrix: { plan: [b, c] }\n")
                .replace("at: 9s", "at: 9s, clause: \"<plan> <pln>\""),
            vec![("unknown-name", 11, 35)],
        ),
        (
            on("    matrix: { wait: [b, c] }\n").replace("at: 9s", "at: <wait>"),
            vec![("bad-duration", 11, 15)],
        ),
    ]);
}

#[test]
fn very_many_entries_end_in_a_finding() {
    let clicks = "      - { at: 0s, action: click }\n".repeat(100);
    let values: Vec<_> = (0..256).map(|n| n.to_string()).collect();
    let test = format!(
        "tests:\n  - name: it\n    matrix: {{ n: [{}] }}\n    timeline:\n{clicks}      - {{ at: 0s, action: click, title: \"<n>\" }}\n      - {{ at: 0s, silent: true }}\n",
        values.join(", ")
    );
    assert_eq!(found(&test).first().map(|found| found.0), Some("too-many"));
}
