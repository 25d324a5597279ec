//! A real docent for tests: the built binary, a workspace of its own, HTTP over loopback.
#![cfg(test)]
#![expect(dead_code, reason = "every test file uses its own part of this")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A rule that fires once there is any activity, and nothing else.
pub(crate) const EAGER: &str = r#"
version: 1
triggers:
  - id: eager
    when:
      - count: { type: pageview, at_least: 1, within: 30m }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
"#;

/// One product named acme, everything at its default.
pub(crate) const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";

/// A running server; it ends with the test.
pub(crate) struct Docent {
    child: Child,
    pub(crate) base: String,
    pub(crate) workspace: TempDir,
    client: reqwest::Client,
}

impl Docent {
    /// Starts on a free loopback port with a virtual clock.
    pub(crate) fn timed(files: &[(&str, &str)]) -> Self {
        Self::start(files, &["--virtual-clock", "--listen", "127.0.0.1:0"], &[])
    }

    /// Starts on a free loopback port.
    pub(crate) fn serve(files: &[(&str, &str)]) -> Self {
        Self::start(files, &["--listen", "127.0.0.1:0"], &[])
    }

    /// Starts with these files, arguments and variables, and waits until it listens.
    pub(crate) fn start(
        files: &[(&str, &str)],
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let workspace = workspace(files);
        Self::start_in(workspace, arguments, variables)
    }

    pub(crate) fn start_in(
        workspace: TempDir,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_docent"));
        Self::start_by(command, workspace, arguments, variables)
    }

    /// Starts as this shell leaves it: with limits, say.
    pub(crate) fn start_under(shell: &str, workspace: TempDir, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let script = format!("{shell} exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_docent")]);
        Self::start_by(command, workspace, arguments, &[])
    }

    /// Starts by this command, whichever docent that is.
    pub(crate) fn start_by(
        mut command: Command,
        workspace: TempDir,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut child = command
            .arg("serve")
            .arg("--workspace")
            .arg(workspace.path())
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines.next().expect("the server ended before it listened").unwrap();
            if let Some(base) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break base.trim_end_matches('/').to_owned();
            }
        };
        // Somebody must read what it prints, or a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, base, workspace, client: docent::runtime::client::shared().unwrap() }
    }

    /// Asks it to stop, waits until it has, and starts another in its workspace.
    pub(crate) fn again(mut self, arguments: &[&str]) -> Self {
        self.stop();
        self.again_at_rest(arguments)
    }

    /// The same for one that has stopped.
    pub(crate) fn again_at_rest(mut self, arguments: &[&str]) -> Self {
        let empty = tempfile::tempdir().unwrap();
        let workspace = std::mem::replace(&mut self.workspace, empty);
        drop(self);
        Self::start_in(workspace, arguments, &[])
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        let told = Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success(), "it did not end well");
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The workspace of one that has stopped.
    pub(crate) fn into_workspace(mut self) -> TempDir {
        std::mem::replace(&mut self.workspace, tempfile::tempdir().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(self.workspace.path(), path, text);
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.request("POST", path).json(&body)).await
    }

    /// Polls the toast's own conversation.
    pub(crate) async fn poll(&self, session: &str) -> Value {
        let path = format!("/context/acme/{session}?conversation_id=proactive%3A{session}");
        let (status, body) = self.get(&path).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// What a poll came to: the trigger's id, or the skip reason.
    pub(crate) async fn verdict(&self, session: &str) -> String {
        let body = self.poll(session).await;
        let trigger = body["proactive_trigger"]["trigger_id"].as_str();
        trigger.or(body["proactive_skip_reason"].as_str()).unwrap().to_owned()
    }

    /// Reports an event of the toast's own conversation; the answer's `reason` and `state`.
    pub(crate) async fn event(&self, session: &str, event: &str) -> (Option<String>, String) {
        let (status, body) = self
            .post(&format!("/agent_state/acme/proactive%3A{session}"), json!({ "event": event }))
            .await;
        assert_eq!(status, 200, "{body}");
        (body["reason"].as_str().map(str::to_owned), body["state"].as_str().unwrap().to_owned())
    }

    /// Sends page views, one after the other.
    pub(crate) async fn visit(&self, session: &str, pages: &[&str]) -> Value {
        let actions: Vec<Value> = pages
            .iter()
            .map(|page| json!({ "type": "pageview", "title": page, "description": page, "canonical_url": page }))
            .collect();
        let batch = json!({
            "type": "actions", "product_id": "acme", "session_id": session,
            "count": actions.len(), "actions": actions,
        });
        let (status, body) = self.post("/events/acme", batch).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Moves the virtual clock.
    pub(crate) async fn advance(&self, seconds: f64) {
        let (status, body) = self.post("/__clock", json!({ "advance_s": seconds })).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Asks again until the answer satisfies, or panics after ten seconds.
    pub(crate) async fn until(&self, path: &str, satisfied: impl Fn(u16, &Value) -> bool) -> Value {
        let started = tokio::time::Instant::now();
        loop {
            let (status, body) = self.get(path).await;
            if satisfied(status, &body) {
                return body;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{path}: {status} {body}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Docent {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) fn workspace(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

pub(crate) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The repository's own folder.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A copy of the shipped workspace.
pub(crate) fn shipped() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(repository().join("docent.yaml"), folder.path().join("docent.yaml")).unwrap();
    for part in ["rules", "tours", "prompts"] {
        fs::create_dir(folder.path().join(part)).unwrap();
        for file in fs::read_dir(repository().join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(part).join(file.file_name())).unwrap();
        }
    }
    folder
}
