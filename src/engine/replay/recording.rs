//! Recordings: what was heard of each session, in order, and which sessions belong together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::action::{Delivery, Trust};
use crate::domain::machine::AgentEvent;
use crate::domain::session::Session;
use crate::domain::tally::Per;
use crate::domain::time::Timestamp;
use crate::engine::tape::lives::{Bearing, Number, Step, lives};
use crate::engine::tape::wire::Known;
use crate::rulebook::Product;

/// One thing that was recorded of one session.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The product, where the recording says it.
    pub product: Option<Arc<str>>,
    /// The session.
    pub session: Arc<str>,
    /// What was heard.
    pub moment: Moment,
}

/// What was heard of a session at one instant.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When it was received.
    pub at: Timestamp,
    /// Its place within the session's life, where the recording counts; else time decides.
    pub number: Number,
    /// What it was.
    pub what: What,
}

/// What can be heard of a session.
#[derive(Clone, Debug)]
pub enum What {
    /// A message of a source.
    Delivered(Box<Delivered>),
    /// Its front end asked; `None` for the toast's own conversation. Every poll of this session was
    /// recorded.
    Polled(Option<Arc<str>>),
    /// Its front end asked, and that something came of it is why it was recorded.
    Noted(Option<Arc<str>>),
    /// Its front end asked, and noticed that time had changed something.
    Noticed,
    /// Its front end reported an event, of the same.
    Reported(Option<Arc<str>>, Box<AgentEvent>),
    /// It was made an offer by this trigger.
    Offered(Arc<str>),
    /// So much was known of the person and of their account.
    Knew(Box<Known>),
    /// It began with nothing.
    Born,
    /// It stood so. Where a recording begins in its middle, it begins with that.
    Stands(Box<Session>),
    /// It was removed.
    Erased,
}

/// A message of a source.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The message.
    pub delivery: Delivery,
    /// Its identity, so that the same one twice counts once.
    pub identity: Option<u64>,
    /// How far it was believed.
    pub trust: Trust,
    /// The user a session token vouched for.
    pub voucher: Option<Arc<str>>,
}

impl Step for Moment {
    fn at(&self) -> Timestamp {
        self.at
    }

    fn number(&self) -> Number {
        self.number
    }

    fn bearing(&self) -> Bearing {
        match self.what {
            What::Born => Bearing::Birth,
            What::Stands(_) => Bearing::State,
            What::Erased => Bearing::End,
            _ => Bearing::Within,
        }
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id.
    pub id: Arc<str>,
    /// What was heard of it, in order; never empty.
    pub moments: Vec<Moment>,
    /// Whether its polls were recorded.
    pub polled: bool,
}

impl Recorded {
    /// When it began.
    pub fn start(&self) -> Timestamp {
        self.moments.first().map_or(Timestamp::default(), |first| first.at)
    }

    /// How many actions it delivered.
    pub fn actions(&self) -> usize {
        let count = |moment: &Moment| match &moment.what {
            What::Delivered(delivered) => match &delivered.delivery {
                Delivery::Actions(batch) => batch.actions.len(),
                Delivery::Summary(_) => 0,
            },
            _ => 0,
        };
        self.moments.iter().map(count).sum()
    }

    /// Whose it may be: everybody it names, and their accounts where `accounts` matter.
    fn owners(&self, accounts: bool) -> impl Iterator<Item = (bool, &str)> {
        self.moments.iter().flat_map(move |moment| {
            let (people, account) = moment.what.names();
            let account = account.filter(|_| accounts);
            let people = people.into_iter().flatten().map(|id| (false, id));
            people.chain(account.map(|id| (true, id)))
        })
    }
}

impl What {
    /// The people that it names, and their account.
    fn names(&self) -> ([Option<&str>; 3], Option<&str>) {
        match self {
            Self::Delivered(delivered) => {
                let Delivered { delivery, trust, voucher, .. } = &**delivered;
                let batch = match delivery {
                    Delivery::Actions(batch) => Some(batch).filter(|_| *trust == Trust::Trusted),
                    Delivery::Summary(_) => None,
                };
                let user = batch.and_then(|batch| batch.user_id.as_deref());
                let email = batch.and_then(|batch| batch.email.as_deref());
                let account = batch.and_then(|batch| batch.account_id.as_deref());
                ([user, email, voucher.as_deref()], account)
            }
            Self::Stands(session) => {
                let identity = &session.identity;
                let (user, email) = (identity.user_id.as_deref(), identity.email.as_deref());
                ([user, email, None], identity.account.as_deref())
            }
            _ => Default::default(),
        }
    }
}

/// Entries by session, each in order; sessions by their beginning. Several recordings of one session
/// (by several instances, say) become one.
pub fn sessions(entries: Vec<Entry>) -> Vec<Recorded> {
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut sessions: Vec<Recorded> = Vec::new();
    for Entry { session, moment, .. } in entries {
        let place = *places.entry(Arc::clone(&session)).or_insert_with(|| {
            sessions.push(Recorded { id: session, moments: Vec::new(), polled: false });
            sessions.len() - 1
        });
        if let Some(recorded) = sessions.get_mut(place) {
            recorded.polled |= matches!(moment.what, What::Polled(_));
            recorded.moments.push(moment);
        }
    }
    for recorded in &mut sessions {
        let told = std::mem::take(&mut recorded.moments);
        recorded.moments = lives(told).into_iter().flatten().collect();
        let mut last = Timestamp::from_millis(i64::MIN);
        for moment in &mut recorded.moments {
            last = last.max(moment.at);
            moment.at = last;
        }
    }
    sessions.sort_by(|one, other| (one.start(), &one.id).cmp(&(other.start(), &other.id)));
    sessions
}

/// How far what happens in one session may bear on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// On the same person's.
    Person,
    /// On those of their account.
    Account,
    /// On everybody's: a cap or quota counts all offers of the product.
    Product,
}

