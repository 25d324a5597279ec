//! Aftermath: what a step of one session owes to the records beside it: to what is remembered of
//! its person and their account, to the address that leads to it, to the figures of a tour. The
//! session is written first, and what it owes after it; where nobody can tell whether that was done,
//! it is done again. Twice is once, but for the figures.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::action::{Action, Delivery, Trust};
use crate::domain::consent::Consent;
use crate::domain::decision::Decision;
use crate::domain::goal::OpenGoal;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::{Account, EmailIndex, Product as ProductRecord, User};
use crate::domain::session::{Identity, Session};
use crate::domain::tally::{Per, Tallies};
use crate::domain::time::Timestamp;
use crate::domain::traits::learn;
use crate::engine::advance::{Advanced, Received};
use crate::engine::ghosts;
use crate::engine::memory::{latest, put_off, wipe, wiped};
use crate::engine::person::{
    Became, History, adopt, answered, history, join, learn_account, remember, told,
};
use crate::engine::targets::{attempt, note};
use crate::rulebook::Product;

/// What one step of a session owes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aftermath {
    /// When the step was made.
    pub at: Timestamp,
    /// The person's key, when somebody vouched for them.
    pub person: Option<Arc<str>>,
    /// Another name that somebody vouched for: their word on being offered anything counts there, too.
    pub also: Option<Arc<str>>,
    /// Their account.
    pub account: Option<Arc<str>>,
    /// The session, where all that it counted and remembers is theirs.
    pub adopted: Option<Box<Session>>,
    /// What they said to being offered anything.
    pub word: Option<Consent>,
    /// Offers that something became of.
    pub answers: Vec<(Offer, Became)>,
    /// Goals of earlier offers that were reached.
    pub reached: Vec<OpenGoal>,
    /// What they did that rules count across sessions.
    pub history: History,
    /// The decision whose ghosts they remember, and whose they were.
    pub ghosts: Option<(Decision, Identity)>,
    /// The tour that was started (`false`) or failed (`true`).
    pub attempt: Option<(Arc<str>, bool)>,
    /// The address that leads to the session, as of that second.
    pub email: Option<(Arc<str>, f64)>,
    /// Triggers whose rests are void.
    pub wiped: Vec<Arc<str>>,
    /// What was said of the person.
    pub traits: Map<String, Value>,
    /// What was said of their account.
    pub account_traits: Map<String, Value>,
}

/// The person and the account of a session, and the person's other name.
pub type Owner = (Option<Arc<str>>, Option<Arc<str>>, Option<Arc<str>>);

/// Whose session it is.
pub fn owner(session: &Session) -> Owner {
    let Identity { account, .. } = &session.identity;
    let (person, also) = (session.identity.user_key(), session.identity.other_name());
    (person.cloned(), account.clone(), also.cloned())
}

/// Whether a cap counts the offers of accounts.
fn counts_accounts(product: &Product) -> bool {
    product.caps.iter().any(|cap| cap.per == Per::Account)
}

impl Aftermath {
    /// Of a step of this session that owes nothing yet.
    pub fn of(session: &Session, at: Timestamp) -> Self {
        let (person, account, also) = owner(session);
        Self { at, person, account, also, ..Self::default() }
    }

    /// Of a delivery that a session took; `before` it had that owner.
    pub fn of_delivery(
        product: &Product,
        before: &Owner,
        (id, session): (&str, &Session),
        received: &Received<'_>,
        advanced: &Advanced,
        now: Timestamp,
    ) -> Self {
        let mut owed = Self::of(session, now);
        let is_new = before.0 != owed.person;
        // A person may have something to tell of an account where the session has not.
        let joins = before.1 != owed.account && counts_accounts(product);
        if is_new && session.has_something_to_tell() || joins {
            owed.adopted = Some(Box::new(session.clone()));
        }
        if before.2 != owed.also {
            owed.word = session.consent;
        }
        owed.reached.clone_from(&advanced.reached);
        if owed.person.is_some() {
            owed.wiped = wiped(product, received.delivery).cloned().collect();
            let newest = received.vouched_actions(advanced.accepted, is_new);
            let first = session.actions.len().saturating_sub(newest);
            owed.history = history(&product.asks.history, session, id, |place, _| place >= first);
        }
        owed.said(product, received, now);
        owed
    }

