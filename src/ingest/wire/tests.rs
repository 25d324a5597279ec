//! What senders send, and what is read of it.
#![cfg(test)]

use serde_json::json;

use super::*;

fn batch(json: Value) -> (Batch, u32) {
    let decoded = decode(&json).unwrap();
    assert_eq!(decode_bytes(json.to_string().as_bytes()).unwrap(), decoded, "{json}");
    match decoded.unwrap() {
        Decoded { delivery: Delivery::Actions(batch), warnings, .. } => (batch, warnings),
        other => panic!("no batch: {other:?}"),
    }
}

fn first(action: Value) -> (RawAction, u32) {
    let (mut batch, warnings) = batch(json!({"type": "actions", "actions": [action]}));
    (batch.actions.remove(0), warnings)
}

#[test]
fn a_full_batch_is_read_without_a_warning() {
    let (batch, warnings) = batch(json!({
        "type": "actions", "product_id": "acme", "session_id": "ps_7", "user_id": "u_1",
        "email": "ann@acme.test", "conversation_id": "c_1", "count": 1, "forwarded_at": 1000.5,
        "traits": {"plan": "pro", "seats": 3, "trial": false}, "account_id": "acct_3",
        "account_traits": {"tier": "gold"}, "locale": "nb-NO", "timezone": "Europe/Oslo",
        "actions": [{
            "title": "Page Load: Invoices", "description": "Opened the invoice list",
            "canonical_url": "https://app.acme.test/invoices?page=2", "index": 4,
            "type": "pageview", "timestamp_start": 999, "timestamp_end": 999.25,
            "raw_url": "https://app.acme.test/invoices?token=x#top", "session_id": "ps_7",
            "properties": {"form": "import", "rows": 120, "ok": true, "gone": null},
        }],
    }));
    let expected = Batch {
        session_id: Some("ps_7".into()),
        user_id: Some("u_1".into()),
        email: Some("ann@acme.test".into()),
        conversation_id: Some("c_1".into()),
        actions: vec![RawAction {
            title: "Page Load: Invoices".into(),
            description: "Opened the invoice list".into(),
            canonical_url: "https://app.acme.test/invoices?page=2".into(),
            raw_url: "https://app.acme.test/invoices".into(),
            index: 4,
            kind: "pageview".into(),
            timestamp_start: 999.0,
            timestamp_end: 999.25,
            properties: json!({"form": "import", "rows": 120, "ok": true})
                .as_object()
                .unwrap()
                .clone(),
        }],
        traits: json!({"plan": "pro", "seats": 3, "trial": false}).as_object().unwrap().clone(),
        account_id: Some("acct_3".into()),
        account_traits: json!({"tier": "gold"}).as_object().unwrap().clone(),
        locale: Some("nb-NO".into()),
        timezone: Some("Europe/Oslo".into()),
        forwarded_at: 1000.5,
    };
    assert_eq!((batch, warnings), (expected, 0));
}

