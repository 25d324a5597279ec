//! `docent replay` as it is run: real files, a real repository, the real binary.
#![cfg(test)]

mod common;
mod recorded;
mod replay {
    mod busy;
    mod exports;
    mod inputs;
    mod journals;
    mod verified;
}
#[expect(dead_code, reason = "what a server does when it fails is another test's")]
#[path = "redis/server.rs"]
mod server;
mod shown;

use std::fs;
use std::path::Path;

use common::{PLAIN, repository, shipped, workspace, write};
use recorded::{RULES, START, batch, commit, docent, edit, lines, sessions};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) fn rules(text: &str) -> TempDir {
    workspace(&[("docent.yaml", PLAIN), ("rules/a.yaml", text)])
}

/// A batch of somebody known.
fn known(user: &str, mut batch: Value) -> Value {
    batch["user_id"] = user.into();
    batch
}

/// Replays standard input and reads the JSON.
fn replay(folder: &TempDir, arguments: &[&str], input: &str) -> (i32, Value) {
    let arguments = [&["replay", "-", "--format", "json"], arguments].concat();
    let (code, told, errors) = docent(folder.path(), &arguments, input);
    let told = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}{errors}"));
    (code, told)
}

/// Offers by trigger: `linger 2, stuck 1`.
pub(crate) fn offers(told: &Value, side: &str) -> String {
    let triggers = told["products"][0]["triggers"].as_array().unwrap().iter();
    let line = |told: &Value| {
        let offers = told[side]["offers"].as_u64().unwrap();
        format!("{} {offers}", told["trigger"].as_str().unwrap())
    };
    triggers.map(line).collect::<Vec<_>>().join(", ")
}

#[test]
fn sessions_are_lived_through_with_their_times() {
    let folder = rules(RULES);
    let (code, told) = replay(&folder, &[], &sessions());
    assert_eq!(code, 0);
    assert_eq!(offers(&told, "head"), "linger 2, stuck 1");
    let product = &told["products"][0];
    assert_eq!(product["sessions"], 4);
    assert_eq!(product["actions"], 9);
    assert_eq!(product["head"]["per_1000_sessions"], 750.0);
    assert_eq!(product["base"], Value::Null);
    let (code, told, _) = docent(folder.path(), &["replay", "-"], &sessions());
    let expected = "4 sessions with 9 actions from 1 file
polls: simulated after each batch and every 20s, until 5m after the last one
answers: as recorded, else offers are ignored

rules  .: 3 offers, 750.0 per 1,000 sessions

trigger  offers  per 1,000  sessions  held back
linger        2      500.0         2
stuck         1      250.0         1
";
    assert_eq!((code, &*told), (0, expected));
}

#[test]
fn what_an_edit_changes_is_told_trigger_by_trigger() {
    let other = "offer: { body: Need a hand with that?,";
    let removed = RULES.split("  - id: stuck").next().unwrap();
    let cap = "errors: 2 }]\n    frequency: [{ per: session, limit: 1, window: 1d }]";
    let more = format!(
        "{RULES}  - id: early\n    page: /billing\n    priority: 90\n    when: [{{ dwell: 10s }}]\n    \
         offer: {{ body: Early, accept: Yes please, dismiss: No thanks }}\n"
    );
    let slower = RULES.replace("dwell: 20s", "dwell: 45s");
    let copy = RULES.replace("offer: { body: Need a hand?,", other);
    // Sessions that differ; then of each trigger offers, and sessions newly firing, newly silent, with
    // other copy, at another time, and those that diverge first by it.
    for (name, head, differ, expected) in [
        ("nothing", RULES.to_owned(), 0, "linger 2 → 2: 0 0 0 0 0, stuck 1 → 1: 0 0 0 0 0"),
        ("a threshold", slower, 2, "linger 2 → 1: 0 1 0 1 2, stuck 1 → 1: 0 0 0 0 0"),
        ("copy", copy, 2, "linger 2 → 2: 0 0 2 0 2, stuck 1 → 1: 0 0 0 0 0"),
        ("a removal", removed.to_owned(), 1, "linger 2 → 2: 0 0 0 0 0, stuck 1 → 0: 0 1 0 0 1"),
        (
            "an addition",
            more,
            2,
            "early 0 → 2: 2 0 0 0 2, linger 2 → 0: 0 2 0 0 0, stuck 1 → 1: 0 0 0 0 0",
        ),
        (
            "a cap nobody meets",
            RULES.replace("errors: 2 }]", cap),
            0,
            "linger 2 → 2: 0 0 0 0 0, stuck 1 → 1: 0 0 0 0 0",
        ),
    ] {
        let folder = rules(RULES);
        commit(folder.path());
        write(folder.path(), "rules/a.yaml", &head);
        let (code, told) = replay(&folder, &["--against", "HEAD"], &sessions());
        assert_eq!(code, 0, "{name}");
        let product = &told["products"][0];
        assert_eq!(product["sessions_that_differ"], differ, "{name}");
        let line = |told: &Value| {
            let counts = ["newly_firing", "newly_silent", "other_copy", "other_time", "first"];
            let counts = counts.map(|count| told[count].to_string()).join(" ");
            let (trigger, base) = (told["trigger"].as_str().unwrap(), &told["base"]["offers"]);
            format!("{trigger} {base} → {}: {counts}", told["head"]["offers"])
        };
        let triggers = product["triggers"].as_array().unwrap().iter().map(line);
        assert_eq!(triggers.collect::<Vec<_>>().join(", "), expected, "{name}");
    }
}

