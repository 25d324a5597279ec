//! docent's own journal, as several instances and a crash leave it.

use std::fs;

use serde_json::{Value, json};

use crate::common::write;
use crate::recorded::{RULES, START, docent};
use crate::{offers, rules};

/// A line of the session `s`, so many seconds after the start.
fn line(seconds: f64, (seq, left): (u64, u64), name: &str, told: Value) -> Value {
    let at = ((START + seconds) * 1_000.0) as i64;
    let mut line = json!({ "v": 1, "at": at, "p": "acme", "s": "s", "q": seq, "l": left, "d": "0123456789abcdef" });
    line[name] = told;
    line
}

/// Somebody opens a page, or fails there.
fn act(seconds: f64, steps: (u64, u64), kind: &str, page: &str) -> Value {
    line(seconds, steps, "batch", json!({ "acts": [{ "k": kind, "u": page }] }))
}

/// A poll that came to nothing.
fn silent(seconds: f64, seq: u64) -> Value {
    let came = json!({ "verdict": "no_trigger" });
    line(seconds, (seq, seq), "decision", json!({ "around": {}, "came": came }))
}

/// A poll that made an offer.
fn made(seconds: f64, seq: u64) -> Value {
    let at = ((START + seconds) * 1_000.0) as i64;
    let offer = json!({
        "id": "of_1", "trigger": "linger", "body": "Need a hand?", "labels": ["Yes please", "No thanks"],
        "conversation": "proactive:s", "made_at": at, "expires_at": at + 60_000, "cooldown": 30_000,
        "metadata": {},
    });
    let came = json!({ "verdict": "fire", "rule": "linger", "offer": offer });
    line(seconds, (seq, seq + 1), "decision", json!({ "made": true, "around": {}, "came": came }))
}

/// The person says "No thanks".
fn dismissed(seconds: f64, seq: u64) -> Value {
    let came = json!({ "from": "proactive_assistance", "to": "conservative_assistance" });
    let told =
        json!({ "conv": "proactive:s", "is": { "event": "proactive_dismissed" }, "came": came });
    line(seconds, (seq, seq + 1), "event", told)
}

