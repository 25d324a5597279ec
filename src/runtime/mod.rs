//! Runtime: what ties a process to its machine. One home each for the clock, the environment,
//! tasks, logs, metrics and the HTTP client, so that nothing else needs to touch them.

pub mod client;
pub mod clock;
pub mod environment;
pub mod metrics;
pub mod salt;
pub mod tasks;
pub mod trace;
