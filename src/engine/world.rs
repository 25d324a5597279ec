//! The records around sessions, as plain values: what people, accounts, conversations and the
//! product remember. Rule tests and replays live in one; the app keeps the same in its store, record
//! by record.

mod claims;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::consent::Consent;
use crate::domain::decision::Decision;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::Offer;
use crate::domain::records::{Account, Conversation, Product as ProductRecord, User};
use crate::domain::session::Session;
use crate::domain::tally::Tallies;
use crate::domain::time::Timestamp;
use crate::engine::advance::{Advanced, Received, take};
use crate::engine::aftermath::{Aftermath, owner};
use crate::engine::ghosts;
use crate::engine::react::{Hearing, Reaction, hear, move_machine, remember};
use crate::engine::settle::lapse;
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

/// A session with its id. What a chatbot may read of it bears on no decision, and is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resident {
    /// The session's id.
    pub id: Arc<str>,
    /// Its state.
    pub session: Session,
}

impl Resident {
    /// A session that nothing is known of.
    pub fn new(id: &Arc<str>) -> Self {
        Self { id: Arc::clone(id), session: Session::default() }
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
        let before = owner(&resident.session);
        let Resident { id, session } = resident;
        let cleaned = product.settings.redact.apply(received.delivery);
        let received = &Received { delivery: &cleaned, ..*received };
        let advanced = take(product, session, received, now);
        if !advanced.duplicate {
            let told = (&**id, &*session);
            let owed = Aftermath::of_delivery(product, &before, told, received, &advanced, now);
            self.settle_up(product, &owed);
        }
        advanced
    }

    /// Applies what a step of a session owes. Nobody asks here which session an address leads to.
    fn settle_up(&mut self, product: &Product, owed: &Aftermath) {
        let mut tallies = Tallies::default();
        if let Some(person) = owed.person.as_ref().filter(|_| owed.concerns_person()) {
            let mut user = self.users.remove(person);
            owed.settle_user(product, &mut user);
            if let Some(user) = user {
                tallies.clone_from(&user.tallies);
                self.users.insert(Arc::clone(person), user);
            }
        }
        if let Some(id) = owed.account.as_ref().filter(|_| owed.concerns_account()) {
            let mut account = self.accounts.remove(id);
            owed.settle_account(product, &tallies, &mut account);
            self.accounts.extend(account.map(|account| (Arc::clone(id), account)));
        }
        owed.settle_product(product, &mut self.product);
    }

    /// What time alone has changed.
    pub fn settle(&mut self, product: &Product, session: &mut Session, now: Timestamp) {
        if let Some(offer) = lapse(session, now) {
            let mut owed = Aftermath::of(session, now);
            owed.lapsed(offer);
            self.settle_up(product, &owed);
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
        let policy = &product.settings.proactive.machine;
        let Hearing { reaction, subject, lapsed } = hear(session, event, named, policy, now);
        let mut owed = Aftermath::of(session, now);
        lapsed.into_iter().for_each(|offer| owed.lapsed(offer));
        owed.word = Consent::said(event, now).filter(|_| reaction.unheard.is_none());
        if let (None, Some(offer)) = (reaction.unheard, subject) {
            owed.heard(offer, event, reaction.goes_on);
        }
        self.settle_up(product, &owed);
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
            remember(session, event, is_meant, reaction.goes_on, now);
            let mut owed =
                Aftermath { word: Consent::said(event, now), ..Aftermath::of(session, now) };
            offer.into_iter().for_each(|offer| owed.heard(offer, event, reaction.goes_on));
            self.settle_up(product, &owed);
        }
        reaction
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
        if ghosts::of(product, decision).next().is_some() {
            let ghosts = Some((*decision, session.identity.clone()));
            self.settle_up(product, &Aftermath { ghosts, ..Aftermath::of(session, now) });
        }
    }
}
