//! What `docent check --fix` repairs, and that it makes nothing worse.
#![cfg(test)]

mod corpus;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use corpus::{FILES, changed, env, good, mistakes};
use docent::rulebook::Sources;
use docent::rulebook::compile::compile;
use docent::rulebook::finding::{Finding, Severity};
use docent::rulebook::repair::{Repaired, repair};
use serde_json::{Value, json};
use tempfile::TempDir;

const TABLES: [&str; 4] = ["docent.txt", "rules.txt", "tours.txt", "prompts.txt"];

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|found| found.severity == Severity::Error).count()
}

fn text<'s>(sources: &'s Sources, file: &str) -> &'s str {
    std::str::from_utf8(&sources.files[file]).unwrap()
}

#[test]
fn of_the_table_of_mistakes_many_are_repaired_and_none_gets_worse() {
    let (mut tried, mut repaired) = (0, 0);
    for (file, table) in FILES.iter().zip(TABLES) {
        for mistake in mistakes(table) {
            let sources = changed(file, &mistake.from, &mistake.to);
            let before = compile(&sources, &env).1;
            let once = repair(&sources, &env, None);
            assert!(errors(&once.findings) <= errors(&before), "{}", mistake.to);
            let twice = repair(&once.sources, &env, None);
            assert_eq!((&twice.sources, twice.fixed.len()), (&once.sources, 0), "{}", mistake.to);
            let changed = once.sources != sources;
            assert_eq!(changed, !once.fixed.is_empty(), "{}", mistake.to);
            if let Some(first) = once.fixed.first() {
                assert!(once.rulebook.is_some(), "{}: {:#?}", mistake.to, once.findings);
                let place = format!("{}:{}", first.line, first.column);
                assert_eq!((first.code, &place), (&*mistake.code, &mistake.place));
                // A person is told the same.
                let help = first.help.as_deref().unwrap_or_default();
                assert!(help.contains(&mistake.help), "{help}");
            }
            tried += 1;
            repaired += usize::from(changed);
        }
    }
    assert!(tried >= 190 && repaired >= 85, "{repaired} of {tried} are repaired");
}

/// The good file of rules with a text replaced, and what that becomes.
fn becomes(from: &str, to: &str) -> String {
    let file = "rules/billing.yaml";
    let sources = changed(file, from, to);
    let text = text(&repair(&sources, &env, None).sources, file).to_owned();
    let good = good();
    let good = std::str::from_utf8(&good.files[file]).unwrap();
    let (before, after) = good.split_once(from).unwrap();
    let middle = text.strip_prefix(before).and_then(|text| text.strip_suffix(after));
    middle.unwrap_or_else(|| panic!("more than `{from}` was changed:\n{text}")).to_owned()
}

#[test]
fn each_repair_is_the_one_thing_that_can_be_meant() {
    for (from, to, meant) in [
        ("page: [/billing", "pge: [/billing", "page: [/billing"),
        ("- dwell: 20s", "- \"dwel\": 20s # why", "- \"dwell\": 20s # why"),
        ("mode: live", "mode: 'Live'", "mode: 'live'"),
        ("judge: false", "judge: \"nei\"", "judge: false"),
        ("priority: 70", "priority: \"70\"", "priority: 70"),
        ("owner: growth@example.com", "owner: 7", "owner: \"7\""),
        ("again_after: 7d", "again_after: 1 Week", "again_after: 1w"),
        ("page: [/billing", "page: [billing/", "page: [/billing"),
        ("- ping_pong: 2", "- errors: { between: [ 3,1 ] }", "- errors: { between: [1, 3] }"),
        ("session.errors(", "sesion.erors(", "session.errors("),
        ("session.errors(\"5m\") >= 2", "errors(\"5m\") >= 2", "session.errors(\"5m\") >= 2"),
        ("session.errors(\"5m\") >= 2", "session.path = \"/a\"", "session.path == \"/a\""),
        ("body: Need a hand?", "body: A hand: now?", "body: \"A hand: now?\""),
        ("    name: Stuck", "\tname: Stuck", "    name: Stuck"),
        ("fires: stuck", "fires: stuck, bdy: Need a hand?", "fires: stuck, body: Need a hand?"),
        // These are guesses, or lose what was written.
        ("cooldown: 30s", "cooldown: 30", "cooldown: 30"),
        ("cooldown: 30s", "cooldown: 5 M", "cooldown: 5 M"),
        ("page: [/billing", "page: [/billing?tab=1", "page: [/billing?tab=1"),
        ("page: [/billing", "page: [example.com/b", "page: [example.com/b"),
        ("tour: create-project", "tour: create-project-2", "tour: create-project-2"),
        ("body: Need a hand?", "body: Need help with #1?", "body: Need help with #1?"),
        ("mode: live", "mode: on", "mode: on"),
        ("cooldown: 30s", "cooldwon: 30s\n    cooldown: 40s", "cooldwon: 30s\n    cooldown: 40s"),
    ] {
        assert_eq!(becomes(from, to), meant, "{to}");
    }
}

