//! What conditions ask of beyond the session: the person's memory, their account, and what of
//! a person's doings must be remembered for them.

use std::sync::Arc;

use crate::domain::time::Span;
use crate::rulebook::condition::activity::{Counted, Tally};
use crate::rulebook::condition::segment::Part;
use crate::rulebook::condition::sequence::Step;
use crate::rulebook::condition::term::Term;
use crate::rulebook::condition::{Condition, MEMORY, Whose};
use crate::rulebook::rule::{Rule, When};
use crate::rulebook::template::Text;
use crate::rulebook::zone::ZoneChoice;

/// What a product's rules ask of beyond the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Whether some rule asks what is remembered of the person across sessions.
    pub of_person: bool,
    /// Whether some rule asks what is known of their account.
    pub of_account: bool,
    /// What is counted across a person's sessions, each once.
    pub history: Arc<[Step]>,
    /// For how long that is kept.
    pub kept: Span,
    /// The parameters of URLs that conditions read.
    pub parameters: Arc<[Arc<str>]>,
}

impl Default for Asks {
    fn default() -> Self {
        Self {
            of_person: false,
            of_account: false,
            history: Arc::default(),
            kept: MEMORY,
            parameters: Arc::default(),
        }
    }
}

impl Asks {
    /// What all these rules ask of.
    pub fn of(rules: &[Rule], kept: Span) -> Self {
        let mut found = Found::default();
        for rule in rules {
            let texts = || rule.texts();
            let schedule = rule.schedule.as_ref();
            found.person |= schedule.is_some_and(|schedule| schedule.zone == ZoneChoice::User);
            found.person |= rule.haunts_person();
            found.person |= texts().any(Text::asks_of_person);
            found.account |= texts().any(Text::asks_of_account);
            if let When::Condition(condition) = &rule.when {
                condition.parts(&mut |part| part.ask(&mut found));
            }
        }
        let Found { person, account, history, parameters } = found;
        let (history, parameters) = (history.into(), parameters.into());
        Self { of_person: person, of_account: account, history, kept, parameters }
    }
}

#[derive(Debug, Default)]
struct Found {
    person: bool,
    account: bool,
    history: Vec<Step>,
    parameters: Vec<Arc<str>>,
}

impl Found {
    fn traits(&mut self, whose: Whose) {
        match whose {
            Whose::Person => self.person = true,
            Whose::Account => self.account = true,
        }
    }

    fn remembered(&mut self, step: Step) {
        self.person = true;
        if !self.history.contains(&step) {
            self.history.push(step);
        }
    }

    fn tally(&mut self, tally: &Tally) {
        if let Counted::Remembered { kind, .. } = &tally.of {
            self.remembered(Step::Kind(Arc::clone(kind)));
        }
    }
}

impl Part<'_> {
    fn ask(self, found: &mut Found) {
        match self {
            Self::Condition(condition) => match condition {
                Condition::Seen(_) => found.person = true,
                Condition::Trait(whose, ..) => found.traits(*whose),
                Condition::Tally(tally, _) => found.tally(tally),
                Condition::FirstTime { what, of_person: true, .. } => {
                    found.remembered(what.clone());
                }
                _ => {}
            },
            Self::Term(term) => match term {
                Term::Query(name) => found.parameters.push(Arc::clone(name)),
                Term::Trait(whose, ..) => found.traits(*whose),
                Term::Tally(tally) => found.tally(tally),
                _ => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::condition::read_expression;
    use crate::rulebook::settings::ProductSettings;

    #[test]
    fn what_lies_beyond_the_session_is_asked_for_by_name() {
        let limits = ProductSettings::default().activity;
        for (text, person, account, history) in [
            (r#"session.seen("a", "accepted")"#, true, false, vec![]),
            (
                r#"session.dwell_s > 5 && !(session.seen("a", "shown") == true)"#,
                true,
                false,
                vec![],
            ),
            (
                r#"session.trait("plan", "") == "pro" && session.errors("5m") > 1"#,
                true,
                false,
                vec![],
            ),
            (r#"session.path == "/a" && session.errors("5m") > 1"#, false, false, vec![]),
            (r#"session.account_trait("tier", "").len() > 2"#, false, true, vec![]),
            (r#"session.has_account_trait("tier")"#, false, true, vec![]),
            (r#"session.user_count("save", "7d", 0) > 1"#, true, false, vec!["save"]),
            (r#"-session.user_count("save", "7d", 0) * 2 < 1"#, true, false, vec!["save"]),
            (r#"!session.user_first_time("/a", false)"#, true, false, vec!["/a"]),
        ] {
            let mut found = Found::default();
            read_expression(text, &limits).unwrap().parts(&mut |part| part.ask(&mut found));
            let steps: Vec<_> = found.history.iter().map(Step::as_str).collect();
            assert_eq!((found.person, found.account, steps), (person, account, history), "{text}");
        }
    }
}
