//! All records out of a store and into another: nothing is lost, nothing newer is overwritten.
#![cfg(test)]

#[expect(dead_code, reason = "the story of every store uses the rest")]
#[path = "store/given.rs"]
mod given;

#[expect(dead_code, reason = "what a server does when it fails is another test's")]
#[path = "redis/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use docent::domain::bulletin::{Bulletin, Pause};
use docent::domain::records::{Context, User};
use docent::domain::session::Session;
use docent::domain::time::Span;
use docent::engine::erasure::erasure;
use docent::rulebook::settings::{Durability, Limits};
use docent::store::bulletin::{INSTANCES, LEASES, PAUSES};
use docent::store::carry::{Restoring, Saving, copy, everything, is_empty};
use docent::store::erasures::append;
use docent::store::raw::{Clash, KINDS, Place, Raw};
use docent::store::{Key, Step, Store};
use tempfile::{TempDir, tempdir};

use given::{DAY, START, active, dismissed, fired_once, get, put, said};

fn key(id: &str) -> Key<'_> {
    Key { product: "acme", id }
}

fn open(folder: &TempDir, limits: &Limits) -> Store {
    Store::open_in(folder.path(), "embedded:data", Durability::Immediate, limits).unwrap()
}

fn memory() -> Store {
    Store::open("memory", &Limits::default()).unwrap()
}

/// Sessions with their contexts, and one of most other kinds.
async fn fill(store: &Store, sessions: usize) {
    for number in 0..sessions {
        let id = number.to_string();
        put(store, key(&id), START, active(&format!("/{number}"))).await;
        put(store, key(&id), START.plus(Span::from_seconds(1)), said(&"words ".repeat(50))).await;
    }
    put(store, key("u_1"), START, fired_once("of_1")).await;
    put(store, key("alone"), START, said("a context without a session")).await;
    let pause = Pause { since: START, until: None, reason: Some("x".into()) };
    let pauses = Bulletin { pauses: [("acme".into(), pause)].into(), ..Bulletin::default() };
    put(store, PAUSES, START, pauses.clone()).await;
    put(store, INSTANCES, START, pauses.clone()).await;
    put(store, LEASES, START, pauses).await;
}

async fn all(store: &Store) -> Vec<Raw> {
    let (mut records, mut place) = (Vec::new(), Some(Place::default()));
    while let Some(from) = place {
        let page = store.page(&from).await.unwrap();
        records.extend(page.records);
        place = page.next;
    }
    records
}

fn names(records: &[Raw]) -> BTreeSet<(&str, &str, &str)> {
    records.iter().map(|raw| (raw.kind, &*raw.product, &*raw.id)).collect()
}

#[tokio::test]
async fn a_walk_sees_every_record_once_also_those_on_disk_alone() {
    let folder = tempdir().unwrap();
    let few = Limits { max_sessions: 3, ..Limits::default() };
    for (store, sessions) in [(memory(), 3_000), (open(&folder, &few), 1_500)] {
        assert!(is_empty(&store).await.unwrap());
        fill(&store, sessions).await;
        let records = all(&store).await;
        assert_eq!(records.len(), 2 * sessions + 5);
        assert_eq!(names(&records).len(), records.len());
        assert!(records.iter().all(|raw| KINDS.contains(&raw.kind) && raw.written().is_some()));
        assert!(!is_empty(&store).await.unwrap());
    }
}

#[tokio::test]
async fn a_backup_comes_back_whole_in_another_store() {
    let (from, folder) = (memory(), tempdir().unwrap());
    fill(&from, 500).await;
    let (mut saving, mut file) = (Saving::begin(START).unwrap(), Vec::new());
    while let Some(piece) = saving.next(&from).await.unwrap() {
        file.extend(piece);
    }
    let to = open(&folder, &Limits::default());
    let mut restoring = Restoring::begin(&to, Clash::NewerStays).await.unwrap();
    for piece in file.chunks(1_000) {
        restoring.take(&to, piece).await.unwrap();
    }
    let restored = restoring.finish(&to).await.unwrap();
    assert_eq!((restored.put.written, restored.put.kept), (1_003, 0));
    assert_eq!(restored.counts["bulletin"], 1, "what instances say of themselves stays behind");
    to.close().await.unwrap();
    drop(to);
    let to = open(&folder, &Limits::default());
    assert_eq!(get(&to, key("7"), START).await, Some(active("/7")));
    assert_eq!(get(&to, key("7"), START).await, Some(said(&"words ".repeat(50))));
    assert_eq!(get(&to, key("u_1"), START).await, Some(fired_once("of_1")));
    assert_eq!(get::<Bulletin>(&to, PAUSES, START).await.unwrap().pauses.len(), 1);
    for key in [INSTANCES, LEASES] {
        assert_eq!(get::<Bulletin>(&to, key, START).await, None);
    }
    // A time to live counts from when a record was written, wherever it was.
    assert_eq!(get::<Context>(&to, key("7"), START.plus(DAY).plus(DAY)).await, None);
}

