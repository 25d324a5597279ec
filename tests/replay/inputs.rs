//! What stands in recordings by mistake, and what a replay does without.

use std::fs;

use serde_json::{Value, json};

use crate::common::{workspace, write};
use crate::recorded::{RULES, START, batch, docent, lines, sessions};
use crate::{offers, rules};

const SECRETS: &str = "version: 1
store: redis://:${DOCENT_TEST_UNSET}@redis:6379
admin: { tokens: [\"${DOCENT_TEST_UNSET}\"] }
products:
  acme:
    keys: { secret: [\"${DOCENT_TEST_UNSET}\"] }
    sources: [{ sse: { url: \"${DOCENT_TEST_UNSET}\" } }]
";

#[test]
fn a_replay_does_without_the_secrets_of_production() {
    let folder = workspace(&[("docent.yaml", SECRETS), ("rules/a.yaml", RULES)]);
    let run = |arguments: &[&str]| docent(folder.path(), arguments, &sessions());
    let (code, told, errors) = run(&["replay", "-", "--format", "json"]);
    assert_eq!(code, 0, "{told}{errors}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(offers(&told, "head"), "linger 2, stuck 1");
    let (code, told, _) = run(&["check"]);
    assert!(code == 2 && told.contains("`DOCENT_TEST_UNSET` is not set"), "{told}");
    let decides = format!("{SECRETS}    timezone: ${{DOCENT_TEST_UNSET}}\n");
    write(folder.path(), "docent.yaml", &decides);
    let (code, told, _) = run(&["replay", "-"]);
    assert!(code == 2 && told.contains("`DOCENT_TEST_UNSET` is not set"), "{told}");
    assert!(told.contains("1 error, "), "there alone: {told}");
}

#[test]
fn a_message_that_cannot_be_replayed_is_told_what_it_lacks() {
    let folder = rules(RULES);
    let changed = |name: &str, value: Value| {
        let mut batch = batch("s", 0.0, "pageview", "/billing");
        batch[name] = value;
        batch
    };
    let millis = |name: &str| {
        let mut batch = batch("s", 0.0, "pageview", "/billing");
        batch["actions"][0][name] = json!(START * 1_000.0);
        batch
    };
    let dated = |text: &str| json!({ "type": "actions", "session_id": "s", "forwarded_at": text, "actions": [] });
    let mut written = dated("");
    written["forwarded_at"] = Value::Null;
    written["actions"] = json!([{ "type": "click", "timestamp_end": "today" }]);
    for (message, why) in [
        (
            changed("forwarded_at", json!(START * 1_000.0)),
            "`forwarded_at` is in milliseconds; times are seconds since 1970",
        ),
        (
            millis("timestamp_start"),
            "`actions[0].timestamp_start` is in milliseconds; times are seconds since 1970",
        ),
        (
            millis("timestamp_end"),
            "`actions[0].timestamp_end` is in milliseconds; times are seconds since 1970",
        ),
        (
            dated("2026-11-21T10:00:00Z"),
            "`forwarded_at` is the text `2026-11-21T10:00:00Z`; times are seconds since 1970",
        ),
        (written, "`actions[0].timestamp_end` is the text `today`; times are seconds since 1970"),
        (changed("session_id", Value::Null), "the message has no `session_id`"),
        (changed("session_id", json!([])), "`session_id` is no id: write a text of 1 to 512 bytes"),
        (changed("session_id", "".into()), "`session_id` is no id: write a text of 1 to 512 bytes"),
    ] {
        let (code, _, errors) = docent(folder.path(), &["replay", "-"], &lines(&[message]));
        let expected = format!("error: nothing to replay: no session was found\n  -:1: {why}\n");
        assert_eq!((code, errors), (1, expected));
    }
}

#[test]
fn what_is_passed_over_is_said() {
    let folder = rules(RULES);
    let event = |name: &str, session: &str| {
        let properties =
            json!({ "$session_id": session, "$current_url": "https://acme.test/billing" });
        json!({ "event": name, "timestamp": START, "distinct_id": "u", "properties": properties })
    };
    let events = [event("$pageview", "s"), event("$pageview", ""), event("$pageleave", "s")];
    write(folder.path(), "export.jsonl", &lines(&events));
    let (code, told, _) = docent(folder.path(), &["replay", "export.jsonl"], "");
    let expected = "1 session with 1 action from 1 file
  export.jsonl: 1 event without a session (`$session_id`) passed over
  export.jsonl: 1 passed over for telling nothing that a person did
";
    assert!(code == 0 && told.starts_with(expected), "{told}");
    let (code, _, errors) = docent(folder.path(), &["replay", "-"], &lines(&events[1..2]));
    let expected = "  -: 1 event without a session (`$session_id`) passed over\n";
    assert!(code == 1 && errors.ends_with(expected), "{errors}");
}

#[test]
fn a_file_of_another_kind_is_told_what_is_wanted() {
    let folder = rules(RULES);
    let row = "$pageview,2025-10-09T08:53:20Z,u_1,\"{}\"\n";
    let semicolons = format!("event;timestamp;properties\n{}", row.replace(',', ";"));
    for (name, text, said) in [
        ("a.csv", semicolons.clone(), "no column `event`; wanted are `event`, `timestamp`"),
        ("a.txt", semicolons, "with commas between them"),
        ("b.csv", format!("Event,Timestamp,distinct_id,properties\n{row}"), "no column `event`"),
        (
            "c.csv",
            format!("event,Timestamp,distinct_id,properties\n{row}"),
            "no column `timestamp`",
        ),
        (
            "d.csv",
            format!("event,timestamp,distinct_id,Properties\n{row}"),
            "no column `properties`",
        ),
    ] {
        write(folder.path(), name, &text);
        let (code, _, errors) = docent(folder.path(), &["replay", name], "");
        assert!(code == 1 && errors.contains(said), "{name} {errors}");
    }
    fs::write(folder.path().join("day.jsonl.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    let (code, _, errors) = docent(folder.path(), &["replay", "day.jsonl.gz"], "");
    assert!(code == 1 && errors.contains("`zcat day.jsonl.gz | docent replay -`"), "{errors}");
    write(folder.path(), "data/journal/a-1-1.jsonl", "");
    for arguments in [&["replay", "data"][..], &["replay", "data", "--verify"]] {
        let (code, _, errors) = docent(folder.path(), arguments, "");
        assert!(code == 1 && errors.contains("did you mean `data/journal`?"), "{errors}");
    }
    let (code, _, errors) = docent(folder.path(), &["replay", "a.csv", "--verify"], "");
    assert!(code == 1 && errors.contains("there is no journal in `a.csv`"), "{errors}");
}

#[test]
fn a_file_that_is_named_twice_counts_once() {
    let folder = rules(RULES);
    write(folder.path(), "day.jsonl", &sessions());
    let twice = ["replay", "day.jsonl", "./day.jsonl"];
    let (code, told, _) = docent(folder.path(), &twice, "");
    assert!(code == 0 && told.starts_with("4 sessions with 9 actions from 1 file\n"), "{told}");
}

#[test]
fn a_table_without_rows_is_left_out() {
    let folder = rules(RULES);
    let visit = lines(&[batch("s", 0.0, "pageview", "/home")]);
    let (_, told, _) = docent(folder.path(), &["replay", "-"], &visit);
    assert!(told.ends_with("\nrules  .: 0 offers, 0.0 per 1,000 sessions\n"), "{told}");
}
