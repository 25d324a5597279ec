//! Floor 5: the surface. `serve` accepts connections, `front` prepares every request and finishes
//! every answer, `site` is the route table, `gate` lets a request in: who may ask (`access`, with
//! `keys`, `origin`, `token`, `exposure`) and how often (`limits`). One file per route reads with
//! `path`, `body` and `wire`, calls one verb of the app, and answers with `json`, `error`, `wire`.

pub mod access;
mod admin;
mod agent_state;
mod backup;
pub mod body;
mod clock;
mod context;
pub mod cors;
pub mod error;
mod events;
pub mod exposure;
mod forget;
pub mod front;
pub mod gate;
mod health;
pub mod home;
mod json;
pub mod keys;
pub mod limits;
pub mod openapi;
pub mod origin;
pub mod path;
mod people;
mod proactive;
mod retrieval;
pub mod serve;
pub mod site;
mod status;
pub mod token;
mod tours;
mod users;
pub mod wire;
