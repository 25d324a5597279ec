//! `reload:` in a timeline: a trigger as its file has it, with some of its keys edited, the way a
//! save in an editor would change it while somebody is on the page.

use std::sync::Arc;

use crate::rulebook::cases::Stage;
use crate::rulebook::reader::{Findings, wrong_type};
use crate::rulebook::rule::{Mode, Rule};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::triggers::{Around, edited};
use crate::rulebook::yaml::{Node, Value};

/// The triggers that a timeline can edit.
#[derive(Clone, Copy, Debug)]
pub enum Editable<'t> {
    /// One, as its tests stand beneath it; `None` when it has mistakes of its own.
    One(Option<&'t Node>),
    /// Those of these files' roots, by id.
    Several(&'t [Node]),
}

/// The edited triggers; what is wrong is left out.
pub(super) fn read(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Vec<Arc<Rule>> {
    let Value::Map(entries) = &node.value else {
        let help = match stage.editable {
            Editable::One(_) => "write keys of the trigger, `{ offer: { body: \"New words\" } }`",
            Editable::Several(_) => {
                "write a trigger and its keys, `{ my-trigger: { mode: paused } }`"
            }
        };
        wrong_type(node, "a mapping", Some(help.to_owned()), findings);
        return Vec::new();
    };
    let rules: Vec<Rule> = match stage.editable {
        Editable::One(None) => Vec::new(),
        Editable::One(Some(trigger)) => {
            let mut rule = edit(trigger, node, stage.around, findings);
            // Its tests have it take part whatever its mode.
            if let Some(rule) = rule.as_mut().filter(|_| node.get("mode").is_none()) {
                rule.mode = Mode::Live;
            }
            rule.into_iter().collect()
        }
        Editable::Several(roots) => {
            let known = |id: &Node| roots.iter().find_map(|root| trigger(root, id.as_str()?));
            let mut rule = |(id, over): &(Node, Node)| match known(id) {
                // What is wrong with it in its file is said there.
                Some(_) if id.as_str().is_none_or(|id| stage.mode(id).is_none()) => None,
                Some(trigger) => edit(&trigger.placed_at(over), over, stage.around, findings),
                None => unknown(id, stage, findings),
            };
            entries.iter().filter_map(&mut rule).collect()
        }
    };
    rules.into_iter().map(Arc::new).collect()
}

fn trigger<'t>(root: &'t Node, id: &str) -> Option<&'t Node> {
    let Value::Seq(items) = &root.get("triggers")?.value else { return None };
    items.iter().find(|item| item.get("id").and_then(Node::as_str) == Some(id))
}

fn unknown(id: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<Rule> {
    let known = stage.ids()?;
    let name = id.as_str().unwrap_or_default();
    let help = did_you_mean(name, known.iter())
        .unwrap_or_else(|| "write the id of a trigger, and under it what is edited".to_owned());
    findings.error(id, "unknown-name", format!("no trigger is called `{name}`"), Some(help));
    None
}

fn edit(
    trigger: &Node,
    over: &Node,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Rule> {
    if !matches!(over.value, Value::Map(_)) {
        let help = "write keys of the trigger, `{ mode: paused }`".to_owned();
        wrong_type(over, "a mapping", Some(help), findings);
        return None;
    }
    for (key, why) in [("id", "state hangs on it"), ("tests", "they are run already")] {
        if let Some(node) = over.get(key) {
            let message = format!("a reload leaves `{key}` alone: {why}");
            findings.error(node, "conflict", message, Some(format!("remove `{key}`")));
            return None;
        }
    }
    edited(&beneath(trigger, over).with(over), around, findings)
}

/// The trigger without its tests and without what the edit takes the place of.
fn beneath(trigger: &Node, over: &Node) -> Node {
    let has = |node: Option<&Node>, key: &str| node.is_some_and(|node| node.get(key).is_some());
    let mut gone = vec!["tests"];
    if has(Some(over), "when") {
        gone.extend(["builtin", "params"]);
    }
    if has(Some(over), "builtin") {
        gone.extend(["when", "params"]);
    }
    let mut trigger = trigger.without(&gone);
    let offer = over.get("offer");
    let gone: &[&str] = match has(offer, "labels") {
        true => &["accept", "dismiss"],
        false if has(offer, "accept") || has(offer, "dismiss") => &["labels"],
        false => &[],
    };
    if let Value::Map(entries) = &mut trigger.value {
        let offer = entries.iter_mut().find(|(key, _)| key.as_str() == Some("offer"));
        if let Some((_, offer)) = offer {
            *offer = offer.without(gone);
        }
    }
    trigger
}
