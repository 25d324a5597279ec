//! Forgetting a session, so that whoever tries a rule can start over.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::{App, Denied};
use crate::domain::records::{Context, Conversation, EmailIndex};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rulebook::Product;
use crate::store::{Key, Step};

/// What was there and is no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// What the person did, was offered and answered.
    pub session: bool,
    /// The texts a chatbot could read.
    pub context: bool,
    /// That the person's e-mail address leads to this session.
    pub email: bool,
    /// Chat threads that belonged to it.
    pub conversations: Vec<String>,
    /// Whose session it was; what is remembered of them across sessions stays.
    pub person: Option<Arc<str>>,
}

impl App {
    /// Removes the records of a session; `None` when there are none. A session does not know its
    /// chat threads: one is found through its offer, or when the caller names it.
    pub async fn forget(
        &self,
        product: &Product,
        session: &str,
        conversation: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Forgotten>, Denied> {
        let take = |state: &mut Option<Session>, context: &mut Option<Context>| {
            let taken = (state.take(), context.take());
            let found = taken.0.is_some() || taken.1.is_some();
            if found { Step::Write(taken) } else { Step::Keep(taken) }
        };
        let (state, context) = self.store.update_session(key(product, session), now, take).await?;
        self.forgotten(product, session, now);
        let mut forgotten = Forgotten {
            session: state.is_some(),
            context: context.is_some(),
            ..Forgotten::default()
        };
        let mut threads: BTreeSet<Arc<str>> = conversation.map(Arc::from).into_iter().collect();
        if let Some(state) = state {
            self.reel(product, session).erased(state.seq, now);
            forgotten.person = state.identity.user_key().cloned();
            threads.extend(state.offer.map(|offer| offer.conversation));
            if let Some(email) = &state.identity.email {
                forgotten.email =
                    self.store.update(key(product, email), now, leaving(session)).await?;
            }
        }
        for thread in threads {
            if self.store.update(key(product, &thread), now, bound_to(session)).await? {
                forgotten.conversations.push(thread.to_string());
            }
        }
        let nothing = Forgotten::default();
        Ok(Some(forgotten).filter(|forgotten| *forgotten != nothing))
    }
}

fn key<'k>(product: &'k Product, id: &'k str) -> Key<'k> {
    Key { product: &product.id, id }
}

/// Removes an e-mail address that leads to the session, no other.
fn leaving(session: &str) -> impl Fn(&mut Option<EmailIndex>) -> Step<bool> {
    move |slot| {
        let leads_here =
            slot.as_ref().is_some_and(|index| index.session.as_deref() == Some(session));
        cleared(slot, leads_here)
    }
}

/// Removes a chat thread of the session, no other.
fn bound_to(session: &str) -> impl Fn(&mut Option<Conversation>) -> Step<bool> {
    move |slot| {
        let is_its = slot.as_ref().is_some_and(|thread| thread.session.as_deref() == Some(session));
        cleared(slot, is_its)
    }
}

fn cleared<R>(slot: &mut Option<R>, wanted: bool) -> Step<bool> {
    if wanted {
        *slot = None;
        return Step::Write(true);
    }
    Step::Keep(false)
}