/// They wait on the billing page until they are offered help, decline it, and fail to import.
fn life() -> Vec<Value> {
    vec![
        line(0.0, (0, 0), "state", json!({})),
        act(0.0, (0, 1), "pageview", "/billing"),
        silent(7.0, 1),
        made(27.0, 1),
        dismissed(31.0, 2),
        silent(47.0, 3),
        act(400.0, (3, 4), "pageview", "/import"),
        act(401.0, (4, 5), "error", "/import"),
        act(402.0, (5, 6), "error", "/import"),
        silent(410.0, 6),
    ]
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Replays a journal; the code, and what was said.
fn replay(rules_text: &str, files: &[(&str, Vec<u8>)], arguments: &[&str]) -> (i32, Value) {
    let folder = rules(rules_text);
    for (name, bytes) in files {
        let path = folder.path().join("journal").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let arguments = [&["replay", "journal", "--format", "json"], arguments].concat();
    let (code, told, errors) = docent(folder.path(), &arguments, "");
    let told = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}{errors}"));
    (code, told)
}

#[test]
fn a_journal_is_lived_through_with_its_polls_and_its_answers() {
    let files = [("a-1-1.jsonl", text(&life()).into_bytes())];
    let slower = RULES.replace("dwell: 20s", "dwell: 45s");
    let faster = RULES.replace("dwell: 20s", "dwell: 2s");
    // Polls were at 7, 27, 47 and 410 seconds. A "No thanks" four seconds after the offer keeps everything
    // away for ten minutes; ignored, it does not.
    for (text, arguments, expected) in [
        (RULES, &[][..], "linger 1"),
        (&slower, &[], "linger 1"),
        (&faster, &[], "linger 1"),
        (RULES, &["--assume", "ignored"], "linger 1, stuck 1"),
        (&*RULES.replace("dwell: 20s", "dwell: 10m"), &[], "stuck 1"),
    ] {
        let (code, told) = replay(text, &files, arguments);
        assert_eq!((code, &*offers(&told, "head")), (0, expected), "{text} {arguments:?}");
        assert_eq!(told["products"][0]["sessions_with_recorded_polls"], 1);
    }
}

#[test]
fn journals_of_several_instances_are_merged_and_may_be_compressed() {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for (place, line) in life().into_iter().enumerate() {
        if place % 2 == 0 { one.push(line) } else { other.push(line) }
    }
    one.reverse();
    let packed = zstd::stream::encode_all(text(&one).as_bytes(), 0).unwrap();
    let mut torn = text(&other);
    torn.push_str(r#"{"v":1,"at":176"#);
    let files = [("b-1-1.jsonl.zst", packed), ("a-1-1.jsonl", torn.into_bytes())];
    let (code, told) = replay(RULES, &files, &[]);
    assert_eq!((code, &*offers(&told, "head")), (0, "linger 1"));
    assert_eq!(told["products"][0]["sessions"], 1);
    assert_eq!(told["files"][0]["unreadable"], 1, "what a crash tore off");
}

#[test]
fn a_session_whose_beginning_is_gone_goes_on_from_its_state() {
    let machine = json!({ "state": "conservative_assistance", "since": 0, "until": 9_000_000_000_000_i64, "dismissals": 3 });
    let mut lines = life();
    lines.drain(..6);
    let state = json!({ "seq": 3, "machine": machine });
    lines.insert(0, line(399.0, (3, 3), "state", state));
    let files = |lines: &[Value]| [("a-1-1.jsonl", text(lines).into_bytes())];
    let (_, told) = replay(RULES, &files(&lines), &[]);
    assert_eq!(offers(&told, "head"), "");
    let (_, told) = replay(RULES, &files(&lines[1..]), &[]);
    assert_eq!(offers(&told, "head"), "stuck 1");
}

#[test]
fn what_was_known_of_a_person_before_the_journal_began_holds_in_it() {
    let rules = RULES.replace("    offer:", "    again_after: 7d\n    offer:");
    let known = |mut line: Value, user: Value| {
        line["decision"]["around"] = json!({ "user": user });
        line
    };
    let hour_ago = ((START - 3_600.0) * 1_000.0) as i64;
    let memory = json!({ "seq": 3, "triggers": { "linger": { "fired": hour_ago } } });
    let mut lines = life();
    lines[1]["batch"]["user"] = "u_1".into();
    for (place, user, expected) in [
        (2, json!({ "seq": 1 }), "linger 1"),
        (2, memory.clone(), "linger 0, stuck 1"),
        // Of two, the first counts; what comes after an offer of the journal's own tells of that, too.
        (5, memory.clone(), "linger 1"),
    ] {
        let mut lines = lines.clone();
        lines[place] = known(lines[place].clone(), user);
        let (_, told) = replay(&rules, &[("a-1-1.jsonl", text(&lines).into_bytes())], &[]);
        assert_eq!(offers(&told, "head"), expected, "{place}");
    }
}

#[test]
fn a_session_that_was_removed_begins_with_nothing() {
    let mut lines = life();
    lines.truncate(4);
    lines.push(line(300.0, (2, 0), "erase", json!({})));
    let again = life().into_iter().map(|mut line| {
        line["at"] = (line["at"].as_i64().unwrap() + 310_000).into();
        line
    });
    lines.extend(again.take(4));
    let (_, told) = replay(RULES, &[("a-1-1.jsonl", text(&lines).into_bytes())], &[]);
    assert_eq!(offers(&told, "head"), "linger 2");
}

#[test]
fn what_is_missing_is_said() {
    let folder = rules(RULES);
    let gap = json!({ "v": 1, "at": 5, "d": "", "gap": { "lines": 1_200 } });
    let mut lines = life();
    lines.push(gap);
    write(folder.path(), "journal/a-1-1.jsonl", &text(&lines));
    fs::create_dir(folder.path().join("empty")).unwrap();
    let (code, told, _) = docent(folder.path(), &["replay", "journal"], "");
    assert!(code == 0 && told.contains("1,200 lines could not be written in time"), "{told}");
    assert!(!told.contains("polls:"), "all of them are recorded: {told}");
    let (code, _, errors) = docent(folder.path(), &["replay", "empty"], "");
    assert!(code == 1 && errors.contains("holds no journal"), "{errors}");
}
