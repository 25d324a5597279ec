//! `POST /agent_state/{product}/{conversation}`: a front end says what happened.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::app::Report;
use crate::domain::text::strip;
use crate::engine::around::session_of;
use crate::http::access::RouteClass;
use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::Desk;
use crate::http::wire::agent_state::{ReportedBody, report as read};

/// Moves the conversation's machine; 200 for every known event, whether it counted or not.
pub(crate) async fn report(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let [product, conversation] = ids::<2>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::FrontEnd, Some(&product))?;
    let session = session_of(&conversation).unwrap_or(&conversation);
    desk.gate.session_asks(&product, session)?;
    if strip(session).is_empty() {
        return Err(ApiError::unprocessable("the conversation id is blank"));
    }
    let signed = (&*product, &visit.product.settings);
    let voucher = desk.gate.voucher(signed, &parts, session, visit.now)?;
    let reported = read(&body::read(body, LARGEST).await?)?;
    let conversation = conversation.into_owned();
    let app = Arc::clone(&desk.app);
    let heard = app.see_through(async move {
        let (event, offer) = (&reported.event, reported.offer_id.as_deref());
        let voucher = voucher.as_deref();
        let report = Report { conversation: &conversation, event, offer, voucher };
        let reaction = desk.app.report(&visit.product, report, visit.now).await;
        reaction.map(|reaction| (reported, reaction))
    });
    let (reported, reaction) = heard.await?;
    let reason = reaction.unheard.map(|unheard| unheard.as_str());
    Ok(json::ok(&ReportedBody::new(&reported.event, reaction.from, reaction.to, reason)))
}
