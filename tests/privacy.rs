//! `docs/privacy.md` has a row for every stored field, and no other; the log names nobody.
#![cfg(test)]

mod common;
#[path = "privacy/tracer.rs"]
mod tracer;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use docent::domain::bulletin::Bulletin;
use docent::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use docent::domain::session::Session;
use docent::engine::privacy::{JOURNAL, Kept, RECORDS};
use docent::engine::tape::Line;
use docent::store::raw::KINDS;
use serde_json::{Value, json};

use tracer::{Traced, trace};

const PAGE: &str = "docs/privacy.md";
const OPENING: &str = "<!-- generated: fields -->\n";
const END: &str = "<!-- end -->";

/// Every struct that is stored, with its fields, found by following the types themselves.
fn stored() -> Traced {
    let traced = RefCell::new(Traced::new());
    trace::<Session>(&traced);
    trace::<Context>(&traced);
    trace::<User>(&traced);
    trace::<Account>(&traced);
    trace::<Product>(&traced);
    trace::<Conversation>(&traced);
    trace::<EmailIndex>(&traced);
    trace::<Bulletin>(&traced);
    assert_eq!(KINDS.len(), 8, "a new kind of record: follow it, too");
    trace::<Line>(&traced);
    let mut traced = traced.into_inner();
    // A line is read by another type than it is written by, which says its version, too.
    let mut line = traced.remove("Read").unwrap();
    line.insert("v".to_owned(), BTreeSet::new());
    traced.insert("Written".to_owned(), line);
    traced.retain(|_, fields| !fields.is_empty());
    traced
}

fn rows() -> impl Iterator<Item = &'static Kept> {
    RECORDS.iter().chain(JOURNAL)
}

#[test]
fn every_stored_field_says_whether_it_can_name_a_person() {
    let stored = stored();
    let known: BTreeSet<&str> = rows().map(|kept| kept.item).collect();
    let met: BTreeSet<&str> = stored.keys().map(String::as_str).collect();
    assert_eq!(met, known, "src/engine/privacy.rs: write an entry for each type that is stored");
    for kept in rows() {
        let fields: BTreeSet<&str> = stored[kept.item].keys().map(String::as_str).collect();
        let told: Vec<&str> = kept.names().chain(kept.silent()).collect();
        let told_once: BTreeSet<&str> = told.iter().copied().collect();
        assert_eq!(told.len(), told_once.len(), "{}: one of them twice", kept.item);
        assert_eq!(fields, told_once, "src/engine/privacy.rs: `{}`", kept.item);
        // What holds a field that can name a person can.
        for (field, inner) in &stored[kept.item] {
            let inner = inner.iter().filter_map(|item| rows().find(|kept| kept.item == item));
            let tells = inner.into_iter().any(|kept| kept.names().next().is_some());
            let says = kept.names().any(|name| name == field);
            assert!(!tells || says, "src/engine/privacy.rs: `{}.{field}` can, too", kept.item);
        }
    }
}

#[test]
fn the_page_is_what_the_code_says() {
    let page = fs::read_to_string(common::repository().join(PAGE)).unwrap();
    let (before, rest) = page.split_once(OPENING).expect("the generated part");
    let (_, after) = rest.split_once(END).expect("its end");
    let fresh = format!("{before}{OPENING}{}\n{END}{after}", tables());
    if page != fresh {
        let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("privacy.md");
        fs::write(&written, &fresh).unwrap();
        panic!("{PAGE} is out of date; take the new one:\n  cp {} {PAGE}", written.display());
    }
}

fn tables() -> String {
    let stored = stored();
    let table = |kept: &Kept| {
        let mut text = format!(
            "## {}\n\n| field | what it is | can name a person |\n|---|---|---|\n",
            kept.title
        );
        for (field, words) in fields(kept) {
            let Some(inner) = stored[kept.item].get(&field) else { continue };
            let inner = inner.iter().filter_map(|item| rows().find(|kept| kept.item == item));
            let inner: Vec<String> = inner.map(|kept| link(kept.title)).collect();
            let inner =
                if inner.is_empty() { inner.concat() } else { format!(" ({})", inner.join(", ")) };
            let names = if kept.names().any(|name| name == field) { "yes" } else { "no" };
            text.push_str(&format!("| `{field}` | {words}{inner} | {names} |\n"));
        }
        text
    };
    let tables: Vec<String> = rows().map(table).collect();
    tables.join("\n")
}

fn link(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
    format!("[{title}](#{anchor})")
}

