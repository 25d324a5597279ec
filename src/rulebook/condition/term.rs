//! Values inside a condition: numbers, texts and truths, what they are read from, and arithmetic.
//! Numbers compare and compute as Rhai's do, which the lowering's differential test holds us to;
//! but where Rhai's fractions would become infinite or no number at all, evaluation fails.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::time::Timestamp;
use crate::rulebook::condition::activity::{Clock, Tally, parameter};
use crate::rulebook::condition::detectors::scroll_depth;
use crate::rulebook::condition::{Condition, EvalError, Truth, View, Whose};

/// Something with a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A whole number as written.
    Int(i64),
    /// A number as written.
    Float(f64),
    /// A text as written.
    Text(Arc<str>),
    /// A condition's truth.
    Truth(Box<Condition>),
    /// Session state.
    Field(Field),
    /// Whole seconds on a clock.
    Seconds(Clock),
    /// How many.
    Tally(Tally),
    /// What is known of the person or their account, or the default when nothing of its type is.
    Trait(Whose, Arc<str>, Box<Term>),
    /// A parameter of the current page's URL; empty when it has none of this name.
    Query(Arc<str>),
    /// The deepest percentage the client told of the current visit.
    ScrollDepth,
    /// Characters of a text.
    Length(Box<Term>),
    /// The negative of a number.
    Negate(Box<Term>),
    /// Two numbers computed.
    Arithmetic(Box<(Term, Arithmetic, Term)>),
}

/// Session state that is a value by itself; empty text where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The current page.
    Path,
    /// The URL it was read from.
    Url,
    /// Title of the newest action there.
    Title,
    /// The product's own id of the person.
    UserId,
    /// What follows the last `@` of the e-mail, in lower case.
    EmailDomain,
    /// The newest summary.
    Summary,
    /// Actions over the session's whole life.
    ActionCount,
}

/// `+ - * / %`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, truncating between whole numbers
    Divide,
    /// `%`
    Remainder,
}

/// `== != < <= > >=`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A term's value; texts are borrowed from the session or the rule.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rulebook::condition) enum Value<'a> {
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Truth(bool),
}

impl Term {
    /// The value now, and until when it stands without new activity.
    pub(in crate::rulebook::condition) fn value<'a>(
        &'a self,
        view: &View<'a>,
    ) -> Result<(Value<'a>, Timestamp), EvalError> {
        let lasting = |value| Ok((value, Timestamp::FOREVER));
        match self {
            Self::Int(number) => lasting(Value::Int(*number)),
            Self::Float(number) => lasting(Value::Float(*number)),
            Self::Text(text) => lasting(Value::Text(Cow::Borrowed(text))),
            Self::Field(field) => lasting(field.value(view)),
            Self::Trait(whose, name, default) => match known((*whose, name), default, view) {
                Some(value) => lasting(value),
                None => default.value(view),
            },
            Self::Truth(condition) => {
                let answer = condition.answer(view)?;
                Ok((Value::Truth(answer.truth == Truth::True), answer.until))
            }
            Self::Seconds(clock) => {
                let (seconds, until) = clock.seconds(view);
                Ok((Value::Int(seconds), until))
            }
            Self::Tally(tally) => {
                let (total, until) = tally.total(view);
                Ok((Value::Int(total), until))
            }
            Self::Query(name) => {
                let (value, until) = parameter(name, view);
                Ok((Value::Text(value.unwrap_or_default()), until))
            }
            Self::ScrollDepth => {
                let (depth, until) = scroll_depth(view);
                Ok((Value::Int(depth), until))
            }
            Self::Length(text) => {
                let (value, until) = text.value(view)?;
                let Value::Text(text) = value else { return Err(mismatch(self)) };
                Ok((Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)), until))
            }
            Self::Negate(term) => {
                let (value, until) = term.value(view)?;
                Ok((value.negated().ok_or_else(|| overflow(self))?, until))
            }
            Self::Arithmetic(parts) => {
                let (left, operator, right) = &**parts;
                let (left, left_until) = left.value(view)?;
                let (right, right_until) = right.value(view)?;
                let value = operator.apply(&left, &right, self)?;
                Ok((value, left_until.min(right_until)))
            }
        }
    }

    /// Whether evaluation can fail.
    pub(in crate::rulebook::condition) fn may_fail(&self) -> bool {
        match self {
            Self::Negate(_) | Self::Arithmetic(_) => true,
            Self::Length(text) => text.may_fail(),
            Self::Truth(condition) => condition.may_fail(),
            _ => false,
        }
    }
}

