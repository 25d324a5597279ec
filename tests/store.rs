//! One story that every store runs, one about tight limits, and a model beside random operations.
//! What a durable store must do beyond is in `durable.rs`, and a shared one in `redis.rs`.
#![cfg(test)]

#[path = "store/given.rs"]
mod given;
#[path = "store/limits.rs"]
mod limits;
#[path = "store/model.rs"]
mod model;
#[expect(dead_code, reason = "what a server does when it fails is another test's")]
#[path = "redis/server.rs"]
mod server;
#[path = "store/story.rs"]
mod story;

use std::sync::Arc;

use docent::domain::session::Session;
use docent::domain::time::Span;
use docent::rulebook::settings::{Durability, Limits};
use docent::store::{Key, Step, Store};

use given::{START, dismissed, get, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_tells_the_story() {
    story::story(Arc::new(Store::open("memory", &Limits::default()).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn embedded_tells_the_same_story() {
    for durability in [Durability::Immediate, Durability::Interval(Span::from_millis(5))] {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        let store = Store::open_in(folder.path(), "embedded:data", durability, &limits).unwrap();
        story::story(Arc::new(store)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn redis_tells_the_same_story() {
    let server = server::Server::start(&[]);
    story::story(Arc::new(server::open(&server.url()).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_redis_cluster_tells_the_same_story() {
    let cluster = server::Cluster::start();
    story::story(Arc::new(server::open(&cluster.url()).await)).await;
}

#[tokio::test]
async fn memory_keeps_within_its_limits() {
    let few = Limits { max_sessions: 3, ..Limits::default() };
    limits::crowded(&Store::open("memory", &few).unwrap()).await;
    let little = Limits { max_memory: 64 << 10, ..Limits::default() };
    limits::tight(&Store::open("memory", &little).unwrap()).await;
    limits::flooded(&Store::open("memory", &little).unwrap()).await;
    let one = Limits { max_sessions: 1, max_memory: 1, ..Limits::default() };
    limits::narrow(&Store::open("memory", &one).unwrap()).await;
    limits::swept(&Store::open("memory", &few).unwrap()).await;
    limits::swept(&Store::open("memory", &Limits::default()).unwrap()).await;
}

#[test]
fn a_step_that_panics_takes_nobody_else_down() {
    let store = Store::open("memory", &Limits { max_sessions: 1, ..Limits::default() }).unwrap();
    let (one, two) = (Key { product: "acme", id: "1" }, Key { product: "acme", id: "2" });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(put(&store, one, START, dismissed(1)));
    let fall = std::panic::AssertUnwindSafe(|| {
        runtime.block_on(store.update(two, START, |_: &mut Option<Session>| -> Step<()> {
            panic!("as no step of docent does")
        }))
    });
    assert!(std::panic::catch_unwind(fall).is_err());
    runtime.block_on(put(&store, two, START, dismissed(2)));
    assert_eq!(runtime.block_on(get(&store, one, START)), Some(dismissed(1)));
    assert_eq!(runtime.block_on(get(&store, two, START)), Some(dismissed(2)));
}