/// The fields of a type as they are written, in the order of the code, with what it says of them.
fn fields(kept: &Kept) -> Vec<(String, String)> {
    let text = fs::read_to_string(common::repository().join(kept.file)).unwrap();
    let heads = ["struct", "enum"].map(|kind| format!("{kind} {}", kept.item));
    let is_head = |line: &str| {
        let line = line.trim_start_matches("pub ");
        heads
            .iter()
            .any(|head| line.strip_prefix(&**head).is_some_and(|rest| rest.starts_with([' ', '<'])))
    };
    let lines = text.lines().skip_while(|line| !is_head(line)).skip(1);
    let (mut found, mut said, mut renamed) = (Vec::new(), Vec::new(), None);
    for line in lines.take_while(|line| *line != "}").map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            said.push(doc.trim());
        } else if let Some(attribute) = line.strip_prefix("#[serde(") {
            let name =
                attribute.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next());
            renamed = name.or(renamed).filter(|_| !attribute.starts_with("rename_all"));
        } else if let Some((name, _)) = line.split_once(':').filter(|_| !line.starts_with("//")) {
            let name =
                renamed.take().unwrap_or(name.trim_start_matches("pub ").trim_start_matches("r#"));
            let words = tidy(&said.join(" "));
            assert!(!words.is_empty(), "{}: nothing is said of `{name}`", kept.file);
            found.push((name.to_owned(), words));
            said.clear();
        } else {
            said.clear();
        }
    }
    found
}

/// Without references to the texts the code was built from, and to its own names.
fn tidy(doc: &str) -> String {
    let mut text = doc.to_owned();
    while let Some((before, rest)) = text.split_once(" (contract") {
        text = format!("{before}{}", rest.split_once(')').unwrap().1);
    }
    while let Some((before, rest)) = text.split_once("[`") {
        let (name, after) = rest.split_once("`]").unwrap();
        let name = name.rsplit("::").next().unwrap();
        text = match before.strip_suffix(", see ").or(before.strip_suffix("; see ")) {
            Some(before) => format!("{before}{after}"),
            None => format!("{before}`{name}`{after}"),
        };
    }
    text.replace('|', "\\|")
}

#[tokio::test]
async fn the_log_and_the_metrics_of_a_story_name_nobody() {
    let workspace =
        common::workspace(&[("docent.yaml", common::PLAIN), ("rules/e.yaml", common::EAGER)]);
    let log = workspace.path().join("log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--listen", "127.0.0.1:0", "--workspace"])
        .arg(workspace.path())
        .env("DOCENT_LOG", "docent=trace,info")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    use std::io::{BufRead as _, BufReader};
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = lines
        .find_map(|line| {
            let line = line.unwrap();
            let base = line.split_whitespace().find(|word| word.starts_with("http://"))?;
            Some(base.trim_end_matches('/').to_owned())
        })
        .unwrap();
    let reader = std::thread::spawn(move || lines.for_each(drop));
    let client = docent::runtime::client::shared().unwrap();
    let ask = async |method: &str, path: &str, body: Value| {
        let request = client.request(method.parse().unwrap(), format!("{base}{path}"));
        common::answer(request.json(&body)).await
    };
    let batch = json!({ "type": "actions", "session_id": "ps_zebra", "user_id": "u_zebra",
        "email": "zebra@b.example", "traits": { "name": "Zebra" }, "actions": [{
        "type": "pageview", "title": "Zebra's page", "canonical_url": "/zebra?token=zebra" }] });
    assert_eq!(ask("POST", "/events/acme", batch).await.0, 200);
    let polled = ask("GET", "/context/acme/ps_zebra", Value::Null).await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "eager", "{polled}");
    let event = json!({ "event": "proactive_opted_out" });
    assert_eq!(ask("POST", "/agent_state/acme/proactive%3Aps_zebra", event).await.0, 200);
    assert_eq!(ask("POST", "/agent_state/acme/zebra", json!({ "event": "zebra" })).await.0, 422);
    assert_eq!(ask("GET", "/context/acme/ps_zebra?explain=1", Value::Null).await.0, 200);
    let metrics = ask("GET", "/metrics", Value::Null).await.1.to_string();
    assert_eq!(ask("GET", "/admin/emails/acme/zebra@b.example/export", Value::Null).await.0, 200);
    assert_eq!(ask("DELETE", "/admin/users/acme/u_zebra", Value::Null).await.0, 200);
    let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(told.success() && child.wait().unwrap().success());
    reader.join().unwrap();
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("Erased all that was kept of a person"), "{log}");
    for (what, text) in [("log", &log), ("metrics", &metrics)] {
        for secret in ["zebra", "Zebra"] {
            assert!(!text.contains(secret), "the {what} tells `{secret}`:\n{text}");
        }
    }
}
