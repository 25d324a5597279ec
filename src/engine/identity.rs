//! A batch's identity: a hash of what was delivered, so that the same message twice counts once,
//! whatever the source. An action's index is no part of it.

use sha2::{Digest, Sha256};

use crate::domain::action::{Delivery, RawAction};

/// The identity of a delivery to a product; `None` when it has no `forwarded_at`, since then two
/// equal messages may well be two events.
pub fn identity(product: &str, delivery: &Delivery) -> Option<u64> {
    let mut hash = Sha256::new();
    let mut put = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    put(product.as_bytes());
    let forwarded_at = match delivery {
        Delivery::Actions(batch) => {
            put(b"actions");
            put(batch.session_id.as_deref().unwrap_or_default().as_bytes());
            batch.actions.iter().for_each(|action| put_action(action, &mut put));
            batch.forwarded_at
        }
        Delivery::Summary(summary) => {
            put(b"summary");
            put(summary.session_id.as_deref().unwrap_or_default().as_bytes());
            put(summary.text.as_bytes());
            summary.forwarded_at
        }
    };
    put(&forwarded_at.to_be_bytes());
    let digest = hash.finalize();
    let head = digest.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
    head.filter(|_| forwarded_at != 0.0)
}

fn put_action(action: &RawAction, put: &mut impl FnMut(&[u8])) {
    for text in
        [&action.kind, &action.title, &action.description, &action.canonical_url, &action.raw_url]
    {
        put(text.as_bytes());
    }
    put(&action.timestamp_start.to_be_bytes());
    put(&action.timestamp_end.to_be_bytes());
    for (name, value) in &action.properties {
        put(name.as_bytes());
        put(value.to_string().as_bytes());
    }
}
