//! docent
pub mod domain;
pub mod engine;
pub mod rulebook;
pub mod store;
