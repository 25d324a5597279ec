//! People's data: all that is kept of one person, found by walking through the store, shown or
//! removed. One walk reads every record; there are three.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::app::{App, Denied, JournalOf, Recorded, Unswept};
use crate::domain::bulletin::Grave;
use crate::domain::records::{Context, Conversation, EmailIndex, User};
use crate::domain::session::{Identity, Session};
use crate::domain::text::{address, is_same_name};
use crate::domain::time::Timestamp;
use crate::rulebook::Product;
use crate::store::raw::{Place, Raw};
use crate::store::record::Record;
use crate::store::{Key, Step, StoreError};

/// For finding everything of a person; a store that takes longer is told of as slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// How somebody is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom<'a> {
    /// By the product's own id of the person.
    User(&'a str),
    /// By an e-mail address.
    Email(&'a str),
    /// By one of their sessions; where nobody knows whose it is, that session alone is meant.
    Session(&'a str),
}

/// The keys of all that is kept of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Theirs {
    /// The names they are remembered by: user ids and e-mail addresses.
    names: BTreeSet<Arc<str>>,
    /// Of these, addresses said beside their user id: others may have them, too.
    addresses: BTreeSet<Arc<str>>,
    /// Their sessions.
    sessions: BTreeSet<Arc<str>>,
    /// Chat threads of these.
    conversations: BTreeSet<Arc<str>>,
    /// Addresses that lead to these.
    emails: BTreeSet<Arc<str>>,
}

impl Theirs {
    /// One more name; an address also as it is kept.
    fn call(&mut self, name: &str) {
        if name.contains('@') {
            self.names.insert((*address(name)).into());
        }
        self.names.insert(name.into());
    }

    /// Whether this is one of the names. An earlier version kept addresses as they were sent.
    fn knows(&self, name: &str) -> bool {
        let spelt = || name.contains('@') && self.names.contains(&*address(name));
        self.names.contains(name) || spelt()
    }
}

/// A record with its key.
pub type Found<R> = (Arc<str>, R);

/// All that is kept of a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exported {
    /// What is remembered across sessions.
    pub users: Vec<Found<User>>,
    /// Sessions, with what a chatbot may read of them.
    pub sessions: Vec<(Arc<str>, Option<Session>, Option<Context>)>,
    /// Chat threads.
    pub conversations: Vec<Found<Conversation>>,
    /// Addresses and where they lead.
    pub emails: Vec<Found<EmailIndex>>,
    /// What is kept under a hash of a name, for each that has something there.
    pub graves: Vec<Found<Grave>>,
    /// What journals have.
    pub recorded: Recorded,
}

impl Exported {
    /// Whether anything is kept under their own names.
    fn has_records(&self) -> bool {
        let Self { users, sessions, conversations, emails, .. } = self;
        let told = users.is_empty() && sessions.is_empty();
        !(told && conversations.is_empty() && emails.is_empty())
    }
}

/// How many records of each kind were removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The names the person was remembered by.
    pub names: BTreeSet<Arc<str>>,
    /// What was remembered across sessions.
    pub users: usize,
    /// Sessions.
    pub sessions: usize,
    /// What a chatbot could read of them.
    pub contexts: usize,
    /// Chat threads.
    pub conversations: usize,
    /// Addresses.
    pub emails: usize,
    /// Whether it is remembered that the person wants no offers.
    pub opted_out: bool,
    /// Lines that left the journal of this instance.
    pub lines: u64,
    /// The journals of all instances that run.
    pub journals: Vec<JournalOf>,
}

impl App {
    /// All that is kept of a person; `None` when that is nothing.
    pub async fn export(
        self: &Arc<Self>,
        product: &Product,
        whom: Whom<'_>,
        now: Timestamp,
    ) -> Result<Option<Exported>, Denied> {
        let theirs = self.find(product, whom).await?;
        let mut all = self.collect(product, &theirs, now).await?;
        let Theirs { names, addresses, sessions, .. } = &theirs;
        let names = (names, addresses);
        all.recorded = self.recorded(product, names, sessions).await.map_err(denied)?;
        let elsewhere = all.recorded.elsewhere.clone();
        let nothing = Recorded { elsewhere, ..Recorded::default() };
        // That somebody was erased is nothing of theirs; what they said to offers is.
        let said = all.graves.iter().any(|(_, grave)| grave.consent.is_some());
        let known = said || all.has_records() || all.recorded != nothing;
        Ok(known.then_some(all))
    }

