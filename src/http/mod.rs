//! Floor 5: the routes' pieces. `serve` accepts connections, `front` prepares every request and
//! finishes every answer, `gate` lets it in: who may ask (`access`, with `keys`, `origin`,
//! `token`, `exposure`) and how often (`limits`). What is read (`path`, `body`, `wire`) and what is
//! answered (`error`, `cors`, `wire`).

pub mod access;
pub mod body;
pub mod cors;
pub mod error;
pub mod exposure;
pub mod front;
pub mod gate;
pub mod keys;
pub mod limits;
pub mod origin;
pub mod path;
pub mod serve;
pub mod token;
pub mod wire;
