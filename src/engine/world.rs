//! The records around sessions, as plain values: what people, accounts, conversations and the
//! product remember. Rule tests and replays live in one; the app keeps the same in its store, record
//! by record.

mod claims;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::action::{Delivery, Trust};
use crate::domain::consent::Consent;
use crate::domain::decision::Decision;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::{Account, Context, Conversation, Product as ProductRecord, User};
use crate::domain::session::Session;
use crate::domain::tally::{Per, Tallies};
use crate::domain::time::Timestamp;
use crate::domain::traits::learn;
use crate::engine::advance::{Advanced, Received, advance};
use crate::engine::around::is_own;
use crate::engine::ghosts;
use crate::engine::memory::{put_off, wipe, wiped};
use crate::engine::person::{
    Became, adopt, answered, history, join, learn_account, remember, told,
};
use crate::engine::react::{Reaction, move_machine, react, remember as remember_answer};
use crate::engine::settle::lapse;
use crate::engine::targets::{attempt, note};
use crate::rulebook::Product;

/// Everything that is remembered beside sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// By the person's key.
    pub users: BTreeMap<Arc<str>, User>,
    /// By id.
    pub accounts: BTreeMap<Arc<str>, Account>,
    /// Chat threads other than toasts' own, by id.
    pub conversations: BTreeMap<Arc<str>, Conversation>,
    /// The product's own.
    pub product: ProductRecord,
}

/// A session with its id and what a chatbot may read of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resident {
    /// The session's id.
    pub id: Arc<str>,
    /// Its state.
    pub session: Session,
    /// Its context.
    pub context: Context,
}

impl Resident {
    /// A session that nothing is known of.
    pub fn new(id: &Arc<str>) -> Self {
        Self { id: Arc::clone(id), session: Session::default(), context: Context::default() }
    }

    fn owner(&self) -> (Option<Arc<str>>, Option<Arc<str>>) {
        (self.session.identity.user_key().cloned(), self.session.identity.account.clone())
    }
}

impl World {
    /// Takes a delivery into its session, and what it tells of the person and their account.
    pub fn deliver(
        &mut self,
        product: &Product,
        resident: &mut Resident,
        received: &Received<'_>,
        now: Timestamp,
    ) -> Advanced {
        let before = resident.owner();
        let Resident { session, context, .. } = resident;
        let cleaned = product.settings.redact.apply(received.delivery);
        let received = &Received { delivery: &cleaned, ..*received };
        let advanced = advance(&product.settings, session, context, received, now);
        if advanced.duplicate {
            return advanced;
        }
        wipe(&mut session.triggers, wiped(product, received.delivery), now);
        let (person, account) = resident.owner();
        let is_new = before.0 != person;
        let counts_accounts = || product.caps.iter().any(|cap| cap.per == Per::Account);
        if is_new || (before.1 != account && counts_accounts()) {
            self.adopt(product, &resident.session, now);
        }
        if let Some(person) = &person {
            let newest = received.vouched_actions(advanced.accepted, is_new);
            self.follow(product, (resident, person), received.delivery, newest, now);
            self.reached(person, &advanced, now);
        }
        if let (Delivery::Actions(batch), Trust::Trusted) = (received.delivery, received.trust) {
            if let Some(account) = account.filter(|_| !batch.account_traits.is_empty()) {
                learn_account(self.accounts.entry(account).or_default(), &batch.account_traits);
            }
            if let Some(person) = person.filter(|_| !batch.traits.is_empty()) {
                let user = self.users.entry(person).or_default();
                user.seq += u64::from(learn(&mut user.traits, &batch.traits));
            }
        }
        advanced
    }

    /// A session turned out to be somebody's, or their account's.
    fn adopt(&mut self, product: &Product, session: &Session, now: Timestamp) {
        let mut told = Tallies::default();
        if let Some(person) = session.identity.user_key() {
            let user = self.users.entry(Arc::clone(person)).or_default();
            adopt(user, session, &product.caps, now);
            told = user.tallies.clone();
        }
        let told = [&session.tallies, &told];
        let any = told.iter().any(|tallies| !tallies.is_empty());
        let Some(account) = session.identity.account.as_ref().filter(|_| any) else { return };
        let account = self.accounts.entry(Arc::clone(account)).or_default();
        told.iter().for_each(|tallies| join(account, tallies, &product.caps, now));
    }

