//! What offers say: words with placeholders.
#![cfg(test)]

use docent::domain::session::Session;
use docent::domain::text::BODY_MAX_CHARS;
use docent::domain::time::Timestamp;
use docent::engine::suite::{Report, run};
use docent::engine::words::{has_words, words};
use docent::rulebook::compile::compile;
use docent::rulebook::condition::View;
use docent::rulebook::{Rulebook, Sources};
use proptest::prelude::*;
use serde_json::{Value, json};

const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";

fn rulebook(files: &[(&str, &str)]) -> Rulebook {
    let bytes = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    let (rulebook, findings) =
        compile(&Sources { files: files.iter().map(bytes).collect() }, &|_| None);
    rulebook.unwrap_or_else(|| panic!("{findings:#?}"))
}

fn rules(body: &str, accept: &str, tests: &str) -> String {
    let offer = format!("{{ body: '{body}', accept: '{accept}', dismiss: No thanks }}");
    format!(
        "version: 1\ntriggers:\n  - id: hello\n    when: [{{ dwell: 1s }}]\n    offer: {offer}\n{tests}"
    )
}

/// A test of the one rule: what is given, what happens, what comes.
fn tried(body: &str, given: &str, entries: &[&str]) -> Report {
    let lines: String = entries.iter().map(|entry| format!("          - {entry}\n")).collect();
    let tests = format!(
        "    tests:\n      - name: it\n        given: {{ {given} }}\n        timeline:\n{lines}"
    );
    let rules = rules(body, "Help me", &tests);
    run(&rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]), &|_| true)
}

#[test]
fn what_is_known_is_said_and_a_gap_never() {
    let opened = "{ at: 0s, page: /invoices }";
    let named = "{ at: 0s, action: pageview, title: Invoices, page: /invoices }";
    let seen = "{ at: 0s, action: pageview, title: \"Page view: /invoices\", page: /invoices }";
    let clicked = "{ at: 1s, action: click, title: Pay, page: /invoices }";
    let silent = "{ at: 2s, silent: \"render:missing_variable\", next: never }";
    for (body, given, entries, expected) in [
        ("Hi {user.name}", "traits: { name: Ada }", vec![opened], Some("Hi Ada")),
        ("Hi {user.name}", "traits: { name: \" \" }", vec![opened], None),
        ("Hi {user.name}", "", vec![opened], None),
        ("Hi {user.name|default(\"you\")}", "", vec![opened], Some("Hi you")),
        ("{user.seats} seats", "traits: { seats: 3 }", vec![opened], Some("3 seats")),
        ("On {page.path}", "", vec![opened], Some("On /invoices")),
        ("On {page.title}", "", vec![opened], None),
        ("On {page.title}", "", vec![named, clicked], Some("On Invoices")),
        ("On {page.title}", "", vec![seen], None),
        ("Say {{this}}", "", vec![opened], Some("Say {this}")),
    ] {
        let fires = expected.map(|said| format!("{{ at: 2s, fires: hello, body: \"{said}\" }}"));
        let last = fires.as_deref().unwrap_or(silent);
        let report = tried(body, given, &[&entries[..], &[last]].concat());
        assert_eq!(report.tests[0].failure, None, "{body}");
    }
}

#[test]
fn a_trait_that_becomes_known_lifts_the_hold() {
    let report = tried(
        "Hi {user.name}",
        "",
        &[
            "{ at: 0s, page: /a }",
            "{ at: 2s, silent: \"render:missing_variable\" }",
            "{ at: 3s, trait: { name: Ada } }",
            "{ at: 3s, fires: hello, body: Hi Ada }",
        ],
    );
    assert_eq!(report.tests[0].failure, None);
}

#[test]
fn a_button_can_speak_to_somebody_too() {
    let rules = rules("Need a hand?", "Yes, {user.name|default(\"please\")}", "");
    let book = rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]);
    let session = Session::default();
    let view = View { session: &session, user: None, account: None, now: Timestamp::default() };
    let product = &book.products["acme"];
    let rule = &product.rules[0];
    let said = words(product, rule, &rule.offer, &view, None).unwrap();
    assert_eq!(
        said.labels.iter().map(|label| &**label).collect::<Vec<_>>(),
        ["Yes, please", "No thanks"]
    );
}

proptest! {
    /// The gate and the words agree, and whatever is known, a toast can carry it.
    #[test]
    fn a_body_fits_its_toast_on_one_line(name: String, known: bool) {
        let rules = rules("Hi {user.name}, need a hand?", "Help me", "");
        let book = rulebook(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules)]);
        let product = &book.products["acme"];
        let rule = &product.rules[0];
        let value: Value = if known { json!(name) } else { Value::Null };
        let session = Session { traits: [("name".into(), value)].into(), ..Session::default() };
        let view = View { session: &session, user: None, account: None, now: Timestamp::default() };
        let said = words(product, rule, &rule.offer, &view, None);
        prop_assert_eq!(said.is_some(), has_words(product, rule, &view));
        let body = said.map_or_else(Default::default, |said| said.body);
        prop_assert!(body.chars().count() <= BODY_MAX_CHARS);
        prop_assert!(!body.chars().any(char::is_control) && !body.contains("Hi , need"));
    }
}
