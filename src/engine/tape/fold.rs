//! The fold: one session lived through again from its lines, by the same steps as in life. It stays
//! on the recorded path whatever the rules in hand would have done, so that every recorded decision
//! can be compared with what they come to there and then.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::answer::LastAnswer;
use crate::domain::decision::Hold;
use crate::domain::offer::Offer;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::advance::{Advanced, Received, take};
use crate::engine::around::{Scope, session_of};
use crate::engine::charge::Charge;
use crate::engine::fire::{accept, commit};
use crate::engine::gates::Refused;
use crate::engine::ghosts;
use crate::engine::look::{Question, bind, look};
use crate::engine::observe::{Heard as RuleHeard, Observer};
use crate::engine::pseudonym::in_text;
use crate::engine::react::{hear, remember};
use crate::engine::settle::lapse;
use crate::engine::standing::Match;
use crate::engine::tape::{Batched, Came, Entry, Heard, Line, Polled, Reacted, Settled};
use crate::rulebook::Product;
use crate::rulebook::condition::View;
use crate::rulebook::rule::Rule;

/// One session, as far as its lines have been lived through.
#[derive(Clone, Debug)]
pub struct Fold<'p> {
    product: &'p Product,
    id: Arc<str>,
    session: Option<Session>,
    digest: Arc<str>,
}

/// What a line came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Folded {
    /// The session stands as recorded; before it nothing was known, or something else.
    Began,
    /// The state recorded is the one the fold had come to.
    Confirmed,
    /// Activity was taken in.
    Took(Advanced),
    /// An event was heard: as recorded, and now.
    Heard(Box<(Reacted, Reacted)>),
    /// A poll was decided: as recorded, and now.
    Decided(Box<(Came, Came)>),
    /// Time changed the session.
    Settled,
    /// The session is gone.
    Erased,
    /// Nothing of this session.
    Aside,
    /// The line cannot be lived through: no state was recorded before it, or lines are missing.
    /// The session is not known until the next state.
    Lost {
        /// The sequence number that the line saw.
        seen: u64,
        /// The one that the fold had come to, if it knew the session at all.
        known: Option<u64>,
    },
    /// The line was lived through, and left another sequence number than recorded: something of
    /// the session is not as it was. The session is not known until the next state.
    Strayed {
        /// The number recorded.
        recorded: u64,
        /// The number come to.
        now: u64,
    },
}

impl<'p> Fold<'p> {
    /// Nothing is known of the session yet.
    pub fn new(product: &'p Product, id: Arc<str>) -> Self {
        Self { product, id, session: None, digest: Arc::default() }
    }

    /// The session, while it is known.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The mark of the rulebook under which the last line was written.
    pub fn digest(&self) -> &Arc<str> {
        &self.digest
    }

    /// Lives through one line; lines come in the order of [`crate::engine::tape::lives`].
    pub fn apply(&mut self, line: &Line) -> Folded {
        if *line.session != *self.id || *line.product != *self.product.id {
            return Folded::Aside;
        }
        self.digest = Arc::clone(&line.digest);
        let mut session = match &line.entry {
            Entry::State(state) => return self.begin(state),
            Entry::Erase => {
                self.session = None;
                return Folded::Erased;
            }
            Entry::Reload { .. } | Entry::Gap { .. } => return Folded::Aside,
            _ => match self.session.take() {
                Some(session) if session.seq == line.seq => session,
                other => {
                    let known = other.map(|session| session.seq);
                    return Folded::Lost { seen: line.seq, known };
                }
            },
        };
        let folded = match &line.entry {
            Entry::Batch(batch) => Folded::Took(self.take(&mut session, batch, line.at)),
            Entry::Event(event) => self.hear(&mut session, event, line.at),
            Entry::Settle(settled) => {
                settle(&mut session, settled, line.at);
                Folded::Settled
            }
            Entry::Decision(polled) => {
                let now = self.decide(&mut session, polled, line);
                Folded::Decided(Box::new((polled.came.clone(), now)))
            }
            Entry::State(_) | Entry::Erase | Entry::Reload { .. } | Entry::Gap { .. } => {
                Folded::Aside
            }
        };
        if session.seq != line.left && !matches!(folded, Folded::Decided(_)) {
            return Folded::Strayed { recorded: line.left, now: session.seq };
        }
        session.seq = line.left;
        self.session = Some(session);
        folded
    }

    fn begin(&mut self, state: &Session) -> Folded {
        let same = self.session.as_ref().is_some_and(|known| is_same(known, state));
        self.session = Some(state.clone());
        if same { Folded::Confirmed } else { Folded::Began }
    }

