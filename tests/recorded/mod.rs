//! Recordings and repositories for tests of `docent replay` and `docent plan`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// When recordings begin: 9 October 2025, 08:53:20 UTC.
pub(crate) const START: f64 = 1_760_000_000.0;

/// Two triggers: one waits twenty seconds on a page, one for two errors.
pub(crate) const RULES: &str = "version: 1
triggers:
  - id: linger
    page: /billing
    when: [{ dwell: 20s }]
    offer: { body: Need a hand?, accept: Yes please, dismiss: No thanks }
  - id: stuck
    page: /import
    when: [{ errors: 2 }]
    offer: { body: Trouble importing?, accept: Yes please, dismiss: No thanks }
";

/// A batch of one session, so many seconds after the start.
pub(crate) fn batch(session: &str, seconds: f64, kind: &str, page: &str) -> Value {
    let at = START + seconds;
    let action = json!({ "type": kind, "canonical_url": page, "timestamp_start": at });
    json!({ "type": "actions", "session_id": session, "forwarded_at": at, "actions": [action] })
}

/// One on each line.
pub(crate) fn lines(batches: &[Value]) -> String {
    batches.iter().map(|batch| format!("{batch}\n")).collect()
}

/// Four sessions: two wait on the billing page, one for 70 seconds, one for 30; one leaves it after
/// ten; one fails to import.
pub(crate) fn sessions() -> String {
    let leaves = |session: &str, seconds: f64| {
        [batch(session, 0.0, "pageview", "/billing"), batch(session, seconds, "pageview", "/home")]
    };
    let [one, two] = leaves("waits-70", 70.0);
    let [three, four] = leaves("waits-30", 30.0);
    let [five, six] = leaves("waits-10", 10.0);
    let seven = batch("fails", 0.0, "pageview", "/import");
    let eight = batch("fails", 5.0, "error", "/import");
    let nine = batch("fails", 6.0, "error", "/import");
    lines(&[one, two, three, four, five, six, seven, eight, nine])
}

/// Runs the real binary in a folder; its exit code, output and errors.
pub(crate) fn docent(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without having read it.
    let _gone = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Git in a folder, whoever runs the tests.
pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let settings = ["-c", "user.name=Ann", "-c", "user.email=ann@acme.test"];
    let settings =
        [&settings[..], &["-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]];
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(settings.concat()).args(arguments);
    let run = command.output().unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Makes the folder a repository, or commits all that changed in it.
pub(crate) fn commit(folder: &Path) {
    if !folder.join(".git").exists() {
        git(folder, &["init", "--quiet"]);
    }
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", "A change"]);
}

/// Replaces a text of the rules, which must be there.
pub(crate) fn edit(folder: &Path, from: &str, to: &str) {
    let file = folder.join("rules/a.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(file, text.replace(from, to)).unwrap();
}
