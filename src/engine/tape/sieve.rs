//! The sieve: which lines of a journal are of somebody who was erased. A session that ever bore one
//! of their names goes as a whole, so that what is left can still be lived through; what came later
//! under the same names, in another life, stays.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::engine::erasure::{Erasures, Named as Erased};

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
    browser: bool,
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

    fn steps(&self) -> impl Iterator<Item = &Named<'l>> {
        [&self.batch, &self.event, &self.settle, &self.decision].into_iter().flatten()
    }

    fn user_ids(&self) -> impl Iterator<Item = &str> {
        let said = self.steps().flat_map(|step| [&step.who, &step.user]);
        given(said.chain(self.state.iter().map(|state| &state.identity.user_id)))
    }

    fn addresses(&self) -> impl Iterator<Item = &str> {
        let said = self.steps().map(|step| &step.email);
        given(said.chain(self.state.iter().map(|state| &state.identity.email)))
    }

    /// Whether it says by a user id who it is. A browser is not believed.
    fn identifies(&self) -> bool {
        let said = self.steps().flat_map(|step| {
            [Some(&step.who), Some(&step.user).filter(|_| !step.browser)].into_iter().flatten()
        });
        given(said.chain(self.state.iter().map(|state| &state.identity.user_id))).next().is_some()
    }
}

fn given<'h, 'l: 'h>(
    names: impl Iterator<Item = &'h Option<Cow<'l, str>>>,
) -> impl Iterator<Item = &'h str> {
    names.filter_map(|name| name.as_deref()).filter(|name| !name.is_empty())
}

/// Sessions of people who were erased, with when.
pub type Gone = BTreeMap<Whose, Timestamp>;

/// Sessions that are nobody's who was erased.
#[derive(Debug, Default)]
struct Strangers(HashSet<Whose>);

impl Strangers {
    /// When a session was erased.
    fn erased(&mut self, erasures: &Erasures, whose: &Whose) -> Option<Timestamp> {
        if self.0.contains(whose) {
            return None;
        }
        let erased = erasures.session(&whose.0, &whose.1);
        if erased.is_none() {
            if self.0.len() >= REMEMBERED {
                self.0.clear();
            }
            self.0.insert(whose.clone());
        }
        erased
    }
}

/// Looks through lines for sessions of people who were erased: through all of them with
/// [`Search::look`], then, where there are doubts, with [`Search::look_again`], and decides.
#[derive(Debug)]
pub struct Search<'e> {
    erasures: &'e Erasures,
    strangers: Strangers,
    others: HashSet<Whose>,
    /// Sessions that bear an address which was said beside an erased user id: theirs, unless another
    /// user id says whose they are.
    doubtful: Gone,
    /// What was found.
    pub gone: Gone,
    /// Those of them that are known by a name alone; earlier lines of these may not have been.
    pub by_name: BTreeSet<Whose>,
}

impl<'e> Search<'e> {
    /// Nothing was looked at yet.
    pub fn new(erasures: &'e Erasures) -> Self {
        let (strangers, others, doubtful, gone, by_name) = <_>::default();
        Self { erasures, strangers, others, doubtful, gone, by_name }
    }

    /// Looks at a line; whether its session may be one of theirs, by what is known by now.
    pub fn look(&mut self, head: &Head<'_>) -> bool {
        if !head.has_session() {
            return false;
        }
        let whose: Whose = ((*head.p).into(), (*head.s).into());
        if !self.gone.contains_key(&whose)
            && let Some(at) = self.strangers.erased(self.erasures, &whose)
        {
            self.gone.insert(whose.clone(), at);
        }
        let (mut erased, mut doubtful) = (None, None);
        for id in head.user_ids() {
            erased = erased.max(self.named(&head.p, id).map(|named| named.at));
        }
        for address in head.addresses() {
            let named = self.named(&head.p, address);
            erased = erased.max(named.and_then(|named| named.by_all));
            doubtful = doubtful.max(named.map(|named| named.at));
        }
        let before = |erased: &Timestamp| head.at <= *erased;
        if let Some(erased) = erased.filter(before) {
            self.take(whose.clone(), erased);
        } else if let Some(erased) = doubtful.filter(before).filter(|_| !head.identifies()) {
            let at = self.doubtful.entry(whose.clone()).or_insert(erased);
            *at = erased.max(*at);
        }
        self.gone.contains_key(&whose) || self.doubtful.contains_key(&whose)
    }

    /// Whether all lines have to be looked at again.
    pub fn doubts(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// Looks at a line again, for what it says of a session that is in doubt.
    pub fn look_again(&mut self, head: &Head<'_>) {
        if !head.identifies() {
            return;
        }
        let whose: Whose = ((*head.p).into(), (*head.s).into());
        if self.doubtful.get(&whose).is_some_and(|erased| head.at <= *erased) {
            self.doubtful.remove(&whose);
        }
    }

    /// Nothing else is known: what is still in doubt is theirs.
    pub fn decide(&mut self) {
        for (whose, erased) in std::mem::take(&mut self.doubtful) {
            self.take(whose, erased);
        }
    }

    fn take(&mut self, whose: Whose, erased: Timestamp) {
        if !self.gone.contains_key(&whose) {
            self.by_name.insert(whose.clone());
        }
        let at = self.gone.entry(whose).or_insert(erased);
        *at = erased.max(*at);
    }

    /// When a name was erased. The same few names come again and again.
    fn named(&mut self, product: &str, name: &str) -> Option<Erased> {
        let known: Whose = (product.into(), name.into());
        if self.others.contains(&known) {
            return None;
        }
        let erased = self.erasures.named(product, name);
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
    /// Whom else it holds back, and who these are not.
    others: Option<(Arc<Erasures>, Strangers)>,
    /// Sessions that began anew after they were erased.
    reborn: HashSet<Whose>,
}

impl Sieve {
    /// At the beginning of a segment.
    pub fn new(gone: Arc<Gone>) -> Self {
        Self { gone, others: None, reborn: HashSet::new() }
    }

    /// One that knows sessions when they come.
    pub fn of(erasures: Arc<Erasures>) -> Self {
        let others = Some((erasures, Strangers::default()));
        Self { others, ..Self::new(Arc::default()) }
    }

    fn erased(&mut self, whose: &Whose) -> Option<Timestamp> {
        let others = self.others.as_mut();
        let late = || others.and_then(|(erasures, strangers)| strangers.erased(erasures, whose));
        self.gone.get(whose).copied().or_else(late)
    }

    /// Whether a line stays.
    pub fn keeps(&mut self, head: &Head<'_>) -> bool {
        if !head.has_session() {
            return true;
        }
        let whose: Whose = ((*head.p).into(), (*head.s).into());
        let Some(erased) = self.erased(&whose) else { return true };
        if head.at <= erased {
            self.reborn.remove(&whose);
            return false;
        }
        // By another clock a line may be later and still of the life that was erased: what comes
        // later begins with a state of its own.
        if let Some(state) = &head.state {
            let never = state.first_seen == Timestamp::default();
            let anew = head.q == 0 || never || state.first_seen > erased;
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
