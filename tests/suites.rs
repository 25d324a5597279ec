//! Every test of a rulebook: those of all rules together, and what they cover.
#![cfg(test)]

mod timelines;

use std::collections::BTreeMap;

use docent::engine::suite::{Report, run};

use timelines::{LINGER, LOOKS, PLAIN, TWO, read, rulebook};

const QUICK: &str = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 0s, conservative: { base: 1s, step: 0s } } }\n";

fn whole(rules: &str, settings: &str, entries: &str) -> Report {
    let entries: String = entries.lines().map(|line| format!("      - {line}\n")).collect();
    let tests = format!("version: 1\ntests:\n  - name: it\n    timeline:\n{entries}");
    let files = [("docent.yaml", settings), ("rules/a.yaml", rules), ("rules/a.test.yaml", &tests)];
    run(&rulebook(&files), &|_| true)
}

#[test]
fn every_outcome_can_be_reached_and_is_seen_by_other_rules() {
    let tour = "{ at: 2s, event: proactive_accepted_tour }\n{ at: 3s, event: ";
    for (outcome, events) in [
        ("shown", "{ at: 2s, event: proactive_shown }\n{ at: 3s, event: reset }".to_owned()),
        (
            "accepted",
            "{ at: 2s, event: proactive_accepted_chat }\n{ at: 3s, event: bot_response_completed }"
                .to_owned(),
        ),
        ("dismissed", "{ at: 2s, event: proactive_dismissed }".to_owned()),
        ("snoozed", "{ at: 2s, event: proactive_snoozed, for: 1h }".to_owned()),
        ("ignored", "{ at: 30s, silent: \"fsm:wrong_state\" }".to_owned()),
        ("completed", format!("{tour}tour_completed }}")),
        ("abandoned", format!("{tour}tour_abandoned }}")),
        ("failed", format!("{tour}tour_failed }}")),
        ("reached", "{ at: 2s, event: proactive_dismissed }\n{ at: 3s, action: paid }".to_owned()),
    ] {
        let rules = TWO.replace("OUTCOME", outcome);
        let start = "{ at: 0s, page: /a }\n{ at: 1s, fires: hello }";
        let report =
            whole(&rules, QUICK, &format!("{start}\n{events}\n{{ at: 2m, fires: after }}"));
        assert_eq!(report.tests[0].failure, None, "{outcome}");
        let other = if outcome == "shown" { "accepted" } else { "shown" };
        let rules = TWO.replace("OUTCOME", other);
        let report =
            whole(&rules, QUICK, &format!("{start}\n{events}\n{{ at: 2m, fires: after }}"));
        let failure = report.tests[0].failure.as_ref().unwrap();
        assert_eq!(failure.found, "trigger_cooldown", "{outcome}");
        let rules: Vec<_> = failure.ladders.iter().map(|ladder| &*ladder.trigger).collect();
        assert_eq!(rules, ["hello", "after"], "the one that decided, and the one expected");
    }
}

#[test]
fn coverage_is_what_the_tests_have_seen_of_each_rule() {
    let rules = TWO.replace("OUTCOME", "dismissed");
    let seen = |entries: &str| -> Vec<_> {
        let report = whole(&rules, QUICK, entries);
        assert_eq!(report.tests[0].failure, None);
        report.rules.iter().map(|rule| (rule.fired, rule.silent)).collect()
    };
    let open = "{ at: 0s, page: /a }\n{ at: 1s, fires: hello }";
    assert_eq!(seen("{ at: 0s, silent: no_trigger }"), [(false, false); 2], "nobody was there");
    assert_eq!(seen(open), [(true, false), (false, false)], "the winner ends the asking");
    let shut = format!("{open}\n{{ at: 2s, silent: true }}");
    assert_eq!(seen(&shut), [(true, false), (false, false)], "a gate refused, no rule did");
    let both = format!("{open}\n{{ at: 62s, silent: trigger_cooldown }}");
    assert_eq!(seen(&both), [(true, true), (false, true)]);
}

#[test]
fn rules_keep_their_modes_in_tests_of_the_whole() {
    let rules = format!("version: 1\ntriggers:\n{LINGER}");
    let report =
        whole(&rules, PLAIN, &format!("{LOOKS}{{ at: 20s, silent: no_trigger, next: never }}"));
    assert_eq!(report.tests[0].failure, None);
}

