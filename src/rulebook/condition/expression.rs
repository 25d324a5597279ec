//! The only file that names Rhai: an expression's text becomes a small syntax tree of our own,
//! each node with its place. Rhai parses and nothing more: no expression is ever run. What has no
//! counterpart in the tree is refused here, at its character.

use rhai::{ASTFlags, Engine, Expr, FnCallExpr, Ident, OptimizationLevel, Position, Stmt};

use crate::rulebook::condition::lower::Mistake;
use crate::rulebook::condition::{Arithmetic, Comparison};

/// Characters of one expression.
const MAX_CHARS: usize = 4_096;
/// Nesting of one expression, the same in every build profile.
const MAX_DEPTH: usize = 64;

/// A node of an expression and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rulebook::condition) struct Syntax {
    pub(in crate::rulebook::condition) form: Form,
    pub(in crate::rulebook::condition) at: Place,
}

/// Characters from zero, and how many of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rulebook::condition) struct Place {
    pub(in crate::rulebook::condition) offset: usize,
    pub(in crate::rulebook::condition) length: usize,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rulebook::condition) enum Form {
    Int(i64),
    Float(f64),
    Text(String),
    Truth(bool),
    List(Vec<Syntax>),
    /// `#{ name: value }`
    Map(Vec<(String, Syntax)>),
    /// A bare name.
    Name(String),
    /// `name(…)` without a subject.
    Call(String),
    /// `of.name`
    Member(Box<Syntax>, String),
    /// `of.name(…)`
    Method(Box<Syntax>, String, Vec<Syntax>),
    Not(Box<Syntax>),
    Negative(Box<Syntax>),
    Arithmetic(Box<Syntax>, Arithmetic, Box<Syntax>),
    Comparison(Box<Syntax>, Comparison, Box<Syntax>),
    All(Vec<Syntax>),
    Any(Vec<Syntax>),
    /// Refused already; says nothing more.
    Refused,
}

/// Parses one expression. A syntax error is the only mistake; what Rhai can say and docent
/// cannot is noted in `mistakes`, all of it.
pub(in crate::rulebook::condition) fn parse(
    source: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Syntax> {
    let mut reader = Reader { lines: Lines::new(source), mistakes };
    if source.chars().count() > MAX_CHARS {
        let help = "split the rule, or use the list form".to_owned();
        let message = format!("the expression is longer than {MAX_CHARS} characters");
        reader.note(Place::default(), "expression-too-long", message, Some(help));
        return None;
    }
    let ast = match engine().compile_expression(source) {
        Ok(ast) => ast,
        Err(error) => {
            let place = reader.lines.place(error.position());
            let (message, help) = words(&error.err_type().to_string());
            let assigns = help.as_deref() == Some(COMPARE);
            reader.note(place, "expression-syntax", message, help);
            if let Some(mistake) = reader.mistakes.last_mut().filter(|_| assigns) {
                mistake.repair = Some(("=".to_owned(), "==".to_owned()));
            }
            return None;
        }
    };
    match ast.statements() {
        [Stmt::Expr(expression)] => Some(reader.read(expression)),
        [Stmt::FnCall(call, position)] => Some(reader.call(call, *position)),
        _ => {
            let message = "this is not one expression";
            reader.note(Place::default(), "not-an-expression", message.to_owned(), None);
            None
        }
    }
}

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_expr_depths(MAX_DEPTH, MAX_DEPTH)
        .set_allow_looping(false)
        .set_allow_loop_expressions(false)
        .set_allow_anonymous_fn(false)
        .set_allow_if_expression(false)
        .set_allow_switch_expression(false)
        .set_allow_statement_expression(false)
        .set_allow_shadowing(false);
    engine
}

/// What an assignment in a condition is meant to be.
const COMPARE: &str = "compare with `==`";

