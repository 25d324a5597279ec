//! A poll: decide on one record; on a win, claims, then commit.

use std::sync::Arc;

use crate::app::fire::{Firing, Outcome};
use crate::app::health::Noted;
use crate::app::settle::{Debt, Tried};
use crate::app::tape::{Before, Poll};
use crate::app::{App, Denied};
use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::AgentState;
use crate::domain::offer::Offer;
use crate::domain::records::{Account, Conversation, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::aftermath::Aftermath;
use crate::engine::around::{Around, Named, Scope, named};
use crate::engine::charge::Charge;
pub use crate::engine::look::Question;
use crate::engine::look::{Looked, look};
use crate::engine::tape::{Came, Entry, Settled};
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// A claim that is refused or a session that moved is asked again this often; a burst of
/// simultaneous polls settles in two.
const ATTEMPTS: usize = 8;

/// What a poll came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Polled {
    /// The verdict and how long it stands.
    pub decision: Decision,
    /// The machine's state afterwards.
    pub state: AgentState,
    /// The offer, new or said again.
    pub offer: Option<Box<Offer>>,
    /// The unanswered offer that is the reason for silence.
    pub pending: Option<Box<Offer>>,
}

/// One look at the session, and what its record has to tell besides.
struct Glance {
    looked: Looked,
    noted: Noted,
    /// What it owes, where it changed the session.
    owed: Option<Box<Aftermath>>,
    /// As the session was found, where the journal keeps this poll.
    before: Option<Before>,
}

/// What looking came to: nothing where it would have changed the session.
type Seen = Result<Option<Glance>, Denied>;

impl App {
    /// Decides for one session at `now` where that leaves nothing behind, as it usually does. `None`
    /// when it may leave something: then it is [`App::poll`] that decides, where nobody cuts it short.
    pub async fn peek(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        now: Timestamp,
    ) -> Result<Option<Polled>, Denied> {
        let mut around = self.around(product, question, now).await?;
        for _ in 0..ATTEMPTS {
            let Some(glance) = self.glance(product, question, &around, now, false).await? else {
                return Ok(None);
            };
            if matches!(glance.looked.decision.verdict, Verdict::Fire(_)) {
                return Ok(None);
            }
            let held = self.held(product, question, glance, &mut around, now).await?;
            if held.is_some() {
                return Ok(held);
            }
        }
        Err(Denied::Busy)
    }

    /// Decides for one session at `now`, and fires when a rule wins. Creates no record.
    pub async fn poll(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        now: Timestamp,
    ) -> Result<Polled, Denied> {
        let mut around = self.around(product, question, now).await?;
        for _ in 0..ATTEMPTS {
            let Some(glance) = self.glance(product, question, &around, now, true).await? else {
                continue;
            };
            let Glance { looked, noted, before, .. } = &glance;
            let winner = match looked.decision.verdict {
                Verdict::Fire(place) => product.rules.get(place),
                Verdict::Redeliver | Verdict::Hold(_) => None,
            };
            let (Some(rule), Some(offer)) = (winner, &looked.offer) else {
                let held = self.held(product, question, glance, &mut around, now).await?;
                match held {
                    Some(polled) => return Ok(polled),
                    None => continue,
                }
            };
            let reel = self.reel(product, question.session);
            let poll = Poll { question, around: &around, looked, failed: &noted.failed };
            let seq = looked.seq;
            let charge = Charge { product, rule, who: &looked.who, offer, now };
            let attempt = self.attempts.draw();
            let firing = Firing { charge, session: question.session, seq, attempt };
            // What was known, before the claims say more.
            let entry = before.is_some().then(|| poll.kept(product, true, firing.claims(&around)));
            let fired = Box::pin(self.fire(&firing, &mut around)).await?;
            let Glance { looked, before, .. } = glance;
            match (fired, entry) {
                (Outcome::Refused | Outcome::Moved, Some(entry)) => {
                    reel.keep_refused(before, now, &looked, entry);
                }
                (Outcome::Refused | Outcome::Moved, None) => {}
                (Outcome::Fired, entry) => {
                    if let Some(entry) = entry {
                        reel.keep(before, now, seq + 1, || entry);
                    }
                    let Looked { decision, offer, .. } = looked;
                    let state = AgentState::ProactiveAssistance;
                    let polled = Polled { decision, state, offer, pending: None };
                    return Ok(self.answered(product, question, polled, now));
                }
            }
        }
        Err(Denied::Busy)
    }

    /// No rule won; `None` when the person's word, which was not looked at, says otherwise.
    async fn held(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        glance: Glance,
        around: &mut Around,
        now: Timestamp,
    ) -> Result<Option<Polled>, Denied> {
        let Glance { looked, noted, before, .. } = glance;
        let reel = self.reel(product, question.session);
        if before.is_some() {
            let poll = Poll { question, around, looked: &looked, failed: &noted.failed };
            let of_note = Came::is_of_note(&looked.decision, &noted.failed) || reel.is_sampled();
            reel.keep(before, now, looked.seq, || match of_note {
                true => poll.kept(product, false, Vec::new()),
                false => poll.settled(),
            });
        }
        let Looked { decision, state, who, offer, pending, .. } = looked;
        if self.thinks_otherwise(product, who.user_key(), &decision, around, now).await? {
            return Ok(None);
        }
        let polled = Polled { decision, state, offer, pending };
        Ok(Some(self.answered(product, question, polled, now)))
    }

