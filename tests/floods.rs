//! Workspaces that are too much: deep, long, large, many, or in circles. Each is told in a finding
//! or two, and costs no more than its budget.
#![cfg(test)]

use std::collections::BTreeMap;

use docent::rulebook::Sources;
use docent::rulebook::compile::compile;
use docent::rulebook::condition::read_expression;
use docent::rulebook::condition::vocabulary::{LEAVES, Takes, WORDS};
use docent::rulebook::finding::Finding;
use docent::rulebook::lint::lint;
use docent::rulebook::repair::repair;
use docent::rulebook::settings::ProductSettings;

const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";
const OFFER: &str = "offer: { body: B, accept: A, dismiss: D }";

fn sources(files: &[(&str, &str)]) -> Sources {
    let files = [&("docent.yaml", PLAIN)].into_iter().chain(files);
    let files = files.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Sources { files: files.collect::<BTreeMap<_, _>>() }
}

fn found(files: &[(&str, &str)]) -> Vec<Finding> {
    let sources = sources(files);
    let (book, mut findings) = compile(&sources, &|_| None);
    findings.extend(book.iter().flat_map(|book| lint(book, &sources)));
    findings
}

fn codes(files: &[(&str, &str)]) -> Vec<&'static str> {
    let mut codes: Vec<_> = found(files).iter().map(|finding| finding.code).collect();
    codes.dedup();
    codes
}

fn rule(when: &str) -> String {
    format!("version: 1\ntriggers:\n  - id: a\n    when: {when}\n    {OFFER}\n")
}

#[test]
fn what_is_nested_too_deep_is_one_finding() {
    let leaf = "{ dwell: 5s }";
    let lists = format!("{}{leaf}{}", "[".repeat(200), "]".repeat(200));
    let anys = format!("[{}{leaf}{}]", "{ any: [".repeat(20), "] }".repeat(20));
    let nots = format!("[{}{leaf}{}]", "{ not: ".repeat(20), " }".repeat(20));
    let brackets = format!("{}true{}", "(".repeat(2_000), ")".repeat(2_000));
    let signs = format!("{}true", "!".repeat(2_000));
    let long = vec!["session.dwell_s > 1"; 500].join(" && ");
    for (when, code) in [
        (&lists, "syntax"),
        (&anys, "too-deep"),
        (&nots, "too-deep"),
        (&brackets, "expression-syntax"),
        (&signs, "expression-syntax"),
        (&long, "expression-too-long"),
    ] {
        let when = if when.starts_with('!') { format!("\"{when}\"") } else { when.clone() };
        let codes = codes(&[("rules/a.yaml", &rule(&when))]);
        assert!(codes.contains(&code) && codes.len() <= 2, "{code}: {codes:?}");
    }
    let block: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(codes(&[("rules/a.yaml", &block)]), ["syntax"]);
}

#[test]
fn circles_are_refused_and_rules_may_speak_of_each_other() {
    for text in ["a: &a [*a]\n", "a: &a { b: *a }\n", "&a [&b [*a, *b], *b]\n"] {
        assert_eq!(codes(&[("rules/a.yaml", text)]), ["syntax"], "{text}");
    }
    let rules = "version: 1\ntriggers:\n".to_owned()
        + &["b", "a"].map(|other| {
            let id = if other == "a" { "b" } else { "a" };
            format!("  - {{ id: {id}, mode: draft, when: [{{ dwell: 5s }}, {{ seen: {other} }}], {OFFER} }}\n")
        })
        .concat();
    assert_eq!(found(&[("rules/a.yaml", &rules)]), []);
    let suite = "version: 1\ntests: &t\n  - name: n\n    timeline: *t\n";
    assert_eq!(codes(&[("rules/a.test.yaml", suite)]), ["syntax"]);
}

#[test]
fn no_leaf_looks_further_back_than_activity_is_kept() {
    let needed = |leaf: &str| match leaf {
        "count" => "type: x, ",
        "sequence" => "of: [x], ",
        "repeated_failure" => "failure: x, success: y, ",
        "visits" => "page: /a, ",
        "seen" => "trigger: rule, ",
        _ => "",
    };
    let windowed: Vec<_> = LEAVES.iter().filter(|leaf| leaf.keys.contains(&"within")).collect();
    assert!(windowed.len() >= 12, "{}", windowed.len());
    for leaf in windowed {
        for (window, code) in [
            // What is remembered of people reaches further.
            (if leaf.name == "seen" { "31d" } else { "31m" }, "window-too-long"),
            ("100000d", "window-too-long"),
            ("99999999999999d", "bad-duration"),
            ("0s", "empty-window"),
        ] {
            let when =
                format!("[{{ {}: {{ {}within: {window} }} }}]", leaf.name, needed(leaf.name));
            assert_eq!(codes(&[("rules/a.yaml", &rule(&when))]), [code], "{when}");
        }
    }
}

