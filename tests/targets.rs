//! Tours that keep failing are not offered, and heal.
#![cfg(test)]

use std::iter::repeat_n;
use std::sync::Arc;

use docent::domain::decision::{Hold, Verdict};
use docent::domain::machine::AgentEvent;
use docent::domain::records::Product as ProductRecord;
use docent::domain::session::{Place, Session};
use docent::domain::time::{Span, Timestamp};
use docent::engine::around::Around;
use docent::engine::decide::decide;
use docent::engine::targets::{attempt, note, tries, unhealthy};
use docent::rulebook::compile::compile;
use docent::rulebook::{Product, Sources};

const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const TOURS: &str = "version: 1
tours:
  - { id: show, name: Show, use_when: Asked, steps: [{ target: a, title: A, content: A }] }
";
const RULES: &str = "version: 1
triggers:
  - id: hello
    when: [{ dwell: 1s }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks, tour: show }
";

fn product(tours: &str) -> Arc<Product> {
    let files = [
        ("docent.yaml", "version: 1\nproducts:\n  acme: {}\n"),
        ("rules/a.yaml", RULES),
        ("tours/a.yaml", tours),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let (rulebook, findings) = compile(&Sources { files: files.into() }, &|_| None);
    let rulebook = rulebook.unwrap_or_else(|| panic!("{findings:#?}"));
    Arc::clone(&rulebook.products["acme"])
}

/// A record in which so many started the tour and so many of them failed.
fn record(product: &Product, started: usize, failed: usize) -> ProductRecord {
    let (mut record, tour) = (ProductRecord::default(), "show".into());
    let failure = AgentEvent::TourFailed { step: None, reason: None };
    let starts = repeat_n(AgentEvent::ProactiveAcceptedTour, started);
    for event in starts.chain(repeat_n(failure, failed)) {
        note(&mut record, product, &tour, attempt(&event).unwrap(), NOW);
    }
    record
}

fn decided(
    product: &Product,
    record: &ProductRecord,
    id: &str,
    now: Timestamp,
) -> (Verdict, Timestamp) {
    let (url, page, title) = ("/a".into(), "/a".into(), "".into());
    let place = Place { url, page, title, since: NOW };
    let mut session = Session { last_action: Some(NOW), place: Some(place), ..Session::default() };
    let unhealthy = unhealthy(record, product, now);
    let around = Around { unhealthy, session: Some(id.into()), ..Around::default() };
    let decision = decide(product, &mut session, &around, now, &mut ());
    (decision.verdict, decision.until)
}

/// A session that tries a broken tour, or one that does not.
fn session(product: &Product, trying: bool) -> String {
    let mut ids = (0..).map(|n| format!("s{n}"));
    ids.find(|id| tries(product, id, "show") == trying).unwrap()
}

#[test]
fn a_tour_that_keeps_failing_is_held_until_its_failures_are_old() {
    let product = product(TOURS);
    let (id, soon) = (session(&product, false), NOW.plus(Span::from_seconds(2)));
    assert_eq!(decided(&product, &record(&product, 20, 4), &id, soon).0, Verdict::Fire(0));
    assert_eq!(decided(&product, &record(&product, 19, 19), &id, soon).0, Verdict::Fire(0));
    let broken = record(&product, 20, 5);
    let (verdict, until) = decided(&product, &broken, &id, soon);
    assert_eq!(verdict, Verdict::Hold(Hold::TargetUnhealthy));
    let just_before = Timestamp::from_millis(until.as_millis() - 1);
    assert_eq!(decided(&product, &broken, &id, just_before).0, verdict);
    assert_eq!(decided(&product, &broken, &id, until).0, Verdict::Fire(0));
}

#[test]
fn a_changed_tour_starts_anew() {
    let (before, after) = (product(TOURS), product(&TOURS.replace("target: a", "target: b")));
    let broken = record(&before, 30, 30);
    let told = unhealthy(&broken, &before, NOW)[0].to_string();
    assert_eq!(told, "30 of 30 starts of the tour \"show\" failed");
    assert_eq!(unhealthy(&broken, &after, NOW), []);
    let renamed = product(&TOURS.replace("name: Show", "name: Tell"));
    assert_eq!(unhealthy(&broken, &renamed, NOW).len(), 1, "a name is for people alone");
}

#[test]
fn one_session_in_twenty_tries_a_broken_tour() {
    let product = product(TOURS);
    let trying = (0..10_000).filter(|n| tries(&product, &format!("s{n}"), "show")).count();
    assert!((400..600).contains(&trying), "{trying}");
    let (broken, soon) = (record(&product, 30, 30), NOW.plus(Span::from_seconds(2)));
    let id = session(&product, true);
    assert_eq!(decided(&product, &broken, &id, soon).0, Verdict::Fire(0));
}
