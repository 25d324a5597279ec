//! Floor 5: the routes' pieces. Who may ask (`access`, with `keys`, `origin` and `token`), how
//! often (`limits`), what is read (`path`, `wire`) and what is answered (`error`, `wire`).

pub mod error;
pub mod keys;
pub mod origin;
pub mod path;
pub mod token;
