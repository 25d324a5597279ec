//! What a store on a server must do beyond the story of every store: stand a server that is away,
//! silent, full, locked or only a copy, say so, and come back by itself; and never guess whether a
//! write whose answer was lost has happened.
#![cfg(test)]

#[path = "redis/clusters.rs"]
mod clusters;
#[path = "redis/door.rs"]
mod door;
#[path = "redis/failover.rs"]
mod failover;
#[expect(dead_code, reason = "the story of every store uses the rest")]
#[path = "store/given.rs"]
mod given;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "redis/server.rs"]
mod server;
#[path = "redis/walks.rs"]
mod walks;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use docent::domain::records::{Context, User};
use docent::domain::session::Session;
use docent::domain::time::Span;
use docent::store::{Key, Step, Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use door::Door;
use given::{DAY, START, active, dismissed, fired_once, get, put, said};
use server::{Server, open, try_open, until, wait_until};

/// Longer than any step may take.
const BOUND: Duration = Duration::from_millis(3_500);

fn key(id: &str) -> Key<'_> {
    Key { product: "acme", id }
}

/// Before asking again.
const AWHILE: Duration = Duration::from_millis(20);

async fn count_up(store: &Store, id: &str) -> Result<u64, StoreError> {
    let step = |slot: &mut Option<User>| {
        let user = slot.get_or_insert_default();
        user.seq += 1;
        Step::Write(user.seq)
    };
    store.update(key(id), START, step).await
}

async fn look(store: &Store, id: &str) -> Result<u64, StoreError> {
    let seq = |user: Option<&User>| user.map_or(0, |user| user.seq);
    store.read(key(id), START, seq).await
}

async fn counted(store: &Store, id: &str) -> u64 {
    get::<User>(store, key(id), START).await.map_or(0, |user| user.seq)
}

/// Asks until it is refused; why, and that it never took long.
async fn refusal(store: &Store) -> StoreError {
    loop {
        let begun = Instant::now();
        let answer = count_up(store, "refused").await;
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        if let Err(error) = answer {
            return error;
        }
    }
}