#[test]
fn the_report_shows_where_sessions_part() {
    let folder = rules(RULES);
    commit(folder.path());
    edit(folder.path(), "dwell: 20s", "dwell: 45s");
    let (code, told, errors) =
        docent(folder.path(), &["replay", "-", "--against", "HEAD"], &sessions());
    assert_eq!((code, &*errors), (0, ""));
    let told: String = told
        .lines()
        .map(|line| match line.split_once("HEAD (") {
            Some((_, rest)) => format!("base  HEAD (…){}\n", rest.split_once(')').unwrap().1),
            None => format!("{line}\n"),
        })
        .collect();
    let expected = "4 sessions with 9 actions from 1 file
polls: simulated after each batch and every 20s, until 5m after the last one
answers: as recorded, else offers are ignored

2 of 4 sessions differ

base  HEAD (…): 3 offers, 750.0 per 1,000 sessions
head  .: 2 offers, 500.0 per 1,000 sessions

trigger  base  head      per 1,000  newly firing  newly silent  other copy  other time  first
linger      2     1  500.0 → 250.0             0             1           0           1      2
stuck       1     1  250.0 → 250.0             0             0           0           0      0

linger
  waits-30, 20s in (2025-10-09T08:53:40+00:00): linger \"Need a hand?\" → nothing
  waits-70, 20s in (2025-10-09T08:53:40+00:00): linger \"Need a hand?\" → nothing
";
    assert_eq!(told, expected);
}

#[test]
fn a_base_is_a_revision_or_a_folder_and_stays_as_it_is() {
    let folder = rules(RULES);
    write(folder.path(), "team/docent.yaml", PLAIN);
    write(folder.path(), "team/rules/a.yaml", RULES);
    commit(folder.path());
    let slower = RULES.replace("dwell: 20s", "dwell: 45s");
    write(folder.path(), "team/rules/a.yaml", &slower);
    commit(folder.path());
    let bases = [("HEAD~1", 2), ("HEAD", 0), ("main~1", 2), ("..", 2), ("../team", 0)];
    for (against, differ) in bases {
        let arguments = ["replay", "-", "--format", "json", "--against", against];
        let (code, told, errors) = docent(&folder.path().join("team"), &arguments, &sessions());
        assert_eq!(code, 0, "{against}: {errors}");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["products"][0]["sessions_that_differ"], differ, "{against}");
    }
    let now = fs::read_to_string(folder.path().join("team/rules/a.yaml")).unwrap();
    assert_eq!(now, slower);
}

#[test]
fn an_increase_beyond_the_limit_fails() {
    let folder = rules(&RULES.replace("dwell: 20s", "dwell: 45s"));
    commit(folder.path());
    write(folder.path(), "rules/a.yaml", RULES);
    // Offers of `linger` double, all offers grow from two to three.
    for (limit, code, beyond) in [
        ("20%", 4, json!([[null, 2, 3], ["linger", 1, 2]])),
        ("60%", 4, json!([["linger", 1, 2]])),
        ("100%", 0, json!([])),
    ] {
        let arguments = ["--against", "HEAD", "--max-increase", limit];
        let (found, told) = replay(&folder, &arguments, &sessions());
        let exceeded = told["exceeded"].as_array().unwrap().iter();
        let exceeded = exceeded.map(|one| json!([one["trigger"], one["base"], one["head"]]));
        assert_eq!((found, Value::from_iter(exceeded)), (code, beyond), "{limit}");
        assert_eq!(told["ok"], code == 0);
    }
    let arguments = ["replay", "-", "--against", "HEAD", "--max-increase", "20%"];
    let (code, told, _) = docent(folder.path(), &arguments, &sessions());
    let expected = "
more than 20% above the base:
  all offers: 2 → 3, 50.0% more
  `linger`: 1 → 2, 100.0% more
";
    assert!(code == 4 && told.ends_with(expected), "{told}");
    // A trigger that is new counts in the sum alone.
    let more = RULES.replace("id: linger", "id: waits").replace("dwell: 20s", "dwell: 45s");
    write(folder.path(), "rules/a.yaml", &more);
    let arguments = ["--against", "HEAD", "--max-increase", "0%"];
    assert_eq!(replay(&folder, &arguments, &sessions()).0, 0);
}