    fn take(&self, session: &mut Session, batch: &Batched, now: Timestamp) -> Advanced {
        let Some(delivery) = &batch.delivery else {
            return Advanced { duplicate: true, ..Advanced::default() };
        };
        let received = Received {
            delivery,
            identity: batch.identity,
            trust: batch.trust,
            voucher: batch.voucher.as_deref(),
            // What was too much is not in the line.
            most_actions: usize::MAX,
        };
        take(self.product, session, &received, now)
    }

    fn hear(&self, session: &mut Session, heard: &Heard, now: Timestamp) -> Folded {
        let Heard { conversation, event, offer, voucher, reaction: recorded } = heard;
        let policy = &self.product.settings.proactive.machine;
        if session_of(conversation).is_none() {
            // Another conversation's machine is no part of the session: what it came to is.
            let is_meant = |known: &Offer| Some(&known.id) == offer.as_ref();
            remember(session, event, is_meant, recorded.goes_on, now);
            return Folded::Heard(Box::new((recorded.clone(), recorded.clone())));
        }
        bind(session, voucher.as_deref());
        let hearing = hear(session, event, offer.as_deref(), policy, now);
        Folded::Heard(Box::new((recorded.clone(), Reacted::from(&hearing.reaction))))
    }

    /// Decides as then, and leaves the session as it was left then.
    fn decide(&self, session: &mut Session, polled: &Polled, line: &Line) -> Came {
        let asked_at = polled.as_of.unwrap_or(line.at);
        let question = Question {
            session: &self.id,
            conversation: &polled.conversation,
            voucher: polled.voucher.as_deref(),
        };
        let mut before = session.clone();
        session.last_answer = LastAnswer::default();
        let mut failed = Failed::default();
        let around = &polled.around;
        let seen = look(
            self.product,
            session,
            question,
            around,
            asked_at,
            (&mut failed, |_: &Session| true),
        );
        let Some(seen) = seen else { return polled.came.clone() };
        let offer = seen.offer.clone().map(|offer| self.named(*offer, polled));
        let came = Came::of(self.product, &seen.decision, offer.as_ref(), &failed.0);
        if came == polled.came {
            self.make(session, polled, line.at);
        } else {
            settle(&mut before, &Settled { voucher: polled.voucher.clone() }, line.at);
            haunt(self.product, &mut before, &polled.came, line.at);
            self.make(&mut before, polled, line.at);
            *session = before;
        }
        came
    }

    /// An offer's id hangs on the session's, which is not told where it is an address.
    fn named(&self, offer: Offer, polled: &Polled) -> Offer {
        let told = matches!(in_text(&self.id), Cow::Borrowed(_)) && !self.id.contains("e_");
        match &polled.came.offer {
            Some(recorded) if !told => Offer { id: Arc::clone(&recorded.id), ..offer },
            _ => offer,
        }
    }

    /// The session takes the offer that was made.
    fn make(&self, session: &mut Session, polled: &Polled, now: Timestamp) {
        let Some(offer) = polled.came.offer.as_deref().filter(|_| polled.made) else { return };
        let own = polled.around.scope == Scope::Own;
        match self.product.rules.iter().find(|rule| rule.id == offer.trigger) {
            None => accept(session, offer, own, now),
            Some(rule) => {
                let who = session.identity.clone();
                commit(
                    session,
                    &Charge { product: self.product, rule, who: &who, offer, now },
                    own,
                );
            }
        }
    }
}

fn settle(session: &mut Session, settled: &Settled, now: Timestamp) {
    if session.seq > 0 {
        bind(session, settled.voucher.as_deref());
    }
    lapse(session, now);
}

/// Notes the ghosts that a decision left behind then.
fn haunt(product: &Product, session: &mut Session, came: &Came, now: Timestamp) {
    if let Some(shadow) = &came.shadow {
        ghosts::note_named(product, session, (shadow, None), now);
    }
    let hold = Hold::named(&came.verdict);
    let hold = hold.filter(|hold| matches!(hold, Hold::HoldoutTrigger | Hold::HoldoutGlobal));
    if let (Some(hold), Some(rule)) = (hold, &came.rule) {
        ghosts::note_named(product, session, (rule, Some(hold)), now);
    }
}

/// Whether two states are one. Identities of batches past their time go when somebody looks.
fn is_same(known: &Session, state: &Session) -> bool {
    let bare = |session: &Session| Session { batches: Default::default(), ..session.clone() };
    bare(known) == bare(state)
}

/// Notes which rules failed.
#[derive(Debug, Default)]
struct Failed(Vec<usize>);

impl Observer for Failed {
    const RECORDS: bool = false;

    fn gate(&mut self, _: &'static str, _: Result<(), Refused>) {}

    fn rule_gate(&mut self, _: &'static str, _: Result<(), Refused>, _: &Match<'_>) {}

    fn rule(&mut self, place: usize, _: &Rule, _: &View<'_>, heard: &RuleHeard<'_>) {
        if matches!(heard, RuleHeard::Failed(_)) {
            self.0.push(place);
        }
    }
}
