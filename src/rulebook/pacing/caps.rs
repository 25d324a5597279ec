//! Frequency caps: so many offers to one session, person, account or product in a sliding window.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::tally::{Bound, Per};
use crate::domain::time::Span;
use crate::rulebook::ids::trigger_id;
use crate::rulebook::pacing::{YEAR, tags};
use crate::rulebook::reader::{Fields, Findings, between, list, name_of, number, text};
use crate::rulebook::rule::Rule;
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::Node;

/// The largest limit: so many charges are kept per cap and record.
pub(in crate::rulebook) const MOST: i64 = 1_000;
/// What a hold by a cap begins with.
pub const REASON: &str = "frequency:";
const OWN: &[&str] = &["per", "limit", "window"];
const OF_PRODUCT: &[&str] = &["id", "per", "of", "limit", "window", "exempt_tags"];

/// A frequency cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// As written, or of a trigger's own cap `TRIGGER/user/7d`.
    pub id: Arc<str>,
    /// The skip reason: `frequency:` and the id.
    pub reason: Arc<str>,
    /// Whose offers it counts.
    pub per: Per,
    /// Which offers it counts.
    pub of: Of,
    /// Triggers with one of these tags neither count nor are held.
    pub exempt: Vec<Arc<str>>,
    /// So many offers …
    pub limit: u32,
    /// … in this time; [`Span::FOREVER`] without a window.
    pub window: Span,
    /// The line it is written on.
    pub line: usize,
}

/// Which triggers a cap is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// Every trigger.
    All,
    /// Those with this tag.
    Tag(Arc<str>),
    /// Those of this group.
    Group(Arc<str>),
    /// The one that declares it.
    Trigger(Arc<str>),
}

impl Cap {
    /// Whether a rule is counted and held by it.
    pub fn concerns(&self, rule: &Rule) -> bool {
        let pacing = &rule.pacing;
        let meant = match &self.of {
            Of::All => true,
            Of::Tag(tag) => pacing.tags.contains(tag),
            Of::Group(group) => pacing.group.as_ref() == Some(group),
            Of::Trigger(id) => rule.id == *id,
        };
        meant && !pacing.tags.iter().any(|tag| self.exempt.contains(tag))
    }

    /// As a tally sees it.
    pub fn bound(&self) -> Bound<'_> {
        Bound { id: &self.id, limit: self.limit, window: self.window }
    }
}

/// Every cap of a product, its own first; each rule learns which of them concern it.
pub fn table(product: &[Cap], rules: &mut [Rule]) -> Vec<Cap> {
    let own = rules.iter().flat_map(|rule| rule.pacing.frequency.iter().cloned());
    let caps: Vec<Cap> = product.iter().cloned().chain(own).collect();
    let mut next = product.len();
    for rule in rules {
        let concerning = product.iter().enumerate().filter(|(_, cap)| cap.concerns(rule));
        let own = next..next + rule.pacing.frequency.len();
        next = own.end;
        rule.pacing.caps = concerning.map(|(place, _)| place).chain(own).collect();
    }
    caps
}

/// The skip reasons of a product's caps and of its triggers' own.
pub fn reasons<'c>(product: &'c [Cap], own: impl Iterator<Item = &'c Cap>) -> Vec<Arc<str>> {
    product.iter().chain(own).map(|cap| Arc::clone(&cap.reason)).collect()
}

/// A trigger's own caps.
pub(super) fn own(node: &Node, trigger: &str, findings: &mut Findings<'_>) -> Vec<Cap> {
    let mut lines = BTreeMap::new();
    let mut caps = Vec::new();
    for item in list(node, findings) {
        let Some(fields) = Fields::of(item, "a cap", OWN, findings) else { continue };
        let Some((per, limit, window)) = amount(&fields, findings) else { continue };
        let id: Arc<str> = match window {
            Span::FOREVER => format!("{trigger}/{}", per.as_str()).into(),
            window => format!("{trigger}/{}/{}", per.as_str(), in_days(window)).into(),
        };
        if !is_first(item, &id, &mut lines, findings) {
            continue;
        }
        let of = Of::Trigger(trigger.into());
        let (reason, exempt, line) = (reason(&id), Vec::new(), item.at.line);
        caps.push(Cap { id, reason, per, of, exempt, limit, window, line });
    }
    caps
}

