//! Bodies: read whole, within a size and a time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use crate::http::error::ApiError;

/// The largest body of a route, in bytes (DESIGN.md, section 10).
pub const LARGEST: usize = 64 << 10;
/// The largest signed body, in bytes.
pub const LARGEST_SIGNED: usize = 1 << 20;
/// A body that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole body; 413 beyond `limit` bytes, 408 after thirty seconds, 400 when it breaks off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let whole = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    match whole {
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(limit)),
        Ok(Err(_)) => Err(ApiError::unreadable("the body broke off")),
    }
}

/// The body as JSON, whatever its content type says; 422 for anything else.
pub fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::unprocessable("the body is empty, JSON is expected"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::unprocessable(format!("the body is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_taken_to_the_last_byte_that_fits() {
        let fits = read(Body::from(vec![b'x'; 10]), 10).await;
        assert_eq!(fits.map(|bytes| bytes.len()), Ok(10));
        let error = read(Body::from(vec![b'x'; 11]), 10).await.unwrap_err();
        assert_eq!(error.status, 413);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let error = read(Body::from_stream(never), 10).await.unwrap_err();
        assert_eq!(error.status, 408);
    }

    #[test]
    fn what_is_no_json_is_unprocessable() {
        for bytes in [&b""[..], b"{", b"NaN", b"\xff", b"{} {}"] {
            assert_eq!(json(bytes).unwrap_err().status, 422);
        }
        assert_eq!(json(b" [] "), Ok(serde_json::json!([])));
    }
}
