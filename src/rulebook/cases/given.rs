//! `given:` of a test: what stands when its timeline starts, so that it needs no preamble.

use serde_json::{Map, Value as Json};

use crate::domain::bucket::BUCKETS;
use crate::domain::machine::AgentState;
use crate::domain::traits::SEGMENTS;
use crate::rulebook::case::Given;
use crate::rulebook::cases::Stage;
use crate::rulebook::condition::segment::segment;
use crate::rulebook::locales;
use crate::rulebook::reader::{
    Fields, Findings, flag, name_of, number, one_or_several, words, wrong_type,
};
use crate::rulebook::schedule::date;
use crate::rulebook::settings::Proactive;
use crate::rulebook::yaml::{Node, Value};
use crate::rulebook::{workspace, zone};

/// Every key of `given`.
pub(in crate::rulebook) const KEYS: &[&str] = &[
    "now",
    "timezone",
    "locale",
    "user",
    "email",
    "traits",
    "segments",
    "account",
    "account_traits",
    "state",
    "dismissals",
    "tester",
    "bucket",
    "settings",
];
/// Where a session can stand without an offer of its own.
pub(in crate::rulebook) const STATES: [AgentState; 4] = [
    AgentState::Thinking,
    AgentState::ReactiveAssistance,
    AgentState::GuidanceExecution,
    AgentState::ConservativeAssistance,
];

/// What stands at the start; what is wrong is left out.
pub(super) fn read(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<Given> {
    let fields = Fields::of(node, "`given`", KEYS, findings)?;
    let mut given = Given::default();
    let own = |node: &Node, findings: &mut Findings<'_>| {
        words(node, findings).map(|words| Some(words.to_owned()))
    };
    let now = |node: &Node, f: &mut Findings<'_>| date(node, f).map(|now| Some(now.start()));
    fields.fill("now", &mut given.now, now, findings);
    let zone = |node: &Node, f: &mut Findings<'_>| {
        zone::read(node, f).map(|zone| Some(zone.name().to_owned()))
    };
    fields.fill("timezone", &mut given.timezone, zone, findings);
    fields.fill("user", &mut given.user, own, findings);
    fields.fill("email", &mut given.email, own, findings);
    let tag = |node: &Node, f: &mut Findings<'_>| locales::tag(node, f).map(|tag| tag.to_string());
    fields.fill("locale", &mut given.locale, |node, f| tag(node, f).map(Some), findings);
    fields.fill("traits", &mut given.traits, |node, f| Some(traits(node, f)), findings);
    if let Some(node) = fields.get("segments") {
        let segments = segments(node, stage, findings);
        given.traits.insert(SEGMENTS.to_owned(), segments.into());
    }
    fields.fill("account", &mut given.account, own, findings);
    let known = |node: &Node, f: &mut Findings<'_>| Some(traits(node, f));
    fields.fill("account_traits", &mut given.account_traits, known, findings);
    nobodys(&fields, &given, findings);
    fields.fill("state", &mut given.state, |n, f| state(n, f).map(Some), findings);
    let dismissals = number::<u32>(0..=1_000);
    fields.fill("dismissals", &mut given.dismissals, |n, f| dismissals(n, f).map(Some), findings);
    fields.fill("tester", &mut given.tester, flag, findings);
    let bucket = number::<u16>(0..=i64::from(BUCKETS - 1));
    fields.fill("bucket", &mut given.bucket, |n, f| bucket(n, f).map(Some), findings);
    let settings = |node: &Node, f: &mut Findings<'_>| self::settings(node, stage, f);
    fields.fill("settings", &mut given.proactive, |n, f| settings(n, f).map(Some), findings);
    Some(given)
}

/// What is said of an account that nobody names is lost.
fn nobodys(fields: &Fields<'_>, given: &Given, findings: &mut Findings<'_>) {
    if let (Some(node), None) = (fields.get("account_traits"), fields.get("account"))
        && given.account.is_none()
    {
        let help = Some("add `account:`".to_owned());
        findings.error(node, "conflict", "these are the traits of no account", help);
    }
}

/// The segments that somebody else has put the person in.
fn segments(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Vec<String> {
    let (items, mut read) = (one_or_several(node), Vec::new());
    if items.is_empty() {
        findings.error(node, "empty-list", "this list has no segments", None);
    }
    for item in items {
        let Some(id) = words(item, findings) else { continue };
        match segment(id, false, stage.around.segments) {
            Err((message, help)) => findings.error(item, "unknown-segment", message, Some(help)),
            Ok(known) if stage.around.segments.is_some() && !known.when.is_given() => {
                let message = format!("nobody is put in `{id}`: it has a condition");
                let help = "let the person of the test meet its condition".to_owned();
                findings.error(item, "conflict", message, Some(help));
            }
            Ok(_) => read.push(id.to_owned()),
        }
    }
    read
}

/// What is known of the person, by name.
pub(super) fn traits(node: &Node, findings: &mut Findings<'_>) -> Map<String, Json> {
    let mut traits = Map::new();
    let Value::Map(entries) = &node.value else {
        let help = "write for example `{ plan: pro }`".to_owned();
        wrong_type(node, "a mapping", Some(help), findings);
        return traits;
    };
    for (key, value) in entries {
        match (words(key, findings), &value.value) {
            (_, Value::Seq(_) | Value::Map(_)) => {
                wrong_type(value, "text, a number, `true` or `false`", None, findings);
            }
            (Some(name), _) => drop(traits.insert(name.to_owned(), value.to_json())),
            (None, _) => {}
        }
    }
    traits
}

fn state(node: &Node, findings: &mut Findings<'_>) -> Option<AgentState> {
    let name = name_of(node, "state to start in", &STATES.map(AgentState::as_str), findings)?;
    STATES.into_iter().find(|state| state.as_str() == name)
}

/// The product's settings with these in their place.
fn settings(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<Box<Proactive>> {
    let fields = Fields::of(node, "`settings`", &["proactive"], findings)?;
    let node = fields.get("proactive")?;
    workspace::proactive(node, stage.proactive.clone(), findings).map(Box::new)
}
