//! Bulletins as records: they stay until somebody changes them, however old they are.

use std::mem::size_of;
use std::sync::Arc;

use crate::domain::bulletin::{Bulletin, Erasure, Instance, Kept, Lease, Pause};
use crate::domain::time::Timestamp;
use crate::store::Key;
use crate::store::record::{Record, block};

/// Where all products' pauses stand. No product has an empty id.
pub const PAUSES: Key<'static> = Key { product: "", id: "pauses" };

/// Where instances that share the store say that they are there.
pub const INSTANCES: Key<'static> = Key { product: "", id: "instances" };

/// Where the last good workspace is kept.
pub const RULEBOOK: Key<'static> = Key { product: "", id: "rulebook" };

/// Where instances agree on who reads which upstream.
pub const LEASES: Key<'static> = Key { product: "", id: "leases" };

/// Where the salt of the store's graves is kept; a grave's own key is its product and its hash.
pub const SALT: Key<'static> = Key { product: "", id: "salt" };

impl Record for Bulletin {
    const KIND: &'static str = "bulletin";
    const AGES: bool = false;

    fn weigh(&self) -> usize {
        let Self { pauses, rulebook, instances, leases, salt, salts, grave: _, erasure } = self;
        let pause = |(product, pause): (&Arc<str>, &Pause)| {
            let texts = product.len() + pause.reason.as_ref().map_or(0, |reason| reason.len());
            block(size_of::<(Arc<str>, Pause)>() + texts)
        };
        let instance = |(name, instance): (&Arc<str>, &Instance)| {
            let Instance { address, version, digest, .. } = instance;
            let texts = name.len() + address.len() + version.len() + digest.len();
            block(size_of::<(Arc<str>, Instance)>() + texts)
        };
        let lease = |(name, lease): (&Arc<str>, &Lease)| {
            block(size_of::<(Arc<str>, Lease)>() + name.len() + lease.holder.len())
        };
        pauses.iter().map(pause).sum::<usize>()
            + rulebook.as_ref().map_or(0, weight)
            + instances.iter().map(instance).sum::<usize>()
            + salt.iter().chain(salts).map(|salt| block(salt.len())).sum::<usize>()
            + erasure.as_ref().map_or(0, traces)
            + leases.iter().map(lease).sum::<usize>()
    }

    fn is_spent(&self, _now: Timestamp) -> bool {
        let Self { pauses, rulebook, instances, leases, salt, salts, grave, erasure } = self;
        let kept = rulebook.is_some() || salt.is_some() || grave.is_some();
        let kept = kept || !salts.is_empty() || erasure.is_some();
        pauses.is_empty() && instances.is_empty() && !kept && leases.is_empty()
    }
}

fn traces(erasure: &Erasure) -> usize {
    let trace = |trace: &Arc<str>| block(size_of::<Arc<str>>() + trace.len());
    let all = erasure.traces.iter().chain(&erasure.addresses);
    erasure.salt.len() + all.map(trace).sum::<usize>()
}

fn weight(kept: &Kept) -> usize {
    let file = |(path, text): (&Arc<str>, &Arc<str>)| {
        block(size_of::<(Arc<str>, Arc<str>)>() + path.len() + text.len())
    };
    kept.files.iter().map(file).sum::<usize>() + kept.sources.len() + kept.digest.len()
}
