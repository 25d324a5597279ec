//! docent
pub mod domain;
pub mod engine;
pub mod ingest;
pub mod ingest;
pub mod rulebook;
