//! docent watches what each person does in a web product and decides, by rules anyone can read,
//! whether now is the moment to offer help.
//!
//! # Bird's eye
//!
//! ```text
//! activity ──▶ ingest ──▶ App::deliver ──▶ engine::advance ──▶ session state, context
//!   (SSE, signed push, browser, PostHog)                            │
//! front end ─▶ GET /context ──▶ App::poll ──▶ engine::decide ◀──────┤◀── the rulebook in force
//!           ─▶ POST /agent_state ─▶ App::report ─▶ engine::react ◀──┤      ▲
//! chatbot ───▶ POST /retrieval ──▶ App::retrieve ◀──────────────────┘      │
//! files ─────▶ library::watch ──▶ rulebook::compile ── findings? the last good one stays
//! ```
//!
//! # Floors
//!
//! Each may name those beneath it. Floors 0 to 2 are pure: no async, IO, clock, environment or
//! logging; time is an argument.
//!
//! * `cli` (6): the commands, their output and exit codes.
//! * `http` (5): routes, wire types, keys, limits; the only place that knows a status code.
//! * `app` (4): the verbs: deliver, poll, report, retrieve, explain.
//! * floor 3, adapters that do not see each other: `library` (disk, watch, the rulebook in force),
//!   `store` (records, in memory, on disk and in Redis), `journal` (what happened, for replays),
//!   `ingest` (wire formats, upstreams, signatures), `runtime` (clock, environment, tasks, logs,
//!   metrics).
//! * `engine` (2): `decide`, `advance`, `react`: the session, its surroundings and a time go in, a
//!   decision comes out. `look` is one poll, `tape` what a journal keeps of it, `aftermath` what a step owes to other records. `words` says it in the person's language; `goals` and `targets`
//!   look at what became of it. `case` and `suite` live through rule tests with the same verbs, and
//!   `replay` through recorded sessions, in a `world` of records as plain values.
//! * `rulebook` (1): text to checked rules, and every finding at once; the condition tree; `changes`
//!   says in words how two rulebooks differ.
//! * `domain` (0): the nouns.
//!
//! # Where to start
//!
//! `engine/decide.rs`, then `app/poll.rs` and `app/fire.rs`, then `rules/projects.yaml`.
//!
//! # Invariants
//!
//! * The engine reads no clock: the poll, rule tests, explanations and replays are one call of
//!   `decide` with a different time. Same inputs, same bytes out.
//! * A decision is total: every silence has a name, and says until when it stands.
//! * A session changes only through `advance`, `commit`, `react` and `settle`, under its record's
//!   lock, and only the first three are worth a write.
//! * Any other step writes its session first and then what it owes to other records (`aftermath`),
//!   each of which may be told twice. Nobody who hangs up cuts that short.
//! * A firing claims other records first and commits last: a crash in between over-counts by one
//!   and never offers twice. Two that attempt one offer at once hold its claims each for itself. A
//!   poll creates no record.
//! * A reload is a proposal: any error leaves the last good rulebook in force. State hangs on
//!   trigger ids; a pending offer keeps its own text and deadlines.
//! * Absent on purpose: loops, closures, clocks or I/O in predicates; a port or mock in the engine;
//!   a layer of middleware on the hot routes.

pub mod app;
pub mod cli;
pub mod domain;
pub mod engine;
pub mod http;
pub mod ingest;
pub mod journal;
pub mod library;
pub mod rulebook;
pub mod runtime;
pub mod store;