    async fn collect(
        &self,
        product: &Product,
        theirs: &Theirs,
        now: Timestamp,
    ) -> Result<Exported, StoreError> {
        let mut all = Exported::default();
        for name in &theirs.names {
            all.users.extend(self.found(product, name, now).await?);
            let grave = self.grave(product, name, now).await?;
            all.graves.extend(grave.map(|grave| (Arc::clone(name), grave)));
        }
        for id in &theirs.sessions {
            let key = Key { product: &product.id, id };
            let both = |state: &mut Option<Session>, context: &mut Option<Context>| {
                Step::Keep((state.clone(), context.clone()))
            };
            let (state, context) = self.store.update_session(key, now, both).await?;
            if state.is_some() || context.is_some() {
                all.sessions.push((Arc::clone(id), state, context));
            }
        }
        for id in &theirs.conversations {
            all.conversations.extend(self.found(product, id, now).await?);
        }
        for id in &theirs.emails {
            all.emails.extend(self.found(product, id, now).await?);
        }
        Ok(all)
    }

    /// Removes all that is kept of a person, but that they want no offers, if they do; `None` when
    /// there was nothing. What comes later under the same names starts afresh. Journals follow: the
    /// answer says which have by then.
    pub async fn erase(
        &self,
        product: &Product,
        whom: Whom<'_>,
        now: Timestamp,
    ) -> Result<Option<Erased>, Denied> {
        let theirs = self.find(product, whom).await?;
        let all = self.collect(product, &theirs, now).await?;
        let known = all.has_records();
        let Theirs { names, addresses, sessions, .. } = &theirs;
        let number = self.note_erasure(product, (names, addresses), sessions, now).await?;
        let mut erased = Erased::default();
        if known {
            erased = self.erase_records(product, &theirs, &all, now).await?;
        }
        (erased.journals, erased.lines) = self.swept_of(number).await?;
        // Journals of others may have had lines, too.
        let others = erased.journals.len() > usize::from(self.journal().is_some());
        if !known && !others && erased.lines == 0 {
            return Ok(None);
        }
        tracing::info!(
            product.id = %product.id, sessions = erased.sessions, users = erased.users,
            lines = erased.lines, "Erased all that was kept of a person"
        );
        Ok(Some(erased))
    }

    async fn erase_records(
        &self,
        product: &Product,
        theirs: &Theirs,
        all: &Exported,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        let words = all.users.iter().filter_map(|(_, user)| user.consent);
        let said = all.sessions.iter().filter_map(|(_, state, _)| state.as_ref()?.consent);
        let buried = all.graves.iter().filter_map(|(_, grave)| grave.consent);
        let word = words.chain(said).chain(buried).max();
        let mut erased = Erased { names: theirs.names.clone(), ..Erased::default() };
        // First what must outlive the rest, so that a crash in between forgets no word.
        for name in &theirs.names {
            let change = |grave: &mut Grave| {
                grave.consent = grave.consent.max(word);
                grave.erased = grave.erased.max(Some(now));
            };
            self.bury(product, name, change, now).await?;
            erased.opted_out |= word.is_some_and(|word| word.denied);
        }
        self.remove(product, theirs, &mut erased, now).await?;
        Ok(erased)
    }

    async fn remove(
        &self,
        product: &Product,
        theirs: &Theirs,
        erased: &mut Erased,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for id in &theirs.conversations {
            erased.conversations += self.removed::<Conversation>(product, id, now).await?;
        }
        for id in &theirs.emails {
            erased.emails += self.removed::<EmailIndex>(product, id, now).await?;
        }
        for name in &theirs.names {
            erased.users += self.removed::<User>(product, name, now).await?;
        }
        // Last, because they are what the rest is found by: an erasure that is cut short finds it again.
        for id in &theirs.sessions {
            let key = Key { product: &product.id, id };
            let take = |state: &mut Option<Session>, context: &mut Option<Context>| {
                Step::Write((state.take().is_some(), context.take().is_some()))
            };
            let (state, context) = self.store.update_session(key, now, take).await?;
            self.forgotten(product, id, now);
            self.reel(product, id).forgotten();
            // Nor is anything of it finished later.
            drop(self.books.take(&product.id, id));
            erased.sessions += usize::from(state);
            erased.contexts += usize::from(context);
        }
        Ok(())
    }

