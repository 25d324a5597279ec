//! `GET /admin/{users|emails|sessions}/{product}/{id}/export` and `DELETE` without `/export`: all that
//! is kept of one person, shown or removed.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::app::Whom;
use crate::domain::text::strip;
use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::{Desk, Visit};
use crate::http::wire::people::{ErasedBody, ExportedBody};

/// Shows every record; 404 when there is none.
pub(crate) async fn export(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (visit, kind, id) = asked(&desk, request)?;
    let exported = desk.app.export(&visit.product, whom(&kind, &id), visit.now).await?;
    let exported = exported.ok_or_else(nobody)?;
    Ok(json::ok(&ExportedBody::of(&visit.product.id, visit.now, &exported)))
}

/// Removes every record, and answers once that is kept; 404 when there was none.
pub(crate) async fn erase(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (visit, kind, id) = asked(&desk, request)?;
    let tasks = desk.app.tasks.clone();
    let erased = tasks.see_through(async move {
        desk.app.erase(&visit.product, whom(&kind, &id), visit.now).await
    });
    Ok(json::ok(&ErasedBody::of(&erased.await?.ok_or_else(nobody)?)))
}

fn asked(desk: &Desk, request: Request<Body>) -> Result<(Visit, String, String), ApiError> {
    let (parts, _) = request.into_parts();
    let [kind, product, id]: [Cow<'_, str>; 3] = ids::<3>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::Operator, Some(&product))?;
    if strip(&id).is_empty() {
        return Err(ApiError::unprocessable("the id is blank"));
    }
    Ok((visit, kind.into_owned(), id.into_owned()))
}

/// The routes say by their second piece what the id is.
fn whom<'a>(kind: &str, id: &'a str) -> Whom<'a> {
    match kind {
        "emails" => Whom::Email(id),
        "sessions" => Whom::Session(id),
        _ => Whom::User(id),
    }
}

fn nobody() -> ApiError {
    ApiError::not_found("nothing is known of this person")
}
