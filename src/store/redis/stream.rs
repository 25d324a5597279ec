//! Announcements to and from the other instances: a trimmed stream in Redis. What is announced here
//! waits in memory for a task that adds it in groups, so that no request waits for it; another task
//! reads what others add, on a connection of its own, because it waits there.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redis::{RedisError, cmd, pipe};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::domain::announcement::Announcement;
use crate::store::announce::{Followers, Following, Heard};
use crate::store::redis::Redis;
use crate::store::redis::entry::{self, Mark};
use crate::store::redis::failure::Failure;
use crate::store::redis::link::Link;
use crate::store::redis::names::ANNOUNCEMENTS;
use crate::store::redis::wire::{ANSWER, Wire};

/// Announcements that may wait to be added; what comes on top is not told, but that it was not is.
const WAITING: usize = 4_096;
/// Added in one go.
const MOST: usize = 256;
/// Entries that the stream keeps, or a few more.
const KEPT: usize = 10_000;
/// How long it stays after the last entry, in milliseconds.
const STAYS: u64 = 600_000;
/// How long one read waits for something new, in milliseconds: less than a server may take to answer.
const BLOCK: u64 = 500;
/// The first pause before trying again, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Instances of which the last number is remembered.
const WRITERS: usize = 1_024;

/// Announcements of one instance and of the others.
pub(super) struct Stream {
    link: Arc<Link>,
    me: Arc<str>,
    followers: Followers,
    waiting: mpsc::Sender<Arc<Announcement>>,
    untold: Arc<AtomicU64>,
    reader: OnceLock<AbortHandle>,
}

/// The place of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64, u64);

impl Stream {
    /// A stream and the work of adding to it, which somebody has to run.
    pub(super) fn new(link: Arc<Link>) -> (Self, impl Future<Output = ()> + Send) {
        let (waiting, added) = mpsc::channel(WAITING);
        let me = format!("{:016x}", RandomState::new().hash_one("docent")).into();
        let untold = Arc::default();
        let work = Adding {
            link: Arc::clone(&link),
            me: Arc::clone(&me),
            number: 0,
            untold: Arc::clone(&untold),
        };
        let (followers, reader) = <_>::default();
        (Self { link, me, followers, waiting, untold, reader }, work.run(added))
    }

    fn announce(&self, announcement: Announcement) {
        let announcement = Arc::new(announcement);
        if !self.followers.is_empty() {
            self.followers.tell(Heard::Here(Arc::clone(&announcement)));
        }
        if self.waiting.try_send(announcement).is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The others are listened to from the first follower on.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with the store, which other tasks use until the very end"
    )]
    fn follow(&self) -> Following {
        let following = self.followers.join();
        self.reader.get_or_init(|| {
            let (link, me) = (Arc::clone(&self.link), Arc::clone(&self.me));
            let followers = self.followers.clone();
            let reading = Reading { link, me, followers, place: None, writers: HashMap::new() };
            tokio::spawn(reading.run()).abort_handle()
        });
        following
    }

    pub(super) fn close(&self) {
        if let Some(reader) = self.reader.get() {
            reader.abort();
        }
    }
}

impl Redis {
    /// See [`crate::store::Store::announce`].
    pub(crate) fn announce(&self, announcement: Announcement) {
        self.stream.announce(announcement);
    }

