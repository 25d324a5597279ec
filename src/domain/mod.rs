//! Floor 0: the nouns, in reading order. Plain data and small laws about it; no async, no IO,
//! no clock, no environment, no logging.

pub mod action;
pub mod announcement;
pub mod answer;
pub mod bucket;
pub mod bulletin;
pub mod circuit;
pub mod consent;
pub mod decision;
pub mod ghosts;
pub mod goal;
pub mod group;
pub mod happened;
pub mod health;
pub mod holders;
pub mod ledger;
pub mod machine;
pub mod offer;
pub mod page;
pub mod properties;
pub mod records;
pub mod session;
pub mod tally;
pub mod text;
pub mod time;
pub mod tour;
pub mod traits;