/// Rhai's message in our style, and what to write instead where the mistake is a usual one.
fn words(message: &str) -> (String, Option<String>) {
    const USUAL: [(&str, &str); 4] = [
        ("Invalid character", "texts stand in double quotes: `\"click\"`"),
        ("Unexpected '='", COMPARE),
        ("Unexpected '", "a condition is comparisons, joined by `&&` and `||`"),
        ("Expression exceeds", "nest less, or use the list form"),
    ];
    let message = message.replace("Script is incomplete", "The expression is incomplete");
    let help = USUAL.iter().find(|(start, _)| message.starts_with(start));
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    let text = format!("{first}{}", letters.as_str()).replace('\'', "`");
    (text.trim_end_matches('.').to_owned(), help.map(|(_, help)| (*help).to_owned()))
}

struct Reader<'m> {
    lines: Lines,
    mistakes: &'m mut Vec<Mistake>,
}

impl Reader<'_> {
    fn note(&mut self, at: Place, code: &'static str, message: String, help: Option<String>) {
        let (offset, length, repair) = (at.offset, at.length, None);
        self.mistakes.push(Mistake { offset, length, code, message, help, repair });
    }

    fn refused(&mut self, at: Place, what: &str, help: Option<&str>) -> Syntax {
        let message = format!("{what} cannot be used in a condition");
        self.note(at, "expression-not-allowed", message, help.map(str::to_owned));
        Syntax { form: Form::Refused, at }
    }

    fn read(&mut self, expression: &Expr) -> Syntax {
        let at = self.lines.place(expression.position());
        let form = match expression {
            Expr::BoolConstant(truth, _) => Form::Truth(*truth),
            Expr::IntegerConstant(number, _) => Form::Int(*number),
            Expr::FloatConstant(number, _) if number.is_finite() => Form::Float(**number),
            Expr::StringConstant(text, _) => Form::Text(text.to_string()),
            Expr::Variable(name, ..) => Form::Name(name.1.to_string()),
            Expr::Array(items, _) => Form::List(self.read_all(items.iter())),
            Expr::Map(parts, _) => {
                let members = parts.0.iter();
                let read =
                    |(name, value): &(Ident, Expr)| (name.name.to_string(), self.read(value));
                Form::Map(members.map(read).collect())
            }
            Expr::And(parts, _) => Form::All(self.read_all(parts.iter())),
            Expr::Or(parts, _) => Form::Any(self.read_all(parts.iter())),
            Expr::FnCall(call, position) => return self.call(call, *position),
            Expr::Dot(parts, flags, _) => return self.chain(&parts.lhs, &parts.rhs, *flags),
            other => return self.unknown(other, at),
        };
        Syntax { form, at }
    }

    fn read_all<'e>(&mut self, parts: impl Iterator<Item = &'e Expr>) -> Vec<Syntax> {
        parts.map(|part| self.read(part)).collect()
    }

    fn unknown(&mut self, expression: &Expr, at: Place) -> Syntax {
        let quotes = Some("texts stand in double quotes: `\"a\"`");
        match expression {
            Expr::CharConstant(..) => self.refused(at, "a character", quotes),
            Expr::InterpolatedString(..) => self.refused(at, "an interpolated text", None),
            Expr::FloatConstant(..) => self.refused(at, "so large a number", None),
            Expr::Index(..) => self.refused(at, "`[…]` after a value", None),
            Expr::Coalesce(..) => self.refused(at, "`??`", None),
            _ => self.refused(at, "this", None),
        }
    }

    /// Rhai nests `a.b.c` to the right; we nest it to the left.
    fn chain(&mut self, subject: &Expr, rest: &Expr, flags: ASTFlags) -> Syntax {
        let mut subject = self.read(subject);
        let (mut rest, mut flags) = (rest, flags);
        loop {
            if flags.contains(ASTFlags::NEGATED) {
                return self.refused(subject.at, "`?.`", Some("write `.`"));
            }
            let Expr::Dot(parts, inner, _) = rest else { return self.link(subject, rest) };
            subject = self.link(subject, &parts.lhs);
            (rest, flags) = (&parts.rhs, *inner);
        }
    }

    fn link(&mut self, subject: Syntax, link: &Expr) -> Syntax {
        let at = self.lines.place(link.position());
        let form = match link {
            Expr::Property(name, _) => Form::Member(Box::new(subject), name.2.to_string()),
            Expr::MethodCall(call, _) => {
                let arguments = self.read_all(call.args.iter());
                Form::Method(Box::new(subject), call.name.to_string(), arguments)
            }
            other => return self.unknown(other, at),
        };
        Syntax { form, at }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position) -> Syntax {
        let at = self.lines.place(position);
        let name = call.name.as_str();
        if call.op_token.is_none() && self.lines.is_word(at, "in") {
            return self.operator("in", at);
        }
        if call.op_token.is_none() {
            // The arguments may hold mistakes of their own.
            self.read_all(call.args.iter());
            return Syntax { form: Form::Call(name.to_owned()), at };
        }
        let mut operands = self.read_all(call.args.iter());
        let (right, left) = (operands.pop().map(Box::new), operands.pop().map(Box::new));
        let form = match (left, right) {
            (None, Some(only)) => match name {
                "!" => Form::Not(only),
                "-" => Form::Negative(only),
                _ => return self.operator(name, at),
            },
            (Some(left), Some(right)) => match (arithmetic(name), comparison(name)) {
                (Some(operator), _) => Form::Arithmetic(left, operator, right),
                (_, Some(operator)) => Form::Comparison(left, operator, right),
                _ => return self.operator(name, at),
            },
            _ => return self.operator(name, at),
        };
        Syntax { form, at }
    }

    fn operator(&mut self, name: &str, at: Place) -> Syntax {
        let help = match name {
            "in" => Some("compare with each: `x == \"a\" || x == \"b\"`"),
            "&" => Some("write `&&`"),
            "|" => Some("write `||`"),
            _ => None,
        };
        self.refused(at, &format!("the operator `{name}`"), help)
    }
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    let all = [Add, Subtract, Multiply, Divide, Remainder];
    all.into_iter().find(|operator| operator.as_str() == name)
}

