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
    /// Ten thousand streams and as many polls; thirty seconds keep a connection that polls every
    /// twenty; ten for a shutdown, as process supervisors expect.
    fn default() -> Self {
        let (head, shutdown) = (Duration::from_secs(30), Duration::from_secs(10));
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

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    struct House {
        address: SocketAddr,
        stop: CancellationToken,
        tasks: Tasks,
    }

    /// Serves on a free port: `/stream` never ends, everything else says who asked.
    async fn house(patience: Patience) -> House {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let (tasks, token) = (Tasks::new(), stop.clone());
        let inside = tasks.clone();
        tasks.spawn(async move { serve(listener, &inside, token, patience, answer).await });
        House { address, stop, tasks }
    }

    async fn answer(request: Request<Body>) -> Response {
        if request.uri().path() == "/stream" {
            let first =
                futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from("data: 1\n\n"))]);
            let never = futures_util::StreamExt::chain(first, futures_util::stream::pending());
            return Body::from_stream(never).into_response();
        }
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
        peer.unwrap_or_default().into_response()
    }

    async fn talk(stream: &mut TcpStream, text: &str) -> String {
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 4_096];
        let length = stream.read(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    const POLL: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    #[tokio::test]
    async fn a_connection_answers_one_request_after_another_and_knows_its_peer() {
        let house = house(Patience::default()).await;
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        for _ in 0..2 {
            let answer = talk(&mut stream, POLL).await;
            assert!(
                answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"),
                "{answer}"
            );
        }
        house.stop.cancel();
        assert!(house.tasks.join(Duration::from_secs(60)).await);
    }

    /// Time stands still but for what waits on it, so half a minute passes at once.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_dawdles_over_its_head_is_closed() {
        let house = house(Patience::default()).await;
        for half in ["", "GET / HTTP/1.1\r\nx-slow: "] {
            let mut stream = TcpStream::connect(house.address).await.unwrap();
            stream.write_all(half.as_bytes()).await.unwrap();
            let start = Instant::now();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            let waited = start.elapsed();
            assert!(
                waited >= Duration::from_secs(29) && waited <= Duration::from_secs(31),
                "{waited:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_never_ends_holds_up_shutdown_for_so_long_and_no_longer() {
        let house = house(Patience::default()).await;
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        let head = talk(&mut stream, "GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let start = Instant::now();
        house.stop.cancel();
        assert!(house.tasks.join(Duration::from_secs(60)).await);
        assert!(start.elapsed() <= Duration::from_secs(11), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_cap_a_connection_waits_for_a_place() {
        let house = house(Patience { connections: 1, ..Patience::default() }).await;
        let mut first = TcpStream::connect(house.address).await.unwrap();
        talk(&mut first, POLL).await;
        let mut second = TcpStream::connect(house.address).await.unwrap();
        second.write_all(POLL.as_bytes()).await.unwrap();
        let mut byte = [0; 1];
        let early = tokio::time::timeout(Duration::from_secs(1), second.read(&mut byte)).await;
        assert!(early.is_err(), "served beyond the cap");
        drop(first);
        assert_eq!(second.read(&mut byte).await.unwrap(), 1, "served once there was a place");
    }
}
