//! An explanation as a person reads it: gate by gate, rule by rule, clause by clause, and for one
//! trigger the first thing that would have to change for it to fire.

use std::fmt::Write as _;

use crate::domain::decision::{Decision, Verdict};
use crate::domain::time::{Span, Timestamp};
use crate::engine::observe::{GateSeen, Recording, RuleSeen};
use crate::engine::skip::{narrowed, refusal, skip_reason};
use crate::rulebook::Product;
use crate::rulebook::condition::{Clause, Truth};

/// What was decided, at `now`, with everything that was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Whose rules.
    pub product: &'a Product,
    /// What it came to.
    pub decision: Decision,
    /// Everything that was looked at.
    pub recording: &'a Recording,
    /// Whether for a tester.
    pub tester: bool,
    /// When.
    pub now: Timestamp,
}

impl Told<'_> {
    /// The whole explanation as lines of text.
    pub fn text(&self) -> String {
        let mut text = self.verdict();
        if let Some(place) = self.decision.shadow.would {
            let _written = write!(text, "\n`{}` would have been offered (shadow)", self.id(place));
        }
        if self.tester {
            text.push_str("\na tester: nothing that spaces offers out counts");
        }
        text.push_str("\n\ngates\n");
        for gate in &self.recording.gates {
            let said = self.refusal(gate, "");
            let mark = if gate.refused.is_some() { "held" } else { "ok" };
            let _written = writeln!(text, "  {mark:<5} {}{said}", gate.name);
        }
        text.push_str("\nrules, highest priority first\n");
        for seen in &self.recording.rules {
            self.rule(&mut text, seen);
        }
        text
    }

    /// The first thing that would have to change for this trigger to fire; `None` when there is no
    /// such trigger.
    pub fn first_obstacle(&self, trigger: &str) -> Option<String> {
        let seen = self.recording.rules.iter().find(|seen| self.id(seen.place) == trigger)?;
        let gate = self.recording.gates.iter().find(|gate| gate.refused.is_some());
        Some(gate.map_or_else(|| self.obstacle(trigger, seen), |gate| self.gate(trigger, gate)))
    }

    fn gate(&self, trigger: &str, gate: &GateSeen) -> String {
        let refused = gate.refused.map_or_else(String::new, |refused| {
            let by = gate.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
            format!("{}{}{by}", refusal(self.product, &refused), self.when(refused.until))
        });
        format!("`{trigger}` is not looked at while the gate `{}` holds: {refused}", gate.name)
    }

    fn obstacle(&self, trigger: &str, seen: &RuleSeen) -> String {
        let unmet = seen.clauses.iter().find(|clause| clause.answer.truth != Truth::True);
        match (seen.came_to(self.product), unmet, self.decision.verdict) {
            ("matched", _, Verdict::Fire(winner)) if winner == seen.place => {
                format!("nothing: `{trigger}` would fire now")
            }
            ("matched", _, Verdict::Fire(winner)) => {
                format!("`{trigger}` matches, but `{}` comes first", self.id(winner))
            }
            ("matched (shadow)", _, _) if self.decision.shadow.would == Some(seen.place) => {
                format!("`{trigger}` is a shadow: it would have been offered")
            }
            ("matched (shadow)", ..) => {
                format!("`{trigger}` is a shadow, and another rule comes first")
            }
            ("silent", Some(clause), _) => {
                let Clause { text, found, answer, .. } = clause;
                format!("`{trigger}` needs {text}; found {found}{}", self.when(answer.until))
            }
            (other, _, _) => format!("`{trigger}`: {other}{}", self.when(seen.until)),
        }
    }

    fn verdict(&self) -> String {
        match self.decision.verdict {
            Verdict::Fire(place) => format!("would offer `{}`", self.id(place)),
            Verdict::Redeliver => "would say the pending offer again".to_owned(),
            Verdict::Hold(hold) => {
                let reason = skip_reason(self.product, &self.decision).unwrap_or(hold.as_str());
                format!("{reason}{}", self.when(self.decision.until))
            }
        }
    }

    fn rule(&self, text: &mut String, seen: &RuleSeen) {
        let _written = writeln!(text, "  {}: {}", self.id(seen.place), seen.came_to(self.product));
        for gate in seen.gates.iter().filter(|gate| gate.refused.is_some()) {
            let _written = writeln!(text, "    held {}{}", gate.name, self.refusal(gate, "now "));
        }
        let width = seen.clauses.iter().map(|clause| clause.text.chars().count()).max();
        for Clause { text: clause, found, answer, .. } in &seen.clauses {
            let mark = match answer.truth {
                Truth::True => "yes",
                Truth::False => "no",
                Truth::Unknown => "?",
            };
            let (width, when) = (width.unwrap_or(0), self.when(answer.until));
            let _written = writeln!(text, "    {mark:<4} {clause:<width$}  found {found}{when}");
        }
    }

    /// `  quota:user_per_day, may change in 3h`; nothing where a gate let pass.
    fn refusal(&self, gate: &GateSeen, clock: &str) -> String {
        gate.refused.map_or_else(String::new, |refused| {
            let narrowed = narrowed(self.product, refused.cap).map_or_else(String::new, |per| {
                format!(", counted per {} because nobody is known beyond", per.as_str())
            });
            let reason = refusal(self.product, &refused);
            let note = gate.note.as_ref();
            let by = note.map_or_else(String::new, |note| format!("; {clock}{note}"));
            format!("  {reason}{narrowed}{}{by}", self.when(refused.until))
        })
    }

    fn id(&self, place: usize) -> &str {
        self.product.rules.get(place).map_or("", |rule| &rule.id)
    }

    /// `, may change in 8s`; nothing when no time is known.
    fn when(&self, until: Timestamp) -> String {
        if until <= self.now || until == Timestamp::FOREVER {
            return String::new();
        }
        format!(", may change in {}", rounded(until.since(self.now)))
    }
}

/// Whole seconds, as a person would say them, and never too few.
fn rounded(span: Span) -> String {
    let seconds = (span.as_millis() + 999) / 1_000;
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let said = parts.iter().filter(|(number, _)| *number > 0);
    let said: String = said.map(|(number, unit)| format!("{number}{unit}")).collect();
    if said.is_empty() { "0s".to_owned() } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_as_a_person_would_say_it() {
        for (millis, said) in [(1, "1s"), (8_000, "8s"), (90_500, "1m31s"), (7_260_000, "2h1m")] {
            assert_eq!(rounded(Span::from_millis(millis)), said);
        }
    }
}
