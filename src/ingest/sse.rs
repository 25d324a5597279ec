//! The client of an upstream's event stream (contract 2.1): connects, reads, hands batches on,
//! and comes back after every failure but those that only a person can mend.

use std::error::Error;
use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::domain::action::Delivery;
use crate::domain::text::strip;
use crate::ingest::backoff::{Backoff, chance};
use crate::ingest::frames::{Frame, FrameError, frames};
use crate::ingest::status::SourceStatus;
use crate::ingest::wire;
use crate::rulebook::settings::Source;

/// One upstream of one product.
#[derive(Debug)]
pub struct Upstream {
    /// Where it is, and its token.
    pub source: Source,
    /// Whose activity it streams.
    pub product: Arc<str>,
    /// Shared; it carries the connect timeout and must have no read timeout.
    pub client: Client,
    /// Told of everything that happens.
    pub status: Arc<SourceStatus>,
    /// How patient to be.
    pub pace: Pace,
}

/// How patient a reader is with its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The wait after a failure: one second, doubling to thirty.
    pub backoff: Backoff,
    /// From the request to the head of the answer.
    pub answer_within: Duration,
    /// Without a byte for so long the upstream is held to be gone: three of its heartbeats.
    pub silence: Duration,
    /// Connected for so long, an upstream has recovered.
    pub recovered_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            answer_within: Duration::from_secs(30),
            silence: Duration::from_secs(90),
            recovered_after: Duration::from_secs(60),
        }
    }
}

/// Why reading ended.
enum Ending {
    /// We were asked to stop.
    Cancelled,
    /// Trying again cannot help.
    Fatal(String),
    /// The upstream closed the stream in good order.
    Closed,
    /// Worth another attempt, after the wait the upstream asked for.
    Lost { reason: String, asked: Option<Duration> },
}

/// Why no more bytes come.
#[derive(Debug)]
enum Broken {
    Silent,
    Transport(reqwest::Error),
}

