//! What a condition asks of: the session alone, or also the person's memory across sessions.

use crate::rulebook::condition::Condition;
use crate::rulebook::condition::term::Term;
use crate::rulebook::rule::{Rule, When};
use crate::rulebook::template::Text;
use crate::rulebook::zone::ZoneChoice;

impl Rule {
    /// Whether its condition or its words look at what is remembered of the person across sessions.
    pub fn asks_of_person(&self) -> bool {
        let by_their_clock =
            self.schedule.as_ref().is_some_and(|schedule| schedule.zone == ZoneChoice::User);
        let mut texts = self.offer.body.iter().chain(&self.offer.labels);
        by_their_clock
            || texts.any(Text::asks_of_person)
            || match &self.when {
                When::Condition(condition) => condition.asks_of_person(),
                When::Builtin(_) => false,
            }
    }
}

impl Condition {
    fn asks_of_person(&self) -> bool {
        match self {
            Self::Seen { .. } | Self::Trait(..) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_of_person),
            Self::Not(part) => part.asks_of_person(),
            Self::Compare(parts) => parts.0.asks_of_person() || parts.2.asks_of_person(),
            Self::Text(parts) => parts.0.asks_of_person() || parts.2.asks_of_person(),
            Self::Holds(term) => term.asks_of_person(),
            _ => false,
        }
    }
}

impl Term {
    fn asks_of_person(&self) -> bool {
        match self {
            Self::Truth(condition) => condition.asks_of_person(),
            Self::Trait(..) => true,
            Self::Length(term) | Self::Negate(term) => term.asks_of_person(),
            Self::Arithmetic(parts) => parts.0.asks_of_person() || parts.2.asks_of_person(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rulebook::condition::read_expression;
    use crate::rulebook::settings::ProductSettings;

    #[test]
    fn only_what_is_known_of_a_person_reaches_beyond_the_session() {
        let limits = ProductSettings::default().activity;
        for (text, expected) in [
            (r#"session.seen("a", "accepted")"#, true),
            (r#"session.dwell_s > 5 && !(session.seen("a", "shown") == true)"#, true),
            (r#"session.trait("plan", "") == "pro" && session.errors("5m") > 1"#, true),
            (r#"session.path == "/a" && session.errors("5m") > 1"#, false),
        ] {
            let condition = read_expression(text, &limits).unwrap();
            assert_eq!(condition.asks_of_person(), expected, "{text}");
        }
    }
}
