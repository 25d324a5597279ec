//! Instances that share a store: what one is told, the others know, and each tells of all.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use docent::app::App;
use docent::domain::bulletin::Pause;
use docent::domain::time::{Span, Timestamp};
use docent::library::live::Live;
use docent::rulebook::Sources;
use docent::runtime::clock::Clock;
use docent::runtime::metrics::Metrics;
use docent::store::Store;

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);

fn instances() -> [App; 2] {
    named(["one", "two"])
}

fn named(names: [&str; 2]) -> [App; 2] {
    let text = "version: 1\nstore: memory\nproducts: { acme: {} }\n";
    let files = [("docent.yaml".to_owned(), text.as_bytes().to_vec())];
    let live = || Live::start(Sources { files: files.clone().into() }, |_| None, START).unwrap();
    let limits = live().current().settings.limits.clone();
    let store = Arc::new(Store::open("memory", &limits).unwrap());
    names.map(|name| {
        let (live, clock) = (Arc::new(live()), Clock::standing_at(START));
        let app = App::new(live, Arc::clone(&store), clock, Arc::new(Metrics::new()));
        app.introduce(name, "127.0.0.1:8080");
        app
    })
}

/// Or else one of them would be seen and the other waited for in vain, or not at all.
#[tokio::test]
async fn two_of_one_name_are_told_apart_and_a_restart_is_none() {
    let at = |seconds| START.plus(Span::from_seconds(seconds));
    let [first, again] = named(["web", "web"]);
    first.say_hello(at(0)).await.unwrap();
    let names = async |app: &App, seconds| {
        let peers = app.fleet(at(seconds)).await.unwrap().peers.into_iter();
        peers.map(|peer| peer.name.to_string()).collect::<Vec<_>>()
    };
    for seconds in [2, 4, 6] {
        again.say_hello(at(seconds)).await.unwrap();
        assert_eq!(names(&again, seconds).await, ["web"]);
    }
    for seconds in [8, 10, 12] {
        first.say_hello(at(seconds)).await.unwrap();
        again.say_hello(at(seconds + 1)).await.unwrap();
    }
    let names = names(&first, 14).await;
    assert_eq!(names.iter().filter(|name| name.starts_with("web#")).count(), 2, "{names:?}");
}

#[tokio::test]
async fn a_pause_is_known_to_all() {
    let [one, two] = instances();
    let product = Arc::clone(&one.live.current().products["acme"]);
    let pause = Pause { since: START, until: None, reason: Some("deploy".into()) };
    one.set_pause(&product, Some(pause.clone()), START).await.unwrap();
    assert_eq!(one.pause_of("acme", START), Some(pause.clone()));
    two.learn_pauses().await.unwrap();
    assert_eq!(two.pause_of("acme", START), Some(pause));
    two.set_pause(&product, None, START).await.unwrap();
    one.learn_pauses().await.unwrap();
    assert_eq!(one.pause_of("acme", START), None);
}

/// By the clock of the one that tells: the other's may be off.
#[tokio::test(start_paused = true)]
async fn each_tells_of_all_and_who_is_gone_is_known_by_its_silence() {
    let [one, two] = instances();
    let pass = async |seconds| tokio::time::advance(Duration::from_secs(seconds)).await;
    let at = |seconds| START.plus(Span::from_seconds(seconds));
    one.say_hello(at(0)).await.unwrap();
    two.say_hello(at(1)).await.unwrap();
    let seen = async |app: &App, seconds| {
        let fleet = app.fleet(at(seconds)).await.unwrap();
        let peers = fleet.peers.into_iter();
        let peers = peers.map(|peer| (peer.name.to_string(), peer.ago.as_seconds(), peer.silent));
        (fleet.own.to_string(), peers.collect::<Vec<_>>())
    };
    let both = |one: f64, two: f64, silent: bool| {
        vec![("one".to_owned(), one, false), ("two".to_owned(), two, silent)]
    };
    assert_eq!(seen(&one, 2).await, ("one".to_owned(), both(0.0, 1.0, false)));
    // Its clock may be hours ahead or behind.
    assert_eq!(seen(&one, 500).await.1, both(0.0, 499.0, false));
    pass(9).await;
    assert_eq!(seen(&one, 11).await.1, both(0.0, 10.0, false));
    pass(1).await;
    assert_eq!(seen(&one, 11).await.1, both(0.0, 10.0, true));
    two.say_hello(at(12)).await.unwrap();
    assert_eq!(seen(&one, 12).await.1, both(0.0, 0.0, false));
    // Who says hello hears the others, so it need not be asked twice.
    one.say_hello(at(12)).await.unwrap();
    pass(10).await;
    assert_eq!(seen(&one, 12).await.1, both(0.0, 0.0, true));
    two.say_goodbye(at(13)).await.unwrap();
    assert_eq!(seen(&one, 13).await.1, vec![("one".to_owned(), 0.0, false)]);
    two.say_hello(at(14)).await.unwrap();
    one.say_hello(at(700)).await.unwrap();
    assert_eq!(seen(&one, 700).await.1.len(), 1, "a name of long ago is forgotten");
}

#[tokio::test]
async fn the_rulebook_in_force_is_kept_and_one_that_is_stale_is_not() {
    let [one, _] = instances();
    one.keep_rulebook().await.unwrap();
    let kept = one.live.to_keep().unwrap();
    assert_eq!(kept.files.keys().map(|path| &**path).collect::<Vec<_>>(), ["docent.yaml"]);
    let live = Live::start_kept(&kept, |_| None, START, None, Vec::new()).unwrap();
    assert_eq!(live.current().digest, one.live.current().digest);
    assert!(live.status().stale.is_some() && live.to_keep().is_none());
}
