//! A workspace without mistakes, and the table of what goes wrong in one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use docent::rulebook::Sources;

pub(crate) const FILES: [&str; 5] = [
    "docent.yaml",
    "rules/billing.yaml",
    "tours/tours.yaml",
    "prompts/reply.md",
    "segments/people.yaml",
];

/// A workspace that uses nearly everything and has no mistake.
pub(crate) fn good() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/findings/good");
    let files = FILES.map(|path| (path.to_owned(), fs::read(root.join(path)).unwrap()));
    Sources { files: BTreeMap::from(files) }
}

pub(crate) fn env(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("sk_1".into()),
        "HOST" => Some("connector.example.com".into()),
        "EMPTY" => Some(String::new()),
        "NUMBER" => Some("7".into()),
        _ => None,
    }
}

/// The good workspace with a text of one file replaced.
pub(crate) fn changed(file: &str, from: &str, to: &str) -> Sources {
    let mut sources = good();
    let bytes = sources.files.get_mut(file).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` must occur once in {file}");
    *bytes = text.replace(from, to).into_bytes();
    sources
}

/// A mistake of `tests/data/findings/*.txt`, and where it must be found.
pub(crate) struct Mistake {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) code: String,
    pub(crate) place: String,
    pub(crate) help: String,
}

pub(crate) fn mistakes(name: &str) -> Vec<Mistake> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/findings").join(name);
    let text = fs::read_to_string(path).unwrap();
    let plain = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t");
    let mistake = |line: &str| {
        let parts: Vec<_> = line.split("  =>  ").map(plain).collect();
        let [from, to, found, help] = parts.try_into().unwrap();
        let (code, place) = found.split_once(' ').unwrap();
        Mistake { from, to, code: code.into(), place: place.into(), help }
    };
    text.lines().filter(|line| !line.starts_with('#')).map(mistake).collect()
}
