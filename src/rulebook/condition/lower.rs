//! From an expression to the condition tree: names, arguments and types are checked against the
//! vocabulary, every mistake at its characters, and comparisons become the leaves they mean.

use crate::rulebook::condition::expression::{Form, Place, Syntax, parse};
use crate::rulebook::condition::leaves::never_holds;
use crate::rulebook::condition::simplify::{compared, holds};
use crate::rulebook::condition::vocabulary::{self, Asks, METHODS, Type, WORDS};
use crate::rulebook::condition::{Comparison, Condition, Ground, Term};
use crate::rulebook::suggest::{did_you_mean, surely};

/// Something wrong in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Characters from the start of the expression, from zero.
    pub offset: usize,
    /// How many characters are meant.
    pub length: usize,
    /// Stable, kebab case.
    pub code: &'static str,
    /// Lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// What to write instead, when that is known.
    pub help: Option<String>,
    /// A text there and what surely belongs in its place.
    pub repair: Option<(String, String)>,
}

/// Reads one Rhai expression over `session`. All its mistakes come at once, in the order written;
/// a syntax error comes alone.
pub fn read_expression<'g>(
    source: &str,
    ground: impl Into<Ground<'g>>,
) -> Result<Condition, Vec<Mistake>> {
    read_spelled(source, ground.into()).map(|(condition, _)| condition)
}

/// Reads an expression, and where each of its clauses stands: characters from zero.
pub(in crate::rulebook::condition) fn read_spelled(
    source: &str,
    ground: Ground<'_>,
) -> Result<(Condition, Vec<usize>), Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let syntax = parse(source, &mut mistakes);
    let mut checker = Checker { ground, mistakes };
    let condition = syntax.as_ref().and_then(|syntax| checker.condition(syntax));
    let mut offsets = Vec::new();
    syntax.iter().for_each(|syntax| checker.offsets(syntax, &mut offsets));
    let mut mistakes = checker.mistakes;
    match condition {
        Some(condition) if mistakes.is_empty() => Ok((condition, offsets)),
        _ => {
            mistakes.sort_by_key(|mistake| mistake.offset);
            Err(mistakes)
        }
    }
}

pub(in crate::rulebook::condition) struct Checker<'g> {
    pub(in crate::rulebook::condition) ground: Ground<'g>,
    mistakes: Vec<Mistake>,
}

/// A term with its type; `None` when a mistake has been noted.
type Typed = Option<(Term, Type)>;

impl<'g> Checker<'g> {
    pub(in crate::rulebook::condition) fn new(ground: impl Into<Ground<'g>>) -> Self {
        Self { ground: ground.into(), mistakes: Vec::new() }
    }

    /// What an expression without mistakes comes to.
    pub(in crate::rulebook::condition) fn lowered(&mut self, syntax: &Syntax) -> Option<Term> {
        self.term(syntax).map(|(term, _)| term)
    }

    /// Where each clause of an expression without mistakes stands.
    fn offsets(&mut self, syntax: &Syntax, offsets: &mut Vec<usize>) {
        if !self.mistakes.is_empty() {
            return;
        }
        let joint = |form: &Form| matches!(form, Form::All(_) | Form::Any(_) | Form::Not(_));
        match &syntax.form {
            Form::All(parts) | Form::Any(parts) => {
                parts.iter().for_each(|part| self.offsets(part, offsets));
            }
            Form::Not(part) if joint(&part.form) => self.offsets(part, offsets),
            _ => {
                let clauses = self.condition(syntax).map_or(0, |leaf| leaf.clause_count());
                offsets.extend(std::iter::repeat_n(syntax.at.offset, clauses));
            }
        }
    }

    pub(in crate::rulebook::condition) fn note(
        &mut self,
        at: Place,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let (offset, length, message) = (at.offset, at.length, message.into());
        self.mistakes.push(Mistake { offset, length, code, message, help, repair: None });
    }

