//! `GET /context/{product}/{session}`: the poll, and with `explain=1` (or `explain=text`, for
//! people) its dry run.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Method, Request};

use crate::app::{Denied, Explained, Polled, Question, in_time};
use crate::domain::text::strip;
use crate::domain::time::Timestamp;
use crate::engine::around::own_conversation;
use crate::engine::explain::Told;
use crate::engine::skip::skip_reason;
use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::{LONGEST_ID, ids, query};
use crate::http::site::{Desk, Visit};
use crate::http::wire::explain::ExplainedBody;
use crate::http::wire::poll::{Asked, PollBody};

/// Whether this request is for [`poll`], with any ids.
pub(crate) fn is_poll(request: &Request<Body>) -> bool {
    let ids = request.uri().path().strip_prefix("/context/").and_then(|ids| ids.split_once('/'));
    let both = |(product, session): (&str, &str)| {
        !product.is_empty() && !session.is_empty() && !session.contains('/')
    };
    request.method() == Method::GET && ids.is_some_and(both)
}

/// Decides for one session; a trigger in the answer is an offer made.
pub(crate) async fn poll(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let [product, session] = ids::<2>(parts.uri.path())?;
    let explain = query(&parts.uri, "explain").filter(|value| matches!(&**value, "1" | "text"));
    let class = if explain.is_some() { RouteClass::Chatbot } else { RouteClass::FrontEnd };
    let visit = desk.admit(&parts, class, Some(&product))?;
    desk.gate.session_asks(&product, &session)?;
    let conversation = conversation(&parts.uri, &session)?;
    if let Some(form) = explain {
        let question = Question { session: &session, conversation: &conversation, voucher: None };
        return Box::pin(explained(&desk, &visit, question, &parts.uri, &form)).await;
    }
    let signed = (&*product, &visit.product.settings);
    let voucher = desk.gate.voucher(signed, &parts, &session, visit.now)?;
    let voucher = voucher.as_deref();
    let question = Question { session: &session, conversation: &conversation, voucher };
    let peek = desk.app.peek(&visit.product, question, visit.now);
    // What is in this process answers at once: a timer would cost more than the answer.
    let peeked = match desk.app.store.is_shared() {
        true => Box::pin(in_time(peek)).await?,
        false => peek.await?,
    };
    let polled = match peeked {
        Some(polled) => polled,
        None => seen_through(&desk, &visit, question).await?,
    };
    Ok(answer(&visit, question, &polled))
}

/// A poll that may leave something behind: a client that hangs up does not cut it short.
fn seen_through(
    desk: &Arc<Desk>,
    visit: &Visit,
    question: Question<'_>,
) -> impl Future<Output = Result<Polled, Denied>> + Send + use<> {
    let (desk, product, now) = (Arc::clone(desk), Arc::clone(&visit.product), visit.now);
    let (session, conversation) = (question.session.to_owned(), question.conversation.to_owned());
    let (voucher, tasks) = (question.voucher.map(str::to_owned), desk.app.tasks.clone());
    in_time(tasks.see_through(async move {
        let voucher = voucher.as_deref();
        let question = Question { session: &session, conversation: &conversation, voucher };
        desk.app.poll(&product, question, now).await
    }))
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
    let (offer, pending) = (offer.as_deref(), pending.as_deref());
    let reason = skip_reason(&visit.product, decision);
    json::ok(&PollBody::new(asked, decision, reason, *state, offer, pending, visit.now))
}

/// `at=` asks about another instant, in Unix seconds; `rule=` what keeps one trigger back.
async fn explained(
    desk: &Desk,
    visit: &Visit,
    question: Question<'_>,
    uri: &http::Uri,
    form: &str,
) -> Result<Response, ApiError> {
    let now = match query(uri, "at") {
        None => visit.now,
        Some(at) => at
            .parse()
            .ok()
            .and_then(Timestamp::from_seconds)
            .ok_or_else(|| ApiError::unprocessable("`at` is not an instant in Unix seconds"))?,
    };
    let explained = desk.app.explain(&visit.product, question, now).await?;
    let Explained { decision, recording, tester } = &explained;
    let (product, decision, tester) = (&visit.product, *decision, *tester);
    let told = Told { product, decision, recording, tester, now };
    let obstacle = match query(uri, "rule") {
        None => None,
        Some(rule) => Some(told.first_obstacle(&rule).ok_or_else(|| {
            ApiError::not_found(format!("there is no trigger `{rule}` in this product"))
        })?),
    };
    if form == "text" {
        let text = obstacle.map_or_else(|| told.text(), |obstacle| obstacle + "\n");
        return Ok(text.into_response());
    }
    Ok(json::ok(&ExplainedBody::new(&visit.product, &explained, obstacle, now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_told_from_what_only_looks_like_one() {
        for (method, uri, expected) in [
            ("GET", "/context/acme/ps_1", true),
            ("GET", "/context/acme/a%2Fb?conversation_id=a/b", true),
            ("HEAD", "/context/acme/ps_1", false),
            ("POST", "/context/acme/ps_1", false),
            ("GET", "/context/acme", false),
            ("GET", "/context/acme/", false),
            ("GET", "/context//ps_1", false),
            ("GET", "/context/acme/ps_1/", false),
            ("GET", "/context/acme/ps_1/stream", false),
            ("GET", "/k/pk_1/context/acme/ps_1", false),
        ] {
            let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
            assert_eq!(is_poll(&request), expected, "{method} {uri}");
        }
    }
}
