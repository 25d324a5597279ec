//! Floor 2: the verbs. Each is a pure function of values; time is an argument. The poll, the push
//! channel, rule tests, explanations and replays all call the same [`decide::decide`].

pub mod advance;
pub mod aftermath;
pub mod arms;
pub mod around;
pub mod case;
pub mod charge;
pub mod claims;
pub mod context;
pub mod decide;
pub mod erasure;
pub mod explain;
pub mod fire;
pub mod gates;
pub mod ghosts;
pub(crate) mod goals;
pub mod grave;
pub mod identity;
pub mod look;
pub mod memory;
pub mod observe;
pub mod person;
pub mod privacy;
pub mod pseudonym;
pub mod react;
pub mod replay;
pub mod settle;
pub mod skip;
pub mod standing;
pub mod suite;
pub mod tape;
pub mod targets;
pub mod testers;
pub mod words;
pub mod world;
