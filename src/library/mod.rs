//! Floor 3: a workspace on disk, and the rulebook in force while its files change.

mod burst;
pub mod changes;
pub mod disk;
mod grace;
pub mod live;
pub mod revision;
pub mod rewrite;
pub mod status;
pub mod watch;
