//! Walks through all rows: one that tidies up, and one that carries records elsewhere.

use docent::domain::records::EmailIndex;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::settings::Limits;
use docent::store::carry::copy;
use docent::store::raw::Place;
use docent::store::{Store, StoreError};

use crate::given::{DAY, START, active, dismissed, fired_once, get, put, said};
use crate::server::{Server, open};
use crate::{key, recovered, refusal};

/// A row that is kept for its ledgers does not keep what somebody did as well, although nobody
/// asks for it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn activity_past_its_time_is_taken_out_of_rows_that_stay() {
    let server = Server::start(&[]);
    let store = open(&server.url()).await;
    put(&store, key("offered"), START, Session { machine: dismissed(2).machine, ..active("/a") })
        .await;
    put(&store, key("offered"), START, said("hello")).await;
    put(&store, key("seen"), START, active("/a")).await;
    put(&store, key("a@acme.test"), START, EmailIndex::default()).await;
    put(&store, key("u_1"), START, fired_once("of_1")).await;
    let day = START.plus(DAY);
    let before = day.minus(Span::from_millis(1));
    put(&store, key("young"), before, active("/b")).await;
    for number in 0..500 {
        put(&store, key(&number.to_string()), START, said("more than a page")).await;
    }
    let all: usize = server.ask(&["DBSIZE"]);
    tidied(&store, before).await;
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), all);

    tidied(&store, day).await;
    let mut keys: Vec<String> = server.ask(&["KEYS", "docent:{*"]);
    keys.sort();
    let left = ["{acme/offered}:session", "{acme/u_1}:user", "{acme/young}:session"];
    assert_eq!(keys, left.map(|name| format!("docent:{name}")));
    let mut fields: Vec<String> = server.ask(&["HKEYS", "docent:{acme/offered}:session"]);
    fields.sort();
    assert_eq!(fields, ["session", "version", "written"]);
    let written: i64 = server.ask(&["HGET", "docent:{acme/offered}:session", "written"]);
    assert_eq!(written, START.as_millis(), "its ledgers live no longer for it");
    // The clock goes back, but what went with its time stays gone.
    let offered = get::<Session>(&store, key("offered"), START).await.unwrap();
    assert!(!offered.has_activity() && offered.machine == dismissed(2).machine, "{offered:?}");
    assert_eq!(get(&store, key("young"), START).await, Some(active("/b")));
    let version = ["HGET", "docent:{acme/offered}:session", "version"];
    let last: Vec<u8> = server.ask(&version);
    tidied(&store, day).await;
    assert_eq!(server.ask::<Vec<u8>>(&version), last, "what is tidy is not written again");
}

async fn tidied(store: &Store, now: Timestamp) {
    let mut place = Some(Place::default());
    while let Some(from) = place {
        place = store.tidy(&from, now).await.unwrap();
    }
}

/// Where a walk stands means nothing to another process: going on there would pass over records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_walk_does_not_go_on_after_a_restart() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = open(&server.url()).await;
    for number in 0..500 {
        put(&store, key(&number.to_string()), START, said("hello")).await;
    }
    let first = store.page(&Place::default()).await.unwrap();
    let next = first.next.unwrap();
    store.page(&next).await.unwrap();
    server.kill();
    refusal(&store).await;
    server.resume();
    recovered(&store).await;
    assert_eq!(store.page(&next).await, Err(StoreError::Moved));
    assert!(
        copy(&store, &Store::open("memory", &Limits::default()).unwrap(), |_| {})
            .await
            .unwrap()
            .verified
    );
}
