//! A test of rules, lived through: the same `advance`, `react`, `decide`, `propose`, claims and
//! `commit` as at run time, with time as the timeline writes it.

mod failure;
mod firing;
mod revision;
mod watch;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Map;

use crate::domain::action::{Batch, Delivery, RawAction, Trust};
use crate::domain::answer::LastAnswer;
use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::machine::{AgentEvent, Machine};
use crate::domain::offer::{Offer, Outcome};
use crate::domain::text::address;
use crate::domain::time::{Span, Timestamp};
use crate::engine::advance::Received;
use crate::engine::around::{Around, Lot, own_conversation};
use crate::engine::decide::decide;
use crate::engine::fire::propose;
use crate::engine::gates::MINUTE;
use crate::engine::observe::Recording;
use crate::engine::targets::unhealthy;
use crate::engine::world::{Resident, World};
use crate::rulebook::Product;
use crate::rulebook::case::{Case, Given, Moment, SESSION, What};
use crate::rulebook::condition::Deciding;
use crate::rulebook::settings::Proactive;

use watch::Watch;

pub use failure::{Failure, Ladder, Rung};

/// When a timeline starts that does not say: 9 October 2025, 08:53:20 UTC, a Thursday.
pub const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);
/// Beyond what one entry can repeat.
const MOST_ACTIONS: usize = 1_000;

/// What living through a timeline came to. It ends at the first failure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Played {
    /// What was expected and did not come.
    pub failure: Option<Failure>,
    /// Places of the rules that made an offer.
    pub fired: BTreeSet<usize>,
    /// Places of the rules that were asked and had nothing to offer.
    pub silent: BTreeSet<usize>,
    /// What each clause of the rules that were asked has decided.
    pub deciding: BTreeMap<usize, Vec<Decided>>,
    /// Whether a poll was silent though every gate let it pass.
    pub quiet: bool,
}

/// What a clause was seen deciding, by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// It was what let its rule match.
    pub let_match: bool,
    /// It was what kept its rule from matching.
    pub kept_silent: bool,
}

/// Lives through a case with the rules of this product.
pub fn play(product: &Product, case: &Case) -> Played {
    let mut player = Player::new(product);
    player.begin(&case.given);
    let failure = case.timeline.iter().find_map(|moment| player.live(moment).err());
    Played { failure: failure.map(|failure| *failure), ..player.played }
}

/// One poll: what it came to, before anything is charged.
struct Poll {
    start: Timestamp,
    now: Timestamp,
    around: Around,
    decision: Decision,
    offer: Option<Offer>,
}

impl Poll {
    /// How long after the start of the timeline; `None` when that is now, past or never.
    fn later(&self, until: Timestamp) -> Option<Span> {
        let comes = self.now < until && until != Timestamp::FOREVER;
        comes.then(|| until.since(self.start))
    }
}

struct Player<'p> {
    /// The product as its files have it.
    filed: &'p Product,
    /// The product in force: under the test's own settings, with the rules it has edited.
    product: Cow<'p, Product>,
    /// The places in the files of the rules in force, once some are edited; none for those.
    places: Option<Vec<Option<usize>>>,
    conversation: Arc<str>,
    resident: Resident,
    world: World,
    page: String,
    start: Timestamp,
    lot: Lot,
    played: Played,
}

impl<'p> Player<'p> {
    fn new(product: &'p Product) -> Self {
        Self {
            filed: product,
            product: Cow::Borrowed(product),
            places: None,
            conversation: own_conversation(SESSION),
            resident: Resident::new(&SESSION.into()),
            world: World::default(),
            page: String::new(),
            start: START,
            lot: Lot::Included,
            played: Played::default(),
        }
    }

    fn begin(&mut self, given: &Given) {
        let Given { tester, proactive, .. } = given;
        if let Some(proactive) = proactive {
            self.product.to_mut().settings.proactive = Proactive::clone(proactive);
        } else if !self.product.settings.proactive.enabled {
            self.product.to_mut().settings.proactive.enabled = true;
        }
        if *tester {
            self.product.to_mut().settings.testers.extend([SESSION.into()]);
        }
        let Given { now, state, dismissals, bucket, .. } = given;
        self.start = now.map_or(START, |now| now.at(&self.product.settings.timezone));
        self.lot = bucket.map_or(Lot::Included, Lot::Pinned);
        let batch = Batch {
            user_id: given.user.clone(),
            email: given.email.as_deref().map(|email| address(email).into_owned()),
            traits: given.traits.clone(),
            account_id: given.account.clone(),
            account_traits: given.account_traits.clone(),
            timezone: given.timezone.clone(),
            locale: given.locale.clone(),
            ..Batch::default()
        };
        if batch != Batch::default() {
            self.deliver(batch, self.start);
        }
        if state.is_some() || dismissals.is_some() {
            let policy = &self.product.settings.proactive.machine;
            let (state, dismissals) = (state.unwrap_or_default(), dismissals.unwrap_or_default());
            self.resident.session.machine = Machine::begun(state, dismissals, policy, self.start);
        }
    }

