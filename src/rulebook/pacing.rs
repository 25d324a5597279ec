//! Pacing: how often a trigger may come, whom it leaves alone after an answer, and what it must not
//! meet on the screen. Keys of a trigger, and a product's `frequency`.

pub mod backoff;
pub mod caps;

use std::sync::Arc;

use crate::domain::offer::Terms;
use crate::domain::time::Span;
use crate::rulebook::ids::trigger_id;
use crate::rulebook::pacing::backoff::Backoff;
use crate::rulebook::pacing::caps::Cap;
use crate::rulebook::reader::{Fields, Findings, between, number, one_or_several};
use crate::rulebook::yaml::Node;

/// How long a snooze rests a trigger when neither its rule nor the front end says.
pub const SNOOZE: Span = Span::from_seconds(3_600);
/// As many as a person can be expected to put off.
pub(in crate::rulebook) const MOST_SNOOZES: i64 = 100;
const MINUTE: Span = Span::from_seconds(60);
pub(in crate::rulebook) const YEAR: Span = Span::from_seconds(366 * 86_400);

/// How a trigger is paced; nothing by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pacing {
    /// Words that a product's caps go by.
    pub tags: Vec<Arc<str>>,
    /// No two offers of a group are live at once.
    pub group: Option<Arc<str>>,
    /// The trigger's own caps.
    pub frequency: Vec<Cap>,
    /// Places, among the product's caps, of those that concern it.
    pub caps: Arc<[usize]>,
    /// What an answer leads to.
    pub backoff: Backoff,
    /// How long a snooze rests it when the front end does not say.
    pub snooze: Option<Span>,
    /// How often in a row it may be snoozed; no limit if absent.
    pub most_snoozes: Option<u32>,
}

impl Pacing {
    /// What its offers take along.
    pub fn terms(&self) -> Terms {
        let Self { group, snooze, most_snoozes, .. } = self;
        Terms { group: group.clone(), snooze: *snooze, most_snoozes: *most_snoozes }
    }
}

/// Reads the pacing of the trigger with this id.
pub fn read(fields: &Fields<'_>, id: Option<&str>, findings: &mut Findings<'_>) -> Pacing {
    let mut pacing = Pacing::default();
    fields.fill("tags", &mut pacing.tags, tags, findings);
    let name = |node: &Node, f: &mut Findings<'_>| trigger_id(node, f).map(|id| Some(id.into()));
    fields.fill("group", &mut pacing.group, name, findings);
    let own = |node: &Node, f: &mut Findings<'_>| Some(caps::own(node, id?, f));
    fields.fill("frequency", &mut pacing.frequency, own, findings);
    pacing.backoff = backoff::read(fields, findings);
    if let Some(node) = fields.get("snooze")
        && let Some(fields) = Fields::of(node, "`snooze`", &["default", "max_times"], findings)
    {
        let rest = between(MINUTE, YEAR);
        fields.fill("default", &mut pacing.snooze, |n, f| rest(n, f).map(Some), findings);
        let most = number(0..=MOST_SNOOZES);
        fields.fill("max_times", &mut pacing.most_snoozes, |n, f| most(n, f).map(Some), findings);
    }
    pacing
}

/// Tags, one or several.
pub(in crate::rulebook) fn tags(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Arc<str>>> {
    let mut tags: Vec<Arc<str>> = Vec::new();
    for item in one_or_several(node) {
        let Some(tag) = trigger_id(item, findings) else { continue };
        if tags.iter().any(|known| **known == *tag) {
            let message = format!("the tag `{tag}` is written twice");
            findings.error(item, "duplicate-id", message, Some("remove one".into()));
        }
        tags.push(tag.into());
    }
    Some(tags)
}
