//! Who may ask what: every class of route, class of key, address and origin, in tables that can be
//! read aloud, and laws over their whole product.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::borrow::Cow;

use docent::domain::action::Trust;
use docent::http::access::{Access, Ask, Denied, Grant, RouteClass, Signature, access};
use docent::http::keys::{Authorization, Credentials, KeyClass};
use docent::http::origin::Address;
use docent::rulebook::settings::{Keys, ProductSettings, Secret, Settings};

const LISTED: &str = "https://app.test";
const LOCAL: &str = "http://localhost:3000";

fn secrets(key: &str) -> Vec<Secret> {
    vec![Secret(key.into())]
}

fn product(origins: &[&str], keys: Keys) -> ProductSettings {
    let allowed_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    ProductSettings { allowed_origins, keys, ..ProductSettings::default() }
}

/// Two products, nobody with a key; one of them lists an origin.
fn keyless() -> Settings {
    let mut settings = Settings::default();
    settings.products.insert("acme".into(), product(&[LISTED], Keys::default()));
    settings.products.insert("other".into(), product(&[], Keys::default()));
    settings
}

/// The same two, with a key of every class.
fn keyed() -> Settings {
    let keys = |end: &str| Keys {
        publishable: secrets(&format!("pk_{end}")),
        secret: secrets(&format!("sk_{end}")),
        webhook: secrets(&format!("wh_{end}")),
        session_signing: secrets(&format!("ss_{end}")),
    };
    let mut settings = Settings::default();
    settings.admin.tokens = secrets("op");
    settings.products.insert("acme".into(), product(&[LISTED], keys("a")));
    settings.products.insert("other".into(), product(&[], keys("o")));
    settings
}

fn settings(name: &str) -> Settings {
    if name == "keyed" { keyed() } else { keyless() }
}

fn credentials(key: &str) -> Credentials<'_> {
    let header = match key {
        "none" => Authorization::Absent,
        "broken" => Authorization::Malformed,
        key => Authorization::Key(Cow::Borrowed(key)),
    };
    Credentials { header, base: None, query: None }
}

type Route = (RouteClass, Signature, Option<&'static str>, Option<&'static str>);

/// A route as the tables write it: its class, whether it is signed, how it names `acme`.
fn route(name: &str) -> Route {
    use RouteClass as C;
    use Signature as S;
    let acme = Some("acme");
    match name {
        "front-end" => (C::FrontEnd, S::Absent, acme, None),
        "chatbot" => (C::Chatbot, S::Absent, None, None),
        "/p/acme/chatbot" => (C::Chatbot, S::Absent, None, acme),
        "operator" => (C::Operator, S::Absent, None, None),
        "/p/acme/operator" => (C::Operator, S::Absent, None, acme),
        "events" => (C::Events, S::Absent, acme, None),
        "events+good" => (C::Events, S::Good, acme, None),
        "events+bad" => (C::Events, S::Bad, acme, None),
        "webhook" => (C::Webhook, S::Absent, acme, None),
        "webhook+good" => (C::Webhook, S::Good, acme, None),
        "webhook+bad" => (C::Webhook, S::Bad, acme, None),
        "open" => (C::Open, S::Absent, None, None),
        other => panic!("no such route: {other}"),
    }
}

fn addresses(name: &str) -> Vec<Address> {
    match name {
        "loopback" => vec![Address::Loopback],
        "public" => vec![Address::Public],
        _ => vec![Address::Loopback, Address::Public],
    }
}

fn origin(name: &str) -> Option<&str> {
    match name {
        "no-origin" => None,
        "listed" => Some(LISTED),
        "local" => Some(LOCAL),
        "evil" => Some("https://evil.test"),
        other => Some(other),
    }
}

fn status(result: &Result<Access, Denied>) -> u16 {
    result.as_ref().map_or_else(|denied| denied.status().as_u16(), |_| 200)
}

/// The head of a table, and its rows.
fn table(text: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut lines = lines.filter(|line| !line.is_empty());
    (lines.next().unwrap(), lines.collect())
}

fn ask<'a>(
    (class, signature, named, prefixed): Route,
    credentials: &'a Credentials<'a>,
    address: Address,
    origin: Option<&'a str>,
) -> Ask<'a> {
    let host = Some("localhost:8080");
    Ask { class, named, prefixed, credentials, signature, origin, host, address }
}

