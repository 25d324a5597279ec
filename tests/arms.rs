//! Who gets what: rollouts, variants and control groups, by buckets that anybody can recompute.
#![cfg(test)]

#[expect(dead_code, reason = "every test file uses its own part of this")]
mod timelines;

use std::collections::BTreeMap;
use std::sync::Arc;

use docent::domain::bucket::{Draw, Share};
use docent::domain::decision::{Hold, Verdict};
use docent::domain::session::{Identity, Place, Session};
use docent::domain::time::Timestamp;
use docent::engine::around::{Around, own_conversation};
use docent::engine::charge::Charge;
use docent::engine::decide::decide;
use docent::engine::fire::{commit, propose};
use docent::engine::ghosts;
use docent::engine::suite::run;
use docent::rulebook::Product;
use proptest::prelude::*;
use serde_json::Value;

use timelines::rulebook;

const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const SPACED: &str = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 100s } }\n";
const EASY: &str = "when: [{ idle: 0s }]";
const WORDS: &str = "offer: { body: B, accept: A, dismiss: D }";

/// A product of rules `r0`, `r1`, …, highest priority first, each with these keys.
fn product(settings: &str, rules: &[&str]) -> Arc<Product> {
    let rule = |(at, keys): (usize, &&str)| {
        let offer = if keys.contains("offer:") { "" } else { WORDS };
        let comma = if offer.is_empty() { "" } else { ", " };
        format!("  - {{ id: r{at}, priority: {}, {EASY}, {keys}{comma}{offer} }}\n", 90 - at)
    };
    let rules: String = rules.iter().enumerate().map(rule).collect();
    let rules = format!("version: 1\ntriggers:\n{rules}");
    let book = rulebook(&[("docent.yaml", settings), ("rules/a.yaml", &rules)]);
    Arc::clone(&book.products["acme"])
}

/// Somebody who did something just now.
fn person(user: Option<&str>, account: Option<&str>) -> Session {
    let identity = Identity {
        user_id: user.map(Arc::from),
        account: account.map(Arc::from),
        vouched: user.is_some(),
        ..Identity::default()
    };
    let (url, page, title) = ("/a".into(), "/a".into(), "A".into());
    let place = Place { url, page, title, since: NOW };
    Session { identity, place: Some(place), last_action: Some(NOW), seq: 1, ..Session::default() }
}

fn around(session: &str) -> Around {
    Around { session: Some(session.into()), ..Around::default() }
}

/// A poll as the server makes it: ghosts are noted, offers committed. What it came to, and the
/// variant.
fn poll(
    product: &Product,
    session: &mut Session,
    id: &str,
    seconds: i64,
) -> (String, Option<String>) {
    let now = Timestamp::from_millis(NOW.as_millis() + seconds * 1_000);
    let around = around(id);
    let decision = decide(product, session, &around, now, &mut ());
    ghosts::note(product, session, &decision, now);
    match decision.verdict {
        Verdict::Fire(place) => {
            let (rule, thread) = (&product.rules[place], own_conversation(id));
            let offer = propose(product, rule, (session, &around), id, &thread, now).unwrap();
            let who = session.identity.clone();
            let charge = Charge { product, rule, who: &who, offer: &offer, now };
            commit(session, &charge, true);
            (rule.id.to_string(), offer.variant.as_deref().map(str::to_owned))
        }
        Verdict::Hold(hold) => (hold.as_str().to_owned(), None),
        Verdict::Redeliver => ("again".to_owned(), None),
    }
}

fn first(product: &Product, user: &str) -> String {
    poll(product, &mut person(Some(user), None), "ps_1", 0).0
}

fn users(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("user-{number}"))
}

/// The vectors were made by the reference implementation of XXH3, not by this one.
#[test]
fn the_published_vectors_hold() {
    let text = include_str!("data/buckets.json");
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(text).unwrap();
    assert_eq!(rows.len(), 100);
    for row in rows {
        let [salt, trigger, unit] =
            ["salt", "trigger", "unit"].map(|key| row[key].as_str().unwrap());
        let draws = [Draw::Rollout, Draw::Variant, Draw::Holdout];
        let draw = draws.into_iter().find(|draw| draw.salt() == salt).unwrap();
        assert_eq!(
            u64::from(draw.bucket(trigger, unit)),
            row["bucket"].as_u64().unwrap(),
            "{row:?}"
        );
    }
}

