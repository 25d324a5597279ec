//! Maps among the arguments of a function: `#{ form: "import", rows: #{ gt: 100 } }`.

use serde_json::{Number, Value as Json};

use crate::rulebook::condition::expression::{Form, Place, Syntax};
use crate::rulebook::condition::filter::property;
use crate::rulebook::condition::lower::Checker;
use crate::rulebook::condition::values::{TESTS, Tested, tested};
use crate::rulebook::condition::vocabulary::{Argument, Takes};
use crate::rulebook::suggest::did_you_mean;

impl Takes {
    /// Whether an argument that looks like this may be meant.
    pub(in crate::rulebook::condition) const fn may_be(self, form: &Form) -> bool {
        match form {
            Form::Map(_) => matches!(self, Self::Where),
            Form::List(_) => matches!(self, Self::Steps),
            Form::Text(_) => !matches!(
                self,
                Self::Where | Self::Steps | Self::Times | Self::Truth | Self::Number
            ),
            Form::Truth(_) => matches!(self, Self::Truth | Self::Scalar),
            Form::Int(_) => matches!(self, Self::Times | Self::Scalar | Self::Number),
            _ => true,
        }
    }
}

impl Checker<'_> {
    /// What properties must be.
    pub(in crate::rulebook::condition) fn properties(
        &mut self,
        members: &[(String, Syntax)],
        at: Place,
    ) -> Option<Argument> {
        if members.is_empty() {
            let help = Some("write for example `#{ form: \"import\" }`".to_owned());
            self.note(at, "expression-argument", "nothing is required of the action", help);
            return None;
        }
        let read: Vec<_> = members
            .iter()
            .map(|(name, value)| self.tests(value).map(|tests| property(name, tests)))
            .collect();
        Some(Argument::Where(read.into_iter().collect::<Option<Vec<_>>>()?.concat()))
    }

    fn tests(&mut self, value: &Syntax) -> Option<Vec<Tested>> {
        let members = match &value.form {
            Form::Refused => return None,
            Form::Map(members) if !members.is_empty() => members,
            Form::List(_) => return self.tested("in", value),
            _ => return self.tested("is", value),
        };
        let read: Vec<_> = members.iter().map(|(name, value)| self.tested(name, value)).collect();
        Some(read.into_iter().collect::<Option<Vec<_>>>()?.concat())
    }

    fn tested(&mut self, name: &str, value: &Syntax) -> Option<Vec<Tested>> {
        if !TESTS.iter().any(|(known, _)| *known == name) {
            let names = TESTS.map(|(known, _)| known);
            let help = did_you_mean(name, names)
                .unwrap_or_else(|| format!("tests are `{}`", names.join("`, `")));
            let message = format!("there is no test `{name}` of a property");
            self.note(value.at, "unknown-name", message, Some(help));
            return None;
        }
        match literal(&value.form).map(|json| tested(name, &json)) {
            Some(Ok(tests)) => Some(tests),
            other => {
                let wanted = other.and_then(Result::err).unwrap_or("a text or a number");
                let message = format!("`{name}` must be written out: {wanted}");
                self.note(value.at, "expression-argument", message, None);
                None
            }
        }
    }
}

/// A value that is written out.
fn literal(form: &Form) -> Option<Json> {
    match form {
        Form::Text(text) => Some(text.as_str().into()),
        Form::Truth(truth) => Some((*truth).into()),
        Form::Int(number) => Some((*number).into()),
        Form::Float(number) => Number::from_f64(*number).map(Json::Number),
        Form::Negative(inner) => match &inner.form {
            Form::Int(number) => Some(number.checked_neg()?.into()),
            Form::Float(number) => Number::from_f64(-number).map(Json::Number),
            _ => None,
        },
        Form::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| literal(&item.form)).collect();
            items.map(Json::Array)
        }
        _ => None,
    }
}
