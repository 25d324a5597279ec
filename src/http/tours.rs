//! `GET /tours/{product}`: the catalogue, for front ends.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::Desk;
use crate::http::wire::tours::ToursBody;

/// All tours of a product.
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let [product] = ids::<1>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::FrontEnd, Some(&product))?;
    Ok(json::ok(&ToursBody::new(&visit.product.id, &visit.product.tours)))
}
