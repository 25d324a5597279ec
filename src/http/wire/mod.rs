//! What travels: bodies as clients write and read them. These shapes are promises; nothing below
//! this floor is written to the wire by itself.

pub mod activity;
pub mod agent_state;
pub mod backup;
pub mod clock;
pub mod error;
pub mod explain;
pub mod forget;
pub mod health;
pub mod isoformat;
pub mod people;
pub mod poll;
pub mod proactive;
pub mod retrieval;
pub mod tours;
pub mod traits;
