//! Four instances on one Redis with a replica, under load, while instances and Redis are killed,
//! halted, restarted and failed over, and one clock is three seconds ahead: together they decide as
//! one would. There is one round of trouble, or as many as `DOCENT_FLEET_SESSIONS` sessions take.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "redis/server.rs"]
mod server;
mod fleet_load {
    pub(crate) mod fleet;
    pub(crate) mod journals;
    pub(crate) mod trouble;
    pub(crate) mod visits;
}

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use fleet_load::fleet::Fleet;
use fleet_load::journals::decided_again;
use fleet_load::trouble::trouble;
use fleet_load::visits::{Offered, person, visit};
use server::Watched;

/// Clients at a time; one in eight looks after people with quotas.
const CLIENTS: usize = 64;
/// Offers of the product `tight` in a minute.
const PER_MINUTE: usize = 12;

const RULES: &str = r#"
version: 1
triggers:
  - id: eager
    when:
      - count: { type: pageview, at_least: 1, within: 30m }
    offer: { body: "Need a hand?", accept: "Show me how", dismiss: "No thanks", timeout: 10m }
"#;

fn settings(store: &str) -> String {
    format!(
        "version: 1\nstore: \"{store}\"\nwait_replicas: 1\n\
         journal: {{ folder: journal, sample: 100% }}\n\
         limits: {{ per_session: 10000/s, per_client: 100000/s }}\n\
         products:\n  acme:\n    proactive: {{ conservative: {{ base: 12h }} }}\n\
         \x20 tight:\n    proactive: {{ quotas: {{ product_per_minute: {PER_MINUTE}, user_per_day: 1 }} }}\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server; `make test` installs it"]
async fn whatever_fails_four_instances_decide_as_one_and_recover() {
    let least = docent::runtime::environment::variable("DOCENT_FLEET_SESSIONS")
        .map_or(0, |sessions| sessions.parse().unwrap());
    let watched = Watched::with(1);
    let (mut docents, fleet) = Fleet::start(&settings(&watched.url()), RULES).await;
    let (next, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let (fleet, next, over) = (&fleet, &next, &over);
        async move {
            let (mut sessions, mut offers) = (Vec::new(), Vec::new());
            while !over.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if client % 8 == 0 {
                    offers.extend(person(fleet, number).await);
                } else {
                    sessions.push(visit(fleet, number).await);
                }
            }
            (sessions, offers)
        }
    });
    let troubles = async {
        let mut round = 0;
        while round == 0 || next.load(Ordering::Relaxed) < least {
            trouble(&fleet, &mut docents, &watched, round).await;
            round += 1;
        }
        over.store(true, Ordering::Relaxed);
        round
    };
    let (lived, rounds, ()) =
        tokio::join!(join_all(clients), troubles, fleet.keeps_one_clock_ahead(&over));
    let (sessions, offers): (Vec<_>, Vec<_>) = lived.into_iter().unzip();
    let (sessions, offers) = (sessions.concat(), offers.concat());
    fleet.recovers().await;
    for some in sessions.chunks(CLIENTS) {
        join_all(some.iter().map(|session| fleet.remembers(session))).await;
    }
    let offers = kept_their_quotas(&offers);
    let (answers, refusals, silences) = fleet.figures();
    let told = decided_again(&mut docents);
    for nothing in ["differ", "strayed", "missing", "unreadable"] {
        assert_eq!(told[nothing], 0, "{nothing}: {told}");
    }
    let took = begun.elapsed().as_secs();
    writeln!(
        std::io::stderr(),
        "{} sessions and {offers} offers under quotas in {took} s, {rounds} rounds of trouble; \
         {answers} answers, {refusals} refusals, {silences} without an answer; {told}",
        sessions.len(),
    )
    .unwrap();
}

/// Nobody was offered two things, and no minute saw more than it may, by the clocks of those who
/// offered; how many offers there were.
fn kept_their_quotas(offers: &[Offered]) -> usize {
    let mut people: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut made: BTreeMap<&str, i64> = BTreeMap::new();
    for offer in offers {
        people.entry(&offer.user).or_default().insert(&offer.id);
        made.insert(&offer.id, offer.made_at);
    }
    let twice: Vec<_> = people.iter().filter(|(_, offers)| offers.len() > 1).collect();
    assert!(twice.is_empty(), "beyond the quota of a person: {twice:?}");
    let mut times: Vec<i64> = made.values().copied().collect();
    times.sort_unstable();
    for times in times.windows(PER_MINUTE + 1) {
        let took = times[PER_MINUTE] - times[0];
        assert!(took >= 60_000, "{} offers within {took} ms: {times:?}", times.len());
    }
    assert!(!times.is_empty(), "nobody was offered anything");
    times.len()
}

/// The offer that an answer tells of, new or waiting.
pub(crate) fn offer_in(body: &Value) -> Option<&Value> {
    [&body["proactive_trigger"], &body["pending_offer"]].into_iter().find(|offer| !offer.is_null())
}
