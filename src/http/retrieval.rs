//! `POST /retrieval`: a chatbot asks what a person has been doing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::app::Denied;
use crate::http::access::RouteClass;
use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::site::Desk;
use crate::http::wire::retrieval::{RecordsBody, wanted};

/// The newest texts of a session, found by its id or by an e-mail; unknown ids find nothing.
pub(crate) async fn retrieve(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let visit = desk.admit(&parts, RouteClass::Chatbot, None)?;
    let wanted = wanted(&body::read(body, LARGEST).await?)?;
    let found = desk.app.retrieve(&visit.product, &wanted.knowledge_id, wanted.most, visit.now);
    let chunks = found.await.map_err(Denied::from)?;
    Ok(json::ok(&RecordsBody::new(&chunks, &visit.product.settings.retrieval.title)))
}