async fn recovered(store: &Store) {
    until("the store to be well", async || store.trouble().is_none()).await;
    count_up(store, "after").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_server_that_refuses_docent_is_said_at_start_without_the_password() {
    let (open_to_all, locked) =
        (Server::start(&[]), Server::start(&["--requirepass", "open-sesame"]));
    let part = Server::start(&["--cluster-enabled", "yes"]);
    let newer = Server::start(&[]);
    let () = newer.ask(&["SET", "docent:format", "2"]);
    let (there, host) = (open_to_all.address(), locked.address());
    for (url, expected) in [
        (locked.url(), "Redis asks for a password and `store` has none"),
        (format!("redis://:hunter2@{host}"), "Redis does not accept the user or password"),
        (format!("redis://me:hunter2@{host}"), "Redis does not accept the user or password"),
        (
            format!("redis+sentinel://:open-sesame@{host}/main"),
            "the sentinels ask for a password of their own",
        ),
        (part.url(), "this Redis is part of a cluster; write `redis+cluster://HOST:PORT,HOST"),
        (format!("redis+cluster://{there}"), "this Redis is no cluster; write `redis://HOST:PORT`"),
        (newer.url(), "were written by a newer docent (format 2; this version knows 1)"),
    ] {
        let begun = Instant::now();
        let store = try_open(&url);
        let message = store.reached().await.unwrap_err().to_string();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(message.starts_with("the store refuses docent: "), "{message}");
        assert!(message.contains(expected), "{url}: {message}");
        assert!(!message.contains("hunter2") && !message.contains("sesame"), "{message}");
        assert!(!format!("{store:?}").contains("hunter2"));
    }
    let store = open(&format!("redis://:open-sesame@{host}")).await;
    assert_eq!(count_up(&store, "in").await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_server_that_comes_later_is_waited_for() {
    let mut server = Server::prepared(&[]);
    let store = open(&server.url()).await;
    let trouble = store.trouble().unwrap();
    assert!(trouble.starts_with("Redis cannot be reached: "), "{trouble}");
    let error = refusal(&store).await.to_string();
    assert!(error.starts_with("the store cannot read: Redis cannot be reached: "), "{error}");
    assert!(!error.contains("127.0.0.1"), "callers learn no address: {error}");
    server.resume();
    recovered(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_server_that_goes_and_comes_back_takes_nothing_with_it() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = open(&server.url()).await;
    for expected in 1..=3 {
        assert_eq!(count_up(&store, "kept").await, Ok(expected));
        server.kill();
        refusal(&store).await;
        until("it to be noticed", async || store.trouble().is_some()).await;
        server.resume();
        recovered(&store).await;
        assert_eq!(counted(&store, "kept").await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_silent_server_is_given_up_on_and_noticed_without_being_asked() {
    let server = Server::start(&[]);
    let store = open(&server.url()).await;
    server.signal("STOP");
    let error = refusal(&store).await.to_string();
    assert!(error.contains("answer in time"), "{error}");
    until("it to be noticed", async || store.trouble().is_some()).await;
    server.signal("CONT");
    recovered(&store).await;
    server.signal("STOP");
    until("it to be noticed", async || store.trouble().is_some()).await;
    server.signal("CONT");
    recovered(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_full_server_refuses_writes_until_there_is_room() {
    let server = Server::start(&[]);
    let store = open(&server.url()).await;
    put(&store, key("before"), START, fired_once("of_1")).await;
    let () = server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let error = refusal(&store).await.to_string();
    assert!(error.starts_with("the store cannot write: Redis has no memory left"), "{error}");
    assert!(store.trouble().unwrap().contains("maxmemory"));
    assert_eq!(get(&store, key("before"), START).await, Some(fired_once("of_1")), "reads go on");
    // Nobody asks for a write meanwhile: an instance that is not ready is asked nothing.
    let () = server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    recovered(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_copy_is_not_written_to_and_its_promotion_is_noticed() {
    let (master, server) = (Server::start(&[]), Server::start(&[]));
    let () = server.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    let store = open(&server.url()).await;
    let trouble = store.trouble().unwrap();
    assert!(trouble.contains("read-only replica; name its master"), "{trouble}");
    let () = server.ask(&["REPLICAOF", "NO", "ONE"]);
    recovered(&store).await;
    let () = server.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    refusal(&store).await;
    until("it to be noticed", async || store.trouble().is_some()).await;
    let () = server.ask(&["REPLICAOF", "NO", "ONE"]);
    recovered(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_server_that_is_loading_is_waited_for() {
    let slowly = ["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"];
    let mut server = Server::start(&slowly);
    let mut pipe = redis::pipe();
    for number in 0..150 {
        pipe.set(format!("filler:{number}"), "x".repeat(4_096)).ignore();
    }
    pipe.exec(&mut server.connection()).unwrap();
    let () = server.ask(&["SAVE"]);
    server.kill();
    server.launch();
    wait_until("it to load", || {
        let client = redis::Client::open(server.url()).unwrap();
        client.get_connection().is_ok()
    });
    let store = open(&server.url()).await;
    let trouble = store.trouble().unwrap();
    assert!(trouble.contains("still loading its data"), "{trouble}");
    recovered(&store).await;
}

/// The way to the server is cut again and again, often when a write has arrived and its answer has
/// not: what was acknowledged happened, once, and what was not happened once at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_lost_answer_is_looked_for_and_nothing_happens_twice() {
    let server = Server::start(&[]);
    let door = Door::to(server.port);
    let store = Arc::new(open(&format!("redis://127.0.0.1:{}", door.port)).await);
    door.slams(12);
    let open_ends = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (store, open_ends) = (Arc::clone(&store), Arc::clone(&open_ends));
        tasks.spawn(async move {
            let mut mine = 0;
            while mine < 40 {
                let begun = Instant::now();
                match count_up(&store, "shared").await {
                    Ok(_) => mine += 1,
                    // Nothing was sent but a question.
                    Err(StoreError::Unread { .. }) => tokio::time::sleep(AWHILE).await,
                    Err(_) => drop(open_ends.fetch_add(1, Ordering::Relaxed)),
                }
                assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
            }
        });
    }
    tasks.join_all().await;
    door.slams(0);
    let direct = open(&server.url()).await;
    let counted = counted(&direct, "shared").await;
    let open_ends = open_ends.load(Ordering::Relaxed);
    assert!(door.slammed() > 10, "it was cut {} times", door.slammed());
    assert!((320..=320 + open_ends).contains(&counted), "{counted} beside {open_ends} open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn an_operator_can_look_and_redis_tidies_up() {
    let server = Server::start(&[]);
    let store = open(&server.url()).await;
    put(&store, key("ps_1"), START, active("/a")).await;
    put(&store, key("ps_1"), START, said("hello")).await;
    put(&store, key("{odd} id"), START, Session { machine: dismissed(2).machine, ..active("/a") })
        .await;
    put(&store, key("u_1"), START, fired_once("of_1")).await;
    let mut keys: Vec<String> = server.ask(&["KEYS", "docent:*"]);
    keys.sort();
    assert_eq!(
        keys,
        [
            "docent:format",
            "docent:{acme/%7Bodd%7D id}:session",
            "docent:{acme/ps_1}:session",
            "docent:{acme/u_1}:user"
        ]
    );
    let mut fields: Vec<String> = server.ask(&["HKEYS", "docent:{acme/ps_1}:session"]);
    fields.sort();
    assert_eq!(fields, ["context", "session", "version", "written"]);
    for (name, days) in [
        ("docent:{acme/ps_1}:session", 2),
        ("docent:{acme/%7Bodd%7D id}:session", 31),
        ("docent:{acme/u_1}:user", 31),
    ] {
        let seconds: i64 = server.ask(&["TTL", name]);
        assert!((days * 86_400 - 60..=days * 86_400).contains(&seconds), "{name}: {seconds}");
    }
    let forget = |state: &mut Option<Session>, context: &mut Option<Context>| {
        (*state, *context) = (None, None);
        Step::Write(())
    };
    store.update_session(key("ps_1"), START, forget).await.unwrap();
    let left: u64 = server.ask(&["EXISTS", "docent:{acme/ps_1}:session"]);
    assert_eq!(left, 0);
}

/// What one instance has written the others see at once, whichever clock is ahead; what is past its
/// time comes back neither for the record that is written nor for the one beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn instances_see_each_other_at_once_and_age_alike() {
    let server = Server::start(&[]);
    let (one, two) = (open(&server.url()).await, open(&server.url()).await);
    let ahead = START.plus(Span::from_seconds(5));
    put(&one, key("ps_1"), ahead, active("/a")).await;
    assert_eq!(get(&two, key("ps_1"), START).await, Some(active("/a")));
    put(&two, key("ps_1"), START, said("hello")).await;
    assert_eq!(get(&one, key("ps_1"), ahead).await, Some(said("hello")));
    let later = START.plus(DAY);
    put(&one, key("ps_1"), later, dismissed(1)).await;
    assert_eq!(get::<Context>(&two, key("ps_1"), later).await, None);
    put(&two, key("ps_1"), later, said("again")).await;
    let much_later = later.plus(DAY);
    put(&two, key("ps_1"), much_later, said("anew")).await;
    assert_eq!(get(&one, key("ps_1"), much_later).await, Some(dismissed(1)), "its ledger stays");
    let gone = much_later.plus(DAY.times(30));
    put(&one, key("ps_1"), gone, said("last")).await;
    assert_eq!(get::<Session>(&two, key("ps_1"), gone).await, None);
}
