//! `POST /__clock`: how a virtual clock is moved.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::domain::time::{Span, Timestamp};
use crate::http::body::json;
use crate::http::error::ApiError;

/// A wish for a virtual clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// `{"now": 1760000000.0}`
    To(Timestamp),
    /// `{"advance_s": 300}`
    By(Span),
}

/// Reads a wish; 422 when it is none.
pub fn wish(body: &[u8]) -> Result<Move, ApiError> {
    let body = json(body)?;
    let number = |name: &str| body.get(name).and_then(Value::as_f64);
    let to = number("now").and_then(Timestamp::from_seconds).map(Move::To);
    let by =
        number("advance_s").filter(|seconds| *seconds >= 0.0).and_then(Timestamp::from_seconds);
    let by = by.map(|span| Move::By(Span::from_millis(span.as_millis())));
    match (to, by) {
        (Some(wish), None) | (None, Some(wish)) => Ok(wish),
        _ => Err(ApiError::unprocessable(
            "send either `now` in Unix seconds or `advance_s`, not negative",
        )),
    }
}

/// Operators' routes that change something take JSON alone: no page can send that without being
/// asked first whether it may.
pub fn demand_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "this route takes `content-type: application/json`";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_or_advanced_and_never_both() {
        let to = Move::To(Timestamp::from_millis(1_760_000_000_500));
        assert_eq!(wish(br#"{"now": 1760000000.5}"#), Ok(to));
        assert_eq!(wish(br#"{"advance_s": 300}"#), Ok(Move::By(Span::from_seconds(300))));
        assert_eq!(wish(br#"{"advance_s": 0}"#), Ok(Move::By(Span::ZERO)));
        for bad in [
            &b"{}"[..],
            b"[]",
            b"",
            br#"{"advance_s":-1}"#,
            br#"{"now":"x"}"#,
            br#"{"now":1e300}"#,
            br#"{"now":1,"advance_s":1}"#,
        ] {
            assert_eq!(wish(bad).unwrap_err().status, 422);
        }
    }

    #[test]
    fn a_form_is_no_json() {
        let with = |kind: &str| {
            demand_json(&HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())])).is_ok()
        };
        assert!(with("application/json"));
        assert!(with("Application/JSON; charset=utf-8"));
        assert!(!with("text/plain"));
        assert!(!with("application/jsonx"));
        assert!(demand_json(&HeaderMap::new()).is_err());
    }
}
