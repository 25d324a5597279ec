//! The shipped workspace: what `make run` serves, and what a team copies from. It has no findings,
//! every rule shows a moment to speak and one to be silent, and what its tests promise holds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use docent::engine::suite::run;
use docent::rulebook::compile::compile;
use docent::rulebook::finding::Finding;
use docent::rulebook::rule::Mode;
use docent::rulebook::{Product, Rulebook, Sources};
use serde_json::Value;

#[test]
fn it_has_no_findings() {
    let (_, findings) = shipped();
    assert_eq!(findings, []);
}

#[test]
fn it_shows_what_a_team_would_want() {
    let product = acme();
    let live = product.rules.iter().filter(|rule| rule.mode == Mode::Live).count();
    assert!(live >= 7, "{live} live rules");
    assert!(product.tours.len() >= 4, "{} tours", product.tours.len());
    for tour in product.tours.values() {
        assert!(tour.not_for.is_some(), "the tour `{}` does not say what it is not for", tour.id);
        assert!(tour.route.is_some(), "the tour `{}` has no route", tour.id);
    }
}

#[test]
fn every_rule_shows_a_moment_to_speak_and_one_to_be_silent() {
    for rule in run(&shipped().0.unwrap(), &|_| true).rules {
        assert!(rule.fired && rule.silent, "the tests of `{}` show only one", rule.trigger);
    }
}

#[test]
fn what_its_tests_promise_holds() {
    let report = run(&shipped().0.unwrap(), &|_| true);
    let broken: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(report.tests.len() >= 19, "{} tests", report.tests.len());
}

#[test]
fn the_archived_readers_fork_reads_every_file_alike() {
    for (file, bytes) in sources().files {
        if file.ends_with(".yaml") {
            let ours: Value = serde_saphyr::from_slice(&bytes).unwrap();
            let theirs: Value = serde_yaml::from_slice(&bytes).unwrap();
            assert_eq!(ours, theirs, "{file}");
        }
    }
}

fn sources() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files =
        BTreeMap::from([("docent.yaml".into(), fs::read(root.join("docent.yaml")).unwrap())]);
    for folder in ["rules", "tours", "prompts"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            files.insert(format!("{folder}/{name}"), fs::read(&path).unwrap());
        }
    }
    Sources { files }
}

fn shipped() -> (Option<Rulebook>, Vec<Finding>) {
    compile(&sources(), &|_| None)
}

fn acme() -> Arc<Product> {
    Arc::clone(shipped().0.unwrap().products.get("acme").unwrap())
}
