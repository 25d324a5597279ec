//! Rules edited in the middle of a timeline, and what no timeline can come to.

use docent::engine::suite::run;

use crate::timelines::{LINGER, LOOKS, PLAIN, read, rulebook};
use crate::{all_pass, found, whole};

/// One test of the rule `linger` alone.
fn alone(keys: &str, entries: &str) -> String {
    let entries: String = entries.lines().map(|line| format!("          - {line}\n")).collect();
    format!(
        "version: 1\ntriggers:\n{LINGER}    tests:\n      - name: it\n{keys}        timeline:\n{entries}"
    )
}

#[test]
fn a_reload_edits_the_rule_and_leaves_its_state_and_its_open_offer_alone() {
    for entries in [
        // An open offer keeps its own text; the next one has the new words.
        "{ at: 20s, fires: linger, body: \"Need a hand?\" }
{ at: 25s, reload: { offer: { body: \"Stuck?\", labels: [\"Yes\"] } } }
{ at: 30s, event: proactive_accepted_chat }\n{ at: 31s, event: bot_response_completed }
{ at: 2d, page: /billing }\n{ at: 2d, action: click, repeat: 2 }
{ at: 49h, action: click, repeat: 2 }\n{ at: 49h, fires: linger, body: \"Stuck?\", labels: [\"Yes\"] }",
        // State hangs on the id: what has fired rests, whatever is edited.
        "{ at: 20s, fires: linger }\n{ at: 21s, reload: { when: [{ dwell: 1s }] } }
{ at: 22s, event: reset }\n{ at: 6m, silent: trigger_cooldown }",
        // What was silent until then is asked anew, with what was done before the reload.
        "{ at: 5s, silent: no_trigger }\n{ at: 5s, reload: { when: \"session.count(\\\"click\\\", \\\"1m\\\") == 2\" } }
{ at: 5s, fires: linger }",
        // The second edit is of the file's rule, not of the first edit.
        "{ at: 5s, reload: { page: /other } }\n{ at: 20s, silent: no_trigger, next: never }
{ at: 20s, reload: { when: [{ dwell: 1h }] } }\n{ at: 20s, silent: no_trigger, clause: dwell 1h }
{ at: 20s, reload: { mode: paused } }\n{ at: 21s, silent: no_trigger }
{ at: 21s, reload: {} }\n{ at: 21s, fires: linger }",
    ] {
        let rules = alone("", &format!("{LOOKS}{entries}"));
        all_pass(&run(&rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]), &|_| true));
    }
}

#[test]
fn a_reload_of_the_whole_names_its_triggers() {
    let report = whole(
        "tests:
  - name: who goes first
    timeline:
      - { at: 0s, page: /a }
      - { at: 0s, reload: { hello: { mode: paused }, after: { priority: 99, when: [{ dwell: 0s }] } } }
      - { at: 1s, fires: after }
      - { at: 2s, event: proactive_accepted_chat }
      - { at: 3s, event: bot_response_completed }
      - { at: 3s, reload: { hello: { priority: 100 } } }
      - { at: 6m, action: pageview }
      - { at: 6m, fires: hello }
",
    );
    all_pass(&report);
    let seen: Vec<_> = report.rules.iter().map(|rule| (&*rule.trigger, rule.fired)).collect();
    assert_eq!(seen, [("hello", true), ("after", false)], "an edited condition covers no other");
}

#[test]
fn mistakes_of_reloads_are_found_at_their_place() {
    let own = |entry: &str| {
        let rules = alone("", &format!("{entry}\n{{ at: 1s, silent: true }}"));
        let found = read(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]).1;
        found.into_iter().map(|f| (f.code, f.line, f.column)).collect::<Vec<_>>()
    };
    for (reload, expected) in [
        ("7", vec![("wrong-type", 12, 31)]),
        ("{ id: other }", vec![("conflict", 12, 37)]),
        ("{ tests: [] }", vec![("conflict", 12, 40)]),
        ("{ offr: {} }", vec![("unknown-key", 12, 33)]),
        ("{ offer: { body: \"\" } }", vec![("blank", 12, 48)]),
        ("{ when: [{ dwel: 1s }] }", vec![("unknown-condition", 12, 42)]),
        ("{ builtin: user_page_dwell }", vec![]),
    ] {
        assert_eq!(own(&format!("{{ at: 0s, reload: {reload} }}")), expected, "{reload}");
    }
    let reload = |reload: &str| {
        found(&format!(
            "tests:\n  - name: it\n    timeline:\n      - {{ at: 0s, reload: {reload} }}\n      - {{ at: 0s, silent: true }}\n"
        ))
    };
    for (entry, expected) in [
        ("{ helo: { mode: paused } }", vec![("unknown-name", 5, 29)]),
        ("{ hello: paused }", vec![("wrong-type", 5, 36)]),
        ("{ hello: { mode: pausd } }", vec![("unknown-name", 5, 44)]),
        ("{ hello: { offer: { tour: none-such } } }", vec![("unknown-tour", 5, 53)]),
    ] {
        assert_eq!(reload(entry), expected, "{entry}");
    }
}

// ---- what can never come

#[test]
fn what_no_poll_can_come_to_is_a_finding() {
    for (keys, entries, expected) in [
        ("", "{ at: 0s, fires: linger }", vec![("never-met", 12)]),
        (
            "",
            "{ at: 0s, trait: { plan: pro } }\n{ at: 9s, fires: linger }",
            vec![("never-met", 13)],
        ),
        ("", "{ at: 0s, action: click }\n{ at: 9s, fires: linger }", vec![]),
        ("", "{ at: 0s, silent: \"judge:pending\" }", vec![("never-met", 12)]),
        ("", "{ at: 0s, silent: not_enabled }", vec![("never-met", 12)]),
        ("", "{ at: 0s, silent: \"quota:user_per_day\" }", vec![("never-met", 12)]),
        (
            "        given: { settings: { proactive: { enabled: false, quotas: { user_per_day: 1 } } } }\n",
            "{ at: 0s, silent: not_enabled }\n{ at: 0s, silent: \"quota:user_per_day\" }\n{ at: 0s, page: / }\n{ at: 9s, fires: linger }",
            vec![("never-met", 16)],
        ),
        (
            "",
            "{ at: 0s, page: / }\n{ at: 9s, reload: { mode: draft } }\n{ at: 9s, fires: linger }",
            vec![("never-met", 14)],
        ),
    ] {
        let rules = alone(keys, entries);
        let found = read(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]).1;
        let found: Vec<_> = found.into_iter().map(|f| (f.code, f.line)).collect();
        assert_eq!(found, expected, "{entries}");
    }
    for (mode, reload, expected) in [
        ("live", "{ at: 0s, page: / }", vec![]),
        ("draft", "{ at: 0s, page: / }", vec![("never-met", 6)]),
        ("shadow", "{ at: 0s, page: / }", vec![("never-met", 6)]),
        ("paused", "{ at: 0s, reload: { linger: { mode: live } } }", vec![("never-met", 6)]),
        (
            "paused",
            "{ at: 0s, page: / }\n      - { at: 0s, reload: { linger: { mode: live } } }",
            vec![],
        ),
    ] {
        let rules = format!("version: 1\ntriggers:\n{}", LINGER.replace("draft", mode));
        let test = format!(
            "version: 1\ntests:\n  - name: it\n    timeline:\n      - {reload}\n      - {{ at: 1s, fires: linger }}\n"
        );
        let files =
            [("docent.yaml", PLAIN), ("rules/a.yaml", &*rules), ("rules/a.test.yaml", &*test)];
        let found: Vec<_> = read(&files).1.into_iter().map(|f| (f.code, f.line)).collect();
        assert_eq!(found, expected, "{mode} {reload}");
    }
}
