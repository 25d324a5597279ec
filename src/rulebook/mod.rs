//! Floor 1: text to a checked rulebook, and every finding at once. Pure: files arrive as bytes,
//! the environment as a look-up.

pub mod address;
pub mod arms;
pub mod builtin;
pub mod case;
pub mod cases;
pub mod changes;
pub mod codes;
pub mod compile;
pub mod condition;
pub mod copy;
mod digest;
pub mod environment;
pub mod finding;
pub(in crate::rulebook) mod goal;
pub mod ids;
pub mod index;
pub mod lint;
pub mod locale;
pub mod locales;
pub mod pacing;
pub mod pages;
pub mod prompts;
pub mod reader;
pub mod redact;
pub mod render;
pub mod repair;
pub mod rule;
pub mod schedule;
pub mod schema;
pub mod segments;
pub mod settings;
pub mod suggest;
pub mod suites;
pub mod template;
pub mod tours;
pub mod triggers;
pub mod variants;
pub mod workspace;
pub mod yaml;
pub mod zone;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::tour::Catalogue;
use crate::rulebook::case::Suite;
use crate::rulebook::condition::Asks;
use crate::rulebook::index::PageIndex;
use crate::rulebook::locale::Locales;
use crate::rulebook::pacing::caps::Cap;
use crate::rulebook::prompts::Prompt;
use crate::rulebook::rule::Rule;
use crate::rulebook::segments::Segment;
use crate::rulebook::settings::{ProductSettings, Settings};

/// A workspace as bytes: path relative to its root, with `/`, to content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Every file that may matter, by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// All checked rules, tours, prompts and settings of one revision. Immutable.
#[derive(Clone, Debug)]
pub struct Rulebook {
    /// Hex digest of what decides: the same wherever these files are.
    pub digest: Arc<str>,
    /// Hex digest of all of it, the variables that it used included.
    pub whole: Arc<str>,
    /// `docent.yaml`.
    pub settings: Settings,
    /// By id.
    pub products: HashMap<Arc<str>, Arc<Product>>,
    /// By name.
    pub prompts: BTreeMap<Arc<str>, Prompt>,
}

/// One product of a rulebook.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its id.
    pub id: Arc<str>,
    /// The rulebook's digest.
    pub digest: Arc<str>,
    /// Its settings.
    pub settings: ProductSettings,
    /// Every rule, highest priority first; ties by file path, then position.
    pub rules: Vec<Rule>,
    /// Its tours.
    pub tours: Catalogue,
    /// Its segments.
    pub segments: Vec<Segment>,
    /// Every frequency cap: the product's own, then each trigger's.
    pub caps: Vec<Cap>,
    /// Which of its rules a page concerns.
    pub index: PageIndex,
    /// What its rules ask of beyond the session.
    pub asks: Asks,
    /// Whether the session's id bears on what is decided.
    pub asks_of_session: bool,
    /// Tests of all its rules together, by file.
    pub suites: Vec<Suite>,
    /// The languages its offers are made in.
    pub locales: Locales,
}
