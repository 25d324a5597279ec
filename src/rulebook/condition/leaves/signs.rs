//! The leaves that are detectors: each by itself means its published defaults.

use std::sync::Arc;

use crate::rulebook::condition::activity::{Counted, Tally};
use crate::rulebook::condition::detectors::{
    Detector, FAILURE_WINDOW, FAILURES, FIELD_ERRORS, REFOCUSED, SCROLLED, STRUGGLE_WINDOW,
};
use crate::rulebook::condition::leaves::counts::tallies;
use crate::rulebook::condition::leaves::{Reader, both, keys};
use crate::rulebook::condition::{Bound, Comparison, Condition, Term};
use crate::rulebook::reader::{Fields, flag, name_of, whole, words};
use crate::rulebook::yaml::{Node, Value};

impl Reader<'_, '_, '_> {
    /// A number alone means at least that many.
    pub(in crate::rulebook::condition::leaves) fn detector(
        &mut self,
        detector: &'static Detector,
        node: &Node,
    ) -> Option<Condition> {
        let (key, span) = detector.span;
        if !matches!(node.value, Value::Map(_)) {
            let least = whole(node, 1..=i64::MAX, self.findings)?;
            let keep = self.ground.activity.keep;
            let tally =
                Tally { of: (detector.of)(span.min(keep)), within: detector.within.min(keep) };
            return Some(Condition::Tally(tally, Bound::AtLeast(least)));
        }
        let fields = Fields::of(node, detector.name, keys(detector.name), self.findings)?;
        let span = self.window(&fields, key, span);
        let (within, bounds) = self.bounded(&fields, detector.within, detector.least)?;
        Some(tallies(&Tally { of: (detector.of)(span?), within }, bounds))
    }

    pub(in crate::rulebook::condition::leaves) fn repeated_failure(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        let fields = Fields::of(node, "repeated_failure", keys("repeated_failure"), self.findings)?;
        let [failure, success] = ["failure", "success"].map(|key| {
            let node = fields.need(key, self.findings)?;
            words(node, self.findings).map(Arc::<str>::from)
        });
        let bounded = self.bounded(&fields, FAILURE_WINDOW, FAILURES);
        let of = Counted::Failures { failure: failure?, success: success? };
        let (within, bounds) = bounded?;
        Some(tallies(&Tally { of, within }, bounds))
    }

    /// A number alone is how many returns to a field are meant.
    pub(in crate::rulebook::condition::leaves) fn form_struggle(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let refocused = whole(node, 1..=i64::MAX, self.findings)?;
            let within = STRUGGLE_WINDOW.min(self.ground.activity.keep);
            return Some(Condition::FormStruggle { refocused, errors: FIELD_ERRORS, within });
        }
        let fields = Fields::of(node, "form_struggle", keys("form_struggle"), self.findings)?;
        let mut number = |key, default| match fields.get(key) {
            Some(node) => whole(node, 1..=i64::MAX, self.findings),
            None => Some(default),
        };
        let (refocused, errors) = (number("refocused", REFOCUSED), number("errors", FIELD_ERRORS));
        let within = self.window(&fields, "within", STRUGGLE_WINDOW);
        Some(Condition::FormStruggle { refocused: refocused?, errors: errors?, within: within? })
    }

    /// So many percent or more.
    pub(in crate::rulebook::condition::leaves) fn scroll_depth(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        let depth = |comparison, percent| {
            let bound = (Term::ScrollDepth, comparison, Term::Int(percent));
            Condition::Compare(Box::new(bound))
        };
        if !matches!(node.value, Value::Map(_)) {
            let least = whole(node, 1..=100, self.findings)?;
            return Some(depth(Comparison::AtLeast, least));
        }
        let fields = Fields::of(node, "scroll_depth", keys("scroll_depth"), self.findings)?;
        let mut bound = |key, comparison| {
            let node = fields.get(key)?;
            Some(whole(node, 0..=100, self.findings).map(|percent| depth(comparison, percent)))
        };
        let least = bound("at_least", Comparison::AtLeast);
        let most = bound("at_most", Comparison::AtMost);
        if least.is_none() && most.is_none() {
            return Some(depth(Comparison::AtLeast, SCROLLED));
        }
        both(least, most)
    }

    pub(in crate::rulebook::condition::leaves) fn first_time(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let what = self.step(node)?;
            return Some(Condition::FirstTime { what, default: None, of_person: false });
        }
        let fields = Fields::of(node, "first_time", keys("first_time"), self.findings)?;
        let what = fields.need("of", self.findings).and_then(|node| self.step(node));
        let default = match fields.get("default") {
            Some(node) => Some(flag(node, self.findings)?),
            None => None,
        };
        let of_person = match fields.get("scope") {
            Some(node) => name_of(node, "scope", &["session", "user"], self.findings)? == "user",
            None => false,
        };
        Some(Condition::FirstTime { what: what?, default, of_person })
    }
}
