//! docent
pub mod domain;
pub mod rulebook;
