//! The reference page: its tables are those of the code, and what it shows is read without a finding.
//!
//! A part between `<!-- generated: name -->` and `<!-- end -->` is written from the code; when it is
//! out of date, the test says what to copy. The table after `<!-- keys: a trigger -->` has a row for
//! every key that the checker knows, and no other. A block marked `yaml` or `markdown` is a file, or
//! a part of a trigger; in one marked `yaml same`, every trigger means the same.
#![cfg(test)]

mod docs {
    pub(crate) mod settings;
    pub(crate) mod source;
    pub(crate) mod tables;
    pub(crate) mod workspace;
}

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use docent::engine::suite::run;
use docent::rulebook::condition::vocabulary::LEAVES;
use docent::rulebook::settings::{ProductSettings, Settings};
use serde_json::Value;

use docs::{settings, source, tables, workspace};

const PAGE: &str = "docs/rules.md";
const END: &str = "<!-- end -->";

#[test]
fn the_tables_are_those_of_the_code() {
    let page = source::read(PAGE);
    let fresh = regenerated(&page);
    for (name, _) in tables::PARTS {
        assert_eq!(page.matches(&opening(name)).count(), 1, "{PAGE} has no part `{name}`");
    }
    if page != fresh {
        let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules.md");
        fs::write(&written, &fresh).unwrap();
        panic!(
            "{PAGE} is out of date:\n{}\nTake the new one:\n  cp {} {PAGE}",
            changed(&page, &fresh),
            written.display()
        );
    }
}

#[test]
fn a_table_that_is_out_of_date_is_noticed() {
    let page = "Before\n<!-- generated: outcomes -->\n| old |\n<!-- end -->\nAfter\n";
    let fresh = regenerated(page);
    assert!(fresh.starts_with("Before\n<!-- generated: outcomes -->\n| outcome |"), "{fresh}");
    assert!(fresh.ends_with("\n<!-- end -->\nAfter\n"), "{fresh}");
    assert_eq!(regenerated(&fresh), fresh);
    assert!(changed(page, &fresh).contains("- | old |\n"), "{}", changed(page, &fresh));
}

#[test]
fn the_examples_are_read_without_a_finding() {
    let page = source::read(PAGE);
    let examples = examples(&page);
    for (kind, text) in &examples {
        let rulebook = workspace::of_example(kind.split(' ').next().unwrap(), text);
        let tests = run(&rulebook, &|_| true).tests;
        assert!(tests.iter().all(|test| test.failure.is_none()), "{tests:#?}");
        if kind.ends_with("same") {
            let rules = workspace::rules(&rulebook);
            let meanings: BTreeSet<_> = rules.iter().map(workspace::meaning).collect();
            assert!(rules.len() > 1 && meanings.len() == 1, "not the same:\n{text}\n{meanings:#?}");
        }
    }
    let same = examples.iter().filter(|(kind, _)| kind.ends_with("same")).count();
    assert!(examples.len() >= 12 && same >= 3, "{} examples, {same} of them same", examples.len());
}

#[test]
fn everything_with_its_defaults_comes_to_the_defaults() {
    let acme = (Arc::from("acme"), ProductSettings::default());
    let expected = Settings { products: BTreeMap::from([acme]), ..Settings::default() };
    let rulebook = workspace::fine(&[("docent.yaml", &settings::defaults())]);
    assert_eq!(rulebook.settings, expected);
}

#[test]
fn everything_with_its_defaults_names_every_setting() {
    let tree: Value = serde_yaml::from_str(&settings::defaults()).unwrap();
    let keys = workspace::keys();
    for (what, path) in [
        ("the workspace", ""),
        ("admin", "/admin"),
        ("journal", "/journal"),
        ("limits", "/limits"),
        ("a product", "/products/acme"),
        ("target_health", "/products/acme/target_health"),
        ("keys", "/products/acme/keys"),
        ("proactive", "/products/acme/proactive"),
        ("circuit", "/products/acme/proactive/circuit"),
        ("quotas", "/products/acme/proactive/quotas"),
        ("conservative", "/products/acme/proactive/conservative"),
        ("activity", "/products/acme/activity"),
        ("builtins", "/products/acme/builtins"),
        ("retrieval", "/products/acme/retrieval"),
    ] {
        let mut shown: BTreeSet<_> =
            tree.pointer(path).unwrap().as_object().unwrap().keys().cloned().collect();
        // Without a default: what is refused in this version, and what is not there if not written.
        shown.extend(path.is_empty().then(|| "llm".to_owned()));
        shown.extend((what == "a product").then(|| "quiet_hours".to_owned()));
        assert_eq!(Some(&shown), keys.get(what), "{what}");
    }
}