#[test]
fn only_the_usual_message_is_read_without_a_tree_of_values() {
    let long = "x".repeat(ID_BYTES + 1);
    for (usual, json) in [
        (true, r#"{"type":"actions"}"#),
        (
            true,
            r#" {"count":1,"actions":[{"title":"A","index":3,"raw_url":"/a?b","else":[{}]}],"type":"actions"}"#,
        ),
        (
            true,
            r#"{"type":"actions","product_id":"acme","traits":{"plan":["x"]},"segments":["a",1]}"#,
        ),
        (
            true,
            r#"{"type":"summary","session_id":"s","summary":"said","replaces":3,"forwarded_at":9}"#,
        ),
        (false, r#"{"type":"usertour_trigger"}"#),
        (false, r#"["actions"]"#),
        (false, r#"{"type":"actions","actions":[["A"]]}"#),
        (false, r#"{"type":"actions","actions":[null]}"#),
        (false, r#"{"type":"actions","user_id":7}"#),
        (false, r#"{"type":"actions","user_id":"a","user_id":"b"}"#),
        (false, r#"{"type":"actions","actions":[{"index":1.0}]}"#),
        (false, &*json!({"type": "actions", "user_id": long}).to_string()),
        (false, "{\"type\":\"actions\"} x"),
    ] {
        let read = quick::read(json.as_bytes());
        assert_eq!(read.is_some(), usual, "{json}");
        let tree = serde_json::from_str(json).ok().and_then(|json| decode(&json).ok().flatten());
        assert_eq!(decode_bytes(json.as_bytes()).ok().flatten(), tree, "{json}");
        assert!(read.is_none() || read == tree, "{json}");
    }
}

#[test]
fn the_type_alone_is_a_valid_empty_batch() {
    assert_eq!(batch(json!({"type": "actions"})), (Batch::default(), 0));
    let nulls = json!({"type": "actions", "session_id": null, "actions": null, "count": null,
        "forwarded_at": null, "traits": null});
    assert_eq!(batch(nulls), (Batch::default(), 0));
}

#[test]
fn unknown_types_deliver_nothing() {
    for json in [
        json!({}),
        json!({"type": "ACTIONS"}),
        json!({"type": "usertour_trigger"}),
        json!({"type": 1, "actions": [5]}),
    ] {
        assert!(decode(&json).unwrap().is_none(), "{json}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["[]", "null", "5", "\"actions\"", "[{\"type\":\"actions\"}]"] {
        let refused = decode_bytes(text.as_bytes());
        assert!(matches!(refused, Err(WireError::NotAnObject)), "{text}");
    }
    for bytes in [&b""[..], b"{", b"\xff{}", "[".repeat(10_000).as_bytes()] {
        assert!(matches!(decode_bytes(bytes), Err(WireError::NotJson(_))), "{bytes:?}");
    }
    let json = json!({"type": "actions", "actions": [{}, "click"]});
    assert!(matches!(decode(&json), Err(WireError::ActionNotAnObject(1))));
}

#[test]
fn empty_ids_say_nothing_but_an_empty_conversation_is_kept() {
    let ids = json!({"type": "actions", "session_id": "", "user_id": "", "email": "",
        "conversation_id": ""});
    let (batch, warnings) = batch(ids);
    let expected = Batch { conversation_id: Some(String::new()), ..Batch::default() };
    assert_eq!((batch, warnings), (expected, 0));
}

#[test]
fn ids_of_other_types_are_mended() {
    let long = "x".repeat(ID_BYTES + 1);
    for (given, expected) in [
        (json!(42), Some("42")),
        (json!(0), None),
        (json!(true), None),
        (json!(["s"]), None),
        (json!(long), None),
    ] {
        let (batch, warnings) = batch(json!({"type": "actions", "session_id": given}));
        assert_eq!((batch.session_id.as_deref(), warnings), (expected, 1), "{given}");
    }
}

#[test]
fn texts_and_times_of_other_types_are_coerced_or_defaulted() {
    for (given, expected) in [
        (json!(5), "5"),
        (json!(1.5), "1.5"),
        (json!(true), "true"),
        (json!(["a"]), ""),
        (json!({}), ""),
    ] {
        let (action, warnings) = first(json!({"title": given}));
        assert_eq!((action.title.as_str(), warnings), (expected, 1), "{given}");
    }
    for (given, expected) in [
        (json!("12.5"), 12.5),
        (json!(" 7 "), 7.0),
        (json!("soon"), 0.0),
        (json!("nan"), 0.0),
        (json!("1e999"), 0.0),
        (json!(true), 0.0),
        (json!([1]), 0.0),
    ] {
        let (action, warnings) = first(json!({"timestamp_start": given}));
        assert_eq!(action.timestamp_start.to_bits(), f64::to_bits(expected), "{given}");
        assert_eq!(warnings, 1, "{given}");
    }
    for given in [json!("3"), json!(2.5), json!(1e300), json!(null)] {
        let (action, _) = first(json!({"index": given}));
        assert_eq!(action.index, 0, "{given}");
    }
}

#[test]
fn a_count_that_disagrees_is_noted_and_actions_of_another_type_are_none() {
    let (batch_a, warnings) = batch(json!({"type": "actions", "actions": [{}], "count": 7}));
    assert_eq!((batch_a.actions.len(), warnings), (1, 1));
    let (batch_b, warnings) = batch(json!({"type": "actions", "actions": "many"}));
    assert_eq!((batch_b.actions.len(), warnings), (0, 1));
}

#[test]
fn traits_are_scalars_and_few() {
    let (batch_a, warnings) =
        batch(json!({"type": "actions", "traits": {"a": 1, "b": null, "c": [1], "d": {}}}));
    assert_eq!((Value::Object(batch_a.traits), warnings), (json!({"a": 1}), 2));
    let many: Map<_, _> = (0..100).map(|n| (format!("t{n}"), json!("x".repeat(999)))).collect();
    let (batch_b, warnings) = batch(json!({"type": "actions", "traits": many}));
    assert_eq!((batch_b.traits.len(), warnings), (TRAITS_KEPT, 36));
    let longest = batch_b.traits.values().map(|v| v.as_str().unwrap().len()).max();
    assert_eq!(longest, Some(TRAIT_CHARS));
}

#[test]
fn texts_are_cut_between_characters() {
    let long = "é".repeat(10_000);
    let (action, warnings) = first(json!({"title": long, "description": long,
        "canonical_url": long, "raw_url": long, "type": long}));
    let lengths = [&action.title, &action.description, &action.canonical_url, &action.raw_url]
        .map(|text| text.chars().count());
    assert_eq!(lengths, [TITLE_CHARS, DESCRIPTION_CHARS, URL_CHARS, URL_CHARS]);
    assert_eq!((action.kind.chars().count(), warnings), (KIND_CHARS, 0));
}

#[test]
fn a_summary_is_read_with_the_same_defaults() {
    let full = json!({"type": "summary", "session_id": "s", "summary": "Looked around.",
        "replaces": 12, "forwarded_at": 5.0});
    let expected = Summary {
        session_id: Some("s".into()),
        text: "Looked around.".into(),
        replaces: 12,
        forwarded_at: 5.0,
    };
    assert_eq!(delivery(&full).unwrap(), Some(Delivery::Summary(expected)));
    let bare = json!({"type": "summary"});
    assert_eq!(delivery(&bare).unwrap(), Some(Delivery::Summary(Summary::default())));
}
