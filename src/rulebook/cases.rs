//! `tests:` under a trigger: timelines of what a person does and what a poll must then answer.

use std::collections::BTreeMap;

use crate::domain::decision::Hold;
use crate::domain::machine::AgentEvent;
use crate::domain::time::Span;
use crate::rulebook::case::{Case, Moment, What};
use crate::rulebook::reader::{Fields, Findings, list, name_of, number, span, words, wrong_type};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::{Node, Value};

const ENTRY: [&str; 9] =
    ["at", "page", "action", "title", "repeat", "event", "fires", "silent", "trait"];
/// What an entry can be; `page` beside `action` says where.
const KINDS: [&str; 6] = ["action", "page", "event", "fires", "silent", "trait"];

/// The tests of the trigger `id`.
pub fn read(node: &Node, id: Option<&str>, findings: &mut Findings<'_>) -> Vec<Case> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for item in list(node, findings) {
        let Some(fields) = Fields::of(item, "a test", &["name", "timeline"], findings) else {
            continue;
        };
        let name = fields.need("name", findings).and_then(|node| {
            let name = words(node, findings)?;
            if let Some(line) = names.insert(name, node.at.line) {
                let message = format!("two tests are called `{name}`");
                let help = format!("choose another name; the first is on line {line}");
                findings.error(node, "duplicate-id", message, Some(help));
            }
            Some(name)
        });
        let timeline = fields.need("timeline", findings);
        let timeline = timeline.map(|node| self::timeline(node, id, findings));
        if let (Some(name), Some(timeline)) = (name, timeline) {
            cases.push(Case { name: name.trim().to_owned(), timeline });
        }
    }
    cases
}

fn timeline(node: &Node, id: Option<&str>, findings: &mut Findings<'_>) -> Vec<Moment> {
    let (mut moments, mut latest, before) = (Vec::new(), Span::ZERO, findings.count());
    for item in list(node, findings) {
        let Some(fields) = Fields::of(item, "an entry", &ENTRY, findings) else { continue };
        let at = fields.need("at", findings).and_then(|node| {
            let at = span(node, findings)?;
            if at < latest {
                let message = format!("`{at}` comes before `{latest}`, the entry above");
                let help = "write the entries in order of time".to_owned();
                findings.error(node, "time-goes-back", message, Some(help));
            }
            latest = latest.max(at);
            Some(at)
        });
        let whats = whats(&fields, id, findings);
        let line = item.at.line;
        moments.extend(
            at.into_iter().flat_map(|at| {
                whats.iter().map(move |what| Moment { at, what: what.clone(), line })
            }),
        );
    }
    let asks = |moment: &Moment| matches!(moment.what, What::Fires(_) | What::Silent(_));
    if findings.count() == before && !moments.iter().any(asks) {
        let help = "add an entry with `fires:` or `silent:`".to_owned();
        findings.error(node, "checks-nothing", "this test expects nothing", Some(help));
    }
    moments
}

fn whats(fields: &Fields<'_>, id: Option<&str>, findings: &mut Findings<'_>) -> Vec<What> {
    let written: Vec<&str> = KINDS.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
    match written.as_slice() {
        ["action", "page"] | ["action"] => act(fields, findings).into_iter().collect(),
        [kind] => {
            for extra in ["title", "repeat"] {
                if let Some(node) = fields.get(extra) {
                    let message = format!("`{extra}` belongs to an `action`");
                    findings.error(node, "conflict", message, Some(format!("remove `{extra}`")));
                }
            }
            fields.get(kind).map(|node| one(kind, node, id, findings)).unwrap_or_default()
        }
        [] => {
            let help = format!("add one of `{}`", KINDS.join("`, `"));
            let message = "nothing happens in this entry";
            findings.error(fields.node(), "missing-key", message, Some(help));
            Vec::new()
        }
        [first, second, ..] => {
            let message = format!("an entry has one of `{first}` and `{second}`");
            let help = "write two entries with the same `at`".to_owned();
            findings.error(fields.node(), "conflict", message, Some(help));
            Vec::new()
        }
    }
}

fn one(kind: &str, node: &Node, id: Option<&str>, findings: &mut Findings<'_>) -> Vec<What> {
    let what = match kind {
        "page" => page(node, findings).map(What::Page),
        "event" => name_of(node, "event", &AgentEvent::NAMES, findings)
            .map(|name| What::Event(name.to_owned())),
        "fires" => fires(node, id, findings).map(What::Fires),
        "silent" => silent(node, findings).map(What::Silent),
        _ => return traits(node, findings),
    };
    what.into_iter().collect()
}

fn act(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Option<What> {
    let own = |node: &Node, findings: &mut Findings<'_>| words(node, findings).map(str::to_owned);
    let (mut kind, mut title, mut place, mut repeat) = (None, String::new(), None, 1);
    fields.fill("action", &mut kind, |node, findings| own(node, findings).map(Some), findings);
    fields.fill("title", &mut title, own, findings);
    fields.fill("page", &mut place, |node, findings| page(node, findings).map(Some), findings);
    fields.fill("repeat", &mut repeat, number(1..=1_000), findings);
    Some(What::Act { kind: kind?, title, page: place, repeat })
}

/// Where a person goes in a test: a path or a number URL, with or without a query.
fn page(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    if written.starts_with('/') || written.contains("://") {
        return Some(written.to_owned());
    }
    let message = format!("the page `{written}` does not begin with `/`");
    findings.error(node, "bad-page", message, Some(format!("write `/{written}`")));
    None
}

/// A trigger's own tests run that trigger alone.
fn fires(node: &Node, id: Option<&str>, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    let own = id?;
    if written != own {
        let help = did_you_mean(written, [own])
            .unwrap_or_else(|| format!("a trigger's tests run it alone; write `{own}`"));
        let message = format!("`{written}` cannot fire here");
        findings.error(node, "unknown-name", message, Some(help));
        return None;
    }
    Some(written.to_owned())
}

fn silent(node: &Node, findings: &mut Findings<'_>) -> Option<Option<Hold>> {
    match &node.value {
        Value::Bool(true) => Some(None),
        Value::Str(_) => {
            let known = Hold::ALL.map(Hold::as_str);
            name_of(node, "reason to stay silent", &known, findings).and_then(Hold::named).map(Some)
        }
        _ => {
            let help = "write `silent: true`, or the reason: `silent: no_trigger`".to_owned();
            wrong_type(node, "`true` or a reason", Some(help), findings);
            None
        }
    }
}

fn traits(node: &Node, findings: &mut Findings<'_>) -> Vec<What> {
    let Value::Map(entries) = &node.value else {
        let help = "write `trait: { plan: pro }`".to_owned();
        wrong_type(node, "a mapping", Some(help), findings);
        return Vec::new();
    };
    let mut whats = Vec::new();
    for (key, value) in entries {
        match (words(key, findings), &value.value) {
            (_, Value::Seq(_) | Value::Map(_)) => {
                wrong_type(value, "text, a number, `true` or `false`", None, findings);
            }
            (Some(name), _) => whats.push(What::Trait(name.to_owned(), value.to_json())),
            (None, _) => {}
        }
    }
    whats
}
