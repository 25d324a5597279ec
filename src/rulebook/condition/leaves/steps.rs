//! The leaf `sequence`: its steps, what voids them and what must not follow.

use crate::domain::time::Span;
use crate::rulebook::condition::leaves::{Reader, keys};
use crate::rulebook::condition::vocabulary::WINDOW;
use crate::rulebook::condition::{Condition, Sequence, Step};
use crate::rulebook::pages::pattern;
use crate::rulebook::reader::{Fields, list, words};
use crate::rulebook::yaml::{Node, Value};

impl Reader<'_, '_, '_> {
    pub(in crate::rulebook::condition::leaves) fn sequence(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        if !matches!(node.value, Value::Map(_)) {
            let steps = self.steps(node)?;
            let within = WINDOW.min(self.ground.activity.keep);
            return Some(Condition::Sequence(Box::new(Sequence::new(steps, within))));
        }
        let fields = Fields::of(node, "sequence", keys("sequence"), self.findings)?;
        let steps = fields.need("of", self.findings).and_then(|node| self.steps(node));
        let within = self.window(&fields, "within", WINDOW);
        let until = fields.get("until").map(|node| self.step(node));
        let absent = self.absence(&fields);
        let sequence = Sequence {
            steps: steps?,
            within: within?,
            until: transposed(until)?,
            absent: transposed(absent)?,
        };
        if sequence.outlasts() {
            let place = fields.get("for").unwrap_or(node);
            let (message, help) = never_holds(&sequence);
            self.findings.error(place, "never-true", message, Some(help));
            return None;
        }
        Some(Condition::Sequence(Box::new(sequence)))
    }

    fn steps(&mut self, node: &Node) -> Option<Vec<Step>> {
        let items = list(node, self.findings);
        if items.is_empty() {
            let help = "write for example `[/cart, error]`".to_owned();
            self.findings.error(node, "empty-list", "this sequence has no steps", Some(help));
            return None;
        }
        let read: Vec<_> = items.iter().map(|item| self.step(item)).collect();
        read.into_iter().collect()
    }

    /// A type, or a page to come to.
    pub(in crate::rulebook::condition::leaves) fn step(&mut self, node: &Node) -> Option<Step> {
        let step = Step::new(words(node, self.findings)?);
        match &step {
            Step::Page(_) => pattern(node, self.findings).map(|_| step),
            Step::Kind(_) => Some(step),
        }
    }

    /// `absent` and `for`, one of which alone says nothing; the outer `None` when neither is there.
    fn absence(&mut self, fields: &Fields<'_>) -> Option<Option<(Step, Span)>> {
        match (fields.get("absent"), fields.get("for")) {
            (None, None) => None,
            (Some(step), Some(_)) => {
                let (step, wait) = (self.step(step), self.window(fields, "for", Span::ZERO));
                Some(step.zip(wait))
            }
            _ => {
                let _ = fields.need("absent", self.findings);
                let _ = fields.need("for", self.findings);
                Some(None)
            }
        }
    }
}

/// Why a sequence whose wait outlasts its window never holds, and what to write instead.
pub(in crate::rulebook::condition) fn never_holds(sequence: &Sequence) -> (String, String) {
    let within = sequence.within;
    let wait = sequence.absent.as_ref().map_or(Span::ZERO, |(_, wait)| *wait);
    let message = format!("a wait of {wait} never ends in a window of {within}");
    (message, "wait for less than the window".to_owned())
}

/// `None` where what is written is wrong.
fn transposed<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        Some(read) => read.map(Some),
        None => Some(None),
    }
}
