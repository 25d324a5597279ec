//! `PUT /users/{product}/{user}/traits` and `PUT /accounts/{product}/{account}/traits`: a back end
//! says what is known of a person, or of their account.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use serde_json::{Map, Value};

use crate::app::Denied;
use crate::domain::text::strip;
use crate::http::access::RouteClass;
use crate::http::body::{self, LARGEST};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::ids;
use crate::http::site::{Desk, Visit};
use crate::http::wire::clock::demand_json;
use crate::http::wire::traits::{AccountTraitsBody, TraitsBody, said};

/// Takes an object of traits, null forgetting one, and answers with all that is known then.
pub(crate) async fn traits(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (visit, user, said) = told(&desk, request).await?;
    let known = desk.app.learn(&visit.product, &user, &said, visit.now).await;
    let known = known.map_err(Denied::from)?;
    Ok(json::ok(&TraitsBody { user_id: &user, traits: &known }))
}

/// The same of an account.
pub(crate) async fn account_traits(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (visit, account, said) = told(&desk, request).await?;
    let known = desk.app.learn_account(&visit.product, &account, &said, visit.now).await;
    let known = known.map_err(Denied::from)?;
    Ok(json::ok(&AccountTraitsBody { account_id: &account, traits: &known }))
}

/// Of whom something is said, and what.
async fn told(
    desk: &Desk,
    request: Request<Body>,
) -> Result<(Visit, String, Map<String, Value>), ApiError> {
    let (parts, body) = request.into_parts();
    let [product, id] = ids::<2>(parts.uri.path())?;
    let visit = desk.admit(&parts, RouteClass::Chatbot, Some(&product))?;
    demand_json(&parts.headers)?;
    if strip(&id).is_empty() {
        return Err(ApiError::unprocessable("the id is blank"));
    }
    let said = said(&body::read(body, LARGEST).await?)?;
    Ok((visit, id.into_owned(), said))
}
