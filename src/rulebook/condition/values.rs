//! What a value known by name must be: a trait's, or a property's of an action. One table of tests
//! for both, in YAML and in an expression.

use serde_json::Value as Json;

use crate::rulebook::condition::needle::Needle;
use crate::rulebook::condition::{Truth, ValueTest};
use crate::rulebook::reader::{Fields, Findings, flag, list, words, wrong_type};
use crate::rulebook::yaml::{Node, Value};

/// Every test by its name, with what belongs after it. `gte` and `lte` are other names of
/// `at_least` and `at_most`.
pub(in crate::rulebook) const TESTS: [(&str, Wants); 16] = [
    ("is", Wants::Scalar),
    ("is_not", Wants::Scalar),
    ("in", Wants::Scalars),
    ("not_in", Wants::Scalars),
    ("contains", Wants::Words),
    ("starts_with", Wants::Words),
    ("ends_with", Wants::Words),
    ("at_least", Wants::Number),
    ("at_most", Wants::Number),
    ("gt", Wants::Number),
    ("gte", Wants::Number),
    ("lt", Wants::Number),
    ("lte", Wants::Number),
    ("between", Wants::Range),
    ("exists", Wants::Flag),
    ("eq", Wants::Scalar),
];

/// What belongs after a test's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rulebook) enum Wants {
    /// A text, a number, `true` or `false`.
    Scalar,
    /// Several of them.
    Scalars,
    /// A text that says something.
    Words,
    /// A number.
    Number,
    /// Two numbers, the least and the most.
    Range,
    /// `true` or `false`.
    Flag,
}

/// A test, and whether its opposite is meant.
pub(in crate::rulebook::condition) type Tested = (ValueTest, bool);

impl ValueTest {
    /// Whether a value is so; unknown of one that is not there or is of another type.
    pub(in crate::rulebook::condition) fn of(&self, value: Option<&Json>) -> Truth {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return if *self == Self::Exists { Truth::False } else { Truth::Unknown };
        };
        match (self, value.as_f64(), value.as_str()) {
            (Self::Exists, ..) => Truth::True,
            (Self::Has(name), ..) => match value.as_array() {
                Some(names) => names.iter().any(|one| one.as_str() == Some(name)).into(),
                None => Truth::Unknown,
            },
            (Self::In(scalars), ..) => scalars.iter().any(|scalar| same(scalar, value)).into(),
            (Self::AtLeast(least), Some(number), _) => (number >= *least).into(),
            (Self::AtMost(most), Some(number), _) => (number <= *most).into(),
            (Self::MoreThan(bound), Some(number), _) => (number > *bound).into(),
            (Self::LessThan(bound), Some(number), _) => (number < *bound).into(),
            (_, _, Some(text)) => self.of_text(text),
            _ => Truth::Unknown,
        }
    }

    /// Whether a text is so; what is empty is not there.
    pub(in crate::rulebook::condition) fn of_told(&self, text: &str) -> Truth {
        match self {
            Self::Exists => (!text.is_empty()).into(),
            _ if text.is_empty() => Truth::Unknown,
            Self::In(texts) => texts.iter().any(|one| one.as_str() == Some(text)).into(),
            _ => self.of_text(text),
        }
    }

    fn of_text(&self, text: &str) -> Truth {
        match self {
            Self::Contains(needle) => needle.is_in(text).into(),
            Self::StartsWith(needle) => needle.begins(text).into(),
            Self::EndsWith(needle) => needle.ends(text).into(),
            _ => Truth::Unknown,
        }
    }
}

/// Equal scalars; `5` is `5.0`.
fn same(wanted: &Json, found: &Json) -> bool {
    match (wanted.as_i64(), found.as_i64(), wanted.as_f64(), found.as_f64()) {
        (Some(wanted), Some(found), ..) => wanted == found,
        (.., Some(wanted), Some(found)) => wanted.total_cmp(&found).is_eq(),
        _ => wanted == found,
    }
}

/// The tests of one name, given what stands after it; what belongs there when that is wrong.
pub(in crate::rulebook::condition) fn tested(
    name: &str,
    value: &Json,
) -> Result<Vec<Tested>, &'static str> {
    let number = |json: &Json| json.as_f64().ok_or("a number");
    let scalar = |json: &Json| match json {
        Json::Null | Json::Array(_) | Json::Object(_) => Err("a text, a number, `true` or `false`"),
        scalar => Ok(scalar.clone()),
    };
    let plain = |test| Ok(vec![(test, false)]);
    match name {
        "is" | "eq" => plain(ValueTest::In(vec![scalar(value)?])),
        "is_not" => Ok(vec![(ValueTest::In(vec![scalar(value)?]), true)]),
        "in" | "not_in" => {
            let items = value.as_array().filter(|items| !items.is_empty());
            let scalars = items.ok_or("a list of values")?.iter().map(scalar);
            let scalars = scalars.collect::<Result<Vec<_>, _>>()?;
            Ok(vec![(ValueTest::In(scalars), name == "not_in")])
        }
        "contains" | "starts_with" | "ends_with" => {
            let text = value.as_str().filter(|text| !text.trim().is_empty());
            let needle = Needle::new(text.ok_or("a text")?);
            plain(match name {
                "contains" => ValueTest::Contains(needle),
                "starts_with" => ValueTest::StartsWith(needle),
                _ => ValueTest::EndsWith(needle),
            })
        }
        "at_least" | "gte" => plain(ValueTest::AtLeast(number(value)?)),
        "at_most" | "lte" => plain(ValueTest::AtMost(number(value)?)),
        "gt" => plain(ValueTest::MoreThan(number(value)?)),
        "lt" => plain(ValueTest::LessThan(number(value)?)),
        "between" => match value.as_array().map(Vec::as_slice) {
            Some([least, most]) => {
                let (least, most) = (number(least)?, number(most)?);
                Ok(vec![(ValueTest::AtLeast(least), false), (ValueTest::AtMost(most), false)])
            }
            _ => Err("a list of two numbers"),
        },
        "exists" => {
            let there = value.as_bool().ok_or("`true` or `false`")?;
            Ok(vec![(ValueTest::Exists, !there)])
        }
        _ => Err("a test"),
    }
}

