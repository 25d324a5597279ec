//! The tape: what the journal keeps of each session, line by line, so that it can be lived through
//! again. `docs/journal.md` is the format; [`wire`] says how a line is written.

pub mod fold;
pub mod lives;
pub mod redact;
pub mod sieve;
pub mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::action::{Delivery, Trust};
use crate::domain::decision::{Decision, Verdict};
use crate::domain::machine::{AgentEvent, AgentState};
use crate::domain::offer::Offer;
use crate::domain::session::Session;
use crate::domain::tally::Per;
use crate::domain::time::Timestamp;
use crate::engine::around::Around;
use crate::engine::react::Reaction;
use crate::rulebook::Product;

/// The version of the format; a reader passes over what it does not know.
pub const VERSION: u32 = 1;
/// Hex digits of a rulebook's digest that a line bears.
const DIGITS: usize = 16;

/// One line: a step of one session, or something that concerns all.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The time of the step, as it was passed to the engine.
    pub at: Timestamp,
    /// The product; empty for what concerns the instance.
    pub product: Arc<str>,
    /// The session; empty for what concerns none.
    pub session: Arc<str>,
    /// The session's sequence number as the step saw it.
    pub seq: u64,
    /// The one it left behind; the next step of this session sees that one.
    pub left: u64,
    /// The rulebook that was in force, see [`mark`].
    pub digest: Arc<str>,
    /// What happened.
    pub entry: Entry,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The session as of `seq`. A session's first line in a segment is this one, so that any
    /// segment replays alone; it comes again where something else than the steps below changed it.
    State(Box<Session>),
    /// A message of activity.
    Batch(Box<Batched>),
    /// A front end's event.
    Event(Box<Heard>),
    /// A poll whose decision is not kept found that time alone had changed the session.
    Settle(Settled),
    /// A poll and what it came to.
    Decision(Box<Polled>),
    /// The session was removed; what comes later begins with nothing.
    Erase,
    /// Another rulebook came into force; `digest` is the new one's.
    Reload {
        /// Its number since docent started.
        revision: u64,
    },
    /// So many lines are missing here, because they could not be written in time.
    Gap {
        /// How many.
        lines: u64,
    },
}

/// A message of activity as it was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct Batched {
    /// What it told, of actions only what rules read; `None` when it was a duplicate.
    pub delivery: Option<Delivery>,
    /// The identity under which duplicates are told apart; not to be computed again from the
    /// delivery, of which parts are not kept.
    pub identity: Option<u64>,
    /// How far it was believed.
    pub trust: Trust,
    /// The user a session token vouched for.
    pub voucher: Option<Arc<str>>,
}

/// An event of a front end, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// The chat thread, or `proactive:{session}`.
    #[serde(rename = "conv")]
    pub conversation: Arc<str>,
    /// What happened.
    #[serde(rename = "is")]
    pub event: AgentEvent,
    /// The offer it is about: the one it names, or in another conversation than the session's own
    /// the one that conversation shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Arc<str>>,
    /// The user a session token vouched for.
    #[serde(rename = "who", default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Arc<str>>,
    /// What it came to.
    #[serde(rename = "came")]
    pub reaction: Reacted,
}

/// What an event came to, see [`Reaction`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reacted {
    /// The state before.
    pub from: AgentState,
    /// The state after.
    pub to: AgentState,
    /// Until when its offer stays live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_on: Option<Timestamp>,
    /// Why it did not count, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unheard: Option<Cow<'static, str>>,
}

/// A session that changed by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The user a session token vouched for.
    #[serde(rename = "who", default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Arc<str>>,
}