#[test]
fn answers_decide_what_is_offered_later() {
    let settings = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 60s } }\n";
    let folder = workspace(&[("docent.yaml", settings), ("rules/a.yaml", RULES)]);
    let visits = lines(&[
        batch("s", 0.0, "pageview", "/billing"),
        batch("s", 100.0, "pageview", "/import"),
        batch("s", 110.0, "error", "/import"),
        batch("s", 111.0, "error", "/import"),
    ]);
    // Dismissed is followed by ten minutes of silence.
    for (assume, expected) in [
        ("ignored", "linger 1, stuck 1"),
        ("recorded", "linger 1, stuck 1"),
        ("accepted", "linger 1, stuck 1"),
        ("dismissed", "linger 1"),
    ] {
        let (_, told) = replay(&folder, &["--assume", assume, "--linger", "60s"], &visits);
        assert_eq!(offers(&told, "head"), expected, "{assume}");
        assert_eq!(told["assume"], assume);
    }
}

#[test]
fn caps_hold_across_the_sessions_of_a_person() {
    let capped = |per: &str| {
        format!(
            "version: 1\nproducts:\n  acme:\n    frequency: [{{ id: one, per: {per}, limit: 1, window: 1d }}]\n"
        )
    };
    let visit = |session: &str, seconds: f64| batch(session, seconds, "pageview", "/billing");
    let visits = lines(&[
        known("u_1", visit("a", 0.0)),
        known("u_1", visit("b", 50.0)),
        known("u_2", visit("c", 10.0)),
        visit("d", 20.0),
    ]);
    for (per, offers_made, together) in
        [("session", 4, "person"), ("user", 3, "person"), ("product", 1, "product")]
    {
        let folder = workspace(&[("docent.yaml", &*capped(per)), ("rules/a.yaml", RULES)]);
        let (_, told) = replay(&folder, &[], &visits);
        let product = &told["products"][0];
        assert_eq!(offers(&told, "head"), format!("linger {offers_made}"), "{per}");
        assert_eq!(product["together"], together, "{per}");
        let held = &product["triggers"][0]["head"]["held_back"]["frequency:one"];
        assert_eq!(held.as_u64().is_some(), per != "session", "{per} {held}");
    }
    let folder = workspace(&[("docent.yaml", &*capped("product")), ("rules/a.yaml", RULES)]);
    let (_, told, _) = docent(folder.path(), &["replay", "-"], &visits);
    assert!(told.contains("one session at a time, in order, because a cap or quota"), "{told}");
}

#[test]
fn the_same_batch_twice_counts_once() {
    let folder = rules(RULES);
    let error = batch("s", 5.0, "error", "/import");
    let (_, told) = replay(&folder, &[], &lines(&[error.clone(), error]));
    assert_eq!(offers(&told, "head"), "");
}

