//! The sieve: which lines of a journal are of somebody who was erased. A session that ever bore one
//! of their names goes as a whole, so that what is left can still be lived through; what came later
//! under the same names, in another life, stays.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::engine::erasure::Erasures;

/// A session of a product.
pub type Whose = (Arc<str>, Arc<str>);

/// Sessions remembered as nobody's while a segment is read; more are hashed again.
const REMEMBERED: usize = 65_536;

/// As much of a line as says whose it is.
#[derive(Debug, Deserialize)]
pub struct Head<'l> {
    at: Timestamp,
    #[serde(default, borrow)]
    p: Cow<'l, str>,
    #[serde(default, borrow)]
    s: Cow<'l, str>,
    #[serde(default)]
    q: u64,
    #[serde(default, borrow)]
    state: Option<Stands<'l>>,
    #[serde(default, borrow)]
    batch: Option<Named<'l>>,
    #[serde(default, borrow)]
    event: Option<Named<'l>>,
    #[serde(default, borrow)]
    settle: Option<Named<'l>>,
    #[serde(default, borrow)]
    decision: Option<Named<'l>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stands<'l> {
    first_seen: Timestamp,
    #[serde(borrow)]
    identity: Identified<'l>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Identified<'l> {
    #[serde(borrow)]
    user_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    email: Option<Cow<'l, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named<'l> {
    #[serde(borrow)]
    who: Option<Cow<'l, str>>,
    #[serde(borrow)]
    user: Option<Cow<'l, str>>,
    #[serde(borrow)]
    email: Option<Cow<'l, str>>,
}

impl<'l> Head<'l> {
    /// A line's; `None` for what is no line.
    pub fn read(line: &'l str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Whether it is of a session at all.
    pub fn has_session(&self) -> bool {
        !self.s.is_empty()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let steps = [&self.batch, &self.event, &self.settle, &self.decision].into_iter().flatten();
        let said = steps.flat_map(|step| [&step.who, &step.user, &step.email]);
        let stands = self.state.iter().map(|state| &state.identity);
        said.chain(stands.flat_map(|identity| [&identity.user_id, &identity.email]))
            .filter_map(|name| name.as_deref())
    }
}

/// Sessions of people who were erased, with when.
pub type Gone = BTreeMap<Whose, Timestamp>;

/// Looks through lines for sessions of people who were erased.
#[derive(Debug)]
pub struct Search<'e> {
    erasures: &'e Erasures,
    strangers: HashSet<Whose>,
    others: HashSet<Whose>,
    /// What was found.
    pub gone: Gone,
    /// Those of them that are known by a name alone; earlier lines of these may not have been.
    pub by_name: BTreeSet<Whose>,
}

impl<'e> Search<'e> {
    /// Nothing was looked at yet.
    pub fn new(erasures: &'e Erasures) -> Self {
        let (strangers, others, gone, by_name) = <_>::default();
        Self { erasures, strangers, others, gone, by_name }
    }

    /// Looks at a line; whether its session is known to be one of theirs by now.
    pub fn look(&mut self, head: &Head<'_>) -> bool {
        if !head.has_session() {
            return false;
        }
        let whose: Whose = ((*head.p).into(), (*head.s).into());
        if !self.gone.contains_key(&whose) && !self.strangers.contains(&whose) {
            match self.erasures.session(&head.p, &head.s) {
                Some(at) => drop(self.gone.insert(whose.clone(), at)),
                None => {
                    if self.strangers.len() >= REMEMBERED {
                        self.strangers.clear();
                    }
                    self.strangers.insert(whose.clone());
                }
            }
        }
        let named = head.names().filter(|name| !name.is_empty());
        let erased = named.filter_map(|name| self.named(&head.p, name)).max();
        if let Some(erased) = erased.filter(|erased| head.at <= *erased) {
            if !self.gone.contains_key(&whose) {
                self.by_name.insert(whose.clone());
            }
            let at = self.gone.entry(whose.clone()).or_insert(erased);
            *at = erased.max(*at);
        }
        self.gone.contains_key(&whose)
    }

    /// When a name was erased. The same few names come again and again.
    fn named(&mut self, product: &str, name: &str) -> Option<Timestamp> {
        let known: Whose = (product.into(), name.into());
        if self.others.contains(&known) {
            return None;
        }
        let erased = self.erasures.name(product, name);
        if erased.is_none() {
            if self.others.len() >= REMEMBERED {
                self.others.clear();
            }
            self.others.insert(known);
        }
        erased
    }
}

/// Parts the lines of one segment, in their order.
#[derive(Debug)]
pub struct Sieve {
    gone: Arc<Gone>,
    /// Sessions that began anew after they were erased.
    reborn: HashSet<Whose>,
}

impl Sieve {
    /// At the beginning of a segment.
    pub fn new(gone: Arc<Gone>) -> Self {
        Self { gone, reborn: HashSet::new() }
    }

    /// Whether a line stays.
    pub fn keeps(&mut self, head: &Head<'_>) -> bool {
        if !head.has_session() {
            return true;
        }
        let whose: Whose = ((*head.p).into(), (*head.s).into());
        let Some(erased) = self.gone.get(&whose) else { return true };
        if head.at <= *erased {
            self.reborn.remove(&whose);
            return false;
        }
        // By another clock a line may be later and still of the life that was erased: what comes
        // later begins with a state of its own.
        if let Some(state) = &head.state {
            let never = state.first_seen == Timestamp::default();
            let anew = head.q == 0 || never || state.first_seen > *erased;
            if anew {
                self.reborn.insert(whose);
                return true;
            }
            self.reborn.remove(&whose);
            return false;
        }
        self.reborn.contains(&whose)
    }
}
