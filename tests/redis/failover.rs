//! Replicas, and masters that are exchanged for them: what was acknowledged is there afterwards.

use std::sync::Arc;

use docent::store::Store;
use tokio::task::JoinSet;

use crate::server::{Server, Watched, open, try_open, until};
use crate::{count_up, counted, look, recovered, refusal};

/// The master dies; its sentinel promotes a replica, and docent goes on there with all that was
/// acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_fail_over_is_followed_and_loses_nothing_that_replicas_have() {
    let mut watched = Watched::with(2);
    let store = waiting(&watched.url(), 1).await;
    for expected in 1..=50 {
        assert_eq!(count_up(&store, "kept").await, Ok(expected));
    }
    watched.master.kill();
    refusal(&store).await;
    // The other replica has to find the new master before it can confirm anything.
    until("docent to go on", async || count_up(&store, "after").await.is_ok()).await;
    assert_eq!(store.trouble(), None);
    assert_eq!(counted(&store, "kept").await, 50);
    assert_eq!(count_up(&store, "kept").await, Ok(51));
}

/// The sentinels name another master while the old one goes on, with a replica that confirms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn an_old_master_that_goes_on_is_left_for_the_one_that_sentinels_name() {
    let (watched, others) = (Watched::with(1), Watched::with(1));
    let store = waiting(&watched.url(), 1).await;
    assert_eq!(count_up(&store, "kept").await, Ok(1));
    let () = watched.sentinel.ask(&["SENTINEL", "REMOVE", "main"]);
    let port = others.master.port.to_string();
    let () = watched.sentinel.ask(&["SENTINEL", "MONITOR", "main", "127.0.0.1", &port, "1"]);
    let there = |server: &Server| -> bool { server.ask(&["EXISTS", "docent:{acme/kept}:user"]) };
    // Nobody asks for anything meanwhile, so no failure leads there.
    until("the other master to be found", async || look(&store, "kept").await == Ok(0)).await;
    assert!(there(&watched.master) && !there(&others.master));
    for expected in 1..=20 {
        assert_eq!(count_up(&store, "kept").await, Ok(expected));
    }
    let direct = open(&others.master.url()).await;
    assert_eq!(counted(&direct, "kept").await, 20);
    let old = open(&watched.master.url()).await;
    assert_eq!(counted(&old, "kept").await, 1, "nothing more went to the old master");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn what_replicas_do_not_have_is_not_acknowledged() {
    let watched = Watched::with(2);
    let store = Arc::new(waiting(&watched.master.url(), 2).await);
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { count_up(&store, &format!("u_{number}")).await });
    }
    assert!(tasks.join_all().await.into_iter().all(|answer| answer == Ok(1)));
    watched.replicas[0].signal("STOP");
    let error = refusal(&store).await.to_string();
    assert!(error.contains("only 1 of the 2 replicas that `wait_replicas` asks for"), "{error}");
    assert!(store.trouble().unwrap().contains("wait_replicas"));
    watched.replicas[0].signal("CONT");
    recovered(&store).await;
}

/// Another instance has written it, and was not told that it lasts: whoever reads it is not told
/// either, until it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn what_another_has_written_is_told_once_replicas_have_it() {
    let watched = Watched::with(1);
    let (hasty, store) =
        (open(&watched.master.url()).await, waiting(&watched.master.url(), 1).await);
    assert_eq!(count_up(&store, "told").await, Ok(1));
    watched.replicas[0].signal("STOP");
    assert_eq!(counted(&store, "told").await, 1, "this is known to last");
    assert_eq!(count_up(&hasty, "told").await, Ok(2));
    let error = look(&store, "told").await.unwrap_err().to_string();
    assert!(error.contains("only 0 of the 1 replicas"), "{error}");
    watched.replicas[0].signal("CONT");
    until("it to last", async || look(&store, "told").await == Ok(2)).await;
}

pub(crate) async fn waiting(url: &str, replicas: u32) -> Store {
    let store = try_open(url).waiting_for(replicas);
    store.reached().await.unwrap();
    store
}
