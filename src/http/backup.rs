//! `GET /admin/backup` and `POST /admin/restore`: every record of the store as one file, while docent
//! serves.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::try_unfold;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use tokio::time::timeout;

use crate::app::Denied;
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::path::query;
use crate::http::site::Desk;
use crate::http::wire::backup::RestoredBody;
use crate::store::carry::{CarryError, Restoring, Saving, is_empty};
use crate::store::raw::Clash;

/// What a backup is called where its kind is told.
const KIND: &str = "application/zstd";
/// Between two pieces of a backup that is being sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a backup as it is made. When something fails on the way the connection breaks off, and the
/// file has no end.
pub(crate) async fn save(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    desk.admit_operator(&parts)?;
    let saving = Saving::begin(desk.app.clock.now()).map_err(refusal)?;
    let store = Arc::clone(&desk.app.store);
    let pieces = try_unfold((store, saving), |(store, mut saving)| async move {
        let piece = saving.next(&store).await.inspect_err(|error| {
            tracing::warn!(%error, "A backup broke off");
        })?;
        Ok::<_, CarryError>(piece.map(|piece| (Bytes::from(piece), (store, saving))))
    });
    let kind = (CONTENT_TYPE, HeaderValue::from_static(KIND));
    Ok(([kind], Body::from_stream(pieces)).into_response())
}

/// Puts a backup back: into a store that is empty, or with `replace=1` over what is there.
pub(crate) async fn restore(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    desk.admit_operator(&parts)?;
    demand_backup(&parts.headers)?;
    let replace = query(&parts.uri, "replace").is_some_and(|value| value == "1");
    let tasks = desk.app.tasks.clone();
    let mut pieces = body.into_data_stream();
    tasks
        .see_through(async move {
            let put_back = put_back(&desk, &mut pieces, replace).await;
            if put_back.is_err() {
                // Whoever is still sending when they are refused may never read why.
                while let Ok(Some(Ok(_))) = timeout(PATIENCE, pieces.next()).await {}
            }
            put_back
        })
        .await
}

async fn put_back(
    desk: &Desk,
    pieces: &mut BodyDataStream,
    replace: bool,
) -> Result<Response, ApiError> {
    let store = &desk.app.store;
    if !replace && !is_empty(store).await.map_err(Denied::from)? {
        let detail = "the store has records already; with `replace=1` those that the backup has, \
                      too, are replaced, and the others stay";
        return Err(ApiError::new(StatusCode::CONFLICT, detail));
    }
    let clash = if replace { Clash::Replace } else { Clash::NewerStays };
    let mut restoring = Restoring::begin(store, clash).await.map_err(refusal)?;
    loop {
        let piece = match timeout(PATIENCE, pieces.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(ApiError::unreadable("the body broke off")),
            Err(_) => {
                return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"));
            }
        };
        if let Err(error) = restoring.take(store, &piece).await {
            return Err(after(refusal(error), restoring.so_far().written));
        }
    }
    let put = restoring.so_far().written;
    let restored = restoring.finish(store).await.map_err(|error| after(refusal(error), put))?;
    desk.app.learn_pauses().await.map_err(Denied::from)?;
    tracing::info!(records = restored.put.written, "Put a backup back");
    Ok(json::ok(&RestoredBody::of(&restored)))
}

/// No page can send this kind without being asked first whether it may.
fn demand_backup(headers: &HeaderMap) -> Result<(), ApiError> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if sent.trim().eq_ignore_ascii_case(KIND) {
        return Ok(());
    }
    let detail = format!("this route takes `content-type: {KIND}`");
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

fn refusal(error: CarryError) -> ApiError {
    match error {
        CarryError::Store(error) => Denied::from(error).into(),
        CarryError::Backup(error) => ApiError::unprocessable(error.to_string()),
        CarryError::Zstd(_) => ApiError::unavailable(error.to_string(), 1),
    }
}

fn after(error: ApiError, put: u64) -> ApiError {
    if put == 0 { error } else { error.with("records_put_before", put) }
}