#[test]
fn no_function_looks_further_back_than_activity_is_kept() {
    let argument = |takes: Takes| match takes {
        Takes::Text | Takes::Step => "\"x\"",
        Takes::Page => "\"/a\"",
        Takes::Window => "\"31m\"",
        Takes::Wait => "\"1s\"",
        Takes::Times | Takes::Scalar => "1",
        Takes::Outcome => "\"accepted\"",
        Takes::Steps => "[\"x\"]",
        Takes::Truth => "true",
        Takes::Memory => "\"31d\"",
        Takes::Tour => "\"create-project\"",
        Takes::Segment => "\"power-users\"",
        Takes::Number => "0",
        Takes::Where => "#{ form: \"import\" }",
    };
    let (settings, mut tried) = (ProductSettings::default(), 0);
    for word in WORDS {
        let looks_back = |form: &&&[(&str, Takes)]| {
            let windows = [Takes::Window, Takes::Memory];
            form.iter().any(|(_, takes)| windows.contains(takes))
        };
        for form in word.forms.iter().filter(looks_back) {
            let arguments: Vec<_> = form.iter().map(|(_, takes)| argument(*takes)).collect();
            let call = format!("session.{}({}) == 1", word.name, arguments.join(", "));
            let mistakes = read_expression(&call, &settings.activity).unwrap_err();
            assert!(
                mistakes.iter().any(|found| found.code == "window-too-long"),
                "{call}: {mistakes:?}"
            );
            tried += 1;
        }
    }
    assert!(tried >= 12, "{tried}");
}

#[test]
fn thousands_of_mistakes_and_warnings_are_cut_short() {
    let wrong =
        |n: usize| format!("  - {{ id: r{n}, whne: [{{ dwel: 5 }}], {OFFER}, mode: lve }}\n");
    let wrong: String = (0..2_000).map(wrong).collect();
    let wrong = format!("version: 1\ntriggers:\n{wrong}");
    assert_eq!(found(&[("rules/a.yaml", &wrong)]).len(), 200);
    // Rules without tests, some of which hide others: two warnings each.
    let many =
        |n: usize| format!("  - {{ id: r{n}, page: /a, when: [{{ dwell: {n}s }}], {OFFER} }}\n");
    let many: String = (0..150).map(many).collect();
    let many = format!("version: 1\ntriggers:\n{many}");
    assert_eq!(
        found(&[("rules/a.yaml", &many), ("rules/b.yaml", &many.replace("id: r", "id: s"))]).len(),
        400
    );
    let folders: String =
        (0..200).map(|n| format!("  p{n}: {{ rules: r{n}, tuors: t }}\n")).collect();
    let settings = format!("version: 1\nproducts:\n{folders}");
    assert_eq!(codes(&[("docent.yaml", &settings)]), ["unknown-key"]);
}

#[test]
fn a_file_of_a_megabyte_is_read_and_repaired_and_a_larger_one_is_not() {
    let comment = format!("# {}\n", "x".repeat(1 << 10));
    let wrong = rule("[{ dwel: 5s }]");
    let fits = comment.repeat(1_000) + &wrong;
    let repaired = repair(&sources(&[("rules/a.yaml", &fits)]), &|_| None, None);
    assert_eq!((repaired.fixed.len(), repaired.rulebook.is_some()), (1, true));
    let large = comment.repeat(1_100) + &wrong;
    assert_eq!(codes(&[("rules/a.yaml", &large)]), ["too-large"]);
    let line = format!("body: {}", "é: ".repeat(100_000));
    assert_eq!(codes(&[("rules/a.yaml", &line)]), ["syntax"]);
    let tabs = format!("a:\n{}", "\tb: [\n".repeat(50_000));
    assert_eq!(codes(&[("rules/a.yaml", &tabs)]), ["tab"]);
}
