//! `segments/*.yaml` to segments: conditions with a name that rules, and other segments, ask for; or
//! names that somebody else puts people in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rulebook::condition::leaves;
use crate::rulebook::condition::segment::MOST_CLAUSES;
use crate::rulebook::condition::{Condition, Ground, Segments};
use crate::rulebook::finding::Finding;
use crate::rulebook::ids::{Ids, trigger_id};
use crate::rulebook::reader::{Fields, Findings, flag, list, version, words};
use crate::rulebook::yaml::{Node, Spot, Value};

const KEYS: &[&str] = &["id", "name", "when", "given"];
/// Segments inside each other.
const MOST_DEEP: usize = 16;

/// One segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Stable; conditions and batches name it.
    pub id: Arc<str>,
    /// For people; the id when none is written.
    pub name: String,
    /// What it takes to be in it.
    pub when: Arc<Condition>,
    /// The file it is written in, relative to the workspace.
    pub file: Arc<str>,
    /// Where in that.
    pub at: Spot,
}

/// Notes the ids of a file, so that segments can ask for others that are written later.
pub fn declare(root: &Node, segments: &mut Segments) {
    let Some(Value::Seq(items)) = root.get("segments").map(|node| &node.value) else { return };
    for id in items.iter().filter_map(|item| item.get("id")?.as_str()) {
        segments.entry(id.into()).or_insert_with(|| Arc::new(Condition::Always(false)));
    }
}

/// The segments of one file. `ids` holds those of the product's other files, and afterwards these
/// too.
pub fn read(
    root: &Node,
    ground: Ground<'_>,
    ids: &mut Ids,
    findings: &mut Findings<'_>,
) -> Vec<Segment> {
    let Some(fields) = Fields::of(root, "a segment file", &["version", "segments"], findings)
    else {
        return Vec::new();
    };
    version(&fields, findings);
    let items = fields.need("segments", findings).map_or(&[][..], |node| list(node, findings));
    items.iter().filter_map(|item| segment(item, ground, ids, findings)).collect()
}

fn segment(
    node: &Node,
    ground: Ground<'_>,
    ids: &mut Ids,
    findings: &mut Findings<'_>,
) -> Option<Segment> {
    let fields = Fields::of(node, "a segment", KEYS, findings)?;
    let written = fields.need("id", findings).and_then(|node| trigger_id(node, findings));
    let id = written.and_then(|id| ids.claim(fields.get("id")?, id, findings));
    let mut name = written.map(str::to_owned);
    let own = |node: &Node, findings: &mut Findings<'_>| {
        words(node, findings).map(|text| Some(text.trim().to_owned()))
    };
    fields.fill("name", &mut name, own, findings);
    let given = fields.get("given").map_or(Some(false), |node| flag(node, findings))?;
    let when = match (fields.get("when"), fields.get("given")) {
        (Some(_), Some(node)) if given => {
            let message = "a segment has `when`, or is `given`, not both";
            let help = "keep `when` to work it out, or `given` to be told".to_owned();
            findings.error(node, "conflict", message, Some(help));
            None
        }
        (Some(node), _) => leaves::read(node, findings, ground).map(|(condition, _)| condition),
        (None, _) if given => written.map(Condition::given),
        (None, _) => {
            if !fields.has_strays() {
                let message = "a segment has neither `when` nor `given`";
                let help = "add `when:` with a list of what must hold, or `given: true`".to_owned();
                findings.error(node, "missing-key", message, Some(help));
            }
            None
        }
    };
    let (file, at) = (Arc::clone(findings.file()), node.at);
    Some(Segment { id: id?, name: name?, when: Arc::new(when?), file, at })
}

/// Puts into each segment those it asks for. A circle has no end: it is a finding, and so is what
/// gets out of hand.
pub fn resolve(segments: &mut [Segment]) -> Vec<Finding> {
    let places = segments.iter().enumerate();
    let places = places.map(|(place, segment)| (Arc::clone(&segment.id), place)).collect();
    let (done, path, found) = Default::default();
    let mut resolving = Resolving { segments, places, done, path, found };
    for place in 0..resolving.segments.len() {
        resolving.visit(place);
    }
    resolving.found
}

