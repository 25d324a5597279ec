//! `rules/*.yaml` to rules.

use std::sync::Arc;

use crate::domain::session::Session;
use crate::domain::time::{Span, Timestamp};
use crate::domain::tour::Catalogue;
use crate::rulebook::cases::reload::Editable;
use crate::rulebook::cases::{self, Scope, Stage};
use crate::rulebook::condition::arguments::no_tour;
use crate::rulebook::condition::spelling::Spelling;
use crate::rulebook::condition::{Ground, Segments, View};
use crate::rulebook::ids::{Ids, trigger_id};
use crate::rulebook::pacing::caps::{Cap, reasons};
use crate::rulebook::pages::patterns;
use crate::rulebook::reader::{
    Fields, Findings, between, flag, list, name_of, number, text, version, words,
};
use crate::rulebook::rule::{COOLDOWN, Copy, Mode, OFFER_TIMEOUT, Rule, When, Written};
use crate::rulebook::settings::{Activity, Proactive};
use crate::rulebook::suggest::same_letters;
use crate::rulebook::template::Text;
use crate::rulebook::yaml::Node;
use crate::rulebook::{arms, builtin, condition, copy, goal, pacing, schedule, variants};

const KEYS: &[&str] = &[
    "id",
    "name",
    "owner",
    "priority",
    "mode",
    "page",
    "when",
    "builtin",
    "params",
    "offer",
    "schedule",
    "cooldown",
    "again_after",
    "tags",
    "group",
    "frequency",
    "on_dismiss",
    "on_ignore",
    "on_accept",
    "on_abandon",
    "on_fail",
    "on_complete",
    "reset",
    "snooze",
    "goal",
    "rollout",
    "holdout",
    "judge",
    "tests",
];
const OFFER: &[&str] = &["body", "accept", "dismiss", "labels", "tour", "timeout", "variants"];
pub(in crate::rulebook) const MODES: [(&str, Mode); 4] = [
    ("live", Mode::Live),
    ("shadow", Mode::Shadow),
    ("draft", Mode::Draft),
    ("paused", Mode::Paused),
];
/// Higher first; this when none is written.
pub(in crate::rulebook) const PRIORITY: u8 = 50;
const DAY: Span = Span::from_seconds(86_400);

/// What a product's rules refer to.
#[derive(Debug)]
pub struct Around<'p> {
    /// Its tours without mistakes.
    pub tours: &'p Catalogue,
    /// All its tours; `None` when some could not be read, and a name may well be right.
    pub tour_ids: Option<&'p Ids>,
    /// Its segments; `None` when some could not be read, and a name may well be right.
    pub segments: Option<&'p Segments>,
    /// What its rules can look back on.
    pub activity: &'p Activity,
    /// Its frequency caps.
    pub caps: &'p [Cap],
    /// For how long a person is remembered.
    pub memory: Span,
    /// Who sees drafts.
    pub testers: &'p [Arc<str>],
    /// The gates' settings their tests run under.
    pub proactive: &'p Proactive,
}

/// The rules of one file. `ids` holds those of the product's other files, and afterwards these too.
pub fn read(
    root: &Node,
    around: &Around<'_>,
    ids: &mut Ids,
    findings: &mut Findings<'_>,
) -> Vec<Rule> {
    let Some(fields) = Fields::of(root, "a rule file", &["version", "triggers"], findings) else {
        return Vec::new();
    };
    version(&fields, findings);
    let items = fields.need("triggers", findings).map_or(&[][..], |node| list(node, findings));
    items.iter().filter_map(|item| rule(item, around, ids, findings)).collect()
}

/// A trigger with an edit laid over it, which has its id already.
pub(in crate::rulebook) fn edited(
    node: &Node,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Rule> {
    rule(node, around, &mut Ids::default(), findings)
}

fn rule(
    node: &Node,
    around: &Around<'_>,
    ids: &mut Ids,
    findings: &mut Findings<'_>,
) -> Option<Rule> {
    let before = findings.count();
    let fields = Fields::of(node, "a trigger", KEYS, findings)?;
    let written = fields.need("id", findings).and_then(|node| trigger_id(node, findings));
    let id = written.and_then(|id| ids.claim(fields.get("id")?, id, findings));
    let (mut name, mut owner, mut priority) = (written.map(str::to_owned), None, PRIORITY);
    let (mut mode, mut judge, mut again_after) = (Mode::default(), false, None);
    let own = |node: &Node, findings: &mut Findings<'_>| {
        words(node, findings).map(|text| Some(text.trim().to_owned()))
    };
    fields.fill("name", &mut name, own, findings);
    fields.fill("owner", &mut owner, own, findings);
    fields.fill("priority", &mut priority, number(0..=100), findings);
    fields.fill("mode", &mut mode, self::mode, findings);
    fields.fill("judge", &mut judge, flag, findings);
    let mut schedule = None;
    fields.fill("schedule", &mut schedule, |n, f| schedule::schedule(n, f).map(Some), findings);
    let rest = between(Span::from_seconds(1), DAY.times(3_660));
    fields.fill("again_after", &mut again_after, |n, f| rest(n, f).map(Some), findings);
    let pacing = pacing::read(&fields, written, findings);
    let pages = fields.get("page").map(|node| patterns(node, findings)).unwrap_or_default();
    let Around { activity, memory, tour_ids: tours, segments, .. } = *around;
    let ground = Ground { activity, memory, tours, segments };
    let (when, spelling) = when(&fields, ground, findings).unzip();
    let offer = offer(&fields, around, findings);
    let goal = fields.get("goal").and_then(|node| goal::read(node, findings));
    let arms = arms::read(&fields, findings);
    let tests = fields.get("tests").map(|node| {
        let scope = Scope::Alone { id: written, clauses: when.as_ref().map(clauses) };
        let editable = Editable::One((findings.count() == before).then_some(fields.node()));
        let caps = reasons(around.caps, pacing.frequency.iter());
        let (caps, proactive, rules) = (Some(&*caps), around.proactive, &[][..]);
        let stage = Stage { scope, caps, proactive, around, editable, rules };
        cases::read(node, None, &stage, findings)
    });
    let written = Written { file: Arc::clone(findings.file()), line: node.at.line };
    Some(Rule {
        id: id?,
        name: name?,
        owner,
        priority,
        mode,
        pages,
        when: when?,
        spelling: spelling?.into(),
        offer: offer?,
        schedule,
        arms,
        again_after,
        pacing,
        goal,
        judge,
        written,
        cases: tests.unwrap_or_default().into(),
    })
}

