//! docent
pub mod domain;
pub mod ingest;
pub mod rulebook;
