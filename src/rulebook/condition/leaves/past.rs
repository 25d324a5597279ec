//! The leaf `seen`: what became of earlier offers, of a trigger's or of a tour's.

use crate::domain::offer::Outcome;
use crate::domain::time::Span;
use crate::rulebook::condition::arguments::{OFFERED, no_tour, outcome_help};
use crate::rulebook::condition::lasting::checked_memory;
use crate::rulebook::condition::leaves::{Reader, keys};
use crate::rulebook::condition::{Condition, Seen, Subject};
use crate::rulebook::reader::{Fields, span, words};
use crate::rulebook::yaml::{Node, Value};

impl Reader<'_, '_, '_> {
    pub(in crate::rulebook::condition::leaves) fn seen(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let trigger = words(node, self.findings)?;
            return Some(Condition::Seen(Box::new(Seen::trigger(trigger))));
        }
        let fields = Fields::of(node, "seen", keys("seen"), self.findings)?;
        let of = self.subject(&fields);
        let outcome = fields.get("outcome").map(|node| self.outcome(node));
        let within = fields.get("within").map(|node| self.memory(node));
        let (outcome, within) =
            (outcome.unwrap_or(Some(None))?, within.map_or(Some(None), |w| w.map(Some))?);
        Some(Condition::Seen(Box::new(Seen { of: of?, outcome, within })))
    }

    fn subject(&mut self, fields: &Fields<'_>) -> Option<Subject> {
        let Some(tour) = fields.get("tour") else {
            let trigger = fields.need("trigger", self.findings)?;
            return words(trigger, self.findings).map(|id| Subject::Trigger(id.into()));
        };
        if let Some(both) = fields.get("trigger") {
            let message = "`trigger` and `tour` do not go together";
            let help = Some("keep one of them".to_owned());
            self.findings.error(both, "conflict", message, help);
            return None;
        }
        let id = words(tour, self.findings)?;
        if let Some((message, help)) = self.ground.tours.and_then(|tours| no_tour(id, tours)) {
            self.findings.error(tour, "unknown-tour", message, Some(help));
            return None;
        }
        Some(Subject::Tour(id.into(), Vec::new()))
    }

    fn outcome(&mut self, node: &Node) -> Option<Option<Outcome>> {
        let name = words(node, self.findings)?;
        if name == OFFERED {
            return Some(None);
        }
        let outcome = Outcome::named(name);
        if outcome.is_none() {
            let message = format!("no outcome is called `{name}`");
            self.findings.error(node, "unknown-outcome", message, Some(outcome_help(name)));
        }
        outcome.map(Some)
    }

    /// A window over what is remembered of the person.
    pub(in crate::rulebook::condition::leaves) fn memory(&mut self, node: &Node) -> Option<Span> {
        let checked = checked_memory(span(node, self.findings)?, self.ground.memory);
        checked
            .map_err(|(code, message, help)| self.findings.error(node, code, message, Some(help)))
            .ok()
    }
}
