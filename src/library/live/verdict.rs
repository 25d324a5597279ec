//! What a reload may not do although every file is well written, and how that is said.

use std::sync::Arc;

use crate::library::disk::DiskError;
use crate::rulebook::Rulebook;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::settings::{Limits, Settings};
use crate::rulebook::workspace::FILE;

/// Sets one setting of the first back to that of the second; whether they differed.
type Carry = fn(&mut Settings, &Settings) -> bool;

/// Settings that are read once, at start.
const AT_START: [(&str, Carry); 7] = [
    ("listen", |to, from| carry(&mut to.listen, &from.listen)),
    ("admin.listen", |to, from| carry(&mut to.admin.listen, &from.admin.listen)),
    ("store", |to, from| carry(&mut to.store, &from.store)),
    ("durability", |to, from| carry(&mut to.durability, &from.durability)),
    ("wait_replicas", |to, from| carry(&mut to.wait_replicas, &from.wait_replicas)),
    ("journal", |to, from| carry(&mut to.journal, &from.journal)),
    ("limits", |to, from| {
        // How long a batch may be is looked up with each.
        let actions_per_batch = to.limits.actions_per_batch;
        carry(&mut to.limits, &Limits { actions_per_batch, ..from.limits.clone() })
    }),
];

fn carry<T: Clone + PartialEq>(to: &mut T, from: &T) -> bool {
    let differ = to != from;
    to.clone_from(from);
    differ
}

/// The values the process was started with.
pub(crate) struct Pinned(Settings);

impl Pinned {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self(settings.clone())
    }

    /// Sets `settings` back to what the process runs with; a warning for each that differed.
    pub(crate) fn keep(&self, settings: &mut Settings) -> Vec<Finding> {
        // Not said what it was: a store's address may hold a password.
        let differ = AT_START.iter().filter(|(_, carry)| carry(settings, &self.0));
        let warn = |(name, _): &(&str, Carry)| {
            let message = format!("`{name}` has changed and takes effect at the next start");
            let help = Some("restart docent".to_owned());
            about(FILE, Severity::Warning, "needs-restart", message, help)
        };
        differ.map(warn).collect()
    }
}

/// Products that have rules and would have none: an unmounted volume or a checkout half done looks
/// like that, an intention hardly ever. A product that is itself removed is no such case.
pub(crate) fn bereft(running: &Rulebook, candidate: &Rulebook) -> Vec<Finding> {
    let mut products: Vec<_> = running
        .products
        .values()
        .filter(|product| !product.rules.is_empty())
        .filter(|product| candidate.products.get(&product.id).is_some_and(|to| to.rules.is_empty()))
        .collect();
    products.sort_by(|a, b| a.id.cmp(&b.id));
    let lost = products.into_iter().map(|product| {
        let count = product.rules.len();
        let rules = if count == 1 { "the rule" } else { "every one of the rules" };
        let message = format!("product `{}` would lose {rules} it has ({count})", product.id);
        let help = "put the rules back; to silence a product, set `proactive: { enabled: false }`";
        about(FILE, Severity::Error, "rules-lost", message, Some(help.to_owned()))
    });
    lost.collect()
}

/// A workspace that cannot be read, as a finding.
pub fn unreadable(error: &DiskError) -> Finding {
    about(error.path(), Severity::Error, "unreadable", error.to_string(), None)
}

fn about(
    file: &str,
    severity: Severity,
    code: &'static str,
    message: String,
    help: Option<String>,
) -> Finding {
    let (line, column, length) = (0, 0, 0);
    Finding {
        file: Arc::from(file),
        line,
        column,
        length,
        severity,
        code,
        message,
        help,
        fix: None,
    }
}
