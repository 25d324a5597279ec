//! A cluster whose masters have replicas, and whose client replaces lost connections by itself:
//! what was acknowledged is on a replica all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::failover::waiting;
use crate::server::{Cluster, until};
use crate::{AWHILE, count_up, counted, recovered};

/// Rows in enough slots that each master has some.
const ROWS: usize = 12;

/// A confirmation that is asked for over another connection than the write went would be given at
/// once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_connection_that_was_replaced_confirms_nothing() {
    let cluster = Cluster::replicated();
    let store = Arc::new(waiting(&cluster.url(), 1).await);
    assert_eq!(count_up(&store, "kept").await, Ok(1));
    let (masters, replicas) = cluster.0.split_at(3);
    replicas.iter().for_each(|replica| replica.signal("STOP"));
    for _ in 0..5 {
        let (store, mut writing) = (Arc::clone(&store), JoinSet::new());
        writing.spawn(async move { count_up(&store, "kept").await });
        // It is written by now, and waits for the replica.
        tokio::time::sleep(Duration::from_millis(200)).await;
        for master in masters {
            let _killed: u64 = master.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        let answers = writing.join_all().await;
        assert!(answers.iter().all(Result::is_err), "no replica has it: {answers:?}");
    }
    replicas.iter().for_each(|replica| replica.signal("CONT"));
    recovered(&store).await;
    assert!(counted(&store, "kept").await >= 1);
}

/// A master dies under load, a replica takes its place, and it comes back as a replica of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn a_fail_over_in_a_cluster_loses_nothing_that_was_acknowledged() {
    let mut cluster = Cluster::replicated();
    let store = Arc::new(waiting(&cluster.url(), 1).await);
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for row in 0..ROWS {
        let (store, over) = (Arc::clone(&store), Arc::clone(&over));
        writers.spawn(async move {
            let (mut last, mut tries) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                tries += 1;
                match count_up(&store, &format!("row_{row}")).await {
                    Ok(count) => last = count,
                    Err(_) => tokio::time::sleep(AWHILE).await,
                }
            }
            (row, last, tries)
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (dead, promoted) = (0, 3);
    cluster.0[dead].kill();
    until("a replica to be promoted", async || {
        let info: String = cluster.0[promoted].ask(&["INFO", "replication"]);
        info.contains("role:master")
    })
    .await;
    cluster.0[dead].resume();
    cluster.0[dead].follows();
    recovered(&store).await;
    over.store(true, Ordering::Relaxed);
    for (row, last, tries) in writers.join_all().await {
        let count = counted(&store, &format!("row_{row}")).await;
        assert!((last..=tries).contains(&count), "row {row}: {last} told, {count} kept");
        assert!(last > 10, "row {row}: {last}");
    }
}
