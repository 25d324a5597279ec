//! `POST /admin/sessions/{product}/{session}/forget`: what is asked and what was removed.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::Forgotten;
use crate::http::body::json;
use crate::http::error::ApiError;

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Forgotten)]
pub struct ForgottenBody<'a> {
    /// As asked.
    pub session_id: &'a str,
    /// `session`, `context`, `email`, `conversation`: the kinds of records that were there.
    pub removed: Vec<&'static str>,
    /// The chat threads among them.
    pub conversations: &'a [String],
    /// Whose session it was, where known; what is remembered of them across sessions stays.
    pub user: Option<&'a str>,
}

impl<'a> ForgottenBody<'a> {
    /// Of what was forgotten.
    pub fn of(session_id: &'a str, forgotten: &'a Forgotten) -> Self {
        let kinds = [
            ("session", forgotten.session),
            ("context", forgotten.context),
            ("email", forgotten.email),
            ("conversation", !forgotten.conversations.is_empty()),
        ];
        let removed = kinds.into_iter().filter(|(_, gone)| *gone).map(|(kind, _)| kind).collect();
        let user = forgotten.person.as_deref();
        Self { session_id, removed, conversations: &forgotten.conversations, user }
    }
}

/// Reads a body: empty, or `{"conversation_id": "…"}` with a chat thread to forget, too.
pub fn thread(body: &[u8]) -> Result<Option<String>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    match json(body)?.get("conversation_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(thread)) => Ok(Some(thread.clone())),
        Some(_) => Err(ApiError::unprocessable("`conversation_id` is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_a_thread_or_none() {
        assert_eq!(thread(b""), Ok(None));
        assert_eq!(thread(b"{}"), Ok(None));
        assert_eq!(thread(br#"{"conversation_id":"c"}"#), Ok(Some("c".to_owned())));
        for bad in [&b"{"[..], br#"{"conversation_id":7}"#] {
            assert_eq!(thread(bad).unwrap_err().status, 422);
        }
    }
}