/// `both` stands for either address. No request here comes from a page.
const BY_KEY: &str = "
    settings address  route             none broken unknown pk_a sk_a op  wh_a ss_a pk_o sk_o
    keyed    both     front-end         401  401    401     200  403  403 403  403  403  403
    keyed    both     chatbot           401  401    401     403  200  403 403  403  403  200
    keyed    both     /p/acme/chatbot   401  401    401     403  200  403 403  403  403  403
    keyed    both     operator          401  401    401     403  403  200 403  403  403  403
    keyed    both     /p/acme/operator  401  401    401     403  200  200 403  403  403  403
    keyed    both     events            401  401    401     200  403  403 403  403  403  403
    keyed    both     events+good       200  200    200     200  200  200 200  200  200  200
    keyed    both     events+bad        401  401    401     401  401  401 401  401  401  401
    keyed    both     webhook           401  401    401     401  401  401 401  401  401  401
    keyed    both     webhook+good      200  200    200     200  200  200 200  200  200  200
    keyed    both     webhook+bad       401  401    401     401  401  401 401  401  401  401
    keyed    both     open              200  200    200     200  200  200 200  200  200  200
    keyless  loopback front-end         200  200    200     200  200  200 200  200  200  200
    keyless  loopback chatbot           422  422    422     422  422  422 422  422  422  422
    keyless  loopback /p/acme/chatbot   200  200    200     200  200  200 200  200  200  200
    keyless  loopback operator          200  200    200     200  200  200 200  200  200  200
    keyless  loopback events            200  200    200     200  200  200 200  200  200  200
    keyless  loopback events+bad        200  200    200     200  200  200 200  200  200  200
    keyless  loopback webhook           200  200    200     200  200  200 200  200  200  200
    keyless  loopback webhook+bad       200  200    200     200  200  200 200  200  200  200
    keyless  loopback open              200  200    200     200  200  200 200  200  200  200
    keyless  public   front-end         200  200    200     200  200  200 200  200  200  200
    keyless  public   chatbot           401  401    401     401  401  401 401  401  401  401
    keyless  public   /p/acme/chatbot   401  401    401     401  401  401 401  401  401  401
    keyless  public   operator          401  401    401     401  401  401 401  401  401  401
    keyless  public   /p/acme/operator  401  401    401     401  401  401 401  401  401  401
    keyless  public   events            401  401    401     401  401  401 401  401  401  401
    keyless  public   events+bad        401  401    401     401  401  401 401  401  401  401
    keyless  public   webhook           401  401    401     401  401  401 401  401  401  401
    keyless  public   open              200  200    200     200  200  200 200  200  200  200
";

#[test]
fn a_key_opens_the_routes_of_its_class_and_product_and_no_others() {
    let (head, rows) = table(BY_KEY);
    for row in rows {
        let settings = settings(row[0]);
        for place in addresses(row[1]) {
            for (key, expected) in head.iter().zip(&row).skip(3) {
                let credentials = credentials(key);
                let asked = ask(route(row[2]), &credentials, place, None);
                let found = status(&access(&settings, &asked)).to_string();
                assert_eq!(found, **expected, "{} {place:?} {} {key}", row[0], row[2]);
            }
        }
    }
}

/// With the key in the fourth column.
const BY_ORIGIN: &str = "
    settings address  route            key  no-origin listed evil local null
    keyed    loopback front-end        pk_a 200       200    403  200   403
    keyed    public   front-end        pk_a 200       200    403  403   403
    keyed    both     /p/acme/chatbot  sk_a 200       200    200  200   200
    keyed    both     operator         op   200       200    200  200   200
    keyed    loopback events           none 401       200    403  200   403
    keyed    public   events           none 401       200    403  403   403
    keyed    loopback events           pk_a 200       200    403  200   403
    keyed    public   events           pk_a 200       200    403  403   403
    keyed    both     events           junk 401       401    401  401   401
    keyed    both     events+good      none 200       200    200  200   200
    keyed    both     events+bad       pk_a 401       401    401  401   401
    keyed    both     webhook          none 401       401    401  401   401
    keyed    both     open             none 200       200    200  200   200
    keyless  loopback front-end        none 200       200    403  200   403
    keyless  loopback /p/acme/chatbot  none 200       200    403  200   403
    keyless  loopback operator         none 200       403    403  200   403
    keyless  loopback events           none 200       200    403  200   403
    keyless  loopback events           junk 200       200    403  200   403
    keyless  loopback webhook          none 200       200    403  200   403
    keyless  public   front-end        none 200       200    403  403   403
    keyless  public   /p/acme/chatbot  none 401       401    401  401   401
    keyless  public   operator         none 401       401    401  401   401
    keyless  public   events           none 401       200    403  403   403
    keyless  public   webhook          none 401       401    401  401   401