/// Reads every test that stands among these keys; `None` when one of them is wrong.
pub(in crate::rulebook::condition) fn read(
    fields: &Fields<'_>,
    findings: &mut Findings<'_>,
) -> Option<Vec<Tested>> {
    let written = TESTS.iter().filter_map(|(name, wants)| Some((*name, *wants, fields.get(name)?)));
    let read: Vec<_> =
        written.map(|(name, wants, node)| one(name, wants, node, findings)).collect();
    Some(read.into_iter().collect::<Option<Vec<_>>>()?.concat())
}

/// Reads every test of a text that stands among these keys; `None` when one of them is wrong.
pub(in crate::rulebook::condition) fn read_texts(
    fields: &Fields<'_>,
    findings: &mut Findings<'_>,
) -> Option<Vec<Tested>> {
    let written = TESTS.iter().filter_map(|(name, wants)| Some((*name, *wants, fields.get(name)?)));
    let read: Vec<_> = written
        .map(|(name, wants, node)| match wants {
            Wants::Scalars => texts(list(node, findings), node, findings)
                .map(|all| in_list(all, name == "not_in")),
            Wants::Flag => one(name, wants, node, findings),
            _ => one(name, Wants::Words, node, findings),
        })
        .collect();
    Some(read.into_iter().collect::<Option<Vec<_>>>()?.concat())
}

/// Texts, of which there are some.
pub(in crate::rulebook::condition) fn texts(
    items: &[Node],
    whole: &Node,
    findings: &mut Findings<'_>,
) -> Option<Vec<Json>> {
    if items.is_empty() && matches!(whole.value, Value::Seq(_)) {
        findings.error(whole, "empty-list", "this list has no values", None);
    }
    let read: Vec<_> = items.iter().map(|item| words(item, findings).map(Json::from)).collect();
    read.into_iter().collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())
}

/// Reads what stands after one test's name.
fn one(name: &str, wants: Wants, node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Tested>> {
    match wants {
        Wants::Scalar => scalar(node, findings)?,
        Wants::Scalars => return scalars(node, findings).map(|all| in_list(all, name == "not_in")),
        Wants::Words => drop(words(node, findings)?),
        Wants::Number => drop(number(node, findings)?),
        Wants::Range => range(node, findings)?,
        Wants::Flag => drop(flag(node, findings)?),
    }
    tested(name, &node.to_json()).ok()
}

fn in_list(scalars: Vec<Json>, negated: bool) -> Vec<Tested> {
    vec![(ValueTest::In(scalars), negated)]
}

/// Notes what is no scalar.
pub(in crate::rulebook::condition) fn scalar(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<()> {
    if matches!(node.value, Value::Null | Value::Seq(_) | Value::Map(_)) {
        wrong_type(node, "a text, a number, `true` or `false`", None, findings);
        return None;
    }
    Some(())
}

/// The scalars of a list that has some.
pub(in crate::rulebook::condition) fn scalars(
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<Vec<Json>> {
    let before = findings.count();
    let items = list(node, findings);
    if items.is_empty() && findings.count() == before {
        findings.error(node, "empty-list", "this list has no values", None);
    }
    let read: Vec<_> =
        items.iter().map(|item| scalar(item, findings).map(|()| item.to_json())).collect();
    read.into_iter().collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())
}

fn number(node: &Node, findings: &mut Findings<'_>) -> Option<f64> {
    match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) if number.is_finite() => Some(number),
        _ => {
            wrong_type(node, "a number", None, findings);
            None
        }
    }
}

fn range(node: &Node, findings: &mut Findings<'_>) -> Option<()> {
    let help = || Some("write for example `between: [2, 4]`".to_owned());
    let Value::Seq(items) = &node.value else {
        wrong_type(node, "a list of two numbers", help(), findings);
        return None;
    };
    let [least, most] = &**items else {
        let message = "`between` takes two numbers, the least and the most";
        findings.error(node, "out-of-range", message, help());
        return None;
    };
    let (low, high) = (number(least, findings), number(most, findings));
    if low? <= high? {
        return Some(());
    }
    let (low, high) = (least.written(findings.source()), most.written(findings.source()));
    let message = format!("no number is between {low} and {high}");
    let help = Some(format!("write `between: [{high}, {low}]`"));
    findings.error(node, "never-true", message, help);
    None
}
