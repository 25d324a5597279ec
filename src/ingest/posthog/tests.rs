//! The whole of a destination's body, in and out.
use serde_json::json;

use super::*;
use crate::domain::action::RawAction;

fn intake(body: &Value) -> Intake {
    read(body.to_string().as_bytes()).unwrap()
}

/// An event of session `s` on `/projects/42`, with these members besides.
fn event(members: Value) -> Value {
    let mut event = json!({
        "event": "$autocapture", "referrer": null, "email": "", "timestamp": "2026-03-01T12:30:05Z",
        "element_id": null, "event_type": "click", "session_id": "s",
        "current_url": "https://app.test/projects/42?tab=a", "distinct_id": "u",
        "elements_chain": "", "input_field_name": null, "link_destination": null,
        "button_or_link_text": null,
    });
    event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    event
}

fn action(members: Value) -> RawAction {
    let mut intake = intake(&event(members));
    intake.batches.remove(0).actions.remove(0)
}

#[test]
fn the_thirteen_members_become_one_action() {
    let body = include_bytes!("../../../tests/data/ingest/posthog_click.json");
    let expected = Batch {
        session_id: Some("0190b8a2-7c1e-7abc-8def-0123456789ab".into()),
        user_id: Some("u_17".into()),
        email: Some("ann@acme.test".into()),
        actions: vec![RawAction {
            title: "Clicked \"Add project\"".into(),
            description: "Clicked \"Add project\", a link to /projects/new on /projects/:id".into(),
            canonical_url: "https://app.acme.test/projects/:id".into(),
            raw_url: "https://app.acme.test/projects/42".into(),
            index: 0,
            kind: "click".into(),
            timestamp_start: 1_772_368_205.25,
            timestamp_end: 1_772_368_205.25,
            properties: serde_json::Map::new(),
        }],
        forwarded_at: 1_772_368_205.25,
        ..Batch::default()
    };
    assert_eq!(read(body).unwrap(), Intake { batches: vec![expected], ..Intake::default() });
}

/// Members, then the action's type, its title, and its description up to ` on /projects/:id`.
fn check(table: &[(Value, &str, &str, &str)]) {
    for (members, kind, title, description) in table {
        let action = action(members.clone());
        let told = action.description.strip_suffix(" on /projects/:id");
        let told = told.unwrap_or(&action.description);
        let found = (action.kind.as_str(), action.title.as_str(), told);
        assert_eq!(found, (*kind, *title, *description), "{members}");
    }
}

#[test]
fn page_views_tell_the_page_and_where_somebody_came_from() {
    let page = "Page view: /projects/:id";
    let view = |members: Value| {
        let mut view = json!({"event": "$pageview"});
        view.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        view
    };
    let from_home = json!({"referrer": "https://app.test/", "current_url": "https://app.test"});
    check(&[
        (view(json!({})), "pageview", page, "Opened /projects/:id"),
        (
            view(json!({"referrer": "https://search.test/?q=x"})),
            "pageview",
            page,
            "Opened /projects/:id, coming from search.test",
        ),
        (view(json!({"referrer": "$direct"})), "pageview", page, "Opened /projects/:id"),
        (view(from_home), "pageview", "Page view: /", "Opened /"),
        (
            view(json!({"current_url": null})),
            "pageview",
            "Page view: an unknown page",
            "Opened an unknown page",
        ),
    ]);
}