/// The texts of a condition's clauses, as its explanation writes them.
pub fn clauses(when: &When) -> Vec<String> {
    let When::Condition(condition) = when else { return Vec::new() };
    let view =
        View { session: &Session::default(), user: None, account: None, now: Timestamp::default() };
    condition.clauses(&view).into_iter().map(|clause| clause.text).collect()
}

fn mode(node: &Node, findings: &mut Findings<'_>) -> Option<Mode> {
    let name = name_of(node, "mode", &MODES.map(|(name, _)| name), findings)?;
    MODES.into_iter().find(|(known, _)| *known == name).map(|(_, mode)| mode)
}

fn when(
    fields: &Fields<'_>,
    ground: Ground<'_>,
    findings: &mut Findings<'_>,
) -> Option<(When, Spelling)> {
    let (condition, builtin, params) =
        (fields.get("when"), fields.get("builtin"), fields.get("params"));
    if let (None, Some(node)) = (builtin, params) {
        let help = "remove `params`, or name the `builtin`".to_owned();
        findings.error(node, "conflict", "`params` belong to a `builtin`", Some(help));
    }
    match (condition, builtin) {
        (Some(node), None) => {
            let (condition, spelling) = condition::leaves::read(node, findings, ground)?;
            Some((When::Condition(condition), spelling))
        }
        (None, Some(name)) => {
            let builtin = builtin::read(name, params, findings)?;
            Some((When::Builtin(builtin), Spelling::default()))
        }
        (Some(_), Some(node)) => {
            let help = "write two triggers, or one of the two".to_owned();
            let message = "a trigger has `when` or `builtin`, not both";
            findings.error(node, "conflict", message, Some(help));
            None
        }
        (None, None) => {
            let help = "add `when:` with a list of what must hold".to_owned();
            let message = "a trigger has neither `when` nor `builtin`";
            findings.error(fields.node(), "missing-key", message, Some(help));
            None
        }
    }
}

fn offer(rule: &Fields<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Copy> {
    let mut timings = Timings::default();
    let pause = between(Span::ZERO, DAY.times(366));
    rule.fill("cooldown", &mut timings.cooldown, |n, f| pause(n, f).map(Some), findings);
    let speaks = rule.get("builtin").is_some();
    let node = if speaks { rule.get("offer") } else { rule.need("offer", findings) };
    let Some(node) = node else {
        return speaks.then(|| timings.copy(None, Vec::new(), None, around.tours));
    };
    let fields = Fields::of(node, "an offer", OFFER, findings)?;
    let body = if speaks { fields.get("body") } else { fields.need("body", findings) };
    let body = body.map(|node| copy::body(node, findings));
    let labels = copy::labels(&fields, speaks, findings);
    let tour = fields.get("tour").map(|node| tour(node, around.tour_ids, findings));
    let patience = between(Span::from_seconds(1), DAY);
    fields.fill("timeout", &mut timings.timeout, |n, f| patience(n, f).map(Some), findings);
    let tour = match tour {
        Some(tour) => Some(tour?),
        None => None,
    };
    let mut offer = timings.copy(body.flatten(), labels, tour, around.tours);
    if let Some(node) = fields.get("variants") {
        offer.variants = variants::read(node, &offer, around, findings);
    }
    Some(offer)
}

/// As the rule writes them; else its tour's are taken, else the defaults.
#[derive(Default)]
struct Timings {
    timeout: Option<Span>,
    cooldown: Option<Span>,
}

impl Timings {
    fn copy(
        self,
        body: Option<Text>,
        labels: Vec<Text>,
        tour: Option<Arc<str>>,
        tours: &Catalogue,
    ) -> Copy {
        let known = tour.as_ref().and_then(|id| tours.get(id));
        let timeout = self.timeout.or_else(|| known?.timeout).unwrap_or(OFFER_TIMEOUT);
        let cooldown = self.cooldown.or_else(|| known?.cooldown).unwrap_or(COOLDOWN);
        Copy { body, labels, tour, timeout, cooldown, variants: Vec::new() }
    }
}

/// A tour of the catalogue.
pub(in crate::rulebook) fn tour(
    node: &Node,
    known: Option<&Ids>,
    findings: &mut Findings<'_>,
) -> Option<Arc<str>> {
    let id = text(node, findings)?;
    let Some((message, help)) = known.and_then(|known| no_tour(id, known)) else {
        return Some(id.into());
    };
    findings.error(node, "unknown-tour", message, Some(help));
    if let Some(meant) = known.and_then(|known| same_letters(id, known.iter())) {
        findings.repair(id, meant);
    }
    None
}
