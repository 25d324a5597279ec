//! Ingest: activity on its way in. Vendors' JSON becomes [`crate::domain::action::Delivery`];
//! what cannot be understood is skipped and counted, never a reason to stop.
//!
//! `wire` reads one message, `signature` says whether a push may be believed, `frames` cuts a
//! byte stream into events, `sse` keeps an upstream connected and `status` tells how it fares,
//! `posthog` turns a PostHog destination's events into the same batches. `archive` reads what was
//! written down of all that, for replays.

pub mod archive;
pub mod backoff;
pub mod frames;
pub mod posthog;
pub mod signature;
pub mod sse;
pub mod status;
pub mod wire;