#[test]
fn clicks_tell_what_was_clicked() {
    let docs = json!({"button_or_link_text": "Docs",
        "link_destination": "https://docs.test/start/?v=2"});
    let mail = json!({"elements_chain": "a:nth-child=\"1\"",
        "link_destination": "mailto:ann@acme.test"});
    let link = json!({"elements_chain": "a:attr__href=\"https://app.test/p/7?x\"text=\"Go\""});
    let typed = json!({"elements_chain": "textarea", "button_or_link_text": "my secret"});
    let labelled = json!({"elements_chain": "svg;button:attr__aria-label=\"Close\""});
    let by_id = json!({"elements_chain": "button:attr__id=\"add\""});
    let named = json!({"button_or_link_text": "  Add\n project "});
    let touch = json!({"event_type": "touch", "elements_chain": "img"});
    check(&[
        (named, "click", "Clicked \"Add project\"", "Clicked \"Add project\""),
        (labelled, "click", "Clicked \"Close\"", "Clicked \"Close\""),
        (docs, "click", "Clicked \"Docs\"", "Clicked \"Docs\", a link to docs.test/start"),
        (link, "click", "Clicked \"Go\"", "Clicked \"Go\", a link to /p/:id"),
        (mail, "click", "Clicked a link", "Clicked a link"),
        (json!({"element_id": "add"}), "click", "Clicked \"add\"", "Clicked \"add\""),
        (by_id, "click", "Clicked \"add\"", "Clicked \"add\""),
        (typed, "click", "Clicked a field", "Clicked a field"),
        (touch, "click", "Clicked an image", "Clicked an image"),
        (json!({"event_type": null}), "click", "Clicked something", "Clicked something"),
    ]);
}

#[test]
fn forms_and_fields_are_told_by_their_labels_never_by_their_contents() {
    let submit = json!({"event_type": "submit", "button_or_link_text": "Create project"});
    let form = json!({"event_type": "submit", "elements_chain": "form:text=\"a b c\""});
    let field = json!({"event_type": "change", "input_field_name": "Project name"});
    let typed = json!({"event_type": "change", "elements_chain": "textarea:text=\"my secret\"",
        "button_or_link_text": "my secret"});
    let list = json!({"event_type": "change", "elements_chain": "select:attr__name=\"plan\""});
    let tick = json!({"event_type": "change", "elements_chain": "input:attr__type=\"checkbox\""});
    let created = "Submitted the form \"Create project\"";
    check(&[
        (submit, "submit", created, created),
        (form, "submit", "Submitted the form", "Submitted the form"),
        (field, "input", "Filled in \"Project name\"", "Filled in \"Project name\""),
        (typed, "input", "Filled in a field", "Filled in a field"),
        (list, "select", "Chose from \"plan\"", "Chose from \"plan\""),
        (tick, "change", "Changed an option", "Changed an option"),
    ]);
}

#[test]
fn trouble_and_the_products_own_events_are_told() {
    let rage = json!({"event": "$rageclick", "button_or_link_text": "Save"});
    let raged = "Clicked \"Save\" again and again";
    let dead = json!({"event": "$dead_click", "elements_chain": "button"});
    let nothing = "Clicked a button and nothing happened";
    check(&[
        (rage, "rage_click", raged, raged),
        (dead, "dead_click", nothing, nothing),
        (json!({"event": "$exception"}), "exception", "Ran into an error", "Ran into an error"),
        (json!({"event": "$copy_autocapture"}), "copy", "Copied some text", "Copied some text"),
        (
            json!({"event": "form_error"}),
            "form_error",
            "form_error",
            "The app reported \"form_error\"",
        ),
    ]);
}

#[test]
fn the_documented_destination_sends_the_members_that_are_read() {
    let page = include_str!("../../../docs/posthog.md");
    let blocks: Vec<&str> = page.split("```json\n").skip(1).collect();
    let [template] = blocks.as_slice() else { panic!("one template expected") };
    let template: Value = serde_json::from_str(template.split("```").next().unwrap()).unwrap();
    let members = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&template), members(&event(json!({}))));
    let example = page.split("-d '").nth(1).and_then(|rest| rest.split("'\n").next()).unwrap();
    let told = intake(&serde_json::from_str(example).unwrap());
    let action = &told.batches[0].actions[0];
    assert!(page.contains(&format!("`{}`", action.description)), "{}", action.description);
    assert!(page.contains(&format!("`{}`", action.canonical_url)), "{}", action.canonical_url);
}

#[test]
fn long_names_are_cut() {
    let action = action(json!({"button_or_link_text": "é ".repeat(200)}));
    assert_eq!(action.title, format!("Clicked \"{}\u{2026}\"", "é ".repeat(40).trim_end()));
    let own = intake(&event(json!({"event": "x".repeat(5_000)})));
    let own = &own.batches[0].actions[0];
    assert_eq!((own.kind.len(), own.title.len()), (64, 512));
}

