//! `PUT /users/{product}/{user}/traits`: a back end says what is known of a person.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

use crate::app::Denied;
use crate::domain::text::strip;
use crate::http::access::RouteClass;
use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::Desk;
use crate::http::wire::clock::demand_json;
use crate::http::wire::traits::{TraitsBody, said};

/// Takes an object of traits, null forgetting one, and answers with all that is known then.
pub(crate) async fn traits(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let [product, user] = ids::<2>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::Chatbot, Some(&product))?;
    demand_json(&parts.headers)?;
    if strip(&user).is_empty() {
        return Err(ApiError::unprocessable("the user id is blank"));
    }
    let said = said(&body::read(body, LARGEST).await?)?;
    let known = desk.app.learn(&visit.product, &user, &said, visit.now).await;
    let known = known.map_err(Denied::from)?;
    Ok(json::ok(&TraitsBody { user_id: &user, traits: &known }))
}