/// A product's caps.
pub(in crate::rulebook) fn of_product(node: &Node, findings: &mut Findings<'_>) -> Vec<Cap> {
    let mut lines = BTreeMap::new();
    let mut caps = Vec::new();
    for item in list(node, findings) {
        let Some(fields) = Fields::of(item, "a cap", OF_PRODUCT, findings) else { continue };
        let id = fields.need("id", findings);
        let id = id.and_then(|node| Some((node, trigger_id(node, findings)?)));
        let (mut of, mut exempt) = (Some(Of::All), Vec::new());
        if let Some(node) = fields.get("of") {
            of = self::of(node, findings);
        }
        fields.fill("exempt_tags", &mut exempt, tags, findings);
        let amount = amount(&fields, findings);
        let (Some((node, id)), Some((per, limit, window)), Some(of)) = (id, amount, of) else {
            continue;
        };
        let id: Arc<str> = id.into();
        if is_first(node, &id, &mut lines, findings) {
            let (reason, line) = (reason(&id), item.at.line);
            caps.push(Cap { id, reason, per, of, exempt, limit, window, line });
        }
    }
    caps
}

fn reason(id: &str) -> Arc<str> {
    format!("{REASON}{id}").into()
}

/// Notes a cap that says what an earlier one says already.
fn is_first(
    node: &Node,
    id: &Arc<str>,
    lines: &mut BTreeMap<Arc<str>, usize>,
    findings: &mut Findings<'_>,
) -> bool {
    let Some(line) = lines.insert(Arc::clone(id), node.at.line) else { return true };
    let message = format!("there are two caps `{id}`");
    let help = format!("keep one of them; the first is on line {line}");
    findings.error(node, "duplicate-id", message, Some(help));
    false
}

/// Per whom, how many, in what time.
fn amount(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Option<(Per, u32, Span)> {
    let per = fields.need("per", findings).and_then(|node| {
        let name = name_of(node, "scope", &Per::ALL.map(Per::as_str), findings)?;
        Per::ALL.into_iter().find(|per| per.as_str() == name)
    });
    let limit = fields.need("limit", findings).and_then(|node| limit(node, findings));
    let mut window = Some(Span::FOREVER);
    if let Some(node) = fields.get("window") {
        window = between(Span::from_seconds(1), YEAR)(node, findings);
    }
    Some((per?, limit?, window?))
}

fn limit(node: &Node, findings: &mut Findings<'_>) -> Option<u32> {
    if node.written(findings.source()) == "0" {
        let help = "write 1 or more; to switch a trigger off, write `mode: paused`".to_owned();
        let message = "a limit of `0` lets nothing be offered";
        findings.error(node, "out-of-range", message, Some(help));
        return None;
    }
    number(1..=MOST)(node, findings)
}

/// `all`, `tag:NAME` or `group:NAME`.
fn of(node: &Node, findings: &mut Findings<'_>) -> Option<Of> {
    let written = text(node, findings)?;
    let named = |name: &str| Some(Arc::from(name)).filter(|_| !name.is_empty());
    let of = match written.split_once(':') {
        None if written == "all" => Some(Of::All),
        Some(("tag", name)) => named(name).map(Of::Tag),
        Some(("group", name)) => named(name).map(Of::Group),
        _ => None,
    };
    if of.is_none() {
        let kind = written.split(':').next().unwrap_or_default();
        let help = did_you_mean(kind, ["all", "tag", "group"])
            .unwrap_or_else(|| "write `all`, `tag:NAME` or `group:NAME`".to_owned());
        let message = format!("`{written}` names no triggers");
        findings.error(node, "unknown-name", message, Some(help));
    }
    of
}

/// A window as people say it, and the same however it was written: days rather than weeks.
fn in_days(window: Span) -> String {
    const DAY: i64 = 86_400_000;
    match window.as_millis() % DAY {
        0 => format!("{}d", window.as_millis() / DAY),
        _ => window.to_string(),
    }
}