    fn live(&mut self, moment: &Moment) -> Result<(), Box<Failure>> {
        let now = self.start.plus(moment.at);
        match &moment.what {
            What::Page(page) => {
                self.page.clone_from(page);
                self.act(RawAction { kind: "pageview".into(), ..place(page) }, 1, now);
            }
            What::Act { kind, title, properties, page, repeat } => {
                let page = page.clone().unwrap_or_else(|| self.page.clone());
                let (kind, title) = (kind.clone(), title.clone());
                let properties = properties.clone();
                self.act(RawAction { kind, title, properties, ..place(&page) }, *repeat, now);
            }
            What::Trait(name, value) => {
                let traits = Map::from_iter([(name.clone(), value.clone())]);
                self.deliver(Batch { traits, ..Batch::default() }, now);
            }
            What::Account(account) => {
                let account_id = Some(account.clone());
                self.deliver(Batch { account_id, ..Batch::default() }, now);
            }
            What::AccountTrait(name, value) => {
                let account_traits = Map::from_iter([(name.clone(), value.clone())]);
                self.deliver(Batch { account_traits, ..Batch::default() }, now);
            }
            What::User(user) => {
                self.deliver(Batch { user_id: Some(user.clone()), ..Batch::default() }, now);
            }
            What::Email(email) => {
                let email = Some(address(email).into_owned());
                self.deliver(Batch { email, ..Batch::default() }, now);
            }
            What::Event { event, counts } => return self.report(moment, event, *counts, now),
            What::Goal { trigger, reached } => return self.hoped(moment, trigger, *reached),
            What::Fires(_) | What::Silent(_) | What::Shadows(_) => return self.poll(moment, now),
            What::Reload(rules) => self.reload(rules),
        }
        Ok(())
    }

    fn act(&mut self, action: RawAction, repeat: u32, now: Timestamp) {
        self.deliver(Batch { actions: vec![action; repeat as usize], ..Batch::default() }, now);
    }

    fn deliver(&mut self, batch: Batch, now: Timestamp) {
        let delivery = Delivery::Actions(batch);
        let received = Received {
            delivery: &delivery,
            identity: None,
            trust: Trust::Trusted,
            voucher: None,
            most_actions: MOST_ACTIONS,
        };
        self.world.deliver(&self.product, &mut self.resident, &received, now);
    }

    fn report(
        &mut self,
        moment: &Moment,
        event: &AgentEvent,
        counts: bool,
        now: Timestamp,
    ) -> Result<(), Box<Failure>> {
        let session = &mut self.resident.session;
        let reaction = self.world.report(&self.product, session, (event, None), now);
        if reaction.unheard.is_none() == counts {
            return Ok(());
        }
        Err(Box::new(failure::of_event(moment, event, &reaction)))
    }

    fn hoped(&self, moment: &Moment, trigger: &str, expected: bool) -> Result<(), Box<Failure>> {
        let memory = self.resident.session.triggers.get(trigger);
        let reached = memory.is_some_and(|memory| memory.outcomes.contains_key(&Outcome::Reached));
        if reached == expected {
            return Ok(());
        }
        Err(Box::new(failure::of_goal(moment, trigger, reached)))
    }

    fn poll(&mut self, moment: &Moment, now: Timestamp) -> Result<(), Box<Failure>> {
        let poll = self.ask(now);
        let unmet = failure::unmet(&self.product, &self.resident.session, moment, &poll);
        if let Some(unmet) = unmet {
            let mut recording = Recording::default();
            decide(&self.product, &mut self.resident.session, &poll.around, now, &mut recording);
            let told = failure::of_poll(
                &self.product,
                &self.resident.session,
                moment,
                &poll,
                unmet,
                &recording,
            );
            return Err(Box::new(told));
        }
        self.played.quiet |= matches!(
            poll.decision.verdict,
            Verdict::Hold(Hold::NoTrigger | Hold::TriggerCooldown | Hold::JudgeRejected)
        );
        self.haunt(&poll);
        self.fire(&poll);
        Ok(())
    }

    fn ask(&mut self, now: Timestamp) -> Poll {
        self.world.settle(&self.product, &mut self.resident.session, now);
        let around = self.around(now);
        // What is remembered asks no rule, and coverage would not see it.
        self.resident.session.last_answer = LastAnswer::default();
        let mut watch = Watch::default();
        let decision = decide(&self.product, &mut self.resident.session, &around, now, &mut watch);
        self.note(&watch);
        let winner = match decision.verdict {
            Verdict::Fire(place) => self.product.rules.get(place),
            Verdict::Redeliver | Verdict::Hold(_) => None,
        };
        let known = (&self.resident.session, &around);
        let propose = |rule| propose(&self.product, rule, known, SESSION, &self.conversation, now);
        let offer = winner.and_then(propose);
        Poll { start: self.start, now, around, decision, offer }
    }

    fn note(&mut self, watch: &Watch) {
        for place in &watch.silent {
            self.played.silent.extend(self.filed(*place));
        }
        for (place, Deciding { clause, holds }) in &watch.deciding {
            let Some(place) = self.filed(*place) else { continue };
            let clauses = self.played.deciding.entry(place).or_default();
            clauses.resize(clauses.len().max(clause + 1), Decided::default());
            if let Some(decided) = clauses.get_mut(*clause) {
                decided.let_match |= holds;
                decided.kept_silent |= !holds;
            }
        }
    }

    /// Everything that a firing's claims would learn is known beforehand here, so that none of them
    /// is refused.
    fn around(&self, now: Timestamp) -> Around {
        let minute = self.product.settings.proactive.quotas.product_per_minute;
        let Resident { session, .. } = &self.resident;
        let user = session.identity.user_key();
        Around {
            session: Some(SESSION.into()),
            lot: self.lot,
            user: user.map(|key| self.world.users.get(key).cloned().unwrap_or_default()),
            account: session
                .identity
                .account
                .as_ref()
                .map(|key| self.world.accounts.get(key).cloned().unwrap_or_default()),
            product_full_until: self.world.product.fired.full_until(minute, MINUTE, now),
            tallies: Some(self.world.product.tallies.clone()),
            unhealthy: unhealthy(&self.world.product, &self.product, now),
            ..Around::default()
        }
    }
}

/// Something done there.
fn place(page: &str) -> RawAction {
    RawAction { canonical_url: page.into(), ..RawAction::default() }
}
