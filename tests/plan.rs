//! `docent plan` as it is run: a real repository, real recordings, the real binary.
#![cfg(test)]

mod common;
mod recorded;

use std::fs;

use common::{PLAIN, workspace, write};
use recorded::{RULES, commit, docent, edit, git, sessions};
use tempfile::TempDir;

const TESTS: &str = "    tests:
      - name: waits
        timeline: [{ at: 0s, page: /billing }, { at: 20s, fires: linger }]
";

/// A repository with these rules.
fn repository(rules: &str) -> TempDir {
    let folder = workspace(&[("docent.yaml", PLAIN), ("rules/a.yaml", rules)]);
    commit(folder.path());
    folder
}

/// The comment, without what differs from run to run.
fn plan(folder: &TempDir, arguments: &[&str]) -> (i32, String) {
    let arguments = [&["plan"], arguments].concat();
    let (code, told, errors) = docent(folder.path(), &arguments, "");
    (code, told + &errors)
}

/// What stands under a heading.
fn part<'t>(told: &'t str, heading: &str) -> &'t str {
    let (_, rest) =
        told.split_once(&format!("### {heading}\n\n")).unwrap_or_else(|| panic!("{told}"));
    rest.split("\n\n### ").next().unwrap().trim_end()
}

/// What is written in place of what, and how that is told.
const EDITED: [(&str, &str, &str); 6] = [
    ("dwell: 20s", "dwell: 45s", "asks `dwell 45s`, was `dwell 20s`"),
    (
        "[{ dwell: 20s }]",
        "[{ dwell: 20s }, { ping_pong: 2 }]",
        "asks `ping_pong(\"2m\") at least 2`, too",
    ),
    ("Need a hand?", "Need *help*?", "says: “Need \\*help\\*?”, was “Need a hand?”"),
    (
        "hand?, accept: Yes please",
        "hand?, accept: Sure",
        "buttons: “Sure” “No thanks”, was “Yes please” “No thanks”",
    ),
    (
        "{ body: Need a hand?,",
        "{ variants: [{ id: a }, { id: b, weight: 2, body: Shall we? }], body: Need a hand?,",
        "new variant `a`, weight 1: says “Need a hand?”\n  - new variant `b`, weight 2: says “Shall we?”",
    ),
    ("page: /billing", "page: [/billing, /plans]", "pages: `/billing`, `/plans`, was `/billing`"),
];

/// What a rule gets that it did not have, and how that is told.
const ADDED: [(&str, &str); 8] = [
    ("priority: 70", "priority: 70, was 50"),
    ("mode: shadow", "mode: shadow, was live"),
    ("again_after: 7d", "comes again to a person after: 1w, was none"),
    ("frequency: [{ per: user, limit: 3, window: 7d }]", "at most: 3 per user in 1w, was none"),
    ("rollout: 25%", "rolled out to: 25%, was 100%"),
    ("on_dismiss: { cooldown: 1d }", "rests after answers: dismissed 1d, was none"),
    (
        "schedule: { days: [mon, tue, wed, thu, fri], hours: [\"09:00-17:00\"] }",
        "only on: mon to fri 09:00 to 17:00, was none\n  - by the clock of: the product, was none",
    ),
    (
        "schedule: { end: 2026-12-31, timezone: Europe/Oslo }",
        "only until: Fri 2027-01-01 00:00, was none\n  - by the clock of: Europe/Oslo, was none",
    ),
];

#[test]
fn every_change_of_a_rule_is_told_in_words() {
    let linger = "when: [{ dwell: 20s }]";
    let edited = EDITED.map(|(from, to, told)| (from, to.to_owned(), told));
    let added = ADDED.map(|(key, told)| (linger, format!("{key}\n    {linger}"), told));
    for (from, to, expected) in edited.into_iter().chain(added) {
        let folder = repository(RULES);
        edit(folder.path(), from, &to);
        let (code, told) = plan(&folder, &["HEAD.."]);
        assert_eq!(code, 0, "{told}");
        assert_eq!(
            part(&told, "What changes"),
            format!("- trigger **linger** changes\n  - {expected}")
        );
        let summary = "**triggers: 0 added, 1 changed, 0 removed; check: 0 errors, ";
        assert!(told.contains(summary), "{told}");
    }
    let folder = repository(RULES);
    let settings = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 60s } }\n";
    write(folder.path(), "docent.yaml", settings);
    let (_, told) = plan(&folder, &["HEAD"]);
    let expected = "- settings **acme** changes\n  - between two offers of a session: 1m, was 5m";
    assert_eq!(part(&told, "What changes"), expected);
}

