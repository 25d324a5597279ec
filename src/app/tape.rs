//! What the journal keeps of the verbs: each step that changes a session, as one line, with the
//! session as it was found where the journal does not know it yet.

use std::sync::Arc;

use crate::app::{App, Report};
use crate::domain::action::Delivery;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::advance::Received;
use crate::engine::around::Around;
use crate::engine::look::{Looked, Question};
use crate::engine::react::Reaction;
use crate::engine::tape::{
    Batched, Came, Claim, Entry, Heard, Line, Polled, Reacted, Settled, mark,
};
use crate::journal::{Journal, Place};
use crate::rulebook::Product;

/// One session's part of the journal; nothing where none is kept.
pub(crate) struct Reel<'a> {
    journal: Option<&'a Journal>,
    product: &'a Product,
    session: &'a str,
}

/// A session as a step found it.
pub(crate) struct Before {
    seq: u64,
    place: Place,
    /// The session, where the journal's segment does not know it as of `seq`.
    state: Option<Box<Session>>,
}

/// One poll, as it is kept.
pub(crate) struct Poll<'a> {
    pub(crate) question: Question<'a>,
    pub(crate) around: &'a Around,
    pub(crate) looked: &'a Looked,
    pub(crate) failed: &'a [usize],
}

impl App {
    pub(crate) fn reel<'a>(&'a self, product: &'a Product, session: &'a str) -> Reel<'a> {
        Reel { journal: self.journal.as_ref(), product, session }
    }

    /// Another rulebook came into force.
    pub fn journal_rulebook(&self) {
        let Some(journal) = &self.journal else { return };
        let (rulebook, revision) = (self.live.current(), self.live.status().active.revision);
        journal.post_aside(Line {
            at: self.clock.now(),
            product: Arc::default(),
            session: Arc::default(),
            seq: 0,
            left: 0,
            digest: mark(&rulebook.digest),
            entry: Entry::Reload { revision },
        });
    }
}

impl Reel<'_> {
    /// Whether every poll of this session is kept, the silent ones too.
    pub(crate) fn is_sampled(&self) -> bool {
        self.journal.is_some_and(|journal| journal.is_sampled(&self.product.id, self.session))
    }

    /// The session as it is found, before it is changed.
    pub(crate) fn before(&self, session: &Session) -> Option<Before> {
        let journal = self.journal?;
        let place = self.place(journal);
        let seq = session.seq;
        let state = (!journal.knows(place, seq)).then(|| Box::new(session.clone()));
        Some(Before { seq, place, state })
    }

    /// Keeps what a step left behind with this sequence number.
    pub(crate) fn keep(
        &self,
        before: Option<Before>,
        at: Timestamp,
        left: u64,
        entry: impl FnOnce() -> Entry,
    ) {
        let (Some(journal), Some(Before { seq, place, state })) = (self.journal, before) else {
            return;
        };
        let begins = state.map(|state| self.line(at, (seq, seq), Entry::State(state)));
        let step = self.line(at, (seq, left), entry());
        let lines = begins.into_iter().chain([step]).collect();
        journal.post(place, lines, &self.product.asks.parameters);
    }

    /// A rule won, and what it claims was refused: kept where the look itself left something behind,
    /// or where all is.
    pub(crate) fn keep_refused(
        &self,
        before: Option<Before>,
        at: Timestamp,
        looked: &Looked,
        entry: Entry,
    ) {
        let Some(changed) = before.as_ref().map(|before| before.seq != looked.seq) else { return };
        let entry = match entry {
            Entry::Decision(polled) if looked.haunted || self.is_sampled() => {
                Entry::Decision(Box::new(Polled { made: false, claims: Vec::new(), ..*polled }))
            }
            Entry::Decision(polled) if changed => {
                Entry::Settle(Settled { voucher: polled.voucher })
            }
            _ => return,
        };
        self.keep(before, at, looked.seq, || entry);
    }

    /// The session is gone, and so is what was written of it.
    pub(crate) fn forgotten(&self) {
        if let Some(journal) = self.journal {
            journal.forget(&self.product.id, self.session);
        }
    }

    /// The session is gone.
    pub(crate) fn erased(&self, seq: u64, at: Timestamp) {
        let Some(journal) = self.journal else { return };
        let place = self.place(journal);
        let gone = self.line(at, (seq, 0), Entry::Erase);
        journal.post(place, vec![gone], &self.product.asks.parameters);
    }

    fn place(&self, journal: &Journal) -> Place {
        journal.place(&self.product.id, self.session, &self.product.digest)
    }

    fn line(&self, at: Timestamp, (seq, left): (u64, u64), entry: Entry) -> Line {
        let (product, digest) = (Arc::clone(&self.product.id), mark(&self.product.digest));
        Line { at, product, session: self.session.into(), seq, left, digest, entry }
    }
}

impl Poll<'_> {
    /// The poll, if its decision is of note or its session sampled; else that time changed it.
    pub(crate) fn kept(&self, product: &Product, made: bool, claims: Vec<Claim>) -> Entry {
        let Self { question, around, looked, failed } = self;
        Entry::Decision(Box::new(Polled {
            conversation: question.conversation.into(),
            voucher: question.voucher.map(Arc::from),
            as_of: looked.as_of,
            made,
            claims,
            around: (*around).clone(),
            came: Came::of(product, &looked.decision, looked.offer.as_deref(), failed),
        }))
    }

    /// Time alone changed the session, and the answer is not kept.
    pub(crate) fn settled(&self) -> Entry {
        Entry::Settle(Settled { voucher: self.question.voucher.map(Arc::from) })
    }
}

/// A message of activity, as much of it as was taken.
pub(crate) fn batch(received: &Received<'_>, duplicate: bool) -> Entry {
    let mut delivery = (!duplicate).then(|| received.delivery.clone());
    if let Some(Delivery::Actions(batch)) = &mut delivery {
        let over = batch.actions.len().saturating_sub(received.most_actions);
        batch.actions.drain(..over);
    }
    let (identity, trust) = (received.identity, received.trust);
    let voucher = received.voucher.map(Arc::from);
    Entry::Batch(Box::new(Batched { delivery, identity, trust, voucher }))
}

/// A front end's event about this offer.
pub(crate) fn event(report: Report<'_>, offer: Option<Arc<str>>, reaction: &Reaction) -> Entry {
    Entry::Event(Box::new(Heard {
        conversation: report.conversation.into(),
        event: report.event.clone(),
        offer,
        voucher: report.voucher.map(Arc::from),
        reaction: Reacted::from(reaction),
    }))
}
