//! `docent test` as it is run: what it prints, what it writes, and how it ends.
#![cfg(test)]

mod common;

use std::fs;
use std::process::{Command, Output, Stdio};

use common::{PLAIN, repository, workspace};
use serde_json::{Value, json};

const RULES: &str = "version: 1
triggers:
  - id: linger
    page: /billing
    when: [{ dwell: 20s }, { trait: { name: plan, is: pro } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks }
    tests:
      - name: after a <while>
        timeline:
          - { at: 0s, page: /billing }
          - { at: 20s, fires: linger }
";

fn test(rules: &str, arguments: &[&str]) -> (i32, String) {
    let workspace = workspace(&[("docent.yaml", PLAIN), ("rules/a.yaml", rules)]);
    ended(&run(workspace.path().to_str().unwrap(), arguments))
}

fn run(workspace: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    command.args(["test", workspace]).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn ended(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text.into_owned())
}

#[test]
fn the_shipped_workspace_is_covered() {
    let (code, text) =
        ended(&run(repository().to_str().unwrap(), &["--coverage=clauses", "--fail-on-empty"]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("rules/journeys.test.yaml: 3 passed\n"), "{text}");
    assert!(text.contains(" passed\n8 of 8 rules seen firing and silent\n"), "{text}");
    let last = text.lines().last().unwrap();
    let (seen, all) =
        last.strip_suffix(" clauses seen deciding").unwrap().split_once(" of ").unwrap();
    assert_eq!(seen, all, "{text}");
}

#[test]
fn a_failure_shows_its_line_and_every_clause() {
    let (code, text) = test(RULES, &[]);
    assert_eq!(code, 3);
    let shown = "rules/a.yaml: 0 passed, 1 failed

failed: rules/a.yaml: linger: after a <while>
  --> rules/a.yaml:11, at 20s
   |
11 |           - { at: 20s, fires: linger }
   |
  expected  fires linger
  found     no_trigger
  decided   no rule matches
  linger: silent
    dwell: 20s
    | yes: required at least 20s, found 20s
    trait: { name: plan, is: pro }
    | not known: required \"pro\", found not known

0 passed, 1 failed
";
    assert_eq!(text, shown);
}

#[test]
fn each_ending_has_its_code() {
    let empty = RULES.split("    tests:").next().unwrap();
    let fine = RULES.replace("fires: linger", "silent: true");
    for (rules, arguments, code, said) in [
        (&*fine, &[][..], 0, "rules/a.yaml: 1 passed\n1 passed\n"),
        (&fine, &["--coverage"], 3, "rules/a.yaml:3: `linger` was not seen firing\n"),
        (&fine, &["--run", "while"], 0, "1 passed"),
        (&fine, &["--run", "nothing"], 0, "0 passed"),
        (&fine, &["--run", "nothing", "--fail-on-empty"], 3, "no test was run"),
        (RULES, &["--run", "nothing"], 0, "0 passed"),
        (empty, &[], 0, "0 passed"),
        (empty, &["--fail-on-empty"], 3, "no test was run"),
        (empty, &["--coverage"], 3, "was not seen firing or silent"),
        ("triggers: [", &[], 2, "rules/a.yaml"),
        (&fine, &["--junit", "/nowhere/at/all.xml"], 1, "cannot write"),
    ] {
        let (found, text) = test(rules, arguments);
        assert_eq!(found, code, "{arguments:?}\n{text}");
        assert!(text.contains(said), "{arguments:?}\n{text}");
    }
    assert_eq!(ended(&run("/nowhere/at/all", &[])).0, 1);
}

#[test]
fn results_are_one_json_object() {
    let (code, text) = test(RULES, &["--format", "json", "--coverage"]);
    assert_eq!(code, 3);
    let found: Value = serde_json::from_str(&text).unwrap();
    let clause = |clause: &str, required: &str, found: &str, holds: Option<bool>| json!({ "clause": clause, "required": required, "found": found, "holds": holds, "changes_at_s": null });
    let clauses = [
        clause("dwell 20s", "at least 20s", "20s", Some(true)),
        clause("trait plan \"pro\"", "\"pro\"", "not known", None),
    ];
    let picture = json!([
        "dwell: 20s",
        "| yes: required at least 20s, found 20s",
        "trait: { name: plan, is: pro }",
        "| not known: required \"pro\", found not known",
    ]);
    let failure = json!({
        "line": 11, "at_s": 20.0, "expected": "fires linger", "found": "no_trigger",
        "decided": "no rule matches",
        "rules": [{ "trigger": "linger", "came_to": "silent", "clauses": clauses, "condition": picture }],
    });
    let test = json!({
        "product": "acme", "file": "rules/a.yaml", "line": 8, "trigger": "linger",
        "name": "after a <while>", "passed": false, "failure": failure,
    });
    let covered = json!({
        "product": "acme", "trigger": "linger", "file": "rules/a.yaml", "line": 3,
        "firing": false, "silent": false,
        "clauses": [
            { "clause": "dwell 20s", "line": 5, "let_match": false, "kept_silent": false },
            { "clause": "trait plan \"pro\"", "line": 5, "let_match": false, "kept_silent": true },
        ],
    });
    let expected = json!({
        "ok": false, "passed": 0, "failed": 1, "tests": [test], "coverage": [covered],
    });
    assert_eq!(found, expected);
}

#[test]
fn mistakes_of_the_workspace_are_json_too() {
    let (code, text) = test("triggers: [", &["--format", "json"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &found["valid"]), (2, &json!(false)));
}

#[test]
fn continuous_integration_gets_its_xml() {
    let workspace = workspace(&[("docent.yaml", PLAIN), ("rules/a.yaml", RULES)]);
    let file = workspace.path().join("results.xml");
    run(workspace.path().to_str().unwrap(), &["--junit", file.to_str().unwrap()]);
    let xml = fs::read_to_string(file).unwrap();
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"docent\" tests=\"1\" failures=\"1\">
  <testsuite name=\"rules/a.yaml\" tests=\"1\" failures=\"1\">
    <testcase classname=\"linger\" name=\"after a &lt;while&gt;\" file=\"rules/a.yaml\" line=\"8\">
      <failure message=\"expected fires linger, found no_trigger\">rules/a.yaml:11, at 20s
  expected  fires linger
  found     no_trigger
  decided   no rule matches
  linger: silent
    dwell: 20s
    | yes: required at least 20s, found 20s
    trait: { name: plan, is: pro }
    | not known: required &quot;pro&quot;, found not known</failure>
    </testcase>
  </testsuite>
</testsuites>
";
    assert_eq!(xml, expected);
}

/// A rule with an expression, and a test of it that fails.
const EXPRESSION: &str = "version: 1
triggers:
  - id: stuck
    page: /billing
    when: session.count(\"error\", \"10m\") >= 2 && session.dwell_s >= 30
    offer: { body: Hello, accept: Yes please, dismiss: No thanks }
    tests:
      - name: too early
        timeline:
          - { at: 0s, page: /billing }
          - { at: 1s, action: error }
          - { at: 29s, fires: stuck }
";

#[test]
fn an_expression_is_shown_with_every_value_beneath_its_place() {
    let (code, text) = test(EXPRESSION, &[]);
    assert_eq!(code, 3);
    let shown = "  stuck: silent
    session.count(\"error\", \"10m\") >= 2 && session.dwell_s >= 30
    |                             |       |               |
    1                             false   29              false
    `dwell 30s` may change at 30s
";
    assert!(text.contains(shown), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn nested_leaves_are_shown_one_by_one() {
    let when = "when:\n      - any:\n          - errors: 2\n          - not: { dwell: 10s }\n      - rhai: session.trait(\"plan\", \"\").starts_with(\"p\") || !session.matches(\"/a\")";
    let rules = EXPRESSION
        .replace("when: session.count(\"error\", \"10m\") >= 2 && session.dwell_s >= 30", when);
    let shown = "  stuck: silent
    any:
      errors: 2
      | no: required at least 2, found 1
      not:
        dwell: 10s
        | no: required not at least 10s, found 29s
    session.trait(\"plan\", \"\").starts_with(\"p\") || !session.matches(\"/a\")
    |                         |                   ||
    \"\"                        false               |false
                                                  true
";
    let (_, text) = test(&rules, &[]);
    assert!(text.contains(shown), "{text}");
}

#[test]
fn clauses_that_no_test_depends_on_are_named() {
    let fine = EXPRESSION.replace("29s, fires: stuck", "29s, silent: no_trigger");
    let more = |entries: &str| {
        let rest: String = entries.lines().map(|line| format!("          - {line}\n")).collect();
        format!("{fine}{rest}")
    };
    let count = "rules/a.yaml:5: `stuck`: `count(\"error\", \"10m\") at least 2` was not seen ";
    let dwell = "rules/a.yaml:5: `stuck`: `dwell 30s` was not seen ";
    for (entries, said) in [
        (
            "",
            vec![format!("{count}making the difference"), format!("{dwell}making the difference")],
        ),
        (
            "{ at: 30s, silent: no_trigger }",
            vec![format!("{count}letting it match"), format!("{dwell}making the difference")],
        ),
        (
            "{ at: 30s, silent: no_trigger }\n{ at: 30s, action: error }\n{ at: 30s, fires: stuck }",
            vec![format!("{dwell}keeping it silent by itself")],
        ),
    ] {
        let rules = more(entries);
        let (_, text) = test(&rules, &["--coverage"]);
        let found: Vec<_> = text.lines().filter(|line| line.contains(": `stuck`: ")).collect();
        assert_eq!(found, said, "{text}");
    }
    let last =
        "{ at: 30s, silent: no_trigger }\n{ at: 30s, action: error }\n{ at: 30s, fires: stuck }";
    let rules = more(last);
    assert_eq!(test(&rules, &["--coverage"]).0, 0);
    assert_eq!(test(&rules, &["--coverage=rules"]).0, 0);
    assert_eq!(test(&rules, &["--coverage=clauses"]).0, 3);
    let late = "      - name: late
        timeline: [{ at: 0s, page: /billing }, { at: 1s, action: error, repeat: 2 }, { at: 2s, silent: true }]
";
    let (code, text) = test(&format!("{rules}{late}"), &["--coverage=clauses"]);
    assert_eq!((code, text.ends_with("2 of 2 clauses seen deciding\n")), (0, true), "{text}");
}
