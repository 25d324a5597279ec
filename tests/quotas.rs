//! Quotas under contention: many polls at once, and never one offer too many or too few.
#![cfg(test)]

mod common;

use common::{Docent, EAGER};
use futures_util::future::join_all;
use serde_json::json;

fn with(quotas: &str) -> Docent {
    let settings = format!(
        "version: 1\nproducts:\n  acme:\n    \
         proactive: {{ quotas: {{ {quotas} }} }}\n"
    );
    Docent::timed(&[("docent.yaml", &settings), ("rules/eager.yaml", EAGER)])
}

/// Four polls of each session, all at once; what each came to.
async fn all_at_once(docent: &Docent, sessions: &[String]) -> Vec<String> {
    let polls = sessions.iter().cycle().take(sessions.len() * 4);
    join_all(polls.map(|session| docent.verdict(session))).await
}

fn offers(verdicts: &[String]) -> usize {
    verdicts.iter().filter(|verdict| *verdict == "eager").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_products_minute_is_spent_exactly() {
    let docent = with("product_per_minute: 5");
    let sessions: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    for session in &sessions {
        docent.visit(session, &["/a"]).await;
    }
    for minute in 0..3 {
        let verdicts = all_at_once(&docent, &sessions).await;
        assert_eq!(offers(&verdicts), 5, "minute {minute}: {verdicts:?}");
        docent.advance(60.0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_day_is_one_whatever_the_session() {
    let docent = with("user_per_day: 2");
    for round in 0..10 {
        let sessions: Vec<String> = (0..5).map(|number| format!("s{round}-{number}")).collect();
        for session in &sessions {
            let batch = json!({ "type": "actions", "session_id": session,
                "user_id": format!("u_{round}"),
                "actions": [{ "type": "pageview", "canonical_url": "/a" }] });
            assert_eq!(docent.post("/events/acme", batch).await.0, 200);
        }
        let verdicts = all_at_once(&docent, &sessions).await;
        assert_eq!(offers(&verdicts), 2, "{verdicts:?}");
        let later = all_at_once(&docent, &sessions).await;
        assert!(later.iter().all(|verdict| verdict != "eager"), "{later:?}");
        assert!(later.iter().any(|verdict| verdict == "quota:user_per_day"), "{later:?}");
    }
}