/// A restore that replaces what is there takes minutes, and docent goes on meanwhile.
#[tokio::test]
async fn who_is_erased_while_a_backup_comes_back_does_not_come_back() {
    let (from, to) = (memory(), memory());
    fill(&from, 500).await;
    let (mut saving, mut file) = (Saving::begin(START).unwrap(), Vec::new());
    while let Some(piece) = saving.next(&from).await.unwrap() {
        file.extend(piece);
    }
    let mut restoring = Restoring::begin(&to, Clash::Replace).await.unwrap();
    let pieces = file.chunks(file.len().div_ceil(4));
    for (number, piece) in (0..).zip(pieces) {
        restoring.take(&to, piece).await.unwrap();
        let user = if number == 0 { "u_1" } else { "u_2" };
        let sessions = (0..500).filter(|session| session % 10 == number);
        let sessions: BTreeSet<Arc<str>> = sessions.map(|id| id.to_string().into()).collect();
        let later = START.plus(Span::from_seconds(60));
        let erasure = erasure(&"s".into(), "acme", &[user.into()].into(), &sessions, later);
        append(&to, &erasure, number).await.unwrap();
    }
    let restored = restoring.finish(&to).await.unwrap();
    assert_eq!(restored.put.erased, 4 * 50 * 2 + 1);
    for id in 0..20 {
        let (id, theirs) = (id.to_string(), id % 10 < 4);
        assert_eq!(get::<Session>(&to, key(&id), START).await.is_none(), theirs, "{id}");
        assert_eq!(get::<Context>(&to, key(&id), START).await.is_none(), theirs, "{id}");
    }
    assert_eq!(get::<User>(&to, key("u_1"), START).await, None);
}

/// Into Redis and out of it again, one server and a cluster: what comes back is what left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_copy_through_redis_is_the_same_to_the_last_byte() {
    let (server, cluster) = (server::Server::start(&[]), server::Cluster::start());
    let from = memory();
    fill(&from, 700).await;
    put(&from, Key { product: "a/b", id: "{odd} 100%\r\n" }, START, active("/odd")).await;
    for url in [server.url(), cluster.url()] {
        let through = server::open(&url).await;
        assert!(is_empty(&through).await.unwrap());
        let copied = copy(&from, &through, |_| {}).await.unwrap();
        assert!(copied.verified, "{copied:?}");
        assert_eq!((copied.put.written, copied.put.kept), (1_404, 0));
        assert_eq!(get(&through, key("7"), START).await, Some(active("/7")));
        let back = memory();
        assert!(copy(&through, &back, |_| {}).await.unwrap().verified);
        let (mut left, mut right) = (all(&from).await, all(&back).await);
        left.retain(|raw| ![INSTANCES, LEASES].contains(&raw.key()));
        for records in [&mut left, &mut right] {
            records.sort_by(|a, b| (a.kind, &a.product, &a.id).cmp(&(b.kind, &b.product, &b.id)));
        }
        assert_eq!(left, right);
        let later = START.plus(Span::from_seconds(60));
        put(&through, key("3"), later, dismissed(2)).await;
        let copied = copy(&from, &through, |_| {}).await.unwrap();
        assert_eq!((copied.put.written, copied.put.kept), (0, 1_404));
        assert_eq!(get::<Session>(&through, key("3"), later).await, Some(dismissed(2)));
    }
}

