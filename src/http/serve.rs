//! The accept loop. Ours, since the framework's own neither closes a client that dawdles over its
//! headers nor bounds how long open streams may hold up a shutdown. HTTP/1.1 only: TLS and HTTP/2
//! belong to the proxy in front, and a loop that must not guess the version can time the first byte.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::http::gate::Peer;
use crate::runtime::tasks::Tasks;

/// What connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Connections open at once; the next waits to be accepted.
    pub connections: usize,
    /// Until a request's head is complete, counted from the end of the previous one: so long an
    /// idle connection is kept, too.
    pub head: Duration,
    /// Until open requests are cut off at shutdown.
    pub shutdown: Duration,
}

impl Default for Patience {
    /// Ten thousand streams and as many polls; ten seconds for a head and for a shutdown, as
    /// process supervisors expect.
    fn default() -> Self {
        let (head, shutdown) = (Duration::from_secs(10), Duration::from_secs(10));
        Self { connections: 20_000, head, shutdown }
    }
}

/// Answers everybody who connects until `stop`, then lets open requests end within the patience.
/// The peer's address is in each request's extensions.
pub async fn serve<F, A>(
    listener: TcpListener,
    tasks: &Tasks,
    stop: CancellationToken,
    patience: Patience,
    answer: F,
) where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let (graceful, cut) = (GracefulShutdown::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(patience.connections));
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &places)).await {
        let Some((stream, peer, place)) = accepted else { continue };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.head)
            .keep_alive(true)
            .serve_connection(TokioIo::new(stream), service(peer, answer.clone()));
        let (watched, cut) = (graceful.watch(connection), cut.clone());
        tasks.spawn(async move {
            if let Some(Err(error)) = cut.run_until_cancelled(watched).await {
                debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(patience.shutdown, graceful.shutdown()).await.is_err() {
        warn!("cutting off requests that did not end in time");
    }
    cut.cancel();
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it; `None` when accepting failed.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let _as_it_was = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            // Out of file descriptors, most likely: trying again at once would only burn a core.
            warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn service<F, A>(
    peer: SocketAddr,
    answer: F,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>> + Send + use<F, A>,
>
where
    F: Fn(Request<Body>) -> A,
    A: Future<Output = Response> + Send,
{
    service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let answered = answer(request);
        async move { Ok(answered.await) }
    })
}
