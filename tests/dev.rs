//! `docent dev` and `docent test --watch` beside somebody who edits.
#![cfg(test)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::{PLAIN, workspace, write};
use tempfile::TempDir;

/// Longer than a machine that has much to do needs for a round.
const DEADLINE: Duration = Duration::from_secs(60);

const RULES: &str = "version: 1
triggers:
  - id: linger
    when: [{ dwell: 20s }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks }
    tests:
      - name: in time
        timeline:
          - { at: 0s, page: /billing }
          - { at: 19s, silent: no_trigger }
          - { at: 20s, fires: linger }
";

/// A running command with a workspace of its own.
struct Running {
    child: Child,
    lines: Receiver<String>,
    workspace: TempDir,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let workspace = workspace(&[("docent.yaml", PLAIN), ("rules/a.yaml", RULES)]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_docent"))
            .args(arguments)
            .arg(workspace.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || output.map_while(Result::ok).try_for_each(|l| sender.send(l)));
        Self { child, lines, workspace }
    }

    /// The lines until one has this text, that one included.
    fn until(&self, text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no `{text}` after {seen:#?}"));
            let found = line.contains(text);
            seen.push(line);
            if found {
                return seen;
            }
        }
    }

    fn write(&self, path: &str, text: &str) {
        write(self.workspace.path(), path, text);
    }

    /// Ctrl-C; how it ended.
    fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn every_save_is_checked_and_tested() {
    let dev = Running::start(&["dev"]);
    let start = dev.until("1 passed");
    assert!(
        start[0]
            .contains("(docent.yaml, locales/, prompts/, rules/, segments/, tours/); Ctrl-C ends"),
        "{start:#?}"
    );
    dev.until("1 passed");
    dev.write("rules/a.yaml", &RULES.replace("dwell: 20s", "dwel: 20s"));
    let broken = dev.until("1 error, ");
    assert!(broken.iter().any(|line| line.contains("there is no condition `dwel`")), "{broken:#?}");
    dev.write("rules/a.yaml", &RULES.replace("at: 19s", "at: 21s").replace("at: 20s", "at: 22s"));
    let failed = dev.until("0 passed, 1 failed");
    dev.until("0 passed, 1 failed");
    assert!(failed.iter().any(|line| line.contains("0 errors")), "{failed:#?}");
    dev.write("rules/a.yaml", RULES);
    dev.until("1 passed");
    dev.until("1 passed");
    // A folder that was not there is watched from its first file on.
    dev.write("tours/a.yaml", "version: 1\ntours: 7\n");
    dev.until("tours/a.yaml:2");
    dev.write("tours/a.yaml", "version: 1\ntours: []\n");
    dev.until("1 passed");
    dev.until("1 passed");
    assert_eq!(dev.interrupt(), Some(0));
}

#[test]
fn tests_alone_can_be_watched() {
    let watch = Running::start(&["test", "--watch", "--coverage"]);
    watch.until("1 of 1 clause seen deciding");
    watch.write("rules/a.yaml", &RULES.replace("20s, fires", "21s, fires"));
    watch.until("1 of 1 clause seen deciding");
    assert_eq!(watch.interrupt(), Some(0));
}
