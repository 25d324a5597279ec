//! Records: what each kind weighs, which part of it is activity, and when nothing of it would be
//! missed.

use std::collections::{BTreeMap, VecDeque};
use std::mem::size_of;
use std::sync::Arc;

use hashbrown::HashSet;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::action::{Action, Batch, RawAction};
use crate::domain::ghosts::{Ghosts, Track};
use crate::domain::goal::OpenGoal;
use crate::domain::group::{Groups, Live};
use crate::domain::happened::Happened;
use crate::domain::ledger::Ledger;
use crate::domain::machine::{AgentState, Machine};
use crate::domain::offer::Offer;
use crate::domain::properties::Properties;
use crate::domain::records::{
    Account, Chunk, Context, Conversation, EmailIndex, Pending, Product, User,
};
use crate::domain::session::{Identity, Place, Session, TriggerMemory};
use crate::domain::tally::Tallies;
use crate::domain::text::Shared;
use crate::domain::time::Timestamp;
use crate::store::memory::Housed;

/// Something a store keeps under a key. Activity is what a person did; it lives for
/// `session_ttl` and gives way under pressure. The rest are ledgers, which live for `ledger_ttl`.
pub trait Record: Housed + Clone + Serialize + DeserializeOwned + Send {
    /// The name of the kind, in metrics and in the keys of durable stores.
    const KIND: &'static str;
    /// Whether it goes `ledger_ttl` after its last write. What does not stays until it is changed.
    const AGES: bool = true;

    /// Bytes on the heap, estimated; the record itself not counted. Text that several records
    /// share is split among them.
    fn weigh(&self) -> usize;

    /// Gives back room that growing left over; worth a copy, since most records are written a few
    /// times and then kept for hours.
    fn compact(&mut self) {}

    /// Makes equal texts one again after it was read from disk.
    fn share(&mut self) {}

    /// Whether there is any activity in it.
    fn has_activity(&self) -> bool {
        false
    }

    /// Drops the activity; the ledgers stay.
    fn strip_activity(&mut self) {}

    /// Whether, activity aside, it says nothing that its absence would not say.
    fn is_spent(&self, now: Timestamp) -> bool;
}

impl Record for Session {
    const KIND: &'static str = "session";

    fn weigh(&self) -> usize {
        let place = self
            .place
            .iter()
            .map(|place| shared(&place.page) + shared(&place.url) + shared(&place.title));
        let Identity { user_id, email, account, .. } = &self.identity;
        let told = [user_id, email, account, &self.locale, &self.timezone];
        let texts = told.into_iter().chain([&self.summary]).flatten().map(text);
        let actions: usize = self.actions.iter().map(action).sum();
        let traits = self.traits.iter().map(|(name, value)| text(name) + json(value));
        block(self.actions.capacity() * size_of::<Action>())
            + block(self.batches.capacity() * size_of::<(u64, Timestamp)>())
            + actions
            + place.chain(texts).chain(traits).sum::<usize>()
            + nodes(&self.traits)
            + triggers(&self.triggers)
            + ledger(&self.fired)
            + tallies(&self.tallies)
            + groups(&self.groups)
            + ghosts(self.ghosts.as_deref())
            + self.offer.as_deref().map_or(0, |open| block(size_of::<Offer>()) + offer(open))
            + goals(&self.goals)
    }

    fn compact(&mut self) {
        fit(&mut self.actions);
        fit(&mut self.batches);
    }

    fn share(&mut self) {
        let mut known = HashSet::<Shared>::with_capacity(2 * self.actions.len());
        let place = self.place.iter_mut();
        let place = place.flat_map(|Place { page, url, title, .. }| [page, url, title]);
        let actions = self.actions.iter_mut();
        let actions =
            actions.flat_map(|Action { kind, title, url, page, .. }| [kind, title, url, page]);
        for text in place.chain(actions) {
            match known.get(text.as_str()) {
                Some(same) => *text = same.clone(),
                None => drop(known.insert(text.clone())),
            }
        }
    }

    fn has_activity(&self) -> bool {
        Session::has_activity(self)
    }

    fn strip_activity(&mut self) {
        Session::strip_activity(self);
    }

    fn is_spent(&self, now: Timestamp) -> bool {
        let untold = self.offer.is_none() && self.last_fired.is_none();
        untold
            && self.fired.is_empty()
            && self.triggers.is_empty()
            && self.tallies.is_empty()
            && self.groups.is_empty()
            && self.ghosts.is_none()
            && self.consent.is_none()
            && is_at_rest(&self.machine, now)
    }
}

