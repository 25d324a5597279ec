//! `docent check` as editors and continuous integration call it.
#![cfg(test)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const RULE: &str = "version: 1
triggers:
  - id: one
    when: [{ dwell: 5s }]
    offer: { body: B, accept: A, dismiss: D }
";

fn workspace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("docent.yaml"), "version: 1\nproducts:\n  acme: {}\n").unwrap();
    fs::write(dir.path().join("rules/a.yaml"), RULE).unwrap();
    dir
}

fn check(folder: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_docent"))
        .arg("check")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read it may be gone already.
    let _gone = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn the_shipped_workspace_passes_with_warnings_denied() {
    let (code, said) = check(Path::new(env!("CARGO_MANIFEST_DIR")), &["--deny-warnings"], "");
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("0 errors, 0 warnings; "), "{said}");
}

#[test]
fn warnings_are_let_through_unless_denied() {
    let dir = workspace();
    let (code, said) = check(dir.path(), &[], "");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("warning[no-firing-test]") && said.contains("0 errors, 2 warnings"));
    assert_eq!(check(dir.path(), &["--deny-warnings"], "").0, 2);
}

#[test]
fn a_folder_of_a_workspace_is_told_which() {
    let workspace = workspace();
    let rules = workspace.path().join("rules");
    fs::create_dir_all(&rules).unwrap();
    let (code, said) = check(&rules, &[], "");
    assert_eq!(code, 2, "{said}");
    let all = workspace.path().canonicalize().unwrap();
    let help = format!("check all of it: `docent check {}`", all.display());
    assert!(said.contains(&help), "{said}");
}

#[test]
fn standard_input_takes_the_place_of_a_file() {
    let dir = workspace();
    let typed = RULE.replace("dwell", "dwel");
    let absolute = dir.path().canonicalize().unwrap().join("rules/a.yaml");
    for path in ["rules/a.yaml", "./rules/a.yaml", absolute.to_str().unwrap()] {
        let (code, said) = check(dir.path(), &["--stdin", "--as", path], &typed);
        assert_eq!(code, 2, "{said}");
        assert!(
            said.contains("rules/a.yaml:4:14") && said.contains("did you mean `dwell`?"),
            "{said}"
        );
    }
    let other = RULE.replace("one", "two");
    let (code, said) = check(dir.path(), &["--stdin", "--as", "rules/new.yaml"], &other);
    assert!(code == 0 && said.contains("2 rules"), "{said}");
    for path in ["rules/deeper/a.yaml", "a.yaml", "rules/a.txt", "/elsewhere/rules/a.yaml"] {
        let (code, said) = check(dir.path(), &["--stdin", "--as", path], RULE);
        assert!(code == 1 && said.contains(path), "{said}");
    }
    assert_eq!(check(dir.path(), &["--stdin"], RULE).0, 2, "the file it stands for is not named");
}

#[test]
fn a_workflow_command_for_each_finding() {
    let dir = workspace();
    let parent = dir.path().parent().unwrap();
    let name = dir.path().file_name().unwrap().to_str().unwrap();
    let typed = RULE.replace("dwell", "dwel");
    fs::write(dir.path().join("rules/a.yaml"), typed).unwrap();
    let (code, said) = check(parent, &[name, "--format", "github"], "");
    assert_eq!(code, 2);
    assert_eq!(
        said,
        format!(
            "::error file={name}/rules/a.yaml,line=4,col=14,endColumn=18,title=unknown-condition::\
             there is no condition `dwel`%0Adid you mean `dwell`?\n"
        )
    );
}

#[test]
fn a_sarif_log_has_what_its_schema_requires() {
    let dir = workspace();
    let (_, said) = check(dir.path(), &["--format", "sarif"], "");
    let log: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "docent");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "rules/a.yaml");
        assert_eq!(place["region"], json!({ "startLine": 3, "startColumn": 9, "endColumn": 12 }));
    }
}
