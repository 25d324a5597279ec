//! `POST /events/{product}` and `POST /webhook/{product}`: what is answered, and what a browser
//! may send (DESIGN.md, section 10).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::action::Delivery;
use crate::http::error::ApiError;
use crate::ingest::posthog::Dropped;

/// A browser's batch holds at most so many actions.
pub const MOST_FROM_BROWSER: usize = 50;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub struct AcceptedBody {
    /// It was understood.
    pub ok: bool,
    /// `actions` or `summary`; null for a type that is not ours and was ignored.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    /// Actions that were taken in.
    pub accepted: usize,
    /// The same message came before and changed nothing.
    pub duplicate: bool,
}

impl AcceptedBody {
    /// The answer for a delivery that was taken in.
    pub const fn new(delivery: &Delivery, accepted: usize, duplicate: bool) -> Self {
        let kind = match delivery {
            Delivery::Actions(_) => "actions",
            Delivery::Summary(_) => "summary",
        };
        Self { ok: true, kind: Some(kind), accepted, duplicate }
    }

    /// The answer for a message of a type that is not ours.
    pub const fn ignored() -> Self {
        Self { ok: true, kind: None, accepted: 0, duplicate: false }
    }
}

/// What became of a call of a PostHog destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PosthogAccepted)]
pub struct PosthogBody {
    /// It was understood.
    pub ok: bool,
    /// Actions that were taken in.
    pub accepted: usize,
    /// Batches that came before and changed nothing.
    pub duplicates: usize,
    /// Events that say nothing of what a person did.
    pub low_signal: u32,
    /// Events without a session.
    pub no_session: u32,
    /// Events that could not be read.
    pub garbage: u32,
}

impl PosthogBody {
    /// The answer for what was taken in and what was dropped.
    pub const fn new(accepted: usize, duplicates: usize, dropped: Dropped) -> Self {
        let Dropped { low_signal, no_session, garbage } = dropped;
        Self { ok: true, accepted, duplicates, low_signal, no_session, garbage }
    }
}

/// Whether a browser may send this; 422 otherwise.
pub fn check_browser(delivery: &Delivery) -> Result<(), ApiError> {
    let refused = |detail: String| Err(ApiError::unprocessable(detail));
    match delivery {
        Delivery::Summary(_) => refused("a browser sends actions alone; sign the push".into()),
        Delivery::Actions(batch) if batch.session_id.is_none() => {
            refused("`session_id` is missing".into())
        }
        Delivery::Actions(batch) if batch.actions.len() > MOST_FROM_BROWSER => {
            refused(format!("a browser sends at most {MOST_FROM_BROWSER} actions at once"))
        }
        Delivery::Actions(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{Batch, RawAction, Summary};

    fn batch(session: Option<&str>, actions: usize) -> Delivery {
        Delivery::Actions(Batch {
            session_id: session.map(Into::into),
            actions: vec![RawAction::default(); actions],
            ..Batch::default()
        })
    }

    #[test]
    fn a_browser_sends_fifty_actions_of_one_session() {
        let status =
            |delivery: &Delivery| check_browser(delivery).err().map(|error| error.status.as_u16());
        assert_eq!(status(&batch(Some("ps_1"), 50)), None);
        assert_eq!(status(&batch(Some("ps_1"), 51)), Some(422));
        assert_eq!(status(&batch(None, 1)), Some(422));
        assert_eq!(status(&Delivery::Summary(Summary::default())), Some(422));
    }

    #[test]
    fn the_answer_names_the_type() {
        let body = AcceptedBody::new(&batch(Some("ps_1"), 2), 2, false);
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"ok":true,"type":"actions","accepted":2,"duplicate":false}"#
        );
    }
}
