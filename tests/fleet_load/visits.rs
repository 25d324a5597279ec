//! What the clients of a fleet do, and what must be true of each answer at once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::fleet_load::fleet::{AWHILE, Fleet, INSTANCES};
use crate::offer_in;

/// Within this a session is offered what the rules allow it.
const BOUND: Duration = Duration::from_secs(120);

/// How long a batch is surely known to be a duplicate.
const KNOWN: Duration = Duration::from_secs(240);

/// An offer under quotas.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) user: String,
    pub(crate) id: String,
    /// Unix milliseconds, by the clock of the instance that made it.
    pub(crate) made_at: i64,
}

fn batch(session: &str, user: &str, number: u64) -> Value {
    json!({
        "type": "actions", "session_id": session, "user_id": user,
        "forwarded_at": 1_760_000_000 + number,
        "actions": [{ "type": "pageview", "canonical_url": format!("/{number}") }],
    })
}

fn id_in(body: &Value) -> Option<String> {
    Some(offer_in(body)?["offer_id"].as_str()?.to_owned())
}

/// Polls all instances at once; what those that answer offer.
async fn everybody(fleet: &Fleet, product: &str, session: &str) -> Vec<Value> {
    let polls = (0..INSTANCES).map(|instance| fleet.glance(instance, (product, session)));
    join_all(polls).await.into_iter().flatten().collect()
}

/// One person comes, is offered one thing and declines it; their session.
pub(crate) async fn visit(fleet: &Fleet, number: u64) -> String {
    let session = format!("s_{number}");
    let batch = batch(&session, &format!("u_{number}"), number);
    let came = Instant::now();
    let (body, times) = fleet.post("/events/acme", &batch).await;
    assert!(times > 1 || body["duplicate"] == false, "{body}");
    let (begun, mut offers, mut last) = (Instant::now(), BTreeSet::new(), Vec::new());
    while offers.is_empty() {
        assert!(begun.elapsed() < BOUND, "{session} is offered nothing: {last:?}");
        let bodies = everybody(fleet, "acme", &session).await;
        offers.extend(bodies.iter().filter_map(id_in));
        if offers.is_empty() {
            last = bodies;
            sleep(AWHILE).await;
        }
    }
    let bodies = everybody(fleet, "acme", &session).await;
    assert!(bodies.iter().all(|body| body["proactive_trigger"].is_null()), "{bodies:?}");
    offers.extend(bodies.iter().filter_map(id_in));
    assert_eq!(offers.len(), 1, "{session} {bodies:?}");
    let path = format!("/agent_state/acme/proactive%3A{session}");
    let event = json!({ "event": "proactive_dismissed", "offer_id": offers.first() });
    let (body, times) = fleet.post(&path, &event).await;
    assert!(times > 1 || body["reason"].is_null(), "{session} {body}");
    fleet.remembers(&session).await;
    let (body, _) = fleet.post("/events/acme", &batch).await;
    assert!(body["duplicate"] == true || came.elapsed() > KNOWN, "{session} {body}");
    session
}

/// One person with three sessions at once, who may be offered one thing a day.
pub(crate) async fn person(fleet: &Fleet, number: u64) -> Vec<Offered> {
    let user = format!("p_{number}");
    let sessions = ["a", "b", "c"].map(|part| format!("t_{number}{part}"));
    let batches = sessions.iter().map(|session| {
        let batch = batch(session, &user, number);
        async move { fleet.post("/events/tight", &batch).await }
    });
    join_all(batches).await;
    let mut offers = Vec::new();
    for _ in 0..3 {
        let polls = sessions.iter().map(|session| everybody(fleet, "tight", session));
        for body in join_all(polls).await.concat() {
            let Some(offer) = offer_in(&body) else { continue };
            let seconds = |name: &str| offer[name].as_f64().unwrap();
            let made_at = seconds("expires_at") - seconds("interaction_timeout_s");
            offers.push(Offered {
                user: user.clone(),
                id: offer["offer_id"].as_str().unwrap().to_owned(),
                made_at: (made_at * 1_000.0).round() as i64,
            });
        }
    }
    offers
}