impl Reach {
    /// How far these rules reach.
    pub fn of(product: &Product) -> Self {
        let per = |per: Per| product.caps.iter().any(|cap| cap.per == per);
        if per(Per::Product) || product.settings.proactive.quotas.product_per_minute > 0 {
            return Self::Product;
        }
        if per(Per::Account) || product.asks.of_account { Self::Account } else { Self::Person }
    }
}

/// Which sessions must be lived through together, by their places; groups by their first session.
pub fn groups(sessions: &[Recorded], reach: Reach) -> Vec<Vec<usize>> {
    if reach == Reach::Product {
        return if sessions.is_empty() { Vec::new() } else { vec![(0..sessions.len()).collect()] };
    }
    let mut forest = Forest { parents: (0..sessions.len()).collect() };
    let mut owners: HashMap<(bool, &str), usize> = HashMap::new();
    for (place, recorded) in sessions.iter().enumerate() {
        for owner in recorded.owners(reach == Reach::Account) {
            let first = *owners.entry(owner).or_insert(place);
            forest.join(first, place);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for place in 0..sessions.len() {
        groups.entry(forest.root(place)).or_default().push(place);
    }
    groups.into_values().collect()
}

/// Disjoint sets of places; the root of each is its smallest.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn root(&mut self, mut place: usize) -> usize {
        while let Some(parent) = self.parents.get(place).copied().filter(|up| *up != place) {
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(known) = self.parents.get_mut(place) {
                *known = above;
            }
            place = above;
        }
        place
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(parent) = self.parents.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::Batch;

    fn entry(session: &str, at: i64, user: Option<&str>, email: Option<&str>) -> Entry {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let batch = Batch { user_id: owned(user), email: owned(email), ..Batch::default() };
        let delivered = Delivered {
            delivery: Delivery::Actions(batch),
            identity: None,
            trust: Trust::Trusted,
            voucher: None,
        };
        let what = What::Delivered(Box::new(delivered));
        let at = Timestamp::from_millis(at);
        let moment = Moment { at, number: Number::default(), what };
        Entry { product: None, session: session.into(), moment }
    }

    #[test]
    fn whoever_shares_a_name_is_lived_through_together() {
        let sessions = sessions(vec![
            entry("d", 40, None, None),
            entry("a", 10, Some("u_1"), None),
            entry("b", 20, None, Some("ann@acme.test")),
            entry("c", 30, Some("u_2"), None),
            entry("e", 50, Some("u_1"), Some("ann@acme.test")),
            entry("a", 5, None, None),
        ]);
        let ids: Vec<_> = sessions.iter().map(|recorded| &*recorded.id).collect();
        assert_eq!(ids, ["a", "b", "c", "d", "e"]);
        assert_eq!(sessions[0].start(), Timestamp::from_millis(5));
        assert_eq!(groups(&sessions, Reach::Person), [vec![0, 1, 4], vec![2], vec![3]]);
        assert_eq!(groups(&sessions, Reach::Product), [vec![0, 1, 2, 3, 4]]);
        assert!(groups(&[], Reach::Product).is_empty());
    }

    #[test]
    fn numbers_come_before_clocks_and_time_never_goes_back() {
        let mut entries = vec![entry("a", 30, None, None), entry("a", 20, None, None)];
        for (seen, entry) in (1..).zip(&mut entries) {
            entry.moment.number = Number { seen, ..Number::default() };
        }
        entries.reverse();
        let sessions = sessions(entries);
        let at: Vec<_> = sessions[0].moments.iter().map(|moment| moment.at.as_millis()).collect();
        assert_eq!(at, [30, 30]);
    }
}
