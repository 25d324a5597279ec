//! The way to Redis: a task connects, looks at the server, watches it and connects again when it
//! is gone. Meanwhile whoever asks is told at once that there is no answer, instead of waiting.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::cmd;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::rulebook::address::Address;
use crate::store::redis::failure::Failure;
use crate::store::redis::inspect::{inspect, stamp};
use crate::store::redis::wire::{ANSWER, Wire, master_of};

/// Between two looks at a server that nobody asks anything.
const WATCH: Duration = Duration::from_secs(1);
/// What was read from a master is only as good as the last look at who that is: an instance that
/// was halted for longer, through a fail-over perhaps, looks first.
const LEASE: Duration = Duration::from_secs(5);
/// The first pause between two tries to connect, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Where the way stands.
#[derive(Clone)]
enum State {
    Opening,
    Up(Up),
    Down(Failure),
}

/// A connection and its number.
#[derive(Clone)]
pub(super) struct Up {
    pub(super) wire: Wire,
    pub(super) number: u64,
    /// Where the sentinels' master was when it was made; nothing without sentinels.
    master: Option<String>,
}

/// The way to Redis.
pub(super) struct Link {
    address: Address,
    state: watch::Sender<State>,
    /// The newest connection that somebody found broken.
    broken: AtomicU64,
    found_broken: Notify,
    /// Why writes are refused, while none has succeeded since.
    refused: Mutex<Option<String>>,
    refuses: AtomicBool,
    begun: Instant,
    /// The last time that the master was seen to be it, in milliseconds since it began.
    looked: AtomicU64,
}

impl Link {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            state: watch::Sender::new(State::Opening),
            broken: AtomicU64::new(0),
            found_broken: Notify::new(),
            refused: Mutex::default(),
            refuses: AtomicBool::new(false),
            begun: Instant::now(),
            looked: AtomicU64::new(0),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The connection, or why there is none. Waits only while one is being made.
    pub(super) async fn up(&self) -> Result<Up, Failure> {
        match &*self.state.borrow() {
            State::Up(up) if up.master.is_some() && self.was_halted() => {
                return Err(Failure::passing("docent was halted and looks for the master first"));
            }
            State::Up(up) => return Ok(up.clone()),
            State::Down(failure) => return Err(failure.clone()),
            State::Opening => {}
        }
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| !matches!(state, State::Opening)).await;
        match settled.as_deref() {
            Ok(State::Up(up)) => Ok(up.clone()),
            Ok(State::Down(failure)) => Err(failure.clone()),
            _ => Err(Failure::silent()),
        }
    }

    fn was_halted(&self) -> bool {
        let looked = Duration::from_millis(self.looked.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(looked) > LEASE
    }

    fn has_looked(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.looked.store(now, Ordering::Relaxed);
    }

    /// Whether there is a connection.
    pub(super) fn is_settled(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_))
    }

    /// Whether it is still the connection that everybody uses.
    pub(super) fn is_up(&self, up: &Up) -> bool {
        matches!(&*self.state.borrow(), State::Up(now) if now.number == up.number)
    }

    /// A command on this connection failed.
    pub(super) fn failed(&self, up: &Up, failure: &Failure) {
        // A cluster's client looks after its nodes by itself, and knows of the others.
        if failure.reconnect && !up.wire.repeats() {
            self.broken.fetch_max(up.number, Ordering::Relaxed);
            self.found_broken.notify_one();
        }
    }

    /// A write was refused, or one has succeeded.
    pub(super) fn wrote(&self, refused: Option<&str>) {
        if refused.is_none() && !self.refuses.load(Ordering::Relaxed) {
            return;
        }
        let mut known = lock(&self.refused);
        match (&*known, refused) {
            (None, Some(reason)) => {
                tracing::error!(
                    reason,
                    "Redis takes no writes; requests are refused until it does"
                );
            }
            (Some(_), None) => tracing::info!("Redis takes writes again"),
            _ => {}
        }
        *known = refused.map(str::to_owned);
        self.refuses.store(refused.is_some(), Ordering::Relaxed);
    }

    /// Why nothing can be read or written at present.
    pub(super) fn trouble(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Down(failure) => Some(failure.reason.clone()),
            State::Opening => Some("the connection to Redis is being made".to_owned()),
            State::Up(_) => lock(&self.refused).clone(),
        }
    }

    /// Nothing more is asked.
    pub(super) fn close(&self) {
        self.state.send_replace(State::Down(Failure::lasting("docent is shutting down")));
    }

    /// Connects, and connects again, for as long as it is let.
    pub(super) async fn keep(&self) {
        let (mut number, mut pause, mut told) = (0, PAUSE.0, None);
        loop {
            let master = master_of(&self.address).await;
            match self.connect(number == 0).await {
                Ok(wire) => {
                    self.has_looked();
                    number += 1;
                    pause = PAUSE.0;
                    if told.take().is_some() {
                        tracing::info!("Redis answers again");
                    }
                    let up = Up { wire, number, master };
                    self.state.send_replace(State::Up(up.clone()));
                    self.watch(up).await;
                    self.state.send_replace(State::Opening);
                }
                Err(failure) => {
                    if told.as_ref() != Some(&failure.reason) {
                        tracing::error!(
                            server = %self.address, reason = failure.reason,
                            "No way to the store; requests are refused until there is one"
                        );
                    }
                    told = Some(failure.reason.clone());
                    self.state.send_replace(State::Down(failure));
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    async fn connect(&self, first: bool) -> Result<Wire, Failure> {
        let mut wire = Wire::connect(&self.address).await?;
        let advice = timeout(ANSWER, inspect(&mut wire)).await;
        let advice = advice.unwrap_or_else(|_| Err(Failure::silent()))?;
        if first {
            advice.iter().for_each(|advice| tracing::warn!("{advice}"));
        }
        Ok(wire)
    }

    /// Returns once a connection is no good.
    async fn watch(&self, mut up: Up) {
        loop {
            let told = timeout(WATCH, self.found_broken.notified()).await.is_ok();
            if told && self.broken.load(Ordering::Relaxed) >= up.number {
                return;
            }
            if !told && (self.look(&mut up.wire).await.is_err() || self.is_demoted(&up).await) {
                return;
            }
        }
    }

    /// Whether the sentinels name another master than the one that this leads to.
    async fn is_demoted(&self, up: &Up) -> bool {
        if up.master.is_none() {
            return false;
        }
        let master = master_of(&self.address).await;
        let other = master.is_some() && master != up.master;
        if !other {
            // Sentinels that do not answer are no reason to stop.
            self.has_looked();
        }
        other
    }

    /// Asks a server that nobody asks, for a write if it refused the last one.
    async fn look(&self, wire: &mut Wire) -> Result<(), Failure> {
        let writing = self.refuses.load(Ordering::Relaxed);
        let asked =
            async { if writing { stamp(wire).await } else { cmd("PING").exec_async(wire).await } };
        let failure = match timeout(ANSWER, asked).await {
            Ok(Ok(())) => {
                if writing {
                    self.wrote(None);
                }
                return Ok(());
            }
            Ok(Err(error)) => Failure::of(&error),
            Err(_) => Failure::silent(),
        };
        if failure.reconnect { Err(failure) } else { Ok(()) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
