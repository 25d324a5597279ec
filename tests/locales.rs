//! Offers in the language of the person: which words are said, and what is wrong with translations.
#![cfg(test)]

use docent::engine::suite::run;
use docent::rulebook::codes::about;
use docent::rulebook::compile::compile;
use docent::rulebook::finding::{Finding, Severity};
use docent::rulebook::locales::source_hash;
use docent::rulebook::schema::{Kind, schema};
use docent::rulebook::{Rulebook, Sources};

const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";
const RULES: &str = "version: 1
triggers:
  - id: hello
    when: [{ dwell: 1s }]
    offer: { body: 'Hi {user.name|default(\"you\")}', accept: Help me, dismiss: No thanks }
  - id: other
    page: /other
    when: [{ dwell: 1s }]
    offer: { body: Other?, labels: [One, Two, Three] }
";
const NB: &str = "version: 1
locale: nb
triggers:
  hello:
    body: 'Hei {user.name|default(\"du\")}'
    accept: Hjelp meg
    dismiss: Nei takk
  other:
    body: Annet?
    labels: [En, To, Tre]
";

fn read(files: &[(&str, &str)]) -> (Option<Rulebook>, Vec<Finding>) {
    let bytes = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    compile(&Sources { files: files.iter().map(bytes).collect() }, &|_| None)
}

fn with(nb: &str) -> (Option<Rulebook>, Vec<Finding>) {
    read(&[("docent.yaml", PLAIN), ("rules/a.yaml", RULES), ("locales/nb.yaml", nb)])
}

fn place(found: &Finding) -> String {
    format!("{}:{}", found.line, found.column)
}

#[test]
fn everybody_is_spoken_to_in_their_language() {
    let narrow = "version: 1\nlocale: nb-NO\ntriggers:\n  hello: { accept: Ja takk }\n  \
                  other: { body: Noe annet? }\n";
    for (given, body, labels) in [
        ("locale: nb", "Hei du", "[Hjelp meg, Nei takk]"),
        ("locale: nb-NO", "Hei du", "[Ja takk, Nei takk]"),
        ("locale: nb-SJ, traits: { name: Ada }", "Hei Ada", "[Hjelp meg, Nei takk]"),
        ("locale: nb, traits: { locale: en-GB }", "Hi you", "[Help me, No thanks]"),
        ("locale: en, traits: { locale: nn, name: Ada }", "Hi Ada", "[Help me, No thanks]"),
        ("user: u_1, traits: { locale: nb_NO }", "Hei du", "[Ja takk, Nei takk]"),
        ("locale: sv", "Hi you", "[Help me, No thanks]"),
        ("user: u_1", "Hi you", "[Help me, No thanks]"),
    ] {
        let fires = format!("{{ at: 1s, fires: hello, body: {body}, labels: {labels} }}");
        let tests = format!(
            "version: 1\ntests:\n  - name: it\n    given: {{ {given} }}\n    timeline:\n      \
             - {{ at: 0s, page: /a }}\n      - {fires}\n"
        );
        let files = [
            ("docent.yaml", PLAIN),
            ("rules/a.yaml", RULES),
            ("rules/a.test.yaml", &tests),
            ("locales/nb.yaml", NB),
            ("locales/nb-NO.yaml", narrow),
        ];
        let (rulebook, findings) = read(&files);
        assert_eq!(findings, [], "{given}");
        assert_eq!(run(&rulebook.unwrap(), &|_| true).tests[0].failure, None, "{given}");
    }
}

#[test]
fn a_variant_says_its_own_words_in_any_language() {
    let rules = "version: 1
triggers:
  - id: hello
    when: [{ dwell: 1s }]
    offer:
      body: Need a hand?
      accept: Help me
      dismiss: No thanks
      variants: [{ id: plain }, { id: short, body: Lost?, accept: Yes }, { id: card, body: 'Hi {user.name}' }]
";
    let nb = "version: 1\nlocale: nb\ntriggers:\n  hello:\n    body: Trenger du hjelp?\n    \
              accept: Hjelp meg\n    dismiss: Nei takk\n";
    for (given, polled) in [
        (
            "traits: { name: Ada }, bucket: 0",
            "fires: hello, variant: plain, body: Trenger du hjelp?, labels: [Hjelp meg, Nei takk]",
        ),
        (
            "traits: { name: Ada }, bucket: 5000",
            "fires: hello, variant: short, body: Lost?, labels: [Yes, Nei takk]",
        ),
        (
            "traits: { name: Ada }, bucket: 9999",
            "fires: hello, variant: card, body: Hi Ada, labels: [Hjelp meg, Nei takk]",
        ),
        // Nobody sees any where one has a gap: what people see must not depend on who is compared.
        ("bucket: 0", "silent: 'render:missing_variable'"),
    ] {
        let tests = format!(
            "version: 1\ntests:\n  - name: it\n    given: {{ locale: nb, {given} }}\n    timeline:\n      \
             - {{ at: 0s, page: /a }}\n      - {{ at: 1s, {polled} }}\n"
        );
        let files = [
            ("docent.yaml", PLAIN),
            ("rules/a.yaml", rules),
            ("rules/a.test.yaml", &tests),
            ("locales/nb.yaml", nb),
        ];
        let (rulebook, findings) = read(&files);
        assert_eq!(run(&rulebook.unwrap(), &|_| true).tests[0].failure, None, "{given}");
        assert_eq!(findings, [], "{given}");
    }
}

