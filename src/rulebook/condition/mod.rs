//! The condition tree: what both spellings of `when` become, and how it is answered.

use crate::domain::records::User;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;

/// What a condition looks at. Time is part of it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The session as of `now`.
    pub session: &'a Session,
    /// The person's memory, where it was loaded.
    pub user: Option<&'a User>,
    /// The instant of the question.
    pub now: Timestamp,
}

/// Three-valued: unknown never fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Holds.
    True,
    /// Does not hold.
    False,
    /// Something it needs is not known.
    Unknown,
}

/// A truth and how long it stands: without new activity, on `[now, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The value now.
    pub truth: Truth,
    /// The first instant at which time alone may change it.
    pub until: Timestamp,
}

/// Why a condition has no value: arithmetic failed. It is this rule's trouble alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

/// One leaf as looked at, for explanations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The clause as an author would write it.
    pub text: String,
    /// What was required: `at least 20s`.
    pub required: String,
    /// What was found: `12s`.
    pub found: String,
    /// Its value.
    pub answer: Answer,
}

/// A checked condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Holds, or does not, whatever happens.
    Always(bool),
}

impl Condition {
    /// The condition's value at `view.now`, and how long it stands.
    pub fn answer(&self, _view: &View<'_>) -> Result<Answer, EvalError> {
        let Self::Always(holds) = self;
        let truth = if *holds { Truth::True } else { Truth::False };
        Ok(Answer { truth, until: Timestamp::FOREVER })
    }

    /// Every leaf as looked at, in the order written.
    pub fn clauses(&self, view: &View<'_>) -> Vec<Clause> {
        let Ok(answer) = self.answer(view) else { return Vec::new() };
        vec![Clause {
            text: "always".into(),
            required: "nothing".into(),
            found: "nothing".into(),
            answer,
        }]
    }
}