fn comparison(name: &str) -> Option<Comparison> {
    use Comparison::{AtLeast, AtMost, Equal, Less, More, NotEqual};
    let all = [Equal, NotEqual, Less, AtMost, More, AtLeast];
    all.into_iter().find(|operator| operator.as_str() == name)
}

/// From Rhai's lines and columns to characters.
struct Lines {
    text: Vec<char>,
    starts: Vec<usize>,
}

impl Lines {
    fn new(source: &str) -> Self {
        let text: Vec<char> = source.chars().collect();
        let breaks = text.iter().enumerate().filter(|(_, letter)| **letter == '\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The token at a position; the last character where Rhai names none.
    fn place(&self, position: Position) -> Place {
        let line = position.line().and_then(|line| self.starts.get(line.saturating_sub(1)));
        let column = position.position().unwrap_or(1).saturating_sub(1);
        let last = self.text.len().saturating_sub(1);
        let offset = line.map_or(last, |start| (start + column).min(last));
        Place { offset, length: self.token(offset) }
    }

    fn is_word(&self, place: Place, word: &str) -> bool {
        let end = place.offset + place.length;
        self.text.get(place.offset..end).is_some_and(|text| word.chars().eq(text.iter().copied()))
    }

    fn token(&self, offset: usize) -> usize {
        let rest = self.text.get(offset..).unwrap_or_default();
        let run = |belongs: fn(&char) -> bool| rest.iter().take_while(|c| belongs(c)).count();
        let is_operator = |letter: &char| "=!<>&|+-*/%".contains(*letter);
        match rest.first() {
            Some('"') => quoted(rest),
            Some(letter) if letter.is_alphabetic() || *letter == '_' => {
                run(|c| c.is_alphanumeric() || *c == '_')
            }
            Some(letter) if letter.is_ascii_digit() => run(|c| c.is_alphanumeric() || *c == '.'),
            Some(letter) if is_operator(letter) => {
                rest.iter().take(2).take_while(|c| is_operator(c)).count()
            }
            _ => 1,
        }
    }
}

fn quoted(text: &[char]) -> usize {
    let mut escaped = true;
    let inside = text.iter().position(|letter| {
        let ends = *letter == '"' && !escaped;
        escaped = *letter == '\\' && !escaped;
        ends
    });
    inside.map_or(text.len(), |end| end + 1)
}
