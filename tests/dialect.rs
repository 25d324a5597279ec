//! The YAML that docent reads is the YAML that others read.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use docent::rulebook::reader::Findings;
use docent::rulebook::yaml;

/// Every YAML file that this repository ships means the same to another reader.
#[test]
fn shipped_files_mean_the_same_to_another_reader() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in [
        "",
        "rules",
        "tours",
        "tests/data/findings/good",
        "tests/data/findings/good/rules",
        "tests/data/findings/good/tours",
        "tests/data/findings/good/segments",
    ] {
        paths.extend(yaml_files(&root.join(folder)));
    }
    assert!(paths.len() >= 3, "{paths:?}");
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut findings = Findings::new("", &text);
        let ours = yaml::read(&mut findings);
        assert_eq!(findings.count(), 0, "{}: {findings:?}", path.display());
        let theirs: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(ours.unwrap().to_json(), theirs, "{}", path.display());
    }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect()
}
