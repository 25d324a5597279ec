//! `PUT /users/{product}/{user}/traits` and `PUT /accounts/{product}/{account}/traits`: what is known
//! of a person, or of their account.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::traits::{KEPT, SEGMENT_CHARS, SEGMENTS, SEGMENTS_KEPT, Traits, segments};
use crate::http::body::json;
use crate::http::error::ApiError;

/// A name or a text may have so many characters.
const LONGEST: usize = 256;

/// What is known of a person, all of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Traits)]
pub struct TraitsBody<'a> {
    /// As asked.
    pub user_id: &'a str,
    /// By name.
    #[schema(value_type = Object)]
    pub traits: &'a Traits,
}

/// What is known of an account, all of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = AccountTraits)]
pub struct AccountTraitsBody<'a> {
    /// As asked.
    pub account_id: &'a str,
    /// By name.
    #[schema(value_type = Object)]
    pub traits: &'a Traits,
}

/// Reads a body: an object of scalars, null forgetting a name, and `segments` a list of texts; 422
/// for anything else.
pub fn said(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let Value::Object(mut said) = json(body)? else {
        return Err(ApiError::unprocessable("the body is not an object"));
    };
    if said.len() > KEPT {
        return Err(ApiError::unprocessable(format!("at most {KEPT} traits are kept")));
    }
    if let Some(Value::Array(list)) = said.get(SEGMENTS) {
        let (segments, less) = segments(list);
        if less {
            let detail = format!(
                "`{SEGMENTS}` is no list of at most {SEGMENTS_KEPT} different texts of at most {SEGMENT_CHARS} characters"
            );
            return Err(ApiError::unprocessable(detail));
        }
        said.insert(SEGMENTS.to_owned(), segments);
    }
    for (name, value) in &said {
        let long = |text: &str| text.chars().count() > LONGEST;
        let odd = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
            Value::String(text) => long(text),
            Value::Array(_) => name != SEGMENTS,
            Value::Object(_) => true,
        };
        if odd || long(name) {
            let name: String = name.chars().take(LONGEST).collect();
            let detail = format!("trait `{name}` is no scalar of at most {LONGEST} characters");
            return Err(ApiError::unprocessable(detail));
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traits_are_scalars() {
        let good = br#"{"plan":"pro","seats":3,"trial":false,"gone":null}"#;
        assert_eq!(said(good).map(|said| said.len()), Ok(4));
        let placed = br#"{"segments":["beta","power-users"]}"#;
        assert_eq!(said(placed).map(|said| said.len()), Ok(1));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(257));
        for bad in ["", "[]", "7", r#"{"a":[]}"#, r#"{"a":{}}"#, r#"{"segments":[7]}"#, &long] {
            assert_eq!(said(bad.as_bytes()).unwrap_err().status, 422, "{bad}");
        }
    }
}
