//! What `docent new` makes is without findings, its tests hold, and nothing is ever overwritten.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use docent::library::disk;
use docent::rulebook::compile::compile;
use docent::rulebook::rule::Mode;
use docent::rulebook::schema::{Kind, text};

fn docent(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

fn fine(folder: &Path, arguments: &[&str]) -> String {
    let output = docent(folder, arguments);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}{:?}", output.stderr);
    said
}

#[test]
fn a_fresh_workspace_is_clean_and_its_tests_hold() {
    let folder = tempfile::tempdir().unwrap();
    fine(folder.path(), &["new", "workspace", "shop"]);
    let shop = folder.path().join("shop");
    for (kind, name) in [("rule", "stuck"), ("tour", "first-look"), ("prompt", "answer")] {
        fine(folder.path(), &["new", kind, name, "--in", "shop"]);
    }
    assert!(fine(&shop, &["check"]).starts_with("0 errors, 0 warnings; 2 rules, 2 tours"));
    fine(folder.path(), &["new", "segment", "exporters", "--in", "shop"]);
    let checked = fine(&shop, &["check"]);
    assert!(checked.contains("nothing asks for the segment `exporters`"), "{checked}");
    let tested = fine(&shop, &["test", "--coverage"]);
    assert!(tested.contains("4 passed"), "{tested}");
    let book = compile(&disk::read(&shop).unwrap(), &|_| None).0.unwrap();
    let product = book.products.get("shop").unwrap();
    assert!(product.settings.proactive.redeliver);
    assert_eq!(book.prompts.len(), 2);
    for rule in &product.rules {
        assert!(rule.mode == Mode::Draft && rule.again_after.is_some(), "{}", rule.id);
        assert_eq!(rule.pacing.caps.len(), 3, "its own, and two of the product");
    }
    for file in
        ["docent.yaml", "rules/stuck.yaml", "tours/first-look.yaml", "segments/exporters.yaml"]
    {
        let written = fs::read_to_string(shop.join(file)).unwrap();
        let schema = written.lines().next().unwrap().split_once("$schema=").unwrap().1;
        let schema = shop.join(file).parent().unwrap().join(schema);
        let kind =
            Kind::ALL.into_iter().find(|kind| schema.ends_with(format!("{}.json", kind.as_str())));
        assert_eq!(fs::read_to_string(&schema).unwrap(), text(kind.unwrap()), "{file}");
    }
}

#[test]
fn what_is_there_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("docent.yaml"), "version: 1\nproducts:\n  a: {}\n").unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rules/mine.yaml"), "mine").unwrap();
    let output = docent(folder.path(), &["new", "rule", "mine"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is there already"));
    assert_eq!(fs::read_to_string(folder.path().join("rules/mine.yaml")).unwrap(), "mine");
    // Of a workspace, one file that is there keeps all the others from being written.
    fs::create_dir_all(folder.path().join("shop/prompts")).unwrap();
    fs::write(folder.path().join("shop/prompts/welcome.md"), "mine").unwrap();
    let output = docent(folder.path(), &["new", "workspace", "shop"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("shop/docent.yaml").exists());
}

#[test]
fn a_name_must_be_one_and_a_product_must_be_meant() {
    let folder = tempfile::tempdir().unwrap();
    let failed = |arguments: &[&str]| {
        let output = docent(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for name in ["../up", "none", "true", "7th", "two words", ""] {
        assert!(failed(&["new", "rule", name]).contains("cannot be a name"), "{name}");
    }
    assert!(failed(&["new", "rule", "stuck"]).contains("docent new workspace"));
    let two = "version: 1\nproducts:\n  a: {}\n  b: { rules: b/rules }\n";
    fs::write(folder.path().join("docent.yaml"), two).unwrap();
    assert!(failed(&["new", "rule", "stuck"]).contains("--product a"));
    assert!(failed(&["new", "rule", "stuck", "--product", "c"]).contains("no product `c`"));
    fine(folder.path(), &["new", "rule", "stuck", "--product", "b"]);
    assert!(folder.path().join("b/rules/stuck.yaml").exists());
    assert!(fine(folder.path(), &["check"]).starts_with("0 errors, 0 warnings; 1 rule"));
}