    async fn found<R: Record + Clone>(
        &self,
        product: &Product,
        id: &Arc<str>,
        now: Timestamp,
    ) -> Result<Option<Found<R>>, StoreError> {
        let copy = |record: Option<&R>| record.cloned();
        let record = self.store.read(Key { product: &product.id, id }, now, copy).await?;
        Ok(record.map(|record| (Arc::clone(id), record)))
    }

    async fn removed<R: Record>(
        &self,
        product: &Product,
        id: &str,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let take = |slot: &mut Option<R>| match slot.take() {
            Some(_) => Step::Write(1),
            None => Step::Keep(0),
        };
        self.store.update(Key { product: &product.id, id }, now, take).await
    }

    async fn find(&self, product: &Product, whom: Whom<'_>) -> Result<Theirs, Denied> {
        let found = tokio::time::timeout(PATIENCE, self.look_for(product, whom)).await;
        Ok(found.map_err(|_| StoreError::Slow)??)
    }

    /// First the names, then the sessions under any of them, then what leads to these.
    async fn look_for(&self, product: &Product, whom: Whom<'_>) -> Result<Theirs, StoreError> {
        let mut theirs = Theirs::default();
        match whom {
            Whom::User(name) => theirs.call(name),
            Whom::Email(name) => theirs.call(&address(name)),
            Whom::Session(id) => drop(theirs.sessions.insert(id.into())),
        }
        let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        self.walk(product, |raw| {
            let Some(session) = raw.read::<Session>() else { return };
            if whom.is(&raw.id, &session.identity) {
                let Identity { user_id, email, vouched: true, .. } = session.identity else {
                    return;
                };
                if let (Some(id), Some(email)) = (&user_id, &email)
                    && !matches!(whom, Whom::Email(_))
                    && !is_same_name(id, email)
                {
                    addresses.extend([Arc::clone(email), (*address(email)).into()]);
                }
                names.extend(user_id.into_iter().chain(email));
            }
        })
        .await?;
        names.iter().for_each(|name| theirs.call(name));
        theirs.addresses = addresses;
        let (mut names, mut sessions) = (BTreeSet::new(), BTreeSet::new());
        self.walk(product, |raw| {
            if raw.kind == User::KIND && theirs.knows(&raw.id) {
                names.insert((*raw.id).into());
            }
            let Some(Session { identity, .. }) = raw.read() else { return };
            // Of two names of a session, the id says who it is.
            if let Some(name) = identity.user_key().filter(|name| theirs.knows(name)) {
                names.insert(Arc::clone(name));
                sessions.insert((*raw.id).into());
            }
        })
        .await?;
        theirs.names.extend(names);
        theirs.sessions.extend(sessions);
        self.walk(product, |raw| {
            let leads =
                |session: Option<Arc<str>>| session.is_some_and(|s| theirs.sessions.contains(&s));
            if raw.read::<Conversation>().is_some_and(|thread| leads(thread.session)) {
                theirs.conversations.insert((*raw.id).into());
            }
            let named = theirs.knows(&raw.id);
            if raw.read::<EmailIndex>().is_some_and(|index| named || leads(index.session)) {
                theirs.emails.insert((*raw.id).into());
            }
        })
        .await?;
        Ok(theirs)
    }

    /// Looks at every record of a product.
    async fn walk(&self, product: &Product, mut look: impl FnMut(&Raw)) -> Result<(), StoreError> {
        let mut place = Some(Place::default());
        while let Some(from) = place {
            let page = self.store.page(&from).await?;
            page.records.iter().filter(|raw| *raw.product == *product.id).for_each(&mut look);
            place = page.next;
            // A page is answered without waiting in a store in memory, and others wait for their turn.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// A journal that cannot be read is as a store that cannot.
fn denied(error: Unswept) -> Denied {
    Denied::Store(match error {
        Unswept::Store(error) => error,
        Unswept::Disk(_) | Unswept::Ending => StoreError::Unread { reason: error.to_string() },
    })
}

impl Whom<'_> {
    fn is(self, session: &str, identity: &Identity) -> bool {
        let Identity { user_id, email, .. } = identity;
        match self {
            Self::User(name) => user_id.as_deref().is_some_and(|id| is_same_name(id, name)),
            Self::Email(name) => email.as_deref().is_some_and(|e| address(e) == address(name)),
            Self::Session(id) => session == id,
        }
    }
}