/// A poll: what it was asked, what it knew, what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Polled {
    /// The chat thread, as asked; blank for the toast's own.
    #[serde(rename = "conv", default, skip_serializing_if = "str::is_empty")]
    pub conversation: Arc<str>,
    /// The user a session token vouched for.
    #[serde(rename = "who", default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Arc<str>>,
    /// When the decision was made, if it was made earlier and said again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Whether an offer was made: everything it claims was granted, and the session took it. A rule
    /// that won without that is followed by another look, with what the claims said in `around`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub made: bool,
    /// What a firing charged beyond the session, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// What was known beyond the session.
    #[serde(default)]
    pub around: Around,
    /// The answer.
    pub came: Came,
}

/// A record beyond the session that a firing charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// A chat thread's machine.
    Conversation,
    /// The person's memory.
    User,
    /// Their account's.
    Account,
    /// The product's.
    Product,
}

/// What a poll came to, by names instead of places in a rulebook, so that two rulebooks can be
/// compared. Two that are written alike are the same answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Came {
    /// `fire`, `redeliver`, or the hold.
    pub verdict: Cow<'static, str>,
    /// The trigger that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Arc<str>>,
    /// The cap that keeps it back, and where that counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Capping>,
    /// Without new activity it cannot change before this instant; `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The shadow that would have been offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Arc<str>>,
    /// Without new activity that cannot change before this instant; `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_until: Option<Timestamp>,
    /// The offer that won, or the one said again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Box<Offer>>,
    /// Triggers that could not be computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Arc<str>>,
}

/// A cap that refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capping {
    /// The cap's id.
    pub id: Arc<str>,
    /// Where it counted: `session`, `user`, `account` or `product`.
    pub per: Cow<'static, str>,
}

/// A rulebook's digest as lines bear it: its first 16 hex digits.
pub fn mark(digest: &str) -> Arc<str> {
    digest.split_at_checked(DIGITS).map_or(digest, |(head, _)| head).into()
}

impl Came {
    /// A decision by names.
    pub fn of(
        product: &Product,
        decision: &Decision,
        offer: Option<&Offer>,
        failed: &[usize],
    ) -> Self {
        let rule = |place: usize| product.rules.get(place).map(|rule| Arc::clone(&rule.id));
        let ends = |until: Timestamp| Some(until).filter(|until| *until != Timestamp::FOREVER);
        let cap = decision.cap.and_then(|capped| {
            let id = Arc::clone(&product.caps.get(capped.place)?.id);
            Some(Capping { id, per: Per::as_str(capped.counted).into() })
        });
        Self {
            verdict: name(decision.verdict).into(),
            rule: decision.rule.and_then(rule),
            cap,
            until: ends(decision.until),
            shadow: decision.shadow.would.and_then(rule),
            shadow_until: ends(decision.shadow.until),
            offer: offer.cloned().map(Box::new),
            failed: failed.iter().copied().filter_map(rule).collect(),
        }
    }

    /// Whether a rule won.
    pub fn fires(&self) -> bool {
        self.verdict == FIRE
    }

    /// Whether it must be kept, sampled or not: it fired, was in the shadow, withheld, or failed.
    pub fn is_of_note(decision: &Decision, failed: &[usize]) -> bool {
        use crate::domain::decision::Hold;
        let withheld = [Hold::HoldoutTrigger, Hold::HoldoutGlobal];
        let noted = match decision.verdict {
            Verdict::Fire(_) => true,
            Verdict::Redeliver => false,
            Verdict::Hold(hold) => withheld.contains(&hold) && decision.rule.is_some(),
        };
        noted || decision.shadow.would.is_some() || !failed.is_empty()
    }
}

/// The verdict of a rule that won.
const FIRE: &str = "fire";

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fire(_) => FIRE,
        Verdict::Redeliver => "redeliver",
        Verdict::Hold(hold) => hold.as_str(),
    }
}

impl From<&Reaction> for Reacted {
    fn from(reaction: &Reaction) -> Self {
        let Reaction { from, to, goes_on, unheard } = *reaction;
        Self { from, to, goes_on, unheard: unheard.map(|unheard| unheard.as_str().into()) }
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