    /// The person remembers what they did, and forgets what that makes void.
    fn follow(
        &mut self,
        product: &Product,
        (resident, person): (&Resident, &Arc<str>),
        delivery: &Delivery,
        newest: usize,
        now: Timestamp,
    ) {
        if let Some(user) = self.users.get_mut(person) {
            user.seq += u64::from(wipe(&mut user.triggers, wiped(product, delivery), now));
        }
        let asks = &product.asks;
        let told = history(&asks.history, &resident.session, &resident.id, newest);
        if !told.is_empty() {
            remember(self.users.entry(Arc::clone(person)).or_default(), &told, asks.kept, now);
        }
    }

    fn reached(&mut self, person: &Arc<str>, advanced: &Advanced, now: Timestamp) {
        for goal in &advanced.reached {
            let user = self.users.entry(Arc::clone(person)).or_default();
            user.seq += 1;
            let memory = user.triggers.entry(Arc::clone(&goal.trigger)).or_default();
            memory.outcomes.insert(Outcome::Reached, now);
        }
    }

    /// What time alone has changed.
    pub fn settle(&mut self, session: &mut Session, now: Timestamp) {
        if let Some(offer) = lapse(session, now) {
            let outcome = Some(Outcome::Ignored);
            self.answered(session, &offer, Became { outcome, ..Became::default() }, now);
        }
    }

    /// The front end reports an event of the session's own conversation.
    pub fn report(
        &mut self,
        product: &Product,
        session: &mut Session,
        (event, named): (&AgentEvent, Option<&str>),
        now: Timestamp,
    ) -> Reaction {
        self.settle(session, now);
        let offer = session.offer_where(is_own);
        let policy = &product.settings.proactive.machine;
        let reaction = react(session, event, named, policy, now);
        self.consent(session, event, now);
        if let (None, Some(offer)) = (reaction.unheard, offer) {
            self.heard(product, session, &offer, (event, reaction.goes_on), now);
        }
        reaction
    }

    /// The same of another conversation; its session where it has one.
    pub fn report_foreign(
        &mut self,
        product: &Product,
        conversation: &Arc<str>,
        session: Option<&mut Session>,
        (event, named): (&AgentEvent, Option<&str>),
        now: Timestamp,
    ) -> Reaction {
        let policy = &product.settings.proactive.machine;
        let record = self.conversations.entry(Arc::clone(conversation)).or_default();
        let current = record.offer.clone();
        let machine = &mut record.machine;
        let reaction = move_machine(machine, current.as_deref(), event, named, policy, now);
        if let (None, Some(session)) = (reaction.unheard, session) {
            let is_meant = |offer: &Offer| Some(&offer.id) == current.as_ref();
            let offer = session.offer_where(is_meant);
            remember_answer(session, event, is_meant, reaction.goes_on, now);
            self.consent(session, event, now);
            if let Some(offer) = offer {
                self.heard(product, session, &offer, (event, reaction.goes_on), now);
            }
        }
        reaction
    }

    /// The person remembers whether they want to be offered anything.
    fn consent(&mut self, session: &Session, event: &AgentEvent, now: Timestamp) {
        if let (Some(word), Some(key)) = (Consent::said(event, now), session.identity.user_key()) {
            told(self.users.entry(Arc::clone(key)).or_default(), word);
        }
    }

    /// An event counted, and this offer is what it is about.
    fn heard(
        &mut self,
        product: &Product,
        session: &Session,
        offer: &Offer,
        (event, goes_on): (&AgentEvent, Option<Timestamp>),
        now: Timestamp,
    ) {
        let outcome = Outcome::of(event, goes_on.is_some());
        let rests_until = put_off(offer, event, now);
        self.answered(session, offer, Became { outcome, goes_on, rests_until }, now);
        if let (Some(tour), Some(failed), false) = (&offer.tour, attempt(event), offer.tester) {
            note(&mut self.product, product, tour, failed, now);
        }
    }

    /// The person remembers what became of an offer.
    fn answered(&mut self, session: &Session, offer: &Offer, became: Became, now: Timestamp) {
        let of_note = became.outcome.is_some() || offer.terms.group.is_some();
        if let Some(key) = session.identity.user_key().filter(|_| of_note) {
            let user = self.users.entry(Arc::clone(key)).or_default();
            answered(user, offer, became, now);
        }
    }

    /// What a decision would have offered and did not is noted.
    pub fn haunt(
        &mut self,
        product: &Product,
        session: &mut Session,
        decision: &Decision,
        now: Timestamp,
    ) {
        ghosts::note(product, session, decision, now);
        if let Some(key) = session.identity.user_key()
            && ghosts::of(product, decision).next().is_some()
        {
            let user = self.users.entry(Arc::clone(key)).or_default();
            ghosts::note_person(product, (user, &session.identity), decision, now);
        }
    }
}
