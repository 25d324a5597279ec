//! docent
pub mod domain;
pub mod http;
pub mod rulebook;
pub mod runtime;