struct Resolving<'s> {
    segments: &'s mut [Segment],
    places: BTreeMap<Arc<str>, usize>,
    done: BTreeMap<Arc<str>, Done>,
    /// Those that are being looked into.
    path: Vec<usize>,
    found: Vec<Finding>,
}

/// A segment that is whole.
struct Done {
    when: Arc<Condition>,
    clauses: usize,
    /// How deep segments are inside each other there.
    deep: usize,
}

impl Resolving<'_> {
    fn visit(&mut self, place: usize) {
        let Some(segment) = self.segments.get(place) else { return };
        if self.done.contains_key(&segment.id) {
            return;
        }
        if let Some(start) = self.path.iter().position(|open| *open == place) {
            let (message, help) = self.circle(start, place);
            return self.error(place, "segment-circle", message, &help);
        }
        let asked: Vec<_> = segment.when.segments().into_keys().collect();
        self.path.push(place);
        if self.path.len() <= MOST_DEEP {
            let inside = asked.iter().filter_map(|id| self.places.get(id).copied());
            for inner in inside.collect::<Vec<_>>() {
                self.visit(inner);
            }
        }
        self.path.pop();
        self.fill(place, !asked.is_empty());
    }

    /// Those that are asked for are whole by now, unless that is a finding.
    fn fill(&mut self, place: usize, asks: bool) {
        let Some(segment) = self.segments.get_mut(place) else { return };
        let (mut clauses, mut deep) = (0, 0);
        segment.when.each(&mut |part| {
            if let Condition::Segment(inner) = part
                && let Some(done) = self.done.get(&inner.id)
            {
                clauses += done.clauses;
                deep = deep.max(done.deep + 1);
            }
        });
        let id = Arc::clone(&segment.id);
        let help = "ask for fewer segments, or for smaller ones";
        if deep > MOST_DEEP || (asks && self.path.len() >= MOST_DEEP) {
            let message = format!("segments are inside each other deeper than {MOST_DEEP} levels");
            self.error(place, "too-deep", message, help);
        } else if clauses > MOST_CLAUSES {
            let message = format!(
                "the segments in `{id}` have {clauses} clauses, and at most {MOST_CLAUSES} are read"
            );
            self.error(place, "too-many", message, help);
        } else {
            let mut whole = (*segment.when).clone();
            whole.each_mut(&mut |part| {
                if let Condition::Segment(inner) = part
                    && let Some(done) = self.done.get(&inner.id)
                {
                    inner.when = Arc::clone(&done.when);
                }
            });
            let clauses = whole.clause_count();
            segment.when = Arc::new(whole);
            let when = Arc::clone(&segment.when);
            self.done.insert(id, Done { when, clauses, deep });
            return;
        }
        let when = Arc::new(Condition::Always(false));
        self.done.insert(id, Done { when, clauses: 1, deep: 0 });
    }

    fn circle(&self, start: usize, place: usize) -> (String, String) {
        let open = self.path.iter().skip(start).chain([&place]);
        let ids = open.filter_map(|place| self.segments.get(*place)).map(|s| &*s.id);
        let way = ids.collect::<Vec<_>>().join("` → `");
        let id = self.segments.get(place).map_or("", |segment| &*segment.id);
        let message = format!("whether somebody is in `{id}` hangs on itself");
        (message, format!("take one of them out of another: `{way}`"))
    }

    fn error(&mut self, place: usize, code: &'static str, message: String, help: &str) {
        let Some(Segment { file, at, .. }) = self.segments.get(place) else { return };
        let mut findings = Findings::new(file, "");
        findings.error_at(*at, code, message, Some(help.to_owned()));
        self.found.extend(findings.into_list());
    }
}