impl Record for Context {
    const KIND: &'static str = "context";

    fn weigh(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| block(chunk.text.len() + ARC_HEAD));
        let pending = self.pending.as_ref();
        let pending =
            pending.map_or(0, |pending| block(size_of::<Pending>()) + batch(&pending.batch));
        block(self.chunks.capacity() * size_of::<Chunk>()) + chunks.sum::<usize>() + pending
    }

    fn compact(&mut self) {
        fit(&mut self.chunks);
    }

    fn has_activity(&self) -> bool {
        true
    }

    fn strip_activity(&mut self) {
        *self = Self::default();
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        true
    }
}

impl Record for User {
    const KIND: &'static str = "user";

    fn weigh(&self) -> usize {
        let traits = self.traits.iter().map(|(name, value)| text(name) + json(value));
        let traits = traits.sum::<usize>() + nodes(&self.traits);
        let happened = self
            .happened
            .iter()
            .map(|(step, known)| text(step) + block(known.capacity() * size_of::<Happened>()));
        let happened = happened.sum::<usize>() + nodes(&self.happened);
        let counted = tallies(&self.tallies)
            + groups(&self.groups)
            + happened
            + ghosts(self.ghosts.as_deref());
        ledger(&self.fired) + triggers(&self.triggers) + traits + counted
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        let counted = self.fired.is_empty() && self.tallies.is_empty() && self.groups.is_empty();
        let untold = self.traits.is_empty() && self.happened.is_empty() && self.ghosts.is_none();
        counted && untold && self.triggers.is_empty() && self.consent.is_none()
    }
}

impl Record for Account {
    const KIND: &'static str = "account";

    fn weigh(&self) -> usize {
        let traits = self.traits.iter().map(|(name, value)| text(name) + json(value));
        traits.sum::<usize>() + nodes(&self.traits) + tallies(&self.tallies)
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        self.traits.is_empty() && self.tallies.is_empty()
    }
}

impl Record for Product {
    const KIND: &'static str = "product";

    fn weigh(&self) -> usize {
        let tours = self.tours.iter().map(|(tour, attempts)| text(tour) + block(attempts.weigh()));
        ledger(&self.fired) + tallies(&self.tallies) + nodes(&self.tours) + tours.sum::<usize>()
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        *self == Self::default()
    }
}

impl Record for Conversation {
    const KIND: &'static str = "conversation";

    fn weigh(&self) -> usize {
        [&self.session, &self.offer].into_iter().flatten().map(text).sum()
    }

    fn is_spent(&self, now: Timestamp) -> bool {
        is_at_rest(&self.machine, now)
    }
}

/// Leads to what somebody did, so it is activity as a whole.
impl Record for EmailIndex {
    const KIND: &'static str = "email";

    fn weigh(&self) -> usize {
        self.session.as_ref().map_or(0, text)
    }

    fn has_activity(&self) -> bool {
        true
    }

    fn strip_activity(&mut self) {
        *self = Self::default();
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        true
    }
}

/// A machine as a newcomer's would be: thinking, or due to, and never dismissed.
fn is_at_rest(machine: &Machine, now: Timestamp) -> bool {
    let due = machine.until.is_some_and(|until| until <= now);
    machine.dismissals == 0 && (due || machine.state == AgentState::Thinking)
}

/// Shrinks a queue to its entries once a fifth of its room is empty.
fn fit<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() - queue.len() > queue.len() / 4 {
        queue.shrink_to_fit();
    }
}

/// What an allocator adds to a block on average: its head and the rounding.
const ALLOCATION: usize = 16;
/// The two counts before the text of an `Arc`.
const ARC_HEAD: usize = 16;
/// Entries that a node of std's B-tree has room for.
const NODE: usize = 11;
/// The rest of such a node.
const NODE_HEAD: usize = 16;

/// A block of so many bytes; none is allocated for nothing.
pub(crate) const fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + ALLOCATION }
}

fn text(text: &Arc<str>) -> usize {
    block(text.len() + ARC_HEAD) / Arc::strong_count(text).max(1)
}

/// Such a text has the same head; an empty one is no block.
fn shared(text: &Shared) -> usize {
    Shared::strong_count(text).map_or(0, |owners| block(text.len() + ARC_HEAD) / owners.max(1))
}

