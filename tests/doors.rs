//! The doors of the real server: every route takes the keys of its class, on every address.
#![cfg(test)]

mod common;

use std::process::{Command, Stdio};

use common::{Docent, EAGER, answer, workspace};
use docent::http::token::mint;
use docent::rulebook::settings::Secret;
use serde_json::Value;

const KEYED: &str = r#"
version: 1
admin: { tokens: [op_token] }
products:
  acme:
    allowed_origins: ["https://app.test"]
    keys: { publishable: [pk_acme], secret: [sk_acme], webhook: [wh_acme] }
"#;

const KEYLESS: &str = r#"
version: 1
products:
  acme:
    allowed_origins: ["https://app.test"]
"#;

const SIGNED: &str = r#"
version: 1
products:
  acme:
    keys: { session_signing: [ss_acme] }
"#;

const RETRIEVAL: &str = r#"{"knowledge_id":"s","query":"","retrieval_setting":{}}"#;
const BATCH: &str = r#"{"type":"actions","session_id":"s","actions":[{"type":"pageview"}]}"#;

/// A status per key, in the order of [`KEYS`].
const KEYS: [Option<&str>; 5] =
    [None, Some("unknown"), Some("pk_acme"), Some("sk_acme"), Some("op_token")];
const FRONT_END: [u16; 5] = [401, 401, 200, 403, 403];
const CHATBOT: [u16; 5] = [401, 401, 403, 200, 403];
const OPERATOR: [u16; 5] = [401, 401, 403, 200, 200];
const NOBODY: [u16; 5] = [401; 5];
const EVERYBODY: [u16; 5] = [200; 5];

