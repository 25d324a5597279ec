//! How one upstream fares: written by its reader, read by readiness, metrics and operators.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What the reader of an upstream is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Asking for the stream.
    #[default]
    Connecting,
    /// The stream is open.
    Streaming,
    /// The last attempt failed; another one follows.
    Waiting,
    /// The upstream refused for good, or its settings cannot work; nobody tries again.
    Fatal,
    /// Another instance reads it for this one, too.
    Standby,
}

impl Phase {
    /// `connecting`, `streaming`, `waiting`, `fatal`, `standby`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Streaming => "streaming",
            Self::Waiting => "waiting",
            Self::Fatal => "fatal",
            Self::Standby => "standby",
        }
    }
}

/// The shared status of one upstream; cheap to write, many may read.
#[derive(Debug, Default)]
pub struct SourceStatus {
    now: Mutex<Now>,
    frames: AtomicU64,
    deliveries: AtomicU64,
    garbage: AtomicU64,
    warnings: AtomicU64,
    reconnects: AtomicU64,
}

#[derive(Debug, Default)]
struct Now {
    phase: Phase,
    reason: Option<String>,
    wait: Option<Duration>,
    last_frame: Option<Instant>,
}

/// What a [`SourceStatus`] says at one moment; counters count since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceReport {
    /// What the reader is doing.
    pub phase: Phase,
    /// Why the last attempt ended; `None` before the first failure and while streaming. Holds
    /// neither URL nor token.
    pub reason: Option<String>,
    /// How long the wait before the next attempt is in all; `None` when there is none.
    pub wait: Option<Duration>,
    /// Events of any kind, heartbeats too.
    pub frames: u64,
    /// Batches and summaries handed on.
    pub deliveries: u64,
    /// Events skipped: no JSON, no object, a broken batch, too long, no text.
    pub garbage: u64,
    /// Members of batches that had to be mended.
    pub warnings: u64,
    /// Attempts to connect after the first.
    pub reconnects: u64,
    /// Since the last event of any kind.
    pub last_frame_ago: Option<Duration>,
}

impl SourceStatus {
    /// The status at this moment.
    pub fn report(&self) -> SourceReport {
        let now = self.now();
        SourceReport {
            phase: now.phase,
            reason: now.reason.clone(),
            wait: now.wait,
            frames: self.frames.load(Ordering::Relaxed),
            deliveries: self.deliveries.load(Ordering::Relaxed),
            garbage: self.garbage.load(Ordering::Relaxed),
            warnings: self.warnings.load(Ordering::Relaxed),
            reconnects: self.reconnects.load(Ordering::Relaxed),
            last_frame_ago: now.last_frame.map(|at| at.elapsed()),
        }
    }

    /// Another attempt begins; why the last one ended stays to be read.
    pub(crate) fn reconnecting(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
        let mut now = self.now();
        (now.phase, now.wait) = (Phase::Connecting, None);
    }

    /// Leaves the reading to another instance, or takes it on again.
    pub fn stand_by(&self, stands: bool) {
        self.enter(if stands { Phase::Standby } else { Phase::Connecting }, None, None);
    }

    pub(crate) fn streaming(&self) {
        self.enter(Phase::Streaming, None, None);
    }

    pub(crate) fn waiting(&self, reason: String, wait: Duration) {
        self.enter(Phase::Waiting, Some(reason), Some(wait));
    }

    pub(crate) fn fatal(&self, reason: String) {
        self.enter(Phase::Fatal, Some(reason), None);
    }

    fn enter(&self, phase: Phase, reason: Option<String>, wait: Option<Duration>) {
        let mut now = self.now();
        (now.phase, now.reason, now.wait) = (phase, reason, wait);
    }

    pub(crate) fn frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.now().last_frame = Some(Instant::now());
    }

    pub(crate) fn delivery(&self, warnings: u32) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
        self.warnings.fetch_add(u64::from(warnings), Ordering::Relaxed);
    }

    pub(crate) fn garbage(&self) {
        self.garbage.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
