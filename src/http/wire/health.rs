//! `GET /healthz` and `GET /readyz`.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether docent lives, or is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthBody {
    /// `ok`, `degraded`, or, with 503, `unavailable`.
    pub status: &'static str,
    /// What is not as it should be, one sentence each; absent when nothing is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl HealthBody {
    /// It lives.
    pub const fn alive() -> Self {
        Self { status: "ok", reasons: Vec::new() }
    }

    /// It serves; `degraded` when something is not as it should be.
    pub const fn ready(reasons: Vec<String>) -> Self {
        let status = if reasons.is_empty() { "ok" } else { "degraded" };
        Self { status, reasons }
    }

    /// It does not serve; to be sent with 503.
    pub const fn unavailable(reasons: Vec<String>) -> Self {
        Self { status: "unavailable", reasons }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_the_seeds_object_until_something_is_wrong() {
        let text = |body: HealthBody| serde_json::to_string(&body).unwrap();
        assert_eq!(text(HealthBody::alive()), r#"{"status":"ok"}"#);
        let degraded = HealthBody::ready(vec!["a source is dead".into()]);
        assert_eq!(text(degraded), r#"{"status":"degraded","reasons":["a source is dead"]}"#);
    }
}