";

#[test]
fn a_page_may_ask_where_its_origin_is_listed_or_local() {
    let (head, rows) = table(BY_ORIGIN);
    for row in rows {
        let settings = settings(row[0]);
        for place in addresses(row[1]) {
            for (page, expected) in head.iter().zip(&row).skip(4) {
                let credentials = credentials(row[3]);
                let asked = ask(route(row[2]), &credentials, place, origin(page));
                let found = status(&access(&settings, &asked)).to_string();
                assert_eq!(found, **expected, "{} {place:?} {} {} {page}", row[0], row[2], row[3]);
            }
        }
    }
}

#[test]
fn without_keys_a_loopback_answers_to_its_own_names_alone() {
    let routes = ["front-end", "/p/acme/chatbot", "operator", "events", "webhook", "open"];
    for name in routes {
        for (host, expected) in [
            (Some("localhost:8080"), 200),
            (Some("127.0.0.1:8080"), 200),
            (Some("[::1]:8080"), 200),
            (Some("evil.test:8080"), 403),
            (Some("localhost.evil.test"), 403),
            (None, 403),
        ] {
            let nothing = credentials("none");
            let asked = Ask { host, ..ask(route(name), &nothing, Address::Loopback, None) };
            assert_eq!(status(&access(&keyless(), &asked)), expected, "{name} {host:?}");
        }
    }
    let proxied =
        [("front-end", "pk_a"), ("chatbot", "sk_a"), ("operator", "op"), ("open", "none")];
    for (name, key) in proxied {
        let (key, host) = (credentials(key), Some("docent.test"));
        let asked = Ask { host, ..ask(route(name), &key, Address::Loopback, None) };
        assert_eq!(status(&access(&keyed(), &asked)), 200, "{name} with its key, behind a proxy");
    }
}

#[test]
fn a_product_without_origins_and_keys_is_closed_to_the_public() {
    let nothing = credentials("none");
    let front = (RouteClass::FrontEnd, Signature::Absent, Some("other"), None);
    let denied = access(&keyless(), &ask(front, &nothing, Address::Public, None));
    assert_eq!(denied, Err(Denied::NoKey));
}

#[test]
fn a_key_in_the_base_url_counts_and_one_in_the_query_only_for_browsers() {
    let base = |key: &'static str| Credentials { base: Some(key), ..Credentials::default() };
    let query =
        |key: &'static str| Credentials { query: Some(key.into()), ..Credentials::default() };
    for (credentials, name, expected) in [
        (base("pk_a"), "front-end", 200),
        (base("sk_a"), "chatbot", 200),
        (base("op"), "operator", 200),
        (base("sk_a"), "front-end", 403),
        (query("pk_a"), "front-end", 200),
        (query("pk_a"), "events", 200),
        (query("sk_a"), "/p/acme/chatbot", 401),
        (query("op"), "operator", 403),
        (query("sk_a"), "front-end", 403),
    ] {
        let asked = ask(route(name), &credentials, Address::Public, None);
        assert_eq!(status(&access(&keyed(), &asked)), expected, "{name}");
    }
}

#[test]
fn a_fitting_key_counts_wherever_else_another_stands() {
    let credentials = Credentials {
        header: Authorization::Key("from-a-proxy".into()),
        base: None,
        query: Some("pk_a".into()),
    };
    let asked = ask(route("front-end"), &credentials, Address::Public, None);
    assert_eq!(status(&access(&keyed(), &asked)), 200);
}

