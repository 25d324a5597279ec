//! A byte stream cut into server-sent events. eventsource-stream parses; the guard in front of it
//! removes what it cannot bear: a byte-order mark, `\r` line ends, bytes that are not UTF-8, and
//! events without end. The guard passes on whole events, one at a time, so that neither memory
//! nor time depends on how the bytes were chopped.

use std::collections::VecDeque;

use bytes::Bytes;
use eventsource_stream::{EventStream, EventStreamError};
use futures_util::{Stream, StreamExt, stream};

/// Most bytes of one event; a longer one is skipped.
pub const EVENT_BYTES: usize = 1 << 20;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `event:`, else `message`.
    pub event: String,
    /// The `data:` lines, joined with `\n`; `id:` and `retry:` are not read.
    pub data: String,
}

/// Why there is no event here. The stream goes on, except after [`FrameError::Transport`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError<E> {
    /// Longer than [`EVENT_BYTES`].
    #[error("an event is longer than {EVENT_BYTES} bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("an event is not UTF-8")]
    NotUtf8,
    /// The bytes themselves ended in an error.
    #[error("the connection broke")]
    Transport(E),
}

/// The events of a byte stream. An event that no blank line ends is no event.
pub fn frames<E>(
    bytes: impl Stream<Item = Result<Bytes, E>>,
) -> impl Stream<Item = Result<Frame, FrameError<E>>> {
    EventStream::new(guarded(bytes)).map(|event| match event {
        Ok(event) => Ok(Frame { event: event.event, data: event.data }),
        Err(EventStreamError::Transport(error)) => Err(error),
        Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_)) => Err(FrameError::NotUtf8),
    })
}

fn guarded<E>(
    bytes: impl Stream<Item = Result<Bytes, E>>,
) -> impl Stream<Item = Result<String, FrameError<E>>> {
    // The parser slices through a byte-order mark that comes first, even after the stream's own
    // was removed; a blank line in front of everything means nothing and is never one.
    let blank = stream::iter([Ok("\n".to_owned())]);
    let state = (Box::pin(bytes), Guard::new(EVENT_BYTES));
    blank.chain(stream::unfold(state, |(mut bytes, mut guard)| async move {
        loop {
            if let Some(block) = guard.blocks.pop_front() {
                let block = block.map_err(|refused| match refused {
                    Refused::TooLong => FrameError::TooLong,
                    Refused::NotUtf8 => FrameError::NotUtf8,
                });
                return Some((block, (bytes, guard)));
            }
            match bytes.next().await? {
                Ok(chunk) => guard.feed(&chunk),
                Err(error) => return Some((Err(FrameError::Transport(error)), (bytes, guard))),
            }
        }
    }))
}

/// Why a block is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    TooLong,
    NotUtf8,
}

/// Collects bytes until a blank line ends a block.
#[derive(Debug)]
struct Guard {
    /// Blocks that are complete, each ending in a blank line; line ends are `\n`.
    blocks: VecDeque<Result<String, Refused>>,
    block: Vec<u8>,
    most: usize,
    too_long: bool,
    first: bool,
    after_cr: bool,
    line_is_blank: bool,
}

impl Guard {
    fn new(most: usize) -> Self {
        Self {
            blocks: VecDeque::new(),
            block: Vec::new(),
            most,
            too_long: false,
            first: true,
            after_cr: false,
            line_is_blank: true,
        }
    }

    fn feed(&mut self, chunk: &[u8]) {
        for byte in chunk {
            let half_of_crlf = self.after_cr && *byte == b'\n';
            self.after_cr = *byte == b'\r';
            match byte {
                b'\n' if half_of_crlf => {}
                b'\r' | b'\n' => self.end_line(),
                other => {
                    self.line_is_blank = false;
                    self.push(*other);
                }
            }
        }
    }

    fn end_line(&mut self) {
        self.push(b'\n');
        if self.line_is_blank {
            self.end_block();
        }
        self.line_is_blank = true;
    }

