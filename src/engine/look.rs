//! A look at a session: what one poll does to it and comes to, before anything is claimed. The poll
//! and the fold of a journal are this one function.

use std::sync::Arc;

use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::machine::AgentState;
use crate::domain::offer::Offer;
use crate::domain::session::{Identity, Session};
use crate::domain::time::Timestamp;
use crate::engine::aftermath::Aftermath;
use crate::engine::around::{Around, Scope, own_conversation};
use crate::engine::decide::decide;
use crate::engine::fire::propose;
use crate::engine::ghosts;
use crate::engine::observe::Observer;
use crate::engine::settle::{is_due, lapse};
use crate::rulebook::Product;

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

/// What a look came to.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The verdict and how long it stands.
    pub decision: Decision,
    /// When it was made, if it was made earlier and still stands.
    pub as_of: Option<Timestamp>,
    /// The asked-about machine's state.
    pub state: AgentState,
    /// The session's sequence number afterwards.
    pub seq: u64,
    /// The offer, new or said again; boxed like the others, because most polls have none.
    pub offer: Option<Box<Offer>>,
    /// The unanswered offer that is the reason for silence.
    pub pending: Option<Box<Offer>>,
    /// Whose session it is; only told where their word on being offered anything can matter.
    pub who: Identity,
    /// Whether a token has just said whose session it is.
    pub bound: bool,
    /// The offer that nobody answered in time, when that was found just now.
    pub lapsed: Option<Box<Offer>>,
    /// Whether a ghost was noted.
    pub haunted: bool,
}

/// Looks at a session for somebody whom it admits. `before` is shown the session as it is found, if
/// it is about to be changed, and says whether it may be; where not, nothing comes of it.
pub fn look<O: Observer>(
    product: &Product,
    session: &mut Session,
    question: Question<'_>,
    around: &Around,
    now: Timestamp,
    (observer, mut before): (&mut O, impl FnMut(&Session) -> bool),
) -> Option<Looked> {
    // A poll creates no record, so an unknown session is bound by its first batch or event.
    let binds = session.seq > 0 && !session.identity.bound && question.voucher.is_some();
    let due = is_due(session, now);
    if (binds || due) && !before(session) {
        return None;
    }
    let bound = binds && bind(session, question.voucher);
    let lapsed = lapse(session, now).map(Box::new);
    let decision = decide(product, session, around, now, observer);
    let haunted = ghosts::of(product, &decision).next().is_some();
    if haunted && !(binds || due) && !before(session) {
        return None;
    }
    ghosts::note(product, session, &decision, now);
    let as_of = session.last_answer.made_at().filter(|at| around.is_plain() && *at != now);
    let offer = match decision.verdict {
        Verdict::Fire(place) => product.rules.get(place).and_then(|rule| {
            let conversation = question.conversation_id(around);
            propose(product, rule, (session, around), question.session, &conversation, now)
                .map(Box::new)
        }),
        Verdict::Redeliver => session.offer.clone(),
        Verdict::Hold(_) => None,
    };
    let state = match &around.scope {
        Scope::Foreign { machine, .. } => machine.state,
        Scope::Own | Scope::Invalid => session.machine.state,
    };
    let denied = decision.verdict == Verdict::Hold(Hold::ConsentDenied);
    let unanswered = state == AgentState::ProactiveAssistance && offer.is_none();
    let pending = around.scope.offer(session, now).filter(|_| unanswered && !denied);
    let pending = pending.cloned().map(Box::new);
    let hears = denied || offer.is_some() || pending.is_some();
    let who = if hears { session.identity.clone() } else { Identity::default() };
    let seq = session.seq;
    Some(Looked { decision, as_of, state, seq, offer, pending, who, bound, lapsed, haunted })
}

impl Looked {
    /// What the look owes, which left the session like this.
    pub fn owes(&self, session: &Session, now: Timestamp) -> Aftermath {
        let mut owed = Aftermath::of(session, now);
        if self.bound && session.has_something_to_tell() {
            owed.adopted = Some(Box::new(session.clone()));
        }
        self.lapsed.clone().into_iter().for_each(|offer| owed.lapsed(*offer));
        owed.ghosts = self.haunted.then(|| (self.decision, session.identity.clone()));
        owed
    }
}

/// Binds a session to the user whom a token vouches for; whether that is news.
pub fn bind(session: &mut Session, voucher: Option<&str>) -> bool {
    let bound = session.identity.bind(voucher);
    session.seq += u64::from(bound);
    bound
}

impl Question<'_> {
    fn conversation_id(&self, around: &Around) -> Arc<str> {
        match &around.scope {
            Scope::Foreign { conversation, .. } => Arc::clone(conversation),
            Scope::Own | Scope::Invalid => own_conversation(self.session),
        }
    }
}
