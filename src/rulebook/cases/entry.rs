//! One entry of a timeline: one thing that happens or is expected, and what belongs to it.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::domain::decision::Hold;
use crate::domain::machine::AgentEvent;
use crate::domain::properties::{CHARS, KEPT, admit};
use crate::domain::time::Span;
use crate::rulebook::case::{Offered, Quiet, What};
use crate::rulebook::cases::{Scope, Stage, given, reload};
use crate::rulebook::pacing::caps::REASON;
use crate::rulebook::pages::meant;
use crate::rulebook::reader::{
    Fields, Findings, flag, list, name_of, number, span, text, words, wrong_type,
};
use crate::rulebook::suggest::{did_you_mean, same_letters};
use crate::rulebook::yaml::{Node, Value};

/// Every key of an entry.
pub(super) const KEYS: &[&str] = &[
    "at",
    "page",
    "action",
    "title",
    "properties",
    "repeat",
    "event",
    "for",
    "step",
    "reason",
    "counts",
    "fires",
    "body",
    "labels",
    "tour",
    "variant",
    "shadows",
    "silent",
    "next",
    "clause",
    "goal",
    "reached",
    "trait",
    "user",
    "email",
    "account",
    "account_trait",
    "reload",
];
/// What an entry can be; `page` beside `action` says where.
pub(in crate::rulebook) const KINDS: &[&str] = &[
    "action",
    "page",
    "event",
    "fires",
    "shadows",
    "silent",
    "goal",
    "trait",
    "user",
    "email",
    "account",
    "account_trait",
    "reload",
];
/// What belongs to one kind alone.
const EXTRAS: &[(&str, &str)] = &[
    ("title", "action"),
    ("properties", "action"),
    ("repeat", "action"),
    ("for", "event"),
    ("step", "event"),
    ("reason", "event"),
    ("counts", "event"),
    ("body", "fires"),
    ("labels", "fires"),
    ("tour", "fires"),
    ("variant", "fires"),
    ("next", "silent"),
    ("clause", "silent"),
    ("reached", "goal"),
];
/// Members that one event alone has.
const MEMBERS: &[(&str, &str)] =
    &[("for", "proactive_snoozed"), ("step", "tour_failed"), ("reason", "tour_failed")];