    /// What is known before the session is looked at: which machine is asked about.
    pub(crate) async fn around(
        &self,
        product: &Product,
        question: Question<'_>,
        now: Timestamp,
    ) -> Result<Around, Denied> {
        let scope = match named(question.session, question.conversation) {
            Named::Own => Scope::Own,
            Named::Invalid => Scope::Invalid,
            Named::Foreign => {
                let key = Key { product: &product.id, id: question.conversation };
                let machine = |record: Option<&Conversation>| {
                    record.map(|record| record.machine.clone()).unwrap_or_default()
                };
                let mut machine = Box::pin(self.store.read(key, now, machine)).await?;
                machine.settle(now);
                Scope::Foreign { conversation: question.conversation.into(), machine }
            }
        };
        let (user, account) = match product.asks.of_person || product.asks.of_account {
            true => Box::pin(self.remembered(product, question.session, now)).await?,
            false => (None, None),
        };
        let session = product.asks_of_session.then(|| question.session.into());
        let paused_until = self.paused_until(&product.id, now).await?;
        Ok(Around { scope, session, user, account, paused_until, ..Around::default() })
    }

    /// What is remembered of the person and of their account, where the product's rules ask for it.
    async fn remembered(
        &self,
        product: &Product,
        session: &str,
        now: Timestamp,
    ) -> Result<(Option<User>, Option<Account>), StoreError> {
        let (of_person, of_account) = (product.asks.of_person, product.asks.of_account);
        let key = |id| Key { product: &product.id, id };
        let ids = |session: Option<&Session>| {
            let identity = &session?.identity;
            Some((identity.user_key().cloned(), identity.account.clone()))
        };
        let (person, account) = self.store.read(key(session), now, ids).await?.unwrap_or_default();
        let user = match person.as_ref().filter(|_| of_person) {
            Some(id) => self.store.read(key(id), now, |user: Option<&User>| user.cloned()).await?,
            None => None,
        };
        let known = |account: Option<&Account>| account.cloned();
        let account = match account.as_ref().filter(|_| of_account) {
            Some(id) => self.store.read(key(id), now, known).await?,
            None => None,
        };
        Ok((user, account))
    }

    /// Looks once. What that would change in the session is changed if it `may_write`; otherwise
    /// nothing is, and `None` comes of it.
    async fn glance(
        &self,
        product: &Product,
        question: Question<'_>,
        around: &Around,
        now: Timestamp,
        may_write: bool,
    ) -> Result<Option<Glance>, Denied> {
        let key = Key { product: &product.id, id: question.session };
        let attentive = self.health.is_watching();
        let reel = self.reel(product, question.session);
        let sampled = reel.is_sampled();
        let step = |slot: &mut Option<Session>| {
            let known = slot.is_some();
            let mut nobody;
            let session = match slot {
                Some(session) => session,
                None => {
                    nobody = Session::default();
                    &mut nobody
                }
            };
            if !session.identity.admits(question.voucher) {
                return Step::Keep(Err(Denied::AnotherUser));
            }
            let seq = session.seq;
            let mut noted = Noted::new(attentive);
            let mut before = None;
            let find = |session: &Session| {
                before = reel.before(session);
                may_write
            };
            let looked = look(product, session, question, around, now, (&mut noted, find));
            let Some(looked) = looked else { return Step::Keep(Ok(None)) };
            let of_note = sampled || Came::is_of_note(&looked.decision, &noted.failed);
            if known && of_note && before.is_none() {
                before = reel.before(session);
            }
            if looked.seq == seq {
                return Step::Keep(Ok(Some(Glance { looked, noted, owed: None, before })));
            }
            let owed = Some(Box::new(looked.owes(session, now)));
            Step::Write(Ok(Some(Glance { looked, noted, owed, before })))
        };
        let seen = match may_write {
            false => self.store.update(key, now, step).await?,
            true => Box::pin(self.look_through(product, question, now, step)).await?,
        };
        let Some(mut glance) = seen? else { return Ok(None) };
        if may_write || !matches!(glance.looked.decision.verdict, Verdict::Fire(_)) {
            self.note_health(product, &glance.noted);
        }
        if let Some(owed) = glance.owed.take() {
            let debt = Debt::of(*owed, glance.looked.seq, None);
            Box::pin(self.settle(product, question.session, debt, now)).await?;
        }
        Ok(Some(glance))
    }

    /// Looks, and notes what a look owes that the store cannot answer for.
    async fn look_through(
        &self,
        product: &Product,
        question: Question<'_>,
        now: Timestamp,
        step: impl Fn(&mut Option<Session>) -> Step<Seen>,
    ) -> Result<Seen, StoreError> {
        let (key, tried) = (Key { product: &product.id, id: question.session }, Tried::default());
        let stored = self.store.update(key, now, |slot: &mut _| tried.to(step(slot))).await;
        tried.answer(stored).map_err(|(error, seen)| {
            if let Some(Ok(Some(Glance { looked, owed: Some(owed), before, .. }))) = seen {
                let settled = Entry::Settle(Settled { voucher: question.voucher.map(Arc::from) });
                let line = before.filter(|_| !looked.haunted).map(|before| (before, settled));
                let debt = Debt { open: Some(line), ..Debt::of(*owed, looked.seq, None) };
                self.books.owe(&product.id, question.session, vec![debt]);
            }
            error
        })
    }
}