const ROUTES: [(&str, &str, &str, [u16; 5]); 13] = [
    ("GET", "/context/acme/s", "", FRONT_END),
    ("GET", "/context/acme/s?explain=1", "", CHATBOT),
    ("POST", "/agent_state/acme/c", r#"{"event":"reset"}"#, FRONT_END),
    ("GET", "/tours/acme", "", FRONT_END),
    ("POST", "/retrieval", RETRIEVAL, CHATBOT),
    ("POST", "/p/acme/retrieval", RETRIEVAL, CHATBOT),
    ("POST", "/events/acme", BATCH, FRONT_END),
    ("POST", "/webhook/acme", BATCH, NOBODY),
    ("GET", "/metrics", "", OPERATOR),
    ("GET", "/admin/rules", "", OPERATOR),
    ("GET", "/healthz", "", EVERYBODY),
    ("GET", "/readyz", "", EVERYBODY),
    ("GET", "/openapi.json", "", EVERYBODY),
];

fn on(listen: &str, settings: &str) -> Docent {
    let files = [("docent.yaml", settings), ("rules/eager.yaml", EAGER)];
    Docent::start(&files, &["--listen", listen], &[("DOCENT_LOG", "off")])
}

async fn status(
    docent: &Docent,
    (method, path, body): (&str, &str, &str),
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let mut request = docent.request(method, path).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

#[tokio::test]
async fn every_route_takes_the_keys_of_its_class_on_every_address() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let docent = on(listen, KEYED);
        for (method, path, body, expected) in ROUTES {
            for (key, expected) in KEYS.into_iter().zip(expected) {
                let bearer = key.map(|key| format!("Bearer {key}"));
                let headers: Vec<_> =
                    bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
                let (found, answer) = status(&docent, (method, path, body), &headers).await;
                assert_eq!(found, expected, "{listen} {method} {path} {key:?}: {answer}");
                assert!(found == 200 || answer["detail"].is_string(), "{path}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn time_is_moved_by_operators_with_json_alone() {
    let files = [("docent.yaml", KEYED), ("rules/eager.yaml", EAGER)];
    let docent = Docent::timed(&files);
    let ask = ("POST", "/__clock", r#"{"advance_s": 1}"#);
    let (json, text) = (("content-type", "application/json"), ("content-type", "text/plain"));
    let operator = ("authorization", "Bearer op_token");
    assert_eq!(status(&docent, ask, &[json]).await.0, 401);
    assert_eq!(status(&docent, ask, &[json, ("authorization", "Bearer pk_acme")]).await.0, 403);
    assert_eq!(status(&docent, ask, &[text, operator]).await.0, 415);
    assert_eq!(status(&docent, ask, &[json, operator]).await.0, 200);
}

#[tokio::test]
async fn a_key_may_stand_in_the_base_url_or_be_a_password() {
    let docent = on("0.0.0.0:0", KEYED);
    let retrieval = |path| ("POST", path, RETRIEVAL);
    assert_eq!(status(&docent, retrieval("/k/sk_acme/retrieval"), &[]).await.0, 200);
    assert_eq!(status(&docent, retrieval("/k/wrong/retrieval"), &[]).await.0, 401);
    assert_eq!(status(&docent, ("GET", "/k/pk_acme/context/acme/s", ""), &[]).await.0, 200);
    assert_eq!(status(&docent, ("GET", "/context/acme/s?key=pk_acme", ""), &[]).await.0, 200);
    assert_eq!(status(&docent, retrieval("/retrieval?key=sk_acme"), &[]).await.0, 401);
    let basic = ("authorization", "Basic OnNrX2FjbWU=");
    assert_eq!(status(&docent, retrieval("/retrieval"), &[basic]).await.0, 200);
    let (_, refused) = status(&docent, retrieval("/retrieval"), &[("authorization", "sk")]).await;
    assert_eq!(refused["error_code"], 1001);
}

#[tokio::test]
async fn a_keyless_public_docent_serves_front_ends_and_nobody_else() {
    let docent = on("0.0.0.0:0", KEYLESS);
    let (listed, evil) = (("origin", "https://app.test"), ("origin", "https://evil.test"));
    let (poll, push) = (("GET", "/context/acme/s", ""), ("POST", "/events/acme", BATCH));
    for (ask, headers, expected) in [
        (poll, vec![], 200),
        (poll, vec![listed], 200),
        (poll, vec![evil], 403),
        (push, vec![], 401),
        (push, vec![listed], 200),
        (push, vec![evil], 403),
        (("POST", "/retrieval", RETRIEVAL), vec![], 401),
        (("POST", "/webhook/acme", BATCH), vec![], 401),
        (("GET", "/metrics", ""), vec![], 401),
        (("GET", "/admin/rules", ""), vec![], 401),
        (("GET", "/healthz", ""), vec![], 200),
    ] {
        let (found, answer) = status(&docent, ask, &headers).await;
        assert_eq!(found, expected, "{ask:?} {headers:?}: {answer}");
    }
    let (_, page) = status(&docent, ("GET", "/", ""), &[]).await;
    assert!(!page.to_string().contains("Last decisions"), "sessions are named to nobody");
}

#[tokio::test]
async fn on_a_keyless_loopback_another_name_is_refused() {
    let docent = on("127.0.0.1:0", KEYLESS);
    for path in ["/context/acme/s", "/admin/rules", "/metrics", "/readyz", "/"] {
        let foreign = [("host", "evil.test")];
        assert_eq!(status(&docent, ("GET", path, ""), &foreign).await.0, 403, "{path}");
        assert_eq!(status(&docent, ("GET", path, ""), &[]).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn the_first_page_names_sessions_to_this_machine_alone() {
    let docent = on("127.0.0.1:0", SIGNED);
    for (host, shown) in [("localhost", true), ("evil.test", false)] {
        let (_, page) = status(&docent, ("GET", "/", ""), &[("host", host)]).await;
        assert_eq!(page.to_string().contains("Last decisions"), shown, "{host}");
    }
}

#[tokio::test]
async fn a_signed_session_is_its_users_alone() {
    let docent = on("127.0.0.1:0", SIGNED);
    let now = docent::runtime::clock::Clock::wall().now().as_millis() / 1_000;
    let token = |user, until| mint(&Secret("ss_acme".into()), "acme", "s", user, until).unwrap();
    let (ann, bob) = (token("ann", now + 600), token("bob", now + 600));
    let (old, far) = (token("ann", now - 1), token("ann", now + 90_000));
    let browser = ("origin", "http://localhost:3000");
    let as_user = |token| ("x-docent-session", token);
    let (poll, push) = (("GET", "/context/acme/s", ""), ("POST", "/events/acme", BATCH));
    assert_eq!(status(&docent, push, &[browser]).await.0, 401);
    for bad in [&*old, &*far, "ann.1.ab"] {
        assert_eq!(status(&docent, poll, &[as_user(bad)]).await.0, 401, "{bad}");
    }
    assert_eq!(status(&docent, push, &[browser, as_user(&ann)]).await.0, 200);
    assert_eq!(status(&docent, poll, &[as_user(&ann)]).await.0, 200);
    assert_eq!(status(&docent, poll, &[as_user(&bob)]).await.0, 403, "bound to ann");
    let query = format!("/context/acme/s?st={ann}");
    assert_eq!(status(&docent, ("GET", &query, ""), &[]).await.0, 200);
}

#[test]
fn a_public_docent_that_protects_nobody_does_not_start() {
    let bare = [("docent.yaml", "version: 1\nproducts:\n  acme: {}\n")];
    let folder = workspace(&bare);
    let output = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["serve", "--listen", "0.0.0.0:0", "--workspace"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("acme") && said.contains("allowed_origins"), "{said}");
}
