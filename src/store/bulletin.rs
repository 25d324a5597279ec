//! Bulletins as records: they stay until somebody changes them, however old they are.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use crate::domain::bulletin::{Bulletin, Pause};
use crate::domain::time::Timestamp;
use crate::store::Key;
use crate::store::record::{Record, block};

/// Where all products' pauses stand. No product has an empty id.
pub const PAUSES: Key<'static> = Key { product: "", id: "pauses" };

/// Where instances that share the store say that they are there.
pub const INSTANCES: Key<'static> = Key { product: "", id: "instances" };

impl Record for Bulletin {
    const KIND: &'static str = "bulletin";
    const AGES: bool = false;

    fn weigh(&self) -> usize {
        let Self { pauses } = self;
        let pause = |(product, pause): (&Arc<str>, &Pause)| {
            let texts = product.len() + pause.reason.as_ref().map_or(0, |reason| reason.len());
            block(size_of::<(Arc<str>, Pause)>() + texts)
        };
        pauses.iter().map(pause).sum()
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        let Self { pauses } = self;
        BTreeMap::is_empty(pauses)
    }
}