    /// See [`crate::store::Store::follow`].
    pub(crate) fn follow(&self) -> Following {
        self.stream.follow()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl Place {
    fn parse(id: &str) -> Option<Self> {
        let (millis, number) = id.split_once('-')?;
        Some(Self(millis.parse().ok()?, number.parse().ok()?))
    }
}

/// Adds what waits.
struct Adding {
    link: Arc<Link>,
    me: Arc<str>,
    number: u64,
    untold: Arc<AtomicU64>,
}

impl Adding {
    async fn run(mut self, mut waiting: mpsc::Receiver<Arc<Announcement>>) {
        let mut group = Vec::new();
        while waiting.recv_many(&mut group, MOST).await > 0 {
            let (mut pause, mut told) = (PAUSE.0, false);
            // A number is missing in the stream for each that is missing.
            self.number += self.untold.swap(0, Ordering::Relaxed);
            while let Err(failure) = self.add(&group).await {
                if failure.refused && !std::mem::replace(&mut told, true) {
                    let reason = failure.reason;
                    tracing::warn!(
                        reason,
                        "Cannot tell the other instances what has changed here; they find out more slowly"
                    );
                }
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
            self.number += group.len() as u64;
            group.clear();
        }
    }

    /// Again with the same numbers, when the answer was lost: who has read them passes over them.
    async fn add(&self, group: &[Arc<Announcement>]) -> Result<(), Failure> {
        let mut wire = self.link.up().await?.wire;
        let mut adds = pipe();
        for (announcement, number) in group.iter().zip(self.number + 1..) {
            let mut add = cmd("XADD");
            add.arg(ANNOUNCEMENTS).arg("MAXLEN").arg("~").arg(KEPT).arg("*");
            entry::write(&mut add, &self.me, number, announcement);
            adds.add_command(add).ignore();
        }
        adds.cmd("PEXPIRE").arg(ANNOUNCEMENTS).arg(STAYS).ignore();
        match timeout(ANSWER, adds.exec_async(&mut wire)).await {
            Ok(added) => added.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::silent()),
        }
    }
}

/// Reads what others have added.
struct Reading {
    link: Arc<Link>,
    me: Arc<str>,
    followers: Followers,
    /// The last entry that was read; none before the first connection.
    place: Option<Place>,
    /// The last number of each instance.
    writers: HashMap<String, u64>,
}

/// An entry's id, and its fields, each behind its name.
type Entry = (String, Vec<Vec<u8>>);

impl Reading {
    async fn run(mut self) {
        let (mut pause, mut told) = (PAUSE.0, None);
        loop {
            let begun = tokio::time::Instant::now();
            let Err(failure) = self.follow().await else { continue };
            if failure.lasting && told.as_ref() != Some(&failure.reason) {
                let reason = &failure.reason;
                tracing::warn!(
                    reason,
                    "Cannot hear what other instances announce; it is found out more slowly"
                );
                told = Some(failure.reason);
            }
            pause = if begun.elapsed() > PAUSE.1 { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
            sleep(pause).await;
        }
    }

    /// Until the connection is no good, or not the one that requests use.
    async fn follow(&mut self) -> Result<(), Failure> {
        let up = self.link.up().await?;
        let mut wire = Wire::connect(self.link.address()).await?;
        let end = end(&mut wire).await?;
        // Redis may have lost what was read already, and numbers entries anew.
        let mut place = self.place.map_or(end, |place| place.min(end));
        self.place = Some(place);
        self.followers.tell(Heard::Gap);
        while self.link.is_up(&up) {
            for (id, flat) in self.read(&mut wire, place).await? {
                self.hear(&flat);
                place = Place::parse(&id).unwrap_or(place);
            }
            self.place = Some(place);
        }
        Ok(())
    }

    async fn read(&mut self, wire: &mut Wire, place: Place) -> Result<Vec<Entry>, Failure> {
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(MOST).arg("BLOCK").arg(BLOCK);
        read.arg("STREAMS").arg(ANNOUNCEMENTS).arg(place.to_string());
        let told = read.query_async::<Option<Vec<(String, Vec<Entry>)>>>(wire);
        let told = match timeout(ANSWER * 2, told).await {
            Ok(told) => told.map_err(|error| Failure::of(&error))?,
            Err(_) => return Err(Failure::silent()),
        };
        Ok(told.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
    }

    fn hear(&mut self, flat: &[Vec<u8>]) {
        let fields = entry::fields(flat);
        let Some(Mark { from, number }) = entry::mark(&fields) else { return };
        if from == *self.me {
            return;
        }
        if self.writers.len() >= WRITERS && !self.writers.contains_key(&from) {
            self.writers.clear();
        }
        let last = self.writers.insert(from, number);
        if last.is_some_and(|last| number <= last) {
            return;
        }
        if last.is_some_and(|last| number > last + 1) {
            self.followers.tell(Heard::Gap);
        }
        if let Some(announcement) = entry::read(&fields) {
            self.followers.tell(Heard::Elsewhere(Arc::new(announcement)));
        }
    }
}

/// The last entry there is.
async fn end(wire: &mut Wire) -> Result<Place, Failure> {
    let mut last = cmd("XREVRANGE");
    last.arg(ANNOUNCEMENTS).arg("+").arg("-").arg("COUNT").arg(1);
    let told: Result<Vec<Entry>, RedisError> = match timeout(ANSWER, last.query_async(wire)).await {
        Ok(told) => told,
        Err(_) => return Err(Failure::silent()),
    };
    let entries = told.map_err(|error| Failure::of(&error))?;
    Ok(entries.first().and_then(|(id, _)| Place::parse(id)).unwrap_or_default())
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("me", &self.me).finish_non_exhaustive()
    }
}