#[test]
fn mistakes_in_translations_are_found_at_their_place() {
    let long = format!("body: {}", "å".repeat(151));
    for (from, to, code, at, help) in [
        ("locale: nb", "locale: nn", "bad-locale", "2:9", "`nn.yaml`"),
        ("locale: nb", "locale: norsk", "bad-locale", "2:9", "nb-NO"),
        ("locale: nb", "locale: nb_NO", "bad-locale", "2:9", "`nb-NO`"),
        ("locale: nb", "locale: no", "bad-locale", "2:9", "`nb`"),
        ("locale: nb", "locale: false", "wrong-type", "2:9", "quote"),
        ("locale: nb", "locle: nb", "unknown-key", "2:1", "locale"),
        ("  other:", "  othr:", "unknown-trigger", "8:3", "`other`"),
        ("body: Annet?", &long, "long-body", "9:161", "cut 1"),
        ("body: Annet?", "bdy: Annet?", "unknown-key", "9:5", "`body`"),
        ("body: Annet?", "body: 7", "wrong-type", "9:11", "quote it"),
        ("Annet?", "'På {page.titel}?'", "unknown-placeholder", "9:15", "page.title"),
        ("[En, To, Tre]", "[En, To]", "out-of-range", "10:13", "write 3"),
        ("[En, To, Tre]", "[En, To, '']", "blank-label", "10:22", "button"),
        ("labels: [En, To, Tre]", "accept: [En]", "wrong-type", "10:13", "text"),
        ("    dismiss: Nei takk\n", "    labels: [Ja, Nei]\n", "conflict", "6:13", "keep"),
        ("version: 1", "version: 2", "bad-version", "1:10", "version: 1"),
    ] {
        let text = NB.replacen(from, to, 1);
        let (rulebook, findings) = with(&text);
        assert!(rulebook.is_none(), "{to}");
        let errors: Vec<_> =
            findings.iter().filter(|found| found.severity == Severity::Error).collect();
        let [found] = errors.as_slice() else { panic!("{to}: {findings:#?}") };
        assert_eq!((found.code, &*place(found)), (code, at), "{to}");
        assert!(found.help.as_deref().unwrap_or("").contains(help), "{to}: {found:#?}");
        assert!(!about(code).is_empty());
        if ["unknown-key", "wrong-type", "bad-version"].contains(&code) {
            let tree: serde_json::Value = serde_yaml::from_str(&text).unwrap();
            assert!(!jsonschema::is_valid(&schema(Kind::Locales), &tree), "{to}");
        }
    }
    let tree: serde_json::Value = serde_yaml::from_str(NB).unwrap();
    assert!(jsonschema::is_valid(&schema(Kind::Locales), &tree));
}

#[test]
fn what_is_missing_or_outdated_is_a_warning_and_served() {
    let (rulebook, findings) = with(NB);
    assert_eq!(findings, []);
    let hash = source_hash(&rulebook.unwrap().products["acme"].rules[0]);
    let dismiss = "    dismiss: Nei takk\n";
    let other = "  other:\n    body: Annet?\n    labels: [En, To, Tre]\n";
    let named = "'Hei {user.name|default(\"du\")}'";
    for (from, to, expected) in [
        (dismiss, format!("{dismiss}    of: {hash}\n"), None),
        (dismiss, format!("{dismiss}    of: 12345678\n"), Some(("outdated-translation", "8:9"))),
        (named, "Hei du".to_owned(), Some(("missing-placeholder", "5:11"))),
        (other, String::new(), Some(("missing-translation", "4:3"))),
    ] {
        assert_eq!(NB.matches(from).count(), 1, "{from}");
        let (rulebook, findings) = with(&NB.replace(from, &to));
        assert!(rulebook.is_some(), "{to}: {findings:#?}");
        let found: Vec<_> = findings.iter().map(|found| (found.code, place(found))).collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(code, place)| (code, place.to_owned())).collect();
        assert_eq!(found, expected, "{to}");
        let outdated = findings.iter().find(|found| found.code == "outdated-translation");
        let told = |found: &Finding| found.help.as_deref().unwrap().contains(&hash);
        assert!(outdated.is_none_or(told), "{findings:#?}");
    }
}

#[test]
fn the_digest_knows_translations() {
    let digest = |nb: &str| with(nb).0.unwrap().digest;
    assert_ne!(digest(NB), digest(&NB.replace("Annet?", "Noe?")));
}