impl Upstream {
    /// Reads until cancelled or refused for good. `deliver` is awaited for each batch and summary,
    /// in order: while it works nothing is read, and cancelling waits for it.
    pub async fn run<F>(&self, deliver: impl Fn(Delivery) -> F, cancel: &CancellationToken)
    where
        F: Future<Output = ()>,
    {
        let mut backoff = self.pace.backoff;
        loop {
            let ending = match self.connect(cancel).await {
                Err(ending) => ending,
                Ok(response) => self.read(response, &deliver, &mut backoff, cancel).await,
            };
            let (reason, asked) = match ending {
                Ending::Cancelled => return,
                Ending::Fatal(reason) => return self.give_up(reason),
                Ending::Closed => {
                    backoff.reset();
                    ("the upstream closed the stream".to_owned(), None)
                }
                Ending::Lost { reason, asked } => (reason, asked),
            };
            let wait = backoff.next(chance(), asked);
            let wait_ms = wait.as_millis();
            warn!(product.id = %self.product, wait_ms, "Lost an upstream, trying again: {reason}");
            self.status.waiting(reason, wait);
            if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                return;
            }
            self.status.reconnecting();
        }
    }

    fn give_up(&self, reason: String) {
        error!(product.id = %self.product, "An upstream cannot be read: {reason}");
        self.status.fatal(reason);
    }

    async fn connect(&self, cancel: &CancellationToken) -> Result<Response, Ending> {
        let sent = timeout(self.pace.answer_within, self.request()?.send());
        match cancel.run_until_cancelled(sent).await {
            None => Err(Ending::Cancelled),
            Some(Err(_)) => Err(lost("the upstream does not answer".into())),
            Some(Ok(Err(error))) if error.is_builder() => Err(Ending::Fatal(told(&error))),
            Some(Ok(Err(error))) => Err(lost(told(&error))),
            Some(Ok(Ok(response))) => accept(response),
        }
    }

    fn request(&self) -> Result<RequestBuilder, Ending> {
        let url = stream_url(&self.source.url, &self.product)
            .ok_or_else(|| Ending::Fatal("the source's `url` is no http(s) URL".into()))?;
        let request = self.client.get(url).header(ACCEPT, "text/event-stream");
        let request = request.header(CACHE_CONTROL, "no-store");
        let token = self.source.token.as_ref().map(|token| strip(&token.0));
        Ok(match token.filter(|token| !token.is_empty()) {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    async fn read<F: Future<Output = ()>>(
        &self,
        response: Response,
        deliver: &impl Fn(Delivery) -> F,
        backoff: &mut Backoff,
        cancel: &CancellationToken,
    ) -> Ending {
        info!(product.id = %self.product, "Reading an upstream");
        self.status.streaming();
        let opened = Instant::now();
        let mut frames = pin!(frames(watched(response.bytes_stream(), self.pace.silence)));
        loop {
            let Some(next) = cancel.run_until_cancelled(frames.next()).await else {
                return Ending::Cancelled;
            };
            if opened.elapsed() >= self.pace.recovered_after {
                backoff.reset();
            }
            match next {
                None => return Ending::Closed,
                Some(Err(FrameError::Transport(broken))) => return lost(broken.reason()),
                Some(event) if self.hear(&event, deliver).await => backoff.reset(),
                Some(_) => {}
            }
        }
    }

    /// Contract 2.1.3. Whether the event was one that shows the upstream to be well.
    async fn hear<F: Future<Output = ()>>(
        &self,
        event: &Result<Frame, FrameError<Broken>>,
        deliver: &impl Fn(Delivery) -> F,
    ) -> bool {
        self.status.frame();
        let frame = match event {
            Ok(frame) if frame.event == "heartbeat" || strip(&frame.data).is_empty() => {
                return false;
            }
            Ok(frame) => frame,
            Err(error) => return self.skip(error),
        };
        match wire::decode_bytes(frame.data.as_bytes()) {
            Ok(None) => true,
            Ok(Some(decoded)) => {
                self.status.delivery(decoded.warnings);
                deliver(decoded.delivery).await;
                true
            }
            Err(error) => self.skip(&error),
        }
    }

    /// Garbage is told of without its text, which may hold anything.
    fn skip(&self, reason: &dyn Display) -> bool {
        self.status.garbage();
        warn!(product.id = %self.product, "Skipped an upstream's event: {reason}");
        false
    }
}

impl Broken {
    fn reason(&self) -> String {
        match self {
            Self::Silent => "the upstream fell silent".into(),
            Self::Transport(error) => told(error),
        }
    }
}

fn lost(reason: String) -> Ending {
    Ending::Lost { reason, asked: None }
}

/// `{base}/stream/{product}`; a URL that names its stream is taken as it is.
fn stream_url(base: &str, product: &str) -> Option<Url> {
    let mut url = Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    if !url.path().contains("/stream/") {
        url.path_segments_mut().ok()?.pop_if_empty().extend(["stream", product]);
    }
    Some(url)
}

/// Contract 2.1.2, the table of statuses.
fn accept(response: Response) -> Result<Response, Ending> {
    let status = response.status().as_u16();
    match status {
        200 if is_event_stream(response.headers()) => Ok(response),
        200 => Err(lost("the answer is no event stream".into())),
        204 | 400 | 401 | 403 | 404 => Err(Ending::Fatal(format!("the upstream answers {status}"))),
        _ => Err(Ending::Lost {
            reason: format!("the upstream answers {status}"),
            asked: retry_after(response.headers()),
        }),
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Whole seconds; the form that gives a date is not read, for it needs a clock both sides share.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What went wrong and its innermost cause; the layers between repeat the URL.
fn told(error: &reqwest::Error) -> String {
    let what = match error {
        error if error.is_connect() => "cannot connect",
        error if error.is_builder() => "the request cannot be made",
        _ => "the connection broke",
    };
    match std::iter::successors(error.source(), |&cause| cause.source()).last() {
        Some(cause) => format!("{what}: {cause}"),
        None => what.to_owned(),
    }
}

/// The same bytes, and an error when none come for `silence`. While nobody asks for the next
/// bytes no time passes: it is not the upstream that is slow then.
fn watched(
    bytes: impl Stream<Item = reqwest::Result<Bytes>>,
    silence: Duration,
) -> impl Stream<Item = Result<Bytes, Broken>> {
    stream::unfold(Box::pin(bytes), move |mut bytes| async move {
        let next = match timeout(silence, bytes.next()).await {
            Ok(next) => next?.map_err(Broken::Transport),
            Err(_) => Err(Broken::Silent),
        };
        Some((next, bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_beneath_the_base_unless_the_url_names_it() {
        for (base, product, expected) in [
            ("https://up.test", "acme", Some("https://up.test/stream/acme")),
            ("https://up.test/", "acme", Some("https://up.test/stream/acme")),
            ("https://up.test/v1", "a b/c?", Some("https://up.test/v1/stream/a%20b%2Fc%3F")),
            ("http://up.test/v1/?x=1", "acme", Some("http://up.test/v1/stream/acme?x=1")),
            ("http://up.test/stream/other", "acme", Some("http://up.test/stream/other")),
            ("http://up.test/stream", "acme", Some("http://up.test/stream/stream/acme")),
            ("up.test", "acme", None),
            ("file:///stream/acme", "acme", None),
            ("", "acme", None),
        ] {
            let url = stream_url(base, product);
            assert_eq!(url.as_ref().map(Url::as_str), expected, "{base}");
        }
    }

    #[test]
    fn only_an_event_stream_is_one() {
        for (media_type, expected) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("text/event-streams", false),
            ("application/json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type.parse().unwrap())]);
            assert_eq!(is_event_stream(&headers), expected, "{media_type}");
        }
        assert!(!is_event_stream(&HeaderMap::new()));
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        for (text, expected) in [("7", Some(7)), (" 0 ", Some(0)), ("-1", None), ("soon", None)] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers).map(|wait| wait.as_secs()), expected, "{text}");
        }
    }
}