#[test]
fn a_share_is_a_share_and_the_draws_are_independent() {
    let near = |count: usize, share: f64| (count as f64 / 4_000.0 - share).abs() < 0.03;
    let rolled = product(SPACED, &["rollout: 25%"]);
    assert!(near(users(4_000).filter(|user| first(&rolled, user) == "r0").count(), 0.25));
    let held = product(SPACED, &["holdout: 10%"]);
    let held = |user: &String| first(&held, user) == "holdout:trigger";
    assert!(near(users(4_000).filter(held).count(), 0.1));
    let both = product(SPACED, &["rollout: 50%, holdout: 50%"]);
    assert!(near(users(4_000).filter(|user| first(&both, user) == "r0").count(), 0.25));
    let others = product(SPACED, &["rollout: 50%", "rollout: 50%"]);
    assert!(near(users(4_000).filter(|user| first(&others, user) == "r1").count(), 0.25));
}

#[test]
fn variants_have_the_shares_of_their_weights_and_new_weights_move_the_fewest() {
    let variants = |weights: [u32; 2]| {
        let [a, b] = weights;
        let offer = format!(
            "offer: {{ body: B, accept: A, dismiss: D, variants: [{{ id: a, weight: {a} }}, \
             {{ id: b, weight: {b}, body: Other, dismiss: Never }}] }}"
        );
        let product = product(SPACED, &[&*offer]);
        let seen =
            |user: String| poll(&product, &mut person(Some(&user), None), "ps_1", 0).1.unwrap();
        users(4_000).map(seen).collect::<Vec<_>>()
    };
    let (even, uneven) = (variants([1, 1]), variants([1, 3]));
    let near = |seen: &[String], share: f64| {
        let count = seen.iter().filter(|variant| *variant == "a").count();
        (count as f64 / 4_000.0 - share).abs() < 0.03
    };
    assert!(near(&even, 0.5) && near(&uneven, 0.25));
    assert!(even.iter().zip(&uneven).all(|(before, after)| before == "a" || after == "b"));
    assert!(variants([0, 2]).iter().all(|variant| variant == "b"));
}

#[test]
fn a_variant_says_what_differs_and_the_rest_is_the_offers() {
    let offer = "offer: { body: B, accept: A, dismiss: D, timeout: 45s, variants: [\
                 { id: plain }, { id: words, body: Other, dismiss: Never }, { id: list, labels: [X] }] }";
    let product = product(SPACED, &[offer]);
    let copies = &product.rules[0].offer.variants;
    let said: Vec<_> = copies
        .iter()
        .map(|variant| {
            let body = variant.copy.body.as_ref().map(|body| format!("{body:?}"));
            (body.unwrap().contains("Other"), variant.copy.labels.len(), variant.copy.timeout)
        })
        .collect();
    let timeout = product.rules[0].offer.timeout;
    assert_eq!(said, [(false, 2, timeout), (true, 2, timeout), (false, 1, timeout)]);
}

#[test]
fn the_unit_decides_who_falls_together_and_a_missing_one_is_out() {
    let by = |unit: &str| product(SPACED, &[&*format!("rollout: {{ percent: 50, by: {unit} }}")]);
    let came_to = |product: &Product, user: Option<&str>, account: Option<&str>, session: &str| {
        poll(product, &mut person(user, account), session, 0).0
    };
    let bucket = |unit: &str| Draw::Rollout.bucket("r0", unit) < 5_000;
    let named = |inside: bool| if inside { "r0" } else { "rollout:out" };
    for unit in users(40) {
        let unit = &*unit;
        let expected = named(bucket(unit));
        assert_eq!(came_to(&by("user"), Some(unit), None, "ps_1"), expected);
        assert_eq!(came_to(&by("user"), None, None, unit), expected, "else the session");
        assert_eq!(came_to(&by("session"), Some("u_1"), None, unit), expected);
        assert_eq!(came_to(&by("account"), Some("u_1"), Some(unit), "ps_1"), expected);
    }
    assert_eq!(came_to(&by("account"), Some("u_1"), None, "ps_1"), "rollout:out");
    let all = product(SPACED, &["rollout: { percent: 100, by: account }"]);
    assert_eq!(came_to(&all, Some("u_1"), None, "ps_1"), "rollout:out");
}

