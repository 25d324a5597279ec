//! What no poll of a test can ever come to, whatever happens before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::decision::Hold;
use crate::domain::machine::AgentEvent;
use crate::rulebook::case::{Given, Moment, SESSION, What};
use crate::rulebook::cases::{Scope, Stage};
use crate::rulebook::reader::Findings;
use crate::rulebook::rule::Mode;
use crate::rulebook::settings::Proactive;
use crate::rulebook::triggers::MODES;
use crate::rulebook::yaml::Node;

/// What has happened so far, as far as it bears on what can come.
#[derive(Debug)]
pub(super) struct SoFar {
    /// Findings before the timeline, and those of this kind.
    told: usize,
    acted: bool,
    /// Whether somebody has said who they are.
    named: bool,
    /// Whether somebody has said that they want no help.
    opted_out: bool,
    /// Modes as timelines have edited them.
    modes: BTreeMap<Arc<str>, Mode>,
}

impl SoFar {
    /// Nothing has happened, and so much has been found.
    pub(super) fn new(told: usize) -> Self {
        Self { told, acted: false, named: false, opted_out: false, modes: BTreeMap::new() }
    }

    /// Takes an entry that happens or is expected; what cannot come is a finding at `node`.
    pub(super) fn take(
        &mut self,
        moment: &Moment,
        node: &Node,
        (given, stage): (&Given, &Stage<'_>),
        findings: &mut Findings<'_>,
    ) {
        let told = findings.count();
        let proactive = given.proactive.as_deref().unwrap_or(stage.proactive);
        let why = match &moment.what {
            What::Page(_) | What::Act { .. } => {
                self.acted = true;
                None
            }
            What::User(_) | What::Email(_) => {
                self.named = true;
                None
            }
            What::Event { event: AgentEvent::ProactiveOptedOut, .. } => {
                self.opted_out = true;
                None
            }
            What::Reload(rules) => {
                self.modes.extend(rules.iter().map(|rule| (Arc::clone(&rule.id), rule.mode)));
                None
            }
            What::Fires(offered) => self.no_offer(&offered.trigger, given, stage),
            What::Silent(quiet) if quiet.hold == Some(Hold::ConsentDenied) && !self.opted_out => {
                let message = "nobody has opted out yet, so no poll comes to `consent:denied`";
                let help = "put `{ at: 1s, event: proactive_opted_out }` before";
                Some((message.to_owned(), help.to_owned()))
            }
            What::Silent(quiet) => quiet.hold.and_then(|hold| no_hold(hold, proactive)),
            _ => None,
        };
        // What is wrong above may be why.
        if let Some((message, help)) = why.filter(|_| told == self.told) {
            findings.error(node, "never-met", message, Some(help));
            self.told = findings.count();
        }
    }

    fn no_offer(
        &self,
        trigger: &str,
        given: &Given,
        stage: &Stage<'_>,
    ) -> Option<(String, String)> {
        let proactive = given.proactive.as_deref().unwrap_or(stage.proactive);
        if !proactive.enabled {
            let help = "add `given: { settings: { proactive: { enabled: true } } }`";
            return Some(("the product offers nothing".to_owned(), help.to_owned()));
        }
        let mode = self.modes.get(trigger).copied().or_else(|| stage.mode(trigger));
        // Testers see drafts, and whoever is named may be one.
        let listed = stage.around.testers.iter().any(|tester| **tester == *SESSION);
        let named = self.named || given.user.is_some() || given.email.is_some();
        let named = named || given.tester || listed;
        let mode = mode.filter(|mode| !(named && *mode == Mode::Draft));
        if let Some((name, _)) =
            MODES.iter().find(|(_, known)| Some(*known) == mode && *known != Mode::Live)
        {
            let help = match stage.scope {
                Scope::Alone { .. } => "write `mode: live` into the reload".to_owned(),
                Scope::Whole(_) => format!(
                    "test it under the trigger, or put `reload: {{ {trigger}: {{ mode: live }} }}` before"
                ),
            };
            return Some((format!("`{trigger}` is `{name}` and never offered here"), help));
        }
        if !self.acted {
            let help = "let the person open a page before: `{ at: 0s, page: / }`".to_owned();
            return Some(("nobody has done anything yet, so nothing is offered".to_owned(), help));
        }
        None
    }
}

/// A reason that these settings, or tests altogether, do not have.
fn no_hold(hold: Hold, proactive: &Proactive) -> Option<(String, String)> {
    let quotas = proactive.quotas;
    let set = |key: &str| format!("add `given: {{ settings: {{ proactive: {{ {key} }} }} }}`");
    let quota = |name: &str| set(&format!("quotas: {{ {name}: 1 }}"));
    let help = match hold {
        Hold::NotEnabled if proactive.enabled => set("enabled: false"),
        Hold::ProductPerMinute if quotas.product_per_minute == 0 => quota("product_per_minute"),
        Hold::SessionPerHour if quotas.session_per_hour == 0 => quota("session_per_hour"),
        Hold::UserPerDay if quotas.user_per_day == 0 => quota("user_per_day"),
        Hold::ScopeInvalid | Hold::CircuitOpen | Hold::JudgePending | Hold::JudgeRejected => {
            "tests have no other conversation, no failures and no model".to_owned()
        }
        _ => return None,
    };
    Some((format!("no poll of this test can come to `{}`", hold.as_str()), help))
}
