//! Announcing what has changed, and following it: in this process, and through a store that is
//! shared also from and to the other instances. An announcement is a hint to look, told after the
//! change is kept; a follower that was told of a gap looks at all that matters to it.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use crate::domain::announcement::Announcement;
use crate::store::Store;

/// Announcements that a slow follower may be behind before it is told of a gap.
const BEHIND: usize = 1_024;

/// What a follower hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A change made through this instance.
    Here(Arc<Announcement>),
    /// A change made through another one.
    Elsewhere(Arc<Announcement>),
    /// Something may have been missed: the follower was too slow, or the way to the others was
    /// interrupted. Also the first thing heard once there is a way.
    Gap,
}

/// Hears announcements from when it was made on.
#[derive(Debug)]
pub struct Following(Receiver<Heard>);

impl Following {
    /// The next; `None` once the store is gone.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(heard) => Some(heard),
            Err(RecvError::Lagged(_)) => Some(Heard::Gap),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Where the followers of this process hear.
#[derive(Clone, Debug)]
pub(crate) struct Followers(Sender<Heard>);

impl Default for Followers {
    fn default() -> Self {
        Self(Sender::new(BEHIND))
    }
}

impl Followers {
    /// One more.
    pub(crate) fn join(&self) -> Following {
        Following(self.0.subscribe())
    }

    /// Whether nobody would hear.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.receiver_count() == 0
    }

    /// Tells all of them.
    pub(crate) fn tell(&self, heard: Heard) {
        // The last of them may just have gone.
        drop(self.0.send(heard));
    }

    fn announce(&self, make: impl FnOnce() -> Announcement) {
        if !self.is_empty() {
            self.tell(Heard::Here(Arc::new(make())));
        }
    }
}

impl Store {
    /// Tells of a change that is kept. Waits for nobody; made only if somebody may hear of it.
    pub fn announce(&self, make: impl FnOnce() -> Announcement) {
        match self {
            Self::Memory(memory) => memory.followers.announce(make),
            Self::Embedded(embedded) => embedded.followers().announce(make),
            Self::Redis(redis) => redis.announce(make()),
        }
    }

    /// Follows what is announced through this instance and, once they can be heard, through those
    /// that share the store.
    pub fn follow(&self) -> Following {
        match self {
            Self::Memory(memory) => memory.followers.join(),
            Self::Embedded(embedded) => embedded.followers().join(),
            Self::Redis(redis) => redis.follow(),
        }
    }
}
