//! Differential test against inputs and outputs recorded from the published SDK 0.13.0.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use docent::domain::action::Action;
use docent::domain::session::Session;
use docent::domain::text::cap_body;
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::builtin::dwell::UserPageDwell;
use docent::rulebook::builtin::judge::JudgeReply;
use docent::rulebook::builtin::ping_pong::{PingPong, cycles_between, hesitates};
use docent::rulebook::builtin::quick_reply::matching_label;
use docent::rulebook::builtin::section::{Metrics, SectionPlaybook};
use docent::rulebook::builtin::{Builtin, Hit, window};
use docent::rulebook::condition::View;
use docent::rulebook::settings::Windows;
use serde_json::{Map, Value, json};

const WIDE: Windows = Windows { lookback: Span::from_seconds(120), max_actions: 50 };

fn vectors(key: &str, expected: usize) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("data/sdk-0.13.0.json")).unwrap();
    let vectors = file[key].as_array().unwrap().clone();
    assert_eq!(vectors.len(), expected, "{key}");
    vectors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An action in a batch forwarded at `forwarded`.
fn action(url: &str, started: f64, ended: f64, forwarded: f64) -> Action {
    Action {
        at: Timestamp::from_seconds(forwarded).unwrap(),
        kind: "pageview".into(),
        title: "".into(),
        url: url.into(),
        page: "".into(),
        started,
        ended,
        forwarded,
        properties: None,
    }
}

fn recorded_actions(vector: &Value, forwarded: f64) -> Vec<Action> {
    let actions = vector["actions"].as_array().unwrap();
    let times = |action: &Value, key: &str| action[key].as_f64().unwrap();
    let read = |a: &Value| {
        let (start, end) = (times(a, "timestamp_start"), times(a, "timestamp_end"));
        action(text(&a["canonical_url"]), start, end, forwarded)
    };
    actions.iter().map(read).collect()
}

/// Through the product's own path: a session, its windows, the detector.
fn detect(builtin: &Builtin, actions: Vec<Action>, now: f64) -> Option<Hit> {
    let session = Session { actions: actions.into(), ..Session::default() };
    let now = Timestamp::from_seconds(now).unwrap();
    builtin.detect(&View { session: &session, user: None, account: None, now }, &WIDE)
}

/// A recorded result without what the SDK stamps on every result alike.
fn recorded(result: &Value) -> Option<Value> {
    let mut result = result.as_object()?.clone();
    for (key, stamp) in [("interaction_timeout_s", json!(10.0)), ("cooldown_s", json!(30.0))] {
        assert_eq!(result.remove(key), Some(stamp));
    }
    result.remove("trigger_id");
    Some(Value::Object(result))
}

fn found(hit: Option<Hit>) -> Option<Value> {
    hit.map(|Hit { body, labels, metadata }| {
        json!({ "body": body, "reply_option_labels": labels, "metadata": metadata })
    })
}

#[test]
fn ping_pong_is_the_sdks() {
    for vector in vectors("ping_pong", 350) {
        let urls: Vec<_> = vector["urls"].as_array().unwrap().iter().map(text).collect();
        let number = |key: &str| vector[key].as_i64().unwrap();
        let cycles = number("min_cycles");
        assert_eq!(cycles_between(&urls, cycles, ""), vector["strict"], "{vector}");
        assert_eq!(
            cycles_between(&urls, cycles, "/projects"),
            vector["either_leg_projects"],
            "{vector}"
        );
        let hesitation = hesitates(&urls, number("min_distinct"), number("min_repeats"));
        assert_eq!(hesitation, vector["hesitation"], "{vector}");
        let scoped = PingPong { url_must_contain: "/projects".into(), ..PingPong::default() };
        for (builtin, key) in
            [(PingPong::default(), "trigger_default"), (scoped, "trigger_scoped_projects")]
        {
            let actions = urls.iter().map(|url| action(url, 0.0, 0.0, 1000.0)).collect();
            let hit = found(detect(&Builtin::PingPong(builtin), actions, 1000.0));
            assert_eq!(hit, recorded(&vector[key]), "{vector}");
        }
    }
}

#[test]
fn user_page_dwell_is_the_sdks() {
    for vector in vectors("user_page_dwell", 250) {
        let extra = vector["extra"].as_object().unwrap();
        let now = extra["eval_now"].as_f64().unwrap();
        let builtin = Builtin::UserPageDwell(UserPageDwell::from_params(extra));
        let hit = detect(&builtin, recorded_actions(&vector, now), now);
        assert_eq!(found(hit), recorded(&vector["result"]), "{vector}");
    }
}

