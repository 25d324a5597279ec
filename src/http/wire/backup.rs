//! `POST /admin/restore`: what became of the records of a backup.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::carry::Restored;
use crate::store::raw::Put;

/// What became of the records of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Restored)]
pub struct RestoredBody<'a> {
    /// How many of each kind it holds.
    pub records: &'a BTreeMap<String, u64>,
    /// These are in the store now.
    pub written: u64,
    /// The store had the same, or something newer.
    pub kept: u64,
    /// This version of docent cannot read these.
    pub unreadable: u64,
    /// Of people who were erased after the backup was made; left out.
    pub erased: u64,
}

impl<'a> RestoredBody<'a> {
    /// Of what was put back.
    pub fn of(restored: &'a Restored) -> Self {
        let Restored { counts, put } = restored;
        let Put { written, kept, unreadable, erased } = *put;
        Self { records: counts, written, kept, unreadable, erased }
    }
}