#[test]
fn whom_it_is_withheld_from_is_offered_no_runner_up_until_an_offer_would_be_over() {
    let product = product(SPACED, &["holdout: 50%, again_after: 1h", "cooldown: 30s"]);
    let held = users(99).find(|user| Draw::Holdout.bucket("r0", user) < 5_000).unwrap();
    let free = users(99).find(|user| Draw::Holdout.bucket("r0", user) >= 5_000).unwrap();
    assert_eq!(first(&product, &free), "r0");
    let mut session = person(Some(&held), None);
    for (seconds, came_to) in
        [(0, "holdout:trigger"), (1, "holdout:trigger"), (99, "holdout:trigger"), (100, "r1")]
    {
        assert_eq!(poll(&product, &mut session, "ps_1", seconds).0, came_to, "{seconds}");
    }
    let fired: Vec<_> = session.triggers.keys().map(|id| &**id).collect();
    assert_eq!(
        (fired, session.last_fired.is_some()),
        (vec!["r1"], true),
        "nothing live was charged"
    );
}

#[test]
fn a_products_control_group_is_the_same_for_every_trigger_until_its_day() {
    let settings =
        "version: 1\nproducts:\n  acme: { holdout: { percent: 20, until: 2027-01-01 } }\n";
    let product = product(settings, &["holdout: 50%", "cooldown: 30s"]);
    let midnight = 1_798_761_600 - NOW.as_millis() / 1_000;
    let mut held = 0;
    for user in users(200) {
        let inside = Draw::Holdout.bucket("", &user) < 2_000;
        let own = Draw::Holdout.bucket("r0", &user) < 5_000;
        let expected = match (inside, own) {
            (true, _) => "holdout:global",
            (false, true) => "holdout:trigger",
            (false, false) => "r0",
        };
        assert_eq!(first(&product, &user), expected, "{user}");
        let later = poll(&product, &mut person(Some(&user), None), "ps_1", midnight).0;
        assert_eq!(later, if own { "holdout:trigger" } else { "r0" }, "{user}");
        held += usize::from(inside);
    }
    assert!((20..60).contains(&held), "{held}");
}

#[test]
fn buckets_in_tests_are_pinned_and_never_drawn() {
    let rules = "version: 1
triggers:
  - id: r
    when: [{ idle: 0s }]
    rollout: 25%
    holdout: 10%
    offer:
      body: B
      accept: A
      dismiss: D
      variants: [{ id: a }, { id: b, weight: 3, body: Other }]
    tests:
      - name: unless it says otherwise, a test is in the rollout and in no control group
        timeline: [{ at: 0s, page: /a }, { at: 1s, fires: { trigger: r, variant: a }, body: B }]
      - name: a bucket decides everything
        given: { bucket: 2499, user: u_1 }
        timeline: [{ at: 0s, page: /a }, { at: 1s, fires: { trigger: r, variant: a } }]
      - name: of the control group
        given: { bucket: 999 }
        timeline: [{ at: 0s, page: /a }, { at: 1s, silent: \"holdout:trigger\" }, { at: 2s, silent: \"holdout:trigger\", next: 299s }]
      - name: out of the rollout
        given: { bucket: 2500 }
        timeline: [{ at: 0s, page: /a }, { at: 1s, silent: \"rollout:out\", next: never }]
      - name: a tester is in, and in no control group
        given: { bucket: 9999, tester: true }
        timeline: [{ at: 0s, page: /a }, { at: 1s, fires: r, variant: b, body: Other }]
";
    let report =
        run(&rulebook(&[("docent.yaml", timelines::PLAIN), ("rules/a.yaml", rules)]), &|_| true);
    let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
    assert!(failed.is_empty() && report.tests.len() == 5, "{failed:#?}");
}

proptest! {
    #[test]
    fn raising_a_rollout_keeps_those_who_are_in(unit in "\\PC{1,40}", trigger in "[a-z]{1,9}", low in 0..=10_000_u16, high in 0..=10_000_u16) {
        let bucket = Draw::Rollout.bucket(&trigger, &unit);
        let (low, high) = (low.min(high), low.max(high));
        prop_assert!(!Share::of(low).holds(bucket) || Share::of(high).holds(bucket));
        prop_assert!(Share::EVERYBODY.holds(bucket) && !Share::NOBODY.holds(bucket));
    }

    #[test]
    fn whoever_is_held_out_never_gets_the_trigger(user in "[a-z]{1,8}", gaps in prop::collection::vec(0..400_i64, 1..30)) {
        let product = product(SPACED, &["holdout: 50%", "cooldown: 1h"]);
        let held = Draw::Holdout.bucket("r0", &user) < 5_000;
        let (mut session, mut now) = (person(Some(&user), None), 0);
        for gap in gaps {
            now += gap;
            let (came_to, _) = poll(&product, &mut session, "ps_1", now);
            prop_assert!(came_to != "r0" || !held);
            prop_assert!(Hold::named(&came_to) != Some(Hold::HoldoutTrigger) || held);
        }
    }
}
