//! PostHog's export of events, in the forms it comes in.

use serde_json::{Value, json};

use crate::common::write;
use crate::recorded::{RULES, docent, lines};
use crate::{offers, rules};

/// One event of PostHog's export.
fn event(session: &str, seconds: f64, name: &str, url: &str, more: Value) -> Value {
    let mut properties = json!({
        "$session_id": session,
        "$current_url": format!("https://app.acme.test{url}?tab=a"),
        "$pathname": url,
    });
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let whole = seconds as i64;
    let timestamp =
        format!("2025-10-09T08:{:02}:{:02}.000Z", 53 + (20 + whole) / 60, (20 + whole) % 60);
    json!({ "uuid": "0", "event": name, "distinct_id": "u_1", "timestamp": timestamp, "properties": properties })
}

/// The same events as CSV, with their properties in one column.
fn csv(events: &[Value]) -> String {
    let row = |event: &Value| {
        let cell = |name: &str| event[name].as_str().unwrap();
        let properties = quoted(&event["properties"].to_string());
        let person = quoted("{\"properties\":{\"email\":\"ann@acme.test\"}}");
        format!("0,{},{properties},{},u_1,{person}\n", cell("event"), cell("timestamp"))
    };
    let rows: String = events.iter().map(row).collect();
    format!("uuid,event,properties,timestamp,distinct_id,person\n{rows}")
}

/// The same with a column for each property.
fn columns(events: &[Value]) -> String {
    let names = ["$session_id", "$current_url", "$event_type", "$el_text"];
    let row = |event: &Value| {
        let (name, at) = (event["event"].as_str().unwrap(), event["timestamp"].as_str().unwrap());
        let property = |name: &str| quoted(event["properties"][name].as_str().unwrap_or(""));
        format!("{name},{at},u_1,{}\n", names.map(property).join(","))
    };
    let head = names.map(|name| format!("properties.{name}")).join(",");
    let rows: String = events.iter().map(row).collect();
    format!("event,timestamp,distinct_id,{head}\n{rows}")
}

/// The same as the answer to a query.
fn query(events: &[Value]) -> String {
    let names = ["event", "distinct_id", "timestamp", "properties"];
    let list = |event: &Value| names.map(|name| event[name].clone());
    json!({ "columns": names, "results": events.iter().map(list).collect::<Vec<_>>() }).to_string()
}

/// As PostHog's own export of all columns names them.
fn starred(events: &[Value]) -> String {
    let text = columns(events);
    let (head, rows) = text.split_once('\n').unwrap();
    let head: Vec<String> = head.split(',').map(|name| format!("*.{name}")).collect();
    format!("{}\n{rows}", head.join(","))
}

/// An answer with the whole event in one column.
fn whole(events: &[Value]) -> String {
    let rows: Vec<_> = events.iter().map(|event| json!([event, "x"])).collect();
    json!({ "columns": ["*", "person"], "results": rows }).to_string()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[test]
fn an_export_of_posthog_means_the_same_in_each_form() {
    let folder = rules(RULES);
    let click = json!({ "$event_type": "click", "$el_text": "Save, \"now\"" });
    let events = [
        event("a", 0.0, "$pageview", "/billing", json!({})),
        event("a", 3.0, "$autocapture", "/billing", click),
        event("a", 30.0, "$pageleave", "/billing", json!({})),
        event("b", 0.0, "$pageview", "/import", json!({})),
        event("b", 5.0, "$exception", "/import", json!({})),
        event("b", 6.0, "form_error", "/import", json!({ "form": "import" })),
        event("b", 7.0, "$feature_flag_called", "/import", json!({})),
    ];
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    for (name, text) in [
        ("a.csv", csv(&events)),
        ("columns.csv", columns(&events)),
        ("starred.csv", starred(&events)),
        ("list.json", pretty(&json!(events))),
        ("results.json", pretty(&json!({ "results": events, "next": null }))),
        ("query.json", query(&events)),
        ("whole.json", whole(&events)),
        ("lines.jsonl", lines(&events)),
    ] {
        write(folder.path(), name, &text);
        let arguments = ["replay", name, "--format", "json"];
        let (code, told, errors) = docent(folder.path(), &arguments, "");
        assert_eq!(code, 0, "{name} {errors}");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(offers(&told, "head"), "linger 1, stuck 1", "{name}");
        let (product, file) = (&told["products"][0], &told["files"][0]);
        let counts =
            [&product["sessions"], &product["actions"], &file["passed_over"], &file["unreadable"]];
        assert_eq!(counts, [2, 5, 2, 0], "{name}");
    }
}

#[test]
fn a_number_in_a_column_of_its_own_is_a_number() {
    let counts = RULES.replacen(
        "dwell: 20s",
        "count: { type: import, at_least: 1, within: 5m, where: { rows: { gt: 100 }, ok: true } }",
        1,
    );
    let folder = rules(&counts);
    let csv = "event,timestamp,distinct_id,properties.$session_id,properties.$current_url,properties.rows,properties.ok\n\
               import,2025-10-09T08:53:20.000Z,u_1,a,https://acme.test/billing,120,true\n\
               import,2025-10-09T08:53:20.000Z,u_2,b,https://acme.test/billing,99,true\n";
    write(folder.path(), "columns.csv", csv);
    let (code, told, errors) =
        docent(folder.path(), &["replay", "columns.csv", "--format", "json"], "");
    assert_eq!(code, 0, "{errors}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(offers(&told, "head"), "linger 1");
}
