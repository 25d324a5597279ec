//! The condition tree: what both spellings of `when` become, and how it is answered. A list of
//! leaves is read by `leaves`, a Rhai expression by `expression` and `lower`; `vocabulary` is the
//! one table of what either may say.

mod activity;
pub(in crate::rulebook) mod arguments;
mod deciding;
pub(in crate::rulebook) mod detectors;
mod eval;
mod explain;
mod expression;
mod filter;
#[cfg(test)]
mod given;
mod lasting;
pub mod leaves;
mod lower;
mod maps;
mod meanings;
mod methods;
mod needle;
mod picture;
mod reach;
pub(in crate::rulebook) mod seen;
pub(in crate::rulebook) mod segment;
mod sequence;
mod simplify;
pub mod spelling;
mod term;
mod traits;
pub(in crate::rulebook) mod values;
pub mod vocabulary;
mod words;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::page::PagePattern;
use crate::domain::records::{Account, User};
use crate::domain::session::Session;
use crate::domain::time::{Span, Timestamp};
use crate::rulebook::ids::Ids;
use crate::rulebook::settings::Activity;

pub use activity::{Clock, Counted, NEVER_S, Tally};
pub use deciding::Deciding;
pub use filter::{Filter, PropertyTest};
pub use lasting::MEMORY;
pub use lower::{Mistake, read_expression};
pub use needle::{Needle, Scope};
pub use picture::picture;
pub use reach::Asks;
pub use seen::{Seen, Subject};
pub use segment::{Segmented, Segments};
pub use sequence::{Sequence, Step};
pub use term::{Arithmetic, Comparison, Field, Term};

/// What a condition looks at. Time is part of it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The session as of `now`.
    pub session: &'a Session,
    /// The person's memory, where it was loaded.
    pub user: Option<&'a User>,
    /// What is known of their account, where it was loaded.
    pub account: Option<&'a Account>,
    /// The instant of the question.
    pub now: Timestamp,
}

impl<'a> View<'a> {
    /// What is known by this name. Of the person: what is remembered of them, which every source
    /// writes to, else what this session was told while nobody vouched for them.
    pub fn known(&self, whose: Whose, name: &str) -> Option<&'a serde_json::Value> {
        if whose == Whose::Account {
            return self.account?.traits.get(name);
        }
        let remembered = self.user.and_then(|user| user.traits.get(name));
        remembered.or_else(|| self.session.traits.get(name))
    }
}

/// Whose trait is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// The person's.
    #[default]
    Person,
    /// Their account's.
    Account,
}

/// What a condition may refer to, beyond its own words.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'g> {
    /// How far a session is looked back on.
    pub activity: &'g Activity,
    /// For how long a person is remembered.
    pub memory: Span,
    /// Every tour; `None` when some could not be read, and a name may well be right.
    pub tours: Option<&'g Ids>,
    /// Every segment; `None` when some could not be read, and a name may well be right.
    pub segments: Option<&'g Segments>,
}

impl<'g> From<&'g Activity> for Ground<'g> {
    /// With a memory of the usual length.
    fn from(activity: &'g Activity) -> Self {
        Self { activity, memory: MEMORY, tours: None, segments: None }
    }
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

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
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
    /// Every one holds; looked at in order.
    All(Vec<Self>),
    /// At least one holds; looked at in order.
    Any(Vec<Self>),
    /// The opposite; unknown stays unknown.
    Not(Box<Self>),
    /// The person is in this segment.
    Segment(Box<Segmented>),
    /// The current page matches one of these.
    Page(Vec<PagePattern>),
    /// At least so much time has passed.
    Elapsed(Clock, Span),
    /// So many of something happened.
    Tally(Tally, Bound),
    /// What is known of the person or of their account; unknown when nothing is.
    Trait(Whose, Arc<str>, ValueTest),
    /// A text of the session; unknown when it is empty.
    Told(Field, ValueTest),
    /// At least so much time since the newest action of a type; unknown when none is kept.
    Since(Arc<str>, Span),
    /// What became of a trigger's offers, or a tour's, in this session or for this person.
    Seen(Box<Seen>),
    /// These happened in this order.
    Sequence(Box<Sequence>),
    /// The URL of the newest action on the current page has this parameter.
    Query(Arc<str>),
    /// One field, a title on a page, gave trouble.
    FormStruggle {
        /// So many returns to it.
        refocused: i64,
        /// Or so many errors of it.
        errors: i64,
        /// In this window.
        within: Span,
    },
    /// It happened for the first time.
    FirstTime {
        /// A type of action, or the visit under way to a page.
        what: Step,
        /// The answer when older activity is no longer kept; unknown without one.
        default: Option<bool>,
        /// In all the person's sessions, not in this one alone.
        of_person: bool,
    },
    /// Two values compared.
    Compare(Box<(Term, Comparison, Term)>),
    /// A text method: subject, method, argument.
    Text(Box<(Term, TextTest, Term)>),
    /// A value that is itself true or false.
    Holds(Term),
}

/// How many are required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// This many or more.
    AtLeast(i64),
    /// This many or fewer.
    AtMost(i64),
    /// This many.
    Exactly(i64),
    /// From the first number to the second.
    Between(i64, i64),
}

/// What a value known by name must be.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTest {
    /// There at all.
    Exists,
    /// One of these scalars.
    In(Vec<Json>),
    /// A list with this text in it.
    Has(Arc<str>),
    /// A number, at least this.
    AtLeast(f64),
    /// A number, at most this.
    AtMost(f64),
    /// A number, more than this.
    MoreThan(f64),
    /// A number, less than this.
    LessThan(f64),
    /// A text with this in it, whatever its case.
    Contains(Needle),
    /// A text that begins with this, whatever its case.
    StartsWith(Needle),
    /// A text that ends with this, whatever its case.
    EndsWith(Needle),
}

/// A text method that answers yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// The subject starts with the argument.
    StartsWith,
    /// The subject ends with the argument.
    EndsWith,
    /// The argument occurs in the subject.
    Contains,
}
