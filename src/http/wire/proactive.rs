//! `/admin/products/{product}/proactive`: whether a product offers anything, and what an operator
//! says of that.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::bulletin::Pause;
use crate::domain::time::{Span, Timestamp};
use crate::http::body::json;
use crate::http::error::ApiError;
use crate::rulebook::Product;
use crate::rulebook::schedule;

/// The longest pause with an end: ten years. A later end is a slip, milliseconds for example.
const LONGEST: Span = Span::from_seconds(3_653 * 86_400);
/// The longest reason, in bytes.
const LONGEST_REASON: usize = 500;

/// Whether a product offers anything.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Proactive)]
pub struct ProactiveBody<'a> {
    /// The product.
    pub product_id: &'a str,
    /// Whether anything is offered now: configured, and not paused.
    pub enabled: bool,
    /// `proactive.enabled` in docent.yaml. Where it is false, a pause and its end change nothing.
    pub configured: bool,
    /// What an operator said; null when the product is not paused.
    pub paused: Option<PausedBody>,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Paused)]
pub struct PausedBody {
    /// When it was said, Unix seconds.
    pub since: f64,
    /// When it ends by itself, Unix seconds; null when somebody must end it.
    pub until: Option<f64>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

impl<'a> ProactiveBody<'a> {
    /// Of a product and its pause, if it has one.
    pub fn of(product: &'a Product, pause: Option<&Pause>) -> Self {
        let configured = product.settings.proactive.enabled;
        let enabled = configured && pause.is_none();
        let paused = pause.map(PausedBody::from);
        Self { product_id: &product.id, enabled, configured, paused }
    }
}

impl From<&Pause> for PausedBody {
    fn from(pause: &Pause) -> Self {
        Self {
            since: pause.since.as_seconds(),
            until: pause.until.map(Timestamp::as_seconds),
            reason: pause.reason.as_deref().map(str::to_owned),
        }
    }
}

/// Reads `{"enabled": false, "until": …, "for": "2h", "reason": …}`; `None` ends a pause. `until` is
/// in Unix seconds, or a date by the product's clock.
pub fn wish(body: &[u8], product: &Product, now: Timestamp) -> Result<Option<Pause>, ApiError> {
    let body = json(body)?;
    let wrong = |detail: &str| Err(ApiError::unprocessable(detail));
    let Some(members) = body.as_object() else { return wrong("the body is no object") };
    let known = ["enabled", "until", "for", "reason"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        let all = known.join("`, `");
        return wrong(&format!("`{other}` means nothing here; there are `{all}`"));
    }
    let member = |name: &str| members.get(name).filter(|value| !value.is_null());
    let (until, length, reason) = (member("until"), member("for"), member("reason"));
    match member("enabled").and_then(Value::as_bool) {
        None => return wrong("say `\"enabled\": false` to pause, `true` to resume"),
        Some(true) if until.or(length).or(reason).is_some() => {
            return wrong("`until`, `for` and `reason` go with `\"enabled\": false`");
        }
        Some(true) => return Ok(None),
        Some(false) => {}
    }
    let until = match (until, length) {
        (Some(_), Some(_)) => return wrong("say `until` or `for`, not both"),
        (Some(until), None) => Some(near(instant(until, product)?, now)?),
        (None, Some(length)) => Some(no_later(now.plus(span(length)?), now)?),
        (None, None) => None,
    };
    if until.is_some_and(|until| until <= now) {
        return wrong("the pause would be over already");
    }
    Ok(Some(Pause { since: now, until, reason: reason.map(text).transpose()? }))
}

fn instant(value: &Value, product: &Product) -> Result<Timestamp, ApiError> {
    let found = match value {
        Value::Number(seconds) => seconds.as_f64().and_then(Timestamp::from_seconds),
        Value::String(text) => match text.trim().parse() {
            Ok(seconds) => Timestamp::from_seconds(seconds),
            Err(_) => schedule::instant(text, &product.settings.timezone),
        },
        _ => None,
    };
    found.ok_or_else(|| {
        ApiError::unprocessable(
            "`until` is no instant; write seconds since 1970, or for example `2030-12-31T18:00`, by \
             the product's clock, or `2030-12-31T18:00Z`",
        )
    })
}

/// An instant that somebody can have meant.
fn near(until: Timestamp, now: Timestamp) -> Result<Timestamp, ApiError> {
    let seconds = until.as_millis() / 1_000;
    // Had it been in milliseconds.
    let meant = Timestamp::from_millis(seconds);
    if until > now.plus(LONGEST) && meant > now.minus(LONGEST) && meant <= now.plus(LONGEST) {
        let detail = format!(
            "`until` is in seconds since 1970, and {seconds} looks like milliseconds; write {}",
            seconds / 1_000
        );
        return Err(ApiError::unprocessable(detail));
    }
    no_later(until, now)
}

fn no_later(until: Timestamp, now: Timestamp) -> Result<Timestamp, ApiError> {
    if until > now.plus(LONGEST) {
        let detail = "a pause with an end lasts ten years at most; without `until` and `for` it \
                      lasts until somebody resumes";
        return Err(ApiError::unprocessable(detail));
    }
    Ok(until)
}

fn span(value: &Value) -> Result<Span, ApiError> {
    let Some(text) = value.as_str() else {
        return Err(ApiError::unprocessable("`for` is no text; write for example \"2h\""));
    };
    Span::parse(text).map_err(|error| ApiError::unprocessable(format!("`for`: {error}")))
}

fn text(value: &Value) -> Result<Arc<str>, ApiError> {
    match value.as_str() {
        Some(text) if text.len() <= LONGEST_REASON => Ok(text.into()),
        Some(_) => Err(ApiError::unprocessable("`reason` is longer than 500 bytes")),
        None => Err(ApiError::unprocessable("`reason` is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Sources;
    use crate::rulebook::compile::compile;

    const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    fn product() -> Arc<Product> {
        let text = "version: 1\nproducts: { acme: { timezone: Europe/Oslo } }\n";
        let files = [("docent.yaml".to_owned(), text.as_bytes().to_vec())].into();
        Arc::clone(&compile(&Sources { files }, &|_| None).0.unwrap().products["acme"])
    }

    #[test]
    fn a_pause_ends_when_somebody_says_or_at_its_time() {
        let wish = |body: &str| wish(body.as_bytes(), &product(), NOW).unwrap();
        let until = |seconds: i64| Some(Timestamp::from_millis(seconds * 1_000));
        assert_eq!(wish(r#"{"enabled":true}"#), None);
        let bare = wish(r#"{"enabled":false,"until":null}"#).unwrap();
        assert_eq!(bare, Pause { since: NOW, until: None, reason: None });
        let told = wish(r#"{"enabled":false,"for":"2h","reason":"deploy"}"#).unwrap();
        assert_eq!((told.until, told.reason.as_deref()), (until(1_760_007_200), Some("deploy")));
        for written in
            ["1760004000", "\"1760004000\"", "\"2025-10-09T12:00\"", "\"2025-10-09T10:00Z\""]
        {
            let body = format!(r#"{{"enabled":false,"until":{written}}}"#);
            assert_eq!(wish(&body).unwrap().until, until(1_760_004_000), "{written}");
        }
    }

    #[test]
    fn what_is_no_wish_is_told_why() {
        for (body, why) in [
            ("{}", "say `\"enabled\": false` to pause"),
            ("[]", "no object"),
            (r#"{"enabled":"no"}"#, "say `\"enabled\": false` to pause"),
            (r#"{"enabled":true,"for":"2h"}"#, "go with"),
            (r#"{"enabled":false,"for":"2"}"#, "has no unit"),
            (r#"{"enabled":false,"for":2}"#, "no text"),
            (r#"{"enabled":false,"for":"0s"}"#, "over already"),
            (r#"{"enabled":false,"until":1}"#, "over already"),
            (r#"{"enabled":false,"until":"soon"}"#, "no instant"),
            (r#"{"enabled":false,"until":1e10,"for":"2h"}"#, "not both"),
            (r#"{"enabled":false,"until":1800000000000}"#, "milliseconds; write 1800000000"),
            (r#"{"enabled":false,"until":"1750000000000"}"#, "looks like milliseconds"),
            (r#"{"enabled":false,"until":"2090-01-01"}"#, "ten years at most"),
            (r#"{"enabled":false,"for":"9999999d"}"#, "ten years at most"),
            (r#"{"enabled":false,"reason":7}"#, "no text"),
            (r#"{"enabled":false,"untill":7}"#, "`untill` means nothing here"),
        ] {
            let error = wish(body.as_bytes(), &product(), NOW).unwrap_err();
            assert_eq!(error.status, 422);
            assert!(error.detail.contains(why), "{body}: {}", error.detail);
        }
        let long = format!(r#"{{"enabled":false,"reason":"{}"}}"#, "x".repeat(501));
        assert!(wish(long.as_bytes(), &product(), NOW).is_err());
    }
}
