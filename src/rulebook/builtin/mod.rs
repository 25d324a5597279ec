//! The published SDK's detectors, exact to its version 0.13.0, and its reading of quick replies and
//! of a judge's answer. They see what the SDK sees: raw wire numbers, URLs to the letter, one entry
//! per action, through the SDK's own windows.

pub mod dwell;
pub mod judge;
mod params;
pub mod ping_pong;
pub mod quick_reply;
pub mod section;

use serde_json::{Map, Value};

use crate::domain::action::Action;
use crate::rulebook::builtin::dwell::UserPageDwell;
use crate::rulebook::builtin::ping_pong::PingPong;
use crate::rulebook::builtin::section::SectionPlaybook;
use crate::rulebook::condition::{Answer, Truth, View};
use crate::rulebook::reader::Findings;
use crate::rulebook::settings::Windows;
use crate::rulebook::yaml::Node;

pub(in crate::rulebook) use crate::rulebook::builtin::params::NAMES;

/// One of the SDK's detectors with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Builtin {
    /// `canonical_url_ping_pong`
    PingPong(PingPong),
    /// `user_page_dwell`
    UserPageDwell(UserPageDwell),
    /// `section_playbook_match`
    SectionPlaybook(SectionPlaybook),
}

/// What a detector found: the SDK's result, before a rule's own words replace its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// At most 150 characters.
    pub body: String,
    /// None for the SDK's own.
    pub labels: Vec<String>,
    /// The SDK's `metadata`.
    pub metadata: Map<String, Value>,
}

impl Builtin {
    /// Whether it matches. The SDK's windows slide by the sender's clock, so the answer is good for
    /// this instant alone.
    pub fn answer(&self, view: &View<'_>, windows: &Windows) -> Answer {
        let truth = if self.detect(view, windows).is_some() { Truth::True } else { Truth::False };
        Answer { truth, until: view.now }
    }

    /// Looks at the session through the SDK's windows.
    pub fn detect(&self, view: &View<'_>, windows: &Windows) -> Option<Hit> {
        let now = view.now.as_seconds();
        let lookback = Some(windows.lookback.as_seconds());
        let actions = window(&view.session.actions, now, lookback, Some(windows.max_actions));
        match self {
            Self::PingPong(ping_pong) => ping_pong.detect(&urls(&actions)),
            Self::UserPageDwell(dwell) => dwell.detect(&actions, now),
            Self::SectionPlaybook(playbook) => playbook.detect(&actions),
        }
    }
}

/// Reads a rule's `builtin` and `params`; every mistake is among the findings.
pub fn read(name: &Node, params: Option<&Node>, findings: &mut Findings<'_>) -> Option<Builtin> {
    params::read(name, params, findings)
}

/// The SDK's context window (contract 4.1): of the actions whose batch was forwarded no longer ago
/// than `lookback` seconds, the newest `max_actions`, oldest first. Future batches are seen.
pub fn window<'a>(
    actions: impl IntoIterator<Item = &'a Action, IntoIter: DoubleEndedIterator>,
    now: f64,
    lookback: Option<f64>,
    max_actions: Option<usize>,
) -> Vec<&'a Action> {
    let fresh = |action: &&Action| lookback.is_none_or(|span| action.forwarded >= now - span);
    let newest = actions.into_iter().rev().filter(fresh);
    let mut kept: Vec<_> = newest.take(max_actions.unwrap_or(usize::MAX)).collect();
    kept.reverse();
    kept
}

/// One entry per action, as the detectors count.
fn urls<'a>(actions: &[&'a Action]) -> Vec<&'a str> {
    actions.iter().map(|action| &*action.url).collect()
}
