//! What a plain scalar means: YAML 1.2's core schema, with whole numbers of leading zeros as text.

use crate::rulebook::yaml::Value;

/// The meaning of a scalar written without quotes.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        _ => number(text).unwrap_or_else(|| Value::Str(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let based = [("0x", 16), ("0o", 8)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, radix)));
    if let Some((rest, radix)) = based {
        let plain = rest.len() == digits.len().saturating_sub(2) && digits.len() == text.len();
        let clean = plain && rest.chars().all(|c| c.is_digit(radix));
        return clean.then(|| i64::from_str_radix(rest, radix).ok()).flatten().map(Value::Int);
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(text, digits);
    }
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    let padded =
        digits.starts_with('0') && digits.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
    (!padded && digits.chars().all(numeric)).then(|| text.parse().ok().map(Value::Float)).flatten()
}

fn whole(text: &str, digits: &str) -> Option<Value> {
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    match text.parse() {
        Ok(number) => Some(Value::Int(number)),
        Err(_) => text.parse().ok().map(Value::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_scalar_means_what_yaml_1_2_says() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("7", Value::Int(7)),
            ("-7", Value::Int(-7)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("1.50", Value::Float(1.5)),
            ("1e3", Value::Float(1_000.0)),
            (".5", Value::Float(0.5)),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("99999999999999999999", Value::Float(1e20)),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
        for text in [
            "NO", "yes", "on", "off", "012", "01.5", "20s", "1_000", "inf", "nan", "1.2.3", ".",
            "-", "0x", "0xg",
        ] {
            assert_eq!(resolve(text), Value::Str(text.into()), "{text}");
        }
    }
}