#[test]
fn mistakes_of_a_test_file_are_found_at_their_place() {
    let two = "version: 1\nproducts: { a: {}, b: {}, c: { rules: other/ } }\n";
    let rules = format!("version: 1\ntriggers:\n{LINGER}");
    let good =
        "version: 1\ntests:\n  - name: it\n    timeline:\n      - { at: 0s, silent: true }\n";
    for (settings, from, to, found) in [
        (PLAIN, "version: 1\n", "", vec![("missing-key", 1)]),
        (PLAIN, "tests:", "test:", vec![("unknown-key", 2)]),
        (PLAIN, "version: 1\n", "version: 1\nproduct: acm\n", vec![("unknown-name", 2)]),
        (PLAIN, "silent: true", "fires: lingr", vec![("unknown-name", 5)]),
        (PLAIN, "silent: true", "page: /a", vec![("checks-nothing", 5)]),
        (PLAIN, "silent: true", "silent: true, clause: dwell", vec![("conflict", 5)]),
        (PLAIN, "name: it", "nam: it", vec![("unknown-key", 3)]),
        (two, "tests:", "tests:", vec![("missing-key", 1)]),
        (two, "tests:", "product: c\ntests:", vec![("unknown-name", 2)]),
        (two, "tests:", "product: b\ntests:", vec![]),
    ] {
        let test = good.replace(from, to);
        let files =
            [("docent.yaml", settings), ("rules/a.yaml", &rules), ("rules/a.test.yaml", &test)];
        let findings = read(&files).1;
        let brief: Vec<_> = findings.iter().map(|f| (f.code, f.line)).collect();
        assert_eq!(brief, found, "{to}\n{findings:#?}");
        assert!(findings.iter().all(|found| &*found.file == "rules/a.test.yaml"));
    }
}

#[test]
fn a_broken_rule_file_does_not_make_triggers_unknown() {
    let test = "version: 1\ntests:\n  - name: it\n    timeline: [{ at: 0s, page: / }, { at: 0s, fires: linger }]\n";
    let files =
        [("docent.yaml", PLAIN), ("rules/a.yaml", "triggers: ["), ("rules/a.test.yml", test)];
    let findings = read(&files).1;
    assert_eq!(
        findings.iter().map(|f| (&*f.file, f.code)).collect::<Vec<_>>(),
        [("rules/a.yaml", "syntax")]
    );
}

#[test]
fn a_test_belongs_to_the_product_it_names() {
    let two = "version: 1\nproducts: { a: {}, b: { quiet_hours: { hours: 00:00-23:59 } } }\n";
    let rules = TWO.replace("OUTCOME", "shown");
    let test = |product: &str, expected: &str| {
        format!(
            "version: 1\nproduct: {product}\ntests:\n  - name: it\n    timeline: [{{ at: 0s, page: /a }}, {{ at: 1s, {expected} }}]\n"
        )
    };
    for (product, expected) in [("a", "fires: hello"), ("b", "silent: quiet_hours")] {
        let test = test(product, expected);
        let files =
            [("docent.yaml", two), ("rules/a.yaml", &*rules), ("rules/a.test.yaml", &*test)];
        let report = run(&rulebook(&files), &|_| true);
        assert_eq!(report.tests.len(), 1);
        assert_eq!((&*report.tests[0].product, report.tests[0].failure.is_none()), (product, true));
    }
}

#[test]
fn tests_that_are_not_wanted_are_not_run() {
    let tests = "    tests:\n      - { name: one, timeline: [{ at: 0s, silent: true }] }\n      - { name: two, timeline: [{ at: 0s, silent: true }] }\n";
    let rules = format!("version: 1\ntriggers:\n{LINGER}{tests}");
    let book = rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]);
    let mut titles = BTreeMap::new();
    for wanted in ["", "linger: two", "rules/a.yaml", "three"] {
        titles.insert(wanted, run(&book, &|title| title.contains(wanted)).tests.len());
    }
    assert_eq!(
        titles,
        BTreeMap::from([("", 2), ("linger: two", 1), ("rules/a.yaml", 2), ("three", 0)])
    );
}

/// Two people of one account share its cap, in a test as at run time.
#[test]
fn a_test_counts_per_account() {
    let rules = "version: 1
triggers:
  - id: a
    when: [{ count: { type: pageview } }]
    offer: { body: B, accept: A, dismiss: D, timeout: 10s }
    cooldown: 0s
    frequency: [{ per: account, limit: 1, window: 1d }]
    tests:
      - name: whoever of them was asked
        given: { user: ann, account: acme-inc }
        timeline:
          - { at: 0s, page: / }
          - { at: 1s, fires: a }
          - { at: 10m, user: bob }
          - { at: 10m, page: / }
          - { at: 10m, silent: 'frequency:a/account/1d' }
          - { at: 1d, page: / }
          - { at: 1d, silent: 'frequency:a/account/1d', next: 1s }
          - { at: 1d1s, fires: a }
      - name: another account has its own
        given: { user: ann, account: acme-inc }
        timeline:
          - { at: 0s, page: / }
          - { at: 1s, fires: a }
          - { at: 10m, user: bob }
          - { at: 10m, account: initech }
          - { at: 10m, page: / }
          - { at: 10m, fires: a }
";
    let report = run(&rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", rules)]), &|_| true);
    let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
    assert!(report.tests.len() == 2 && failed.is_empty(), "{failed:#?}");
}
