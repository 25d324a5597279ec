//! What happens through one instance is known to the others at once: on one server, through its
//! restart, and on a cluster.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "what a server does when it fails is another test's, too")]
#[path = "redis/server.rs"]
mod server;

use std::sync::Arc;

use docent::domain::announcement::{Announcement, Cause, News};
use docent::domain::time::Timestamp;
use docent::store::Store;
use docent::store::announce::{Following, Heard};
use serde_json::json;

use common::{Docent, EAGER};
use server::{Cluster, Server, Watched, until};

const AT: Timestamp = Timestamp::from_millis(1_760_000_000_000);

fn announcement(number: u64) -> Announcement {
    let news = News::Session { id: "ps_1".into(), seq: number, by: Cause::Batch };
    Announcement { at: AT, product: "acme".into(), news }
}

/// The next that is no gap; whether there was one before.
async fn next(following: &mut Following) -> (bool, Arc<Announcement>) {
    let mut gap = false;
    loop {
        let heard = tokio::time::timeout(std::time::Duration::from_secs(20), following.next());
        match heard.await.expect("nothing was heard").unwrap() {
            Heard::Gap => gap = true,
            Heard::Elsewhere(announcement) => return (gap, announcement),
            Heard::Here(announcement) => panic!("{announcement:?} was made elsewhere"),
        }
    }
}

/// Follows from a moment on at which the others can be heard.
async fn following(store: &Store) -> Following {
    let mut following = store.follow();
    assert_eq!(following.next().await, Some(Heard::Gap), "the way to the others is there");
    following
}

#[tokio::test]
async fn one_process_hears_itself() {
    let store = Store::open("memory", &Default::default()).unwrap();
    let mut following = store.follow();
    store.announce(|| announcement(1));
    assert_eq!(following.next().await, Some(Heard::Here(announcement(1).into())));
    // A follower that is too slow is told so.
    (0..5_000).for_each(|number| store.announce(|| announcement(number)));
    assert_eq!(following.next().await, Some(Heard::Gap));
    drop(following);
    store.announce(|| panic!("nobody hears"));
}