#[test]
fn what_comes_and_goes_is_told_in_one_line() {
    let folder = repository(RULES);
    let tour = "version: 1\ntours:\n  - { id: import, name: Import, use_when: Asked, steps: [{ target: \"#a\", title: First, content: Press it }] }\n";
    write(folder.path(), "tours/a.yaml", tour);
    edit(folder.path(), "id: stuck", "id: failing");
    edit(
        folder.path(),
        "importing?, accept: Yes please, dismiss: No thanks",
        "importing?, accept: Yes please, dismiss: No thanks, tour: import",
    );
    commit(folder.path());
    let (code, told) = plan(&folder, &["HEAD~1..HEAD"]);
    let expected = "- trigger **failing** is new: on `/import`, when `errors(\"10m\") at least 2`, it says “Trouble importing?”, and starts the tour `import` (live, priority 50)
- trigger **stuck** is removed
- tour **import** is new: “Import”, 1 step";
    assert_eq!((code, part(&told, "What changes")), (0, expected));
    assert!(told.starts_with("## docent plan: `HEAD~1` ("), "{told}");
    assert_eq!(part(&told, "Tests"), "0 passed.");
    let (_, told) = plan(&folder, &["HEAD..HEAD"]);
    assert_eq!(part(&told, "What changes"), "Nothing that people could notice.");
}

