//! The context a chatbot reads: chunks appended, bursts merged, all of it bounded.

use std::sync::Arc;

use crate::domain::action::Batch;
use crate::domain::records::{Chunk, Context, Pending};
use crate::domain::text::first_bytes;
use crate::domain::time::Timestamp;
use crate::rulebook::settings::Retrieval;

/// The largest chunk, in bytes.
pub const CHUNK_BYTES: usize = 16 << 10;
/// The largest context, in bytes of text.
pub const CONTEXT_BYTES: usize = 256 << 10;

/// Takes a batch: a chunk of its own, or part of the burst that is still going on.
pub fn append(context: &mut Context, batch: &Batch, settings: &Retrieval, now: Timestamp) {
    settle(context, settings, now);
    if settings.debounce.is_zero() {
        write(context, batch.chunk_text(), false, settings, now);
        return;
    }
    let size = batch.text_bytes();
    // A burst that never pauses would grow for ever; what no chunk could hold is not kept waiting.
    let full = |pending: &mut Box<Pending>| pending.batch.text_bytes() + size > CHUNK_BYTES;
    if let Some(pending) = context.pending.take_if(full) {
        write(context, pending.batch.chunk_text(), false, settings, now);
    }
    if size > CHUNK_BYTES {
        write(context, batch.chunk_text(), false, settings, now);
        return;
    }
    let mut batch = match context.pending.take() {
        Some(pending) => Batch::merge(pending.batch, batch),
        None => batch.clone(),
    };
    // What the text will not tell need not wait.
    for action in &mut batch.actions {
        (action.title, action.raw_url) = <_>::default();
    }
    context.pending = Some(Pending { batch, last: now }.into());
}

/// Takes a summary as the newest chunk; what it summarises stays.
pub fn append_summary(context: &mut Context, text: &str, settings: &Retrieval, now: Timestamp) {
    settle(context, settings, now);
    write(context, text.to_owned(), true, settings, now);
}

/// A burst that has been quiet for the debounce becomes a chunk, as of that instant, whenever
/// somebody looks.
pub fn settle(context: &mut Context, settings: &Retrieval, now: Timestamp) {
    let quiet = |pending: &mut Box<Pending>| pending.last.plus(settings.debounce) <= now;
    if let Some(pending) = context.pending.take_if(quiet) {
        let at = pending.last.plus(settings.debounce);
        write(context, pending.batch.chunk_text(), false, settings, at);
    }
}

fn write(context: &mut Context, text: String, summary: bool, settings: &Retrieval, at: Timestamp) {
    let text: Arc<str> = first_bytes(&text, CHUNK_BYTES).into();
    context.chunks.push_back(Chunk { number: context.next, at, text, summary });
    context.next += 1;
    let mut bytes: usize = context.chunks.iter().map(|chunk| chunk.text.len()).sum();
    while context.chunks.len() > settings.max_chunks || bytes > CONTEXT_BYTES {
        let Some(oldest) = context.chunks.pop_front() else { return };
        bytes -= oldest.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::RawAction;
    use crate::domain::time::Span;
    use crate::rulebook::settings::ProductSettings;

    fn batch(description: &str) -> Batch {
        let action = RawAction { description: description.into(), ..RawAction::default() };
        Batch { actions: vec![action], ..Batch::default() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_oldest_chunk_goes_first() {
        let settings = Retrieval { max_chunks: 2, ..ProductSettings::default().retrieval };
        let mut context = Context::default();
        for (second, text) in [(1, "one"), (2, "two"), (3, "three")] {
            append(&mut context, &batch(text), &settings, at(second));
        }
        let numbers: Vec<_> = context.chunks.iter().map(|chunk| chunk.number).collect();
        assert_eq!(numbers, [1, 2]);
    }

    #[test]
    fn a_burst_becomes_one_chunk_when_it_has_been_quiet() {
        let settings =
            Retrieval { debounce: Span::from_seconds(3), ..ProductSettings::default().retrieval };
        let mut context = Context::default();
        append(&mut context, &batch("one"), &settings, at(0));
        append(&mut context, &batch("two"), &settings, at(2));
        settle(&mut context, &settings, at(4));
        assert!(context.chunks.is_empty());
        settle(&mut context, &settings, at(9));
        let chunk = context.chunks.front().unwrap();
        assert_eq!(chunk.at, at(5), "as of the end of the silence");
        assert!(chunk.text.starts_with("Session unknown — 2 actions"));
    }

    #[test]
    fn a_burst_that_never_pauses_is_written_before_it_outgrows_a_chunk() {
        let settings =
            Retrieval { debounce: Span::from_seconds(3), ..ProductSettings::default().retrieval };
        let mut context = Context::default();
        for second in 0..400 {
            append(
                &mut context,
                &batch(&format!("{second} {}", "x".repeat(95))),
                &settings,
                at(second),
            );
        }
        let waiting = context.pending.as_ref().map_or(0, |pending| pending.batch.actions.len());
        assert!(waiting < 160, "{waiting} actions wait for a pause that may never come");
        append(&mut context, &batch(&"x".repeat(CHUNK_BYTES * 2)), &settings, at(400));
        assert!(context.pending.is_none(), "neither does one large batch");
        let told: String = context.chunks.iter().map(|chunk| &*chunk.text).collect();
        assert!(
            (0..400).all(|second| told.contains(&format!(": {second} x"))),
            "nothing is cut off"
        );
    }

    #[test]
    fn a_context_is_bounded_in_bytes() {
        let settings = ProductSettings::default().retrieval;
        let mut context = Context::default();
        for second in 0..40 {
            append(&mut context, &batch(&"x".repeat(CHUNK_BYTES * 2)), &settings, at(second));
        }
        assert!(
            context.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>() <= CONTEXT_BYTES
        );
        assert!(context.chunks.iter().all(|chunk| chunk.text.len() <= CHUNK_BYTES));
    }
}