#[test]
fn what_nobody_did_is_dropped_and_counted() {
    for name in ["$pageleave", "$feature_flag_called", "$web_vitals", "$$heatmap", "$anything_new"]
    {
        let intake = intake(&event(json!({"event": name})));
        let dropped = Dropped { low_signal: 1, ..Dropped::default() };
        assert_eq!(intake, Intake { batches: vec![], dropped }, "{name}");
    }
    let hover = intake(&event(json!({"event_type": "mouseover"})));
    assert_eq!(hover.dropped.low_signal, 1);
}

#[test]
fn an_identity_alone_makes_a_batch_without_actions() {
    for name in ["$identify", "$set", "$set_once", "$create_alias", "$groupidentify"] {
        let intake = intake(&event(json!({"event": name, "email": "ann@acme.test"})));
        let batch = &intake.batches[0];
        assert_eq!(batch.email.as_deref(), Some("ann@acme.test"), "{name}");
        assert_eq!((batch.user_id.as_deref(), batch.actions.len()), (Some("u"), 0), "{name}");
    }
}

#[test]
fn events_are_grouped_by_session_in_their_order() {
    let body = json!([
        event(json!({"session_id": "b", "button_or_link_text": "one"})),
        event(json!({"session_id": "a", "email": "no address", "distinct_id": 17})),
        event(json!({"session_id": null})),
        event(json!({"session_id": "x".repeat(513)})),
        5,
        {},
        event(json!({"event": {"event": "$pageview"}})),
        event(json!({"session_id": "b", "button_or_link_text": "two",
            "timestamp": 1_772_368_300_000_u64})),
    ]);
    let intake = intake(&body);
    assert_eq!(intake.dropped, Dropped { low_signal: 0, no_session: 2, garbage: 3 });
    let [a, b] = intake.batches.as_slice() else { panic!("{:?}", intake.batches) };
    assert_eq!((a.session_id.as_deref(), a.user_id.as_deref()), (Some("a"), Some("17")));
    assert_eq!(a.email, None);
    let told: Vec<_> = b.actions.iter().map(|a| (a.index, a.title.as_str())).collect();
    assert_eq!(told, [(0, "Clicked \"one\""), (1, "Clicked \"two\"")]);
    assert_eq!(b.forwarded_at.to_bits(), 1_772_368_300.0_f64.to_bits());
}

#[test]
fn a_missing_time_is_left_to_the_receipt() {
    for time in [json!(null), json!("soon"), json!({})] {
        let intake = intake(&event(json!({"timestamp": time})));
        let batch = &intake.batches[0];
        assert_eq!(batch.forwarded_at.to_bits(), 0.0_f64.to_bits());
        assert_eq!(batch.actions[0].timestamp_start.to_bits(), 0.0_f64.to_bits());
    }
}

#[test]
fn bodies_that_hold_no_events_are_refused() {
    for body in ["5", "null", "\"$pageview\""] {
        assert!(matches!(read(body.as_bytes()), Err(PosthogError::NoEvents)), "{body}");
    }
    for body in [&b""[..], b"{", b"\xff"] {
        assert!(matches!(read(body), Err(PosthogError::NotJson(_))), "{body:?}");
    }
    assert_eq!(read(b"[]").unwrap(), Intake::default());
}

proptest::proptest! {
    #[test]
    fn no_text_in_any_member_can_stop_it(text in ".{0,60}", name in "[$a-z]{0,12}") {
        for event_name in [name.as_str(), "$autocapture", "$pageview"] {
            let members = ["referrer", "element_id", "event_type", "current_url", "elements_chain",
                "input_field_name", "link_destination", "button_or_link_text", "timestamp"];
            let mut body = event(json!({"event": event_name}));
            for member in members {
                body[member] = json!(text);
                intake(&body);
            }
        }
    }
}

#[test]
fn an_events_own_properties_are_its_actions() {
    let properties = json!({
        "$current_url": "https://app.acme.test/import", "$lib": "web", "form": "import",
        "rows": 120, "list": [1], "contact": "ann@acme.test", "token": null,
    });
    let members = json!({ "event": "form_error", "properties": properties });
    let expected = json!({ "form": "import", "rows": 120 });
    assert_eq!(action(members).properties, *expected.as_object().unwrap());
    assert!(action(json!({ "event": "form_error", "properties": null })).properties.is_empty());
}
