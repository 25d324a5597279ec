//! One person's data: shown as a whole, removed as a whole, and what outlives that.
#![cfg(test)]

mod common;

use std::process::{Command, Stdio};

use common::{Docent, EAGER, PLAIN};
use docent::domain::records::{EmailIndex, User};
use docent::domain::session::{Identity, Session};
use docent::rulebook::settings::Limits;
use docent::runtime::clock::Clock;
use docent::store::record::Record;
use docent::store::{Key, Step, Store};
use serde_json::{Value, json};

const WEEKLY: &str = r#"
version: 1
triggers:
  - id: weekly
    when: [{ count: { type: pageview, at_least: 1, within: 30m } }]
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks" }
    again_after: 7d
"#;
const TIMED: &[&str] = &["--virtual-clock", "--listen", "127.0.0.1:0"];
const KEYED: &str = "version: 1
admin: { tokens: [op_token] }
products:
  acme: { keys: { secret: sk_acme, publishable: pk_acme } }
  other: { rules: other/, keys: { secret: sk_other } }
";

fn weekly() -> Docent {
    Docent::timed(&[("docent.yaml", PLAIN), ("rules/weekly.yaml", WEEKLY)])
}

async fn arrive(docent: &Docent, session: &str, user: Option<&str>, email: Option<&str>) -> String {
    let batch = json!({ "type": "actions", "session_id": session, "user_id": user, "email": email,
        "traits": { "plan": "pro" },
        "actions": [{ "type": "pageview", "description": "Opened", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    docent.verdict(session).await
}

async fn export(docent: &Docent, whom: &str) -> (u16, Value) {
    docent.get(&format!("/admin/{whom}/export")).await
}

async fn erase(docent: &Docent, whom: &str) -> (u16, Value) {
    common::answer(docent.request("DELETE", &format!("/admin/{whom}"))).await
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

/// Ada in two sessions, a chat thread and under an address; Grace; somebody.
async fn people(docent: &Docent) {
    arrive(docent, "grace", Some("u_grace"), Some("grace@b.example")).await;
    arrive(docent, "nobody", None, None).await;
    let batch = json!({ "type": "actions", "session_id": "one", "user_id": "u_ada",
        "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
    assert_eq!(docent.post("/events/acme", batch).await.0, 200);
    let polled = docent.get("/context/acme/one?conversation_id=chat").await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "weekly", "{polled}");
    arrive(docent, "two", Some("u_ada"), Some("ada@b.example")).await;
}

#[tokio::test]
async fn all_of_a_person_is_shown_and_nothing_of_others() {
    let docent = weekly();
    people(&docent).await;
    for whom in ["users/acme/u_ada", "emails/acme/ada%40b.example", "sessions/acme/two"] {
        let (status, all) = export(&docent, whom).await;
        assert_eq!((status, ids(&all["users"])), (200, vec!["u_ada"]), "{whom} {all}");
        assert_eq!(ids(&all["sessions"]), ["one", "two"], "{whom}");
        assert_eq!(ids(&all["conversations"]), ["chat"], "{whom}");
        assert_eq!(ids(&all["emails"]), ["ada@b.example"], "{whom}");
        assert_eq!(all["users"][0]["record"]["traits"]["plan"], "pro", "{whom}");
        assert_eq!(all["sessions"][1]["state"]["identity"]["email"], "ada@b.example");
        let text = all["sessions"][1]["context"]["chunks"][0]["text"].as_str().unwrap();
        assert!(text.contains("Opened"), "{text}");
        assert!(!all.to_string().contains("grace"), "{all}");
    }
    let (_, all) = export(&docent, "sessions/acme/nobody").await;
    assert_eq!((ids(&all["sessions"]), ids(&all["users"])), (vec!["nobody"], vec![]));
    let (status, told) = export(&docent, "users/acme/u_nobody").await;
    assert_eq!((status, &told["detail"]), (404, &json!("nothing is known of this person")));
}

#[tokio::test]
async fn an_address_is_one_name_whatever_its_case() {
    let docent = weekly();
    arrive(&docent, "one", None, Some(" Cs1@Example.com")).await;
    arrive(&docent, "two", None, Some("cs1@example.COM")).await;
    for spelt in ["cs1@example.com", "CS1@example.com"] {
        let (status, all) = export(&docent, &format!("emails/acme/{spelt}")).await;
        assert_eq!((status, ids(&all["sessions"])), (200, vec!["one", "two"]), "{spelt} {all}");
        assert_eq!([ids(&all["users"]), ids(&all["emails"])], [["cs1@example.com"]; 2], "{spelt}");
        let ask = json!({ "knowledge_id": spelt, "query": "", "retrieval_setting": {} });
        assert_eq!(docent.post("/retrieval", ask).await.1["records"][0]["score"], 1.0, "{spelt}");
        let path = format!("/users/acme/{spelt}/traits");
        let told = common::answer(docent.request("PUT", &path).json(&json!({ "seats": 3 }))).await;
        assert_eq!(told.1["user_id"], spelt, "as asked");
        assert_eq!(told.1["traits"], json!({ "plan": "pro", "seats": 3 }), "{spelt}");
    }
    let (status, told) = erase(&docent, "emails/acme/CS1%40example.com").await;
    assert_eq!((status, &told["sessions"]), (200, &json!(2)), "{told}");
    assert_eq!(export(&docent, "emails/acme/cs1%40example.com").await.0, 404);
}

/// An earlier version kept addresses as they were sent.
#[tokio::test]
async fn what_was_kept_of_an_address_as_it_was_sent_is_found_all_the_same() {
    async fn put<R: Record + Clone>(store: &Store, id: &str, record: R) {
        let step = |slot: &mut Option<R>| {
            *slot = Some(record.clone());
            Step::Write(())
        };
        store.update(Key { product: "acme", id }, Clock::wall().now(), step).await.unwrap();
    }
    let folder = common::workspace(&[("docent.yaml", PLAIN), ("rules/weekly.yaml", WEEKLY)]);
    let data = format!("embedded:{}", folder.path().join("data").display());
    let (store, sent) = (Store::open(&data, &Limits::default()).unwrap(), "Cs1@Example.com");
    let identity = Identity { email: Some(sent.into()), vouched: true, ..Identity::default() };
    put(&store, "old", Session { seq: 1, identity, ..Session::default() }).await;
    put(&store, sent, User { seq: 1, ..User::default() }).await;
    put(&store, sent, EmailIndex { session: Some("old".into()), as_of: 1.0 }).await;
    store.close().await.unwrap();
    drop(store);
    let docent = Docent::start_in(folder, &["--listen", "127.0.0.1:0"], &[]);
    let (status, all) = export(&docent, "emails/acme/cs1@example.com").await;
    assert_eq!((status, ids(&all["sessions"])), (200, vec!["old"]), "{all}");
    assert_eq!([ids(&all["users"]), ids(&all["emails"])], [[sent]; 2]);
    let (status, told) = erase(&docent, "emails/acme/CS1@example.com").await;
    let removed = ["sessions", "users", "emails"].map(|kind| told[kind].clone());
    assert_eq!((status, removed), (200, [json!(1), json!(1), json!(1)]), "{told}");
    assert_eq!(export(&docent, "emails/acme/cs1@example.com").await.0, 404);
}

#[tokio::test]
async fn all_of_a_person_goes_and_they_may_start_afresh() {
    for whom in ["users/acme/u_ada", "emails/acme/ada%40b.example", "sessions/acme/one"] {
        let docent = weekly();
        people(&docent).await;
        assert_eq!(arrive(&docent, "three", Some("u_ada"), None).await, "trigger_cooldown");
        let (status, told) = erase(&docent, whom).await;
        assert_eq!(
            (status, &told["sessions"], &told["users"]),
            (200, &json!(3), &json!(1)),
            "{told}"
        );
        assert_eq!((&told["conversations"], &told["opted_out"]), (&json!(1), &json!(false)));
        // An address is found through its session's person: the first session never said it.
        assert_eq!(told["emails"], 1, "{whom}");
        let docent = docent.again(TIMED);
        assert_eq!(docent.verdict("two").await, "no_trigger", "what was done is gone");
        for whom in [whom, "users/acme/u_ada"] {
            assert_eq!(export(&docent, whom).await.0, 404, "{whom}");
            assert_eq!(erase(&docent, whom).await.0, 404, "{whom}");
        }
        assert_eq!(arrive(&docent, "four", Some("u_ada"), None).await, "weekly", "{whom}");
        let (_, grace) = export(&docent, "users/acme/u_grace").await;
        assert_eq!(
            (ids(&grace["sessions"]), ids(&grace["users"])),
            (vec!["grace"], vec!["u_grace"])
        );
        assert_eq!(ids(&grace["emails"]), ["grace@b.example"]);
    }
}

#[tokio::test]
async fn no_offers_please_outlives_erasure_restarts_and_every_time_to_live() {
    let settings = format!("{PLAIN}limits: {{ session_ttl: 60s, ledger_ttl: 60s }}\n");
    let docent = Docent::timed(&[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)]);
    for user in ["ada", "eve"] {
        arrive(&docent, user, Some(user), None).await;
        docent.event(user, "proactive_opted_out").await;
    }
    let (_, told) = erase(&docent, "users/acme/ada").await;
    assert_eq!(told["opted_out"], true, "{told}");
    let (_, left) = export(&docent, "users/acme/ada").await;
    assert_eq!(ids(&left["kept"]), ["ada"], "what is kept is shown: {left}");
    assert_eq!(erase(&docent, "users/acme/ada").await.0, 404, "nothing is left to remove");
    assert_eq!(arrive(&docent, "at once", Some("ada"), None).await, "consent:denied");
    docent.advance(400.0 * 86_400.0).await;
    let now = docent.post("/__clock", json!({ "advance_s": 0 })).await.1["now"].clone();
    let docent = docent.again(TIMED);
    docent.post("/__clock", json!({ "now": now })).await;
    for user in ["ada", "eve"] {
        let session = format!("{user} later");
        assert_eq!(arrive(&docent, &session, Some(user), None).await, "consent:denied", "{user}");
    }
    assert_eq!(arrive(&docent, "grace", Some("grace"), None).await, "eager", "somebody else");
    docent.event("ada later", "proactive_opted_in").await;
    assert_eq!(docent.verdict("ada later").await, "eager", "they may change their mind");
}

#[tokio::test]
async fn operators_alone_see_and_erase() {
    let docent = Docent::timed(&[("docent.yaml", KEYED), ("rules/weekly.yaml", WEEKLY)]);
    for (path, key, status) in [
        ("users/acme/u", "op_token", 404),
        ("emails/acme/u", "sk_acme", 404),
        ("users/acme/u", "pk_acme", 403),
        ("sessions/acme/u", "sk_other", 403),
        ("users/acme/u", "wrong", 401),
        ("users/nobody/u", "op_token", 404),
        ("users/acme/%20", "op_token", 422),
    ] {
        for (method, last) in [("GET", "/export"), ("DELETE", "")] {
            let path = format!("/admin/{path}{last}");
            let request = docent.request(method, &path).bearer_auth(key);
            assert_eq!(common::answer(request).await.0, status, "{method} {path} {key}");
        }
    }
    let interface = docent.get("/openapi.json").await.1;
    for kind in [
        "users/{product_id}/{user_id}",
        "emails/{product_id}/{email}",
        "sessions/{product_id}/{session_id}",
    ] {
        let path = format!("/admin/{kind}");
        assert!(interface["paths"][&path]["delete"].is_object(), "{path}");
        assert!(interface["paths"][format!("{path}/export")]["get"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn the_command_shows_and_erases() {
    let docent = weekly();
    people(&docent).await;
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_docent"))
            .arg("user")
            .args(arguments)
            .args(["--url", &docent.base])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = run(&["export", "--email", "ada@b.example"]);
    let all: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, ids(&all["sessions"])), (Some(0), vec!["one", "two"]));
    let told =
        "erased ada@b.example, u_ada: users 1, sessions 2, contexts 2, conversations 1, emails 1\n";
    // How much the journal had of them by then is another test's.
    let erased = |whom: &[&str]| {
        let (code, said) = run(&[&["erase"], whom].concat());
        let said = said.split_once(", journal lines").map_or(&*said, |(told, _)| told);
        (code, said.trim_end().to_owned() + "\n")
    };
    assert_eq!(erased(&["u_ada"]), (Some(0), told.to_owned()));
    let told =
        "erased somebody unknown: users 0, sessions 1, contexts 1, conversations 0, emails 0\n";
    assert_eq!(erased(&["--session", "nobody"]), (Some(0), told.to_owned()));
    let (code, said) = run(&["erase", "u_nobody"]);
    assert!(code == Some(1) && said.contains("nothing is known of this person"), "{said}");
    let (code, said) = run(&["erase", "u_ada"]);
    assert!(code == Some(1) && said.contains("nothing is known of this person"), "again: {said}");
    let (code, said) = run(&["export", "--email", "ada@b.example"]);
    assert!(code == Some(1) && said.contains("nothing is known of this person"), "{said}");
    for wish in ["export", "erase"] {
        let (code, said) = run(&[wish]);
        let named = ["--email", "--session"].iter().all(|option| said.contains(option));
        assert!(code == Some(2) && named, "somebody must be named: {said}");
    }
}
