//! A report: a front end says what became of an offer, or that a chat began or ended.

use std::sync::Arc;

use crate::app::settle::{Debt, Tried};
use crate::app::tape::{Before, event};
use crate::app::{App, Denied};
use crate::domain::announcement::Cause;
use crate::domain::consent::Consent;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::Conversation;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::aftermath::Aftermath;
use crate::engine::around::session_of;
use crate::engine::look::bind;
use crate::engine::react::{Hearing, Reaction, Unheard, hear, move_machine, remember};
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// One event with what it names.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The chat thread, or `proactive:{session}`.
    pub conversation: &'a str,
    /// What happened.
    pub event: &'a AgentEvent,
    /// The offer it is about, where the client says.
    pub offer: Option<&'a str>,
    /// The user a session token vouches for.
    pub voucher: Option<&'a str>,
}

/// What a session made of a report.
struct Heard {
    reaction: Reaction,
    owed: Aftermath,
    /// As the session was found, for the journal, and the sequence number it was left with.
    before: Option<Before>,
    left: u64,
}

impl App {
    /// Moves the machine that the conversation names. An event that does not count changes nothing.
    /// What one that counts tells is in every record that it concerns when the answer comes.
    pub async fn report(
        &self,
        product: &Arc<Product>,
        report: Report<'_>,
        now: Timestamp,
    ) -> Result<Reaction, Denied> {
        let reaction = match session_of(report.conversation) {
            Some(session) => self.report_own(product, session, report, now).await?,
            None => self.report_foreign(product, report, now).await?,
        };
        self.note_event(product, report.event, &reaction);
        Ok(reaction)
    }

    async fn report_own(
        &self,
        product: &Product,
        session: &str,
        report: Report<'_>,
        now: Timestamp,
    ) -> Result<Reaction, Denied> {
        self.pay_debts(product, session, now).await?;
        let policy = &product.settings.proactive.machine;
        let reel = self.reel(product, session);
        let step = |slot: &mut Option<Session>| {
            let mut session = slot.take().unwrap_or_default();
            let known = session.seq > 0;
            if !session.identity.admits(report.voucher) {
                *slot = Some(session);
                return Step::Keep(None);
            }
            let (before, seq) = (reel.before(&session), session.seq);
            let bound = bind(&mut session, report.voucher);
            let stranger = (bound && session.has_something_to_tell()).then(|| session.clone());
            let Hearing { reaction, subject, lapsed } =
                hear(&mut session, report.event, report.offer, policy, now);
            let (counted, left) = (reaction.unheard.is_none(), session.seq);
            let mut owed = match counted {
                true => Aftermath::of(&session, now),
                false => unheard(product, &session, report.event, now),
            };
            owed.adopted = stranger.map(Box::new).or(owed.adopted);
            lapsed.into_iter().for_each(|offer| owed.lapsed(offer));
            if counted {
                owed.word = Consent::said(report.event, now);
                let subject = subject.into_iter();
                subject.for_each(|offer| owed.heard(offer, report.event, reaction.goes_on));
            }
            let before = before.filter(|_| known || counted);
            *slot = (known || counted).then_some(session);
            let changed = counted || (known && left != seq);
            let answer = Some(Heard { reaction, owed, before, left });
            if changed { Step::Write(answer) } else { Step::Keep(answer) }
        };
        let (key, tried) = (Key { product: &product.id, id: session }, Tried::default());
        let stored = self.store.update(key, now, |slot: &mut _| tried.to(step(slot))).await;
        let heard = self.heard(product, session, report, tried.answer(stored), now)?;
        let (reaction, debt) = heard.ok_or(Denied::AnotherUser)?;
        self.settle(product, session, debt, now).await?;
        Ok(reaction)
    }

    async fn report_foreign(
        &self,
        product: &Product,
        report: Report<'_>,
        now: Timestamp,
    ) -> Result<Reaction, Denied> {
        let policy = &product.settings.proactive.machine;
        let is_word = Consent::said(report.event, now).is_some();
        let step = |slot: &mut Option<Conversation>| {
            let mut record = slot.take().unwrap_or_default();
            let (current, session) = (record.offer.clone(), record.session.clone());
            let machine = &mut record.machine;
            let mut reaction =
                move_machine(machine, current.as_deref(), report.event, report.offer, policy, now);
            if is_word && session.is_none() {
                reaction.unheard = Some(Unheard::UnknownSession);
            }
            let counted = reaction.unheard.is_none();
            // Whoever says it again may have heard no answer, and its session may not know it.
            let again = reaction.unheard == Some(Unheard::InvalidTransition)
                && record.machine.is_led_by(report.event, policy);
            let known = record != Conversation::default();
            *slot = (known || counted).then_some(record);
            let answer = (reaction, session.filter(|_| counted || again), current);
            if counted { Step::Write(answer) } else { Step::Keep(answer) }
        };
        let key = Key { product: &product.id, id: report.conversation };
        let (reaction, session, current) = self.store.update(key, now, step).await?;
        let Some(session) = session else { return Ok(reaction) };
        let told = (reaction, current);
        let owed = self.report_to_session(product, &session, report, told, now).await?;
        if let Some(debt) = owed {
            self.settle(product, &session, debt, now).await?;
        }
        Ok(reaction)
    }

