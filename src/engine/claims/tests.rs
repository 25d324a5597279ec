//! Claims as laws, over random interleavings of attempts by instances with clocks of their own.

mod laws;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::ledger::{LATE, Ledger};
use crate::domain::session::Identity;
use crate::domain::tally::Tallies;
use crate::domain::time::Span;
use crate::engine::around::Around;
use crate::engine::fire::{commit, propose};
use crate::rulebook::compile::compile;
use crate::rulebook::{Product, Sources};

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
/// By how much the clock of each instance is off, in milliseconds.
const CLOCKS: [i64; 3] = [0, 3_000, -1_500];
/// Sessions; two of each person.
const SESSIONS: usize = 6;
/// How long an attempt may have been halted, or longer.
const MINUTES: Span = Span::from_seconds(120);

/// The product's minute, and caps by id: limit and window.
const PER_MINUTE: usize = 4;
const CAPS: [(&str, usize, i64); 3] = [("person", 2, 120), ("company", 5, 90), ("all", 6, 100)];
const SETTINGS: &str = "version: 1
products:
  acme:
    proactive: { quotas: { product_per_minute: 4, user_per_day: 7 } }
    frequency:
      - { id: person, per: user, limit: 2, window: 120s }
      - { id: company, per: account, limit: 5, window: 90s }
      - { id: all, per: product, limit: 6, window: 100s }
";
const RULES: &str = "version: 1
triggers:
  - id: tip
    when: [{ not: { page: /nowhere } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks, timeout: 45s }
    again_after: 20s
  - id: tour
    group: tours
    when: [{ not: { page: /nowhere } }]
    offer: { body: Hello, accept: Yes please, dismiss: No thanks, timeout: 5s }
";

#[derive(Clone, Debug)]
enum Op {
    /// An instance begins an attempt in a session, with a rule, asked by a chat thread or not.
    Begin { session: usize, rule: usize, instance: usize, thread: bool },
    /// One of the attempts under way takes a step.
    Step(usize),
    /// One of them goes no further.
    Crash(usize),
    /// Time passes, in milliseconds.
    Pass(i64),
    /// Somebody else writes to a session.
    Touch(usize),
    /// An older docent, which knows nothing of holders, writes to all records.
    Older,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let begin = (0..SESSIONS, 0..2_usize, 0..CLOCKS.len(), prop::bool::weighted(0.3)).prop_map(
        |(session, rule, instance, thread)| Op::Begin { session, rule, instance, thread },
    );
    let op = prop_oneof![
        8 => begin,
        40 => (0..32_usize).prop_map(Op::Step),
        1 => (0..32_usize).prop_map(Op::Crash),
        4 => (0..1_500_i64).prop_map(Op::Pass),
        1 => (0..40_000_i64).prop_map(Op::Pass),
        2 => (0..SESSIONS).prop_map(Op::Touch),
        1 => prop::bool::weighted(0.2).prop_map(|older| if older { Op::Older } else { Op::Pass(0) }),
    ];
    prop::collection::vec(op, 1..400)
}

/// How far an attempt is; each claim comes after those before it, and is let go in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Conversation,
    User,
    Account,
    Product,
    Commit,
}

const PARTS: [Part; 5] =
    [Part::Conversation, Part::User, Part::Account, Part::Product, Part::Commit];

#[derive(Debug)]
struct Attempted {
    token: Attempt,
    session: usize,
    seq: u64,
    rule: usize,
    offer: Offer,
    thread: bool,
    clock: i64,
    /// The parts still to claim, or to let go.
    claims: Vec<Part>,
    back: Vec<Part>,
    /// An attempt that crashed leaves what it holds.
    crashed: bool,
}

struct Fleet {
    product: std::sync::Arc<Product>,
    sessions: Vec<Session>,
    conversations: Vec<Conversation>,
    users: Vec<User>,
    account: Account,
    record: ProductRecord,
    clock: Timestamp,
    drawn: u64,
    under_way: Vec<Attempted>,
    made: BTreeMap<Arc<str>, Offer>,
    /// Offers that somebody may have left behind.
    abandoned: BTreeSet<Arc<str>>,
    attempted: BTreeSet<Arc<str>>,
}

