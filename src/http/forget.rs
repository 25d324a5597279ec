//! `POST /admin/sessions/{product}/{session}/forget`: start over while trying a rule.

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
use crate::http::path::ids;
use crate::http::site::Desk;
use crate::http::wire::clock::demand_json;
use crate::http::wire::forget::{ForgottenBody, thread};

/// Removes the records of a session and answers with what was there; 404 when nothing was.
pub(crate) async fn session(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let [_, product, session] = ids::<3>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::Operator, Some(&product))?;
    demand_json(&parts.headers)?;
    let thread = thread(&body::read(body, LARGEST).await?)?;
    let (session, app) = (session.into_owned(), Arc::clone(&desk.app));
    let forgotten = app.see_through(async move {
        let thread = thread.as_deref();
        let forgotten = desk.app.forget(&visit.product, &session, thread, visit.now).await;
        Ok::<_, Denied>((session, forgotten?))
    });
    let (session, forgotten) = forgotten.await?;
    let forgotten =
        forgotten.ok_or_else(|| ApiError::not_found("nothing is known of this session"))?;
    Ok(json::ok(&ForgottenBody::of(&session, &forgotten)))
}