impl Field {
    fn value<'a>(self, view: &View<'a>) -> Value<'a> {
        match self {
            Self::ActionCount => {
                Value::Int(i64::try_from(view.session.action_count).unwrap_or(i64::MAX))
            }
            field => Value::Text(field.text(view)),
        }
    }

    /// As text, which a number is not; empty where nothing is known.
    pub(in crate::rulebook::condition) fn text<'a>(self, view: &View<'a>) -> Cow<'a, str> {
        let session = view.session;
        let place = session.place.as_ref();
        let text = match self {
            Self::Path => Some(session.page()),
            Self::Url => place.map(|place| &*place.url),
            Self::Title => place.map(|place| &*place.title),
            Self::UserId => session.identity.user_id.as_deref(),
            Self::Summary => session.summary.as_deref(),
            Self::EmailDomain => return domain(session.identity.email.as_deref()),
            Self::ActionCount => None,
        };
        Cow::Borrowed(text.unwrap_or_default())
    }
}

fn domain(email: Option<&str>) -> Cow<'_, str> {
    let (_, domain) = email.and_then(|email| email.rsplit_once('@')).unwrap_or_default();
    if domain.chars().any(char::is_uppercase) {
        return Cow::Owned(domain.to_lowercase());
    }
    Cow::Borrowed(domain)
}

/// The trait, when it has the type of its default.
fn known<'a>((whose, name): (Whose, &str), default: &Term, view: &View<'a>) -> Option<Value<'a>> {
    match (view.known(whose, name)?, default) {
        (Json::String(text), Term::Text(_)) => Some(Value::Text(Cow::Borrowed(text))),
        (Json::Bool(truth), Term::Truth(_)) => Some(Value::Truth(*truth)),
        (Json::Number(number), Term::Int(_) | Term::Float(_)) => {
            number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Float))
        }
        _ => None,
    }
}

impl Value<'_> {
    fn negated(&self) -> Option<Self> {
        match self {
            Self::Int(number) => number.checked_neg().map(Self::Int),
            Self::Float(number) => Some(Self::Float(-number)),
            _ => None,
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

impl Arithmetic {
    /// The operator as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    fn apply<'a>(
        self,
        left: &Value<'_>,
        right: &Value<'_>,
        whole: &Term,
    ) -> Result<Value<'a>, EvalError> {
        if let (Value::Int(left), Value::Int(right)) = (left, right) {
            if *right == 0 && matches!(self, Self::Divide | Self::Remainder) {
                return Err(zero_division(whole));
            }
            return self.whole(*left, *right).map(Value::Int).ok_or_else(|| overflow(whole));
        }
        let (Some(left), Some(right)) = (left.as_float(), right.as_float()) else {
            return Err(mismatch(whole));
        };
        if right == 0.0 && matches!(self, Self::Divide | Self::Remainder) {
            return Err(zero_division(whole));
        }
        let result = self.fractional(left, right);
        if result.is_finite() { Ok(Value::Float(result)) } else { Err(overflow(whole)) }
    }

    fn fractional(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Remainder => left % right,
        }
    }

    fn whole(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => left.checked_div(right),
            Self::Remainder => left.checked_rem(right),
        }
    }
}

impl Comparison {
    /// The operator as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    /// The operator that says the same with both sides exchanged.
    pub(in crate::rulebook::condition) const fn flipped(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::AtMost => Self::AtLeast,
            Self::More => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }

    /// Whether it holds of two values; values of different types are merely unequal.
    pub(in crate::rulebook::condition) fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        match (left, right) {
            (Value::Int(left), Value::Int(right)) => self.ordered(left, right),
            (Value::Text(left), Value::Text(right)) => self.ordered(left, right),
            (Value::Truth(left), Value::Truth(right)) => self.ordered(left, right),
            _ => match (left.as_float(), right.as_float()) {
                (Some(left), Some(right)) => self.near(left, right),
                _ => self == Self::NotEqual,
            },
        }
    }

    fn ordered<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    /// Rhai's comparison of floats: equal within one part in 2⁵², so that `0.1 + 0.2 == 0.3`.
    fn near(self, left: f64, right: f64) -> bool {
        let scale = if left * right == 0.0 { 1.0 } else { left.abs().max(right.abs()) };
        let apart = (left - right) / scale;
        match self {
            Self::Equal => apart.abs() <= f64::EPSILON,
            Self::NotEqual => apart.abs() > f64::EPSILON,
            Self::Less => -apart > f64::EPSILON,
            Self::AtMost => -apart > -f64::EPSILON,
            Self::More => apart > f64::EPSILON,
            Self::AtLeast => apart > -f64::EPSILON,
        }
    }
}

fn zero_division(term: &Term) -> EvalError {
    EvalError(format!("division by zero in `{term}`"))
}

fn overflow(term: &Term) -> EvalError {
    EvalError(format!("the result of `{term}` is too large"))
}

fn mismatch(term: &Term) -> EvalError {
    EvalError(format!("`{term}` mixes types"))
}
