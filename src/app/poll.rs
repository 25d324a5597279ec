//! A poll: decide on one record; on a win, claims, then commit.

use std::sync::Arc;

use crate::app::fire::{Firing, Outcome};
use crate::app::ghosts::Haunted;
use crate::app::health::Noted;
use crate::app::outcome::Subject;
use crate::app::tape::{Before, Poll};
use crate::app::{App, Denied};
use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::AgentState;
use crate::domain::offer::{self, Offer};
use crate::domain::records::{Account, Conversation, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Named, Scope, named};
use crate::engine::charge::Charge;
pub use crate::engine::look::Question;
use crate::engine::look::{Looked, look};
use crate::engine::tape::Came;
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

/// One look at the session, and what its record has to tell besides.
struct Glance {
    looked: Looked,
    noted: Noted,
    lapsed: Option<Subject>,
    /// The session, when it has just turned out to be somebody's and has something to tell.
    stranger: Option<Session>,
    haunted: Option<Haunted>,
    /// As the session was found, where the journal keeps this poll.
    before: Option<Before>,
}

impl App {
    /// Decides for one session at `now`, and fires when a rule wins. Creates no record. What is rare
    /// is boxed, so that the usual poll has a small future to move about.
    pub async fn poll(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        now: Timestamp,
    ) -> Result<Polled, Denied> {
        let mut around = self.around(product, question, now).await?;
        for _ in 0..ATTEMPTS {
            let Glance { looked, noted, before, .. } =
                self.glance(product, question, &around, now).await?;
            let reel = self.reel(product, question.session);
            let poll = Poll { question, around: &around, looked: &looked, failed: &noted.failed };
            let Looked { decision, state, seq, .. } = looked;
            let winner = match decision.verdict {
                Verdict::Fire(place) => product.rules.get(place),
                Verdict::Redeliver | Verdict::Hold(_) => None,
            };
            let (Some(rule), Some(offer)) = (winner, &looked.offer) else {
                let of_note = Came::is_of_note(&decision, &noted.failed) || reel.is_sampled();
                reel.keep(before, now, seq, || match of_note {
                    true => poll.kept(product, false, Vec::new()),
                    false => poll.settled(),
                });
                let person = looked.who.user_key();
                if self.thinks_otherwise(product, person, &decision, &mut around, now).await? {
                    continue;
                }
                let Looked { offer, pending, .. } = looked;
                return Ok(self.answered(
                    product,
                    question,
                    Polled { decision, state, offer, pending },
                    now,
                ));
            };
            let charge = Charge { product, rule, who: &looked.who, offer, now };
            let attempt = self.attempts.draw();
            let firing = Firing { charge, session: question.session, seq, attempt };
            // What was known, before the claims say more.
            let entry = before.is_some().then(|| poll.kept(product, true, firing.claims(&around)));
            match (Box::pin(self.fire(&firing, &mut around)).await?, entry) {
                (Outcome::Refused | Outcome::Moved, Some(entry)) => {
                    reel.keep_refused(before, now, &looked, entry);
                }
                (Outcome::Refused | Outcome::Moved, None) => {}
                (Outcome::Fired, entry) => {
                    if let Some(entry) = entry {
                        reel.keep(before, now, seq + 1, || entry);
                    }
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

    async fn glance(
        &self,
        product: &Product,
        question: Question<'_>,
        around: &Around,
        now: Timestamp,
    ) -> Result<Glance, Denied> {
        let key = Key { product: &product.id, id: question.session };
        let attentive = self.health.is_watching();
        let reel = self.reel(product, question.session);
        let sampled = reel.is_sampled();
        let step = |slot: &mut Option<Session>| {
            let known = slot.is_some();
            let mut nobody = Session::default();
            let session = slot.as_mut().unwrap_or(&mut nobody);
            if !session.identity.admits(question.voucher) {
                return Step::Keep(None);
            }
            let seq = session.seq;
            let mut noted = Noted::new(attentive);
            let mut before = None;
            let find = |session: &Session| before = reel.before(session);
            let looked = look(product, session, question, around, now, (&mut noted, find));
            let of_note = sampled || Came::is_of_note(&looked.decision, &noted.failed);
            if known && of_note && before.is_none() {
                before = reel.before(session);
            }
            let (lapsed, stranger, haunted) = (None, None, None);
            if looked.seq == seq {
                let glance = Glance { looked, noted, lapsed, stranger, haunted, before };
                return Step::Keep(Some(glance));
            }
            let lapsed = looked.lapsed.clone().map(|offer| Subject::of(session, offer));
            let tells = looked.bound && session.has_something_to_tell();
            let stranger = tells.then(|| session.clone());
            let haunted = looked.haunted.then(|| Haunted::of(session, looked.decision));
            Step::Write(Some(Glance { looked, noted, lapsed, stranger, haunted, before }))
        };
        let glance = self.store.update(key, now, step).await?.ok_or(Denied::AnotherUser)?;
        self.note_health(product, &glance.noted);
        if let Some(lapsed) = &glance.lapsed {
            Box::pin(self.note_outcome(product, lapsed, Some(offer::Outcome::Ignored), now))
                .await?;
        }
        if let Some(stranger) = &glance.stranger {
            Box::pin(self.adopt(product, stranger, now)).await?;
        }
        if let Some(haunted) = &glance.haunted {
            Box::pin(self.note_ghosts(product, question.session, haunted, now)).await?;
        }
        Ok(glance)
    }
}
