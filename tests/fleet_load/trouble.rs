//! What happens to a fleet on a bad day.

use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::common::Docent;
use crate::fleet_load::fleet::{Fleet, INSTANCES, arguments};
use crate::server::{Server, Watched, until};

/// Work goes on between two troubles.
const PEACE: Duration = Duration::from_secs(1);

/// One after the other; with the round, the instances change that each happens to.
pub(crate) async fn trouble(
    fleet: &Fleet,
    docents: &mut Vec<Docent>,
    watched: &Watched,
    round: usize,
) {
    let nth = |number: usize| (round + number) % INSTANCES;
    sleep(PEACE).await;
    docents[nth(0)].kill();
    sleep(PEACE).await;
    again(fleet, docents, nth(0));
    sleep(PEACE).await;
    signal(&docents[nth(1)], "STOP");
    sleep(PEACE * 2).await;
    // Every other time it wakes to another master, with connections to the old one.
    if round.is_multiple_of(2) {
        signal(&docents[nth(1)], "CONT");
        sleep(PEACE).await;
    }
    fail_over(watched).await;
    signal(&docents[nth(1)], "CONT");
    fleet.recovers().await;
    sleep(PEACE).await;
    block_in_place(|| docents[nth(2)].stop());
    again(fleet, docents, nth(2));
    docents[nth(3)].kill();
    again(fleet, docents, nth(3));
    fleet.recovers().await;
}

/// The same instance starts anew, elsewhere.
fn again(fleet: &Fleet, docents: &mut Vec<Docent>, instance: usize) {
    let gone = docents.remove(instance);
    let docent = block_in_place(|| gone.again_at_rest(arguments(instance)));
    fleet.moved(instance, &docent.base);
    docents.insert(instance, docent);
}

fn signal(docent: &Docent, signal: &str) {
    let pid = docent.pid().to_string();
    let told = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(told.unwrap().success());
}

/// The master falls silent for five seconds, and another has taken its place when it comes back.
async fn fail_over(watched: &Watched) {
    let before = port(&watched.sentinel);
    let mut servers = std::iter::once(&watched.master).chain(&watched.replicas);
    let master = servers.find(|server| server.port == before).unwrap();
    master.signal("STOP");
    sleep(PEACE * 5).await;
    until("a fail-over", async || port(&watched.sentinel) != before).await;
    master.signal("CONT");
}

/// The master, as the sentinel knows it.
fn port(sentinel: &Server) -> u16 {
    let (_, port): (String, u16) = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
    port
}
