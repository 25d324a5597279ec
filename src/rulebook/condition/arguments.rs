//! Arguments of the vocabulary's functions, checked; windows and outcomes of both spellings.

use serde_json::{Number, Value as Json};

use crate::domain::offer::Outcome;
use crate::domain::page::PagePattern;
use crate::domain::time::Span;
use crate::rulebook::condition::expression::{Form, Place, Syntax};
use crate::rulebook::condition::lasting::checked_memory;
use crate::rulebook::condition::lower::Checker;
use crate::rulebook::condition::segment::segment;
use crate::rulebook::condition::sequence::Step;
use crate::rulebook::condition::vocabulary::{Argument, Form as Signature, Takes, Word};
use crate::rulebook::ids::Ids;
use crate::rulebook::pages::trouble;
use crate::rulebook::settings::Activity;
use crate::rulebook::suggest::did_you_mean;

/// Code, message and help of a finding.
pub(in crate::rulebook::condition) type Complaint = (&'static str, String, String);

/// A window must be more than nothing and no longer than activity is kept.
pub(in crate::rulebook::condition) fn checked_window(
    span: Span,
    limits: &Activity,
) -> Result<Span, Complaint> {
    if span.is_zero() {
        let help = "write for example `10m`".to_owned();
        return Err(("empty-window", "nothing happens in a window of no length".to_owned(), help));
    }
    if span > limits.keep {
        let keep = limits.keep;
        let message = format!("a window of {span} is longer than activity is kept ({keep})");
        let help = format!("write `{keep}` or less, or raise `activity.keep` in docent.yaml");
        return Err(("window-too-long", message, help));
    }
    Ok(span)
}

/// The word for an offer, whatever became of it.
pub(in crate::rulebook) const OFFERED: &str = "offered";

/// What is wrong with the name of a tour, and what to write instead.
pub(in crate::rulebook) fn no_tour(id: &str, known: &Ids) -> Option<(String, String)> {
    if known.has(id) {
        return None;
    }
    let help = did_you_mean(id, known.iter()).unwrap_or_else(|| match known.iter().next() {
        Some(_) => format!("the tours are `{}`", known.iter().collect::<Vec<_>>().join("`, `")),
        None => "the product has no tours".to_owned(),
    });
    Some((format!("no tour is called `{id}`"), help))
}

/// What to write instead of a name that is no outcome.
pub(in crate::rulebook::condition) fn outcome_help(name: &str) -> String {
    let names: Vec<_> = [OFFERED].into_iter().chain(Outcome::ALL.map(Outcome::as_str)).collect();
    did_you_mean(name, names.iter().copied())
        .unwrap_or_else(|| format!("write one of `{}`", names.join("`, `")))
}

impl Checker<'_> {
    pub(in crate::rulebook::condition) fn arguments(
        &mut self,
        word: &Word,
        given: &[Syntax],
        at: Place,
    ) -> Option<Vec<Argument>> {
        let fits = |form: &&Signature| {
            form.len() == given.len()
                && form.iter().zip(given).all(|((_, takes), syntax)| takes.may_be(&syntax.form))
        };
        let as_long = || word.forms.iter().find(|form| form.len() == given.len());
        let Some(form) = word.forms.iter().find(fits).or_else(as_long) else {
            let counts: Vec<_> = word.forms.iter().map(|form| form.len().to_string()).collect();
            let help = Some(format!("write {}", word.usage()));
            self.arity(word.name, &counts.join(" or "), given.len(), help, at);
            return None;
        };
        let pairs = form.iter().zip(given);
        let read: Vec<_> =
            pairs.map(|((name, takes), syntax)| self.argument(name, *takes, syntax)).collect();
        read.into_iter().collect()
    }

    fn argument(&mut self, name: &str, takes: Takes, syntax: &Syntax) -> Option<Argument> {
        match (takes, &syntax.form) {
            (_, Form::Refused) => None,
            (Takes::Window | Takes::Wait | Takes::Memory, Form::Text(text)) => {
                self.window(text, takes, syntax.at)
            }
            (Takes::Tour, Form::Text(text)) => self.tour(text, syntax.at),
            (Takes::Segment, Form::Text(text)) => self.segment(text, syntax.at),
            (Takes::Number, Form::Int(number)) => Some(Argument::Number(*number)),
            (Takes::Outcome, Form::Text(text)) => self.outcome(text, syntax.at),
            (Takes::Steps, Form::List(steps)) => self.steps(steps, syntax.at),
            (Takes::Step, Form::Text(_)) => self.step(syntax).map(Argument::Step),
            (Takes::Where, Form::Map(members)) => self.properties(members, syntax.at),
            (Takes::Truth, Form::Truth(truth)) => Some(Argument::Truth(*truth)),
            (Takes::Text, Form::Text(text)) => Some(Argument::Text(text.as_str().into())),
            (Takes::Page, Form::Text(text)) => self.page(text, syntax.at).map(Argument::Page),
            (Takes::Times, Form::Int(number)) if *number >= 1 => Some(Argument::Times(*number)),
            (Takes::Scalar, Form::Text(text)) => Some(Argument::Scalar(text.as_str().into())),
            (Takes::Scalar, Form::Truth(truth)) => Some(Argument::Scalar((*truth).into())),
            (Takes::Scalar, Form::Int(number)) => Some(Argument::Scalar((*number).into())),
            (Takes::Scalar, Form::Float(number)) => {
                Some(Argument::Scalar(Json::Number(Number::from_f64(*number)?)))
            }
            _ => {
                let message = format!("`{name}` must be written out: {}", takes.as_str());
                self.note(syntax.at, "expression-argument", message, None);
                None
            }
        }
    }

    fn window(&mut self, text: &str, takes: Takes, at: Place) -> Option<Argument> {
        let help = || "a duration carries its unit: `30s`, `5m`".to_owned();
        let parsed = Span::parse(text).map_err(|e| ("bad-duration", e.to_string(), help()));
        let checked = |span| match takes {
            Takes::Memory => checked_memory(span, self.ground.memory),
            _ => checked_window(span, self.ground.activity),
        };
        match parsed.and_then(checked) {
            Ok(span) => Some(Argument::Window(span)),
            Err((code, message, help)) => {
                self.note(at, code, message, Some(help));
                None
            }
        }
    }

    fn page(&mut self, text: &str, at: Place) -> Option<PagePattern> {
        if let Some((message, help)) = trouble(text) {
            self.note(at, "bad-page", message, Some(help));
            return None;
        }
        Some(PagePattern::new(text))
    }

    fn outcome(&mut self, text: &str, at: Place) -> Option<Argument> {
        if text == OFFERED {
            return Some(Argument::Outcome(None));
        }
        let outcome = Outcome::named(text);
        if outcome.is_none() {
            let help = outcome_help(text);
            self.note(at, "unknown-outcome", format!("no outcome is called `{text}`"), Some(help));
            self.respell(text, Outcome::ALL.map(Outcome::as_str));
        }
        outcome.map(Some).map(Argument::Outcome)
    }

    fn tour(&mut self, text: &str, at: Place) -> Option<Argument> {
        if let Some((message, help)) = self.ground.tours.and_then(|tours| no_tour(text, tours)) {
            self.note(at, "unknown-tour", message, Some(help));
            return None;
        }
        Some(Argument::Tour(text.into()))
    }

    fn segment(&mut self, text: &str, at: Place) -> Option<Argument> {
        match segment(text, true, self.ground.segments) {
            Ok(segment) => Some(Argument::Segment(segment)),
            Err((message, help)) => {
                self.note(at, "unknown-segment", message, Some(help));
                let known = self.ground.segments.into_iter().flatten();
                self.respell(text, known.map(|(id, _)| &**id));
                None
            }
        }
    }

    fn steps(&mut self, steps: &[Syntax], at: Place) -> Option<Argument> {
        if steps.is_empty() {
            self.note(at, "expression-argument", "a sequence needs at least one step", None);
            return None;
        }
        let read: Vec<_> = steps.iter().map(|step| self.step(step)).collect();
        read.into_iter().collect::<Option<_>>().map(Argument::Steps)
    }

    fn step(&mut self, step: &Syntax) -> Option<Step> {
        if let Form::Text(text) = &step.form {
            let step_at = step.at;
            let step = Step::new(text);
            return match &step {
                Step::Page(_) => self.page(text, step_at).map(|_| step),
                Step::Kind(_) => Some(step),
            };
        }
        let message = "a step must be written out: a type such as `\"click\"`, or a page";
        self.note(step.at, "expression-argument", message, None);
        None
    }
}
