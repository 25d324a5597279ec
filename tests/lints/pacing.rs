//! Caps and rests that do nothing, starve a rule, or outlast what is remembered.

use super::desk::{PLAIN, codes, holds};

fn capped(caps: &str, keys: &[&str]) -> Vec<(&'static str, usize)> {
    codes(&format!("version: 1\nproducts:\n  acme:\n    frequency:\n      - {{ {caps} }}\n"), keys)
}

#[test]
fn a_cap_without_effect() {
    let day = "id: day, per: user, limit: 2, window: 1d";
    for (caps, keys, line) in [
        ("id: tips, per: user, limit: 2, of: 'tag:tip'", "when: [{ dwell: 5s }], tags: tp", 5),
        ("id: tips, per: user, limit: 2, of: 'group:tip'", "when: [{ dwell: 5s }]", 5),
        (day, "when: [{ dwell: 5s }], frequency: [{ per: user, limit: 2, window: 1h }]", 3),
        (day, "when: [{ dwell: 5s }], frequency: [{ per: user, limit: 3, window: 1d }]", 3),
    ] {
        assert_eq!(capped(caps, &[keys]), [("cap-without-effect", line)], "{caps} {keys}");
    }
    for keys in [
        "when: [{ dwell: 5s }], frequency: [{ per: user, limit: 1, window: 1h }]",
        "when: [{ dwell: 5s }], frequency: [{ per: user, limit: 2, window: 7d }]",
        "when: [{ dwell: 5s }], frequency: [{ per: session, limit: 3 }]",
    ] {
        assert_eq!(capped(day, &[keys]), [], "{keys}");
    }
}

#[test]
fn a_cap_that_starves_what_follows() {
    let (first, next) = ("when: [{ errors: 1 }]", "when: [{ seen: r0 }, { dwell: 9s }]");
    let starved = [("cap-starved", 4)];
    assert_eq!(capped("id: once, per: user, limit: 1", &[first, next]), starved);
    assert_eq!(capped("id: once, per: account, limit: 1", &[first, next]), starved);
    for caps in [
        "id: a, per: user, limit: 2",
        "id: a, per: user, limit: 1, window: 1d",
        "id: a, per: session, limit: 1",
        "id: a, per: user, limit: 1, of: 'tag:tip'",
    ] {
        assert_eq!(capped(caps, &["when: [{ errors: 1 }], tags: tip", next]), [], "{caps}");
    }
}

#[test]
fn what_outlasts_the_memory_of_people() {
    holds(
        "beyond-memory",
        &[
            &["when: [{ dwell: 5s }], frequency: [{ per: user, limit: 1, window: 31d }]"],
            &["when: [{ dwell: 5s }], on_dismiss: { cooldown: 31d }"],
            &["when: [{ dwell: 5s }], on_dismiss: { cooldown: 1d, factor: 2, max: 60d }"],
        ],
        &[
            &["when: [{ dwell: 5s }], frequency: [{ per: user, limit: 1, window: 30d }]"],
            &["when: [{ dwell: 5s }], frequency: [{ per: user, limit: 1 }]"],
            &["when: [{ dwell: 5s }], on_dismiss: { cooldown: 1d, factor: 2 }, on_complete: never"],
        ],
    );
    let found = capped("id: a, per: user, limit: 1, window: 60d", &["when: [{ dwell: 5s }]"]);
    assert_eq!(found, [("beyond-memory", 5)]);
}

#[test]
fn a_rule_that_is_paced_hides_nobody() {
    for pacing in [
        "group: tours",
        "on_dismiss: { cooldown: 1h }",
        "frequency: [{ per: user, limit: 1, window: 7d }]",
    ] {
        let keys =
            [&*format!("priority: 60, when: [{{ dwell: 5s }}], {pacing}"), "when: [{ dwell: 9s }]"];
        assert_eq!(codes(PLAIN, &keys), [], "{pacing}");
    }
}