#[test]
fn one_repair_may_uncover_the_next_and_two_never_make_one_key() {
    let meant = "when: [{ dwell: 20s }]\n    offer: { body: B, accept: A, dismiss: D }\n";
    let file = |rule: &str| format!("version: 1\ntriggers:\n  - id: a\n    {rule}");
    let repaired = |rule: &str| {
        let mut sources = good();
        sources.files.insert("rules/z.yaml".into(), file(rule).into_bytes());
        repair(&sources, &env, None)
    };
    let Repaired { sources, fixed, findings, .. } =
        repaired("whne: [{ dwel: 20 s }]\n    ofer: { bdy: B, acept: A, dismis: D }\n");
    assert_eq!((text(&sources, "rules/z.yaml"), findings.len()), (&*file(meant), 0));
    assert_eq!(fixed.len(), 7, "{fixed:#?}");

    let two = meant.replace("accept: A", "acept: A, acccept: B");
    let Repaired { sources, fixed, findings, .. } = repaired(&two);
    assert_eq!((fixed.len(), findings.len()), (1, 1), "{findings:#?}");
    assert!(
        text(&sources, "rules/z.yaml").contains("{ body: B, accept: A, acccept: B, dismiss: D }")
    );
}

const RULE: &str = "version: 1
triggers:
  # kept
  - id:   one
    when: [{ dwel: 5s }, { eror: 1 }]   # kept, too
    offer: { body: B, accept: A, dismiss: 7 }
    cooldown: 30
";

fn workspace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("docent.yaml"), "version: 1\nproducts:\n  acme: {}\n").unwrap();
    fs::write(dir.path().join("rules/a.yaml"), RULE).unwrap();
    dir
}

/// Exit code, standard output and standard error.
fn check(folder: &Path, arguments: &[&str], input: Option<&str>) -> (i32, String, String) {
    let typed = folder.join("typed.txt");
    fs::write(&typed, input.unwrap_or_default()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_docent"));
    command.arg("check").args(arguments).current_dir(folder);
    let input = input.map_or(Stdio::null(), |_| fs::File::open(&typed).unwrap().into());
    let output = command.stdin(input).output().unwrap();
    let said = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), said(output.stdout), said(output.stderr))
}

fn repaired_rule() -> String {
    RULE.replace("dwel:", "dwell:")
        .replace("eror:", "errors:")
        .replace("dismiss: 7", "dismiss: \"7\"")
}

#[test]
fn the_command_says_what_it_repaired_and_what_remains() {
    let dir = workspace();
    let (code, said, _) = check(dir.path(), &["--fix"], None);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.starts_with("fixed rules/a.yaml:5:14: there is no condition `dwel`; now `dwell`\n"),
        "{said}"
    );
    assert!(
        said.contains("error[bad-duration]") && said.ends_with("1 error, 0 warnings\n"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(dir.path().join("rules/a.yaml")).unwrap(), repaired_rule());
    let (_, said, _) = check(dir.path(), &["--fix", "--format", "json"], None);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (said["fixed"].as_array().unwrap().len(), said["findings"].as_array().unwrap().len()),
        (0, 1)
    );
}

#[test]
fn standard_input_is_repaired_to_standard_output() {
    let dir = workspace();
    let arguments = ["--fix", "--stdin", "--as", "rules/new.yaml"];
    let typed = RULE.replace("id:   one", "id:   two");
    let (code, text, complaints) = check(dir.path(), &arguments, Some(&typed));
    assert_eq!((code, text), (2, repaired_rule().replace("id:   one", "id:   two")));
    assert!(complaints.contains("rules/new.yaml:7:15"), "{complaints}");
    assert_eq!(fs::read_to_string(dir.path().join("rules/a.yaml")).unwrap(), RULE, "files stay");
}

#[test]
fn a_read_only_file_is_refused() {
    let dir = workspace();
    let path = dir.path().join("rules/a.yaml");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let (code, _, complaints) = check(dir.path(), &["--fix"], None);
    assert_eq!(
        (code, &*complaints),
        (1, "error: `rules/a.yaml` is read-only; make it writable first\n")
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), RULE);
}

#[test]
fn machines_are_told_the_repair() {
    let dir = workspace();
    let (_, said, _) = check(dir.path(), &["--format", "json"], None);
    let said: Value = serde_json::from_str(&said).unwrap();
    let fix =
        json!({ "line": 5, "column": 14, "end_line": 5, "end_column": 18, "replacement": "dwell" });
    assert_eq!(said["findings"][0]["fix"], fix);
    let without =
        said["findings"].as_array().unwrap().iter().find(|found| found["code"] == "bad-duration");
    assert_eq!(without.unwrap().get("fix"), None);
    let (_, said, _) = check(dir.path(), &["--format", "sarif"], None);
    let log: Value = serde_json::from_str(&said).unwrap();
    let region = json!({ "startLine": 5, "startColumn": 14, "endLine": 5, "endColumn": 18 });
    let replacement = json!({ "deletedRegion": region, "insertedContent": { "text": "dwell" } });
    let change =
        json!({ "artifactLocation": { "uri": "rules/a.yaml" }, "replacements": [replacement] });
    let fixes = &log["runs"][0]["results"][0]["fixes"];
    assert_eq!(fixes[0]["artifactChanges"], json!([change]));
    assert_eq!(fixes[0]["description"]["text"], "did you mean `dwell`?");
}