/// The nodes of a map, two thirds full.
fn nodes<K, V>(map: &BTreeMap<K, V>) -> usize {
    entries(map.len(), size_of::<K>() + size_of::<V>())
}

/// The nodes of a map with so many entries of so many bytes.
fn entries(count: usize, bytes: usize) -> usize {
    count.div_ceil(NODE * 2 / 3) * block(NODE_HEAD + NODE * bytes)
}

fn action(action: &Action) -> usize {
    let told = action.properties.as_ref().map_or(0, |told| {
        let entries = told
            .iter()
            .map(|(name, value)| size_of::<(Box<str>, Value)>() + block(name.len()) + json(value));
        (block(size_of::<Properties>() + ARC_HEAD) + block(entries.sum())) / Arc::strong_count(told)
    });
    let texts = [&action.kind, &action.title, &action.url, &action.page];
    texts.map(shared).iter().sum::<usize>() + told
}

fn offer(offer: &Offer) -> usize {
    let texts = [&offer.id, &offer.trigger, &offer.body, &offer.conversation];
    let optional = offer.tour.iter().chain(&offer.terms.group).chain(&offer.locale);
    block(offer.labels.capacity() * size_of::<Arc<str>>())
        + texts.into_iter().chain(&offer.labels).chain(optional).map(text).sum::<usize>()
        + object(&offer.metadata)
}

fn goals(goals: &VecDeque<OpenGoal>) -> usize {
    let texts = goals.iter().flat_map(|goal| [&goal.offer, &goal.trigger, &goal.goal.event]);
    block(goals.capacity() * size_of::<OpenGoal>()) + texts.map(text).sum::<usize>()
}

fn ledger(ledger: &Ledger) -> usize {
    ledger.offers().map(|offer| size_of::<(Timestamp, Arc<str>)>() + text(offer)).sum()
}

fn triggers(triggers: &BTreeMap<Arc<str>, TriggerMemory>) -> usize {
    let memories = triggers.iter().map(|(id, memory)| {
        let answers = ledger(&memory.dismissed) + ledger(&memory.snoozed);
        text(id) + nodes(&memory.outcomes) + answers
    });
    nodes(triggers) + memories.sum::<usize>()
}

fn tallies(tallies: &Tallies) -> usize {
    let each = tallies.iter().map(|(id, charges)| text(id) + ledger(charges));
    entries(tallies.len(), size_of::<(Arc<str>, Ledger)>()) + each.sum::<usize>()
}

fn groups(groups: &Groups) -> usize {
    let each = groups.iter().map(|(group, live)| text(group) + text(&live.offer));
    entries(groups.len(), size_of::<(Arc<str>, Live)>()) + each.sum::<usize>()
}

fn batch(batch: &Batch) -> usize {
    let Batch { session_id, user_id, email, conversation_id, .. } = batch;
    let ids = [session_id, user_id, email, conversation_id, &batch.account_id];
    let told = [&batch.locale, &batch.timezone];
    let actions = batch.actions.iter().map(|raw| {
        let texts = [&raw.title, &raw.description, &raw.canonical_url, &raw.raw_url, &raw.kind];
        texts.map(string).iter().sum::<usize>() + object(&raw.properties)
    });
    block(batch.actions.capacity() * size_of::<RawAction>())
        + ids.into_iter().chain(told).flatten().map(string).sum::<usize>()
        + actions.sum::<usize>()
        + object(&batch.traits)
        + object(&batch.account_traits)
}

fn ghosts(ghosts: Option<&Ghosts>) -> usize {
    let track = |track: &Track| {
        let triggers = track.triggers.keys().map(text).sum::<usize>() + nodes(&track.triggers);
        triggers + tallies(&track.tallies)
    };
    ghosts.map_or(0, |ghosts| {
        block(size_of::<Ghosts>()) + track(&ghosts.shadow) + track(&ghosts.withheld)
    })
}

fn string(text: &String) -> usize {
    block(text.capacity())
}

fn object(object: &Map<String, Value>) -> usize {
    let entry = size_of::<String>() + size_of::<Value>();
    let members = object.iter().map(|(name, value)| entry + string(name) + json(value));
    members.sum()
}

fn json(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => string(text),
        Value::Array(values) => {
            block(values.capacity() * size_of::<Value>()) + values.iter().map(json).sum::<usize>()
        }
        Value::Object(members) => object(members),
    }
}
