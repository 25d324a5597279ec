//! docent
pub mod domain;
pub mod engine;
pub mod library;
pub mod rulebook;
