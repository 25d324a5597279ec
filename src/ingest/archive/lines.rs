//! JSON lines: one message, or one of PostHog's events, on each.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::action::Delivery;
use crate::domain::time::Timestamp;
use crate::engine::identity::identity;
use crate::ingest::archive::unfit::{in_milliseconds, without_session, without_time};
use crate::ingest::archive::{Taken, delivered};
use crate::ingest::posthog::export;
use crate::ingest::wire::{self, Decoded, WireError};

/// Cuts a text into about so many parts, each of whole lines, so that several threads can read it.
pub fn parts(text: &[u8], count: usize) -> Vec<&[u8]> {
    let size = text.len().div_ceil(count.max(1)).max(1);
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let tail = rest.get(size..).unwrap_or_default();
        let line = tail.iter().position(|byte| *byte == b'\n');
        let cut = line.map_or(rest.len(), |line| size + line + 1).min(rest.len());
        let (part, after) = rest.split_at(cut);
        parts.push(part);
        rest = after;
    }
    parts
}

/// Messages as `POST /events/{product}` takes them. Each was received at its `forwarded_at`, else when
/// its last action ended. `usual` is the product of those that name none.
pub fn batches(text: &[u8], usual: Option<&Arc<str>>) -> Taken {
    let mut said = Said::default();
    each(text, |line, taken| {
        let decoded = wire::decode_bytes(line).map_err(|error| match error {
            WireError::NotJson(error) => not_json(&error),
            other => other.to_string(),
        })?;
        let Some(Decoded { product, mut delivery, .. }) = decoded else {
            taken.passed += 1;
            return Ok(());
        };
        if delivery.session().is_none() {
            return Err(without_session(line));
        }
        if let Some(why) = in_milliseconds(&delivery) {
            return Err(why);
        }
        let at = received(&delivery).ok_or_else(|| without_time(line))?;
        let product = said.product(product).or_else(|| usual.cloned());
        let known = identity(product.as_deref().unwrap_or(""), &delivery);
        shorten(&mut delivery);
        taken.entries.extend(delivered(product, delivery, known, at));
        Ok(())
    })
}

/// PostHog's events, one object on each line.
pub fn events(text: &[u8], product: Option<&Arc<str>>) -> Taken {
    each(text, |line, taken| {
        let json: Value = serde_json::from_slice(line).map_err(|error| not_json(&error))?;
        let row = json.as_object().ok_or("the line is no JSON object")?;
        export::take(row, product, taken)
    })
}

fn not_json(error: &serde_json::Error) -> String {
    format!("the line is not JSON: {error}")
}

/// The product that was said last, so that equal ones share memory.
#[derive(Default)]
struct Said(Option<Arc<str>>);

impl Said {
    fn product(&mut self, id: Option<String>) -> Option<Arc<str>> {
        let id = id.filter(|id| !id.is_empty())?;
        if self.0.as_deref() != Some(&*id) {
            self.0 = Some(id.into());
        }
        self.0.clone()
    }
}

/// Leaves out what no rule reads: it is most of a recording.
fn shorten(delivery: &mut Delivery) {
    if let Delivery::Actions(batch) = delivery {
        for action in &mut batch.actions {
            action.description = String::new();
        }
    }
}

fn each(text: &[u8], mut read: impl FnMut(&[u8], &mut Taken) -> Result<(), String>) -> Taken {
    let mut taken = Taken::default();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        taken.lines += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if let Err(why) = read(line, &mut taken) {
            let line = taken.lines;
            taken.refused.note(line, why);
        }
    }
    taken
}

/// When a message was received, as far as it says so itself.
fn received(delivery: &Delivery) -> Option<Timestamp> {
    let (forwarded, last) = match delivery {
        Delivery::Actions(batch) => {
            let ends = batch
                .actions
                .iter()
                .flat_map(|action| [action.timestamp_start, action.timestamp_end]);
            (batch.forwarded_at, ends.fold(0.0, f64::max))
        }
        Delivery::Summary(summary) => (summary.forwarded_at, 0.0),
    };
    let said = [forwarded, last].into_iter().find(|seconds| *seconds > 0.0)?;
    Timestamp::from_seconds(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_whole_lines_and_all_of_them() {
        let text = b"one\ntwo two\n\nthree\nfour";
        for count in 1..30 {
            let parts = parts(text, count);
            assert_eq!(parts.concat(), text);
            let (last, others) = parts.split_last().unwrap();
            assert!(!last.is_empty() && others.iter().all(|part| part.ends_with(b"\n")), "{count}");
        }
        assert!(parts(b"", 3).is_empty());
    }

    #[test]
    fn lines_are_numbered_across_parts() {
        let text = "{\"type\":\"actions\",\"session_id\":\"s\",\"forwarded_at\":9}\n\n{\n[]\n";
        let text = text.repeat(3);
        for count in [1, 2, 5, 99] {
            let mut taken = Taken::default();
            parts(text.as_bytes(), count).iter().for_each(|part| taken.append(batches(part, None)));
            let lines: Vec<_> = taken.refused.first.iter().map(|(line, _)| *line).collect();
            assert_eq!((taken.entries.len(), taken.lines), (3, 12), "{count}");
            assert_eq!((taken.refused.count, lines), (6, vec![3, 4, 7, 8, 11]), "{count}");
        }
    }
}