/// What happens or is expected; nothing when a mistake is among the findings.
pub(super) fn read(
    fields: &Fields<'_>,
    stage: &Stage<'_>,
    findings: &mut Findings<'_>,
) -> Vec<What> {
    let written: Vec<&str> =
        KINDS.iter().copied().filter(|kind| fields.get(kind).is_some()).collect();
    match written.as_slice() {
        ["action", "page"] | ["action"] => {
            strays(fields, "action", EXTRAS, findings);
            act(fields, findings).into_iter().collect()
        }
        [kind] => {
            strays(fields, kind, EXTRAS, findings);
            let node = fields.get(kind);
            node.map(|node| one(kind, node, fields, stage, findings)).unwrap_or_default()
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

/// Notes keys that belong to something else than `own`.
fn strays(fields: &Fields<'_>, own: &str, table: &[(&str, &str)], findings: &mut Findings<'_>) {
    for (extra, owner) in table.iter().filter(|(_, owner)| *owner != own) {
        if let Some(node) = fields.get(extra) {
            let message = format!("`{extra}` belongs to `{owner}`");
            findings.error(node, "conflict", message, Some(format!("remove `{extra}`")));
        }
    }
}

fn one(
    kind: &str,
    node: &Node,
    fields: &Fields<'_>,
    stage: &Stage<'_>,
    findings: &mut Findings<'_>,
) -> Vec<What> {
    let what = match kind {
        "page" => page(node, findings).map(What::Page),
        "event" => event(node, fields, findings),
        "fires" => fires(node, fields, stage, findings).map(What::Fires),
        "shadows" => shadows(node, stage, findings).map(What::Shadows),
        "silent" => silent(node, fields, stage, findings).map(What::Silent),
        "goal" => trigger(node, stage, findings).map(|trigger| {
            let mut reached = true;
            fields.fill("reached", &mut reached, flag, findings);
            What::Goal { trigger, reached }
        }),
        "user" => words(node, findings).map(|user| What::User(user.to_owned())),
        "email" => words(node, findings).map(|email| What::Email(email.to_owned())),
        "account" => words(node, findings).map(|account| What::Account(account.to_owned())),
        "account_trait" => return traits(node, What::AccountTrait, findings),
        "reload" => {
            let rules = reload::read(node, stage, findings);
            (!rules.is_empty()).then_some(What::Reload(rules))
        }
        _ => return traits(node, What::Trait, findings),
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
    let properties = fields.get("properties").map(|node| properties(node, findings));
    let properties = properties.unwrap_or_default();
    Some(What::Act { kind: kind?, title, properties, page: place, repeat })
}

/// What is told of an action; what would not be kept is a finding.
fn properties(node: &Node, findings: &mut Findings<'_>) -> Map<String, Json> {
    let before = findings.count();
    let said = given::traits(node, findings);
    let (told, less) = admit(said.iter());
    if less && findings.count() == before {
        let message = format!("an action keeps {KEPT} properties with names of {CHARS} characters");
        let help = "leave out what is more, and every e-mail address".to_owned();
        findings.error(node, "out-of-range", message, Some(help));
    }
    told
}

/// Where a person goes in a test: a path or a number URL, with or without a query.
fn page(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    if written.starts_with('/') || written.contains("://") {
        return Some(written.to_owned());
    }
    let message = format!("the page `{written}` does not begin with `/`");
    findings.error(node, "bad-page", message, Some(format!("write `/{written}`")));
    if let Some(meant) = meant(written) {
        findings.repair(written, &meant);
    }
    None
}

fn event(node: &Node, fields: &Fields<'_>, findings: &mut Findings<'_>) -> Option<What> {
    let name = name_of(node, "event", &AgentEvent::NAMES, findings)?;
    strays(fields, name, MEMBERS, findings);
    let mut counts = true;
    fields.fill("counts", &mut counts, flag, findings);
    let event = match name {
        "user_sent" => AgentEvent::UserSent,
        "bot_response_completed" => AgentEvent::BotResponseCompleted,
        "proactive_shown" => AgentEvent::ProactiveShown,
        "proactive_dismissed" => AgentEvent::ProactiveDismissed,
        "proactive_snoozed" => {
            let mut rest = None;
            fields.fill("for", &mut rest, |node, f| span(node, f).map(Some), findings);
            AgentEvent::ProactiveSnoozed { rest }
        }
        "proactive_accepted_chat" => AgentEvent::ProactiveAcceptedChat,
        "proactive_accepted_tour" => AgentEvent::ProactiveAcceptedTour,
        "tour_completed" => AgentEvent::TourCompleted,
        "tour_abandoned" => AgentEvent::TourAbandoned,
        "tour_failed" => {
            let (mut step, mut reason) = (None, None);
            let place = number::<u32>(0..=1_000);
            fields.fill("step", &mut step, |node, f| place(node, f).map(Some), findings);
            let own = |node: &Node, f: &mut Findings<'_>| words(node, f).map(|w| Some(w.into()));
            fields.fill("reason", &mut reason, own, findings);
            AgentEvent::TourFailed { step, reason }
        }
        "proactive_opted_out" => AgentEvent::ProactiveOptedOut,
        "proactive_opted_in" => AgentEvent::ProactiveOptedIn,
        _ => AgentEvent::Reset,
    };
    Some(What::Event { event, counts })
}

fn fires(
    node: &Node,
    fields: &Fields<'_>,
    stage: &Stage<'_>,
    findings: &mut Findings<'_>,
) -> Option<Offered> {
    let (mut named, mut variant) = (Some(node), None);
    if matches!(node.value, Value::Map(_)) {
        let fields = Fields::of(node, "`fires`", &["trigger", "variant"], findings)?;
        named = fields.need("trigger", findings);
        fields.fill("variant", &mut variant, own, findings);
    }
    let trigger = named.and_then(|node| trigger(node, stage, findings));
    let (mut body, mut tour, mut labels) = (None, None, None);
    fields.fill("body", &mut body, own, findings);
    fields.fill("tour", &mut tour, own, findings);
    fields.fill("variant", &mut variant, own, findings);
    let several = |node: &Node, findings: &mut Findings<'_>| {
        let labels = list(node, findings).iter();
        Some(labels.filter_map(|label| text(label, findings).map(str::to_owned)).collect())
    };
    fields.fill("labels", &mut labels, |node, f| several(node, f).map(Some), findings);
    Some(Offered { trigger: trigger?, body, labels, tour, variant })
}

fn own(node: &Node, findings: &mut Findings<'_>) -> Option<Option<String>> {
    words(node, findings).map(|words| Some(words.to_owned()))
}

/// A shadow; alone, a trigger is tested as if it were live.
fn shadows(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<String> {
    if let Scope::Alone { .. } = &stage.scope {
        let message = "a trigger's own tests run it as if it were live";
        let help = "write `fires`, or move the test to a file of tests of all rules".to_owned();
        findings.error(node, "conflict", message, Some(help));
        return None;
    }
    trigger(node, stage, findings)
}

fn trigger(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    let (known, message, otherwise) = match &stage.scope {
        Scope::Alone { id, .. } => {
            let own = (*id)?;
            let otherwise = format!("a trigger's tests run it alone; write `{own}`");
            (vec![own], format!("`{written}` cannot fire here"), otherwise)
        }
        Scope::Whole(None) => return Some(written.to_owned()),
        Scope::Whole(Some(ids)) => {
            let known: Vec<_> = ids.iter().collect();
            let otherwise = match known.len() {
                0 => "the product has no triggers".to_owned(),
                _ => format!("the triggers are `{}`", known.join("`, `")),
            };
            (known, format!("no trigger is called `{written}`"), otherwise)
        }
    };
    if known.contains(&written) {
        return Some(written.to_owned());
    }
    let alone = matches!(stage.scope, Scope::Alone { .. });
    let help = did_you_mean(written, known.iter().copied()).unwrap_or(otherwise);
    findings.error(node, "unknown-name", message, Some(help));
    // Of several triggers, a nearer look is only a guess.
    match alone {
        true => findings.respell(written, known),
        false => findings.respell(written, same_letters(written, known)),
    }
    None
}

fn silent(
    node: &Node,
    fields: &Fields<'_>,
    stage: &Stage<'_>,
    findings: &mut Findings<'_>,
) -> Option<Quiet> {
    let hold = hold(node, stage, findings);
    let (mut next, mut clause) = (None, None);
    fields.fill("next", &mut next, |node, f| self::next(node, f).map(Some), findings);
    let known = |node: &Node, f: &mut Findings<'_>| self::clause(node, stage, f).map(Some);
    fields.fill("clause", &mut clause, known, findings);
    let (hold, cap) = hold?;
    Some(Quiet { hold, cap, next, clause })
}

/// A reason, and the cap it names: `frequency:three-a-day`.
type Why = (Option<Hold>, Option<Arc<str>>);

fn hold(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<Why> {
    match &node.value {
        Value::Bool(true) => Some((None, None)),
        Value::Str(written) => {
            let caps = stage.caps.unwrap_or_default();
            if stage.caps.is_none() && written.starts_with(REASON) {
                return Some((Some(Hold::Frequency), Some(written.as_str().into())));
            }
            let holds = Hold::ALL.map(Hold::as_str);
            let known: Vec<&str> = holds.into_iter().chain(caps.iter().map(|cap| &**cap)).collect();
            let name = name_of(node, "reason to stay silent", &known, findings)?;
            let cap = caps.iter().find(|cap| ***cap == *name).cloned();
            let hold = Hold::named(name).or(cap.as_ref().map(|_| Hold::Frequency));
            Some((hold, cap))
        }
        _ => {
            let help = "write `silent: true`, or the reason: `silent: no_trigger`".to_owned();
            wrong_type(node, "`true` or a reason", Some(help), findings);
            None
        }
    }
}

/// How long a silence stands: a duration, or `never` changing by itself.
fn next(node: &Node, findings: &mut Findings<'_>) -> Option<Span> {
    if node.as_str() == Some("never") { Some(Span::FOREVER) } else { span(node, findings) }
}

/// Words of one of the trigger's clauses.
fn clause(node: &Node, stage: &Stage<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?.trim();
    let Scope::Alone { clauses, .. } = &stage.scope else {
        let help = "remove `clause`; a trigger's own tests can name it".to_owned();
        let message = "tests of the whole rulebook speak of no one condition";
        findings.error(node, "conflict", message, Some(help));
        return None;
    };
    let Some(clauses) = clauses else { return Some(written.to_owned()) };
    if clauses.iter().any(|clause| clause.contains(written)) {
        return Some(written.to_owned());
    }
    let known = || clauses.iter().map(String::as_str);
    let help = did_you_mean(written, known()).unwrap_or_else(|| match clauses.is_empty() {
        true => "a builtin has no clauses; remove `clause`".to_owned(),
        false => format!("its clauses are `{}`", known().collect::<Vec<_>>().join("`, `")),
    });
    let message = format!("the condition has no clause `{written}`");
    findings.error(node, "unknown-name", message, Some(help));
    None
}

fn traits(node: &Node, learnt: fn(String, Json) -> What, findings: &mut Findings<'_>) -> Vec<What> {
    given::traits(node, findings).into_iter().map(|(name, value)| learnt(name, value)).collect()
}
