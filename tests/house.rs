//! The rules of the house: what the compiler cannot see and a reader relies on.
//!
//! Every file under `src/` is lexed, so that comments and strings neither hide nor invent an import.
//! A rule that is broken is one line: file, line, what is wrong. Each rule is shown to bite below.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "house/floors.rs"]
mod floors;
#[path = "house/plants.rs"]
mod plants;
#[path = "house/tokens.rs"]
mod tokens;

use floors::{
    FLOORS, HOMES, PURE, SYSTEM, dependencies, dependency_lines, floor_of, height, owned,
};
use tokens::{Named, Token, lex, paths};

/// A file that wants to pass this holds two nouns.
const LONGEST_FILE: usize = 400;

#[test]
fn the_house_keeps_its_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let crates = dependencies(&manifest);
    let mut breaches = manifest_breaches(&manifest);
    let files = sources(root);
    assert!(files.len() > 5, "the sources were not found");
    let under_test: BTreeSet<String> =
        files.iter().flat_map(|(file, text)| test_modules(file, &lex(text))).collect();
    for (file, text) in &files {
        breaches.extend(shape_breaches(file, text));
        if file.starts_with("src/") {
            let tests_only = under_test.iter().any(|module| belongs(file, module));
            breaches.extend(import_breaches(file, text, &crates, tests_only));
        }
        if file == "src/lib.rs" {
            breaches.extend(map_breaches(text));
        }
    }
    for document in ["README.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        breaches.extend(link_breaches(document, &text, |path| root.join(path).exists()));
    }
    assert!(breaches.is_empty(), "the house is not in order:\n{}", breaches.join("\n"));
}

// ---- the rules

/// Every file says what lives in it, and is short enough to be read.
fn shape_breaches(file: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    if !text.starts_with("//!") {
        breaches.push(format!("{file}:1: opens without `//!` saying what lives here"));
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        breaches.push(format!(
            "{file}:{lines}: longer than {LONGEST_FILE} lines, so it holds two nouns"
        ));
    }
    breaches
}

/// Imports go downwards, siblings are blind, crates stay with their owners, pure floors stay pure.
fn import_breaches(file: &str, text: &str, crates: &[String], tests_only: bool) -> Vec<String> {
    let floor = floor_of(file);
    paths(&lex(text))
        .iter()
        .filter_map(|path| {
            let in_test = path.in_test || tests_only;
            let what = internal_breach(floor, path, in_test)
                .or_else(|| external_breach(floor, file, path, crates).filter(|_| !in_test))?;
            Some(format!("{file}:{}: {what}", path.line))
        })
        .collect()
}

fn internal_breach(floor: &str, path: &Named, in_test: bool) -> Option<String> {
    let (first, second) = (path.segment(0), path.segment(1));
    if path.segments.iter().any(|segment| segment == "super") {
        let whole = in_test && path.segments == ["super", "*"];
        return (!whole).then(|| format!("`{path}`: write `crate::…` (`super::*` is for tests)"));
    }
    let from_main = floor == "main" && first == "docent";
    if first != "crate" && !from_main {
        return None;
    }
    let here = if floor == "main" { Some(u8::MAX) } else { height(floor) };
    let there = height(second);
    match there {
        None => Some(format!("`{path}`: `{second}` is no floor of the house")),
        _ if floor == "main" && second != "cli" => {
            Some(format!("`{path}`: main knows `cli` alone"))
        }
        _ if floor == second => None,
        Some(there) if here.is_some_and(|here| here > there) => None,
        Some(there) if here == Some(there) => Some(format!(
            "`{path}`: `{floor}` and `{second}` are siblings and do not see each other"
        )),
        Some(_) => Some(format!("`{path}`: `{floor}` lies below `{second}`")),
    }
}

fn external_breach(floor: &str, file: &str, path: &Named, crates: &[String]) -> Option<String> {
    let (first, second) = (path.segment(0), path.segment(1));
    let pure = height(floor).is_some_and(|height| height <= PURE);
    if first == "std" && pure && SYSTEM.contains(&second) {
        return Some(format!("`{path}`: `{floor}` is pure and touches no `std::{second}`"));
    }
    if !crates.iter().any(|name| name == first) {
        return None;
    }
    if !owned(floor).any(|name| name == first) {
        return Some(format!("`{path}`: `{floor}` does not own the crate `{first}`"));
    }
    let home = HOMES.iter().find(|(name, home)| *name == first && *home != file)?.1;
    Some(format!("`{path}`: the crate `{first}` lives in {home} alone"))
}

/// Every dependency says why it is there and has a floor that owns it; no floor owns what is not there.
fn manifest_breaches(manifest: &str) -> Vec<String> {
    let crates = dependencies(manifest);
    let unexplained = dependency_lines(manifest, "dependencies")
        .chain(dependency_lines(manifest, "dev-dependencies"))
        .filter(|(_, line)| !line.contains("# "))
        .map(|(at, line)| format!("Cargo.toml:{at}: no comment says why: {}", line.trim()));
    let homeless = crates
        .iter()
        .filter(|name| !FLOORS.iter().any(|(floor, ..)| owned(floor).any(|own| own == *name)))
        .map(|name| format!("Cargo.toml: no floor owns `{name}`"));
    let imagined = FLOORS
        .iter()
        .flat_map(|(floor, ..)| owned(floor).map(move |name| (floor, name)))
        .filter(|(_, name)| !crates.iter().any(|known| known == name))
        .map(|(floor, name)| {
            format!("tests/house/floors.rs: `{floor}` owns `{name}`, no dependency")
        });
    unexplained.chain(homeless).chain(imagined).collect()
}

/// The map at the head of `lib.rs` introduces every floor that is there.
fn map_breaches(lib: &str) -> Vec<String> {
    let map: String = lib.lines().take_while(|line| line.starts_with("//!")).collect();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|floor| !map.contains(&format!("`{floor}`")))
        .map(|floor| format!("src/lib.rs: the map does not introduce `{floor}`"))
        .collect()
}

/// A document does not point at files that are not there.
fn link_breaches(document: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter(|target| !exists(target.split('#').next().unwrap_or(target)))
        .map(|target| format!("{document}: links to `{target}`, which is not there"))
        .collect()
}

// ---- what the rules look at

/// Every Rust file of the house, by its path from the root.
fn sources(root: &Path) -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = ["src", "tests", "benches"]
        .map(|name| root.join(name))
        .into_iter()
        .filter(|f| f.is_dir())
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Files that only tests compile: `#[cfg(test)] mod name;` as seen from `file`, without the ending.
fn test_modules(file: &str, tokens: &[Token]) -> Vec<String> {
    let stem = file.trim_end_matches(".rs");
    let folder =
        ["/mod", "/lib", "/main"].iter().find_map(|own| stem.strip_suffix(own)).unwrap_or(stem);
    tokens
        .windows(3)
        .filter_map(|three| match three {
            [word, name, end] if word.text == "mod" && end.text == ";" && word.in_test => {
                Some(format!("{folder}/{}", name.text))
            }
            _ => None,
        })
        .collect()
}

fn belongs(file: &str, module: &str) -> bool {
    file.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}