#[test]
fn the_comment_ends_as_check_tests_and_replay_do() {
    let tested = RULES.replacen("  - id: stuck", &format!("{TESTS}  - id: stuck"), 1);
    let folder =
        repository(&tested.replace("dwell: 20s", "dwell: 40s").replace("at: 20s", "at: 40s"));
    write(folder.path(), "rules/a.yaml", &tested);
    write(folder.path(), "day.jsonl", &sessions());
    let replay = ["HEAD..", "--input", "day.jsonl"];
    let (code, told) = plan(&folder, &replay);
    assert_eq!(code, 0, "{told}");
    assert_eq!(part(&told, "Tests"), "1 passed.");
    let expected = "2 of 4 sessions differ.

| trigger | offers | per 1,000 sessions | newly firing | newly silent | other copy | other time | first |
|---|---|---|---|---|---|---|---|
| `linger` | 1 → 2 | 250.0 → 500.0 | 1 | 0 | 0 | 1 | 2 |
| `stuck` | 1 → 1 | 250.0 → 250.0 | 0 | 0 | 0 | 0 | 0 |
| all | 2 → 3 | 500.0 → 750.0 | | | | | |

<details><summary>Sessions that part</summary>

`linger`

```text
waits-30, 20s in (2025-10-09T08:53:40+00:00): nothing → linger \"Need a hand?\"
";
    assert!(part(&told, "Replay").starts_with(expected), "{told}");
    assert!(told.contains("tests: 1 passed; replay: 2 of 4 sessions differ**"), "{told}");
    let (code, told) = plan(&folder, &[&replay[..], &["--max-increase", "20%"]].concat());
    assert_eq!(code, 4);
    assert!(told.contains("**More than 20% above the base:**\n\n- all offers: 2 → 3"), "{told}");
    edit(folder.path(), "at: 20s", "at: 19s");
    let (code, told) = plan(&folder, &["HEAD.."]);
    assert_eq!(code, 3);
    let failed = part(&told, "Tests");
    assert!(
        failed.starts_with("0 passed, 1 failed.\n\n- rules/a.yaml: linger: waits, line 9\n"),
        "{failed}"
    );
    assert!(failed.contains("  expected  fires linger\n"), "{failed}");
    edit(folder.path(), "dwell", "dwel");
    let (code, told) = plan(&folder, &replay);
    assert_eq!(code, 2);
    assert!(part(&told, "Check").starts_with("- error `rules/a.yaml:5:14` "), "{told}");
    assert_eq!(part(&told, "Tests"), "Not run: the rules have mistakes.");
    assert!(part(&told, "What changes").starts_with("The head has mistakes"), "{told}");
    assert!(!told.contains("### Replay"), "{told}");
}

#[test]
fn three_dots_leave_out_what_the_base_got_since() {
    let folder = repository(RULES);
    git(folder.path(), &["checkout", "--quiet", "-b", "edit"]);
    edit(folder.path(), "dwell: 20s", "dwell: 45s");
    commit(folder.path());
    git(folder.path(), &["checkout", "--quiet", "main"]);
    edit(folder.path(), "errors: 2", "errors: 3");
    commit(folder.path());
    let before = fs::read_to_string(folder.path().join("rules/a.yaml")).unwrap();
    let (_, two) = plan(&folder, &["main..edit"]);
    let (_, three) = plan(&folder, &["main...edit"]);
    assert!(two.contains("**stuck** changes") && two.contains("**linger** changes"), "{two}");
    assert!(!three.contains("**stuck**") && three.contains("**linger** changes"), "{three}");
    assert_eq!(fs::read_to_string(folder.path().join("rules/a.yaml")).unwrap(), before);
}

#[test]
fn whatever_stands_in_the_way_is_said() {
    let folder = repository(RULES);
    let broken = repository("triggers: [");
    write(broken.path(), "rules/a.yaml", RULES);
    write(broken.path(), "day.jsonl", &sessions());
    let nowhere = workspace(&[("docent.yaml", PLAIN)]);
    for (folder, arguments, code, said) in [
        (&folder, &["nowhere..HEAD"][..], 1, "`nowhere` is neither a folder nor a revision"),
        (&folder, &["HEAD..nowhere"], 1, "`nowhere` is neither a folder nor a revision"),
        (&folder, &["nowhere...HEAD"], 1, "`nowhere...HEAD` is neither"),
        (&nowhere, &["HEAD.."], 1, "is in no git repository; `docent plan BASE..HEAD` compares"),
        (&folder, &["HEAD..", "--input", "nowhere"], 1, "cannot read `nowhere`"),
        (&broken, &["HEAD.."], 0, "The base has mistakes"),
        (
            &broken,
            &["HEAD..", "--input", "day.jsonl", "--max-increase", "20%"],
            1,
            "`--max-increase` was held against nothing",
        ),
    ] {
        let (found, told) = plan(folder, arguments);
        assert_eq!(found, code, "{arguments:?}\n{told}");
        assert!(told.contains(said), "{arguments:?}\n{told}");
    }
}

#[test]
fn a_plan_does_without_the_secrets_of_production() {
    let folder = repository(RULES);
    let settings = "version: 1\nadmin: { tokens: [\"${DOCENT_TEST_UNSET}\"] }\nproducts:\n  acme:\n    keys: { secret: [\"${DOCENT_TEST_UNSET}\"] }\n";
    write(folder.path(), "docent.yaml", settings);
    commit(folder.path());
    edit(folder.path(), "dwell: 20s", "dwell: 45s");
    let (code, told) = plan(&folder, &["HEAD.."]);
    let expected = "- trigger **linger** changes\n  - asks `dwell 45s`, was `dwell 20s`";
    assert_eq!((code, part(&told, "What changes")), (0, expected));
    write(folder.path(), "docent.yaml", &settings.replace("UNSET", "OTHER"));
    edit(folder.path(), "dwell: 45s", "dwell: 20s");
    let (code, told) = plan(&folder, &["HEAD.."]);
    let expected = "- settings **acme** changes\n  - other settings of `docent.yaml`";
    assert_eq!((code, part(&told, "What changes")), (0, expected));
}

#[test]
fn the_first_workspace_of_a_repository_is_all_new() {
    let folder = workspace(&[("README", "Nothing yet.\n")]);
    commit(folder.path());
    for at in ["", "help/"] {
        write(folder.path(), &format!("{at}docent.yaml"), PLAIN);
        write(folder.path(), &format!("{at}rules/a.yaml"), RULES);
        write(folder.path(), &format!("{at}day.jsonl"), &sessions());
        let arguments = ["plan", "HEAD..", "--input", "day.jsonl"];
        let (code, told, errors) = docent(&folder.path().join(at), &arguments, "");
        assert_eq!(code, 0, "{told}{errors}");
        assert!(
            told.starts_with("## docent plan: `HEAD`, which has no workspace yet → "),
            "{told}"
        );
        assert!(part(&told, "What changes").contains("- trigger **linger** is new: "), "{told}");
        assert!(part(&told, "Replay").contains("| `linger` | 0 → 2 |"), "{told}");
    }
}

#[test]
fn a_revision_that_is_not_whole_here_is_not_compared() {
    let folder = repository(RULES);
    edit(folder.path(), "dwell: 20s", "dwell: 45s");
    commit(folder.path());
    git(folder.path(), &["config", "uploadpack.allowFilter", "true"]);
    let clones = tempfile::tempdir().unwrap();
    let clone = clones.path().join("partial");
    let from = format!("file://{}", folder.path().display());
    git(clones.path(), &["clone", "--quiet", "--filter=blob:none", &from, "partial"]);
    // What it left out is not to be had any more.
    drop(folder);
    let (code, told, errors) = docent(&clone, &["plan", "HEAD~1..HEAD"], "");
    assert_eq!((code, told.as_str()), (1, ""), "{errors}");
    assert!(errors.contains("`rules/a.yaml` of `HEAD~1` is not in this clone"), "{errors}");
}

#[test]
fn a_link_is_not_followed_into_the_past() {
    let link = |from: &str, to: &str, folder: &TempDir| {
        std::os::unix::fs::symlink(to, folder.path().join(from)).unwrap();
        commit(folder.path());
    };
    let file = repository(RULES);
    write(file.path(), "shared/b.yaml", "version: 1\ntriggers: []\n");
    link("rules/b.yaml", "../shared/b.yaml", &file);
    let rules = workspace(&[("docent.yaml", PLAIN), ("shared/a.yaml", RULES)]);
    commit(rules.path());
    link("rules", "shared", &rules);
    for (folder, at) in [(&file, "rules/b.yaml"), (&rules, "rules")] {
        let (code, told) = plan(folder, &["HEAD.."]);
        assert_eq!(code, 1, "{told}");
        assert!(told.contains(&format!("`{at}` of `HEAD` is a symbolic link")), "{told}");
    }
}

#[test]
fn a_hook_sees_the_workspace_it_stands_in() {
    let folder = workspace(&[("help/docent.yaml", PLAIN), ("help/rules/a.yaml", RULES)]);
    commit(folder.path());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_docent"));
    command.args(["plan", "HEAD.."]).current_dir(folder.path().join("help"));
    let run = command.env("GIT_DIR", folder.path().join(".git")).output().unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(told.contains("Nothing that people could notice."), "{told}");
}
