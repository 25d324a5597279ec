//! A report: a front end says what became of an offer, or that a chat began or ended.

use std::sync::Arc;

use crate::app::consent::Said;
use crate::app::outcome::Subject;
use crate::app::tape::{Before, event};
use crate::app::{App, Denied};
use crate::domain::consent::Consent;
use crate::domain::machine::AgentEvent;
use crate::domain::offer::{Offer, Outcome};
use crate::domain::records::Conversation;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::session_of;
use crate::engine::look::bind;
use crate::engine::react::{Hearing, Reaction, Unheard, hear, move_machine, remember};
use crate::rulebook::Product;
use crate::store::{Key, Step};

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

/// What a report came to, and the offers that it tells about.
struct Heard {
    reaction: Reaction,
    /// The offer that the event is about.
    subject: Option<Subject>,
    /// An offer whose time had run out by then.
    lapsed: Option<Subject>,
    /// The session, when it has just turned out to be somebody's and has something to tell.
    stranger: Option<Session>,
    /// As the session was found, for the journal, and the sequence number it was left with.
    before: Option<Before>,
    left: u64,
    /// What the session's person said to being offered anything.
    said: Option<Said>,
}

impl Heard {
    /// It tells about no offer.
    fn alone(reaction: Reaction) -> Self {
        let (subject, lapsed, stranger, before, said) = <_>::default();
        Self { reaction, subject, lapsed, stranger, before, left: 0, said }
    }
}

/// What a session's person said with an event that counted.
fn said(session: &Session, event: &AgentEvent, now: Timestamp) -> Option<Said> {
    let word = Consent::said(event, now)?;
    Some(Said { person: Arc::clone(session.identity.user_key()?), word })
}

impl App {
    /// Moves the machine that the conversation names. An event that does not count changes nothing.
    pub async fn report(
        &self,
        product: &Arc<Product>,
        report: Report<'_>,
        now: Timestamp,
    ) -> Result<Reaction, Denied> {
        let Heard { reaction, subject, lapsed, stranger, said, .. } =
            match session_of(report.conversation) {
                Some(session) => self.report_own(product, session, report, now).await?,
                None => self.report_foreign(product, report, now).await?,
            };
        if let Some(stranger) = &stranger {
            self.adopt(product, stranger, now).await?;
        }
        if let Some(said) = &said {
            self.note_consent(product, said, now).await?;
        }
        if let Some(lapsed) = lapsed {
            self.note_outcome(product, &lapsed, Some(Outcome::Ignored), now).await?;
        }
        if let (None, Some(subject)) = (reaction.unheard, subject) {
            let subject = subject.going_on(reaction.goes_on).put_off(report.event, now);
            let outcome = Outcome::of(report.event, reaction.goes_on.is_some());
            self.note_outcome(product, &subject, outcome, now).await?;
            self.note_attempt(product, subject.offer(), report.event, now).await?;
        }
        self.note_event(product, report.event, &reaction);
        Ok(reaction)
    }

    async fn report_own(
        &self,
        product: &Product,
        session: &str,
        report: Report<'_>,
        now: Timestamp,
    ) -> Result<Heard, Denied> {
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
            let lapsed = lapsed.map(|offer| Subject::of(&session, offer));
            let subject = subject.map(|offer| Subject::of(&session, offer));
            let (counted, left) = (reaction.unheard.is_none(), session.seq);
            let said = said(&session, report.event, now).filter(|_| counted);
            let before = before.filter(|_| known || counted);
            *slot = (known || counted).then_some(session);
            let changed = counted || (known && left != seq);
            let answer = Some(Heard { reaction, subject, lapsed, stranger, before, left, said });
            if changed { Step::Write(answer) } else { Step::Keep(answer) }
        };
        let key = Key { product: &product.id, id: session };
        let mut heard = self.store.update(key, now, step).await?.ok_or(Denied::AnotherUser)?;
        let named = report.offer.map(Arc::from);
        reel.keep(heard.before.take(), now, heard.left, || event(report, named, &heard.reaction));
        Ok(heard)
    }

    async fn report_foreign(
        &self,
        product: &Product,
        report: Report<'_>,
        now: Timestamp,
    ) -> Result<Heard, Denied> {
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
            let known = record != Conversation::default();
            *slot = (known || counted).then_some(record);
            let answer = (reaction, session, current);
            if counted { Step::Write(answer) } else { Step::Keep(answer) }
        };
        let key = Key { product: &product.id, id: report.conversation };
        let (reaction, session, current) = self.store.update(key, now, step).await?;
        let Some(session) = session.filter(|_| reaction.unheard.is_none()) else {
            return Ok(Heard::alone(reaction));
        };
        let key = Key { product: &product.id, id: &session };
        let reel = self.reel(product, &session);
        let step = |slot: &mut Option<Session>| {
            let session = match slot {
                Some(session) => session,
                None if is_word => slot.insert(Session::default()),
                None => return Step::Keep((None, None, 0, None)),
            };
            let before = reel.before(session);
            let is_meant = |offer: &Offer| Some(&offer.id) == current.as_ref();
            let meant = session.offer_where(is_meant);
            let subject = meant.map(|offer| Subject::of(session, offer));
            remember(session, report.event, is_meant, reaction.goes_on, now);
            Step::Write((subject, before, session.seq, said(session, report.event, now)))
        };
        let (subject, before, left, said) = self.store.update(key, now, step).await?;
        reel.keep(before, now, left, || event(report, current, &reaction));
        Ok(Heard { subject, said, ..Heard::alone(reaction) })
    }
}