    /// Of a delivery that the session knows already, as far as the session tells: all that it
    /// remembers, and what the delivery said that nothing in the session has overtaken.
    pub fn again(
        product: &Product,
        (id, session): (&str, &Session),
        received: &Received<'_>,
        now: Timestamp,
    ) -> Self {
        let is_it = |known: &&(u64, Timestamp)| Some(known.0) == received.identity;
        let at = session.batches.iter().find(is_it).map_or(now, |(_, at)| *at);
        let mut owed = Self::whole(product, session, at);
        if let (Some(_), Delivery::Actions(batch)) = (&owed.person, received.delivery) {
            owed.wiped = wiped(product, received.delivery).cloned().collect();
            let vouched = received.vouched_actions(1, false) > 0;
            let its = |_, action: &Action| vouched && action.forwarded == batch.forwarded_at;
            owed.history = history(&product.asks.history, session, id, its);
        }
        owed.said(product, received, at);
        owed.traits.retain(|name, value| match session.traits.get(&**name) {
            Some(known) => known == value,
            None => value.is_null(),
        });
        owed
    }

    /// Of all that a session counted and remembers.
    pub fn whole(product: &Product, session: &Session, at: Timestamp) -> Self {
        let mut owed = Self::of(session, at);
        let tells = owed.person.is_some() && session.has_something_to_tell();
        if tells || owed.account.is_some() && counts_accounts(product) {
            owed.adopted = Some(Box::new(session.clone()));
        }
        owed
    }

    /// Takes what a trusted batch says of people and accounts.
    fn said(&mut self, product: &Product, received: &Received<'_>, now: Timestamp) {
        let (Delivery::Actions(batch), Trust::Trusted) = (received.delivery, received.trust) else {
            return;
        };
        if self.account.is_some() {
            self.account_traits.clone_from(&batch.account_traits);
        }
        if self.person.is_some() {
            self.traits.clone_from(&batch.traits);
        }
        let email = batch.email.as_deref().filter(|_| product.settings.retrieval.by_email);
        // A sender whose clock runs ahead is no newer than its receipt.
        let said = Some(batch.forwarded_at).filter(|said| *said != 0.0);
        let as_of = said.map_or(now.as_seconds(), |said| said.min(now.as_seconds()));
        self.email = email.map(|email| (email.into(), as_of));
    }

    /// Nobody answered an offer in time.
    pub fn lapsed(&mut self, offer: Offer) {
        self.answers.push((offer, Became { outcome: Some(Outcome::Ignored), ..Became::default() }));
    }

    /// An event counted, and this offer is what it is about; it may go on until then.
    pub fn heard(&mut self, offer: Offer, event: &AgentEvent, goes_on: Option<Timestamp>) {
        let outcome = Outcome::of(event, goes_on.is_some());
        let rests_until = put_off(&offer, event, self.at);
        if let (Some(failed), Some(tour), false) = (attempt(event), &offer.tour, offer.tester) {
            self.attempt = Some((Arc::clone(tour), failed));
        }
        self.answers.push((offer, Became { outcome, goes_on, rests_until }));
    }

    /// Whether nothing is owed to anybody, and nothing counted.
    pub fn is_empty(&self) -> bool {
        let Self { answers, reached, email, attempt, .. } = self;
        let counted = !answers.is_empty() || !reached.is_empty();
        !(counted || self.concerns_person() || self.concerns_account())
            && email.is_none()
            && attempt.is_none()
    }