    fn push(&mut self, byte: u8) {
        if self.block.len() < self.most {
            self.block.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn end_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        if std::mem::take(&mut self.first) && block.starts_with(b"\xef\xbb\xbf") {
            block.drain(..3);
        }
        if std::mem::take(&mut self.too_long) {
            self.blocks.push_back(Err(Refused::TooLong));
        } else if block != b"\n" {
            self.blocks.push_back(String::from_utf8(block).map_err(|_| Refused::NotUtf8));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt;
    use proptest::prelude::*;
    use sse_stream::SseByteStream;

    use super::*;

    type Read = Result<Frame, FrameError<Infallible>>;

    fn chunked(bytes: &[u8], sizes: &[usize]) -> Vec<Bytes> {
        let (mut rest, mut chunks) = (bytes, Vec::new());
        let mut sizes = sizes.iter().copied().cycle();
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(rest.len()).clamp(1, rest.len());
            let (chunk, after) = rest.split_at(size);
            chunks.push(Bytes::copy_from_slice(chunk));
            rest = after;
        }
        chunks
    }

    fn read(bytes: &[u8], sizes: &[usize]) -> Vec<Read> {
        let chunks = chunked(bytes, sizes).into_iter().map(Ok);
        frames(stream::iter(chunks)).collect::<Vec<_>>().now_or_never().unwrap()
    }

    fn frame(event: &str, data: &str) -> Read {
        Ok(Frame { event: event.into(), data: data.into() })
    }

    #[test]
    fn wire_cases_read_alike_however_they_are_chopped() {
        let message = |data| vec![frame("message", data)];
        let cases: [(&[u8], Vec<Read>); 16] = [
            (b"data: a\n\n", message("a")),
            (b"data:a\ndata: b\ndata\n\n", message("a\nb\n")),
            (b"data: a\r\n\r\n", message("a")),
            (b"data: a\r\r", message("a")),
            (b"data: a\r\ndata: b\n\r\n", message("a\nb")),
            (b"\xef\xbb\xbfdata: a\n\n", message("a")),
            (b"\xef\xbb\xbf\ndata: a\n\n", message("a")),
            (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", message("b")),
            (b"\xef\xbb\xbf\n\n\xef\xbb\xbfdata: a\n\n", vec![]),
            (b": note\n\nid: 7\nretry: 10\n\ndata: a\n\n", message("a")),
            (b"event: heartbeat\ndata: \n\n", vec![frame("heartbeat", "")]),
            (b"event: x\n\ndata: a\n\n", message("a")),
            (b"data: \xc3\xa9\xf0\x9f\x99\x82\n\n", message("é🙂")),
            (
                b"data: \xff\n\ndata: \xc3\n\ndata: b\n\n",
                vec![Err(FrameError::NotUtf8), Err(FrameError::NotUtf8), frame("message", "b")],
            ),
            (b"data: never ended\n", vec![]),
            (b"", vec![]),
        ];
        for (bytes, expected) in cases {
            for size in [1, 2, 3, 1_000] {
                assert_eq!(read(bytes, &[size]), expected, "{size}: {bytes:?}");
            }
        }
    }

    #[test]
    fn an_event_without_end_is_skipped_and_the_next_one_read() {
        let mut bytes = b"data: ".to_vec();
        bytes.resize(EVENT_BYTES * 2, b'x');
        bytes.extend_from_slice(b"\n\ndata: b\n\n");
        let expected = vec![Err(FrameError::TooLong), frame("message", "b")];
        assert_eq!(read(&bytes, &[64 << 10]), expected);
    }

    #[test]
    fn the_longest_event_fits_exactly() {
        for (excess, expected) in [(0, None), (1, Some(Refused::TooLong))] {
            let mut guard = Guard::new(10);
            guard.feed(&b"data:1234"[..8 + excess]);
            guard.feed(b"\n\n");
            assert_eq!(guard.blocks.pop_front().and_then(Result::err), expected);
        }
    }

    #[test]
    fn a_broken_connection_is_told_after_what_came_before() {
        let chunks = [Ok(Bytes::from_static(b"data: a\n\ndata: b\n")), Err("reset")];
        let read = frames(stream::iter(chunks)).collect::<Vec<_>>().now_or_never().unwrap();
        let a = Frame { event: "message".into(), data: "a".into() };
        assert_eq!(read, [Ok(a), Err(FrameError::Transport("reset"))]);
    }

    /// What sse-stream makes of the same bytes; it hands out raw blocks, so that blocks without
    /// data (no events, says the standard) go, and an empty event name means `message`.
    fn oracle(bytes: &[u8], sizes: &[usize]) -> Vec<Read> {
        let chunks = chunked(bytes, sizes).into_iter().map(Ok::<_, Infallible>);
        let blocks = SseByteStream::new(stream::iter(chunks)).collect::<Vec<_>>();
        let blocks = blocks.now_or_never().unwrap().into_iter().map(|block| block.unwrap());
        let events = blocks.filter_map(|block| {
            let name = block.event.filter(|name| !name.is_empty());
            Some(frame(name.as_deref().unwrap_or("message"), &block.data?))
        });
        events.collect()
    }

    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "data: ",
            "data:",
            "data",
            "event: ",
            "event:heartbeat",
            "id: 1",
            "retry: 5",
            ": ",
            "{\"a\":1}",
            "é",
            "🙂",
            " ",
            ":",
            "\u{feff}",
            "\0",
            "x",
            "\n",
            "\n",
            "\n\n",
            "\r",
            "\r\n",
            "\r\n\r\n",
            "\r\r",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        /// The two differ on purpose in two places, which this leaves out: bytes that are not
        /// UTF-8 end sse-stream's reading, and it has no longest event.
        #[test]
        fn the_guarded_parser_reads_what_sse_stream_reads(
            bytes in pieces(),
            sizes in prop::collection::vec(1_usize..9, 1..5),
        ) {
            prop_assert_eq!(read(&bytes, &sizes), oracle(&bytes, &[bytes.len().max(1)]));
        }

        #[test]
        fn no_bytes_at_all_can_stop_the_reading(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            sizes in prop::collection::vec(1_usize..9, 1..5),
        ) {
            let ended = [bytes.as_slice(), b"\n\ndata: still here\n\n"].concat();
            prop_assert_eq!(read(&ended, &sizes).pop(), Some(frame("message", "still here")));
        }
    }
}