#[test]
fn polls_come_as_often_and_as_long_as_is_said() {
    let folder = rules(&RULES.replace("dwell: 20s", "dwell: 61s"));
    let visit = lines(&[batch("s", 0.0, "pageview", "/billing")]);
    for (arguments, expected) in [
        (&[][..], "linger 1"),
        (&["--linger", "70s"][..], ""),
        (&["--linger", "70s", "--poll-every", "5s"][..], "linger 1"),
        (&["--linger", "10m", "--poll-every", "9m"][..], "linger 1"),
    ] {
        let (_, told) = replay(&folder, arguments, &visit);
        assert_eq!(offers(&told, "head"), expected, "{arguments:?}");
    }
    let (code, _, errors) = docent(folder.path(), &["replay", "-", "--poll-every", "20"], &visit);
    assert!(code == 2 && errors.contains("has no unit"), "{code} {errors}");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_replayed() {
    let folder = rules(RULES);
    let bad =
        ["{", "[]", "{\"type\":\"actions\",\"session_id\":\"x\"}", "7", "\"a\"", "nonsense", "{}"];
    let text = format!("{}{}\n\n", sessions(), bad.join("\n"));
    write(folder.path(), "day.jsonl", &text);
    let (code, told, errors) = docent(folder.path(), &["replay", "day.jsonl"], "");
    assert_eq!((code, &*errors), (0, ""));
    let expected = "4 sessions with 9 actions from 1 file
  day.jsonl:10: the line is not JSON: EOF while parsing an object at line 1 column 1
  day.jsonl:11: the message is not a JSON object
  day.jsonl:12: neither `forwarded_at` nor an action's time is there
  day.jsonl:13: the message is not a JSON object
  day.jsonl:14: the message is not a JSON object
  day.jsonl: 1 more that cannot be read
";
    assert!(told.starts_with(expected), "{told}");
    let csv = "event,timestamp,distinct_id,properties
$pageview,2025-10-09T08:53:20Z,u_1,\"{\"\"$session_id\"\":\"\"s\"\",\"\"$current_url\"\":\"\"https://acme.test/billing\"\"}\"
$pageview,soon,u_1,\"{\"\"$session_id\"\":\"\"s\"\"}\"
$pageview,2025-10-09T08:53:20Z,u_1,{no
";
    write(folder.path(), "export.csv", csv);
    let (code, told, _) = docent(folder.path(), &["replay", "export.csv", "day.jsonl"], "");
    assert_eq!(code, 0);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "5 sessions with 10 actions from 2 files");
    assert_eq!(lines[1], "  export.csv:3: the event has no `timestamp` that can be read");
    assert!(lines[2].starts_with("  export.csv:4: `properties` is no JSON object: "), "{told}");
}

#[test]
fn whatever_stands_in_the_way_is_said() {
    let two = "version: 1\nproducts:\n  acme: {}\n  beta: {}\n";
    let alone = rules(RULES);
    let several = workspace(&[("docent.yaml", two), ("rules/a.yaml", RULES)]);
    let broken = rules(&RULES.replace("dwell", "dwel"));
    commit(broken.path());
    write(broken.path(), "rules/a.yaml", RULES);
    let strange = json!({ "type": "actions", "product_id": "other", "session_id": "s", "forwarded_at": START });
    for (folder, arguments, input, code, said) in [
        (&alone, &["nowhere.jsonl"][..], String::new(), 1, "cannot read `nowhere.jsonl`"),
        (&alone, &["-"], String::new(), 1, "nothing to replay: no session was found"),
        (&alone, &["-"], "nonsense".to_owned(), 1, "-:1: the line is not JSON"),
        (&alone, &["-", "--from", "posthog"], "[]".to_owned(), 1, "nothing in it tells what"),
        (&alone, &["-"], "[1".to_owned(), 1, "`-` cannot be read"),
        (&alone, &["-", "--against", "HEAD"], sessions(), 1, "is in no git repository"),
        (&broken, &["-", "--against", "nowhere"], sessions(), 1, "neither a folder nor a revision"),
        (&broken, &["-", "--against", "HEAD"], sessions(), 2, "the rules of `HEAD` have mistakes"),
        (&alone, &["-", "--rules", "/nowhere"], sessions(), 1, "/nowhere"),
        (&alone, &["-", "--product", "beta"], sessions(), 1, "no product `beta`; they have `acme`"),
        (&alone, &["-"], strange.to_string(), 1, "do not know, as `other`"),
        (&several, &["-"], sessions(), 1, "they have `acme`, `beta`: say with --product"),
        (&several, &["-", "--product", "acme"], sessions(), 0, "4 sessions"),
        (&alone, &["-", "--product", "acme"], strange.to_string(), 0, "1 session"),
        (&alone, &["-", "--max-increase", "20%"], sessions(), 2, "--against"),
        (&broken, &["-", "--against", "HEAD", "--max-increase", "20"], sessions(), 2, "`20%`"),
    ] {
        let arguments = [&["replay"], arguments].concat();
        let (found, told, errors) = docent(folder.path(), &arguments, &input);
        let told = told + &errors;
        assert_eq!(found, code, "{arguments:?}\n{told}");
        assert!(told.contains(said), "{arguments:?}\n{told}");
    }
}

#[test]
fn the_page_shows_what_docent_says() {
    let page = fs::read_to_string(repository().join("docs/replay.md")).unwrap();
    let folder = shipped();
    commit(folder.path());
    let binary = Path::new(env!("CARGO_BIN_EXE_docent")).parent().unwrap().display().to_string();
    let before = format!("PATH='{binary}':\"$PATH\"\ncd '{}'\n", folder.path().display());
    let mut answers = 0;
    for block in page.split("\n```sh\n").skip(1) {
        for example in shown::examples(block.split_once("\n```").unwrap().0) {
            let commands = format!("{before}{}", example.commands);
            answers += usize::from(example.shown.is_some());
            shown::Example { commands, ..example }.run();
        }
    }
    assert!(answers >= 3, "the page shows {answers} answers");
}
