//! `GET /context/{product}/{session}`: the poll, and with `explain=1` its dry run.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::app::{Polled, Question};
use crate::domain::text::strip;
use crate::engine::around::own_conversation;
use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::{LONGEST_ID, ids, query};
use crate::http::site::{Desk, Visit};
use crate::http::wire::explain::ExplainedBody;
use crate::http::wire::poll::{Asked, PollBody};

/// Decides for one session; a trigger in the answer is an offer made.
pub(crate) async fn poll(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let [product, session] = ids::<2>(parts.uri.path())?;
    let explain = query(&parts.uri, "explain").is_some_and(|value| value == "1");
    let class = if explain { RouteClass::Chatbot } else { RouteClass::FrontEnd };
    let visit = desk.admit(&parts, class, Some(&product))?;
    desk.gate.session_asks(&product, &session)?;
    let conversation = conversation(&parts.uri, &session)?;
    let voucher = if explain {
        None
    } else {
        let signed = (&*product, &visit.product.settings);
        desk.gate.voucher(signed, &parts, &session, visit.now)?
    };
    let voucher = voucher.as_deref();
    let question = Question { session: &session, conversation: &conversation, voucher };
    if explain {
        return explained(&desk, &visit, question).await;
    }
    let polled = desk.app.poll(&visit.product, question, visit.now).await?;
    Ok(answer(&visit, question, &polled))
}

fn conversation<'a>(uri: &'a http::Uri, session: &str) -> Result<Cow<'a, str>, ApiError> {
    let named = query(uri, "conversation_id").filter(|named| !strip(named).is_empty());
    match named {
        Some(named) if named.len() > LONGEST_ID => {
            Err(ApiError::unprocessable("`conversation_id` is longer than 512 bytes"))
        }
        Some(named) => Ok(named),
        None => Ok(own_conversation(session).to_string().into()),
    }
}

fn answer(visit: &Visit, question: Question<'_>, polled: &Polled) -> Response {
    let Polled { decision, state, offer, pending } = polled;
    let (session, conversation) = (question.session, question.conversation);
    let asked = Asked { product: &visit.product.id, session, conversation };
    let (offer, pending) = (offer.as_ref(), pending.as_ref());
    json::ok(&PollBody::new(asked, decision, *state, offer, pending, visit.now))
}

async fn explained(
    desk: &Desk,
    visit: &Visit,
    question: Question<'_>,
) -> Result<Response, ApiError> {
    let explained = desk.app.explain(&visit.product, question, visit.now).await?;
    Ok(json::ok(&ExplainedBody::new(&visit.product, &explained, visit.now)))
}