    /// Tells a session what was heard in another conversation than its own, once.
    async fn report_to_session(
        &self,
        product: &Product,
        session: &str,
        report: Report<'_>,
        (reaction, current): (Reaction, Option<Arc<str>>),
        now: Timestamp,
    ) -> Result<Option<Debt>, Denied> {
        self.pay_debts(product, session, now).await?;
        let counted = reaction.unheard.is_none();
        let is_word = Consent::said(report.event, now).is_some();
        let reel = self.reel(product, session);
        let step = |slot: &mut Option<Session>| {
            let session = match slot {
                Some(session) => session,
                None if is_word => slot.insert(Session::default()),
                None => return Step::Keep(None),
            };
            let is_meant = |offer: &Offer| Some(&offer.id) == current.as_ref();
            let meant = session.offer_where(is_meant);
            if !counted && meant.as_ref().is_none_or(|offer| knows(session, offer, report.event)) {
                let owed = unheard(product, session, report.event, now);
                let (before, left) = (None, session.seq);
                return Step::Keep(Some(Heard { reaction, owed, before, left }));
            }
            let before = reel.before(session);
            remember(session, report.event, is_meant, reaction.goes_on, now);
            let mut owed = Aftermath::of(session, now);
            owed.word = Consent::said(report.event, now);
            meant.into_iter().for_each(|offer| owed.heard(offer, report.event, reaction.goes_on));
            Step::Write(Some(Heard { reaction, owed, before, left: session.seq }))
        };
        let (key, tried) = (Key { product: &product.id, id: session }, Tried::default());
        let stored = self.store.update(key, now, |slot: &mut _| tried.to(step(slot))).await;
        let report = Report { offer: current.as_deref(), ..report };
        let heard = self.heard(product, session, report, tried.answer(stored), now)?;
        Ok(heard.map(|(_, debt)| debt))
    }

    /// Writes down what a session heard, or what it may have heard where the store cannot say.
    fn heard(
        &self,
        product: &Product,
        session: &str,
        report: Report<'_>,
        came: Result<Option<Heard>, (StoreError, Option<Option<Heard>>)>,
        now: Timestamp,
    ) -> Result<Option<(Reaction, Debt)>, Denied> {
        let offer = report.offer.map(Arc::from);
        match came {
            Ok(None) => Ok(None),
            Ok(Some(Heard { reaction, owed, before, left })) => {
                if reaction.unheard.is_none() {
                    let by = || Cause::Event(report.event.name().into());
                    self.announce_session(product, session, left, by, now);
                }
                let reel = self.reel(product, session);
                reel.keep(before, now, left, || event(report, offer, &reaction));
                Ok(Some((reaction, Debt::of(owed, left, None))))
            }
            Err((error, heard)) => {
                if let Some(Heard { reaction, owed, before, left }) = heard.flatten() {
                    let line = before.map(|before| (before, event(report, offer, &reaction)));
                    let debt = Debt { open: Some(line), ..Debt::of(owed, left, None) };
                    self.books.owe(&product.id, session, vec![debt]);
                }
                Err(error.into())
            }
        }
    }
}

/// What a session owes that did not hear an event, because it may have heard it before: all that it
/// remembers, where the event would have told of an offer.
fn unheard(product: &Product, session: &Session, event: &AgentEvent, now: Timestamp) -> Aftermath {
    match Outcome::of(event, false) {
        Some(_) => Aftermath::whole(product, session, now),
        None => Aftermath::of(session, now),
    }
}

/// Whether the session has heard of its offer what this event tells.
fn knows(session: &Session, offer: &Offer, event: &AgentEvent) -> bool {
    let memory = session.triggers.get(&offer.trigger);
    let last = Outcome::of(event, false)
        .and_then(|outcome| memory.and_then(|memory| memory.outcomes.get(&outcome)));
    last.is_some_and(|at| offer.made_at <= *at)
}
