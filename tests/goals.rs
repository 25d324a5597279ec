//! Goals: what an offer hopes for, looked for in what the person does next.
#![cfg(test)]

use docent::engine::suite::{Report, run};
use docent::rulebook::Sources;
use docent::rulebook::compile::compile;

/// The one rule, lived through.
fn lived(entries: &[&str]) -> Report {
    let lines: String = entries.iter().map(|entry| format!("          - {entry}\n")).collect();
    let rules = format!(
        "version: 1\ntriggers:\n  - id: hello\n    when: [{{ dwell: 1s }}]\n    \
         goal: {{ event: imported, within: 30m }}\n    \
         offer: {{ body: Hello, accept: Yes please, dismiss: No thanks }}\n    \
         tests:\n      - name: it\n        timeline:\n          - {{ at: 0s, page: /a }}\n{lines}"
    );
    let files = [
        ("docent.yaml".to_owned(), b"version: 1\nproducts:\n  acme: {}\n".to_vec()),
        ("rules/a.yaml".to_owned(), rules.into_bytes()),
    ];
    let (rulebook, findings) = compile(&Sources { files: files.into() }, &|_| None);
    run(&rulebook.unwrap_or_else(|| panic!("{findings:#?}")), &|_| true)
}

const FIRES: &str = "{ at: 10s, fires: hello }";
const SHOWN: &str = "{ at: 20s, event: proactive_shown }";

fn done(at: &str) -> String {
    format!("{{ at: {at}, action: imported }}")
}

#[test]
fn the_first_action_after_the_offer_and_in_time_reaches_its_goal() {
    for (entries, reached) in [
        (vec![FIRES.into(), done("11s")], true),
        (vec![FIRES.into(), done("10s")], false),
        (vec![done("9s"), FIRES.into()], false),
        (vec![FIRES.into(), done("30m10s")], true),
        (vec![FIRES.into(), done("30m11s")], false),
        (vec![FIRES.into(), SHOWN.into(), done("30m20s")], true),
        (vec![FIRES.into(), SHOWN.into(), done("30m21s")], false),
        (vec![FIRES.into(), "{ at: 11s, action: importe }".into()], false),
        (vec![FIRES.into(), "{ at: 12s, event: proactive_dismissed }".into(), done("1m")], true),
    ] {
        let last = format!("{{ at: 1h, goal: hello, reached: {reached} }}");
        let entries: Vec<&str> = entries.iter().chain([&last]).map(|entry| &**entry).collect();
        assert_eq!(lived(&entries).tests[0].failure, None, "{entries:?}");
    }
}

#[test]
fn a_goal_that_was_not_reached_fails_the_test_that_expects_it() {
    let failure = lived(&[FIRES, "{ at: 1m, goal: hello }"]).tests[0].failure.clone().unwrap();
    assert_eq!(failure.expected, "the goal of `hello` is reached");
    assert_eq!(failure.found, "it is not reached");
}
