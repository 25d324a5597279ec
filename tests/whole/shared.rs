//! The same on a Redis: a crash between two records, and what replicas do not have yet.

use serde_json::json;

use crate::common::{Docent, workspace};
use crate::server::{Server, until};
use crate::{RULES, SETTINGS, arrive, assert_rich, person, report, rich, view};

/// A docent on this store.
fn docent(store: &str, more: &str) -> Docent {
    let settings = SETTINGS.replace("embedded:./data", store).replace("limits:", more);
    let files = [("docent.yaml", settings.as_str()), ("rules/eager.yaml", RULES)];
    Docent::start_in(workspace(&files), &["--listen", "127.0.0.1:0"], &[])
}

/// What is remembered of these people can be neither read nor written, while their sessions can.
fn lock(redis: &Server, names: &[&str]) {
    for name in names {
        let name = format!("docent:{{acme/{name}}}:user");
        let _any: i64 = redis.ask(&["DEL", &name]);
        let _made: i64 = redis.ask(&["RPUSH", &name, "not a record"]);
    }
}

/// A docent is killed after a session was written and before what is remembered of its person was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_crash_between_two_records_is_mended_by_the_retry() {
    let redis = Server::start(&[]);
    let mut docent = docent(&redis.url(), "limits:");
    assert_eq!(arrive(&docent, "put_off", Some("ann")).await, "eager");
    assert_eq!(arrive(&docent, "stranger", None).await, "eager");
    let dismissed = json!({ "event": "proactive_dismissed" });
    assert_eq!(report(&docent, "stranger", dismissed).await.0, 200);
    let locked = ["ann", "carl", "eve"];
    lock(&redis, &locked);
    let snoozed = json!({ "event": "proactive_snoozed", "for_s": 86_400 });
    assert_eq!(report(&docent, "put_off", snoozed.clone()).await.0, 503);
    assert_eq!(docent.post("/events/acme", rich("rich", "carl")).await.0, 503);
    assert_eq!(docent.post("/events/acme", view("stranger", Some("eve"), 7)).await.0, 503);
    docent.kill();
    let docent = docent.again_at_rest(&["--listen", "127.0.0.1:0"]);
    for name in locked {
        let _gone: i64 = redis.ask(&["DEL", &format!("docent:{{acme/{name}}}:user")]);
    }
    let (status, again) = report(&docent, "put_off", snoozed).await;
    assert_eq!((status, &again["reason"]), (200, &json!("invalid_transition")), "{again}");
    for batch in [rich("rich", "carl"), view("stranger", Some("eve"), 7)] {
        let (status, body) = docent.post("/events/acme", batch).await;
        assert_eq!((status, &body["duplicate"]), (200, &json!(true)), "{body}");
    }
    assert_eq!(arrive(&docent, "elsewhere", Some("ann")).await, "trigger_cooldown");
    assert_rich(&docent, "rich", "carl").await;
    let eve = person(&docent, "eve").await;
    assert!(eve["triggers"]["eager"]["outcomes"]["dismissed"].is_number(), "{eve}");
}

/// A batch waits for a replica that does not answer: nobody is told that it is a duplicate of
/// something that a fail-over would lose.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_duplicate_of_what_no_replica_has_is_not_acknowledged() {
    let master = Server::start(&[]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    until("the replica to follow", async || {
        let info: String = replica.ask(&["INFO", "replication"]);
        info.contains("master_link_status:up")
    })
    .await;
    let docents = [(); 2].map(|()| docent(&master.url(), "wait_replicas: 1\nlimits:"));
    for docent in &docents {
        assert_eq!(docent.post("/events/acme", view("first", None, 0)).await.0, 200);
    }
    replica.signal("STOP");
    let batch = view("torn", None, 1);
    let poll = "/context/acme/torn?conversation_id=proactive%3Atorn";
    let told = async {
        until("the batch to be on the master", async || {
            master.ask::<i64>(&["EXISTS", "docent:{acme/torn}:session"]) == 1
        })
        .await;
        let [one, two] = &docents;
        tokio::join!(
            one.post("/events/acme", batch.clone()),
            two.post("/events/acme", batch.clone()),
            one.get(poll)
        )
    };
    let (first, (same, other, polled)) =
        tokio::join!(docents[0].post("/events/acme", batch.clone()), told);
    let told = [&first, &same, &other, &polled].map(|(status, _)| *status);
    assert_eq!(told, [503; 4], "{first:?} {same:?} {other:?} {polled:?}");
    replica.signal("CONT");
    for docent in &docents {
        docent.until("/readyz", |status, _| status == 200).await;
        let (status, body) = docent.post("/events/acme", batch.clone()).await;
        assert_eq!((status, &body["duplicate"]), (200, &json!(true)), "{body}");
    }
}

/// A chat thread has heard an answer that its session has not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn an_answer_in_a_chat_thread_reaches_its_session_by_the_retry() {
    let redis = Server::start(&[]);
    let docent = docent(&redis.url(), "limits:");
    assert_eq!(docent.post("/events/acme", view("s", Some("fay"), 0)).await.0, 200);
    let polled = docent.get("/context/acme/s?conversation_id=chat").await.1;
    assert_eq!(polled["proactive_trigger"]["trigger_id"], "eager", "{polled}");
    let (session, aside) = ("docent:{acme/s}:session", "aside:{acme/s}");
    let () = redis.ask(&["RENAME", session, aside]);
    let _made: i64 = redis.ask(&["RPUSH", session, "not a record"]);
    let dismissed = json!({ "event": "proactive_dismissed" });
    assert_eq!(docent.post("/agent_state/acme/chat", dismissed.clone()).await.0, 503);
    let () = redis.ask(&["RENAME", aside, session]);
    for _ in 0..2 {
        let (status, body) = docent.post("/agent_state/acme/chat", dismissed.clone()).await;
        assert_eq!((status, &body["reason"]), (200, &json!("invalid_transition")), "{body}");
        let fay = person(&docent, "fay").await;
        let dismissals = &fay["triggers"]["eager"]["dismissed"]["entries"];
        assert_eq!(dismissals.as_array().map(Vec::len), Some(1), "{fay}");
    }
}
