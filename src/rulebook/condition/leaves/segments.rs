//! The leaf `segment`: one of the workspace's segments, or one of several.

use crate::rulebook::condition::Condition;
use crate::rulebook::condition::leaves::Reader;
use crate::rulebook::condition::segment::{MOST_CLAUSES, segment};
use crate::rulebook::reader::{one_or_several, words};
use crate::rulebook::yaml::Node;

impl Reader<'_, '_, '_> {
    pub(in crate::rulebook::condition::leaves) fn segment(
        &mut self,
        node: &Node,
    ) -> Option<Condition> {
        let items = one_or_several(node);
        if items.is_empty() {
            self.findings.error(node, "empty-list", "this list has no segments", None);
            return None;
        }
        let read: Vec<_> = items.iter().map(|item| self.one_segment(item)).collect();
        let mut parts: Vec<_> = read.into_iter().collect::<Option<_>>()?;
        let condition = if parts.len() == 1 { parts.pop()? } else { Condition::Any(parts) };
        self.survey(condition, node)
    }

    fn one_segment(&mut self, node: &Node) -> Option<Condition> {
        let id = words(node, self.findings)?;
        match segment(id, false, self.ground.segments) {
            Ok(segment) => Some(Condition::Segment(Box::new(segment))),
            Err((message, help)) => {
                self.findings.error(node, "unknown-segment", message, Some(help));
                let known = self.ground.segments.into_iter().flatten();
                self.findings.respell(id, known.map(|(id, _)| &**id));
                None
            }
        }
    }

    /// Segments that make a condition larger than anybody can survey are a finding, said once.
    pub(in crate::rulebook::condition::leaves) fn survey(
        &mut self,
        condition: Condition,
        node: &Node,
    ) -> Option<Condition> {
        let mut has_any = false;
        condition.each(&mut |part| has_any |= matches!(part, Condition::Segment(_)));
        let before = self.clauses;
        self.clauses += if has_any { condition.clause_count() } else { 0 };
        if self.clauses <= MOST_CLAUSES {
            return Some(condition);
        }
        if before <= MOST_CLAUSES {
            let clauses = self.clauses;
            let message = format!(
                "the segments here have {clauses} clauses, and at most {MOST_CLAUSES} are read"
            );
            let help = "ask for fewer segments, or for smaller ones".to_owned();
            self.findings.error(node, "too-many", message, Some(help));
        }
        None
    }
}