    /// Whether the person remembers anything of it.
    pub fn concerns_person(&self) -> bool {
        let of_note = |(offer, became): &(Offer, Became)| {
            became.outcome.is_some() || offer.terms.group.is_some()
        };
        let told = self.adopted.is_some() || self.word.is_some() || self.ghosts.is_some();
        let did = !(self.reached.is_empty() && self.history.is_empty() && self.wiped.is_empty());
        let known = told || did || !self.traits.is_empty() || self.answers.iter().any(of_note);
        self.person.is_some() && known
    }

    /// Whether their account does.
    pub fn concerns_account(&self) -> bool {
        self.account.is_some() && (self.adopted.is_some() || !self.account_traits.is_empty())
    }

    /// Their newest word, where there is one to keep for good.
    pub fn last_word(&self) -> Option<Consent> {
        self.word.max(self.adopted.as_ref().and_then(|session| session.consent))
    }

    /// Applies it to what is remembered of the person; whether that is news.
    pub fn settle_user(&self, product: &Product, slot: &mut Option<User>) -> bool {
        let known = slot.take();
        let mut user = known.clone().unwrap_or_default();
        self.tell(product, &mut user);
        user.seq = known.as_ref().map_or(0, |known| known.seq);
        let news = known.as_ref().map_or_else(|| user != User::default(), |known| user != *known);
        user.seq += 1;
        *slot = if news { Some(user) } else { known };
        news
    }

    fn tell(&self, product: &Product, user: &mut User) {
        let Self { at, .. } = *self;
        if let Some(session) = &self.adopted {
            adopt(user, session, &product.caps, at);
        }
        wipe(&mut user.triggers, self.wiped.iter(), at);
        for goal in &self.reached {
            let memory = user.triggers.entry(Arc::clone(&goal.trigger)).or_default();
            latest(memory, Outcome::Reached, at);
        }
        remember(user, &self.history, product.asks.kept, at);
        learn(&mut user.traits, &self.traits);
        if let Some(word) = self.word {
            told(user, word);
        }
        for (offer, became) in &self.answers {
            if became.outcome.is_some() || offer.terms.group.is_some() {
                answered(user, offer, *became, at);
            }
        }
        if let Some((decision, who)) = &self.ghosts {
            ghosts::note_person(product, (user, who), decision, at);
        }
    }

    /// Applies it to what is remembered of the account, with what caps counted of the person
    /// elsewhere; whether that is news.
    pub fn settle_account(
        &self,
        product: &Product,
        person: &Tallies,
        slot: &mut Option<Account>,
    ) -> bool {
        let known = slot.take();
        let mut account = known.clone().unwrap_or_default();
        if let Some(session) = &self.adopted {
            for tallies in [&session.tallies, person] {
                join(&mut account, tallies, &product.caps, self.at);
            }
        }
        learn_account(&mut account, &self.account_traits);
        account.seq = known.as_ref().map_or(0, |known| known.seq);
        let news =
            known.as_ref().map_or_else(|| account != Account::default(), |known| account != *known);
        account.seq += 1;
        *slot = if news { Some(account) } else { known };
        news
    }

    /// Applies it to the index of its address: the newest batch says whose session it is, and
    /// arrival order breaks ties; whether that is news.
    pub fn settle_email(&self, session: &str, slot: &mut Option<EmailIndex>) -> bool {
        let Some((_, as_of)) = self.email else { return false };
        let known = slot.as_ref();
        let same =
            |known: &EmailIndex| as_of == known.as_of && known.session.as_deref() == Some(session);
        if known.is_some_and(|known| as_of < known.as_of || same(known)) {
            return false;
        }
        *slot = Some(EmailIndex { session: Some(session.into()), as_of });
        true
    }

    /// Counts it in the product's record; whether that changed.
    pub fn settle_product(&self, product: &Product, record: &mut ProductRecord) -> bool {
        let Some((tour, failed)) = &self.attempt else { return false };
        note(record, product, tour, *failed, self.at)
    }
}
