//! A poll: decide on one record; on a win, claims, then commit.

use std::sync::Arc;

use crate::app::fire::{Firing, Outcome};
use crate::app::ghosts::Haunted;
use crate::app::health::Noted;
use crate::app::outcome::Subject;
use crate::app::{App, Denied};
use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::AgentState;
use crate::domain::offer::{self, Offer};
use crate::domain::records::{Account, Conversation, User};
use crate::domain::session::{Identity, Session};
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Named, Scope, named, own_conversation};
use crate::engine::charge::Charge;
use crate::engine::decide::decide;
use crate::engine::fire::propose;
use crate::engine::ghosts;
use crate::engine::settle::lapse;
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
    pub offer: Option<Offer>,
    /// The unanswered offer that is the reason for silence.
    pub pending: Option<Offer>,
}

/// Whom a poll asks about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The browser session.
    pub session: &'a str,
    /// The chat thread; blank means the toast's own.
    pub conversation: &'a str,
    /// The user a session token vouches for.
    pub voucher: Option<&'a str>,
}

/// One look at the session.
struct Looked {
    decision: Decision,
    state: AgentState,
    seq: u64,
    offer: Option<Offer>,
    pending: Option<Offer>,
    /// Whose session it is; only told with a new offer.
    who: Identity,
    noted: Noted,
    lapsed: Option<Subject>,
    /// The session, when it has just turned out to be somebody's and has something to tell.
    stranger: Option<Session>,
    haunted: Option<Haunted>,
}

impl App {
    /// Decides for one session at `now`, and fires when a rule wins. Creates no record.
    pub async fn poll(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        now: Timestamp,
    ) -> Result<Polled, Denied> {
        let mut around = self.around(product, question, now).await?;
        for _ in 0..ATTEMPTS {
            let looked = self.look(product, question, &around, now).await?;
            let Looked { decision, state, seq, offer, pending, who, .. } = looked;
            let winner = match decision.verdict {
                Verdict::Fire(place) => product.rules.get(place),
                Verdict::Redeliver | Verdict::Hold(_) => None,
            };
            let (Some(rule), Some(offer)) = (winner, &offer) else {
                return Ok(self.answered(
                    product,
                    question,
                    Polled { decision, state, offer, pending },
                    now,
                ));
            };
            let charge = Charge { product, rule, who: &who, offer, now };
            let firing = Firing { charge, session: question.session, seq };
            match self.fire(&firing, &mut around).await? {
                Outcome::Refused | Outcome::Moved => {}
                Outcome::Fired => {
                    let state = AgentState::ProactiveAssistance;
                    let polled =
                        Polled { decision, state, offer: Some(offer.clone()), pending: None };
                    return Ok(self.answered(product, question, polled, now));
                }
            }
        }
        Err(Denied::Busy)
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
                let mut machine = self.store.read(key, now, machine).await?;
                machine.settle(now);
                Scope::Foreign { conversation: question.conversation.into(), machine }
            }
        };
        let (user, account) = self.remembered(product, question.session, now).await?;
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
        if !(of_person || of_account) {
            return Ok((None, None));
        }
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

    async fn look(
        &self,
        product: &Product,
        question: Question<'_>,
        around: &Around,
        now: Timestamp,
    ) -> Result<Looked, Denied> {
        let key = Key { product: &product.id, id: question.session };
        let attentive = self.health.is_watching();
        let step = |slot: &mut Option<Session>| {
            let mut nobody = Session::default();
            let session = slot.as_mut().unwrap_or(&mut nobody);
            if !session.identity.admits(question.voucher) {
                return Step::Keep(None);
            }
            let seq = session.seq;
            // A poll creates no record, so an unknown session is bound by its first batch or event.
            let bound = seq > 0 && session.identity.bind(question.voucher);
            session.seq += u64::from(bound);
            let lapsed = lapse(session, now).map(|offer| Subject::of(session, offer));
            let looked = question.ask(product, session, around, now, attentive);
            if looked.seq == seq {
                return Step::Keep(Some(looked));
            }
            let stranger = (bound && !session.triggers.is_empty()).then(|| session.clone());
            Step::Write(Some(Looked { lapsed, stranger, ..looked }))
        };
        let looked = self.store.update(key, now, step).await?.ok_or(Denied::AnotherUser)?;
        self.note_health(product, &looked.noted);
        if let Some(lapsed) = &looked.lapsed {
            self.note_outcome(product, lapsed, Some(offer::Outcome::Ignored), now).await?;
        }
        if let Some(stranger) = &looked.stranger {
            self.adopt(product, stranger, now).await?;
        }
        if let Some(haunted) = &looked.haunted {
            self.note_ghosts(product, question.session, haunted, now).await?;
        }
        Ok(looked)
    }
}

impl Question<'_> {
    fn ask(
        &self,
        product: &Product,
        session: &mut Session,
        around: &Around,
        now: Timestamp,
        attentive: bool,
    ) -> Looked {
        let mut noted = Noted::new(attentive);
        let decision = decide(product, session, around, now, &mut noted);
        let seq = session.seq;
        ghosts::note(product, session, &decision, now);
        let who = || session.identity.clone();
        let haunted = (seq < session.seq).then(|| Haunted { decision, who: who() });
        let offer = match decision.verdict {
            Verdict::Fire(place) => product.rules.get(place).and_then(|rule| {
                let conversation = self.conversation_id(around);
                propose(product, rule, (session, around), self.session, &conversation, now)
            }),
            Verdict::Redeliver => session.offer.clone(),
            Verdict::Hold(_) => None,
        };
        let state = match &around.scope {
            Scope::Foreign { machine, .. } => machine.state,
            Scope::Own | Scope::Invalid => session.machine.state,
        };
        let unanswered = state == AgentState::ProactiveAssistance && offer.is_none();
        let pending = around.scope.offer(session, now).filter(|_| unanswered).cloned();
        let who = match decision.verdict {
            Verdict::Fire(_) => session.identity.clone(),
            Verdict::Redeliver | Verdict::Hold(_) => Identity::default(),
        };
        let (seq, lapsed, stranger) = (session.seq, None, None);
        Looked { decision, state, seq, offer, pending, who, noted, lapsed, stranger, haunted }
    }

    fn conversation_id(&self, around: &Around) -> Arc<str> {
        match &around.scope {
            Scope::Foreign { conversation, .. } => Arc::clone(conversation),
            Scope::Own | Scope::Invalid => own_conversation(self.session),
        }
    }
}