    /// What was noted last is a misspelt name, if one of `known` is surely meant.
    pub(in crate::rulebook::condition) fn respell<'k>(
        &mut self,
        wrong: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let right = surely(wrong, known).map(str::to_owned);
        if let Some(mistake) = self.mistakes.last_mut() {
            mistake.repair = right.map(|right| (wrong.to_owned(), right));
        }
    }

    fn condition(&mut self, syntax: &Syntax) -> Option<Condition> {
        let (term, kind) = self.term(syntax)?;
        if kind != Type::Truth {
            let message = format!("this is {} where true or false belongs", kind.as_str());
            let help = "compare it, for example with `==` or `>=`".to_owned();
            self.note(syntax.at, "expression-type", message, Some(help));
            return None;
        }
        Some(holds(term))
    }

    fn term(&mut self, syntax: &Syntax) -> Typed {
        let at = syntax.at;
        match &syntax.form {
            Form::Int(number) => Some((Term::Int(*number), Type::Number)),
            Form::Float(number) => Some((Term::Float(*number), Type::Number)),
            Form::Text(text) => Some((Term::Text(text.as_str().into()), Type::Text)),
            Form::Truth(truth) => Some(truth_term(Condition::Always(*truth))),
            Form::List(_) => self.lone_list(at),
            Form::Map(_) => self.lone_map(at),
            Form::Name(name) => self.lone_name(name, at),
            Form::Call(name) => self.lone_call(name, at),
            Form::Member(of, name) => self.member(of, name, at),
            Form::Method(of, name, arguments) => self.method(of, name, arguments, at),
            Form::Not(part) => {
                let part = self.condition(part)?;
                Some(truth_term(Condition::Not(Box::new(part))))
            }
            Form::Negative(part) => {
                let part = self.number(part, "-")?;
                Some((Term::Negate(Box::new(part)), Type::Number))
            }
            Form::Arithmetic(left, operator, right) => {
                let left = self.number(left, operator.as_str());
                let right = self.number(right, operator.as_str());
                let parts = Box::new((left?, *operator, right?));
                Some((Term::Arithmetic(parts), Type::Number))
            }
            Form::Comparison(left, operator, right) => {
                let (left, right) = (self.term(left), self.term(right));
                self.comparison(left?, *operator, right?, at).map(truth_term)
            }
            Form::All(parts) => self.conditions(parts).map(Condition::All).map(truth_term),
            Form::Any(parts) => self.conditions(parts).map(Condition::Any).map(truth_term),
            Form::Refused => None,
        }
    }

    fn conditions(&mut self, parts: &[Syntax]) -> Option<Vec<Condition>> {
        let conditions: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        conditions.into_iter().collect()
    }

    fn number(&mut self, syntax: &Syntax, operator: &str) -> Option<Term> {
        let (term, kind) = self.term(syntax)?;
        if kind == Type::Number {
            return Some(term);
        }
        let message = format!("`{operator}` takes numbers, and this is {}", kind.as_str());
        self.note(syntax.at, "expression-type", message, None);
        None
    }

    fn comparison(
        &mut self,
        (left, left_kind): (Term, Type),
        operator: Comparison,
        (right, right_kind): (Term, Type),
        at: Place,
    ) -> Option<Condition> {
        let sign = operator.as_str();
        if left_kind != right_kind {
            let (left, right) = (left_kind.as_str(), right_kind.as_str());
            let message = format!("`{sign}` compares {left} with {right}");
            let help = "compare two texts, two numbers or two truths".to_owned();
            self.note(at, "expression-type", message, Some(help));
            return None;
        }
        let equality = matches!(operator, Comparison::Equal | Comparison::NotEqual);
        if left_kind == Type::Truth && !equality {
            let message = format!("`{sign}` does not compare {}", left_kind.as_str());
            self.note(at, "expression-type", message, None);
            return None;
        }
        Some(compared(left, operator, right))
    }

    fn lone_list(&mut self, at: Place) -> Typed {
        let help = "a list is an argument of `session.sequence` alone".to_owned();
        self.note(at, "expression-not-allowed", "a list has no meaning here", Some(help));
        None
    }

    fn lone_map(&mut self, at: Place) -> Typed {
        let help = "a map is an argument of `session.count` alone".to_owned();
        self.note(at, "expression-not-allowed", "a map has no meaning here", Some(help));
        None
    }

    fn lone_name(&mut self, name: &str, at: Place) -> Typed {
        let (message, help) = if name == "session" {
            ("`session` alone is no value".to_owned(), Some("write `session.path`".to_owned()))
        } else {
            let help = self.prefixed(name);
            (format!("there is no `{name}` here"), help)
        };
        self.note(at, "unknown-name", message, help);
        self.prefix(name, true);
        None
    }

    fn lone_call(&mut self, name: &str, at: Place) -> Typed {
        let help = self.prefixed(name);
        self.note(at, "unknown-function", format!("there is no function `{name}` here"), help);
        self.prefix(name, false);
        None
    }

    fn prefixed(&self, name: &str) -> Option<String> {
        match vocabulary::word(name) {
            Some(word) => Some(format!("write {}", word.usage())),
            None => did_you_mean(name, ["session"])
                .or_else(|| Some("everything is asked of `session`: `session.path`".into())),
        }
    }

    /// What was noted last lacks its `session.`, or is a misspelt `session`.
    fn prefix(&mut self, name: &str, is_field: bool) {
        match vocabulary::word(name).filter(|word| word.is_field() == is_field) {
            Some(word) => {
                let right = format!("session.{}", word.name);
                if let Some(mistake) = self.mistakes.last_mut() {
                    mistake.repair = Some((name.to_owned(), right));
                }
            }
            None if is_field => self.respell(name, ["session"]),
            None => {}
        }
    }

    fn member(&mut self, of: &Syntax, name: &str, at: Place) -> Typed {
        if is_session(of) {
            let Some(word) = vocabulary::word(name) else {
                return self.unknown_word("field", name, at);
            };
            if !word.is_field() {
                let help = Some(format!("write {}", word.usage()));
                self.note(at, "unknown-field", format!("`{name}` is a function"), help);
                return None;
            }
            return Some(((word.lower)(&[])?, word.gives?));
        }
        let (_, kind) = self.term(of)?;
        let help = match vocabulary::method(name) {
            Some(method) => Some(format!("it is called: `.{}()`", method.name)),
            None => did_you_mean(name, METHODS.iter().map(|method| method.name)),
        };
        self.note(at, "unknown-field", format!("{} has no field `{name}`", kind.as_str()), help);
        None
    }

    fn unknown_word(&mut self, what: &'static str, name: &str, at: Place) -> Typed {
        let code = if what == "field" { "unknown-field" } else { "unknown-function" };
        let help = did_you_mean(name, WORDS.iter().map(|word| word.name));
        self.note(at, code, format!("`session` has no {what} `{name}`"), help);
        let known = WORDS.iter().filter(|word| word.is_field() == (what == "field"));
        self.respell(name, known.map(|word| word.name));
        None
    }

    fn method(&mut self, of: &Syntax, name: &str, arguments: &[Syntax], at: Place) -> Typed {
        if !is_session(of) {
            return self.text_method(of, name, arguments, at);
        }
        let Some(word) = vocabulary::word(name) else {
            return self.unknown_word("function", name, at);
        };
        if word.is_field() {
            let help = Some(format!("write {}", word.usage()));
            let message = format!("`{name}` is a field, not a function");
            self.note(at, "unknown-function", message, help);
            return None;
        }
        let arguments = self.arguments(word, arguments, at)?;
        let term = (word.lower)(&arguments)?;
        if let Term::Truth(condition) = &term
            && let Condition::Sequence(sequence) = &**condition
            && sequence.outlasts()
        {
            let (message, help) = never_holds(sequence);
            self.note(at, "never-true", message, Some(help));
            return None;
        }
        let kind = word.gives.unwrap_or_else(|| default_type(&term));
        Some((term, kind))
    }

    fn text_method(&mut self, of: &Syntax, name: &str, arguments: &[Syntax], at: Place) -> Typed {
        let subject = self.term(of);
        let terms: Vec<_> = arguments.iter().map(|argument| self.term(argument)).collect();
        let (subject, kind) = subject?;
        let Some(method) = vocabulary::method(name).filter(|_| kind == Type::Text) else {
            let help = match kind {
                Type::Text => did_you_mean(name, METHODS.iter().map(|method| method.name)),
                _ => Some("only text has methods".to_owned()),
            };
            let message = format!("{} has no method `{name}`", kind.as_str());
            self.note(at, "unknown-function", message, help);
            if kind == Type::Text {
                self.respell(name, METHODS.iter().map(|method| method.name));
            }
            return None;
        };
        let wanted = usize::from(matches!(method.asks, Asks::Test(_)));
        if arguments.len() != wanted {
            self.arity(name, &wanted.to_string(), arguments.len(), None, at);
            return None;
        }
        match method.asks {
            Asks::Length => Some((Term::Length(Box::new(subject)), Type::Number)),
            Asks::Emptiness => {
                let length = Term::Length(Box::new(subject));
                Some(truth_term(compared(length, Comparison::Equal, Term::Int(0))))
            }
            Asks::Test(test) => {
                let (argument, kind) = terms.into_iter().next()??;
                if kind != Type::Text {
                    let message = format!("`{name}` takes text, and this is {}", kind.as_str());
                    let place = arguments.first().map_or(at, |argument| argument.at);
                    self.note(place, "expression-type", message, None);
                    return None;
                }
                Some(truth_term(Condition::Text(Box::new((subject, test, argument)))))
            }
        }
    }

    pub(in crate::rulebook::condition) fn arity(
        &mut self,
        name: &str,
        wanted: &str,
        got: usize,
        help: Option<String>,
        at: Place,
    ) {
        let plural = if wanted == "1" { "argument" } else { "arguments" };
        let message = format!("`{name}` takes {wanted} {plural}, not {got}");
        self.note(at, "expression-arity", message, help);
    }
}

fn is_session(syntax: &Syntax) -> bool {
    matches!(&syntax.form, Form::Name(name) if name == "session")
}

fn truth_term(condition: Condition) -> (Term, Type) {
    (Term::Truth(Box::new(condition)), Type::Truth)
}

/// The type of a word that takes that of its default.
fn default_type(term: &Term) -> Type {
    match term {
        Term::Trait(_, _, default) => default_type(default),
        Term::Text(_) => Type::Text,
        Term::Truth(_) => Type::Truth,
        _ => Type::Number,
    }
}

#[cfg(test)]
mod tests;