#[test]
fn the_tables_of_keys_have_every_key() {
    let page = source::read(PAGE);
    let known = workspace::keys();
    let mut tables = BTreeSet::new();
    for part in page.split("<!-- keys: ").skip(1) {
        let (what, rest) = part.split_once(" -->\n").unwrap();
        let rows = rest.lines().skip(2).map_while(|line| line.strip_prefix("| `"));
        let cells = rows.map(|row| row.split(" | ").next().unwrap());
        let shown: BTreeSet<_> = cells
            .flat_map(|cell| cell.trim_matches('`').split("`, `"))
            .map(str::to_owned)
            .collect();
        assert_eq!(Some(&shown), known.get(what), "{what}");
        tables.insert(what);
    }
    let expected = [
        "a goal",
        "a prompt",
        "a segment",
        "a step",
        "a test",
        "a tour",
        "a translation",
        "a trigger",
        "a variant",
        "an entry",
        "an offer",
        "given",
        "quiet_hours",
        "schedule",
    ];
    assert_eq!(tables, BTreeSet::from(expected));
}

#[test]
fn the_forms_in_the_tables_are_read_as_shown() {
    for leaf in LEAVES {
        workspace::rule(&format!("when:\n  - {}", leaf.short));
    }
    let builtins = ["canonical_url_ping_pong", "user_page_dwell", "section_playbook_match"];
    for ((file, item, _), builtin) in tables::BUILTINS.into_iter().zip(builtins) {
        assert!(source::opening(file).starts_with(&format!("`{builtin}`")), "{file}");
        let shown: BTreeSet<_> =
            tables::parameters(file, item).into_iter().map(|(name, _)| name).collect();
        assert_eq!(shown, workspace::parameters(builtin), "{builtin}");
    }
}

/// What the page says of a bound, the last thing within it and the first beyond.
#[test]
fn the_bounds_are_where_the_page_says() {
    let page = source::read(PAGE);
    let offer = |rest: &str| format!("offer: {{ body: Help?, {rest} }}");
    let labels = |count: usize| offer(&format!("labels: [{}]", ["a"; 9][..count].join(", ")));
    let body = |length: usize| format!("offer: {{ body: {}, labels: [a] }}", "a".repeat(length));
    let nested =
        |deep: usize| format!("when: [{}page: /a{}]", "not: [".repeat(deep), "]".repeat(deep));
    let timeout = |span: &str| offer(&format!("labels: [a], timeout: {span}"));
    let id = |length: usize| format!("id: {}", "a".repeat(length));
    let variant = |rest: &str| offer(&format!("labels: [a], variants: [{{ id: a, {rest} }}]"));
    for (says, within, beyond) in [
        ("at most 128 letters", id(128), id(129)),
        ("From 0 to 100", "priority: 100".to_owned(), "priority: 101".to_owned()),
        ("to 3660 days", "again_after: 3660d".to_owned(), "again_after: 3661d".to_owned()),
        ("at most 150 characters", body(150), body(151)),
        ("one to three buttons", labels(3), labels(4)),
        ("from `1s` to `1d`", timeout("1d"), timeout("86401s")),
        ("up to 16 levels", nested(16), nested(17)),
        ("at most the half", "holdout: 50%".to_owned(), "holdout: 50.01%".to_owned()),
        ("0 to 10000", variant("weight: 10000"), variant("weight: 10001")),
    ] {
        assert!(page.contains(says), "{PAGE} does not say `{says}`");
        assert!(workspace::accepts(&workspace::around_part(&within)), "{says}: {within}");
        assert!(!workspace::accepts(&workspace::around_part(&beyond)), "{says}: {beyond}");
    }
}

#[test]
fn the_links_lead_somewhere() {
    let page = source::read(PAGE);
    let titles = page.lines().filter_map(|line| line.strip_prefix('#'));
    let anchors: BTreeSet<_> = titles.map(|title| anchor(title.trim_matches(['#', ' ']))).collect();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let lost: Vec<_> = targets
        .filter(|target| match target.strip_prefix('#') {
            Some(title) => !anchors.contains(title),
            None => !here.join(target).exists(),
        })
        .collect();
    assert!(lost.is_empty(), "{PAGE} points at what is not there: {lost:?}");
}

// ---- the page

/// A title as links name it: lower case, words joined by hyphens, nothing but letters.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn opening(name: &str) -> String {
    format!("<!-- generated: {name} -->\n")
}

/// The page with its generated parts as the code has them now.
fn regenerated(page: &str) -> String {
    tables::PARTS.iter().fold(page.to_owned(), |page, (name, write)| {
        let Some((before, rest)) = page.split_once(&opening(name)) else { return page };
        let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("`{name}` has no end"));
        format!("{before}{}{}\n{END}{after}", opening(name), write())
    })
}

/// The lines that only one of the two has.
fn changed(old: &str, new: &str) -> String {
    let only = |mark: char, one: &str, other: &str| -> String {
        let other: BTreeSet<_> = other.lines().collect();
        let lines = one.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{mark} {line}\n")).collect()
    };
    only('-', old, new) + &only('+', new, old)
}

/// The blocks marked `yaml` or `markdown`, with their marks.
fn examples(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (place, block) in page.split("\n```").enumerate() {
        let (mark, text) = block.split_once('\n').unwrap_or((block, ""));
        if place % 2 == 1 {
            assert!(
                ["yaml", "yaml same", "markdown", "text"].contains(&mark),
                "a block marked `{mark}`"
            );
            // What a command prints is no file.
            if mark != "text" {
                found.push((mark.to_owned(), format!("{text}\n")));
            }
        }
    }
    found
}