#[test]
fn the_product_comes_from_the_key_the_prefix_or_there_being_one() {
    let named = |settings: &Settings, key: &str, prefixed: Option<&'static str>| {
        let key = credentials(key);
        let chatbot = (RouteClass::Chatbot, Signature::Absent, None, prefixed);
        access(settings, &ask(chatbot, &key, Address::Loopback, None))
            .map(|access| access.product.unwrap().to_string())
    };
    assert_eq!(named(&keyed(), "sk_o", None), Ok("other".into()));
    assert_eq!(named(&keyed(), "sk_o", Some("other")), Ok("other".into()));
    assert_eq!(named(&keyed(), "sk_o", Some("acme")), Err(Denied::WrongProduct));
    assert_eq!(named(&keyless(), "none", Some("other")), Ok("other".into()));
    assert_eq!(named(&keyless(), "none", None), Err(Denied::NoProduct));
    assert_eq!(named(&keyless(), "none", Some("nobody")), Err(Denied::UnknownProduct));
    let mut one = keyless();
    one.products.remove("other");
    assert_eq!(named(&one, "none", None), Ok("acme".into()));
    let nothing = credentials("none");
    let torn = (RouteClass::FrontEnd, Signature::Absent, Some("acme"), Some("other"));
    let denied = access(&keyed(), &ask(torn, &nothing, Address::Loopback, None));
    assert_eq!(denied, Err(Denied::TwoProducts));
}

/// Calls `law` with everything that can be asked.
fn everything(law: impl Fn(&str, &Settings, &Ask<'_>, &Result<Access, Denied>)) {
    let keys = table(BY_KEY).0.split_off(3);
    let routes = [
        "front-end",
        "chatbot",
        "/p/acme/chatbot",
        "operator",
        "/p/acme/operator",
        "events",
        "events+good",
        "events+bad",
        "webhook",
        "webhook+good",
        "webhook+bad",
        "open",
    ];
    let origins = [None, Some(LISTED), Some(LOCAL), Some("https://evil.test"), Some("null")];
    for settings in [keyed(), keyless()] {
        for (key, path) in keys.iter().flat_map(|key| routes.map(|path| (key, path))) {
            let credentials = credentials(key);
            for (place, page) in addresses("both").iter().flat_map(|at| origins.map(|o| (*at, o))) {
                for host in [Some("localhost"), Some("evil.test"), None] {
                    let asked = Ask { host, ..ask(route(path), &credentials, place, page) };
                    law(key, &settings, &asked, &access(&settings, &asked));
                }
            }
        }
    }
}

#[test]
fn to_the_public_chatbots_and_operators_routes_open_by_key_alone() {
    everything(|_, _, asked, result| {
        let closed = matches!(asked.class, RouteClass::Chatbot | RouteClass::Operator);
        if let (true, Address::Public, Ok(access)) = (closed, asked.address, result) {
            let by_key = matches!(access.grant, Grant::Key(KeyClass::Secret | KeyClass::Admin));
            assert!(by_key, "{asked:?} {access:?}");
        }
    });
}

#[test]
fn activity_is_trusted_when_signed_or_when_nobody_but_this_machine_could_send_it() {
    everything(|_, settings, asked, result| {
        let brings = matches!(asked.class, RouteClass::Events | RouteClass::Webhook);
        let Ok(Access { trust: Trust::Trusted, .. }) = result else { return };
        let unsigned = settings.products["acme"].keys.webhook.is_empty();
        let alone = asked.address == Address::Loopback && unsigned;
        assert!(!brings || alone || asked.signature == Signature::Good, "{asked:?}");
    });
}

#[test]
fn a_page_that_is_not_allowed_gets_nothing_of_a_browsers() {
    everything(|_, _, asked, result| {
        let evil = matches!(asked.origin, Some("https://evil.test" | "null"));
        let unsigned = asked.signature == Signature::Absent;
        let browsers = matches!(asked.class, RouteClass::FrontEnd | RouteClass::Events);
        assert!(!(evil && unsigned && browsers && result.is_ok()), "{asked:?}");
    });
}

#[test]
fn a_key_that_is_somebody_elses_opens_nothing_of_a_keyed_product() {
    everything(|key, settings, asked, result| {
        let foreign = matches!(key, "pk_o" | "ss_a" | "wh_a") && *settings == keyed();
        let granted = result.as_ref().map(|access| access.grant);
        let opened = matches!(granted, Ok(Grant::Key(_) | Grant::Keyless | Grant::Origin));
        assert!(!(foreign && opened), "{key} {asked:?}");
    });
}
