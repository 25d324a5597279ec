//! The same on a Redis: two docents share it, and each round kills one of the three.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Client;

use crate::server::{self, until};
use crate::story::{Asking, Story};
use crate::{CLIENTS, MOST, Server, rounds, say, workspace};

/// Two docents and their Redis.
const PARTS: u64 = 3;
const REDIS: usize = 2;

/// A docent may not have noticed yet that Redis was gone, so a poll that is answered comes first.
async fn ready(client: &Client, base: &str) {
    for path in ["/context/acme/nobody?conversation_id=proactive%3Anobody", "/readyz"] {
        until("docent to be ready", async || {
            let answer = client.get(format!("{base}{path}")).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }
}

/// Visits, one after the other, until there is nobody to ask any more.
async fn visits(asking: &Asking<'_>, over: &AtomicBool, name: &str) -> Vec<Story> {
    let mut stories = Vec::new();
    loop {
        let mut story = Story::default();
        let lived = asking.live(&mut story, &format!("{name}_{}", stories.len())).await;
        stories.push(story);
        if lived.is_none() || over.load(Ordering::Relaxed) {
            return stories;
        }
    }
}

/// Each is asked of the docent that did not live it.
async fn remembered(asking: &[Asking<'_>; 2], told: &[(usize, Story)]) {
    for stories in told.chunks(100) {
        join_all(stories.iter().map(|(docent, story)| asking[1 - docent].remembers(story))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn whichever_of_docent_and_redis_is_killed_nothing_acknowledged_is_lost() {
    let (rounds, random) = (rounds(), RandomState::new());
    let mut redis = server::Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let folders = [(); 2].map(|()| workspace(&redis.url()));
    let mut docents = folders.each_ref().map(|folder| Server::start(folder.path(), ""));
    let client = docent::runtime::client::shared().unwrap();
    let (mut told, mut killed) = (Vec::<(usize, Story)>::new(), [0; PARTS as usize]);
    for round in 0..=rounds {
        say(&format!("round {round}, kills {killed:?}, {} visits so far", told.len()));
        let bases = docents.each_ref().map(|docent| docent.base.clone());
        for base in &bases {
            ready(&client, base).await;
        }
        let victim = (random.hash_one((round, "victim")) % PARTS) as usize;
        let (answered, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let asking = bases.each_ref().map(|base| Asking {
            client: &client,
            base,
            answered: &answered,
            patient: victim == REDIS,
            shared: true,
        });
        let newest = if round < rounds { told.len().saturating_sub(100) } else { 0 };
        remembered(&asking, &told[newest..]).await;
        if round == rounds {
            break;
        }
        let last = answered.load(Ordering::Relaxed) + random.hash_one(round) % MOST;
        let (asking, over) = (&asking, &over);
        let clients = (0..CLIENTS).map(|number| async move {
            let name = format!("{round}_{number}");
            let stories = visits(&asking[number % 2], over, &name).await;
            stories.into_iter().map(|story| (number % 2, story)).collect::<Vec<_>>()
        });
        let killing = async {
            while answered.load(Ordering::Relaxed) < last {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            match docents.get_mut(victim) {
                Some(docent) => docent.kill(),
                None => redis.kill(),
            }
            over.store(true, Ordering::Relaxed);
        };
        let (stories, ()) = tokio::join!(join_all(clients), killing);
        told.extend(stories.into_iter().flatten());
        killed[victim] += 1;
        match docents.get_mut(victim) {
            Some(docent) => *docent = Server::start(folders[victim].path(), ""),
            None => redis.resume(),
        }
    }
    let dismissed = told.iter().filter(|(_, story)| story.dismissed).count();
    assert!(dismissed > rounds as usize * 4, "{dismissed}");
    let visits = told.len();
    say(&format!("{rounds} rounds, kills {killed:?}, {visits} visits, {dismissed} to their end"));
}