/// The recorded parameters under the names a rule gives them.
fn playbook(vector: &Value) -> SectionPlaybook {
    let extra = &vector["extra"];
    let mut params = Map::new();
    for (name, value) in [
        ("section_url_rules", &vector["rules"]),
        ("section_url_fallback_id", &vector["fallback_id"]),
        ("section_playbook", &extra["section_playbook"]),
        ("current_section_id", &extra["current_section_id"]),
    ] {
        params.insert(name.to_owned(), value.clone());
    }
    SectionPlaybook::from_params(&params)
}

fn as_the_sdk_writes(metrics: &Metrics) -> Value {
    let sections = metrics.sections.iter().map(|(id, stats)| {
        let stats = json!({
            "visit_count": stats.visits.len(),
            "dwell_seconds_per_visit": stats.visits,
            "first_visited_at": on_the_first_day(stats.first),
            "last_visited_at": on_the_first_day(stats.last),
        });
        (id.clone(), stats)
    });
    let sections: Map<_, _> = sections.collect();
    json!({ "runtime": { "current_section_id": metrics.current }, "sections": sections })
}

fn on_the_first_day(seconds: f64) -> String {
    let seconds = seconds.floor() as u32;
    assert!(seconds < 86_400);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("1970-01-01T{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}

#[test]
fn section_playbook_is_the_sdks() {
    for vector in vectors("section_playbook", 200) {
        let playbook = playbook(&vector);
        let actions = recorded_actions(&vector, 1000.0);
        let seen: Vec<_> = actions.iter().collect();
        let metrics = playbook.metrics(&seen);
        let written = as_the_sdk_writes(&metrics);
        assert_eq!(written, vector["product_section_playbook"], "{vector}");
        assert_eq!(written, vector["extra"]["product_section_playbook"], "{vector}");
        assert_eq!(playbook.section(&metrics), vector["resolved"].as_str(), "{vector}");
        let hit = detect(&Builtin::SectionPlaybook(playbook), actions, 1000.0);
        assert_eq!(found(hit), recorded(&vector["result"]), "{vector}");
    }
}

#[test]
fn the_context_window_is_the_sdks() {
    for vector in vectors("context_window", 150) {
        let mut actions = Vec::new();
        for (number, batch) in vector["payloads"].as_array().unwrap().iter().enumerate() {
            let forwarded = batch["forwarded_at"].as_f64().unwrap();
            for index in 0..batch["n"].as_u64().unwrap() {
                actions.push(action(&format!("/{number}-{index}"), 0.0, 0.0, forwarded));
            }
        }
        let now = vector["now"].as_f64().unwrap();
        let most = vector["max_actions"].as_u64().map(|most| usize::try_from(most).unwrap());
        let seen = window(&actions, now, vector["lookback_seconds"].as_f64(), most);
        let urls: Vec<&str> = seen.iter().map(|action| &*action.url).collect();
        assert_eq!(json!(urls), vector["urls"], "{vector}");
    }
}

#[test]
fn a_judges_reply_is_read_as_the_sdk_reads_it() {
    for vector in vectors("judge", 21) {
        let reply = JudgeReply::parse(text(&vector["raw"]));
        let parsed = json!({
            "schema_version": reply.schema_version,
            "send": reply.send,
            "proactive_valid_timing": reply.proactive_valid_timing,
            "short_user_message": reply.short_user_message,
            "reasoning": reply.reasoning,
            "proactive_intent": reply.proactive_intent,
        });
        assert_eq!(parsed, vector["parsed"], "{vector}");
        assert_eq!(reply.delivery().is_some(), vector["deliver"], "{vector}");
    }
}

#[test]
fn bodies_are_capped_as_the_sdk_caps_them() {
    for vector in vectors("truncate", 11) {
        assert_eq!(cap_body(text(&vector["text"])), vector["out"], "{vector}");
    }
}

#[test]
fn quick_replies_match_as_in_the_sdk() {
    for vector in vectors("quick_reply", 12) {
        let labels: Vec<_> = vector["labels"].as_array().unwrap().iter().map(text).collect();
        let index = matching_label(text(&vector["msg"]), &labels);
        assert_eq!(index.map(|index| index as u64), vector["index"].as_u64(), "{vector}");
    }
}