fn who(session: usize) -> Identity {
    let user = Some(format!("u_{}", session / 2).into());
    let account = Some("initech".into());
    Identity { vouched: true, user_id: user, account, ..Identity::default() }
}

impl Fleet {
    fn new() -> Self {
        let files = [("docent.yaml", SETTINGS), ("rules/r.yaml", RULES)];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let (rulebook, findings) = compile(&Sources { files: files.into() }, &|_| None);
        let product = rulebook.unwrap_or_else(|| panic!("{findings:#?}")).products["acme"].clone();
        let session = |place| Session { identity: who(place), ..Session::default() };
        Self {
            product,
            sessions: (0..SESSIONS).map(session).collect(),
            conversations: vec![Conversation::default(); SESSIONS],
            users: vec![User::default(); SESSIONS / 2],
            account: Account::default(),
            record: ProductRecord::default(),
            clock: START,
            drawn: 0,
            under_way: Vec::new(),
            made: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            attempted: BTreeSet::new(),
        }
    }

    fn now(&self, clock: i64) -> Timestamp {
        Timestamp::from_millis(self.clock.as_millis() + clock)
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Begin { session, rule, instance, thread } => {
                self.begin((session, rule), CLOCKS[instance], thread);
            }
            Op::Step(_) | Op::Crash(_) if self.under_way.is_empty() => {}
            Op::Step(place) => self.step(place % self.under_way.len()),
            Op::Crash(place) => {
                let place = place % self.under_way.len();
                self.under_way[place].crashed = true;
                self.end(place);
            }
            Op::Pass(milliseconds) => self.clock = self.clock.plus(Span::from_millis(milliseconds)),
            Op::Touch(session) => self.sessions[session].seq += 1,
            Op::Older => {
                let under_way = self.under_way.iter().map(|one| Arc::clone(&one.offer.id));
                self.abandoned.extend(under_way);
                self.record.holders.clear();
                self.account.holders.clear();
                self.users.iter_mut().for_each(|user| user.holders.clear());
                self.conversations.iter_mut().for_each(|thread| thread.holders.clear());
            }
        }
    }

    fn begin(&mut self, (session, rule): (usize, usize), clock: i64, thread: bool) {
        let (now, id) = (self.now(clock), format!("s_{session}"));
        let conversation = if thread { "thread".into() } else { "proactive:s".into() };
        let known = (&self.sessions[session], &Around::default());
        let offer =
            propose(&self.product, &self.product.rules[rule], known, &id, &conversation, now);
        let offer = offer.unwrap();
        self.drawn += 1;
        self.attempted.insert(Arc::clone(&offer.id));
        let mut claims = PARTS.to_vec();
        claims.retain(|part| thread || *part != Part::Conversation);
        self.under_way.push(Attempted {
            token: Attempt::drawn(self.drawn),
            session,
            seq: self.sessions[session].seq,
            rule,
            offer,
            thread,
            clock,
            claims,
            back: Vec::new(),
            crashed: false,
        });
    }

    fn step(&mut self, place: usize) {
        let mut one = self.under_way.swap_remove(place);
        if !one.back.is_empty() {
            let part = one.back.remove(0);
            self.release(&one, part);
        } else if one.claims[0] == Part::Commit {
            one.claims.clear();
            self.commit(&mut one);
        } else {
            let part = one.claims.remove(0);
            match self.claim(&one, part) {
                None => {
                    one.crashed = true;
                    one.claims.clear();
                }
                Some(Ok(())) => {}
                Some(Err(Refused)) => {
                    one.claims.clear();
                    one.back = PARTS.into_iter().filter(|earlier| *earlier < part).collect();
                    one.back.retain(|part| one.thread || *part != Part::Conversation);
                }
            }
        }
        let over = one.claims.is_empty() && one.back.is_empty();
        self.under_way.push(one);
        if over {
            self.end(self.under_way.len() - 1);
        }
    }

    fn end(&mut self, place: usize) {
        let one = self.under_way.swap_remove(place);
        if one.crashed {
            self.abandoned.insert(one.offer.id);
        }
    }

    /// Nothing when it comes too late.
    fn claim(&mut self, one: &Attempted, part: Part) -> Option<Result<(), Refused>> {
        let now = one.offer.made_at;
        if self.now(one.clock).since(now) > LATE {
            return None;
        }
        let who = self.sessions[one.session].identity.clone();
        let (product, rule) = (&self.product, &self.product.rules[one.rule]);
        let charge = Charge { product, rule, who: &who, offer: &one.offer, now };
        let session = format!("s_{}", one.session).into();
        Some(match part {
            Part::Conversation => {
                let thread = &mut self.conversations[one.session];
                claim_conversation(thread, &session, (&one.offer, one.token), now)
            }
            Part::User => claim_user(&mut self.users[one.session / 2], &charge, one.token),
            Part::Account => claim_account(&mut self.account, &charge, one.token),
            Part::Product => claim_product(&mut self.record, &charge, one.token).map(drop),
            Part::Commit => unreachable!("it is no claim"),
        })
    }

    fn release(&mut self, one: &Attempted, part: Part) {
        let offer = &one.offer;
        match part {
            Part::Conversation => {
                let thread = &mut self.conversations[one.session];
                release_conversation(thread, (offer, one.token), offer.made_at)
            }
            Part::User => release_user(&mut self.users[one.session / 2], offer, one.token),
            Part::Account => release_account(&mut self.account, offer, one.token),
            Part::Product => release_product(&mut self.record, offer, one.token),
            Part::Commit => unreachable!("it is not taken back"),
        };
    }

    fn commit(&mut self, one: &mut Attempted) {
        let session = &mut self.sessions[one.session];
        let who = session.identity.clone();
        let (product, rule, now) =
            (&self.product, &self.product.rules[one.rule], one.offer.made_at);
        let charge = Charge { product, rule, who: &who, offer: &one.offer, now };
        let conversation = [Part::Conversation].into_iter().filter(|_| one.thread);
        if session.seq == one.seq {
            commit(session, &charge, !one.thread);
            self.made.insert(Arc::clone(&one.offer.id), one.offer.clone());
            self.is_counted(&one.offer);
        } else if session.fired.holds(&one.offer.id) {
            one.back = conversation.collect();
        } else {
            one.back = conversation.chain([Part::User, Part::Account, Part::Product]).collect();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_instances_do_at_once_what_is_made_is_counted_and_nothing_else_is(ops in ops()) {
        let mut fleet = Fleet::new();
        for op in &ops {
            fleet.apply(op);
        }
        fleet.ends();
    }
}

/// An attempt whose commit failed is made again later, when its window has moved on.
#[test]
fn an_offer_that_is_attempted_again_counts_when_it_is_made() {
    let mut fleet = Fleet::new();
    let made = |fleet: &mut Fleet, session, rule| {
        fleet.begin((session, rule), 0, false);
        let before = fleet.made.len();
        while !fleet.under_way.is_empty() {
            fleet.step(0);
        }
        fleet.made.len() - before
    };
    fleet.begin((0, 0), 0, false);
    (0..3).for_each(|_| fleet.step(0));
    fleet.apply(&Op::Crash(0));
    fleet.apply(&Op::Pass(50_000));
    assert_eq!(made(&mut fleet, 0, 0), 1);
    fleet.apply(&Op::Pass(11_000));
    assert_eq!([(2, 0), (3, 1), (4, 0)].map(|(at, rule)| made(&mut fleet, at, rule)), [1, 1, 1]);
    fleet.apply(&Op::Pass(48_900));
    assert_eq!(made(&mut fleet, 5, 1), 0, "the first counts as of when it was made");
    fleet.apply(&Op::Pass(100));
    assert_eq!(made(&mut fleet, 5, 1), 1);
    fleet.apply(&Op::Pass(MINUTES.as_millis()));
    fleet.ends();
}