/// Each is heard once and in order, however many.
async fn heard_in_order(url: &str) {
    let (one, two) = (server::open(url).await, server::open(url).await);
    let mut hears = following(&two).await;
    for number in 0..3_000 {
        one.announce(|| announcement(number));
    }
    for number in 0..3_000 {
        assert_eq!(next(&mut hears).await, (false, announcement(number).into()));
    }
    two.announce(|| announcement(0));
    assert_eq!(hears.next().await, Some(Heard::Here(announcement(0).into())));
    one.announce(|| announcement(9));
    assert_eq!(next(&mut hears).await.1, announcement(9).into(), "one's own comes once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn others_are_heard_on_one_server_on_a_cluster_and_behind_sentinels() {
    let server = Server::start(&[]);
    heard_in_order(&server.url()).await;
    let kept: u64 = server.ask(&["XLEN", "docent:announcements"]);
    assert!(kept <= 10_100, "{kept}");
    let stays: i64 = server.ask(&["TTL", "docent:announcements"]);
    assert!((1..=600).contains(&stays), "{stays}");
    heard_in_order(&Cluster::start().url()).await;
    heard_in_order(&Watched::start().url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn what_nobody_can_hear_any_more_is_a_gap() {
    let mut server = Server::start(&[]);
    let (one, two) = (server::open(&server.url()).await, server::open(&server.url()).await);
    let mut hears = following(&two).await;
    one.announce(|| announcement(1));
    assert_eq!(next(&mut hears).await, (false, announcement(1).into()));
    // Trimmed before anybody has read it: numbers two and three are missing.
    let add = |number: &str, seq: &str| -> String {
        let entry = ["from", "somebody", "number", number, "at", "1760000000000", "product"];
        let rest = ["acme", "kind", "batch", "session", "ps_1", "seq", seq];
        server.ask(&[&["XADD", "docent:announcements", "*"], &entry[..], &rest[..]].concat())
    };
    add("1", "5");
    add("1", "5");
    add("4", "6");
    assert_eq!(next(&mut hears).await, (false, announcement(5).into()));
    assert_eq!(next(&mut hears).await, (true, announcement(6).into()), "told twice, heard once");
    // Redis comes back with nothing in it.
    server.kill();
    until("the end to be noticed", async || one.trouble().is_some() && two.trouble().is_some())
        .await;
    one.announce(|| announcement(7));
    server.resume();
    assert_eq!(next(&mut hears).await, (true, announcement(7).into()));
}

const RULES: [(&str, &str); 1] = [("rules/eager.yaml", EAGER)];

fn two(store: &str) -> [Docent; 2] {
    let settings = format!(
        "version: 1\nstore: {store}\nlimits: {{ per_session: 1000/s, per_client: 10000/s }}\n\
         products:\n  acme: {{}}\n"
    );
    [(); 2].map(|()| Docent::serve(&[("docent.yaml", &settings), RULES[0]]))
}

/// Waits until the start page has, or has no more, these words.
async fn shows(docent: &Docent, words: &str, shown: bool) {
    until(words, async || docent.get("/").await.1.to_string().contains(words) == shown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_start_page_tells_what_happened_through_any_instance() {
    let mut server = Server::start(&["--appendonly", "yes"]);
    let [one, other] = two(&server.url());
    // Until the two hear each other, what is announced is not for them.
    until("the other to hear", async || {
        one.visit("ps_first", &["/a"]).await;
        other.get("/").await.1.to_string().contains("ps_first")
    })
    .await;
    one.visit("ps_taken", &["/a"]).await;
    shows(&other, "ps_taken<td class=\\\"held\\\">activity (through another instance)", true).await;
    assert_eq!(one.verdict("ps_taken").await, "eager");
    shows(&other, "ps_taken<td class=\\\"fired\\\">eager", true).await;
    one.event("ps_taken", "proactive_dismissed").await;
    shows(&other, "proactive_dismissed (through another instance)", true).await;
    let erased = other.request("DELETE", "/admin/sessions/acme/ps_first").send().await.unwrap();
    assert_eq!(erased.status(), 200);
    one.visit("ps_after", &["/a"]).await;
    shows(&other, "ps_after", true).await;
    let gone = one.request("DELETE", "/admin/sessions/acme/ps_taken").send().await.unwrap();
    assert_eq!(gone.status(), 200);
    shows(&other, "ps_taken", false).await;
    server.kill();
    for docent in [&one, &other] {
        docent.until("/readyz", |status, _| status == 503).await;
    }
    server.resume();
    for docent in [&one, &other] {
        docent.until("/readyz", |status, _| status == 200).await;
    }
    until("the other to hear again", async || {
        one.visit("ps_again", &["/a"]).await;
        other.get("/").await.1.to_string().contains("ps_again")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_pause_is_heard_of_by_others() {
    let server = Server::start(&[]);
    let [one, other] = two(&server.url());
    other.visit("s", &["/a"]).await;
    for enabled in [false, true] {
        let body = json!({ "enabled": enabled });
        let put = one.request("PUT", "/admin/products/acme/proactive").json(&body).send();
        assert_eq!(put.await.unwrap().status(), 200);
        until("the other to know", async || (other.verdict("s").await == "not_enabled") != enabled)
            .await;
    }
}

/// One whose disk is broken serves what the others keep, also what they keep later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn an_instance_with_a_broken_disk_keeps_up_with_the_others() {
    let server = Server::start(&[]);
    let [one, mut other] = two(&server.url());
    other.visit("s", &["/a"]).await;
    other.stop();
    other.write("rules/eager.yaml", "triggers: [");
    let other = other.again_at_rest(&["--listen", "127.0.0.1:0"]);
    let stale = |body: &serde_json::Value| !body["stale"].is_null();
    other.until("/admin/status", |_, body| stale(body)).await;
    one.write("rules/eager.yaml", &EAGER.replace("id: eager", "id: keen"));
    let digest = async |docent: &Docent| docent.get("/admin/status").await.1;
    until("the other to serve the same", async || {
        let (mine, theirs) = (digest(&one).await, digest(&other).await);
        mine["revision"] == 2 && mine["digest"] == theirs["digest"] && stale(&theirs)
    })
    .await;
    other.visit("t", &["/a"]).await;
    assert_eq!(other.verdict("t").await, "keen");
    let ready = other.get("/readyz").await.1.to_string();
    assert!(ready.contains("refused") && ready.contains("broken at start"), "{ready}");
    other.write("rules/eager.yaml", EAGER);
    other.until("/readyz", |_, ready| *ready == json!({ "status": "ok" })).await;
}