/// What is put into a Redis to be served later expires there like what was written by who serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn what_is_carried_into_redis_expires_there() {
    let server = server::Server::start(&[]);
    let from = memory();
    fill(&from, 1).await;
    let limits = everything(&Limits::default());
    let to = Store::open_in(Path::new(""), &server.url(), Durability::Immediate, &limits).unwrap();
    to.reached().await.unwrap();
    assert!(copy(&from, &to, |_| {}).await.unwrap().verified);
    for (name, days) in [
        ("docent:{acme/0}:session", 2..=2),
        ("docent:{acme/u_1}:user", 31..=31),
        // Nobody's time to live, so Redis says -1.
        ("docent:{/pauses}:bulletin", 0..=0),
    ] {
        let seconds: i64 = server.ask(&["TTL", name]);
        assert!(days.contains(&((seconds + 86_399) / 86_400)), "{name}: {seconds}");
    }
}

#[tokio::test]
async fn a_copy_goes_on_and_leaves_what_is_newer() {
    let (folder, other) = (tempdir().unwrap(), tempdir().unwrap());
    let few = Limits { max_sessions: 3, ..Limits::default() };
    let (from, to) = (open(&folder, &few), open(&other, &few));
    fill(&from, 40).await;
    // An interrupted copy, and a docent that has begun to use the second store.
    to.put(&from.page(&Place::default()).await.unwrap().records[..30], Clash::NewerStays)
        .await
        .unwrap();
    let later = START.plus(Span::from_seconds(60));
    put(&to, key("3"), later, dismissed(2)).await;
    put(&to, key("u_1"), later, fired_once("of_2")).await;
    let copied = copy(&from, &to, |_| {}).await.unwrap();
    assert!(copied.verified, "{copied:?}");
    assert_eq!(copied.counts.values().sum::<u64>(), 83);
    assert_eq!((copied.put.written, copied.put.kept), (83 - 33, 33));
    assert_eq!(get::<Session>(&to, key("3"), later).await, Some(dismissed(2)));
    assert_eq!(get::<User>(&to, key("u_1"), later).await, Some(fired_once("of_2")));
    assert_eq!(get(&to, key("39"), START).await, Some(active("/39")));
    // What has changed since is copied by the next.
    put(&from, key("5"), later, active("/new")).await;
    let copied = copy(&from, &to, |_| {}).await.unwrap();
    assert_eq!((copied.put.written, copied.put.kept, copied.verified), (2, 81, true));
    assert_eq!(get(&to, key("5"), later).await, Some(active("/new")));
    assert_eq!(get(&to, key("5"), later).await, Some(said(&"words ".repeat(50))));
}

/// A row of which the second store knows that its activity is on disk is read before it is compared.
#[tokio::test]
async fn what_is_away_is_compared_as_well() {
    let folder = tempdir().unwrap();
    let few = Limits { max_sessions: 3, ..Limits::default() };
    let (from, to) = (memory(), open(&folder, &few));
    for number in 0..20 {
        let id = number.to_string();
        put(&from, key(&id), START, active("/old")).await;
        put(&to, key(&id), START.plus(Span::from_seconds(number % 2)), active("/there")).await;
    }
    put(&from, key("0"), START.plus(DAY), active("/young")).await;
    let copied = copy(&from, &to, |_| {}).await.unwrap();
    assert_eq!((copied.put.kept, copied.put.written), (10, 10));
    assert_eq!(get(&to, key("1"), START).await, Some(active("/there")));
    assert_eq!(get(&to, key("2"), START).await, Some(active("/old")), "of the same instant");
    assert_eq!(get(&to, key("0"), START).await, Some(active("/young")));
    let put = to.put(&all(&from).await, Clash::Replace).await.unwrap();
    assert_eq!((put.written, put.kept), (20, 0));
    assert_eq!(get(&to, key("1"), START).await, Some(active("/old")));
}

#[tokio::test]
async fn what_is_no_record_is_counted_and_passed_over() {
    let store = memory();
    fill(&store, 1).await;
    let mut records = all(&store).await;
    for raw in &mut records {
        raw.bytes.truncate(9);
        raw.id = "other".into();
    }
    let put = store.put(&records, Clash::Replace).await.unwrap();
    assert_eq!((put.written, put.unreadable), (0, records.len() as u64));
    let look = |session: &mut Option<Session>| Step::Keep(session.is_none());
    assert!(store.update(key("other"), START, look).await.unwrap());
}
