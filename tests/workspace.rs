//! The shipped workspace: what `make run` serves, and what a team copies from. It has no findings,
//! every rule shows a moment to speak and one to be silent, and what its tests promise holds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::decision::{Hold, Verdict};
use docent::domain::machine::AgentEvent;
use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::advance::{Received, advance};
use docent::engine::around::{Around, own_conversation};
use docent::engine::decide::decide;
use docent::engine::fire::{commit, propose};
use docent::engine::react::react;
use docent::rulebook::case::{Case, Moment, What};
use docent::rulebook::compile::compile;
use docent::rulebook::finding::Finding;
use docent::rulebook::index::PageIndex;
use docent::rulebook::rule::{Mode, Rule};
use docent::rulebook::{Product, Rulebook, Sources};
use serde_json::{Map, Value, json};

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const SESSION: &str = "ps_1";

#[test]
fn it_has_no_findings() {
    let (_, findings) = shipped();
    assert_eq!(findings, []);
}

#[test]
fn it_shows_what_a_team_would_want() {
    let product = acme();
    let live = product.rules.iter().filter(|rule| rule.mode == Mode::Live).count();
    assert!(live >= 7, "{live} live rules");
    assert!(product.tours.len() >= 4, "{} tours", product.tours.len());
    for tour in product.tours.values() {
        assert!(tour.not_for.is_some(), "the tour `{}` does not say what it is not for", tour.id);
        assert!(tour.route.is_some(), "the tour `{}` has no route", tour.id);
    }
}

#[test]
fn every_rule_shows_a_moment_to_speak_and_one_to_be_silent() {
    for rule in &acme().rules {
        let moments: Vec<_> = rule.cases.iter().flat_map(|case| &case.timeline).collect();
        let fires = moments.iter().any(|moment| matches!(moment.what, What::Fires(_)));
        let silent = moments.iter().any(|moment| matches!(moment.what, What::Silent(_)));
        assert!(fires && silent, "the tests of `{}` show only one of the two", rule.id);
    }
}

#[test]
fn what_its_tests_promise_holds() {
    let product = acme();
    let broken: Vec<String> = product
        .rules
        .iter()
        .flat_map(|rule| rule.cases.iter().flat_map(|case| play(&product, rule, case)))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_promise_that_does_not_hold_is_named() {
    let product = acme();
    let rule = product.rules.iter().find(|rule| &*rule.id == "projects-hesitation").unwrap();
    let expected = |what| Moment { at: Span::ZERO, what, line: 7 };
    let case = |what| Case { name: "planted".into(), timeline: vec![expected(what)] };
    assert_eq!(play(&product, rule, &case(What::Silent(Some(Hold::NoTrigger)))), [""; 0]);
    assert_eq!(play(&product, rule, &case(What::Silent(Some(Hold::MinInterval)))).len(), 1);
    assert_eq!(play(&product, rule, &case(What::Fires(rule.id.to_string()))).len(), 1);
}

#[test]
fn the_archived_readers_fork_reads_every_file_alike() {
    for (file, bytes) in sources().files {
        if file.ends_with(".yaml") {
            let ours: Value = serde_saphyr::from_slice(&bytes).unwrap();
            let theirs: Value = serde_yaml::from_slice(&bytes).unwrap();
            assert_eq!(ours, theirs, "{file}");
        }
    }
}

fn sources() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files =
        BTreeMap::from([("docent.yaml".into(), fs::read(root.join("docent.yaml")).unwrap())]);
    for folder in ["rules", "tours", "prompts"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            files.insert(format!("{folder}/{name}"), fs::read(&path).unwrap());
        }
    }
    Sources { files }
}

fn shipped() -> (Option<Rulebook>, Vec<Finding>) {
    compile(&sources(), &|_| None)
}

fn acme() -> Arc<Product> {
    Arc::clone(shipped().0.unwrap().products.get("acme").unwrap())
}

// ---- a timeline, played with the engine's own verbs

/// What of a case does not hold, a line each. The rule runs alone, whatever its mode.
fn play(product: &Product, rule: &Rule, case: &Case) -> Vec<String> {
    let rules = vec![Rule { mode: Mode::Live, ..rule.clone() }];
    let index = PageIndex::of(&rules);
    let product = Product { rules, index, ..product.clone() };
    let mut player = Player { product: &product, session: Session::default(), page: String::new() };
    case.timeline
        .iter()
        .filter_map(|moment| {
            let trouble = player.live(moment)?;
            let Moment { at, line, .. } = moment;
            Some(format!("{}:{line}: `{}`: at {at}: {trouble}", rule.written.file, case.name))
        })
        .collect()
}

struct Player<'a> {
    product: &'a Product,
    session: Session,
    page: String,
}

impl Player<'_> {
    /// Lives through one moment; says what was expected and did not come.
    fn live(&mut self, moment: &Moment) -> Option<String> {
        let now = START.plus(moment.at);
        match &moment.what {
            What::Page(page) => {
                self.page.clone_from(page);
                self.act("pageview", "", page, 1, now);
            }
            What::Act { kind, title, page, repeat } => {
                let page = page.clone().unwrap_or_else(|| self.page.clone());
                self.act(kind, title, &page, *repeat, now);
            }
            What::Trait(name, value) => {
                let traits = Map::from_iter([(name.clone(), value.clone())]);
                self.deliver(Batch { traits, ..Batch::default() }, now);
            }
            What::Event(name) => {
                let event: AgentEvent = serde_json::from_value(json!({ "event": name })).unwrap();
                let machine = &self.product.settings.proactive.machine;
                react(&mut self.session, &event, None, machine, now);
            }
            What::Fires(_) => {
                let held = self.poll(now)?;
                return Some(format!("expected an offer, found `{}`", held.as_str()));
            }
            What::Silent(expected) => {
                let held = self.poll(now);
                if held.is_none() || expected.is_some_and(|hold| held != Some(hold)) {
                    let expected = expected.map_or("silence", Hold::as_str);
                    let found = held.map_or("an offer", Hold::as_str);
                    return Some(format!("expected `{expected}`, found `{found}`"));
                }
            }
        }
        None
    }

    /// Why a poll is silent; nothing when it makes an offer. An offer said again is no new one.
    fn poll(&mut self, now: Timestamp) -> Option<Hold> {
        let decision = decide(self.product, &mut self.session, &Around::default(), now, &mut ());
        match decision.verdict {
            Verdict::Hold(hold) => Some(hold),
            Verdict::Redeliver => Some(Hold::WrongState),
            Verdict::Fire(place) => {
                let rule = self.product.rules.get(place).unwrap();
                let thread = own_conversation(SESSION);
                let offer = propose(self.product, rule, &self.session, SESSION, &thread, now);
                commit(&mut self.session, &offer, true, now);
                None
            }
        }
    }

    fn act(&mut self, kind: &str, title: &str, page: &str, repeat: u32, now: Timestamp) {
        let action = RawAction {
            kind: kind.into(),
            title: title.into(),
            canonical_url: page.into(),
            ..RawAction::default()
        };
        self.deliver(Batch { actions: vec![action; repeat as usize], ..Batch::default() }, now);
    }

    fn deliver(&mut self, batch: Batch, now: Timestamp) {
        let received = Received {
            delivery: &Delivery::Actions(batch),
            identity: None,
            trust: Trust::Trusted,
            voucher: None,
            most_actions: 1_000,
        };
        let settings = &self.product.settings;
        advance(settings, &mut self.session, &mut Context::default(), &received, now);
    }
}
