//! Each rule bites: a planted breach is named, with its file and line, and nothing else is.

use std::collections::BTreeSet;

use crate::floors::{FLOORS, owned};
use crate::tokens::lex;
use crate::{
    LONGEST_FILE, belongs, import_breaches, link_breaches, manifest_breaches, map_breaches,
    shape_breaches, test_modules,
};

#[test]
fn an_import_that_breaks_a_rule_is_named_with_its_line() {
    let crates = ["rhai", "notify", "tokio", "serde", "axum", "http"].map(String::from);
    let planted = [
        ("src/engine/gates.rs", "use crate::app::App;", "`engine` lies below `app`"),
        ("src/engine/gates.rs", "fn f() { crate::http::serve() }", "`engine` lies below `http`"),
        (
            "src/engine/gates.rs",
            "use crate::{domain::time::Span, store::Key};",
            "`engine` lies below `store`",
        ),
        ("src/store/memory.rs", "use crate::ingest::sse;", "siblings"),
        ("src/store/memory.rs", "info!(x = crate::runtime::clock::now());", "siblings"),
        ("src/store/memory.rs", "use crate::cellar::Wine;", "no floor"),
        ("src/store/memory.rs", "use super::Key;", "write `crate::…`"),
        ("src/store/memory.rs", "use super::*;", "write `crate::…`"),
        ("src/store/memory.rs", "use super::super::Key;", "write `crate::…`"),
        ("src/store/memory.rs", "#[cfg(test)] mod tests { use super::Key; }", "write `crate::…`"),
        ("src/store/memory.rs", "#[cfg(test)] mod tests { use crate::app::App; }", "lies below"),
        ("src/domain/time.rs", "use tokio::time::Instant;", "does not own the crate `tokio`"),
        (
            "src/domain/time.rs",
            "#[derive(axum::FromRef)] struct S;",
            "does not own the crate `axum`",
        ),
        ("src/domain/time.rs", "use ::tokio as t;", "does not own the crate `tokio`"),
        ("src/domain/time.rs", "use {serde::Serialize, rhai};", "does not own the crate `rhai`"),
        ("src/rulebook/compile.rs", "use rhai::Engine;", "expression.rs alone"),
        ("src/library/disk.rs", "fn f() -> notify::Result<()> {}", "watch.rs alone"),
        ("src/engine/decide.rs", "use std::{fmt, fs::File};", "touches no `std::fs`"),
        ("src/rulebook/mod.rs", "let x = std::env::var(\"X\");", "touches no `std::env`"),
        ("src/main.rs", "use docent::app::App;", "main knows `cli` alone"),
    ];
    for (file, source, expected) in planted {
        let breaches = import_breaches(file, &format!("//! x\n{source}"), &crates, false);
        let [only] = &breaches[..] else { panic!("{file}: {source}: {breaches:?}") };
        assert!(only.starts_with(&format!("{file}:2: ")) && only.contains(expected), "{only}");
    }
}

#[test]
fn what_the_rules_allow_is_let_through() {
    let crates = ["rhai", "notify", "tokio", "serde", "http"].map(String::from);
    let fine = [
        (
            "src/app/poll.rs",
            "use crate::{domain::{time::Span, page}, engine::*, store::Key as K, app::x};",
        ),
        ("src/app/poll.rs", "// use crate::http::x;\nconst S: &str = \"crate::http::x axum::y\";"),
        ("src/http/wire.rs", "use http::StatusCode; use crate::http::error;"),
        ("src/rulebook/condition/expression.rs", "use rhai::Engine;"),
        ("src/store/memory.rs", "pub(super) fn f() {} pub(crate) use crate::store::Key;"),
        ("src/engine/decide.rs", "use std::collections::HashMap; use std::{fmt, sync::Arc};"),
        (
            "src/engine/decide.rs",
            "#[cfg(test)] mod tests { use super::*; use std::fs; use tokio::test; }",
        ),
        ("src/main.rs", "fn main() { docent::cli::run() }"),
    ];
    for (file, source) in fine {
        assert_eq!(import_breaches(file, source, &crates, false), [""; 0], "{file}: {source}");
    }
    assert_eq!(
        import_breaches("src/engine/oracle.rs", "use rhai::Engine;", &crates, true),
        [""; 0]
    );
}

#[test]
fn a_file_without_a_head_or_without_an_end_is_named() {
    assert_eq!(shape_breaches("src/a.rs", "//! a\n"), [""; 0]);
    assert_eq!(shape_breaches("src/a.rs", "use x;\n").len(), 1);
    assert_eq!(shape_breaches("src/a.rs", &"//! a\n".repeat(LONGEST_FILE)), [""; 0]);
    assert_eq!(shape_breaches("src/a.rs", &"//! a\n".repeat(LONGEST_FILE + 1)).len(), 1);
}

#[test]
fn a_dependency_without_a_reason_or_an_owner_is_named() {
    let names: BTreeSet<&str> = FLOORS.iter().flat_map(|(floor, ..)| owned(floor)).collect();
    let all: String = names.iter().map(|name| format!("{name} = \"1\" # why\n")).collect();
    let manifest = |lines: &str| format!("[package]\nname = \"x\"\n[dependencies]\n{all}{lines}");
    assert_eq!(manifest_breaches(&manifest("[features]\na = []\n")), [""; 0]);
    assert_eq!(manifest_breaches(&manifest("[dev-dependencies]\nx-y = \"1\"\n")).len(), 1);
    let stray = manifest_breaches(&manifest("left-pad = \"1\"\n"));
    assert!(
        stray[0].contains("no comment says why") && stray[1].contains("no floor owns `left_pad`")
    );
    assert!(
        manifest_breaches("[dependencies]\n").iter().any(|line| line.contains("no dependency"))
    );
}

#[test]
fn a_floor_missing_from_the_map_is_named() {
    let lib = "//! # Floors\n//! * `domain`: nouns\npub mod domain;\npub mod cellar;\n";
    assert_eq!(map_breaches(lib), ["src/lib.rs: the map does not introduce `cellar`"]);
}

#[test]
fn a_link_to_nothing_is_named() {
    let text = "[a](there.md#part) [b](https://example.com) [c](#here) [d](gone/x.md)";
    let breaches = link_breaches("README.md", text, |path| path == "there.md");
    assert_eq!(breaches, ["README.md: links to `gone/x.md`, which is not there"]);
}

#[test]
fn files_that_only_tests_compile_are_known_as_such() {
    let tokens = lex("#[cfg(test)]\nmod oracle;\nmod real;\n");
    assert_eq!(test_modules("src/rulebook/mod.rs", &tokens), ["src/rulebook/oracle"]);
    assert_eq!(test_modules("src/rulebook/rule.rs", &tokens), ["src/rulebook/rule/oracle"]);
    assert!(belongs("src/rulebook/oracle.rs", "src/rulebook/oracle"));
    assert!(belongs("src/rulebook/oracle/cases.rs", "src/rulebook/oracle"));
    assert!(!belongs("src/rulebook/oracles.rs", "src/rulebook/oracle"));
}
